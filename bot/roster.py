"""The roster as a file: who is on call for which roles, and who is away, in rows of CSV."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from complaints.clauses.routing import Routing
from complaints.conversation import Shift, Staff
from complaints.errors import Misconfigured

#: The columns of a roster; what stands under `roles` is parted by spaces, and nothing for somebody who is away.
COLUMNS: Final = ("staff", "roles", "from", "until")
_FORM: Final = "%Y-%m-%d %H:%M"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row of a roster: whose it is, and when they are on call or away."""

    member: int
    shift: Shift


def read(path: Path, staff: Sequence[Staff], routing: Routing, zone: ZoneInfo) -> list[Row]:
    """Return the rows of a file; Misconfigured names every cell that is wrong, with line, column and cure."""
    try:
        text = path.read_text("utf-8-sig")
    except OSError as error:
        raise Misconfigured(f"{path}: cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise Misconfigured(f"{path}: is not UTF-8. Save it as “CSV UTF-8”.") from None
    lines = csv.DictReader(io.StringIO(text, newline=""), restkey="more", restval="")
    missing = [name for name in COLUMNS if name not in (lines.fieldnames or ())]
    if missing:
        raise Misconfigured(f"{path}:1: there is no column {', '.join(missing)}. The first line is {','.join(COLUMNS)}")
    rows: list[Row] = []
    problems: list[str] = []
    for cells in lines:
        texts = {name: cells[name].strip() for name in COLUMNS}
        if "more" in cells:
            problems.append(f"{path}:{lines.line_num}: more cells than columns. Part several roles by spaces.")
        elif any(texts.values()):
            found = _row(texts, staff, routing, zone)
            if isinstance(found, Row):
                rows.append(found)
            else:
                problems += [f"{path}:{lines.line_num}: {each}" for each in found]
    if problems:
        raise Misconfigured(*problems)
    return rows


def apply(rows: Sequence[Row], staff: Sequence[Staff], now: datetime) -> list[Staff]:
    """Put the rows into the rosters of the staff, and return those that changed.

    They take the place of all shifts that begin between the first moment of theirs and the last; who is away stays
    away. What has passed is forgotten.
    """
    calls = [row.shift for row in rows if row.shift.roles]
    since = min((each.starts_at for each in calls), default=now)
    until = max((each.ends_at for each in calls), default=now)
    changed = []
    for member in staff:
        kept = [
            each
            for each in member.facts.roster
            if each.ends_at > now and not (each.roles and since <= each.starts_at < until)
        ]
        fresh = [row.shift for row in rows if row.member == member.id and row.shift not in kept]
        shifts = sorted([*kept, *fresh], key=lambda each: (each.starts_at, each.roles))
        if shifts != member.facts.roster:
            member.facts.roster = shifts
            changed.append(member)
    return changed


def stretch(since: str, until: str, zone: ZoneInfo, *, roles: Sequence[str] = ()) -> Shift | list[str]:
    """Return a stretch of local time from one moment to another, or what is wrong with `from` and `until`."""
    starts_at, ends_at = _moment(since, zone), _moment(until, zone)
    problems = [f"{name}: {each}" for name, each in (("from", starts_at), ("until", ends_at)) if isinstance(each, str)]
    if isinstance(starts_at, str) or isinstance(ends_at, str):
        return problems
    if ends_at <= starts_at:
        return [f"until: {until} is not after {since}. A night shift ends on the next day."]
    return Shift(starts_at=starts_at, ends_at=ends_at, roles=list(roles))


def _row(texts: Mapping[str, str], staff: Sequence[Staff], routing: Routing, zone: ZoneInfo) -> Row | list[str]:
    problems = []
    named = [each for each in staff if each.active and texts["staff"] in (str(each.id), each.name)]
    roles = texts["roles"].split()
    if len(named) != 1:
        reason = "several are called so; write the id" if named else "nobody of the staff has this id or name"
        problems.append(f"staff: {texts['staff'] or 'empty'}: {reason}. See `plaint staff list`.")
    known = [role.id for role in routing.roles]
    if wrong := [each for each in roles if each not in known]:
        problems.append(f"roles: {' '.join(wrong)}: no such role. There are: {', '.join(known)}.")
    elif (
        named[1:] == [] and named and (lacking := [each for each in roles if each not in routing.held(named[0].roles)])
    ):
        problems.append(f"roles: {named[0].name} is not {' '.join(lacking)}, but: {', '.join(named[0].roles)}.")
    shift = stretch(texts["from"], texts["until"], zone, roles=roles)
    if isinstance(shift, Shift) and not problems:
        return Row(member=named[0].id, shift=shift)
    return problems + (shift if isinstance(shift, list) else [])


def _moment(text: str, zone: ZoneInfo) -> datetime | str:
    """Return the moment of a local date and time, or what is wrong with it."""
    try:
        plain = text.strip().replace("/", "-").replace("T", " ")
        return datetime.strptime(plain, _FORM).replace(tzinfo=zone).astimezone(UTC)
    except (ValueError, OverflowError):
        return f"{text.strip() or 'empty'}: no date and time of {zone.key}. Write e.g. 2025-03-03 18:00."
