"""Sums of money. A sum that is not certain is left out: an estimate, one end of a range, a number of something else."""

import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Final

from nlp import lexicon, numerals
from nlp.draft import Draft
from nlp.reckoning import reckoned

#: How far before a number, in characters, what it is a number of may begin.
_BEFORE: Final = 14
_BEFORE_LATIN: Final = 26
#: A bare number below this is hardly a sum.
_LEAST: Final = 10
#: How far around a number, in characters, goods are looked for that it may count.
_AROUND: Final = 40
_MOST: Final = Decimal(10) ** 12
#: From this on a loose unit counts no slabs.
_NO_SLABS: Final = 100
#: How far before a number, in characters, what shows it may stand.
_SHOWN: Final = 40
#: Prices said digit by digit have so many.
_SPOKEN_DIGITS: Final = range(3, 7)
_YEARS: Final = range(1990, 2040)
#: From this on a number in words that is not round is no count.
_EXACT: Final = 1000
_MOST_PIECES: Final = 1000
#: From this on a number that was bought is no size of a mattress.
_LARGE: Final = 10_000
#: From this on a number beside clothes is no size, and one with decimals no temperature of a body.
_NO_SIZE: Final = 300
_NO_FEVER: Final = 45
_NO_DAY: Final = 32
#: From this on a number in words that fills the end of a clause is a sum, where the text names others.
_TENS: Final = 20


class AmountFinder:
    """Finds sums by signs and units, and bare ones where something was paid.

    `currency` is that of a bare sum and of the plain Chinese unit, unless the text speaks for a place of its own.
    """

    def __init__(self, *, currency: str) -> None:
        """Compile the words around numbers."""
        words = lexicon.load().slots
        self._currency = currency
        self._units = {word: code for code, listed in words.units.items() for word in listed}
        self._signs = {word: code for code, listed in words.signs.items() for word in listed}
        pattern, measures = words.patterns, _any(words.measures)
        self._loose, self._split = frozenset(words.loose_units), frozenset(pattern["split"])
        self._no_sums = frozenset(pattern["no_sums"].split())
        self._counts = frozenset((*words.tens, *words.scales))
        self._dollars = {code: re.compile(each) for code, each in words.dollars.items()}
        self._hundred, self._thousand = pattern["hundred"], pattern["thousand"]
        self._pieces, self._pieces_paid = re.compile(pattern["pieces"]), re.compile(pattern["pieces_paid"])
        self._digits, self._scales = words.digits, words.more_scales
        self._number = re.compile(rf"(?<![\d.a-z_/@#{''.join(words.digits)}]){numerals.run()}", re.ASCII)
        self._after_sign = re.compile(rf"\s?({numerals.run()})", re.ASCII)
        self._sign = re.compile(
            rf"(?<![a-z])(?!{pattern['no_sign']})(?:{_any(self._signs, edges=False)})(?=\s?[\d{''.join(words.digits)}])"
        )
        self._unit = re.compile(rf"\s?({_any(self._units)})")
        self._more = re.compile(rf"\s?({_any(words.more_scales)})")
        self._spelt = re.compile(numerals.spelt())
        self._words_of_hundreds = re.compile("|".join((*words.english.scales, *words.english.digits)))
        self._han = re.compile(
            f"[{''.join((*words.digits, *words.tens))}{''.join(each for each in words.scales if not each.isascii())}]"
        )
        filler = rf"(?:{_any(words.filler, edges=False)}){{0,4}}"
        latin = rf"(?:\s?(?:{_any(words.filler_english)})){{0,4}}"
        self._paid = re.compile(rf"(?:{_any(words.paid)}|{pattern['fee']}){filler}$")
        self._shown, self._shown_beside = re.compile(pattern["shown"]), re.compile(pattern["shown_beside"])
        self._that, self._worths = re.compile(pattern["that"]), words.worths
        self._paid_round = re.compile(rf"(?:{_any(words.paid_round)}){filler}$")
        self._per_piece = re.compile(rf"{pattern['per_piece']}(?:{_any(words.measures)})")
        self._paid_english = re.compile(rf"(?:{_any(words.paid_english)}){latin}\s?$")
        self._for_money = re.compile(rf"{pattern['of']}(?:{_any(words.for_money)})")
        self._about = re.compile(rf"(?:{_any(words.about)}|{pattern['about_more']}){pattern['about_tail']}$")
        self._about_after = re.compile(rf"\s?(?:{_any(words.about_after)})")
        self._ranged = re.compile(rf"(?:{numerals.run()}){pattern['range']}$", re.ASCII)
        self._of_year = re.compile(pattern["of_year"])
        self._again, self._again_before = re.compile(pattern["again"]), re.compile(pattern["again_before"])
        self._half_unit = re.compile(pattern["half_unit"])
        self._euro_cents = re.compile(pattern["euro_cents"], re.ASCII)
        self._told = re.compile(pattern["told"])
        self._compared = [
            (re.compile(pattern[told]), re.compile(pattern[topic]), least)
            for told, topic, least in (("fallen", "cheaper", _NO_FEVER), ("usual", "bills", _NO_DAY))
        ]
        self._given_back, self._left_over = re.compile(pattern["given_back"]), re.compile(pattern["left_over"])
        self._any_fee = re.compile(f"(?!{measures}){pattern['any_fee']}")
        self._listed, self._each_of = frozenset(pattern["listed"]), re.compile(pattern["each"])
        self._no_measure = re.compile(rf"\s?(?:{pattern['no_measure']})")
        self._chained = re.compile(pattern["chained"])
        self._half, self._before_alone = re.compile(pattern["half"]), frozenset((*pattern["before_alone"], ""))
        self._faint, self._faint_each = pattern["faint"], re.compile(pattern["faint_each"])
        self._pounds, self._charged = re.compile(pattern["pounds"]), re.compile(pattern["charged"])
        self._minor = re.compile(pattern["minor"].replace("{spelt}", numerals.spelt()), re.ASCII)
        self._grown, self._sales = re.compile(pattern["grown"]), re.compile(pattern["sales"])
        self._priced_goods, self._goods_priced = (
            re.compile(pattern["priced_goods"]),
            re.compile(pattern["goods_priced"]),
        )
        self._no_prices, self._each_surely = re.compile(pattern["no_prices"]), re.compile(pattern["each_surely"])
        self._plus, self._formal = re.compile(pattern["plus"]), re.compile(pattern["formal"])
        self._settled, self._settled_after = re.compile(pattern["settled"]), re.compile(pattern["settled_after"])
        self._piece_price = re.compile(pattern["piece_price"])
        self._before_goods, self._bought_alone = (
            re.compile(pattern["before_goods"]),
            re.compile(pattern["bought_alone"]),
        )
        self._bargain = re.compile(pattern["bargain"])
        self._charged_end, self._corrected = re.compile(pattern["charged_end"]), re.compile(pattern["corrected_sum"])
        self._paid_after = re.compile(pattern["paid_after"])
        self._between = re.compile(pattern["between"])
        self._ranging = re.compile(rf"{pattern['range']}(?:[¥$]|hk\$|nt\$)?{numerals.run()}", re.ASCII)
        self._measure = re.compile(rf"\s?(?:{_any(words.measures)})")
        self._moved = re.compile(rf"(?:{_any(words.moved)}){pattern['moved_tail']}$")
        self._slab = re.compile(rf"(?:{_any(words.slabs)})")
        self._prices = re.compile(rf"$|{words.prices}|{pattern['of']}(?:{_any(words.for_money)})")
        self._alloy, self._priced = pattern["alloy"], re.compile(pattern["priced"])
        small = "".join(digit for digit, worth in words.digits.items() if worth)
        scales = _any(words.scales)
        whole = "".join(set(pattern["split"]) - {*words.small})
        # "19.9 the pair", said as "19 yuan 9 two pieces": the second numeral is that of the pieces.
        self._cents = re.compile(
            rf"([{small}1-9])(?:{'|'.join(words.small)}|(?={_any(words.for_money)})"
            rf"|(?=[{small}](?:{measures}))|(?![\d.{small}]|(?:{scales})|[{whole}]|\s?(?:{measures})))",
            re.ASCII,
        )
        self._uncertain_cents = re.compile(rf"[{small}{pattern['nought']}][{small}](?!{measures})")
        tenth = "|".join(words.small)
        nought = pattern["nought"]
        self._spelt_cents = re.compile(
            rf"{nought}?([{small}1-9])(?:{tenth})(?:{nought}?([{small}1-9])(?!\d|[{small}](?!{measures})))?"
            rf"|({nought})([{small}1-9]){pattern['hundredth']}",
            re.ASCII,
        )
        self._counted_goods, self._price_words = re.compile(pattern["counted"]), re.compile(pattern["price_words"])
        self._plural = re.compile(pattern["plural"])
        self._bought, self._spelt_range = re.compile(pattern["bought"]), re.compile(pattern["spelt_range"])
        self._clause_end, self._no_thousands = re.compile(pattern["clause_end"]), re.compile(pattern["no_thousands"])

    def find(self, draft: Draft, variant: str) -> None:
        """Add the sums of a text to its slots; `variant` (`CN`, `TW`, `HK`, `en`) tells which plain unit it means."""
        folded = draft.normal.folded
        if draft.digits or self._han.search(folded):
            dollar = self._dollar(folded, variant) if "$" in folded else ""
            for sign in self._sign.finditer(folded):
                self._signed(draft, sign, dollar)
            left: list[tuple[Decimal, tuple[int, int]]] = []
            for run in self._number.finditer(folded):
                # Only a half-width comma joins digits; a full-width one ends a clause.
                group = _GROUPED.search(draft.normal.written, max(0, run.start() - 2), run.start())
                if group is None and draft.free(*run.span()):
                    self._counted(draft, run, variant, left)
            self._reckon(draft, left, variant)
        if self._words_of_hundreds.search(folded):
            for said in self._spelt.finditer(folded):
                self._in_words(draft, said)

    def _signed(self, draft: Draft, sign: re.Match[str], dollar: str) -> None:
        folded = draft.normal.folded
        run = self._after_sign.match(folded, sign.end())
        number = numerals.value(run[1]) if run else None
        if run is None or number is None or (sign.group().isascii() and not run[1][0].isdigit()):
            return
        worth, end = self._scaled(folded, number.value, run.end())
        unit = self._unit.match(folded, end)
        if unit and self._units[unit[1]]:
            end = unit.end()
        if self._estimated(folded, sign.start(), end) or self._odd_tail(folded, end):
            return
        code = self._signs[sign.group()]
        if code == "EUR" and (cents := self._euro_cents.match(folded, end)):
            worth, end = worth + Decimal(cents[1]) / 100, cents.end()
        if code == "DOLLAR":
            named = self._units[unit[1]] if unit else ""
            code = named if named not in ("", "OWN", "DOLLAR") else dollar
        self._take(draft, worth, code, (sign.start(), end), 0.95)

    def _counted(
        self, draft: Draft, run: re.Match[str], variant: str, left: list[tuple[Decimal, tuple[int, int]]]
    ) -> None:
        """Read one run of numerals as a sum, if it is one; it is `left` where it may still turn out to be one."""
        folded, start, end = draft.normal.folded, *run.span()
        if self._digits.get(run.group()[-1]) == 0 and run.group()[-2:-1] in self._counts:
            return  # "ten odd": an estimate
        if variant == "HK" and self._in_pieces(draft, run):
            return
        per_piece = False
        single = end - start == 1 and not run.group().isdigit()
        unit = self._unit.match(folded, end)
        if single and unit is None:
            return
        number = numerals.value(run.group())
        if end - start > 1 and (number is None or number.short) and self._per_piece.match(folded, end - 1):
            # "eight hundred each": the last numeral belongs to what follows
            short, number = number is not None, numerals.value(run.group()[:-1])
            per_piece = number is not None and (short or self._each(folded, start, end - 1, number.value))
            end -= per_piece
            unit = None if per_piece else unit
        if number is None and run.group()[-1] in self._digits and _TWO_NUMBERS.search(run.group()):
            # "40 thousand 6 second instalment": a digit in another writing begins another number
            number, end, unit = numerals.value(run.group()[:-1]), end - 1, None
        if number is None and _SPOKEN_DIGITS.stop > end - start >= _SPOKEN_DIGITS.start:
            number = self._spoken_digits(folded, start, end, variant, named=bool(unit and unit[1]))
        if number is None or (number.led and (variant != "HK" or not number.short or run.group() in self._no_sums)):
            return
        if not number.value and not (unit and self._paid.search(folded[max(0, start - _BEFORE) : start])):
            return  # "free of charge" is an offer, "the amount is 0" a sum
        written, whole = folded[start:end], end
        worth, end = self._scaled(folded, number.value, end)
        if end != run.end():
            unit = self._unit.match(folded, end)
        if unit and unit[1]:
            if self._units[unit[1]]:
                self._with_unit(draft, worth, unit, (start, end), variant)
            return
        if self._estimated(folded, start, end) or self._odd_tail(folded, end):
            return
        if folded[start:end] in self._no_sums:
            return
        if worth >= _LEAST and self._is_shown(draft, start, end, worth):
            confidence = 0.6
        elif number.short:
            confidence = 0.75 if self._short_for_money(folded, start, end) else 0.0
        else:
            confidence = 0.7 if per_piece else self._bare(draft, start, end, worth, scaled=_scaled(written))
        if not confidence and folded[whole:end].endswith("grand") and not self._plural.match(folded, end):
            confidence = 0.8
        if not confidence and variant != "en" and self._thousands(folded, start, end):
            confidence = 0.5
        if not confidence and draft.alone(start, end) and _scaled(run.group()) and worth >= _NO_SLABS:
            confidence = 0.4
        if confidence:
            self._take(draft, worth, self._like(draft, variant), (start, end), confidence)
        elif (
            worth >= _LEAST
            and not (worth == int(worth) and int(worth) in _YEARS)
            and self._may_be_money(folded, start, end)
            and not self._plural.match(folded, end)
        ):
            left.append((worth, (start, end)))

    def _in_pieces(self, draft: Draft, run: re.Match[str]) -> bool:
        """Read dollars of Hong Kong and tenths of them: "three pieces eight"."""
        folded, (start, end) = draft.normal.folded, run.span()
        pieces, number = self._pieces.match(folded, end), numerals.value(run.group())
        if pieces is None or number is None or number.led or number.value >= _MOST_PIECES:
            return False
        # So many are hardly counted by halves.
        if number.value < _TENS and not self._pieces_paid.search(folded[max(0, start - _BEFORE) : start]):
            return False
        tenths = Decimal(self._digits[pieces["tenth"]] if pieces["tenth"] else 5)
        self._take(draft, number.value + tenths / 10, "HKD", (start, pieces.end()), 0.7)
        return True

    def _reckon(self, draft: Draft, left: list[tuple[Decimal, tuple[int, int]]], variant: str) -> None:
        """Read the bare numbers that reckon up with the sums of the text."""
        known = [Decimal(slot.value.split()[0]) for slot in draft.slots if slot.name == "amount"]
        half = self._half.search(draft.normal.folded) is not None
        if len(draft.currencies) == 1:
            before = [draft.normal.folded[max(0, start - _BEFORE) : start] for _, (start, _) in left]
            over = [self._left_over.search(each) is not None for each in before]
            bare = [(worth, each) for (worth, _), each in zip(left, over, strict=True)]
            for at in reckoned(known, bare, half=half):
                self._take(draft, left[at][0], self._like(draft, variant), left[at][1], 0.5)

    def _each(self, folded: str, start: int, end: int, worth: Decimal) -> bool:
        """Tell whether a number before "a night", "a month" is what one costs."""
        first, last = max(0, start - _AROUND), end + _AROUND
        return (
            worth >= _LEAST
            and not (folded[start:end].isdigit() and int(worth) in _YEARS)
            and (
                worth != int(worth)
                or self._price_words.search(folded, first, last) is not None
                or (worth >= _NO_FEVER and self._each_surely.match(folded, end) is not None)
            )
            and self._moved.search(folded[max(0, start - _BEFORE) : start]) is None
        )

    def _spoken_digits(self, folded: str, start: int, end: int, variant: str, *, named: bool) -> numerals.Number | None:
        """Read a price said digit by digit, "three nine nine", where it was paid or a unit follows.

        In Hong Kong "hundred nine eight" is one, too, and "thousand nine eight", but "hundred seven eight" an estimate.
        """
        digits = [self._digits.get(each) for each in folded[start:end]]
        led = variant == "HK" and folded[start] in (self._hundred, self._thousand)
        if led and len(digits) == _SPOKEN_DIGITS.start:
            digits[0] = 1 if (digits[1] or 0) + 1 != digits[2] else None
            digits += [0] * (folded[start] == self._thousand)
        paid = self._paid.search(folded[max(0, start - _BEFORE) : start]) or self._goods_priced.match(folded, end)
        if not digits[0] or None in digits or not (named or paid):
            return None
        return numerals.Number(Decimal("".join(map(str, digits))))

    def _with_unit(
        self, draft: Draft, worth: Decimal, unit: re.Match[str], span: tuple[int, int], variant: str
    ) -> None:
        folded, (start, _), end = draft.normal.folded, span, unit.end()
        single = span[1] - start == 1 and not folded[start].isdigit()
        word = unit[1]
        cents = None
        if word == self._faint and not (
            folded[unit.start()] != " "
            and worth == int(worth) < _NO_SLABS
            and (
                "GBP" in draft.currencies
                or self._faint_each.match(folded, end)
                or self._paid_english.search(folded[max(0, start - _BEFORE_LATIN) : start])
            )
        ):
            return  # pages, and pictures
        if self._pounds.fullmatch(word) and worth == int(worth):
            minor, end = self._with_minor(folded, end)
            worth += minor
        elif self._units[word] in ("OWN", "HKD", "TWD") and worth == int(worth):
            cents = self._spelt_cents.match(folded, end)
            if cents is None and word[0] in self._split:
                cents = self._cents.match(folded, end)
        if word in self._worths and cents and not cents[0][-1].isdigit() and cents[0][-1] not in self._digits:
            return  # "five cents, five cents, each time"
        if word[0] in self._split and not cents and self._uncertain_cents.match(folded, end):
            return
        if not cents and folded[start:end] in self._no_sums:
            return
        if cents:
            tenths, *rest = (Decimal(self._digits.get(each, each)) for each in cents.groups() if each)
            worth += tenths / 10 + (rest[0] / 100 if rest else 0)
            end = cents.end()
        elif half := self._half_unit.match(folded, end):
            worth, end = worth + Decimal("0.5"), half.end()
        worth *= self._worths.get(word, 1)
        paid = bool(self._paid.search(folded[max(0, start - _BEFORE) : start]))
        if single and not paid and word == self._alloy and not self._priced.match(folded, end):
            return
        if word in self._loose and not cents and not paid:
            # The same word counts slabs and slices.
            each = single and self._piece_price.match(folded, end)
            few = worth < _LEAST if folded[start].isdigit() else single or worth < _NO_SLABS
            unpriced = few and not each and (single or not self._prices.match(folded, end))
            small = unpriced and not self._said_money(word)
            if small or self._slab.match(folded, end):
                return
        if word in self._loose and not cents and worth < _NO_SLABS and self._slab.match(folded, end):
            return
        if self._estimated(folded, start, end) or self._odd_tail(folded, end):
            return
        self._take(draft, worth, self._code(folded, word, variant), (start, end), 0.9)

    def _bare(self, draft: Draft, start: int, end: int, worth: Decimal, *, scaled: bool) -> float:
        """Tell how surely a number without any unit is a sum: something was paid, or the word for it follows."""
        folded = draft.normal.folded
        year = not scaled and int(worth) in _YEARS
        named = self._for_money.match(folded, end) is not None and not (year and self._of_year.match(folded, end))
        if not year and folded[start - 1 : start] in self._listed and self._any_fee.match(folded, end):
            return 0.65
        if not (named or self._may_be_money(folded, start, end)) or (worth < _LEAST and worth == int(worth)):
            return 0.0
        if named and (scaled or worth >= _NO_SLABS or worth != int(worth)):
            return 0.7
        window = folded[max(0, start - _BEFORE) : start]
        if scaled and worth >= _NO_SLABS and len(self._formal.findall(folded[start:end])) > 1:
            return 0.7
        if (
            worth >= _TENS
            and not year
            and self._settled_after.match(folded, end)
            and self._settled.search(window)
            and not folded.isascii()
        ):
            return 0.5
        given = self._paid_after.match(folded, end) if draft.currencies and not year else None
        if given and worth >= _LEAST and self._clause_end.match(folded, given.end()):
            return 0.6
        if not year and (self._is_given_back(folded, start, end, worth) or self._is_each(folded, start, end, worth)):
            return 0.6
        if self._paid.search(window):
            return 0.0 if year and folded[end : end + 1] in ("", " ") else 0.7
        if (
            scaled
            and worth >= _NO_SLABS
            and (self._round(folded, start, end, worth, window) or (draft.currencies and self._that.search(window)))
        ):
            return 0.6
        priced = draft.currencies or self._price_words.search(folded, max(0, start - _AROUND), end + _AROUND)
        if priced and worth > 1 and _CENTS.search(folded[start:end]) and self._paid_round.search(window):
            return 0.6
        if draft.currencies and worth >= _NO_SLABS and self._grown.search(window):
            return 0.6
        around = folded[max(0, start - _AROUND) : end + _AROUND]
        grouped = "," in folded[start:end] and self._clause_end.match(folded, end) and not folded.isascii()
        if priced and grouped and not self._counted_goods.search(around):
            return 0.5
        if not year and self._is_chained(draft, start, end, worth):
            return 0.6
        if not year and any(
            told.search(window) and topic.search(around) and worth >= least for told, topic, least in self._compared
        ):
            return 0.6
        if priced and not year and self._told.search(window) and not self._no_prices.fullmatch(folded, start, end):
            return 0.0 if folded[end - 1] in "kw" else 0.6  # pictures and watts are promised, too
        if not year and self._priced_beside(folded, start, end, worth):
            return 0.5
        if self._plural.match(folded, end):
            return 0.0
        if self._paid_english.search(folded[max(0, start - _BEFORE_LATIN) : start]):
            return 0.65
        return 0.0

    def _is_given_back(self, folded: str, start: int, end: int, worth: Decimal) -> bool:
        """Tell whether a number is what is to be given back: "the 40 too much back to me", "198 for nothing"."""
        if not self._given_back.match(folded, end):
            return False
        before = folded[max(0, start - _BEFORE) : start]
        if self._left_over.search(before):
            return True
        alone = before.rstrip()[-1:] in self._before_alone
        return alone and worth >= _NO_FEVER and self._no_prices.fullmatch(folded, start, end) is None

    def _is_chained(self, draft: Draft, start: int, end: int, worth: Decimal) -> bool:
        """Tell whether a number is joined to a sum and as exact: "39.9 and 19.9"."""
        folded, first = draft.normal.folded, max(0, start - _JOINED)
        joined = self._chained.search(folded[first:start])
        return (
            joined is not None
            and first + joined.start() in draft.sums
            and (worth != int(worth) or (worth >= _NO_SIZE and self._clause_end.match(folded, end) is not None))
        )

    def _is_each(self, folded: str, start: int, end: int, worth: Decimal) -> bool:
        """Tell whether a number after "a box" is its price and not how much is in it: that is no odd number."""
        written = folded[start:end]
        odd = worth % _LEAST != 0 or "," in written or (_scaled(written) and worth % (_NO_SLABS // 2) != 0)
        return (
            (worth >= _NO_SLABS if worth == int(worth) else bool(_CENTS.search(written)))
            and odd
            and self._clause_end.match(folded, end) is not None
            and self._no_prices.fullmatch(written) is None
            and self._each_of.search(folded[max(0, start - _BEFORE) : start]) is not None
        )

    def _priced_beside(self, folded: str, start: int, end: int, worth: Decimal) -> bool:
        """Tell whether a number is the price of the goods beside it, or fills a clause as only prices do."""
        written = folded[start:end]
        if self._clause_end.match(folded, end):
            before = folded[max(0, start - _BEFORE) : start]
            if (
                worth >= _LARGE
                and not _scaled(written)
                and worth % _NO_SLABS == 0
                and self._before_goods.search(before)
            ):
                return True
            if worth >= _NO_SLABS and not self._no_prices.fullmatch(written) and self._bought_alone.search(before):
                return True
            alone = before.rstrip()[-1:] in ("", ",", ";", "!", "?", "。")
            if alone and worth >= _EXACT and worth % _NO_SLABS and _scaled(written) and not written[0].isdigit():
                return True
            if (
                self._sales.search(written)
                and worth >= _NO_FEVER
                and before.rstrip()[-1:] in ("", ",", ";", "!", "?", "。")
            ):
                return not folded.isascii()
            goods = self._priced_goods.search(before)
            least = _NO_SIZE if goods and goods["wear"] else _NO_SLABS
        else:
            goods, least = self._goods_priced.match(folded, end), _NO_SIZE
        return goods is not None and worth >= least and self._no_prices.fullmatch(written) is None

    def _round(self, folded: str, start: int, end: int, worth: Decimal, window: str) -> bool:
        """Tell whether a number, "two thousand" without anything counted, is a sum by a looser word before it.

        One as exact as 4080 counts nothing that has no name.
        """
        if folded[start:end].isascii() or self._paid_round.search(window) is None:
            return False
        if worth >= _EXACT and worth % _NO_SLABS:
            return True
        first, last = max(0, start - _AROUND), end + _AROUND
        return not self._counted_goods.search(folded, first, last) or bool(
            self._price_words.search(folded, first, last)
        )

    def _is_shown(self, draft: Draft, start: int, end: int, worth: Decimal) -> bool:
        """Tell whether a bill or a till shows a number as a sum: no year, no long number, nothing counted."""
        folded = draft.normal.folded
        if self._measure.match(folded, end) or self._plural.match(folded, end):
            return False
        written, window = folded[start:end], folded[max(0, start - _SHOWN) : start]
        cents = _CENTS.search(written) is not None
        if self._shown.search(window):
            plain = _PLAIN.fullmatch(written) and not (written.isdigit() and int(worth) in _YEARS)
            return cents or _scaled(written) or (bool(plain) and (draft.language != "en" or bool(draft.currencies)))
        return cents and bool(draft.currencies) and self._shown_beside.search(window) is not None

    def _thousands(self, folded: str, start: int, end: int) -> bool:
        """Tell whether a number of thousands, "3k", ends a clause as a price does; a sharp picture is no price."""
        return (
            folded[end - 1] == "k"
            and self._clause_end.match(folded, end) is not None
            and self._no_thousands.fullmatch(folded, start, end) is None
            and self._bought.search(folded, max(0, start - _AROUND), start) is not None
            and self._may_be_money(folded, start, end)
        )

    def _said_money(self, word: str) -> bool:
        return len(word) > 1 and not word.isascii()

    def _short_for_money(self, folded: str, start: int, end: int) -> bool:
        """Tell whether a number with its last scale left out is a sum: hardly where goods are counted and not paid."""
        if self._for_money.match(folded, end):
            return True
        if not self._may_be_money(folded, start, end):
            return False
        before = folded[max(0, start - _BEFORE) : start]
        if self._paid.search(before) or self._each_of.search(before):
            return True
        first, last = max(0, start - _AROUND), end + _AROUND
        return not self._counted_goods.search(folded, first, last) or bool(
            self._price_words.search(folded, first, last)
        )

    def _may_be_money(self, folded: str, start: int, end: int) -> bool:
        """Tell whether neither a measure follows nor something else than a price stands before."""
        measured = self._measure.match(folded, end) and not self._no_measure.match(folded, end)
        if measured or self._moved.search(folded[max(0, start - _BEFORE) : start]):
            return False
        return not (start and folded[start - 1] in "-.·" and start > 1 and not folded[start - 2].isspace())

    def _in_words(self, draft: Draft, said: re.Match[str]) -> None:
        folded, (start, end) = draft.normal.folded, said.span()
        split = numerals.price_said(said.group())
        worth = split or numerals.spelt_value(said.group())
        if worth is None or not draft.free(start, end) or self._estimated(folded, start, end):
            return
        before = folded[max(0, start - _BEFORE_LATIN) : start]
        if before.rstrip()[-1:].isdigit() or self._spelt_range.search(before):  # the last word of a longer number
            return
        unit = self._unit.match(folded, end)
        if unit and self._units[unit[1]] not in ("", "OWN"):
            if (worth < _LEAST and unit[1] in self._loose) or unit[1] == self._faint:
                return
            end = unit.end()
            if self._pounds.fullmatch(unit[1]):
                minor, end = self._with_minor(folded, end)
                worth += minor
            worth *= self._worths.get(unit[1], 1)
            self._take(draft, worth, self._code(folded, unit[1], "en"), (start, end), 0.9)
        elif not self._plural.match(folded, end) and (
            said.group().endswith(" grand")
            or (worth >= _NO_SLABS and self._paid_english.search(before))
            or (
                worth >= _TENS
                and draft.currencies
                and self._charged.search(before)
                and (self._clause_end.match(folded, end) or self._charged_end.match(folded, end))
            )
            or (split and self._charged.search(before))
            or (worth >= _LEAST and self._corrects_sum(draft, start, before))
        ):
            self._take(draft, worth, self._like(draft, "en"), (start, end), 0.8)

    def _corrects_sum(self, draft: Draft, start: int, before: str) -> bool:
        """Tell whether a number is what a sum right before it should have been: "forty dollars, no wait, fifty"."""
        correction = self._corrected.search(before)
        return correction is not None and any(
            start - _SHOWN <= each <= start - len(before) + correction.start() for each in draft.sums
        )

    def _with_minor(self, folded: str, end: int) -> tuple[Decimal, int]:
        """Return the pence and the end of "pounds fifty", none where what follows is a number of something."""
        minor = self._minor.match(folded, end)
        if minor is None or self._plural.match(folded, minor.end()):
            return Decimal(), end
        worth = Decimal(minor["digits"]) if minor["digits"] else numerals.spelt_value(minor["words"])
        return (worth / 100, minor.end()) if worth and worth < _NO_SLABS else (Decimal(), end)

    def _scaled(self, folded: str, worth: Decimal, end: int) -> tuple[Decimal, int]:
        more = self._more.match(folded, end)
        return (worth * self._scales[more[1]], more.end()) if more else (worth, end)

    def _estimated(self, folded: str, start: int, end: int) -> bool:
        """Tell whether a sum is an estimate, or one end of a range."""
        before = folded[max(0, start - _BEFORE) : start]
        return bool(
            self._about.search(before)
            or self._ranged.search(before)
            or (start and self._bargain.match(folded, start - 1))
            or self._again.match(folded, end - 1)
            or self._again_before.search(folded[max(0, start - _BEFORE) : end])
            or self._between.search(folded[max(0, start - _BEFORE_LATIN) : start])
            or self._about_after.match(folded, end)
            or self._plus.match(folded, end)
            or self._ranging.match(folded, end)
        )

    def _odd_tail(self, folded: str, end: int) -> bool:
        """Tell whether more of a code follows: `12-3`, `5g`, `8:30`."""
        return bool(_TAIL.match(folded, end))

    def _like(self, draft: Draft, variant: str) -> str:
        """Return the currency of a bare sum: that of the others of the text, where they have one."""
        return next(iter(draft.currencies)) if len(draft.currencies) == 1 else self._own(variant)

    def _dollar(self, folded: str, variant: str) -> str:
        """Return whose dollar is meant: that of the place the text tells; "" where that is open."""
        if variant in ("HK", "TW"):
            return self._own(variant)
        told = [code for code, place in self._dollars.items() if place.search(folded)] or ["USD"]
        return told[0] if len(told) == 1 else ""

    def _code(self, folded: str, unit: str, variant: str) -> str:
        """Return the currency that a unit after a sum means."""
        code = self._units[unit]
        if code == "DOLLAR":
            return self._dollar(folded, "en")
        return self._own(variant) if code == "OWN" else code

    def _own(self, variant: str) -> str:
        return {"HK": "HKD", "TW": "TWD"}.get(variant, self._currency)

    def _take(self, draft: Draft, worth: Decimal, code: str, span: tuple[int, int], confidence: float) -> None:
        if not code:
            draft.block(*span)
        elif worth < _MOST and draft.free(*span):
            draft.currencies.add(code)
            draft.sums.add(span[1])
            draft.take("amount", f"{worth:.2f} {code}", *span, confidence)


def _scaled(numeral: str) -> bool:
    """Tell whether a number is more than digits: it has a scale."""
    return not all((each.isdigit() and each.isascii()) or each in ".," for each in numeral)


#: As long, in characters, are the words that join two sums at most.
_JOINED: Final = 6
_TWO_NUMBERS: Final = re.compile(r"[^\d.,]\d[^\d.,]$", re.ASCII)
_GROUPED: Final = re.compile(r"\d,$")
_CENTS: Final = re.compile(r"\.\d\d$", re.ASCII)
_PLAIN: Final = re.compile(r"[1-9]\d{0,2}(?:,\d{3})+|[1-9]\d{1,5}(?:\.\d)?", re.ASCII)
_TAIL: Final = re.compile(r"[a-z_@]|[-.:/]\d|,\d{3}(?!\d)", re.ASCII)


def _any(words: Iterable[str], *, edges: bool = True) -> str:
    """Return a pattern for any of these words, the longest first, Latin ones at word boundaries where `edges`."""
    ordered = sorted(words, key=len, reverse=True)
    return "|".join(_edged(each) if edges and each[-1:].isascii() else re.escape(each) for each in ordered)


def _edged(word: str) -> str:
    begin = "(?<![a-z])" if word[0].isalpha() else ""
    end = "(?![a-z])" if word[-1].isalpha() else ""
    return f"{begin}{re.escape(word)}{end}"
