"""Lending: a member of the staff lends somebody the right to sign, on paper and for a time."""

from collections.abc import Sequence
from datetime import datetime

from complaints.clauses.approval import Approval
from complaints.conversation import Loan, Staff
from complaints.errors import BadInput, NotAllowed
from handlers import signers
from handlers.turn import Turn


def lend(
    turn: Turn,
    lender: Staff,
    borrower: Staff,
    roles: Sequence[str],
    until: datetime,
    *,
    paper: int = 0,
    paper_sha256: str = "",
) -> None:
    """Lend the right to sign in these roles until then.

    `paper` is the number under which the signed letter is kept. NotAllowed for what is not the lender's to lend,
    BadInput for a loan that the policy does not allow: in a role in which nothing is signed, for too long, without a
    paper. Either leaves nothing changed.
    """
    routing = turn.policy().routing
    if not lender.active or not borrower.active:
        raise NotAllowed
    if lender.who == borrower.who:
        raise NotAllowed(key="error.loan_self")
    for role in roles:
        if role not in routing.held(lender.roles):
            raise NotAllowed(key="error.loan_role", who=lender.name, role=role)
        signed = [each for each in turn.policy().approvals if role in _roles(turn, each)]
        if not signed:
            raise BadInput(key="error.loan_unused", role=role)
        latest = min(signers.longest(each.lending, turn.now, turn.book.calendar) for each in signed)
        if not turn.now < until <= latest:
            raise BadInput(key="error.loan_long", until=turn.moment("en", latest))
        if not paper_sha256 and any(each.lending.paper for each in signed):
            raise BadInput(key="error.loan_paper")
    lender.facts.loans.append(
        Loan(
            to=borrower.id,
            roles=[*roles],
            starts_at=turn.now,
            ends_at=until,
            paper=paper,
            paper_sha256=paper_sha256,
        )
    )
    turn.touch(lender)
    language = borrower.language
    named = {role.id: role.title[language] for role in routing.roles}
    titles = turn.say(language, "staff.card.joint").join(named[role] for role in roles)
    told = turn.say(language, "staff.approval.lent", by=lender.name, roles=titles, until=turn.moment(language, until))
    turn.tell_staff(borrower, told)


def unlend(turn: Turn, lender: Staff, borrower: Staff) -> None:
    """Take back whatever was lent to somebody; NotAllowed if there is nothing."""
    lent = [loan for loan in lender.facts.loans if loan.to == borrower.id and loan.counts(turn.now)]
    if not lent:
        raise NotAllowed(key="error.loan_none", who=lender.name, to=borrower.name)
    for loan in lent:
        loan.ended = True
    turn.touch(lender)


def _roles(turn: Turn, approval: Approval) -> set[str]:
    """Return the roles that may ever sign an approval: those of its steps, and of the parts that its steps name."""
    rows = [*approval.before, *approval.instead, *approval.keeps, *approval.matrix, *approval.after]
    names = {name for row in rows for step in row.steps for name in step.roles}
    routing = turn.policy().routing
    parts = {role for route in routing.routes if route.part in names for role in route.to}
    return names | parts | ({role.id for role in routing.roles} if "department" in names else set())
