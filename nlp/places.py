"""Where the customer is: places that are announced as the customer's own, or given as an answer."""

from bisect import bisect_left
from collections.abc import Sequence

from complaints.reading import Slot
from nlp import lexicon
from nlp.draft import PLACE, Draft
from nlp.matcher import Match, longest

#: How many spaces and colons, at most, stand between an announcement and its place.
_GAP = 4


class PlaceFinder:
    """Finds the customer's own places, and not those where a parcel is stuck or goods were made."""

    def __init__(self) -> None:
        """Take what limits a place from the lexicon."""
        words = lexicon.load().regions
        self._ends = frozenset(lexicon.load().characters.ends)
        self._loose = frozenset(words.loose)
        self._suffixes = frozenset(words.suffixes)

    def find(self, draft: Draft) -> None:
        """Add the customer's places to the slots of a text."""
        if "region" not in draft.found:
            return
        plain = draft.normal.plain
        cues = sorted(
            (*draft.found.get("own", ()), *draft.found.get("not_own", ())), key=lambda cue: (cue.end, cue.start)
        )
        ends = [cue.end for cue in cues]
        found = longest(draft.found["region"])
        places = [each for each in found if spelt(each, plain) and draft.free(each.start, each.end, over=PLACE)]
        names = {slot.end for slot in draft.slots if slot.name == "name"}
        for place in places:
            cue = announced(cues, ends, place.start, plain)
            if cue is None:
                # At most one part holds a place; lists are short, so looking at all of them is cheap.
                sure = any(self._fills(place, places, part, plain) for part in draft.parts)
            else:
                sure = self._is_own(cue, place, plain, names)
            if sure:
                draft.take("region", place.entry.word, place.start, place.end, 0.9 if cue else 0.85)

    def _is_own(self, cue: Match, place: Match, plain: str, names: set[int]) -> bool:
        """Tell whether an announcement makes a place the customer's own."""
        if cue.entry.role == "not_own":
            return False
        front = cue.start == 0 or plain[cue.start - 1] in self._ends or plain[cue.start - 1].isspace()
        if cue.entry.word == "from":  # goods come from places too
            return front and (cue.start == 0 or cue.start - 1 in names or plain[cue.start - 2] in self._ends)
        if cue.entry.word in self._loose:
            return front and (
                place.end == len(plain) or plain[place.end].isspace() or plain[place.end] in self._suffixes
            )
        return True

    def _fills(self, place: Match, places: Sequence[Match], part: tuple[int, int], plain: str) -> bool:
        """Tell whether a part of a list is this place and nothing else, but for further places and their suffixes."""
        start, end = part
        if not start <= place.start < place.end <= end:
            return False
        rest, at = "", start
        for each in places:
            if start <= each.start and each.end <= end:
                rest, at = rest + plain[at : each.start], each.end
        rest += plain[at:end]
        return all(character.isspace() or character in self._suffixes for character in rest)


def country_of(draft: Draft, region: Slot) -> str | None:
    """Return the country (ISO 3166) of a place that was found."""
    return next((each.entry.owner for each in draft.found["region"] if each.start == region.start), None)


def spelt(place: Match, plain: str) -> bool:
    """Tell whether an abbreviation is in capitals: "us" is no country."""
    return not place.entry.word.isupper() or plain[place.start : place.end].isupper()


def announced(cues: Sequence[Match], ends: Sequence[int], start: int, plain: str) -> Match | None:
    """Return the longest of the announcements (sorted; their `ends`) right before a place, spaces and a colon aside."""
    at = start
    while at and start - at < _GAP and plain[at - 1] in " :":
        at -= 1
    first = bisect_left(ends, at)
    return cues[first] if first < len(ends) and ends[first] == at else None
