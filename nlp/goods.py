"""Quantities: how many pieces a text speaks of."""

import re
from decimal import Decimal
from typing import Final

from nlp import lexicon, numerals
from nlp.draft import Draft

_TWO: Final = 2
#: How far before a number, in characters, what makes it no quantity may begin.
_BEFORE: Final = 6
_MOST: Final = 999_999


class GoodsFinder:
    """Finds how many things were ordered, missing or broken; days, calls and people are none."""

    def __init__(self) -> None:
        """Compile the patterns."""
        words = lexicon.load().slots
        patterns = words.patterns
        self._counted = re.compile(patterns["quantity"], re.ASCII)
        self._numerals = re.compile(f"[{''.join(words.digits)}]")
        self._before = re.compile(patterns["quantity_before"])
        self._not_goods = re.compile(patterns["not_goods"])
        self._broken = re.compile(patterns["slab_broken"])
        self._slab, self._slabs = patterns["slab"], re.compile("|".join(map(re.escape, words.slabs)))
        self._english = re.compile(patterns["goods_english"], re.ASCII)
        self._instead = re.compile(patterns["goods_instead"], re.ASCII)
        self._spelt = re.compile(rf"({numerals.spelt()}){patterns['spelt_goods']}")
        self._not_english = re.compile(rf"(?<![a-z])(?:{patterns['not_goods_english']})(?![a-z])")

    def find(self, draft: Draft) -> None:
        """Add the quantities of a text to its slots."""
        folded = draft.normal.folded
        if draft.digits or self._numerals.search(folded):
            for match in self._counted.finditer(folded):
                self._take_counted(draft, match)
        if draft.language == "en":
            for match in (*self._english.finditer(folded), *self._spelt.finditer(folded)):
                if self._not_english.search(match["noun"]) or not draft.free(*match.span()):
                    continue
                spelt = match.re is self._spelt
                if spelt and match[1].endswith("grand"):  # a thousand of money, or a large piano
                    continue
                number = numerals.spelt_value(match[1]) if spelt else Decimal(match["number"])
                if number and number >= (_TWO if spelt else 1):
                    self._take(draft, number, *match.span(), 0.5)

    def _take_counted(self, draft: Draft, match: re.Match[str]) -> None:
        folded = draft.normal.folded
        span = match.span()
        number = numerals.value(match["number"])
        if number is None or number.led or not draft.free(*span):
            return
        least = 1 if match["number"].isdigit() else _TWO
        if not least <= number.value <= _MOST or self._not_goods.match(folded, span[1]):
            return
        before = folded[max(0, span[0] - _BEFORE) : span[0]]
        if self._before.search(before):
            return
        if match["measure"] == self._slab and not (
            self._slabs.match(folded, span[1]) or (len(match["number"]) < _TWO and self._broken.search(before))
        ):
            return
        self._take(draft, number.value + (Decimal("0.5") if match["half"] else 0), *span, 0.6)

    def _take(self, draft: Draft, number: Decimal, start: int, end: int, confidence: float) -> None:
        """Keep a quantity, and the one it came instead of: "14 boxes instead of 40"."""
        draft.take("quantity", f"{number:f}", start, end, confidence)
        if (other := self._instead.match(draft.normal.folded, end)) and draft.free(*other.span("number")):
            draft.take("quantity", str(int(other["number"])), *other.span("number"), 0.5)
