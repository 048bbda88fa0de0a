"""A learned table at work: which of its words a text holds, and what they say together."""

from collections.abc import Callable, Iterable, Sequence
from heapq import nlargest
from math import sqrt

from ahocorasick_rs import AhoCorasick

from complaints.reading import Hit
from complaints.weights import Weights
from nlp.matcher import is_latin
from nlp.normalize import all_spellings

Span = tuple[int, int]


class Finder:
    """Finds which words of a list a text holds. Latin ones are found at word boundaries only.

    A Latin word that ends in `*` is the beginning of words.
    """

    def __init__(self, words: Sequence[str]) -> None:
        begun = [len(word) > 1 and word[-1] == "*" for word in words]
        spelt = all_spellings([word[:-1] if begins else word for word, begins in zip(words, begun, strict=True)])
        patterns = [
            (form, place, begins)
            for place, (forms, begins) in enumerate(zip(spelt, begun, strict=True))
            for form in sorted(forms)
        ]
        self._places = [place for _, place, _ in patterns]
        # Whether a neighbour may continue the word: only where the word itself ends in a Latin letter or a digit.
        self._edges = [
            (left, right) if (left := is_latin(form[0])) | (right := is_latin(form[-1]) and not begins) else None
            for form, _, begins in patterns
        ]
        self._find = AhoCorasick([form for form, _, _ in patterns]).find_matches_as_indexes

    def find(self, folded: str) -> dict[int, Span]:
        """Return the places, in the list, of the words that a text holds, and where each stands first."""
        found: dict[int, Span] = {}
        length, edges, places = len(folded), self._edges, self._places
        for pattern, start, end in self._find(folded, overlapping=True):
            edge = edges[pattern]
            if edge is not None:
                left, right = edge
                if (left and start and is_latin(folded[start - 1])) or (
                    right and end < length and is_latin(folded[end])
                ):
                    continue
            place = places[pattern]
            if place not in found:
                found[place] = (start, end)
        return found


class Said:
    """What the words of a table say of one text: the evidence for each type, and on request the words that decided."""

    def __init__(self, words: int, evidence: dict[str, float], tell: Callable[[str, int], tuple[Hit, ...]]) -> None:
        """Keep how many words there are, the evidence, and how to tell the words: few types are ever asked for."""
        self.words = words
        self.evidence = evidence
        self._tell = tell

    def told(self, type_: str, most: int) -> tuple[Hit, ...]:
        """Return the words that say most for a type, at most so many, the strongest first."""
        return self._tell(type_, most)


class Table:
    """The weights of a company, ready to be summed up. See `complaints.weights.Weights` for the sum."""

    @classmethod
    def of(cls, weights: Weights | None) -> "Table | None":
        """Return the table of these weights, built once for all readers; None where nothing was learned."""
        if weights is None:
            return None
        known: Table | None = weights.__dict__.get("_table")
        if known is None:
            known = weights.__dict__["_table"] = cls(weights)
        return known

    def __init__(self, weights: Weights) -> None:
        """Build the automaton."""
        self._types = list(weights.start)
        self._start = list(weights.start.values())
        self._words = list(weights.words)
        self._rare = [weights.rarity(word) for word in self._words]
        self._order = order = {type_: place for place, type_ in enumerate(self._types)}
        self._says = [
            {order[type_]: weight * rare for type_, weight in weights.words[word].says.items() if type_ in order}
            for word, rare in zip(self._words, self._rare, strict=True)
        ]
        self._finder = Finder(self._words)

    def read(self, folded: str, taken_back: Iterable[Span] = ()) -> Said | None:
        """Return what the words of a text say, without those at places that it takes back; None if it holds none."""
        found = self._finder.find(folded)
        for start, end in taken_back:
            found = {place: at for place, at in found.items() if at[1] <= start or end <= at[0]}
        if not found:
            return None
        rare, says = self._rare, self._says
        norm = sqrt(sum([rare[place] * rare[place] for place in found]))
        sums = [0.0] * len(self._types)
        for place in found:
            for type_, weight in says[place].items():
                sums[type_] += weight
        evidence = [start + each / norm for start, each in zip(self._start, sums, strict=True)]
        return Said(
            len(found),
            dict(zip(self._types, evidence, strict=True)),
            lambda type_, most: self._told(found, norm, self._order[type_], most),
        )

    def _told(self, found: dict[int, Span], norm: float, type_: int, most: int) -> tuple[Hit, ...]:
        says = self._says
        best = nlargest(most, ((says[place].get(type_, 0.0), place) for place in found))
        return tuple(
            Hit(word=self._words[place], start=found[place][0], end=found[place][1], weight=weight / norm)
            for weight, place in best
            if weight > 0
        )
