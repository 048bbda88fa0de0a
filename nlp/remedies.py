"""Which remedies a customer asks for: words that name one, and what a table learned from labelled texts says."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from complaints.reading import Slot
from complaints.weights import Weights
from nlp import lexicon
from nlp.draft import Draft
from nlp.matcher import Finder, Match, Span, longest
from nlp.table import Tables, marked, shared_out, without

#: The name of the table that was learned for them.
TABLE: Final = "remedies"
#: What all words of a text must say at least for a remedy of which a word is there, with a wish for it or without one,
#: and for one of which none is; and how sure each is. Fitted to texts that the table had not seen, so that few remedies
#: are read that nobody asks for.
_WISHED, _NAMED, _UNNAMED = (-2.0, 0.9), (-0.5, 0.6), (2.0, 0.5)
_NUMBERS: Final = frozenset({"amount", "date", "phone"})
#: What the words of the last clause, where people say what they want, must say for one that is not named.
_UNNAMED_LAST: Final = (5.0, 0.4)
#: And what for one that is told of.
_TOLD: Final = 11.0
#: How far before a remedy, in characters, a word that tells of it may begin.
_TOLD_REACH: Final = 10
#: So long are a full stop and "no".
_NO: Final = 5
#: How far before a remedy, in characters, a wish for it may end; in Latin letters, further.
_REACH: Final = 10
_REACH_LATIN: Final = 24


class RemedyFinder:
    """Finds what the customer wants to have done, and not what was promised, refused or done already."""

    def __init__(self, learned: Weights | None) -> None:
        """Take what was learned; without it, words alone decide."""
        self._tables = Tables({TABLE: learned} if learned is not None else {})
        self._finder = Finder(self._tables.words)
        words = lexicon.load()
        self._ends = frozenset(words.characters.ends)
        self._clause = re.compile(rf"[{re.escape(words.characters.ends)}]|\.(?=\s)")
        self._declined = frozenset(words.remedies.declined)
        self._no = re.compile(rf"(?:^|[{re.escape(words.characters.ends)}.]\s?)no\s$")
        self._before = re.compile(f"(?:{_any(words.remedies.told_before)})[^{re.escape(words.characters.ends)}]*$")
        self._after = re.compile(rf"\s?(?:{_any(words.remedies.told_after)})")
        self._join = re.compile("|".join(re.escape(each) for each in words.negations.joins))

    def find(self, draft: Draft, denied: set[Match]) -> None:
        """Add the remedies that a text asks for to its slots, each once."""
        named = longest([each for each in draft.found.get("remedy", ()) if each not in denied])
        refused = {match.entry.owner for match in denied if match.entry.role == "remedy"}
        words, _ = self._finder.find(draft.normal.folded)
        # How much it was says nothing of what is to be done.
        numbers = marked([(slot.start, slot.end) for slot in draft.slots if slot.name in _NUMBERS])
        words = {place: at for place, at in words.items() if 0 in numbers[at[0] : at[1]] or at[1] > len(numbers)}
        whole = self._tables.read(words).evidence(TABLE)
        ends = [each.end() for each in self._clause.finditer(draft.normal.folded)] if whole else []
        heard = self._heard(whole, words, ends) if named and whole else {}
        asked: dict[str, Slot] = {}
        for match, wished in self._wished(draft, named):
            name, (least, sure) = match.entry.owner, _WISHED if wished else _NAMED
            declined = name in self._declined and self._no.search(
                draft.normal.folded[max(0, match.start - _NO) : match.start]
            )
            if declined or self._told(draft.normal.folded, match.start, match.end):
                least = _TOLD
            evidence = heard.get(bisect_right(ends, match.start), {}).get(name, 0.0)
            if (name not in asked or wished) and evidence > least:
                asked[name] = Slot(name="remedy", value=name, start=match.start, end=match.end, confidence=sure)
        # "I want a refund" says nothing for anything else that one may want.
        others = without(words, [(match.start, match.end) for match in named])
        self._unnamed(draft, others, _UNNAMED, asked, refused, most=whole)
        if len(ends) > 1:
            last = next(filter(None, reversed(shared_out(others, ends))), {})
            self._unnamed(draft, last, _UNNAMED_LAST, asked, refused)
        draft.slots += asked.values()

    def _unnamed(
        self,
        draft: Draft,
        words: dict[int, Span],
        limit: tuple[float, float],
        asked: dict[str, Slot],
        refused: set[str],
        *,
        most: Mapping[str, float] | None = None,
    ) -> None:
        """Add to what is `asked` the remedies of which these words speak without naming them.

        `limit` is the evidence it takes and how sure they are then; `most` is the evidence that there is at most.
        """
        least, sure = limit
        said = self._tables.read(words)
        for name, each in said.evidence(TABLE).items():
            evidence = each if most is None else min(each, most[name])
            if evidence <= least or name in asked or name in refused:
                continue
            for hit in said.told(TABLE, name, 1):
                if evidence > _TOLD or not self._told(draft.normal.folded, hit.start, hit.end):
                    asked[name] = Slot(name="remedy", value=name, start=hit.start, end=hit.end, confidence=sure)

    def _wished(self, draft: Draft, named: Sequence[Match]) -> Iterator[tuple[Match, bool]]:
        """Yield the words that name a remedy, and whether somebody wishes for it."""
        folded = draft.normal.folded
        wishes = sorted(each.end for each in draft.found.get("wish", ()))
        wished_end = -1
        for match in named:
            if not draft.free(match.start, match.end):
                continue
            at = bisect_left(wishes, match.start + 1) - 1
            wished = at >= 0 and self._same_clause(folded, wishes[at], match.start)
            if wished or (wished_end >= 0 and self._listed(folded, wished_end, match.start)):
                wished, wished_end = True, match.end
            yield match, wished

    def _heard(
        self, whole: Mapping[str, float], words: Mapping[int, Span], ends: Sequence[int]
    ) -> dict[int, dict[str, float]]:
        """Return what speaks for each remedy in each clause: its words, or those of the whole text."""
        clauses = {at: self._tables.read(part).evidence(TABLE) for at, part in enumerate(shared_out(words, ends))}
        return {
            at: {name: max(each, part.get(name, each)) for name, each in whole.items()} for at, part in clauses.items()
        }

    def _told(self, folded: str, start: int, end: int) -> bool:
        """Tell whether a remedy is told of: promised, refused, done already, or asked about."""
        found = self._before.search(folded, max(0, start - _TOLD_REACH), start)
        return found is not None or self._after.match(folded, end) is not None

    def _same_clause(self, folded: str, start: int, end: int) -> bool:
        reach = _REACH_LATIN if start and folded[start - 1].isascii() else _REACH
        return end - start <= reach and not self._ends.intersection(folded[start:end])

    def _listed(self, folded: str, start: int, end: int) -> bool:
        return start <= end <= start + _REACH and not self._join.sub("", folded[start:end]).strip()


def _any(words: Iterable[str]) -> str:
    return "|".join(rf"\b{re.escape(word)}\b" if word.isascii() else re.escape(word) for word in words)
