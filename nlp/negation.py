"""Which of the words found in a text it takes back: "not about the refund", "nobody was hurt"."""

import re
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence

from nlp import lexicon
from nlp.matcher import Match, longest

#: How far, in characters, a denial reaches: a few words, never a clause further.
_REACH = {"deny": 8, "absent": 12, "refuse": 5}
_LATIN_REACH = 24
#: How far, in characters, the end of a rhetorical question is looked for.
_CLAUSE = 30
#: How many words of a list one negation takes back at most.
_LIST = 12
#: The gap, in characters, between a word and a denial that follows it.
_AFTER = 3

#: Roles whose words can be taken back.
ROLES = ("type", "flag", "risk", "remedy", "complaint")


class Negation:
    """The negating words and their reach, compiled once."""

    def __init__(self) -> None:
        words = lexicon.load().negations
        ends = lexicon.load().characters.ends
        self._ends = frozenset(ends)
        stop = "|".join([f"[{re.escape(ends)}]", *_words(words.contrast), *words.turn])
        self._stop = re.compile(stop)
        self._given_up = re.compile(words.given_up)
        self._filler = re.compile(rf"(?:\s|{'|'.join(_words(words.fillers))})*")
        self._join = re.compile(rf"(?:{'|'.join(_words(words.joins))}){{1,4}}")
        self._wanted = tuple(words.wanted)
        self._rhetorical = tuple(words.rhetorical)

    def denied(self, folded: str, found: Mapping[str, list[Match]]) -> set[Match]:
        """Return the matches of `ROLES` that the text takes back."""
        negators = [match for role in _REACH for match in found.get(role, ())]
        after = found.get("after", ())
        if not negators and not after:
            return set()
        words = sorted((match for role in ROLES for match in found.get(role, ())), key=lambda match: match[:2])
        if not words:
            return set()
        # A negation inside a keyword ("not arrived") belongs to it, one inside "not only" is none.
        covers = longest([*words, *found.get("pseudo", ())])
        starts = [match.start for match in words]
        cover_starts = [match.start for match in covers]
        denied: set[Match] = set()
        for negator in _outermost(negators):
            at = bisect_left(cover_starts, negator.end) - 1
            if at >= 0 and covers[at].end >= negator.end:
                continue
            denied.update(self._reach(folded, negator, words, starts))
        for each in after:
            denied.update(self._before(folded, each, words, starts))
        return denied

    def _reach(self, folded: str, negator: Match, words: Sequence[Match], starts: Sequence[int]) -> Iterable[Match]:
        role, end = negator.entry.role, negator.end
        reach = _REACH[role]
        if folded[end - 1].isascii():
            reach = _LATIN_REACH
        first = bisect_left(starts, end)
        if first == len(words) or starts[first] - end > reach:
            return
        gap = folded[end : starts[first]]
        if self._stop.search(gap) or (role == "deny" and self._affirms(folded, end)):
            return
        if role == "refuse" and self._given_up.search(gap):
            return
        if role == "absent" and not self._filler.fullmatch(gap):
            return
        reached = starts[first]
        for match in words[first : first + _LIST]:
            # Words further on are taken back only as part of a list: "no fire or injuries".
            if match.start > reached and not self._join.fullmatch(folded, reached, match.start):
                return
            reached = max(reached, match.end)
            if self._applies(role, match):
                yield match

    def _applies(self, role: str, match: Match) -> bool:
        kind = match.entry.role
        if role == "refuse":
            return kind == "remedy" or (kind == "type" and any(each in match.entry.word for each in self._wanted))
        if role == "absent":
            return kind != "remedy" and (kind == "flag" or not any(each in match.entry.word for each in self._wanted))
        return True

    def _affirms(self, folded: str, end: int) -> bool:
        """Tell whether the clause is a rhetorical question, which affirms what it denies."""
        for at in range(end, min(len(folded), end + _CLAUSE)):
            if folded[at] in self._ends:
                return folded[at] in self._rhetorical or folded[at - 1] in self._rhetorical
        return end + _CLAUSE >= len(folded) and folded.endswith(self._rhetorical)

    def _before(self, folded: str, after: Match, words: Sequence[Match], starts: Sequence[int]) -> Iterable[Match]:
        at = bisect_left(starts, after.start) - 1
        while at >= 0 and after.start - words[at].end <= _AFTER and after.start - words[at].start <= _LATIN_REACH:
            match = words[at]
            if match.end <= after.start and not self._ends.intersection(folded[match.end : after.start]):
                yield match
            at -= 1


def _outermost(negators: list[Match]) -> list[Match]:
    """Return the negations that stand on their own; where one word plays two roles, each role stays."""
    return [each for role in _REACH for each in longest([one for one in negators if one.entry.role == role])]


def _words(words: Iterable[str]) -> list[str]:
    """Return the words as alternatives of a pattern, Latin ones whole."""
    return [
        rf"\b{re.escape(word)}\b" if word.isascii() and word.strip() and word[0].isalpha() else re.escape(word)
        for word in sorted(words, key=len, reverse=True)
    ]
