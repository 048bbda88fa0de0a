"""Approvals: what must be agreed to, by whom, and which step waits now. What people decide is in `approving`.

Whatever happens by it is returned as names, for `cases.happen`: the steps that open and are over, and how it ends.
"""

from collections.abc import Sequence
from typing import Any, Final, Literal

from complaints import approvals
from complaints.case import ApprovalRun, Case, Signature, StepRun
from complaints.clauses.approval import Approval
from complaints.conversation import Staff
from handlers import notices, rights, roster, signers
from handlers.signers import Right
from handlers.turn import SYSTEM, Turn

Outcome = Literal["granted", "refused", "recalled"]
_BREACHED: Final = "breached."


def on(turn: Turn, case: Case, name: str, actor: str, text: str = "") -> list[str]:
    """Open the approvals that wait for this name, pass up the steps whose time is up by it; return what happens then.

    `text` is what was written with it: the plan that is put to those who sign.
    """
    if not case.open:  # nobody is to sign any more
        for run in _under_way(case):
            _close(turn, case, run, "recalled", SYSTEM)
        return []
    happened = _pass_up(turn, case, name.removeprefix(_BREACHED)) if name.startswith(_BREACHED) else []
    for approval in turn.policy(case).waiting(name).approvals:
        if turn.holds(approval.when, case):
            happened += _ask_for(turn, case, approval, actor, text)
    return happened


def follow(turn: Turn, case: Case) -> list[str]:
    """Let the steps that are still to come follow the case, whose type, flags, grades or answers have changed.

    A step that is open stays, unless it does not belong to the case any more.
    """
    happened: list[str] = []
    for run in _under_way(case) if case.open else ():
        found, step = _chain(turn, case, run), run.step
        if found is None:
            continue
        left = approvals.remaining(found, run.steps[: run.at])
        if left and _named(left) == _named(run.steps[run.at :]):
            continue
        opened = step is not None and step.opened_at is not None
        if step is not None and opened and str(step) in _named(left):
            run.steps[run.at :] = [step, *(each for each in left if str(each) != str(step))]
            record(turn, "approval_changed", case, run, SYSTEM, steps=_named(run.steps))
            continue
        if step is not None and opened:
            happened += _over(turn, case, run, step)
        happened += go_on(turn, case, run)
    return happened


def sign(
    turn: Turn, case: Case, run: ApprovalRun, step: StepRun, by: Staff, mine: Right, *, agrees: bool, text: str
) -> list[str]:
    """Let a member of the staff sign the open step, or refuse to; return what happens by that."""
    lender = mine.lender
    step.signatures.append(
        Signature(
            by=by.id, role=mine.role, at=turn.now, agrees=agrees, lender=lender.id if lender is not None else None
        )
    )
    lent = {"lender": lender.id, "paper_sha256": mine.loan.paper_sha256} if lender is not None and mine.loan else {}
    record(turn, "approval_signed", case, run, f"staff:{by.id}", text=text, role=mine.role, agrees=agrees, **lent)
    if not agrees:
        _tell(turn, case, run, _asking(turn, case, run), "staff.approval.refused", by=by.name, text=text)
        return _close(turn, case, run, "refused", f"staff:{by.id}")
    if not signers.complete(turn, step):
        return []
    return [*_over(turn, case, run, step), *go_on(turn, case, run)]


def recall(turn: Turn, case: Case, run: ApprovalRun, by: Staff) -> list[str]:
    """Take an approval back; return what happens by that."""
    _tell(turn, case, run, signers.approvers(turn, case, run), "staff.approval.recalled", by=by.name)
    return _close(turn, case, run, "recalled", f"staff:{by.id}")


def hand_in(turn: Turn, case: Case, run: ApprovalRun, by: Staff, text: str) -> list[str]:
    """Take in the paper for which the next step waits, and open it; return what happens by that."""
    step = run.step
    if step is None or step.form is None:
        return []
    run.papers.append(step.form.en)
    known = case.words.papers.get(str(run.number), "")
    case.words.papers[str(run.number)] = f"{known}\n{text}".strip()
    record(turn, "approval_paper", case, run, f"staff:{by.id}", text=text, form=step.form.en)
    return go_on(turn, case, run)


def go_on(turn: Turn, case: Case, run: ApprovalRun) -> list[str]:
    """Open the step that comes next, as the case is now, or grant the approval; return what happens by that."""
    found = _chain(turn, case, run)
    if found is not None:
        run.steps[run.at :] = approvals.remaining(found, run.steps[: run.at])
    elif not run.steps:
        record(turn, "approval_asked", case, run, SYSTEM, asked_by=run.asked_by, steps=_named(run.steps))
        _alert(turn, case, run, "staff.approval.nobody")
        return []
    step = run.step
    if step is None:
        _tell(turn, case, run, _asking(turn, case, run), "staff.approval.granted")
        return _close(turn, case, run, "granted", SYSTEM)
    if step.form is not None and step.form.en not in run.papers:
        _tell(turn, case, run, _asking(turn, case, run), "staff.approval.paper", form=step.form)
        return []
    step.opened_at = turn.now
    record(turn, "approval_asked", case, run, SYSTEM, asked_by=run.asked_by, steps=_named(run.steps))
    ask(turn, case, run, signers.approvers(turn, case, run))
    lacking = _lacking(turn, case, run, step)
    if lacking:
        _alert(turn, case, run, "staff.approval.lacking", roles=signers.titles(turn, case, lacking))
    name = "approval_opened"
    return [name, f"{run.id}.opened"]


def ask(turn: Turn, case: Case, run: ApprovalRun, members: list[Staff]) -> None:
    """Put the open step to these members of the staff: to those who are there, else to all."""
    step = run.step
    can = [each for each in members if each.chat and not rights.kept_from(turn, case, each)]
    there = [each for each in can if not roster.away(each, turn.now)] or can
    if step is None or not there:
        return
    asked = turn.scene.staff.get(run.asked_by or 0)
    by = asked.name if asked is not None else "—"
    title = signers.step_title(turn, case, step)
    _tell(turn, case, run, there, "staff.approval.asked", step=title, at=run.at + 1, of=len(run.steps), by=by)


def _tell(
    turn: Turn, case: Case, run: ApprovalRun, members: list[Staff], key: str, **values: Any
) -> None:  # Any: fills of a sentence
    if members:
        notices.tell(turn, case, members, [], key, approval=_approval(turn, case, run).title, **values)


def _alert(turn: Turn, case: Case, run: ApprovalRun, key: str, **values: Any) -> None:  # Any: fills of a sentence
    """Tell who must see to it that an approval goes on at all: reception, and the owner of the case."""
    to = ["owner", turn.policy(case).routing.reception]
    notices.alert(turn, case, to, key, approval=_approval(turn, case, run).title, **values)


def record(turn: Turn, name: str, case: Case, run: ApprovalRun, actor: str, *, text: str = "", **facts: object) -> None:
    """Write into the journal what became of an approval, with the sentence of the rule book that asks for the step."""
    step = run.step
    clause = step.clause if step is not None else _approval(turn, case, run).clause
    turn.record(case, name, actor, clause=clause, words={"text": text} if text else None,
                facts={"approval": run.id, "number": run.number, "step": run.at, **facts})  # fmt: skip


def _ask_for(turn: Turn, case: Case, approval: Approval, actor: str, text: str) -> list[str]:
    happened = []
    who, text = _requester(turn, case, actor, text)
    for run in case.facts.approvals:
        if run.id != approval.id:
            continue
        if run.asked_at == turn.now or (approval.final and run.outcome in ("granted", "refused")):
            return []  # the move and its state are one and the same request; what was final stays so
        if run.outcome == "open":  # asked for anew: what was signed was something else
            happened += _close(turn, case, run, "recalled", SYSTEM)
    number = len(case.facts.approvals) + 1
    run = ApprovalRun(id=approval.id, number=number, asked_at=turn.now, asked_by=who)
    case.facts.approvals.append(run)
    if text:
        case.words.plans[str(number)] = text
    return [*happened, *go_on(turn, case, run)]


def _requester(turn: Turn, case: Case, actor: str, text: str) -> tuple[int | None, str]:
    """Return who asks for an approval that opens now, and for what.

    What opens as another one ends is what that one was about, whoever owns the case.
    """
    if actor.startswith("staff:"):
        return int(actor.removeprefix("staff:")), text
    ended = next((run for run in reversed(case.facts.approvals) if run.closed_at == turn.now), None)
    if actor == SYSTEM and ended is not None:
        return ended.asked_by, text or case.words.plans.get(str(ended.number), "")
    return case.owner_id, text


def _pass_up(turn: Turn, case: Case, clock_id: str) -> list[str]:
    """Let the levels whose clock ran out go up to the next step; the last one stays, and so does every other step."""
    happened: list[str] = []
    clock = case.facts.clocks.get(clock_id)
    for run, step in signers.waiting(case) if clock is not None else ():
        own = not {"approval_opened", f"{run.id}.opened"}.isdisjoint(turn.policy(case).clock(clock_id).start)
        if not own or clock is None or step.opened_at != clock.started_at:
            continue
        found, done = _chain(turn, case, run), [*run.steps[: run.at], step.model_copy(update={"passed": True})]
        above = approvals.remaining(found, done) if found is not None else run.steps[run.at + 1 :]
        if above and step.level and _approval(turn, case, run).overdue == "pass_up":
            record(turn, "approval_passed_up", case, run, SYSTEM, roles=step.waits_for, clock=clock_id)
            step.passed = True
            happened += [*_over(turn, case, run, step), *go_on(turn, case, run)]
    return happened


def _over(turn: Turn, case: Case, run: ApprovalRun, step: StepRun) -> list[str]:
    """Let the open step be over: its buttons come off, and the next one is to be opened."""
    step.closed_at = turn.now
    run.at += 1
    title = _approval(turn, case, run).title
    turn.retire(case, lambda language: turn.say(language, "staff.retired.approval", approval=title[language]))
    name = "approval_decided"
    return [name, f"{run.id}.decided"]


def _close(turn: Turn, case: Case, run: ApprovalRun, outcome: Outcome, actor: str) -> list[str]:
    """Let an approval end, whatever of it is still open; return what happens by that."""
    step, happened = run.step, list[str]()
    record(turn, "approval_closed", case, run, actor, outcome=outcome)
    if step is not None and step.opened_at is not None:
        happened = _over(turn, case, run, step)
    run.outcome, run.closed_at = outcome, turn.now
    return [*happened, f"{run.id}.{outcome}"]


def _under_way(case: Case) -> list[ApprovalRun]:
    return [run for run in case.facts.approvals if run.outcome == "open"]


def _approval(turn: Turn, case: Case, run: ApprovalRun) -> Approval:
    return turn.policy(case).approval(run.id)


def _chain(turn: Turn, case: Case, run: ApprovalRun) -> list[StepRun] | None:
    return approvals.chain(_approval(turn, case, run), turn.facts(case))


def _asking(turn: Turn, case: Case, run: ApprovalRun) -> list[Staff]:
    """Return who is told what becomes of an approval: who asked for it, and the owner of the case."""
    found = (turn.scene.staff.get(id_ or 0) for id_ in dict.fromkeys([run.asked_by, case.owner_id]))
    return [each for each in found if each is not None and each.active and each.chat]


def _lacking(turn: Turn, case: Case, run: ApprovalRun, step: StepRun) -> list[str]:
    """Return the roles of the open step in which nobody may sign."""
    rights_ = [signers.right(turn, case, run, each) for each in turn.scene.staff.values()]
    able = {each.role for each in rights_ if each is not None}
    lacking = [role for role in step.waits_for if role not in able]
    return lacking if step.all or len(lacking) == len(step.any) else []


def _named(steps: Sequence[StepRun]) -> list[str]:
    return [str(each) for each in steps]
