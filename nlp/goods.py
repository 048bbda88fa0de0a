"""Quantities: how many pieces a text speaks of."""

import re
from decimal import Decimal
from typing import Final

from nlp import lexicon, numerals
from nlp.draft import Draft

_TWO: Final = 2
#: How far before a number, in characters, what makes it no quantity may begin.
_BEFORE: Final = 6
#: The same of an English one.
_NO_GOODS: Final = 14
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
        self._weight_before, self._weights_han = re.compile(patterns["weight_before"]), tuple(patterns["weighing"])
        self._point, self._digits = patterns["point"], words.digits
        self._slab, self._slabs = patterns["slab"], re.compile("|".join(map(re.escape, words.slabs)))
        self._instead = re.compile(patterns["goods_instead"], re.ASCII)
        inner = "|".join(words.english.digits)
        self._spelt = re.compile(rf"({numerals.spelt()}){patterns['spelt_goods'].replace('{all}', inner)}")
        self._english = re.compile(patterns["goods_english"].replace("{all}", inner), re.ASCII)
        self._at, self._weights = (re.compile(patterns[name], re.ASCII) for name in ("goods_at", "weights"))
        rest = patterns["rest"].replace("{all}", inner).replace("{fate}", patterns["fate"])
        self._rest = re.compile(rest, re.ASCII)
        self._no_goods_before = re.compile(patterns["no_goods_before"])
        self._no_noun = re.compile(patterns["no_noun"])
        self._not_english = re.compile(rf"(?<![a-z])(?:{patterns['not_goods_english']})(?![a-z])")

    def find(self, draft: Draft) -> None:
        """Add the quantities of a text to its slots."""
        folded = draft.normal.folded
        if draft.digits or self._numerals.search(folded):
            for match in self._counted.finditer(folded):
                self._take_counted(draft, match)
        if draft.language == "en":
            counted = (*self._spelt.finditer(folded), *self._english.finditer(folded))
            for match in sorted(counted, key=re.Match.start):  # "two of the 30 kettles" begins with two
                self._take_english(draft, match)
            for match in (*self._at.finditer(folded), *self._weights.finditer(folded)):
                if draft.free(*match.span("number")):
                    self._take(draft, Decimal(match["number"]), *match.span("number"), 0.5)
            self._take_rest(draft)

    def _take_rest(self, draft: Draft) -> None:
        """Read how many of things that were named before came, or are broken: "ordered 12 jars, got nine"."""
        known = [(slot.end, Decimal(slot.value)) for slot in draft.slots if slot.name == "quantity"]
        for match in self._rest.finditer(draft.normal.folded) if known else ():
            group = "told" if match["told"] else "begun"
            number = Decimal(match[group]) if match[group].isdigit() else numerals.spelt_value(match[group])
            counted = number and any(end <= match.start(group) and number < of for end, of in known)
            if number and counted and draft.free(*match.span(group)):
                self._take(draft, number, *match.span(group), 0.5)

    def _take_english(self, draft: Draft, match: re.Match[str]) -> None:
        """Read a number of things in English, and of how many they are: "five of the eight handles"."""
        noun, before = match["noun"], draft.normal.folded[max(0, match.start() - _NO_GOODS) : match.start()]
        if self._not_english.search(noun) or self._no_noun.match(noun) or self._no_goods_before.search(before):
            return
        spelt = match.re is self._spelt
        if not draft.free(*match.span()):
            return
        if spelt and (match[1].endswith("grand") or before.rstrip()[-1:].isdigit()):  # a large piano; 2 million
            return
        number = numerals.spelt_value(match[1]) if spelt else Decimal(match["number"])
        if not number or number < (_TWO if spelt else 1):
            return
        every = match["all"] if " of " in match.group() else None
        if every and (of := Decimal(every) if every.isdigit() else numerals.spelt_value(every)):
            self._take(draft, of, match.start("all"), match.end(), 0.5)
            draft.take("quantity", f"{number:f}", *match.span(1), 0.5)
        else:
            self._take(draft, number, *match.span(), 0.5)

    def _take_counted(self, draft: Draft, match: re.Match[str]) -> None:
        folded = draft.normal.folded
        span = match.span()
        whole, _, tenths = match["number"].partition(self._point)
        number = numerals.value(whole)
        if number is None or number.led or not draft.free(*span):
            return
        count = number.value
        if tenths:
            count += Decimal("." + "".join(str(self._digits[each]) for each in tenths))
        if match["half"]:
            count += Decimal("0.5")
        # A part of a ton is weighed; one thing in words is hardly counted.
        least = 0 if count != int(count) else 1 if match["number"].isdigit() else _TWO
        if not count or not least <= count <= _MOST or self._not_goods.match(folded, span[1]):
            return
        before = folded[max(0, span[0] - _BEFORE) : span[0]]
        weighed = match["measure"].endswith(self._weights_han)
        if self._before.search(before) or (weighed and self._weight_before.search(before)):
            return
        if match["measure"] == self._slab and not (
            self._slabs.match(folded, span[1]) or (len(match["number"]) < _TWO and self._broken.search(before))
        ):
            return
        self._take(draft, count, *span, 0.6)

    def _take(self, draft: Draft, number: Decimal, start: int, end: int, confidence: float) -> None:
        """Keep a quantity, and the one it came instead of: "14 boxes instead of 40"."""
        draft.take("quantity", f"{number:f}", start, end, confidence)
        if (other := self._instead.match(draft.normal.folded, end)) and draft.free(*other.span("number")):
            draft.take("quantity", str(int(other["number"])), *other.span("number"), 0.5)
