"""Finding all words of all lists in one pass over a text."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, NamedTuple

from ahocorasick_rs import AhoCorasick

from nlp import lexicon
from nlp.normalize import spellings

Span = tuple[int, int]
#: Whether a Latin letter before a word, and one after it, makes it another word.
Edge = tuple[bool, bool]

Inflection = Literal["all", "nouns", "none"]

#: Which roles are looked for in other forms too: what people complain about and ask for, not the words around it.
_INFLECTION: dict[str, Inflection] = {
    "type": "all",
    "complaint": "all",
    "remedy": "all",
    "flag": "nouns",
    "risk": "nouns",
}
#: Shorter words have no regular forms worth looking for.
_INFLECTED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A word of a list: `role` is the kind of list (`type`, `flag`, `deny` …), `owner` whose list it is."""

    role: str
    owner: str
    word: str
    weight: float = 1.0


class Match(NamedTuple):
    """A word found at [start, end). A tuple, because a long text makes thousands."""

    start: int
    end: int
    entry: Entry


class Finder:
    """Finds which words of a list a text holds. Latin ones are found at word boundaries only.

    A Latin word that ends in `*` is the beginning of words. Words may be given in several `forms`.
    """

    def __init__(self, words: Sequence[str], entries: Iterable[Entry] = ()) -> None:
        """Build one automaton of the words and of those of the entries, in all their spellings."""
        begun = [len(word) > 1 and word[-1] == "*" for word in words]
        spelt = spellings([word[:-1] if begins else word for word, begins in zip(words, begun, strict=True)])
        patterns: list[tuple[str, bool, int, Edge | None]] = [
            (form, begins, place, _edge(form, begins=begins))
            for place, (written, begins) in enumerate(zip(spelt, begun, strict=True))
            for form in sorted(written)
        ]
        # Words that end anywhere come first: of a Chinese text nearly all are.
        patterns.sort(key=lambda each: each[-1] is not None)
        self._plain = sum(edge is None for *_, edge in patterns)
        listed: dict[str, dict[Entry, None]] = defaultdict(dict)
        entries = list(entries)
        for entry, written in zip(entries, spellings([entry.word for entry in entries]), strict=True):
            for form in _inflections(written, _INFLECTION.get(entry.role, "none")):
                listed[form][entry] = None
        self._places = [place for _, _, place, _ in patterns]
        self._entries = [tuple(each) for each in listed.values()]
        self._edges = [edge for *_, edge in patterns[self._plain :]] + [_edge(form) for form in listed]
        self._find = AhoCorasick([*(form for form, *_ in patterns), *listed]).find_matches_as_indexes

    def find(self, folded: str) -> tuple[dict[int, Span], dict[str, list[Match]]]:
        """Return the words of the list by place, and where each stands first; and all matches of entries, by role.

        Words and matches stand in the order of their ends. Overlapping ones are all there.
        """
        words: dict[int, Span] = {}
        roles: dict[str, list[Match]] = defaultdict(list)
        plain, places, first = self._plain, self._places, len(self._places)
        for pattern, start, end in self._find(folded, overlapping=True):
            if pattern >= plain:
                edge = self._edges[pattern - plain]
                if edge is not None:
                    left, right = edge
                    if (left and start and is_latin(folded[start - 1])) or (
                        right and end < len(folded) and is_latin(folded[end])
                    ):
                        continue
                if pattern >= first:
                    for entry in self._entries[pattern - first]:
                        roles[entry.role].append(Match(start, end, entry))
                    continue
            place = places[pattern]
            if place not in words:
                words[place] = (start, end)
        return words, roles


def _edge(form: str, *, begins: bool = False) -> Edge | None:
    """Tell whether a neighbour may continue a word: only where it ends in a Latin letter or a digit."""
    left, right = is_latin(form[0]), is_latin(form[-1]) and not begins
    return (left, right) if left or right else None


def longest(matches: Sequence[Match]) -> list[Match]:
    """Return the matches that do not overlap, the longer of two winning, in the order of the text."""
    kept: list[Match] = []
    for match in sorted(matches, key=lambda each: (each.start, -each.end)):
        if not kept or match.start >= kept[-1].end:
            kept.append(match)
        elif match.end - match.start > kept[-1].end - kept[-1].start:
            kept[-1] = match
    return kept


def is_latin(character: str) -> bool:
    """Tell whether a character may be part of a Latin word or a number."""
    return character.isascii() and character.isalnum()


def forms(word: str, *, inflect: Inflection = "all") -> set[str]:
    """Return every folded form in which a word is looked for: regional spellings, and English inflections.

    `nouns` leaves out verb forms, for words whose verb is another matter (fire, fired).
    """
    [spelt] = spellings([word])
    return _inflections(spelt, inflect)


def _inflections(spelt: Iterable[str], inflect: Inflection) -> set[str]:
    found: set[str] = set()
    for each in spelt:
        latin = each.isascii() and inflect != "none"
        found |= _inflected(each, nouns_only=inflect == "nouns") if latin else {each, each.replace("'", "")}
    return found


@lru_cache(maxsize=65_536)
def _inflected(phrase: str, *, nouns_only: bool) -> frozenset[str]:
    *front, last = phrase.split(" ")
    heads = {" ".join(front)}
    if front and front[0] == "not":
        heads = {" ".join((each, *front[1:])) for each in lexicon.load().english.negated}
        heads |= {each.replace("'", "") for each in heads}
    tails = _word_forms(last, nouns_only=nouns_only)
    found = {f"{head} {tail}" if head else tail for head in heads for tail in tails}
    return frozenset(found | {each.replace("'", "") for each in found if "'" in each})


def _word_forms(word: str, *, nouns_only: bool) -> set[str]:
    found = {word}
    if len(word) < _INFLECTED or not word.isalpha():
        return found
    for family in lexicon.load().english.families:
        if word in family:
            found |= set(family)
    if word.endswith(("s", "ing", "ly")) or (nouns_only and word.endswith("ed")):
        return found
    for base in {word[:-1], word[:-2]} if word.endswith("ed") else {word}:
        found |= {base, _plural(base)} if nouns_only else {base, _plural(base), *_verb_forms(base)}
    return found


def _plural(word: str) -> str:
    if word.endswith("y") and word[-2:-1] not in set("aeiou"):
        return f"{word[:-1]}ies"
    return f"{word}es" if word.endswith(("s", "x", "z", "ch", "sh")) else f"{word}s"


def _verb_forms(word: str) -> set[str]:
    """Return past and present participles. Some are no words at all, and then nobody writes them."""
    if word.endswith("y") and word[-2:-1] not in set("aeiou"):
        return {f"{word[:-1]}ied", f"{word}ing"}
    stems = {word.removesuffix("e")}
    if word.endswith(tuple("bdgmnprt")):
        stems.add(word + word[-1])
    return {f"{stem}{ending}" for stem in stems for ending in ("ed", "ing")}
