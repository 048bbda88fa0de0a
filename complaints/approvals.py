"""What an approval asks of a case: the steps that follow from its facts, each role once."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from complaints.case import StepRun
from complaints.clauses.approval import Approval, Chain


def chain(approval: Approval, facts: Mapping[str, Any]) -> list[StepRun] | None:  # Any: a fact of any kind
    """Return the steps of an approval for these facts, none of them open yet; None where no row of it holds."""
    rows = _rows(approval, facts)
    if rows is None:
        return None
    return once(
        StepRun(
            all=step.all,
            any=step.any,
            title=step.title,
            form=row.form,
            clause=step.clause or row.clause or approval.clause,
            expedited=row.expedited,
            level=any(row is each for each in approval.matrix),
        )
        for row in rows
        for step in row.steps
    )


def remaining(steps: Sequence[StepRun], done: Sequence[StepRun]) -> list[StepRun]:
    """Return what is still to be signed of a chain when these steps are over."""
    return once(steps, {role for step in done for role in step.settled})


def once(steps: Iterable[StepRun], settled: Collection[str] = ()) -> list[StepRun]:
    """Return the steps with each role once, and without those that are `settled`.

    A role that comes again is dropped. A step for one of several roles is dropped where one of them must sign anyway,
    before or after it, so that nobody's signature is lost.
    """
    steps = list(steps)
    needed = {*settled, *(role for step in steps for role in step.all)}
    seen = {*settled}
    kept = []
    for step in steps:
        if needed.intersection(step.any):
            continue
        left = [role for role in dict.fromkeys([*step.all, *step.any]) if role not in seen]
        if left:
            seen.update(left)
            several = list(dict.fromkeys(step.all))
            whole = step.written or ("+".join(several) if several and left != several else "")
            kept.append(step.model_copy(update={"all" if step.all else "any": left, "written": whole}))
    return kept


def _rows(approval: Approval, facts: Mapping[str, Any]) -> list[Chain] | None:  # Any: a fact of any kind
    def holding(rows: Sequence[Chain]) -> list[Chain]:
        return [row for row in rows if row.when.holds(facts)]

    instead, matrix, after = (holding(rows) for rows in (approval.instead, approval.matrix, approval.after))
    if instead:
        return [*holding(approval.keeps), instead[0], *after]
    return [*holding(approval.before), matrix[0], *after] if matrix else None
