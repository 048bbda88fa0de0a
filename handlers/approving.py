"""Approving: what people decide about a step of an approval, and who is asked to decide instead or as well."""

from collections.abc import Mapping

from complaints.case import ApprovalRun, Case, StepRun
from complaints.conversation import Staff
from complaints.errors import BadInput, NotAllowed
from handlers import approvals, cases, signers
from handlers.turn import SYSTEM, Turn


def approve(turn: Turn, case: Case, member: Staff, given: Mapping[str, str]) -> None:
    """Sign the open step."""
    _sign(turn, case, member, given, agrees=True)


def refuse(turn: Turn, case: Case, member: Staff, given: Mapping[str, str]) -> None:
    """Refuse to sign: the approval is refused, and its words go to whoever asked."""
    _sign(turn, case, member, given, agrees=False)


def countersign(turn: Turn, case: Case, member: Staff, given: Mapping[str, str]) -> None:
    """Ask another member of the staff to sign the open step too."""
    run, step, other = _with(turn, case, given)
    step.added.append(other.id)
    approvals.record(turn, "approval_added", case, run, f"staff:{member.id}", text=given.get("text", ""), to=other.id)
    approvals.ask(turn, case, run, [other])


def hand_on(turn: Turn, case: Case, member: Staff, given: Mapping[str, str]) -> None:
    """Hand one's signature on to somebody who may sign in the same role: nobody else may then."""
    run, step, other = _with(turn, case, given)
    mine = signers.right(turn, case, run, member)
    if mine is None:
        raise signers.refusal(turn, case, member)
    step.instead[mine.role] = other.id
    approvals.record(turn, "approval_handed_on", case, run, f"staff:{member.id}", text=given.get("text", ""),
                     to=other.id, role=mine.role)  # fmt: skip
    approvals.ask(turn, case, run, [other])


def recall(turn: Turn, case: Case, member: Staff, given: Mapping[str, str]) -> None:
    """Take back what one has asked for."""
    run = _chosen(case, given, signers.recallable(turn, case, member))
    _happen(turn, case, approvals.recall(turn, case, run, member))


def hand_in(turn: Turn, case: Case, member: Staff, given: Mapping[str, str]) -> None:
    """Hand in the paper without which nothing is put to the signers: the words say which one, and where it lies."""
    run = _chosen(case, given, signers.papers(turn, case, member))
    _happen(turn, case, approvals.hand_in(turn, case, run, member, given["text"]))


def _sign(turn: Turn, case: Case, member: Staff, given: Mapping[str, str], *, agrees: bool) -> None:
    run = _chosen(case, given, signers.signable(turn, case, member))
    mine, step = signers.right(turn, case, run, member), run.step
    if mine is None or step is None:
        raise signers.refusal(turn, case, member)
    happened = approvals.sign(turn, case, run, step, member, mine, agrees=agrees, text=given.get("text", ""))
    _happen(turn, case, happened)


def _happen(turn: Turn, case: Case, names: list[str]) -> None:
    for name in names:
        cases.happen(turn, case, name, SYSTEM)


def _chosen(case: Case, given: Mapping[str, str], possible: list[tuple[str, str]]) -> ApprovalRun:
    """Return the approval that a button, or `step`, names; without a name the only one that can be meant.

    NotAllowed for a step that is over, BadInput where several could be meant.
    """
    stamps = [stamp for stamp, _ in possible]
    named = given.get("step") or given.get("detail", "")
    if named and named not in stamps:
        raise NotAllowed(key="error.stale")
    if not named and len(stamps) > 1:
        raise BadInput(key="error.choice", given="", possible=", ".join(stamps))
    return case.facts.approvals[int((named or stamps[0]).partition("-")[0]) - 1]


def _with(turn: Turn, case: Case, given: Mapping[str, str]) -> tuple[ApprovalRun, StepRun, Staff]:
    """Return the open step that a choice names, and the colleague; what is not offered was refused before."""
    number, _, rest = given["detail"].partition("-")
    run = case.facts.approvals[int(number) - 1]
    step = run.step
    if step is None:
        raise NotAllowed(key="error.stale")
    return run, step, turn.scene.staff[int(rest.partition("-")[2])]
