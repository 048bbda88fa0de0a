"""Words found in a text as evidence: of each owner, each word once, and not where its surroundings take it back."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import product

from complaints.reading import Hit
from nlp import lexicon
from nlp.matcher import Match, longest

#: What a word counts for a type when it only names the remedy that is asked for and another type has words of its own.
_REMEDY_SHARE = 0.5
#: How near, in characters, a phrase of `unless` must stand to take a word's meaning away.
_NEAR = 2


def by_owner(matches: Iterable[Match]) -> dict[str, list[Match]]:
    """Return the matches of each owner, the longer of two that overlap winning."""
    owners: dict[str, list[Match]] = defaultdict(list)
    for match in matches:
        owners[match.entry.owner].append(match)
    return {owner: longest(each) if len(each) > 1 else each for owner, each in owners.items()}


def hits(matches: Sequence[Match], wished: Sequence[Match] = ()) -> tuple[Hit, ...]:
    """Return one hit for each different word: saying it ten times does not make it ten reasons."""
    if not matches:
        return ()
    first: dict[str, Hit] = {}
    remedies = {place for remedy in wished for place in range(remedy.start, remedy.end)}
    for match in matches:
        asked = bool(remedies) and not remedies.isdisjoint(range(match.start, match.end))
        weight = match.entry.weight * (_REMEDY_SHARE if asked else 1)
        known = first.get(match.entry.word)
        if known is None or known.weight < weight:
            first[match.entry.word] = Hit(word=match.entry.word, start=match.start, end=match.end, weight=weight)
    return tuple(sorted(first.values(), key=lambda hit: hit.start))


def weighing(matches: Iterable[Match]) -> float:
    """Return the weight of the different words among the matches."""
    return sum({match.entry.word: match.entry.weight for match in matches}.values())


def apart(words: Iterable[Hit]) -> tuple[Hit, ...]:
    """Return words in their order, without those said before and those that are a part of a longer one: to be told."""
    told: list[Hit] = []
    for hit in words:
        for each in told:
            if each.start <= hit.start and hit.end <= each.end:
                break
        else:
            told = [each for each in told if each.start < hit.start or hit.end < each.end]
            told.append(hit)
    return tuple(told)


def near(folded: str, match: Match, contexts: Sequence[Match]) -> bool:
    """Tell whether a word lies inside one of the contexts, overlaps it, or stands next to it in the same clause."""
    ends = lexicon.load().characters.ends
    for each in contexts:
        gap = folded[min(match.end, each.end) : max(match.start, each.start)]
        if len(gap) <= _NEAR and not any(character in ends for character in gap):
            return True
    return False


def written_out(pattern: str, parts: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """Return every word that a pattern like `{call}{boss}` stands for."""
    names = re.findall(r"\{(\w+)\}", pattern)
    for chosen in product(*(parts[name] for name in names)):
        yield pattern.format_map(dict(zip(names, chosen, strict=True)))
