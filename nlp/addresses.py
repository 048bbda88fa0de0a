"""Street addresses, as they are written."""

import re
from typing import Final

from nlp import lexicon
from nlp.draft import PLACE, Draft

#: Without a town before it, the name of a street is hardly longer, in characters.
_STREET: Final = 10
_SHORT: Final = 4


class AddressFinder:
    """Finds a street with its number, and the towns before it."""

    def __init__(self) -> None:
        """Compile the patterns."""
        patterns = lexicon.load().slots.patterns
        self._here = re.compile(patterns["street_here"])
        self._street = re.compile(patterns["street"])
        self._before = re.compile(patterns["before_street"])
        self._town = re.compile(patterns["town"])
        self._english = re.compile(patterns["street_english"])

    def find(self, draft: Draft) -> None:
        """Add the addresses of a text to its slots; a place they name may be the customer's too."""
        plain, folded = draft.normal.plain, draft.normal.folded
        if self._here.search(folded):
            regions = sorted(each.start for each in draft.found.get("region", ()))
            for match in self._street.finditer(folded.replace("\n", " ")):
                start = self._begun(folded, match.start("road"), match.end("road"), regions)
                end = match.end()
                if draft.free(start, end):
                    draft.take("address", plain[start:end].strip(), start, end, 0.8, mark=PLACE)
        if draft.digits and draft.language == "en":
            for match in self._english.finditer(plain):
                if draft.free(*match.span()):
                    draft.take("address", match.group(), *match.span(), 0.8, mark=PLACE)

    def _begun(self, folded: str, start: int, end: int, regions: list[int]) -> int:
        """Return where an address begins in the run of characters up to the name of its street."""
        for cut in self._before.finditer(folded, start, end):
            if cut.end() <= end - 2:  # something is left that has a name
                start = cut.end()
        known = [each for each in regions if start <= each < end]
        if known:
            return known[0]
        town = self._town.search(folded, start, end)
        if town is not None:
            # With little before it, the name of the town may be longer than two characters.
            return start if town.start() - start <= 2 else town.start()  # noqa: PLR2004
        return start if end - start <= _STREET else end - _SHORT
