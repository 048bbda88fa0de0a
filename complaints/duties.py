"""Duties as they come round: which period it is, when its work is due, and which cases are drawn for a check."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from hashlib import sha256
from typing import Final, Literal

from pydantic import BaseModel, Field

from complaints.calendar import WorkCalendar, due, eve, share
from complaints.clauses.duty import Duty, Sample

_DAY: Final = timedelta(days=1)
#: How many months a period has, for those that begin with a month.
_MONTHS: Final = {"month": 1, "quarter": 3, "half_year": 6, "year": 12}

State = Literal["open", "done", "missed", "dropped"]


class DutyFacts(BaseModel):
    """What was done about a duty: the percents of its time that were told, and who did it when, with which proof.

    `drawn` are the numbers of the cases that were checked, `paper_sha256` is the hash of the file that was given.
    """

    told: list[int] = Field(default_factory=list)
    drawn: list[str] = Field(default_factory=list)
    done_by: int | None = None
    done_at: datetime | None = None
    paper_sha256: str = ""


@dataclass(slots=True, kw_only=True)
class DutyRun:
    """A duty in one period. `next_at` is when somebody is to be told of it; None if nobody is."""

    id: int
    duty: str
    period: str
    policy: str
    began_at: datetime
    due_at: datetime
    next_at: datetime | None
    state: State = "open"
    facts: DutyFacts = field(default_factory=DutyFacts)
    note: str = ""


@dataclass(frozen=True, slots=True)
class Period:
    """One stretch of time that a duty is for: its name, its first day, and the first day of the next one."""

    name: str
    first: date
    next: date


def period_of(duty: Duty, day: date) -> Period:
    """Return the period that a day lies in."""
    if duty.every == "day":
        return Period(day.isoformat(), day, day + _DAY)
    if duty.every == "week":
        year, week, weekday = day.isocalendar()
        first = day - (weekday - 1) * _DAY
        return Period(f"{year}-W{week:02}", first, first + 7 * _DAY)
    length = _MONTHS[duty.every]
    number = (day.month - 1) // length
    first = date(day.year, number * length + 1, 1)
    last = day.year * 12 + number * length + length
    names = {
        "month": f"{day.year}-{day.month:02}",
        "quarter": f"{day.year}-Q{number + 1}",
        "half_year": f"{day.year}-H{number + 1}",
        "year": f"{day.year}",
    }
    return Period(names[duty.every], first, date(last // 12, last % 12 + 1, 1))


def before(duty: Duty, period: Period) -> Period:
    """Return the time before that period whose cases a sample is drawn from: of one period, or of several."""
    last = period_of(duty, period.first - _DAY)
    first = last.first
    for _ in range(1, duty.sample.periods if duty.sample is not None else 1):
        first = period_of(duty, first - _DAY).first
    return Period(last.name, first, last.next)


def periods(duty: Duty, first: date, last: date, calendar: WorkCalendar) -> Iterator[Period]:
    """Yield the periods of a duty that begin from one day to another; a `day` is a working day."""
    period = period_of(duty, first)
    if period.first < first:
        period = period_of(duty, period.next)
    while period.first <= last:
        wanted = not duty.months or period.first.month in duty.months
        if wanted and (duty.every != "day" or calendar.is_working_day(period.first)):
            yield period
        period = period_of(duty, period.next)


def beginning(period: Period, calendar: WorkCalendar) -> datetime:
    """Return the moment at which a period begins by the company's clocks."""
    return datetime.combine(period.first, time(), calendar.zone)


def moment(duty: Duty, began_at: datetime, percent: int, calendar: WorkCalendar) -> datetime:
    """Return when so many percent of a duty's time are gone; 100 is when it is missed.

    Below 0 it is one of its reminders, counted from -1, that says how long before the date.
    """
    before = duty.remind[-percent - 1].before if percent < 0 else None
    if before is not None:
        return max(began_at, eve(before, due(duty.due, began_at, calendar), calendar))
    if percent >= 100:  # noqa: PLR2004 # all of it
        return share(duty.due, began_at, 100, calendar)
    end = due(duty.due, began_at, calendar)
    return began_at + (end - began_at) * percent / 100


def order(duty: Duty, period: Period, numbers: Sequence[str]) -> list[str]:
    """Return case numbers in the order in which they are drawn: the same for the same cases, whoever asks when."""
    return sorted(numbers, key=lambda number: sha256(f"{duty.id}|{period.name}|{number}".encode()).digest())


def drawn(sample: Sample, ordered: Sequence[str], own: frozenset[str]) -> list[str]:
    """Return the cases that somebody checks: as many of all as the sample says, none of which are their `own`."""
    wanted = max(sample.least, -(-len(ordered) * sample.percent // 100))
    return [number for number in ordered if number not in own][:wanted]
