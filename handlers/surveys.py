"""When a customer will be asked how it went: planned with a resolution, dropped when the handling begins anew."""

from complaints.calendar import due
from complaints.case import Case, SurveyRun
from handlers.turn import Turn


def on(turn: Turn, case: Case, name: str) -> None:
    """Plan the surveys that wait for this name: one for each resolution."""
    for survey in turn.policy(case).waiting(name).surveys:
        if any(run.id == survey.id and run.cycle == case.cycle for run in case.facts.surveys):
            continue
        calendar, after = turn.book.calendar, survey.not_before
        opening = (
            calendar.opening_of_workday(turn.now, after.amount)
            if after.unit == "workday" and after.ends is None
            else due(after, turn.now, calendar)
        )
        run = SurveyRun(
            id=survey.id,
            cycle=case.cycle,
            due_at=calendar.after_quiet(opening, turn.policy().hours.quiet),
            expires_at=due(survey.expires, turn.now, calendar),
        )
        case.facts.surveys.append(run)
        turn.touch(case)
        turn.set_timer(case, f"survey:{survey.id}", run.due_at)


def drop(turn: Turn, case: Case) -> None:
    """Drop the surveys of a resolution that did not last."""
    for run in case.facts.surveys:
        if not run.done:
            run.done = True
            turn.set_timer(case, f"survey:{run.id}", None)
