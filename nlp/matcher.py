"""Finding all words of all lists in one pass over a text."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, NamedTuple

from ahocorasick_rs import AhoCorasick

from nlp import lexicon
from nlp.normalize import spellings

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


class Matcher:
    """All words in one Aho-Corasick automaton. Latin words are found at word boundaries only."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        patterns: dict[str, dict[Entry, None]] = defaultdict(dict)
        for entry in entries:
            for form in forms(entry.word, inflect=_INFLECTION.get(entry.role, "none")):
                patterns[form][entry] = None
        self._entries = [tuple(each) for each in patterns.values()]
        # Whether a neighbour may continue the word: only where the word itself ends in a Latin letter or a digit.
        self._edges = [(is_latin(each[0]), is_latin(each[-1])) for each in patterns]
        self._find = AhoCorasick(list(patterns)).find_matches_as_indexes

    def find(self, folded: str) -> dict[str, list[Match]]:
        """Return all matches by role, in the order of their ends. Overlapping ones are all there."""
        found: dict[str, list[Match]] = defaultdict(list)
        length = len(folded)
        edges, entries = self._edges, self._entries
        for pattern, start, end in self._find(folded, overlapping=True):
            left, right = edges[pattern]
            if (left and start and is_latin(folded[start - 1])) or (right and end < length and is_latin(folded[end])):
                continue
            for entry in entries[pattern]:
                found[entry.role].append(Match(start, end, entry))
        return found


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


@lru_cache(maxsize=65_536)
def forms(word: str, *, inflect: Inflection = "all") -> frozenset[str]:
    """Return every folded form in which a word is looked for: regional spellings, and English inflections.

    `nouns` leaves out verb forms, for words whose verb is another matter (fire, fired).
    """
    found: set[str] = set()
    for folded in spellings(word):
        latin = folded.isascii() and inflect != "none"
        found |= _inflected(folded, nouns_only=inflect == "nouns") if latin else {folded, folded.replace("'", "")}
    return frozenset(found)


def _inflected(phrase: str, *, nouns_only: bool) -> set[str]:
    *front, last = phrase.split(" ")
    heads = {" ".join(front)}
    if front and front[0] == "not":
        heads = {" ".join((each, *front[1:])) for each in lexicon.load().english.negated}
        heads |= {each.replace("'", "") for each in heads}
    tails = _word_forms(last, nouns_only=nouns_only)
    found = {f"{head} {tail}" if head else tail for head in heads for tail in tails}
    return found | {each.replace("'", "") for each in found if "'" in each}


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
