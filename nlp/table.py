"""Learned tables at work: what the words that a text holds say together."""

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from math import sqrt
from struct import Struct
from typing import Final

from complaints.reading import Hit
from complaints.weights import Weights
from nlp.evidence import apart
from nlp.matcher import Match, Span

#: A row of numbers is one whole number, of so many bits for each: then rows are added up in one go, many times faster.
_BITS: Final = 64
#: A number is kept in steps of 2^-24, and sums above zero, which stands so high that no text reaches its ends.
_STEP: Final = 1 << 24
_ZERO: Final = 1 << _BITS - 1
#: A word is told where it says at least this share of what the strongest says.
_TELLING: Final = 0.4


class Said:
    """What the words of the tables say of one text: the evidence for each type, and the words that say most for it."""

    def __init__(self, tables: "Tables", words: Mapping[int, Span], fields: Sequence[int]) -> None:
        """Take the words, and the sums over the columns of the tables, in steps above zero."""
        self._tables = tables
        self._words = words
        self._fields = fields
        self._evidence: dict[str, dict[str, float]] = {}

    def words(self, table: str) -> int:
        """Return how many words of a table the text holds."""
        columns = self._tables.columns.get(table)
        return (self._fields[columns.count] - _ZERO) // _STEP if columns is not None else 0

    def evidence(self, table: str) -> dict[str, float]:
        """Return the evidence for each type of a table; nothing where the text holds none of its words."""
        known = self._evidence.get(table)
        if known is None:
            known = self._evidence[table] = self._reckoned(table) if self.words(table) else {}
        return known

    def _reckoned(self, table: str) -> dict[str, float]:
        columns, fields = self._tables.columns[table], self._fields
        unit = self._norm(columns) * _STEP
        return {type_: start + (fields[column] - _ZERO) / unit for type_, (column, start) in columns.types.items()}

    def _norm(self, columns: "_Columns") -> float:
        return sqrt((self._fields[columns.norm] - _ZERO) / _STEP)

    def told(self, table: str, type_: str, most: int, *, beside: Sequence[Hit | Match] = ()) -> tuple[Hit, ...]:
        """Return the words that say most for a type, at most so many, the strongest first.

        Those that say little beside the strongest are left out, parts of a longer one of them or of one of those told
        `beside` them, and single characters where there are words.
        """
        if type_ not in self.evidence(table):
            return ()
        columns, found, words = self._tables.columns[table], self._words, self._tables.words
        column = self._tables.speaking(table, type_)
        strong = sorted(found.keys() & column.keys(), key=column.__getitem__, reverse=True)
        least = _TELLING * column[strong[0]] if strong else 0.0
        taken = [(hit.start, hit.end) for hit in beside]
        told: list[int] = []
        for place in strong:
            if len(told) == most or column[place] < least:
                break
            start, end = found[place]
            for left, right in taken:
                if left <= start and end <= right:
                    break
            else:
                taken.append((start, end))
                told.append(place)
        norm = self._norm(columns)
        hits = [
            Hit(word=words[place], start=found[place][0], end=found[place][1], weight=column[place] / norm)
            for place in [place for place in told if len(words[place]) > 1] or ([] if beside else told)
        ]
        return apart(hits) if len(hits) > 1 else tuple(hits)


class _Columns:
    """Where the sums of one table stand: of its types, each with what it begins with, of its norm, and of its words."""

    def __init__(self, weights: Weights, first: int) -> None:
        self.types = {type_: (first + at, start) for at, (type_, start) in enumerate(weights.start.items())}
        self.norm = first + len(weights.start)
        self.count = self.norm + 1


class _Rows(dict[int, int]):
    """The rows of words by place, each made when a text first holds its word: most words of a table are never met."""

    def __init__(self, made: Callable[[int], int]) -> None:
        super().__init__()
        self._made = made

    def __missing__(self, place: int) -> int:
        row = self[place] = self._made(place)
        return row


class Tables:
    """Learned weights by name, over one list of words, ready to be summed up in one pass.

    `words` are those that a text is searched for; see `complaints.weights.Weights` for the sum.
    """

    def __init__(self, tables: Mapping[str, Weights]) -> None:
        """Give each table its columns: one for each type, and two for the norm and the number of words."""
        self._tables = dict(tables)
        self.columns: dict[str, _Columns] = {}
        width = 0
        for name, weights in tables.items():
            self.columns[name] = _Columns(weights, width)
            width = self.columns[name].count + 1
        self._fields = Struct(f"<{width}Q")
        self._zeros = sum(_ZERO << _BITS * column for column in range(width))
        self._rows = _Rows(self._row)
        self._speaking: dict[tuple[str, str], dict[int, float]] = {}
        self.words = list(dict.fromkeys(word for weights in tables.values() for word in weights.words))

    def _row(self, place: int) -> int:
        word, row = self.words[place], 0
        for name, weights in self._tables.items():
            if (each := weights.words.get(word)) is not None:
                columns, rare = self.columns[name], weights.rarity(word)
                row += _steps(rare * rare, columns.norm) + _steps(1.0, columns.count)
                for type_, weight in each.says.items():
                    if type_ in columns.types:
                        row += _steps(weight * rare, columns.types[type_][0])
        return row

    def speaking(self, table: str, type_: str) -> dict[int, float]:
        """Return the words that speak for a type in a table, by place, and how strongly; made at the first question."""
        known = self._speaking.get((table, type_))
        if known is None:
            weights = self._tables[table]
            known = self._speaking[table, type_] = {
                place: each.says[type_] * weights.rarity(word)
                for place, word in enumerate(self.words)
                if (each := weights.words.get(word)) is not None and each.says.get(type_, 0.0) > 0
            }
        return known

    def __contains__(self, table: str) -> bool:
        """Tell whether something was learned under this name."""
        return table in self.columns

    def read(self, found: Mapping[int, Span]) -> Said:
        """Return what these words, by their places in `words`, say together."""
        total = sum(map(self._rows.__getitem__, found), self._zeros)
        return Said(self, found, self._fields.unpack(total.to_bytes(self._fields.size, "little")))


def _steps(number: float, column: int) -> int:
    return round(number * _STEP) << _BITS * column


def without(found: dict[int, Span], taken_back: Sequence[Span]) -> dict[int, Span]:
    """Return the words that overlap none of these places."""
    if not taken_back:
        return found
    marks = marked(taken_back)
    return {place: at for place, at in found.items() if 1 not in marks[at[0] : at[1]]}


def marked(places: Sequence[Span]) -> bytearray:
    """Return a mark on each character in one of these places: looking takes no longer, however many there are."""
    marks = bytearray(max((end for _, end in places), default=0))
    for start, end in places:
        marks[start:end] = b"\1" * (end - start)
    return marks


def shared_out(found: Mapping[int, Span], ends: Sequence[int]) -> list[dict[int, Span]]:
    """Return the words that end in each part of a text, where parts end at `ends`; words stand in that order, too."""
    words = list(found.items())
    last = [at[1] for at in found.values()]
    cuts = [0, *(bisect_right(last, end) for end in ends), len(words)]
    return [dict(words[first:beyond]) for first, beyond in pairwise(cuts)]
