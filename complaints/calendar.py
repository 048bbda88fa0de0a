"""When a company works, and when a limit is over: pure arithmetic over moments, for any zone and any calendar.

Every moment that comes in is aware, every moment that goes out is UTC. Nothing here asks what time it is.
"""

from bisect import bisect_left, bisect_right
from calendar import monthrange
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import count
from typing import Final
from zoneinfo import ZoneInfo

from complaints.clauses.clock import Ends, Limit
from complaints.policy import Window

_DAY: Final = timedelta(days=1)
_WEEK: Final = timedelta(days=7)
_MIDNIGHT: Final = time()
_LAST_SECOND: Final = time(23, 59, 59)
_SECONDS: Final = {"second": 1, "minute": 60, "hour": 3600}
_FIXED: Final = ("month_day", "month_end")


@dataclass(frozen=True, slots=True, kw_only=True)
class YearDates:
    """What is known of one year: the days worked though their weekday is free (True), and the holidays (False).

    Days not named are counted by their weekday. `published` is False while the authorities have not said everything:
    dates reckoned in such a year are provisional and are shown as such.
    """

    worked: Mapping[date, bool]
    published: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Year:
    """All windows of one year as UTC moments, with the working time that lies before each; found by bisection."""

    openings: list[datetime]
    closings: list[datetime]
    before: list[timedelta]
    total: timedelta
    days: list[date]
    bounds: list[tuple[datetime, datetime]]  # first opening and last closing of each working day

    def position(self, at: datetime) -> timedelta:
        """Return the working time of this year that has passed at that moment."""
        index = bisect_right(self.openings, at) - 1
        if index < 0:
            return timedelta()
        return self.before[index] + min(at, self.closings[index]) - self.openings[index]


class WorkCalendar:
    """One company's working time: its zone, the windows of each weekday (0 is Monday), and the days of each year.

    `makeup` are the windows of a day that is worked though its weekday is free. A window that ends at 00:00 ends at
    midnight. `year` is asked once for each year that is needed. After that the cost of a date hardly depends on how far
    away it is: a year is a table, and the tables are kept.
    """

    def __init__(
        self,
        *,
        zone: ZoneInfo,
        week: Mapping[int, Sequence[Window]],
        makeup: Sequence[Window],
        year: Callable[[int], YearDates],
    ) -> None:
        if not any(week.values()):
            raise ValueError("A calendar needs working hours on at least one weekday.")
        self.zone: Final = zone
        self._week: Final = {weekday: sorted(windows, key=_start) for weekday, windows in week.items()}
        self._makeup: Final = sorted(makeup, key=_start)
        self._ask: Final = year
        self._dates: Final[dict[int, YearDates]] = {}
        self._years: Final[dict[int, _Year]] = {}

    def local(self, moment: datetime) -> datetime:
        """Return the moment as the company's clocks show it. ValueError for a moment without a zone."""
        if moment.tzinfo is None:
            raise ValueError(f"{moment!r} has no zone.")
        return moment.astimezone(self.zone)

    def published(self, year: int) -> bool:
        """Tell whether the holidays and make-up days of that year are known for good."""
        return self._dates_of(year).published

    def published_between(self, a: datetime, b: datetime) -> bool:
        """Tell whether every year from the one moment to the other is published; if not, the dates are provisional."""
        first, last = sorted((self.local(a).year, self.local(b).year))
        return all(self.published(year) for year in range(first, last + 1))

    def is_working_day(self, day: date) -> bool:
        """Tell whether the company works on that day."""
        return bool(self._windows(day))

    def is_working(self, moment: datetime) -> bool:
        """Tell whether the company works at that moment; a window holds its opening and not its closing."""
        return self.next_opening(moment) == moment

    def next_opening(self, moment: datetime) -> datetime:
        """Return the first working moment at or after that one."""
        at, number = self._placed(moment)
        index = bisect_right(self._year(number).closings, at)
        while index >= len(self._year(number).openings):
            number, index = number + 1, 0
        return max(at, self._year(number).openings[index])

    def working_between(self, a: datetime, b: datetime) -> timedelta:
        """Return the working time from `a` to `b`; negative where `b` lies before `a`."""
        (a, first), (b, last) = self._placed(a), self._placed(b)
        if first > last:
            return -self.working_between(b, a)
        whole = sum((self._year(number).total for number in range(first, last)), timedelta())
        return whole + self._year(last).position(b) - self._year(first).position(a)

    def add_working(self, start: datetime, amount: timedelta) -> datetime:
        """Return the first moment at which so much working time has passed since `start`.

        A whole day ends at its closing and not at the next opening. A negative amount gives the last moment from which
        so much working time leads to `start`.
        """
        at, number = self._placed(start)
        if not amount:
            return at
        position = self._year(number).position(at) + amount
        if amount > timedelta():
            while position > self._year(number).total:
                position -= self._year(number).total
                number += 1
            index = bisect_left(self._year(number).before, position) - 1
        else:
            while position < timedelta():
                number -= 1
                position += self._year(number).total
            index = bisect_right(self._year(number).before, position) - 1
        return self._year(number).openings[index] + position - self._year(number).before[index]

    def workday(self, day: date, n: int) -> date:
        """Return the n-th working day after that date; for 0 the date itself, or else the first working day after it.

        A negative n counts backwards.
        """
        number = day.year
        days = self._year(number).days
        index = bisect_right(days, day) + n - 1 if n > 0 else bisect_left(days, day) + n
        while index < 0:
            number -= 1
            index += len(self._year(number).days)
        while index >= len(self._year(number).days):
            index -= len(self._year(number).days)
            number += 1
        return self._year(number).days[index]

    def over(self, day: date, ends: Ends) -> datetime:
        """Return the moment at which that date is over: its last second, a closing, or a time by the company's clocks.

        A day without working hours is closed with the next working day.
        """
        if ends == "closing":
            return self._bounds(self.workday(day, 0))[1]
        clock = _LAST_SECOND if ends == "midnight" else ends
        # where clocks go back a time comes twice, and a promise lasts until the later one
        return max(datetime.combine(day, clock, self.zone).replace(fold=fold).astimezone(UTC) for fold in (0, 1))

    def opening_of_workday(self, start: datetime, n: int) -> datetime:
        """Return the first opening of the n-th working day after the date of `start`; for 0 the next working moment."""
        return self._bounds(self.workday(self.local(start).date(), n))[0] if n else self.next_opening(start)

    def after_quiet(self, moment: datetime, quiet: Window) -> datetime:
        """Return the first moment at or after that one that lies outside the quiet hours, which may cross midnight."""
        local = self.local(moment)
        clock = local.time()
        if quiet.start <= quiet.end:
            silent, ends = quiet.start <= clock < quiet.end, local.date()
        else:
            silent = clock >= quiet.start or clock < quiet.end
            ends = local.date() + (_DAY if clock >= quiet.start else timedelta())
        if not silent:
            return moment.astimezone(UTC)
        return max(moment.astimezone(UTC), self._at(ends, quiet.end))

    def _bounds(self, day: date) -> tuple[datetime, datetime]:
        """Return the first opening and the last closing of a working day."""
        table = self._year(day.year)
        return table.bounds[bisect_left(table.days, day)]

    def _placed(self, moment: datetime) -> tuple[datetime, int]:
        """Return the moment in UTC and the company's year in which it lies."""
        return moment.astimezone(UTC), self.local(moment).year

    def _at(self, day: date, clock: time) -> datetime:
        return datetime.combine(day, clock, self.zone).astimezone(UTC)

    def _dates_of(self, number: int) -> YearDates:
        found = self._dates.get(number)
        if found is None:
            found = self._dates[number] = self._ask(number)
        return found

    def _windows(self, day: date) -> Sequence[Window]:
        worked = self._dates_of(day.year).worked.get(day)
        if worked is None:
            return self._week.get(day.weekday(), ())
        return self._makeup if worked else ()

    def _year(self, number: int) -> _Year:
        found = self._years.get(number)
        if found is None:
            found = self._years[number] = self._reckon(number)
        return found

    def _reckon(self, number: int) -> _Year:
        openings: list[datetime] = []
        closings: list[datetime] = []
        before: list[timedelta] = []
        days: list[date] = []
        bounds: list[tuple[datetime, datetime]] = []
        total = timedelta()
        last = datetime.min.replace(tzinfo=UTC)
        first_day = date(number, 1, 1)
        for day in (first_day + n * _DAY for n in range((date(number, 12, 31) - first_day).days + 1)):
            begun = len(openings)
            for window in self._windows(day):
                # Where clocks change inside a window it may reach into the next one in UTC; no moment counts twice.
                opening = max(self._at(day, window.start), last)
                closing = self._at(day if window.end != _MIDNIGHT else day + _DAY, window.end)
                if closing <= opening:
                    continue
                openings.append(opening)
                closings.append(closing)
                before.append(total)
                total += closing - opening
                last = closing
            if len(openings) > begun:
                days.append(day)
                bounds.append((openings[begun], last))
        return _Year(openings=openings, closings=closings, before=before, total=total, days=days, bounds=bounds)


def due(limit: Limit, start: datetime, calendar: WorkCalendar, *, agreed: datetime | None = None) -> datetime:
    """Return the moment at which the limit is over; it never lies before `start`. `Limit` says what each unit means.

    `agreed` is the moment a person agreed upon, for the limits that are nothing else; without it they are a ValueError.
    """
    if limit.unit in _SECONDS:
        return _add(limit, _begun(limit, start, calendar), _span(limit), calendar)
    if limit.unit == "appointment":
        if agreed is None:
            raise ValueError("Nothing was agreed upon.")
        return max(start, agreed).astimezone(UTC)
    day = calendar.local(start).date()
    if limit.unit == "week_day":
        first = day + (limit.amount - day.isoweekday()) % 7 * _DAY
        return next(moment for n in count() if (moment := calendar.over(first + n * _WEEK, limit.over)) >= start)
    if limit.unit in _FIXED:
        months = (_fixed(limit, day, number, calendar) for number in count(1 if limit.month == "next" else 0))
        return next(moment for moment in months if moment >= start)
    if limit.amount and not limit.start_counts:
        return calendar.over(_later(limit, day, limit.amount, calendar), limit.over)
    first = _later(limit, day, 0, calendar)
    if calendar.over(first, limit.over) < start:
        first = _later(limit, first, 1, calendar)
    return calendar.over(_later(limit, first, max(limit.amount - 1, 0), calendar), limit.over)


def share(
    limit: Limit, start: datetime, percent: int, calendar: WorkCalendar, *, ends_at: datetime | None = None
) -> datetime:
    """Return the moment at which so many percent of the limit are gone; 150 is half of the same measure after it.

    `ends_at` is where a person has set the date, if not the limit. Where the limit has a tolerance, all of it is gone
    when that is over too.
    """
    end = ends_at or due(limit, start, calendar)
    begun = min(_begun(limit, start, calendar), end)
    whole = _between(limit, begun, end, calendar)
    if percent < 100:  # noqa: PLR2004 # all of it
        if not whole:  # the whole of it lies in closed time
            return begun.astimezone(UTC) + (end - begun) * percent / 100
        return _add(limit, begun, whole * percent / 100, calendar)
    if limit.tolerance:
        end = calendar.over(calendar.local(end).date() + limit.tolerance * _DAY, limit.over)
    if not whole:
        return end.astimezone(UTC) + (end - begun) * (percent - 100) / 100
    return _add(limit, end, whole * (percent - 100) / 100, calendar)


def remaining(limit: Limit, due_at: datetime, at: datetime, calendar: WorkCalendar) -> timedelta:
    """Return the time left until `due_at` in the limit's own measure, working or elapsed; negative when it is over."""
    return _between(limit, at, due_at, calendar)


def left(limit: Limit, start: datetime, spent: timedelta, calendar: WorkCalendar) -> datetime:
    """Return when a limit that starts now is over, of which so much was used before; `start` if nothing is left of it.

    `spent` is measured as `remaining` does.
    """
    unused = _between(limit, start, due(limit, start, calendar), calendar) - spent
    return _add(limit, start, unused, calendar) if unused > timedelta() else start.astimezone(UTC)


def shift(
    limit: Limit, due_at: datetime, paused_at: datetime, resumed_at: datetime, calendar: WorkCalendar
) -> datetime:
    """Return where a date moves when its clock paused: at the end of the pause as much time is left as at its begin.

    It serves for the due date and for every share of it. A date that had passed before the pause stays where it is, and
    one that had not is never over at once.
    """
    if due_at <= paused_at or resumed_at <= paused_at:
        return due_at.astimezone(UTC)
    left = remaining(limit, due_at, paused_at, calendar)
    if left <= timedelta():  # the date lies in closed time: there is no working time to keep
        return (resumed_at + (due_at - paused_at)).astimezone(UTC)
    return max(due_at.astimezone(UTC), _add(limit, resumed_at, left, calendar))


def ahead(limit: Limit, moment: datetime, calendar: WorkCalendar) -> datetime:
    """Return the moment that lies so long before another one; so many working days lead to the opening of that day.

    A day of the month leads to the last one that was over before; what is agreed upon lies nothing before it.
    """
    amount = limit.amount - limit.start_counts
    if limit.unit == "workday":
        return calendar.opening_of_workday(moment, -amount) if amount else moment.astimezone(UTC)
    if limit.unit == "day":
        return moment.astimezone(UTC) - amount * _DAY
    local = calendar.local(moment)
    if limit.unit == "month":
        return calendar.over(_month_day(local.date(), -amount, local.day), local.time())
    if limit.unit in _FIXED:
        months = (_fixed(limit, local.date(), -number, calendar) for number in count(0))
        return next(each for each in months if each <= moment)
    return _add(limit, moment, -_span(limit), calendar) if limit.unit in _SECONDS else moment.astimezone(UTC)


def eve(limit: Limit, moment: datetime, calendar: WorkCalendar) -> datetime:
    """Return when people are reminded of a date so long before it.

    For so many days that is the opening of that day, or of the working day before it.
    """
    at = ahead(limit, moment, calendar)
    return at if limit.unit in _SECONDS else calendar.opening_of_workday(at + _DAY, -1)


def _later(limit: Limit, day: date, n: int, calendar: WorkCalendar) -> date:
    if limit.unit == "workday":
        return calendar.workday(day, n)
    return day + n * _DAY if limit.unit == "day" else _month_day(day, n, day.day)


def _fixed(limit: Limit, day: date, months: int, calendar: WorkCalendar) -> datetime:
    """Return when the limit's day of the month is over, so many months after that of the date."""
    number = 31 if limit.unit == "month_end" else limit.amount - limit.strictly_before
    return calendar.over(_month_day(day, months, number), limit.over)


def _month_day(day: date, months: int, number: int) -> date:
    """Return that day of the month so many months later; its last one where it is shorter. 0 is the day before it."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, 1) + (min(number, monthrange(year, month + 1)[1]) - 1) * _DAY


def _begun(limit: Limit, start: datetime, calendar: WorkCalendar) -> datetime:
    """Return when the time of the limit begins to run."""
    return calendar.next_opening(start) if limit.from_opening else start


def _span(limit: Limit) -> timedelta:
    return timedelta(seconds=limit.amount * _SECONDS[limit.unit])


def _counts_working_time(limit: Limit) -> bool:
    return limit.unit == "workday" or (limit.unit in _SECONDS and limit.basis == "working")


def _between(limit: Limit, a: datetime, b: datetime, calendar: WorkCalendar) -> timedelta:
    return calendar.working_between(a, b) if _counts_working_time(limit) else b - a


def _add(limit: Limit, start: datetime, amount: timedelta, calendar: WorkCalendar) -> datetime:
    if _counts_working_time(limit):
        return calendar.add_working(start, amount)
    calendar.local(start)  # refuses a moment without a zone
    return start.astimezone(UTC) + amount


def _start(window: Window) -> time:
    return window.start
