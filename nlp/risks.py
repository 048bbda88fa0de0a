"""Which general dangers a text speaks of: its words, and what a table learned from labelled texts says, add up."""

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from complaints.reading import Hit
from complaints.weights import Weights
from nlp import lexicon
from nlp.evidence import by_owner, weighing, written_out
from nlp.matcher import Entry, Match, Span
from nlp.table import Said, Tables, marked, shared_out, without

#: The name of the table that was learned for them.
TABLE: Final = "risks"
#: What words of a weight of 1 say, in the measure of learned evidence (natural log odds).
WORD: Final = 2.5
#: More weight than this says no more.
MOST: Final = 2.0
#: What all evidence for a risk must exceed for it to be read, and what where none of its words is there. Chosen, with
#: WORD, on texts that neither the lexicon nor the table had seen, so that few dangers are missed: see docs/reference/
#: reading.md for what that gives.
LEAST: Final = 1.75
ALONE: Final = 1.0
#: Where all words say less than this for any risk, and none of the lexicon is there, no sentence says enough.
_HOPELESS: Final = -1.0
#: Of a text with fewer words of the table than this, a name or a few words, it says nothing for a risk of which no word
#: stands there that weighs so much: the first letter of a name must alarm nobody.
ENOUGH: Final = 8
_NAMED: Final = 0.4
#: Of one with fewer than this, a sum or a date, it must say more where no word stands there.
_FEW: Final = 14
_SURELY: Final = 2.5
#: A part of a text must say so much more than a whole one, and half of that where a word stands there: each part is one
#: more chance to be wrong.
_PART: Final = 1.0
#: What speaks against each risk where nothing was learned: words alone must weigh 1.
_UNLEARNED: Final = 0.3
#: Words of this weight need nothing beside them.
_STRONG: Final = 1.0
#: So many words of the learned table are told for each risk.
_TOLD: Final = 5
#: The owner of contexts that take away the words of every risk.
_ALL: Final = ""


class Found(NamedTuple):
    """What speaks for one risk: its words, all that was `said` where they stand, and what was `learned` of that.

    Where none of the words is there that must be more than `alone`, else with their weight more than `least`.
    """

    risk: str
    matches: Sequence[Match]
    said: Said
    learned: float
    alone: float
    least: float

    def evidence(self, words: Sequence[Match]) -> float:
        """Return how much speaks for the risk with these of its words: it is read where this is positive."""
        if not words:
            return self.learned - self.alone
        return self.learned + WORD * min(weighing(words), MOST) - self.least

    def told(self) -> tuple[Hit, ...]:
        """Return the words of the learned table that say most for it, beside its own."""
        return self.said.told(TABLE, self.risk, _TOLD, beside=self.matches)


class Risks:
    """The general dangers and what speaks for them. See `nlp/lexicon/risks.yaml`."""

    def __init__(self, tables: Tables, wanted: Collection[str]) -> None:
        """Read the `wanted` risks by what was learned in the table TABLE; without one, words alone decide."""
        self._tables = tables
        self._pages = lexicon.load().risks.risks
        characters = lexicon.load().characters
        self._sentence = re.compile(rf"[{re.escape(characters.sentences)}]+\s*|\.\s+")
        self._clause = re.compile(rf"[{re.escape(characters.ends)}]+\s*|\.\s+")
        self._order = sorted(wanted, key=lambda each: (len(self._pages[each].beside), each))

    def read(
        self,
        folded: str,
        words: dict[int, Span],
        roles: Mapping[str, list[Match]],
        denied: set[Match],
        said: Said,
    ) -> dict[str, Found]:
        """Return what speaks for each risk that is read: more for than against it, in a text or a sentence of it.

        Where a word of the lexicon stands, its clause is heard alone, too: a danger in passing is one.

        `said` is what all words say but those that are denied; here those in harmless contexts say nothing, either.
        """
        unless = roles.get("no_risk", ())
        found = by_owner(
            match for match in roles.get("risk", ()) if match.entry.owner in self._order and match not in denied
        )
        named = _free([match for each in found.values() for match in each], unless)
        if not found and max(said.evidence(TABLE).values(), default=_HOPELESS) <= _HOPELESS:
            return {}
        sentences = _ends(self._sentence, folded)
        if harmless := [*unless, *roles.get("unless", ())]:
            words = without(words, [(match.start, match.end) for match in (*denied, *harmless)])
            said = self._tables.read(words)
        likely = self._likely(said, named, {})
        for within, matches in _shared_out(sentences, words, named):
            likely = self._likely(self._tables.read(within), matches, likely, part=_PART)
        clear = [match for match in named if match.entry.weight >= _NAMED and match.entry.owner not in likely]
        for within, matches in _shared_out(_ends(self._clause, folded), words, clear) if clear else ():
            if matches:
                likely = self._likely(self._tables.read(within), matches, likely, part=_PART)
        return likely

    def _likely(
        self, said: Said, named: Sequence[Match], likely: dict[str, Found], *, part: float = 0.0
    ) -> dict[str, Found]:
        """Add to the `likely` risks those of which these words speak, as all that was said or as a part of it."""
        matches = by_owner(named)
        weighed, count = said.evidence(TABLE), said.words(TABLE)
        enough, alone = count >= ENOUGH, part + (ALONE if count >= _FEW else _SURELY)
        for risk in self._order:
            learned = weighed.get(risk, _UNLEARNED) if enough else _UNLEARNED
            if risk in likely or (risk not in matches and learned <= alone):
                continue
            ours = matches.get(risk, [])
            beside = self._pages[risk].beside
            if beside and not any(each in likely for each in beside):
                ours = [each for each in ours if each.entry.weight >= _STRONG]
            if not enough and any(each.entry.weight >= _NAMED for each in ours):
                learned = weighed.get(risk, _UNLEARNED)
            one = Found(risk, ours, said, learned, alone, LEAST + part / 2)
            if one.evidence(ours) > 0:
                likely[risk] = one
        return likely


def _ends(marks: re.Pattern[str], folded: str) -> list[int]:
    """Return where the parts of a text end; nothing where it is one."""
    ends = [match.end() for match in marks.finditer(folded)]
    return ends if len(ends) > 1 or (ends and ends[0] < len(folded)) else []


def _shared_out(
    ends: Sequence[int], words: dict[int, Span], matches: Sequence[Match]
) -> Iterator[tuple[dict[int, Span], list[Match]]]:
    """Yield the words and matches of each part of a text that holds enough of them to say something."""
    if not ends:
        return
    named: dict[int, list[Match]] = defaultdict(list)
    for match in matches:
        named[bisect_right(ends, match.start)].append(match)
    for part, within in enumerate(shared_out(words, ends)):
        if part in named or len(within) >= ENOUGH:
            yield within, named[part]


def _free(named: list[Match], contexts: Sequence[Match]) -> list[Match]:
    """Return the words that overlap no context of their own risk or of all; standing next to one means nothing here."""
    if not (named and contexts):
        return named
    places: dict[str, list[Span]] = defaultdict(list)
    for each in contexts:
        places[each.entry.owner].append((each.start, each.end))
    marks = {owner: marked(listed) for owner, listed in places.items()}
    none = bytearray()
    return [
        match
        for match in named
        if not any(1 in marks.get(owner, none)[match.start : match.end] for owner in (_ALL, match.entry.owner))
    ]


def with_beside(risks: Collection[str]) -> set[str]:
    """Return the risks with those that one of them stands beside."""
    pages = lexicon.load().risks.risks
    return {*risks, *(each for risk in risks for each in pages[risk].beside)}


def only(learned: Weights | None, wanted: Collection[str]) -> Weights | None:
    """Return what was learned for the wanted risks alone; None where nothing was, or nothing is wanted."""
    if learned is None or not wanted:
        return None
    return learned.model_copy(update={"start": {risk: each for risk, each in learned.start.items() if risk in wanted}})


def risk_entries() -> Iterator[Entry]:
    """List the words of all risks, and the contexts that take their meaning away."""
    page = lexicon.load().risks
    for context in page.unless:
        yield from (Entry(role="no_risk", owner=_ALL, word=word) for word in written_out(context, page.parts))
    for risk, each in page.risks.items():
        for weight, patterns in each.words.items():
            for pattern in patterns:
                for word in written_out(pattern, page.parts):
                    yield Entry(role="risk", owner=risk, word=word, weight=weight)
        for context in each.unless:
            yield from (Entry(role="no_risk", owner=risk, word=word) for word in written_out(context, page.parts))
