"""A customer's own time, as a field of the form keeps it: `19:30` is the next time the company's clocks show that."""

import re
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

_MOMENT: Final = re.compile(r"(?:(\d{4}-\d{2}-\d{2}) )?(\d{2}:\d{2})", re.ASCII)


def read(value: str, after: datetime, zone: ZoneInfo) -> datetime | None:
    """Return the moment that a value means (`2025-03-10 19:30`, or a time of day); None if it lies before `after`."""
    found = _MOMENT.fullmatch(value)
    if found is None:
        return None
    day = found[1] or f"{after.astimezone(zone):%Y-%m-%d}"
    try:
        moment = datetime.fromisoformat(f"{day}T{found[2]}").replace(tzinfo=zone)
    except ValueError:  # the 31st of a month that has 30
        return None
    if not found[1] and moment <= after:
        moment += timedelta(days=1)
    return moment.astimezone(after.tzinfo) if moment > after else None
