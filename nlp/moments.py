"""When a customer wants to be called or answered. A time that is not certain is left out."""

import re
from collections.abc import Iterable, Mapping
from typing import Final

from nlp import lexicon
from nlp.draft import TIME, Draft

#: How far, in characters, a wish to be called may stand from its time.
_FAR: Final = 16
_FAR_LATIN: Final = 32
#: How long, in characters, a clause is at most.
_BREATH: Final = 60
_HALF_DAY: Final = 12
_HOURS: Final = 24
_MINUTES: Final = 60
_MONTHS: Final = 12
_DAYS: Final = 31
#: From this hour on a time without a part of the day means the morning, or what the clock says.
_SURE: Final = 9
_EVENING: Final = 5
_NOONISH: Final = 2


class MomentFinder:
    """Finds the times at which customers ask to be called, as `19:30`, or with a day: `2025-03-10 19:30`.

    A day that only a clock can tell is left to whoever has one: `+1` (tomorrow), `03-10` (the next time that date
    comes), `w5` (the coming Friday), `n5` (that of the next week).
    """

    def __init__(self) -> None:
        """Compile the words."""
        words, ends = lexicon.load().moments, lexicon.load().characters
        numeral = rf"(?:\d{{1,2}}|[{''.join(words.digits)}]{{1,3}})"
        parts = {each: part for part, listed in words.parts.items() for each in listed}
        part = rf"(?:(?P<part>{_any(each for each in parts if not each.isascii())})\s?)?"
        evening = _any(each for each in words.parts["evening"] if each.isascii())
        minute = r"(?P<minute>[0-5]\d)(?![\d:])"
        spoken = rf"(?:(?P<quarter>{_any(words.quarters)})|(?P<spoken>{numeral})(?:{words.minute}|(?!\d)))"
        self._parts, self._digits, self._quarters = parts, words.digits, words.quarters
        self._times = [
            re.compile(pattern)
            for pattern in (
                r"(?<![\d:.])(?P<hour>\d{1,2})(?:[:.](?P<minute>[0-5]\d))?\s?(?P<part>[ap]\.?m)(?![a-z])\.?",
                rf"(?P<part>{evening})\s(?:at\s)?(?P<hour>\d{{1,2}})(?::{minute}|(?![\d:]))",
                rf"{part}(?<![\d:.-])(?P<hour>{numeral})(?:{_any(words.hour)}){spoken}?",
                rf"{part}(?<![\d:.-])(?P<hour>\d{{1,2}}):{minute}",
                _any([words.noon]),
            )
        ]
        self._day = re.compile(_any(words.days))
        self._counts = words.days
        later = _any(words.next)
        self._weekdays = [
            (re.compile(rf"(?P<next>{later})?\s?(?:{_any(listed)})"), number)
            for number, listed in enumerate(words.weekdays, 1)
        ]
        year, month, *day = words.date
        self._date = re.compile(
            rf"(?<!\d)(?:(?P<year>\d{{4}})[-/{year}])?(?P<month>\d{{1,2}})(?P<mark>[-/{month}])"
            rf"(?P<day>\d{{1,2}})(?![\d:])[{''.join(day)}]?"
        )
        self._month = month
        self._asks = re.compile(_any(words.asks))
        self._unless = re.compile(_any(words.unless))
        self._before = re.compile(rf"\s?(?:{_any(words.before)})")
        self._until = re.compile(rf"(?:{_any([*words.until, *words.range])})\s?$")
        self._fillers = re.compile(rf"(?:{_any([*words.fillers, *parts])})|[\W_]+")
        self._clause = re.compile(rf"[{re.escape(ends.ends)}]+|(?<=[{ends.han}])\s+(?=[{ends.han}])")

    def find(self, draft: Draft) -> None:
        """Add the times of a text to its slots."""
        folded = draft.normal.folded
        for match in (match for times in self._times for match in times.finditer(folded)):
            clock = self._clock(match.groupdict(""))
            if not clock or not draft.free(*match.span()) or self._bounded(folded, match):
                continue
            start, end = self._breath(folded, *match.span())
            day = self._said_day(folded, start, end)
            if day is None:
                continue
            alone = len(folded) <= _BREATH and not self._fillers.sub("", self._rest(folded, match))
            if alone or self._asked(folded, match, start, end):
                draft.take("moment", f"{day} {clock}".strip(), *match.span(), 0.4 if alone else 0.9, mark=TIME)

    def _clock(self, said: Mapping[str, str]) -> str:
        """Return the time of day as `19:30`; "" where it may mean two."""
        if "hour" not in said:
            return "12:00"
        part = said["part"]
        hour = self._number(said["hour"])
        spoken = said.get("spoken") or said.get("minute")
        minute = self._number(spoken) if spoken else self._quarters.get(said.get("quarter", ""), 0)
        if hour is None or minute is None or minute >= _MINUTES:
            return ""
        placed = _placed(hour, self._parts.get(part) or self._parts.get(part.replace(".", ""), ""))
        return "" if placed is None else f"{placed:02}:{minute:02}"

    def _number(self, text: str) -> int | None:
        """Return the value of up to three numerals: 7, two digits, or ten and what stands around it."""
        if text.isdigit() and text.isascii():
            return int(text)
        digits = [self._digits[each] for each in text if each in self._digits]
        if len(digits) != len(text):
            return None
        ten = 10
        if ten not in digits:
            return digits[-1] if len(digits) == 1 or digits[:-1] == [0] else None
        before, after = digits[: digits.index(ten)], digits[digits.index(ten) + 1 :]
        if len(before) > 1 or len(after) > 1 or ten in after:
            return None
        return (before[0] if before else 1) * ten + (after[0] if after else 0)

    def _bounded(self, folded: str, match: re.Match[str]) -> bool:
        """Tell whether the time is the end of something: "before 3", "from 3 to 5"."""
        return bool(self._before.match(folded, match.end()) or self._until.search(folded[: match.start()][-8:]))

    def _breath(self, folded: str, start: int, end: int) -> tuple[int, int]:
        """Return the clause around a place."""
        first, last = max(0, start - _BREATH), min(len(folded), end + _BREATH)
        begin = max((each.end() for each in self._clause.finditer(folded, first, start)), default=first)
        stop = self._clause.search(folded, end, last)
        return begin, stop.start() if stop else last

    def _asked(self, folded: str, match: re.Match[str], start: int, end: int) -> bool:
        """Tell whether a wish to be called stands near, and nothing in its clause says that it is none."""
        for ask in self._asks.finditer(folded, max(0, match.start() - _BREATH), match.end() + _BREATH):
            far = _FAR_LATIN if folded[ask.start()].isascii() else _FAR
            gap = max(ask.start() - match.end(), match.start() - ask.end())
            if gap > far:
                continue
            begun, ended = self._breath(folded, *ask.span())
            if not self._unless.search(folded, min(start, begun), max(end, ended)):
                return True
        return False

    def _said_day(self, folded: str, start: int, end: int) -> str | None:
        """Return the day that a clause names, "" if none, None if it names several, or none there is."""
        found = {f"+{self._counts[each.group()]}" for each in self._day.finditer(folded, start, end)}
        for pattern, number in self._weekdays:
            found.update(f"{'n' if each['next'] else 'w'}{number}" for each in pattern.finditer(folded, start, end))
        for each in self._date.finditer(folded, start, end):
            month, day = int(each["month"]), int(each["day"])
            whole = each["year"] or each["mark"] == self._month
            if whole and not (1 <= month <= _MONTHS and 1 <= day <= _DAYS):
                return None
            if whole:
                found.add(f"{each['year']}-{month:02}-{day:02}" if each["year"] else f"{month:02}-{day:02}")
        return None if len(found) > 1 else next(iter(found), "")

    def _rest(self, folded: str, match: re.Match[str]) -> str:
        """Return what a text says beside one time and its day."""
        rest = f"{folded[: match.start()]} {folded[match.end() :]}"
        for pattern in (self._day, *(pattern for pattern, _ in self._weekdays), self._date):
            rest = pattern.sub(" ", rest, count=1)
        return rest


def _placed(hour: int, part: str) -> int | None:
    """Return the hour of the day that an hour means in a part of it; None where that is not certain."""
    if hour >= _HOURS or not part:
        return hour if _SURE <= hour < _HOURS else None
    if part == "morning":
        return hour if 0 < hour < _HALF_DAY else None
    if hour > _HALF_DAY:
        return hour
    if part == "noon":
        return hour + _HALF_DAY if 0 < hour <= _NOONISH else hour if hour >= _HALF_DAY - 1 else None
    if part == "afternoon":
        return hour % _HALF_DAY + _HALF_DAY if hour else None
    return hour + _HALF_DAY if _EVENING <= hour < _HALF_DAY else None


def _any(words: Iterable[str] | Mapping[str, object]) -> str:
    """Return a pattern for any of these words, Latin ones at word boundaries only."""
    ordered = sorted(words, key=len, reverse=True)
    return "|".join(rf"(?<![a-z]){re.escape(each)}(?![a-z])" if each.isascii() else re.escape(each) for each in ordered)
