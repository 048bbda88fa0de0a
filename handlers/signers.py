"""Signers: who may sign the open step of an approval, in which role, and why somebody may not.

Four eyes: whoever asked for an approval never signs it, and nobody signs it twice, neither under a second account nor
for somebody whose right they were lent, nor does anybody whom the case concerns.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import get_args

from complaints.calendar import WorkCalendar, due
from complaints.case import ApprovalRun, Case, StepRun
from complaints.clauses.approval import Lending
from complaints.clauses.clock import Limit
from complaints.clauses.lifecycle import Move
from complaints.clauses.model import Sentence
from complaints.conversation import Loan, Staff
from complaints.errors import NotAllowed
from complaints.reading import Language
from handlers.turn import Turn


@dataclass(frozen=True, slots=True, kw_only=True)
class Right:
    """A right to sign a step: in a role of it, lent by `lender` perhaps; without a role: asked to sign too."""

    role: str = ""
    lender: Staff | None = None
    loan: Loan | None = None


def waiting(case: Case) -> list[tuple[ApprovalRun, StepRun]]:
    """Return the steps that wait for a signature now, each with its approval."""
    runs = case.facts.approvals if case.open else ()
    return [(run, run.step) for run in runs if run.step is not None and run.step.opened_at is not None]


def right(turn: Turn, case: Case, run: ApprovalRun, member: Staff, *, handed: bool = True) -> Right | None:
    """Return this member's right to sign the open step of an approval; None if they have none.

    `handed`: where a signature was handed on, only to whom it was.
    """
    step = run.step
    if step is None or step.opened_at is None or not member.active or not _free(turn, case, run, member):
        return None
    lending = turn.policy(case).approval(run.id).lending
    for role in step.waits_for:
        to, roles = handed_to(turn, step, role) if handed else None, case.roles_of([role])
        if to in (None, member.id) and not _held(turn, case, member).isdisjoint(roles):
            return Right(role=role)
        for lender, loan in _loans(turn, member):
            lent = _held(turn, case, lender).intersection(roles, loan.roles)
            if lent and to in (None, member.id, lender.id) and _free(turn, case, run, lender) and suits(
                loan, lending, turn.book.calendar
            ):  # fmt: skip
                return Right(role=role, lender=lender, loan=loan)
    return Right() if member.id in step.added else None


def suits(loan: Loan, lending: Lending, calendar: WorkCalendar) -> bool:
    """Tell whether a loan is what an approval allows: not for too long, and on paper where that is asked."""
    return loan.ends_at <= longest(lending, loan.starts_at, calendar) and bool(loan.paper_sha256 or not lending.paper)


def longest(lending: Lending, starts_at: datetime, calendar: WorkCalendar) -> datetime:
    """Return when a loan that starts then must be over."""
    return due(Limit(amount=lending.most, unit="month"), starts_at, calendar)


def complete(turn: Turn, step: StepRun) -> bool:
    """Tell whether everybody has signed a step; who was asked to sign too and has left the company is not missed."""
    signed = {each.by for each in step.signatures}
    staff = turn.scene.staff
    return not step.waits_for and all(id_ in signed or not staff[id_].active for id_ in step.added)


def handed_to(turn: Turn, step: StepRun, role: str) -> int | None:
    """Return to whom the signature of a role was handed on, as long as they are there."""
    member = turn.scene.staff.get(step.instead.get(role, 0))
    return member.id if member is not None and member.active else None


def approvers(turn: Turn, case: Case, run: ApprovalRun | None = None) -> list[Staff]:
    """Return everybody who may sign a step that is open now (of one approval, or of all)."""
    runs = [each for each, _ in waiting(case)] if run is None else [run]
    return [each for each in turn.scene.staff.values() if any(right(turn, case, one, each) for one in runs)]


def involved(turn: Turn, case: Case, member: Staff) -> bool:
    """Tell whether this member of the staff asked for an approval of the case, has signed one, or may sign one now."""
    runs = case.facts.approvals
    signed = {each.by for run in runs for step in run.steps for each in step.signatures}
    return (
        member.id in signed
        or any(run.asked_by == member.id for run in runs)
        or any(right(turn, case, run, member) is not None for run, _ in waiting(case))
    )


# what the acts ask


def stamp(run: ApprovalRun) -> str:
    """Return what a button of the open step carries, so that it is stale once the step is over."""
    return f"{run.number}-{run.at}"


def stands(case: Case, named: str) -> bool:
    """Tell whether what a button carries is still the step that its approval stands at."""
    return any(run.outcome == "open" and stamp(run) == named for run in case.facts.approvals)


def signable(turn: Turn, case: Case, member: Staff) -> list[tuple[str, str]]:
    """Return the open steps that this member of the staff may sign, each with the title of its approval."""
    return [_choice(turn, case, run, member) for run, _ in waiting(case) if right(turn, case, run, member) is not None]


def recallable(turn: Turn, case: Case, member: Staff) -> list[tuple[str, str]]:
    """Return the approvals that this member of the staff asked for and may take back."""
    runs = (run for run in case.facts.approvals if case.open and run.outcome == "open")
    return [_choice(turn, case, run, member) for run in runs if member.who == asked_by(turn, run)]


def papers(turn: Turn, case: Case, member: Staff) -> list[tuple[str, str]]:
    """Return the approvals whose paper this member of the staff may hand in: who asked, or the case's owner."""
    found = []
    for run in case.facts.approvals if case.open else ():
        step = run.step
        if step is not None and step.opened_at is None and step.form is not None:
            asked = asked_by(turn, run)
            if member.who == asked or member.id == case.owner_id or not asked:
                found.append((stamp(run), step.form[member.language]))
    return found


def addable(turn: Turn, case: Case, member: Staff) -> list[tuple[str, str]]:
    """Return who may be asked to sign too: everybody else who is free to, and has no right to sign the step yet."""
    found = []
    for run, step in waiting(case):
        if right(turn, case, run, member) is None:
            continue
        for each in turn.scene.staff.values():
            free = each.active and each.who != member.who and _free(turn, case, run, each)
            if free and each.id not in step.added and right(turn, case, run, each) is None:
                found.append((f"{stamp(run)}-{each.id}", each.name))
    return found


def receiving(turn: Turn, case: Case, member: Staff) -> list[tuple[str, str]]:
    """Return to whom this member of the staff may hand their signature on: whoever may sign in the same role."""
    found = []
    for run, _ in waiting(case):
        mine = right(turn, case, run, member)
        if mine is None or not mine.role:
            continue
        for each in turn.scene.staff.values():
            theirs = right(turn, case, run, each, handed=False)
            if each.who != member.who and theirs is not None and theirs.role == mine.role:
                found.append((f"{stamp(run)}-{each.id}", each.name))
    return found


def refusal(turn: Turn, case: Case, member: Staff) -> NotAllowed:
    """Return why this member of the staff may not do something with the step that waits for signatures."""
    steps = waiting(case)
    if not steps:
        return NotAllowed(key="error.approval_none", number=case.number)
    run, step = steps[0]
    if member.who == asked_by(turn, run):
        return NotAllowed(key="error.approval_own", number=case.number)
    if not _free(turn, case, run, member):
        return NotAllowed(key="error.approval_twice", number=case.number)
    if right(turn, case, run, member) is not None:
        return NotAllowed(key="error.approval_alone", number=case.number)
    if right(turn, case, run, member, handed=False) is not None:
        return NotAllowed(key="error.approval_handed", number=case.number)
    return NotAllowed(
        key="error.approval_role",
        number=case.number,
        roles=titles(turn, case, step.waits_for)[member.language],
    )


def barred(turn: Turn, case: Case, move: Move) -> bool:
    """Tell whether a move asks again for an approval that was final."""
    policy = turn.policy(case)
    return any(
        run.id == each.id and run.outcome in ("granted", "refused")
        for name in filter(None, (move.id, move.to))
        for each in policy.waiting(name).approvals
        for run in case.facts.approvals
        if each.final and turn.holds(each.when, case)
    )


def asked_by(turn: Turn, run: ApprovalRun) -> str:
    """Return who asked for an approval; "" for nobody of the staff."""
    return "" if run.asked_by is None else _who(turn, run.asked_by)


def titles(turn: Turn, case: Case, roles: list[str]) -> Sentence:
    """Return these roles as people call them."""
    named = {role.id: role.title for role in turn.policy(case).routing.roles}
    found = [named[each] for each in case.roles_of(roles) if each in named]
    return Sentence.model_validate(
        {
            language: turn.say(language, "staff.card.joint").join(each[language] for each in found) or ", ".join(roles)
            for language in get_args(Language)
        }
    )


def step_title(turn: Turn, case: Case, step: StepRun) -> Sentence:
    """Return what a step is called: its own title, else the roles that sign it."""
    return step.title or titles(turn, case, [*step.all, *step.any])


def _choice(turn: Turn, case: Case, run: ApprovalRun, member: Staff) -> tuple[str, str]:
    return stamp(run), turn.policy(case).approval(run.id).title[member.language]


def _held(turn: Turn, case: Case, member: Staff) -> set[str]:
    """Return the names under which a case may mean this member of the staff: their roles, and themselves."""
    return {*turn.policy(case).routing.held(member.roles), f"staff:{member.id}"}


def _who(turn: Turn, id_: int) -> str:
    member = turn.scene.staff.get(id_)
    return member.who if member is not None else f"staff:{id_}"


def _free(turn: Turn, case: Case, run: ApprovalRun, member: Staff) -> bool:
    """Tell whether somebody neither asked for an approval nor has a part in a signature under it, under any account."""
    signed = [each for step in run.steps for each in step.signatures]
    taken = {_who(turn, id_) for each in signed for id_ in (each.by, each.lender) if id_ is not None}
    concerned = {_who(turn, id_) for id_ in case.facts.concerned}
    return member.who not in {asked_by(turn, run), *taken, *concerned}


def _loans(turn: Turn, member: Staff) -> Iterator[tuple[Staff, Loan]]:
    for lender in turn.scene.staff.values():
        for loan in lender.facts.loans if lender.active and lender.who != member.who else ():
            if loan.to == member.id and loan.counts(turn.now):
                yield lender, loan
