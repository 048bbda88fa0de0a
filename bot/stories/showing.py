"""Showing: what became of stories, for people and for other programs."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bot.stories.judging import Finding
from bot.stories.playing import Outcome
from policies.checker import Problem

_MARKS: Final = {True: "[green]✓[/green]", False: "[red]✗[/red]", None: "[dim]…[/dim]"}
_LATER: Final = "not checked yet"
#: With more stories than this only what is wrong is shown of each.
_MANY: Final = 3
#: Where the words stand in a line of the transcript.
_INDENT: Final = "\n" + " " * 28


def show(console: Console, outcomes: list[Outcome], *, transcript: bool) -> None:
    """Print a table for each story; of many only the rows that failed. With `transcript` also what was said when."""
    for each in outcomes:
        if transcript:
            _transcript(console, each)
        _table(console, each, brief=len(outcomes) > _MANY)
    if len(outcomes) > 1:
        well, later = sum(each.well for each in outcomes), sum(each.later for each in outcomes)
        told = f"{well} of {len(outcomes)} stories went as they should; {later} expectations are not checked yet."
        console.print(told, highlight=False)


def _table(console: Console, outcome: Outcome, *, brief: bool) -> None:
    counted = f"{outcome.passed} held, {outcome.failed} failed, {outcome.later} not checked yet"
    head = f"{_MARKS[outcome.well]} [bold]{escape(outcome.id)}[/bold] {escape(outcome.company)}: {counted}"
    console.print(head, highlight=False, soft_wrap=True)
    for problem in outcome.problems:
        console.print(f"  {_MARKS[False]} {escape(str(problem))}", highlight=False, soft_wrap=True)
    rows = [each for each in outcome.findings if not brief or each.ok is False]
    if not rows:
        return
    table = Table("", "what", "expected", "seen")
    for each in rows:
        table.add_row(_MARKS[each.ok], escape(each.key), escape(each.expected), escape(_seen(each)))
    console.print(table)


def _seen(finding: Finding) -> str:
    if finding.ok is None:
        return f"{_LATER}{f': {finding.seen}' if finding.seen else ''}"
    return finding.seen


def _transcript(console: Console, outcome: Outcome) -> None:
    """Print who said and did what when, and what everybody was told. `*`: the player added it."""
    day = ""
    for line in outcome.lines:
        at = _local(line.at, outcome)
        if f"{at:%Y-%m-%d}" != day:
            day = f"{at:%Y-%m-%d}"
            console.print(f"[bold]{day} {at:%a}[/bold]", highlight=False)
        arrow = "[cyan]←[/cyan]" if line.heard else "[yellow]→[/yellow]"
        words = escape(line.what).replace("\n", _INDENT)
        start = f"  {at:%H:%M}{'*' if line.made_up else ' '} {arrow} {escape(line.who):16} "
        console.print(start + words, highlight=False, soft_wrap=True)


def _local(at: datetime, outcome: Outcome) -> datetime:
    return at.astimezone(ZoneInfo(outcome.zone))


def as_json(outcomes: Iterable[Outcome], problems: Iterable[Problem]) -> dict[str, Any]:  # Any: JSON
    """Return the outcomes for other programs: moments are ISO 8601 with the company's offset."""
    return {
        "problems": [_problem(each) for each in problems],
        "stories": [
            {
                "id": each.id,
                "file": str(each.path),
                "company": each.company,
                "well": each.well,
                "problems": [_problem(problem) for problem in each.problems],
                "findings": [
                    {"what": it.key, "expected": it.expected, "seen": it.seen, "ok": it.ok} for it in each.findings
                ],
                "transcript": [
                    {
                        "at": _local(line.at, each).isoformat(),
                        "who": line.who,
                        "hears" if line.heard else "does": line.what,
                        "added_by_the_player": line.made_up,
                    }
                    for line in each.lines
                ],
            }
            for each in outcomes
        ],
    }


def _problem(problem: Problem) -> dict[str, str | int]:
    return {"file": str(problem.path), "line": problem.line, "message": problem.message, "cure": problem.cure}
