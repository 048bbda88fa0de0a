"""A customer's own time, as a field of the form keeps it: `19:30` is the next time the company's clocks show that.

A reader knows no clock, and leaves the day to whoever does: `+1 19:30` is tomorrow's, `03-10 19:30` that of the next
time the date comes, `w5 19:30` that of the coming Friday, `n5 19:30` that of the Friday of next week.
"""

import re
from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

_MOMENT: Final = re.compile(r"(?:(\d{4}-\d{2}-\d{2}|\+\d|\d{2}-\d{2}|[wn][1-7]) )?(\d{2}:\d{2})", re.ASCII)
_WEEK: Final = 7


def read(value: str, after: datetime, zone: ZoneInfo) -> datetime | None:
    """Return the moment that a value means (`2025-03-10 19:30`, or a time of day); None if it lies before `after`."""
    found = _MOMENT.fullmatch(value)
    if found is None:
        return None
    try:
        moment = _placed(found[1] or "", time.fromisoformat(found[2]), after.astimezone(zone), zone)
    except ValueError:  # the 31st of a month that has 30
        return None
    return moment.astimezone(after.tzinfo) if moment > after else None


def fixed(value: str, said_at: datetime, zone: ZoneInfo) -> str | None:
    """Return the value with the day it meant when it was said; a time of day stays one. None if it had passed by then.

    What is no moment is None too.
    """
    moment = read(value, said_at, zone)
    if moment is None:
        return None
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M}" if " " in value else value


def _placed(day: str, clock: time, here: datetime, zone: ZoneInfo) -> datetime:
    """Return the moment of a day as the company's clocks show it; ValueError if there is no such day."""
    if not day:
        moment = datetime.combine(here, clock, zone)
        return moment if moment > here else datetime.combine(here + timedelta(days=1), clock, zone)
    if day[0] == "+":
        return datetime.combine(here + timedelta(days=int(day[1:])), clock, zone)
    if day[0] in "wn":
        ahead = int(day[1:]) - here.isoweekday()
        moment = datetime.combine(here + timedelta(days=ahead % _WEEK if day[0] == "w" else ahead + _WEEK), clock, zone)
        return moment if moment > here else moment + timedelta(days=_WEEK)
    if len(day) == len("03-10"):
        moment = datetime.combine(date.fromisoformat(f"{here.year}-{day}"), clock, zone)
        return moment if moment > here else moment.replace(year=here.year + 1)
    return datetime.combine(date.fromisoformat(day), clock, zone)
