"""Which general dangers a text speaks of: its words, and what a table learned from labelled texts says, add up."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from complaints.reading import Hit
from nlp import lexicon
from nlp.evidence import by_owner, hits, written_out
from nlp.matcher import Entry, Match, Span
from nlp.table import Said, Tables, without

#: The name of the table that was learned for them.
TABLE: Final = "risks"
#: What words of a weight of 1 say, in the measure of learned evidence (natural log odds).
WORD: Final = 2.5
#: More weight than this says no more.
MOST: Final = 2.0
#: What all evidence for a risk must exceed for it to be read, and what where none of its words is there. Chosen, with
#: WORD, on texts that neither the lexicon nor the table had seen, so that few dangers are missed: see docs/reference/
#: reading.md for what that gives.
LEAST: Final = 1.5
ALONE: Final = 1.5
#: Of a text with fewer words of the table than this, a name or a few words, it says nothing for a risk of which no word
#: stands there that weighs so much: the first letter of a name must alarm nobody.
ENOUGH: Final = 8
_NAMED: Final = 0.4
#: What speaks against each risk where nothing was learned: words alone must weigh 1.
_UNLEARNED: Final = -0.95
#: Words of this weight need nothing beside them.
_STRONG: Final = 1.0
#: So many words of the learned table are told for each risk.
_TOLD: Final = 5
#: The owner of contexts that take away the words of every risk.
_ALL: Final = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What speaks for one risk: its words, those of the learned table that say most, and what that table says."""

    matches: tuple[Match, ...] = ()
    told: tuple[Hit, ...] = ()
    learned: float = 0.0

    def evidence(self, words: Sequence[Hit]) -> float:
        """Return how much speaks for the risk with these of its words: it is read where this is positive."""
        if not words:
            return self.learned - ALONE
        return self.learned + WORD * min(sum(hit.weight for hit in words), MOST) - LEAST


class Risks:
    """The general dangers and what speaks for them. See `nlp/lexicon/risks.yaml`."""

    def __init__(self, tables: Tables) -> None:
        """Look up what was learned in the table TABLE; without one, words alone decide."""
        self._tables = tables
        self._pages = lexicon.load().risks.risks
        self._order = sorted(self._pages, key=lambda each: len(self._pages[each].beside))

    def read(
        self, words: dict[int, Span], roles: Mapping[str, list[Match]], denied: set[Match], said: Said
    ) -> dict[str, Found]:
        """Return what speaks for each risk that is read: more for than against it.

        `said` is what all words say but those that are denied; here those in harmless contexts say nothing, either.
        """
        matches = by_owner(match for match in roles.get("risk", ()) if match not in denied)
        if not matches and all(each <= ALONE for each in said.evidence(TABLE).values()):
            return {}
        unless = roles.get("no_risk", ())
        if harmless := [*unless, *roles.get("unless", ())]:
            said = self._tables.read(without(words, [(match.start, match.end) for match in (*denied, *harmless)]))
        weighed, enough = said.evidence(TABLE), said.words(TABLE) >= ENOUGH
        likely: dict[str, Found] = {}
        for risk in self._order:
            learned = weighed.get(risk, _UNLEARNED) if enough else _UNLEARNED
            if risk not in matches and learned <= ALONE:
                continue
            contexts = [each for each in unless if each.entry.owner in (risk, _ALL)]
            named = [each for each in matches.get(risk, ()) if not _inside(each, contexts)]
            beside = self._pages[risk].beside
            if beside and not any(each in likely for each in beside):
                named = [each for each in named if each.entry.weight >= _STRONG]
            words_named = hits(named)
            if not enough and any(hit.weight >= _NAMED for hit in words_named):
                learned = weighed.get(risk, _UNLEARNED)
            one = Found(matches=tuple(named), learned=learned)
            if one.evidence(words_named) > 0:
                likely[risk] = (
                    replace(one, told=said.told(TABLE, risk, _TOLD, beside=words_named)) if risk in weighed else one
                )
        return likely


def _inside(match: Match, contexts: Sequence[Match]) -> bool:
    """Tell whether a word lies inside one of the contexts or overlaps it; standing next to it means nothing here."""
    return any(each.start < match.end and match.start < each.end for each in contexts)


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
