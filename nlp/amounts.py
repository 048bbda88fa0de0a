"""Sums of money. A sum that is not certain is left out."""

import re
from decimal import Decimal

from nlp import lexicon
from nlp.draft import Draft
from nlp.matcher import Match, longest

#: How far before a unit, in characters, its number may begin.
_BEFORE = 24
#: How far before a number, in characters, a word like "paid" may end.
_SPENT = 3
_ARABIC = r"(?P<whole>\d{1,3}(?:,\d{3})+|\d{1,12})(?P<part>\.\d{1,4})?"


class AmountFinder:
    """Finds sums of money by their units and signs. `currency` is that of a bare sum and of the plain Chinese unit."""

    def __init__(self, *, currency: str) -> None:
        """Compile the patterns of numbers."""
        words = lexicon.load().slots
        scales = "|".join(sorted(map(re.escape, words.scales), key=len, reverse=True))
        scale = rf"\s?(?P<scale>(?:{scales})(?![a-z]))?"
        number = words.patterns["chinese_number"]
        mixed = f"(?:{number}|\\d)"
        self._currency = currency
        self._scales = words.scales
        self._digits = words.digits
        self._about = frozenset(words.patterns["about"])
        self._loose = frozenset(words.loose_units)
        self._arabic_before = re.compile(rf"(?<![\d.,a-z]){_ARABIC}{scale}\s?$", re.ASCII)
        self._chinese_before = re.compile(rf"(?<!{mixed}){mixed}{{1,14}}\s?$", re.ASCII)
        self._after = re.compile(rf"\s?{_ARABIC}(?![\d,.]*\d){scale}", re.ASCII)
        self._alone = re.compile(rf"{_ARABIC}\s?(?P<scale>{scales})", re.ASCII)
        self._named = re.compile(rf"(?<![\d.,a-z]){_ARABIC}\s?(?P<scale>{scales}){words.patterns['money']}", re.ASCII)
        self._spent = re.compile(
            rf"[\s:]{{0,{_SPENT}}}{_ARABIC}\s?(?P<scale>{scales}){words.patterns['goods']}", re.ASCII
        )
        small = "".join(digit for digit, value in words.digits.items() if value)
        self._estimate = re.compile(f"[{small}]{{2}}")
        self._digit = re.compile(f"[{small}0-9]")
        self._cents = re.compile(rf"([{small}1-9])(?:{'|'.join(words.small)}|{words.patterns['goods']})", re.ASCII)

    def find(self, draft: Draft) -> None:
        """Add the sums of a text to its slots."""
        for sign in longest(draft.found.get("sign", ())):
            if match := self._after.match(draft.normal.folded, sign.end):
                _take(draft, self._arabic(match), sign.entry.owner, (sign.start, match.end()), 0.95)
        spent = {cue.end for cue in draft.found.get("cue", ()) if cue.entry.owner == "spend"}
        for unit in longest(draft.found.get("unit", ())):
            if unit.entry.owner:
                self._by_unit(draft, unit, spent)
        self._find_alone(draft)
        self._find_named(draft)
        for end in sorted(spent):
            if match := self._spent.match(draft.normal.folded, end):
                span = match.start("whole"), match.end("scale")
                _take(draft, self._arabic(match), self._currency, span, 0.7)

    def _find_alone(self, draft: Draft) -> None:
        """Read a message that is nothing but a number with its scale as what was asked for: a sum."""
        if len(draft.parts) == 1 and (match := self._alone.fullmatch(draft.normal.folded, *draft.parts[0])):
            _take(draft, self._arabic(match), self._currency, match.span(), 0.4)

    def _find_named(self, draft: Draft) -> None:
        """Read a number with its scale before a word for money ("1.8 wan of refund") as a sum."""
        for match in self._named.finditer(draft.normal.folded):
            start = match.start("whole")
            if not start or draft.normal.folded[start - 1] not in self._about:
                _take(draft, self._arabic(match), self._currency, (start, match.end("scale")), 0.8)

    def _by_unit(self, draft: Draft, unit: Match, spent: set[int]) -> None:
        folded, word = draft.normal.folded, unit.entry.word
        offset = max(0, unit.start - _BEFORE)
        window = folded[offset : unit.start]
        number = self._arabic_before.search(window) or self._chinese_before.search(window)
        if number is None:
            return
        start, end = offset + number.start(), unit.end
        value = self._arabic(number) if "whole" in number.re.groupindex else self._spoken(number.group().strip())
        if value is None or (start and folded[start - 1] in self._about):
            return
        cents = self._cents.match(folded, end) if word in self._loose else None
        if cents:
            value += Decimal(self._digits.get(cents[1]) or int(cents[1])) / 10
            end = cents.end()
        elif word in self._loose and self._digit.match(folded, end):
            return
        paid = any(place in spent for place in range(start - _SPENT, start + 1))
        # The same word counts slabs and slices: without a price around it, it is not money.
        if word in self._loose and not cents and not paid:
            return
        currency = unit.entry.owner if unit.entry.owner != "CNY" else self._currency
        _take(draft, value, currency, (start, end), 0.9)

    def _arabic(self, match: re.Match[str]) -> Decimal:
        number = Decimal(match["whole"].replace(",", "") + (match["part"] or ""))
        return number * self._scales.get(match["scale"] or "", 1)

    def _spoken(self, number: str) -> Decimal | None:
        """Return the value of a Chinese numeral, None for what is no whole numeral: "three five" is an estimate."""
        if self._estimate.search(number):
            return None
        import cn2an  # noqa: PLC0415 # 0.3 s, and most texts have no such numeral

        try:
            return Decimal(str(cn2an.cn2an(number, "smart")))
        except ValueError:
            return None


def _take(draft: Draft, value: Decimal, currency: str, span: tuple[int, int], confidence: float) -> None:
    if draft.free(*span):
        draft.take("amount", f"{value:.2f} {currency}", *span, confidence)
