"""Learned tables at work: what the words that a text holds say together."""

from array import array
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from math import sqrt
from struct import Struct
from typing import Final

from complaints.reading import Hit
from complaints.weights import Weights
from nlp.evidence import apart
from nlp.matcher import Span

#: A row of numbers is one whole number, of so many bits for each: then rows are added up in one go, many times faster.
_BITS: Final = 64
#: A number is kept in steps of 2^-24, and above zero, which stands so high that no sum of a text reaches its ends.
_STEP: Final = 1 << 24
_ZERO: Final = 1 << 46
#: A word is told where it says at least this share of what the strongest says.
_TELLING: Final = 0.4
_NOTHING: Final = 1e-9


class Said:
    """What the words of the tables say of one text: the evidence for each type, and the words that say most for it."""

    def __init__(self, tables: "Tables", found: Mapping[int, Span], fields: Sequence[int]) -> None:
        """Take the sums over the columns of the tables, in steps above as many zeros as there are words."""
        self._tables = tables
        self._found = found
        self._fields = fields
        self._zero = len(found) * _ZERO
        self._evidence: dict[str, dict[str, float]] = {}

    def words(self, table: str) -> int:
        """Return how many words of a table the text holds."""
        columns = self._tables.columns.get(table)
        return (self._fields[columns.count] - self._zero) // _STEP if columns is not None else 0

    def evidence(self, table: str) -> dict[str, float]:
        """Return the evidence for each type of a table; nothing where the text holds none of its words."""
        known = self._evidence.get(table)
        if known is None:
            known = self._evidence[table] = self._reckoned(table) if self.words(table) else {}
        return known

    def _reckoned(self, table: str) -> dict[str, float]:
        columns, fields, zero = self._tables.columns[table], self._fields, self._zero
        unit = self._norm(columns) * _STEP
        return {type_: start + (fields[column] - zero) / unit for type_, (column, start) in columns.types.items()}

    def _norm(self, columns: "_Columns") -> float:
        return sqrt((self._fields[columns.norm] - self._zero) / _STEP)

    def told(self, table: str, type_: str, most: int, *, beside: Sequence[Hit] = ()) -> tuple[Hit, ...]:
        """Return the words that say most for a type, at most so many, the strongest first.

        Those that say little beside the strongest are left out, parts of a longer one of them or of one of those told
        `beside` them, and single characters where there are words.
        """
        columns, found, words = self._tables.columns[table], self._found, self._tables.words
        column, norm = self._tables.cells[columns.types[type_][0]], self._norm(columns)
        weights = list(map(column.__getitem__, found))
        least = max(_TELLING * max(weights, default=0.0), _NOTHING)
        strong = sorted([pair for pair in zip(weights, found, strict=True) if pair[0] >= least], reverse=True)
        taken = [(hit.start, hit.end) for hit in beside]
        told: list[tuple[float, int, Span]] = []
        for weight, place in strong:
            start, end = at = found[place]
            for left, right in taken:
                if left <= start and end <= right:
                    break
            else:
                taken.append(at)
                told.append((weight, place, at))
                if len(told) == most:
                    break
        said = [each for each in told if len(words[each[1]]) > 1] or ([] if beside else told)
        hits = [Hit(word=words[place], start=at[0], end=at[1], weight=weight / norm) for weight, place, at in said]
        return apart(hits) if len(hits) > 1 else tuple(hits)


class _Columns:
    """Where the sums of one table stand: of its types, each with what it begins with, of its norm, and of its words."""

    def __init__(self, weights: Weights, first: int) -> None:
        self.types = {type_: (first + at, start) for at, (type_, start) in enumerate(weights.start.items())}
        self.norm = first + len(weights.start)
        self.count = self.norm + 1


class Tables:
    """Learned weights by name, over one list of words, ready to be summed up in one pass.

    `words` are those that a text is searched for; see `complaints.weights.Weights` for the sum.
    """

    def __init__(self, tables: Mapping[str, Weights]) -> None:
        """Make a row of each word: a column for each type of each table, and two for its norm and its words."""
        self.columns: dict[str, _Columns] = {}
        width = 0
        for name, weights in tables.items():
            self.columns[name] = _Columns(weights, width)
            width = self.columns[name].count + 1
        cells: dict[str, dict[int, float]] = {}
        for name, weights in tables.items():
            columns = self.columns[name]
            for word, each in weights.words.items():
                rare = weights.rarity(word)
                row = cells.setdefault(word, {})
                row[columns.norm], row[columns.count] = rare * rare, 1.0
                row |= {
                    columns.types[type_][0]: weight * rare
                    for type_, weight in each.says.items()
                    if type_ in columns.types
                }
        self.words = list(cells)
        self._fields = Struct(f"<{width}Q")
        self._rows = [self._row(row) for row in cells.values()]
        self.cells = [array("f", bytes(4 * len(cells))) for _ in range(width)]
        for place, row in enumerate(cells.values()):
            for column, number in row.items():
                self.cells[column][place] = number

    def __contains__(self, table: str) -> bool:
        """Tell whether something was learned under this name."""
        return table in self.columns

    def _row(self, cells: Mapping[int, float]) -> int:
        fields = [_ZERO] * (self._fields.size * 8 // _BITS)
        for column, number in cells.items():
            fields[column] += round(number * _STEP)
        return int.from_bytes(self._fields.pack(*fields), "little")

    def read(self, found: Mapping[int, Span]) -> Said:
        """Return what these words, by their places in `words`, say together."""
        total = sum(map(self._rows.__getitem__, found))
        return Said(self, found, self._fields.unpack(total.to_bytes(self._fields.size, "little")))


def without(found: dict[int, Span], taken_back: Iterable[Span]) -> dict[int, Span]:
    """Return the words that overlap none of these places."""
    marks = marked(taken_back)
    return {place: at for place, at in found.items() if 1 not in marks[at[0] : at[1]]} if marks else found


def marked(places: Iterable[Span]) -> bytearray:
    """Return a mark on each character in one of these places: looking takes no longer, however many there are."""
    places = list(places)
    marks = bytearray(max((end for _, end in places), default=0))
    for start, end in places:
        marks[start:end] = b"\1" * (end - start)
    return marks


def shared_out(found: Mapping[int, Span], ends: Sequence[int]) -> dict[int, dict[int, Span]]:
    """Return the words that begin in each part of a text, by the number of the part; parts end at `ends`."""
    parts: dict[int, dict[int, Span]] = defaultdict(dict)
    for place, at in found.items():
        parts[bisect_right(ends, at[0])][place] = at
    return parts
