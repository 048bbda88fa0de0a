"""Days, weeks, months and years that a text names, in EDTF (ISO 8601-2), counted from when it was said.

A day `2026-11-04`, a month `2026-10`, a year `2025`, a span `2026-10-01/2026-10-07`, until a day `../2026-11-30`, since
one `2026-10-08/..`. What even a careful person could not place is left out; without the moment at which it was said,
so is everything that does not name its year.
"""

import re
from calendar import monthrange
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import cache
from typing import Final

from nlp import lexicon
from nlp.draft import TIME, Draft

#: How far, in characters, a clause is looked at for whether it tells of the past or of the future.
_BREATH: Final = 40
#: How far before a date, in characters, a word like "by" may begin.
_BEFORE: Final = 14
_DAY: Final = timedelta(days=1)
_WEEK: Final = 7
_YEAR: Final = 365
#: What a year is longer than 365 days, in days.
_TROPICAL: Final = 0.2422
_FEBRUARY: Final = 2
#: Of two years the nearer is meant for sure when the other is so many times as far.
_SURELY: Final = 3
#: A day that another of the text places is hardly so many days ago.
_HALF_YEAR: Final = 183
#: A day of the year that nothing places is one of the past, unless it comes within so many days.
_SOON: Final = 60
#: What was promised by a day is due on the one that is so many times as near as the other.
_NEARER: Final = 2
_PROMISED: Final = "promised"
_CENTURY: Final = 2000
#: Years of the Republic of China, as Taiwan counts them, begin here.
_REPUBLIC: Final = 1911
_MOST_DAYS_AGO: Final = 30
_SATURDAY: Final = 5
#: So many days after it began the days of a new year are spoken of.
_FESTIVE: Final = 20

_SURE: Final = 0.95
_LIKELY: Final = 0.85
_MAYBE: Final = 0.7
_DOUBTFUL: Final = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A date at [start, end) of a text: its EDTF, and its first and last day.

    `after` is the first day after it where "after" means after a holiday; `recurs` when it may mean every week;
    `joined` when the text names both ends of it.
    """

    start: int
    end: int
    edtf: str
    first: date
    last: date
    confidence: float
    after: date | None = None
    recurs: bool = False
    joined: bool = False


_Groups = dict[str, str]


@dataclass(slots=True)
class _Said:
    """A text while its dates are read: when and where it was said, and what has been found."""

    folded: str
    at: date | None
    variant: str
    points: list[Point]
    ends: dict[int, Point] = field(default_factory=dict)


class DateFinder:
    """Finds the dates of a text."""

    def __init__(self) -> None:
        """Compile the patterns."""
        words = lexicon.load().dates
        self._words = words
        pieces = {
            "names": _any(words.months),
            "days_han": _any(each for each in words.days if not each.isascii()),
            "days_latin": _any(each for each in words.days if each.isascii()),
            "feasts": _any(each for each in {**words.feasts, **words.taiwan} if not each.isascii()),
            "feasts_latin": _any(each for each in words.feasts if each.isascii()),
            "weekdays_latin": _any(each for each in words.weekdays if each.isascii() and len(each) > _SATURDAY),
        }
        for name, pattern in words.patterns.items():
            pieces[name] = re.sub(r"\{([a-z_A-Z]+)\}", lambda each: pieces[each[1]], pattern)
        self._patterns = {name: re.compile(pattern, re.ASCII) for name, pattern in pieces.items() if name in _READ}
        ends = re.escape(lexicon.load().characters.ends)
        self._clause_end = re.compile(rf"[{ends}]|\.(?=\s|$)")
        self._feast_begins = _begins(each for each in words.feasts if not each.isascii())
        self._digital_begins = re.compile("|".join(map(re.escape, words.digital)))
        self._day_begins = _begins(each for each in words.days if not each.isascii())
        self._year_first = re.compile(r"(?:19|20)\d\d[-/.]", re.ASCII)
        self._future = _cues(words.future)
        self._no_tense = _cues(words.no_tense)
        self._past = re.compile(f"{_any(words.past)}|{words.patterns['past_english']}")

    def find(self, draft: Draft, at: datetime | None, variant: str) -> None:
        """Add the dates of a text to its slots; `at` in the zone in which it was said, `variant` where."""
        folded = draft.visible(over=TIME)
        said = _Said(folded, at.date() if at else None, variant, [])
        taken = bytearray(len(folded))
        for name, gate, read in self._readers(said):
            if not gate:
                continue
            for match in self._patterns[name].finditer(folded):
                start, end = match.span()
                if (
                    any(taken[start:end])
                    or not draft.free(start, end, over=TIME)
                    or self._before("every", folded, start)
                ):
                    continue
                # What cannot be placed is not read as a part of itself: "4 March" as the 4th of this month.
                taken[start:end] = b"\1" * (end - start)
                try:
                    point = read(said, match)
                except ValueError:  # no such day
                    continue
                if point is not None:
                    said.points.append(point)
                    said.ends[point.end] = point
        said.points = sorted(self._shifted(said), key=lambda each: each.start)
        for point in self._joined(said):
            bounded = self._bounded(said, point)
            if draft.free(point.start, point.end, over=TIME):
                draft.take("date", bounded.edtf, bounded.start, bounded.end, bounded.confidence)

    def _readers(self, said: _Said) -> Iterable[tuple[str, bool, Callable[[_Said, re.Match[str]], Point | None]]]:
        """List the patterns, the surest first, whether a text can hold them at all, and how they are read."""
        folded, latin = said.folded, _LATIN.search(said.folded) is not None
        digits = _DIGIT.search(folded) is not None
        placed = said.at is not None
        gates = {name: any(each in folded for each in sign) for name, sign in self._words.gates.items()}
        month, week, year = gates["month"], gates["week"], gates["year"]
        yield "iso", digits and self._year_first.search(folded) is not None, self._numeric
        yield "slashed_year", digits and "/" in folded, self._slashed_year
        yield "moon", placed and gates["moon"], self._moon
        yield "moon_near", placed and gates["moon"], self._moon
        yield "month", month, self._month
        yield "near_day", month and placed, self._near_day
        yield "iso_month", digits and self._year_first.search(folded) is not None, self._numeric_month
        yield "feast_english", latin and placed, self._feast
        yield "english", latin and digits, self._english
        yield "english_month", latin, self._english_month
        if placed:
            yield "slashed", digits and "/" in folded, self._slashed
            yield "slashed_day", latin and digits and "/" in folded, self._slashed
            yield "dotted", digits and "." in folded, self._slashed
            yield "feast", self._feast_begins.search(folded) is not None, self._feast
            yield "feast_digital", self._digital_begins.search(folded) is not None, self._feast
            yield "week", week, self._weekday
            yield "week_alone", week, self._near
            yield "days_ago", gates["day"], self._days_ago
            yield "day", self._day_begins.search(folded) is not None, self._day
            yield "near_alone", month, self._near
            yield "month_third", month, self._near
            yield "year_third", year, self._near
            yield "day_alone", gates["number"], self._day_alone
            yield "ago_alone", year, self._near
            yield "weeks_ago_today", latin, self._weeks_from_today
            yield "day_english", latin, self._day
            yield "days_ago_english", latin, self._days_ago
            yield "english_week", latin, self._weekday
            yield "english_week_short", latin, self._weekday
            yield "english_third", latin, self._near
            yield "english_near", latin, self._near
            yield "english_day", latin and digits, self._day_alone
        yield "year_alone", year, self._year
        yield "english_year", latin and digits, self._year

    # --- one date --------------------------------------------------------------------------------------------------

    def _numeric(self, _: _Said, match: re.Match[str]) -> Point:
        return _day_point(match, date(int(match["year"]), int(match["month"]), int(match["day"])), _SURE)

    def _slashed_year(self, said: _Said, match: re.Match[str]) -> Point | None:
        """Read `15/3/2026` and `3/15/2026`; where both may be meant, neither is."""
        one, two, year = int(match["one"]), int(match["two"]), int(match["year"])
        if year < _CENTURY // 10:
            return None
        days = {each for each in (_valid(year, one, two), _valid(year, two, one)) if each}
        return _day_point(match, days.pop(), _LIKELY) if len(days) == 1 else None

    def _numeric_month(self, _: _Said, match: re.Match[str]) -> Point:
        return _month_point(match, int(match["year"]), int(match["month"]), _LIKELY)

    def _year(self, said: _Said, match: re.Match[str]) -> Point | None:
        groups = _Groups(match.groupdict(""))
        year = int(groups["year"] or 0) or self._digits(groups.get("hanyear", ""))
        latest = said.at.year + 1 if said.at else _CENTURY + 99
        if not year or year > latest:
            return None
        start, end = (
            match.span("year") if groups["year"] and match.re is self._patterns["english_year"] else match.span()
        )
        return replace(
            _span_point(match, date(year, 1, 1), date(year, 12, 31), _LIKELY), edtf=str(year), start=start, end=end
        )

    def _month(self, said: _Said, match: re.Match[str]) -> Point | None:
        groups = _Groups(match.groupdict(""))
        month = int(groups["month"] or 0) or self._count(groups["hanmonth"])
        year = self._year_of(said, groups, match.group())
        if year is None and (said.at is None or any(groups[each] for each in ("short", "roc", "ago"))):
            return None
        day = int(groups["day"] or 0) or self._count(groups["handay"])
        return self._in_month(said, match, year, month, day)

    def _in_month(self, said: _Said, match: re.Match[str], year: int | None, month: int, day: int) -> Point | None:
        """Return the day, the third or the whole of a month; without a year of the one that must be meant."""
        groups = _Groups(match.groupdict(""))
        confidence = _SURE
        if year is None:
            if said.at is None:
                return None
            chosen = self._placed(
                said, match.span(), [_valid(said.at.year + by, month, day or 1) for by in (-1, 0, 1)], whole=not day
            )
            if chosen is None:
                return None
            year, confidence = chosen[0].year, chosen[1]
        if day:
            first = date(year, month, day)
            last = int(groups.get("today") or 0) or self._count(groups.get("tohan", ""))
            if groups.get("to") and last:
                return replace(_span_point(match, first, date(year, month, last), confidence), joined=True)
            return _day_point(match, first, confidence)
        if third := groups.get("third", ""):
            return _third_point(match, year, month, self._words.thirds[third.removeprefix("the ")])
        return _month_point(match, year, month, min(confidence, _LIKELY))

    def _near_day(self, said: _Said, match: re.Match[str]) -> Point | None:
        assert said.at is not None  # the reader is only asked with a day
        year, month = _months_on(said.at, self._distance(match["near"]))
        return self._in_month(said, match, year, month, int(match["day"] or 0) or self._count(match["handay"] or ""))

    def _english(self, said: _Said, match: re.Match[str]) -> Point | None:
        month = self._words.months[match["name1"] or match["name2"]]
        day = int(match["day1"] or match["day2"])
        year = int(match["year"]) if match["year"] else None
        point = self._in_month(said, match, year, month, day)
        if point is not None and (since := int(match["since"] or match["between"] or 0)):
            span = _span_point(match, point.first.replace(day=since), point.first, point.confidence)
            return replace(span, joined=True)
        more = self._patterns["english_to"].match(said.folded, match.end())
        if point is not None and more and int(more["today"]) > day:
            last = date(point.first.year, month, int(more["today"]))
            return replace(_span_point(match, point.first, last, point.confidence), end=more.end(), joined=True)
        return point

    def _english_month(self, said: _Said, match: re.Match[str]) -> Point | None:
        announced = self._before("english_month_after", said.folded, match.start())
        if not (match["year"] or match["rel"] or match["third"] or announced):
            return None
        month = self._words.months[match["name"]]
        year = int(match["year"]) if match["year"] else None
        if match["rel"]:
            if said.at is None or match["rel"] == "this":
                return None
            nearby = said.at.year if month < said.at.month else said.at.year - 1
            year = nearby if match["rel"] == "last" else nearby + 1
        return self._in_month(said, match, year, month, 0)

    def _slashed(self, said: _Said, match: re.Match[str]) -> Point | None:
        """Read `3/15`; in English it may be the 3rd of the 15th month as well."""
        if match.re is self._patterns["slashed_day"] and said.variant != "en":
            return None
        month, day = int(match["month"]), int(match["day"])
        both = said.variant != "en" or _valid(said.at.year if said.at else _CENTURY, day, month) is None or month == day
        fraction = self._patterns["part"].match(said.folded, match.end()) or self._before(
            "part_before", said.folded, match.start()
        )
        if not both or fraction:
            return None
        point = self._in_month(said, match, None, month, day)
        return replace(point, confidence=min(point.confidence, _MAYBE)) if point else None

    def _feast(self, said: _Said, match: re.Match[str]) -> Point | None:
        assert said.at is not None
        groups = _Groups(match.groupdict(""))
        name = groups["feast"]
        when = (
            (self._words.taiwan.get(name) if said.variant == "TW" else None)
            or self._words.feasts.get(name)
            or self._words.digital.get(name)
        )
        if british := self._words.british.get(name):
            if self._patterns["pounds"].search(said.folded):
                when = british
            elif not self._patterns["dollars"].search(said.folded):
                return None
        return self._feast_on(said, match, when) if when else None

    def _moon(self, said: _Said, match: re.Match[str]) -> Point | None:
        """Read a day of the lunar calendar: one that is said to be, or is called as only its days are."""
        groups = _Groups(match.groupdict(""))
        day, month = groups.get("moonday", ""), groups.get("moon", "")
        if match.re is self._patterns["moon_near"] and not (
            self._patterns["new_year"].search(said.folded) or self._is_festive(said, match.end())
        ):
            return None  # a form at school
        only = self._words.moonly
        if day and not (groups["sure"] or month in only or day[0] in only):
            return None
        number = self._count((day or groups["newday"]).removeprefix(only[0]))
        return self._feast_on(said, match, f"moon {self._count(month) or 1:02}-{number:02}")

    def _is_festive(self, said: _Said, end: int) -> bool:
        """Tell whether the new year of the moon has just begun, and a day of it is meant and no form at school."""
        assert said.at is not None
        begun = _moon_begins(said.at.year, 1)
        if begun is None or not 0 <= (said.at - begun).days <= _FESTIVE:
            return False
        return said.variant in ("HK", "TW") or self._patterns["moon_told"].match(said.folded, end) is not None

    def _feast_on(self, said: _Said, match: re.Match[str], when: str) -> Point | None:
        """Return the feast of the year that is named, or must be meant."""
        assert said.at is not None
        groups = _Groups(match.groupdict(""))
        year = int(groups.get("year") or 0)
        if relative := groups.get("rel", ""):
            if relative[0] not in self._words.relative:
                return None
            year = said.at.year + self._distance(relative)
        confidence = _LIKELY
        if not year:
            known = [day for by in (-1, 0, 1) if (day := _feast_day(when, said.at.year + by))]
            chosen = self._placed(said, match.span(), known, whole=False)
            if groups.get("last") == "last":
                chosen = max(day for day in known if day < said.at), _LIKELY
            if chosen is None:
                return None
            day, confidence = chosen
        else:
            found = _feast_day(when, year)
            if found is None:
                return None
            day = found
        off = self._words.holidays.get(when, 1)
        after = day + off * _DAY
        if groups.get("long"):
            if off == 1:
                return None
            return replace(_span_point(match, day, after - _DAY, confidence), after=after)
        return replace(_day_point(match, day, confidence), after=after)

    def _weekday(self, said: _Said, match: re.Match[str]) -> Point | None:
        assert said.at is not None
        if self._before("weeks_before", said.folded, match.start()):
            return None
        groups = _Groups(match.groupdict(""))
        monday = said.at - said.at.weekday() * _DAY
        relative = groups.get("rel", "")
        if groups.get("end"):
            return self._weekend(said, match, monday, relative)
        weekday = self._words.weekdays[groups["weekday"]]
        here = monday + weekday * _DAY
        latin = groups["weekday"].isascii() and groups["weekday"].isalpha()
        if latin:
            twice = groups.get("twice", "")
            if "before" in twice:
                return _day_point(match, here - (1 + (here >= said.at)) * _WEEK * _DAY, _LIKELY)
            if "last" in twice or "next" in twice or "this" in twice:
                return _day_point(match, here + (("next" in twice) - ("last" in twice)) * _WEEK * _DAY, _LIKELY)
            if not relative:
                relative = match.group().split()[0] if match.group().split()[0] in ("last", "next", "this") else ""
            return self._english_weekday(said, match, here, relative)
        if relative:
            return _day_point(match, here + self._distance(relative) * _WEEK * _DAY, _SURE)
        day = self._bare_weekday(said, match, here)
        return replace(_day_point(match, *day), recurs=True) if day else None

    def _english_weekday(self, said: _Said, match: re.Match[str], here: date, relative: str) -> Point | None:
        """Read "last Tuesday" where the latest one and that of the week before are the same, and so "next Tuesday"."""
        assert said.at is not None
        week = _WEEK * _DAY
        if relative.startswith("this"):
            if relative == "this past":
                return _day_point(match, here if here < said.at else here - week, _LIKELY)
            return _day_point(match, here if here >= said.at or relative == "this" else here + week, _LIKELY)
        # Nobody calls yesterday "last Wednesday", or tomorrow "next Friday".
        if relative == "last":
            return _day_point(match, here - week, _LIKELY) if here >= said.at - _DAY else None
        if relative == "next":
            return _day_point(match, here + week, _LIKELY) if here <= said.at + _DAY else None
        day = self._bare_weekday(said, match, here)
        return replace(_day_point(match, *day), recurs=True) if day else None

    def _bare_weekday(self, said: _Said, match: re.Match[str], here: date) -> tuple[date, float] | None:
        """Return the day a weekday alone means: the last one in a story, the coming one in a wish."""
        assert said.at is not None
        week = _WEEK * _DAY
        last = here if here <= said.at else here - week
        coming = here if here >= said.at else here + week
        side = self._side(said, match.span())
        # A clause of neither is one of the story, or of the wish, in which it stands; an answer is of the past.
        alone = match.group() == said.folded.strip()
        day = _sided(side or self._tense(said, match.span(), whole=True) or alone * "past", last, coming, said.at)
        return (day, _MAYBE) if day else None

    def _weekend(self, said: _Said, match: re.Match[str], monday: date, relative: str) -> Point | None:
        by = self._distance(relative) if relative else 0
        saturday = monday + (by * _WEEK + _SATURDAY) * _DAY
        assert said.at is not None
        if not relative:
            return None
        return _span_point(match, saturday, saturday + _DAY, _DOUBTFUL)

    def _near(self, said: _Said, match: re.Match[str]) -> Point | None:  # one return for each form
        """Read a week, a month or a year by its distance from now."""
        assert said.at is not None
        groups = _Groups(match.groupdict(""))
        third = self._words.thirds.get(groups.get("third", ""), 0)
        if match.re is self._patterns["english_third"]:
            by = self._words.relative.get(groups["rel"], 0)
            return _third_point(match, *_months_on(said.at, by), third) if self._deadline(said, match.span()) else None
        if "what" in groups:
            return self._english_near(said, match, groups["rel"], groups["what"])
        if "word" in groups:
            monday = said.at + (self._distance(groups["rel"]) * _WEEK - said.at.weekday()) * _DAY
            return _span_point(match, monday, monday + (_WEEK - 1) * _DAY, _LIKELY)
        if "near" in groups or match.re is self._patterns["month_third"]:
            year, month = _months_on(said.at, self._distance(groups.get("near", "")))
            return _third_point(match, year, month, third) if third else _month_point(match, year, month, _LIKELY)
        year = said.at.year + self._distance(groups["ago"])
        if third:
            return _third_point(match, year, 1 if third == 1 else 12, third, whole=True)
        return replace(_span_point(match, date(year, 1, 1), date(year, 12, 31), _MAYBE), edtf=str(year))

    def _english_near(self, said: _Said, match: re.Match[str], relative: str, what: str) -> Point | None:
        assert said.at is not None
        by = self._words.relative[relative]
        if what == "week":
            monday = said.at + (by * _WEEK - said.at.weekday()) * _DAY
            return _span_point(match, monday, monday + (_WEEK - 1) * _DAY, _LIKELY)
        if what == "weekend":
            # On a Sunday "last weekend" may be the one that is not over yet.
            monday = said.at - said.at.weekday() * _DAY
            return self._weekend(said, match, monday, relative) if said.at.weekday() < _SATURDAY else None
        if what == "month":
            return _month_point(match, *_months_on(said.at, by), _LIKELY)
        year = said.at.year + by
        return replace(_span_point(match, date(year, 1, 1), date(year, 12, 31), _MAYBE), edtf=str(year))

    def _days_ago(self, said: _Said, match: re.Match[str]) -> Point | None:
        assert said.at is not None
        groups = _Groups(match.groupdict(""))
        number = groups["n"]
        days = int(number) if number.isdigit() else _SMALL.get(number, 0) or self._count(groups.get("han", ""))
        return _day_point(match, said.at - days * _DAY, _MAYBE) if 0 < days <= _MOST_DAYS_AGO else None

    def _weeks_from_today(self, said: _Said, match: re.Match[str]) -> Point:
        """Read "two weeks ago today" and "a week today", which are days."""
        assert said.at is not None
        number = match["n"] or "two"
        weeks = int(number) if number.isdigit() else _SMALL.get(number, 1)
        side = -1 if match["side"].startswith("ago") else 1
        return _day_point(match, said.at + side * weeks * _WEEK * _DAY, _LIKELY)

    def _day(self, said: _Said, match: re.Match[str]) -> Point | None:
        assert said.at is not None
        if self._before("weeks_before", said.folded, match.start()):
            return None
        return _day_point(match, said.at + self._words.days[match.group()] * _DAY, _SURE)

    def _day_alone(self, said: _Said, match: re.Match[str]) -> Point | None:
        """Read the 15th of a month that is not named: the next one before which, the last one on which."""
        assert said.at is not None
        if self._before("size_before", said.folded, match.start()) and self._patterns["sizes"].search(said.folded):
            return None
        groups = _Groups(match.groupdict(""))
        day = int(groups["day"] or 0) or self._count(groups.get("handay", ""))
        if relative := groups.get("rel", ""):
            year, month = _months_on(said.at, self._words.relative[relative])
            return _day_point(match, date(year, month, day), _LIKELY)
        near = [_months_on(said.at, by) for by in (-2, -1, 0, 1, 2)]
        known = [found for year, month in near if (found := _valid(year, month, day))]
        past = max(each for each in known if each <= said.at)
        future = min(each for each in known if each >= said.at)
        side = self._side(said, match.span())
        chosen = _sided(side or ("past" if past.month == said.at.month else ""), past, future, said.at)
        after = self._next_named(said, match.start(), day, side)
        if after is not None and after != chosen:
            chosen = after if (said.at - after).days <= _HALF_YEAR else None
        if chosen is None:
            return None
        last = int(groups.get("today") or 0) or self._count(groups.get("tohan", ""))
        if groups.get("to") and last:
            return _span_point(match, chosen, chosen.replace(day=last), _DOUBTFUL)
        return _day_point(match, chosen, _MAYBE)

    def _next_named(self, said: _Said, start: int, day: int, side: str) -> date | None:
        """Return the day that is meant after a date a text names just before: "on 28 May, then on the 2nd".

        None where no date stands near, or where the words around the day speak of the other side of now.
        """
        assert said.at is not None
        last = next((said.ends[at] for at in range(start, start - _BREATH, -1) if at in said.ends), None)
        if last is None or last.first != last.last:
            return None
        months = (_months_on(last.first, by) for by in (-1, 0, 1, 2))
        known = [found for year, month in months if (found := _valid(year, month, day))]
        if last.first > said.at:  # what is to come may be spoken of in any order
            known = [each for each in known if each >= said.at]
            return min(known, key=lambda each: abs(each - last.first)) if known and side != "past" else None
        first = next((each for each in known if each >= last.first), None)
        if first is None or side == _PROMISED:
            return first
        return first if first <= said.at and side != "future" else None

    # --- which year, which side of now -----------------------------------------------------------------------------

    def _placed(
        self, said: _Said, span: tuple[int, int], known: Iterable[date | None], *, whole: bool
    ) -> tuple[date, float] | None:
        """Return which of the same days of several years is meant: the nearest past or coming one, as the words say.

        `whole` months count as now while they last.
        """
        assert said.at is not None
        now = said.at.replace(day=1) if whole else said.at
        days = [each for each in known if each]
        past = max((each for each in days if each <= now), default=None)
        future = min((each for each in days if each >= now), default=None)
        if past is None or future is None or past == future:
            only = past or future
            return (only, _LIKELY) if only else None
        ago, ahead = max(1, (now - past).days), max(1, (future - now).days)
        near, surely = (past, ahead >= _SURELY * ago) if ago < ahead else (future, ago >= _SURELY * ahead)
        tense = self._tense(said, span)
        if self._deadline(said, span):
            if tense != "past" and (near == future or not surely):
                return future, _LIKELY
            return past, _MAYBE
        if tense == ("past" if near == past else "future"):
            return near, _LIKELY
        if tense == "future" and surely and near == past:
            return (past, _MAYBE) if self._before("foretold", said.folded, span[0]) else None
        if tense:
            return None if surely and min(ago, ahead) <= _SOON else (past if tense == "past" else future, _MAYBE)
        if near == past or (surely and ahead <= _SOON):
            return near, _MAYBE
        return (past, _DOUBTFUL) if ahead > _SOON else None

    def _deadline(self, said: _Said, span: tuple[int, int]) -> bool:
        return bool(self._patterns["until"].match(said.folded, span[1])) or self._before("by", said.folded, span[0])

    def _side(self, said: _Said, span: tuple[int, int]) -> str:
        """Tell on which side of now a date is: `past`, `future`, by a promise whichever is much nearer, "" unknown."""
        deadline = self._deadline(said, span)
        if deadline and self._before("promised", said.folded, span[0]):
            return _PROMISED
        return self._tense(said, span) or ("future" if deadline else "")

    def _tense(self, said: _Said, span: tuple[int, int], *, whole: bool = False) -> str:
        """Tell whether the clause around a date tells of the `past` or of the `future`; "" where of both or neither.

        `whole` takes all that stands near for its clause.
        """
        folded = said.folded
        if self._patterns["since"].match(folded, span[1]) or self._before("from", folded, span[0]):
            return "past"
        first, last = max(0, span[0] - _BREATH), min(len(folded), span[1] + _BREATH)
        ends = () if whole else self._clause_end.finditer(folded, first, span[0])
        begin = max((each.end() for each in ends), default=first)
        stop = None if whole else self._clause_end.search(folded, span[1], last)
        end = stop.start() if stop else last
        clause = self._no_tense.sub("", f"{folded[begin : span[0]]}\n{folded[span[1] : end]}")
        past, future = bool(self._past.search(clause)), bool(self._future.search(clause))
        return "" if past == future else "past" if past else "future"

    def _shifted(self, said: _Said) -> Iterable[Point]:
        """Yield the dates, those "the day before" a day as the day before it; what is but near a day is none."""
        for point in said.points:
            beside = self._patterns["beside"].match(said.folded, point.end)
            if beside is None or point.first != point.last:
                yield point
            elif beside["days"]:
                if point.after is None or point.after == point.first + _DAY:
                    count = beside["days"]
                    day = point.first - (int(count) if count.isdigit() else self._count(count)) * _DAY
                    yield replace(point, end=beside.end(), edtf=day.isoformat(), first=day, last=day, after=None)
            elif beside["head"]:  # of a holiday of several days its first one, of any other it may be its eve
                if point.after is not None and point.after > point.first + _DAY:
                    yield replace(point, end=beside.end())
            elif beside["eve"] or beside["next"]:
                day = point.first + (-_DAY if beside["eve"] else _DAY)
                yield replace(point, end=beside.end(), edtf=day.isoformat(), first=day, last=day, after=None)

    # --- two dates, and what bounds one ----------------------------------------------------------------------------

    def _joined(self, said: _Said) -> list[Point]:
        """Join two dates with "to" between them; "Monday to Friday" may mean every week, and is left out."""
        joined: list[Point] = []
        for point in said.points:
            one = joined[-1] if joined else None
            if one is None:
                joined.append(point)
            elif self._patterns["same"].fullmatch(said.folded, one.end, point.start) and (
                one.first == point.first or one.recurs or point.recurs
            ):  # "Monday the 16th"
                joined[-1] = one if point.recurs else point
            elif self._patterns["to"].fullmatch(said.folded, one.end, point.start) or self._between(said, one, point):
                if point.first == one.first:
                    continue
                joined.pop()
                if (one.recurs and point.recurs) or "/" in one.edtf + point.edtf or point.first < one.first:
                    continue
                joined.append(
                    replace(
                        point,
                        start=one.start,
                        edtf=f"{one.edtf}/{point.edtf}",
                        first=one.first,
                        confidence=min(one.confidence, point.confidence),
                        after=None,
                        joined=True,
                    )
                )
            else:
                joined.append(point)
        return joined

    def _between(self, said: _Said, one: Point, other: Point) -> bool:
        """Tell whether two dates are the ends of a span: "between 3 and 5 March"."""
        if not self._patterns["and"].fullmatch(said.folded, one.end, other.start):
            return False
        after = self._patterns["between_after"].match(said.folded, other.end)
        return after is not None or self._before("from_start", said.folded, one.start)

    def _bounded(self, said: _Said, point: Point) -> Point:
        """Return a date with what bounds it: "before" and "since" make it one end of an open span."""
        folded = said.folded
        if point.edtf.count("/"):
            day = len(point.edtf) > len("2026-10-01/2026-10-01") - 1 and point.first != point.last
            head, tail = (point.first.isoformat(), point.last.isoformat()) if day else point.edtf.split("/")
        else:
            head = tail = point.edtf
        if point.after is not None:
            tail = point.first.isoformat()
        if until := self._patterns["until"].match(folded, point.end):
            begin = _reach_back(self._patterns["by"], folded, point.start)
            return replace(point, start=point.start if begin is None else begin, end=until.end(), edtf=f"../{tail}")
        if (begin := _reach_back(self._patterns["by"], folded, point.start)) is not None:
            return replace(point, start=begin, edtf=f"../{tail}")
        begin = _reach_back(self._patterns["from"], folded, point.start)
        if begin is not None and self._before("from_thing", folded, point.start):
            begin = None
        since = self._patterns["since"].match(folded, point.end)
        if since is None and begin is None:
            return point
        if point.joined and since is None:
            return replace(point, start=point.start if begin is None else begin)
        if point.after is not None and since and since.group().strip() in self._words.after:
            head = point.after.isoformat()
        return replace(
            point,
            start=point.start if begin is None else begin,
            end=since.end() if since else point.end,
            edtf=f"{head}/..",
            confidence=min(point.confidence, _LIKELY),
        )

    def _before(self, name: str, folded: str, start: int) -> bool:
        return self._patterns[name].search(folded[max(0, start - _BEFORE) : start]) is not None

    # --- numbers ---------------------------------------------------------------------------------------------------

    def _year_of(self, said: _Said, groups: _Groups, written: str) -> int | None:
        if groups["year"]:
            return int(groups["year"])
        if groups["hanyear"]:
            return self._digits(groups["hanyear"])
        if groups["short"]:
            year = _CENTURY + int(groups["short"])
            return year if said.at is None or abs(year - said.at.year) <= _WEEK + _WEEK else None
        if groups["roc"]:
            return int(groups["roc"]) + _REPUBLIC if said.variant == "TW" or not written[0].isdigit() else None
        if groups["ago"]:
            return said.at.year + self._distance(groups["ago"]) if said.at else None
        return None

    def _distance(self, words: str) -> int:
        """Return how far away a week, month or year is: "up up" is -2."""
        relative = self._words.relative
        if not words:
            return 0
        if words[:2] in relative:
            return relative[words[:2]]
        return sum(relative.get(each, 0) for each in words) if not words.isascii() else relative[words]

    def _count(self, numeral: str) -> int:
        """Return the value of a Chinese numeral up to 39, 0 for what is none."""
        tens = self._words.tens
        values = [tens[each] for each in numeral]
        total = 0
        for at, each in enumerate(values):
            if each == _TEN:
                total = (total or 1) * _TEN
            elif at and values[at - 1] < _TEN:
                return 0
            else:
                total += each
        return total

    def _digits(self, numeral: str) -> int:
        return int("".join(str(self._words.tens[each]) for each in numeral) or 0)


_TEN: Final = 10
_SMALL: Final = {"two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10}
_LATIN: Final = re.compile(r"[a-z]{2}")
_DIGIT: Final = re.compile(r"\d", re.ASCII)
#: The patterns of the page that are used as they are; the others are pieces of them.
_READ: Final = frozenset(
    (
        "iso", "iso_month", "slashed", "slashed_day", "slashed_year", "dotted", "month", "near_day", "day_alone",
        "year_alone", "pounds", "dollars",
        "ago_alone", "near_alone", "month_third", "year_third", "week", "week_alone", "day", "day_english",
        "days_ago", "days_ago_english", "weeks_ago_today", "weeks_before",
        "foretold", "beside", "feast", "feast_english", "feast_digital", "english", "english_to",
        "english_month", "english_month_after", "english_year", "english_week", "english_week_short",
        "english_near", "english_day", "english_third", "moon", "moon_near", "moon_told", "new_year", "and",
        "between_after", "same", "every", "until",
        "since", "by", "from", "from_thing", "to", "from_start", "part", "part_before", "promised",
        "sizes", "size_before",
    )
)  # fmt: skip


def _begins(words: Iterable[str]) -> re.Pattern[str]:
    """Return a pattern for the first two characters of any of these words: quick to rule most texts out."""
    return re.compile("|".join(sorted({re.escape(each[:2]) for each in words})))


def _cues(words: Iterable[str]) -> re.Pattern[str]:
    return re.compile(_any(words))


def _any(words: Iterable[str]) -> str:
    """Return a pattern for any of these words, the longest first, Latin ones whole."""
    ordered = sorted(words, key=len, reverse=True)
    return "|".join(
        rf"(?<![a-z]){re.escape(each)}(?![a-z])" if each.isascii() and each.isalpha() else re.escape(each)
        for each in ordered
    )


def _reach_back(pattern: re.Pattern[str], folded: str, start: int) -> int | None:
    """Return where the words right before a place begin that bound it."""
    offset = max(0, start - _BEFORE)
    found = pattern.search(folded[offset:start])
    return offset + found.start() if found else None


def _sided(side: str, past: date, future: date, at: date) -> date | None:
    """Return which of two days is meant, None where that is not certain."""
    if side == _PROMISED:
        ago, ahead = at - past, future - at
        side = "past" if ahead >= _NEARER * ago else "future" if ago >= _NEARER * ahead else ""
    return {"past": past, "future": future}.get(side)


def _valid(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _months_on(day: date, by: int) -> tuple[int, int]:
    count = day.year * 12 + day.month - 1 + by
    return count // 12, count % 12 + 1


def _day_point(match: re.Match[str], day: date, confidence: float) -> Point:
    return Point(start=match.start(), end=match.end(), edtf=day.isoformat(), first=day, last=day, confidence=confidence)


def _span_point(match: re.Match[str], first: date, last: date, confidence: float) -> Point:
    edtf = f"{first.isoformat()}/{last.isoformat()}"
    if last < first:
        raise ValueError(edtf)
    return Point(start=match.start(), end=match.end(), edtf=edtf, first=first, last=last, confidence=confidence)


def _month_point(match: re.Match[str], year: int, month: int, confidence: float) -> Point:
    last = date(year, month, monthrange(year, month)[1])
    point = _span_point(match, date(year, month, 1), last, confidence)
    return replace(point, edtf=f"{year:04}-{month:02}")


def _third_point(match: re.Match[str], year: int, month: int, third: int, *, whole: bool = False) -> Point:
    """Return the first, second or last third of a month; `whole` the month at one end of a year."""
    days = monthrange(year, month)[1]
    first, last = {1: (1, 10), 2: (11, 20), 3: (21, days)}[third]
    if whole:
        first, last = 1, days
    return _span_point(match, date(year, month, first), date(year, month, last), _DOUBTFUL)


def _feast_day(when: str, year: int) -> date | None:
    """Return the day of a feast in a year, as the page of dates says when it is."""
    named, _, later = when.partition("+")
    day: date | None
    match named.split():
        case ["solar", month, place]:
            leaps = year % 100 - (int(month) <= _FEBRUARY)
            day = date(year, int(month), int(float(place) + year % 100 * _TROPICAL) - leaps // 4)
        case [month, weekday, number]:
            first = date(year, int(month), 1)
            by = (lexicon.load().dates.weekdays[weekday] - first.weekday()) % _WEEK + (int(number) - 1) * _WEEK
            day = first + by * _DAY
        case ["moon", lunar]:
            begun = _moon_begins(year, int(lunar[:2]))
            day = begun + (int(lunar[3:]) - 1) * _DAY if begun else None
        case ["easter"]:
            day = _easter(year)
        case [fixed] if fixed[0].isdigit():
            day = _valid(year, int(fixed[:2]), int(fixed[3:]))
        case _:
            day = _lunar(year).get(named)
    return day + int(later or 0) * _DAY if day else None


def _moon_begins(year: int, month: int) -> date | None:
    """Return the first day of a month of a lunar year; its last ones may lie in the next year."""
    begins = lexicon.load().dates.moons.get(year, "").split()
    if not begins:
        return None
    written = begins[month - 1]
    return date(year + (written < begins[0]), int(written[:2]), int(written[3:]))


@cache
def _easter(year: int) -> date | None:
    import holidays  # noqa: PLC0415 # most texts name no feast of the church

    known = holidays.country_holidays("GB", years=year, language="en_GB")
    friday = next((day for day, name in known.items() if name == "Good Friday"), None)
    return friday + 2 * _DAY if friday else None


@cache
def _lunar(year: int) -> dict[str, date]:
    import holidays  # noqa: PLC0415 # most texts name no feast of the moon

    known = sorted(holidays.country_holidays("CN", years=year, language="zh_CN").items(), reverse=True)
    return {name: day for day, listed in known for name in listed.split("; ")}
