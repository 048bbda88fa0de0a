"""Codes: numbers of orders, waybills, contracts, batches, plates and identity cards, models, WeChat ids."""

import re
from typing import Final

from nlp import lexicon, numerals
from nlp.draft import Draft
from nlp.matcher import Match, longest

_CODE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_/-]{0,39}")
_WECHAT: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]{5,19}(?![A-Za-z0-9])")
_RESIDENT: Final = re.compile(r"(?<![0-9A-Za-z])\d{6} ?\d{8} ?\d{3}[\dXx](?![0-9A-Za-z])", re.ASCII)
#: What counts as a code, in digits and in characters.
_LONG_DIGITS: Final = 5
_FEW_DIGITS: Final = 3
_SHORT_CODE: Final = 4
_WAYBILL_DIGITS: Final = 8
_ORDER_DIGITS: Final = 10
_ORDER_CODE: Final = 6
#: How far from a number, in characters, the word for what it is may stand.
_NEAR: Final = 16
#: A text speaks of a parcel within so many characters of a number.
_PARCEL: Final = 40
#: A page of these characters holds a code at most so long.
_PRIVATE_TAIL: Final = 4


class CodeFinder:
    """Finds codes by the words that announce them, by what follows them, and by their own shape."""

    def __init__(self) -> None:
        """Compile the patterns."""
        words = lexicon.load().slots
        patterns = words.patterns
        self._batch = re.compile(patterns["batch_code"])
        self._groups, self._headed = (
            re.compile(patterns["in_groups"], re.ASCII),
            re.compile(patterns["contract_headed"]),
        )
        self._gap, self._gap_shown = re.compile(patterns["gap"]), re.compile(patterns["gap_shown"])
        self._loose_gap, self._dated = re.compile(patterns["loose_gap"]), re.compile(patterns["dated"])
        self._weak = frozenset(words.weak)
        self._waybill, self._formal = re.compile(patterns["waybill"]), re.compile(patterns["contract_formal"])
        self._posted, self._order_sign = re.compile(patterns["posted"]), re.compile(patterns["order_sign"])
        self._id_said = re.compile(patterns["id_said"])
        self._ids = [re.compile(patterns[name]) for name in ("id_card_hk", "id_card_tw")]
        self._foreign = re.compile(patterns["passport"])
        self._after = [
            (name, re.compile(patterns[key]))
            for name, key in (
                ("order_no", "order_after"),
                ("contract_no", "contract_after"),
                ("tracking_no", "waybill_after"),
                ("batch", "batch_after"),
            )
        ]
        self._plates = [re.compile(patterns["plate_cn"]), re.compile(patterns["plate_cn_dated"])]
        taiwan, hong_kong = re.compile(patterns["plate_tw"]), re.compile(patterns["plate_hk"])
        self._shaped_plates = {
            "TW": ((True, taiwan), (False, hong_kong)),
            "HK": ((True, hong_kong), (False, taiwan)),
            "en": ((True, re.compile(patterns["plate_gb"])), (False, re.compile(patterns["plate_us"]))),
        }
        self._car, self._plate_said = re.compile(patterns["car"]), re.compile(patterns["plate_said"])
        self._model_more = re.compile(patterns["model_more"])
        self._ordered = re.compile(patterns["model_ordered"])
        self._no_model, self._no_code = re.compile(patterns["model_not"]), re.compile(patterns["no_code"])
        self._at_goods = re.compile(patterns["model_at_goods"].replace("{goods}", patterns["goods"]))
        self._goods, self._model_alone = re.compile(patterns["model_goods"]), re.compile(patterns["model_alone"])
        self._family, self._bare_model = re.compile(patterns["family"]), re.compile(patterns["model_bare"])

    def find_id_cards(self, draft: Draft) -> None:
        """Read identity numbers: those whose check digit is right, and those that are announced."""
        if not draft.digits:
            return
        plain, folded = draft.normal.plain, draft.normal.folded
        for match in _RESIDENT.finditer(plain):
            number = match.group().replace(" ", "")
            checks = _checks(number)
            if checks or (_has_birthday(number) and self._said(self._id_said, folded, match.start())):
                draft.take("id_card", starred_id(number), *match.span(), 1.0 if checks else 0.9)
        for pattern in self._ids:
            for match in pattern.finditer(plain):
                if draft.free(*match.span()) and self._said(self._id_said, folded, match.start()):
                    draft.take("id_card", starred_id(match.group()), *match.span(), 0.9)

    def find_announced(self, draft: Draft) -> None:
        """Read the code after a word that announces one: an order, a waybill, a model, a WeChat id, an id card."""
        plain, folded = draft.normal.plain, draft.normal.folded
        for match in self._waybill.finditer(plain) if draft.digits else ():
            self._take(draft, "tracking_no", match.group(), match.start(), 0.85)
        for cue in longest((*draft.found.get("cue", ()), *draft.found.get("carrier", ()))):
            name = cue.entry.owner
            if name in ("phone", "wechat"):
                continue
            if cue.entry.role == "carrier":
                gap = self._loose_gap.match(folded, cue.end)
                code = self._code_at(draft, "tracking_no", gap.end() if gap else cue.end)
                written = code.group().replace(" ", "") if code else ""
                if code and written.isalnum() and sum(map(str.isdigit, written)) >= _WAYBILL_DIGITS:
                    self._take(draft, "tracking_no", code.group(), code.start(), 0.85)
                continue
            weak = cue.entry.word in self._weak
            if name == "contract_no" and (formal := self._formal_number(draft, cue)):
                self._take(draft, name, plain[formal.start() : formal.end()], formal.start(), 0.9)
                continue
            code = self._announced(draft, cue, weak=weak)
            if code is None:
                gap = self._gap.match(folded, cue.end)
                said = numerals.digits_said(folded, gap.end() if gap else cue.end) if name in _UNDATED else None
                if said and draft.free(*said.span):
                    draft.take(name, said.digits, *said.span, 0.8)
                continue
            value = code.group().rstrip("-_/")
            if name == "model":
                value = self._whole_model(draft, code.start(), value)
            if name == "order_no" and self._is_waybill(draft, value, cue.start, weak=weak):
                name = "tracking_no"
            if name != "id_card":
                self._take(draft, name, value, code.start(), 0.9)
            elif self._foreign.fullmatch(value) or (value.isdigit() and len(value) in _ID_LENGTHS):
                start = code.start()
                if draft.free(start, start + len(value)):
                    draft.take(name, starred_id(value), start, start + len(value), 0.9)

    def _formal_number(self, draft: Draft, cue: Match) -> re.Match[str] | None:
        """Return a number as offices give it that a word announces, with its year and the name of its series."""
        folded = draft.normal.folded
        gap = self._gap.match(folded, cue.end)
        start = gap.end() if gap else cue.end
        bracket = start > cue.end and folded[start - 1] in "(["
        if bracket and (formal := self._formal.match(folded, start - 1)):
            return formal
        return self._formal.match(folded, start) or self._headed.match(folded, start)

    def _code_at(self, draft: Draft, name: str, start: int) -> re.Match[str] | None:
        """Return the code that stands at a place, a number in groups as a whole: "7702 5518 0034 6"."""
        plain = draft.normal.plain
        if name == "batch":
            return self._batch.match(plain, start)
        groups = self._groups.match(plain, start) if name in _UNDATED else None
        if groups is None or sum(map(str.isdigit, groups.group())) > _MOST_DIGITS:
            return _CODE.match(plain, start)
        if _GROUPED.match(draft.normal.written, groups.end()):
            return None
        last = groups.group().rpartition(" ")[2]
        # "order 4471 60 lamps": the last group may count what follows.
        counts = _NOUN.match(plain, groups.end()) and len(last) < _SHORT_CODE and last[0] != "0"
        return _CODE.match(plain, start) if counts and groups.group().count(" ") == 1 else groups

    def _announced(self, draft: Draft, cue: Match, *, weak: bool) -> re.Match[str] | None:
        """Return the code that a word announces, with nothing between them but that it is so, or is written so."""
        name = cue.entry.owner
        for gap in (self._gap, self._gap_shown)[: 2 if name == "batch" or not weak else 1]:
            between = gap.match(draft.normal.folded, cue.end)
            code = self._code_at(draft, name, between.end() if between else cue.end)
            value = code.group().rstrip("-_/") if code else ""
            if code is None or not _is_code(name, value.replace(" ", ""), weak=weak):
                continue
            if name in _UNDATED and (self._dated.fullmatch(value) or self._is_number(draft, value, code.end())):
                continue
            return code
        return None

    def _is_number(self, draft: Draft, value: str, end: int) -> bool:
        """Tell whether digits are a sum or a number of things: "this order of 12800 yuan"."""
        return value.isdigit() and self._no_code.match(draft.normal.folded, end) is not None

    def find_known(self, draft: Draft, variant: str) -> None:
        """Read codes by their own shape, or by what is said after them."""
        if not draft.digits:
            return
        plain, folded = draft.normal.plain, draft.normal.folded
        self._find_plates(draft, variant)
        for sign in self._order_sign.finditer(folded):
            if code := self._code_at(draft, "order_no", sign.end()):
                self._take(draft, "order_no", code.group(), code.start(), 0.8)
        for match in _CODE.finditer(plain):
            value = match.group().rstrip("-_/")
            digits = sum(map(str.isdigit, value))
            if digits < _SHORT_CODE or not draft.free(match.start(), match.end()):
                continue
            for name, pattern in self._after:
                if digits < _LONG_DIGITS and (name != "batch" or value.isdigit()):
                    continue
                if pattern.match(folded, match.end()) and (not value.isdigit() or digits >= _ORDER_CODE + 2):
                    self._take(draft, name, value, match.start(), 0.8)
                    break

    def find_models(self, draft: Draft) -> None:
        """Read names of models that nobody announced, by their shape."""
        if not draft.digits:
            return
        plain = draft.normal.plain
        if any(slot.name == "model" and draft.alone(slot.start, slot.end) for slot in draft.slots):
            return
        for match in self._family.finditer(draft.normal.folded):
            if draft.free(*match.span()):
                draft.take("model", plain[match.start() : match.end()], *match.span(), 0.6)
        if any(slot.name == "model" for slot in draft.slots):
            for match in self._bare_model.finditer(plain):
                if self._said(self._ordered, draft.normal.folded, match.start()):
                    self._take(draft, "model", match.group(), match.start(), 0.5)
            return
        for match in self._at_goods.finditer(draft.normal.folded):
            start, end = match.span(match.lastgroup or 0)
            name = self._whole_model(draft, start, plain[start:end])
            if draft.free(start, start + len(name)):
                draft.take("model", name, start, start + len(name), 0.5)
        for match in self._bare_model.finditer(plain):
            if draft.free(*match.span()) and not self._said(self._no_model, draft.normal.folded, match.start()):
                self._take(draft, "model", self._whole_model(draft, match.start(), match.group()), match.start(), 0.5)
        for match in self._model_alone.finditer(plain):
            if self._goods.search(draft.normal.folded):
                self._take(draft, "model", match.group(), match.start(), 0.5)

    def _find_plates(self, draft: Draft, variant: str) -> None:
        plain, folded = draft.normal.plain, draft.normal.folded
        for pattern in self._plates:
            for match in pattern.finditer(plain.upper() if len(plain.upper()) == len(plain) else plain):
                self._take_plate(draft, match, 0.9)
        # One that is announced may be of another place than the text.
        driving = self._car.search(folded) is not None
        for own, pattern in self._shaped_plates.get(variant, ()):
            for match in pattern.finditer(plain):
                said = self._said(self._plate_said, folded, match.start())
                if said or (own and driving):
                    self._take_plate(draft, match, 0.9 if said else 0.6)

    def _take_plate(self, draft: Draft, match: re.Match[str], confidence: float) -> None:
        written = match.group()
        value = written.replace(" ", "") if written[0].isascii() else "".join(filter(str.isalnum, written))
        if draft.free(*match.span()) and any(map(str.isdigit, value)):
            draft.take("plate", value, *match.span(), confidence)

    def _is_waybill(self, draft: Draft, value: str, start: int, *, weak: bool) -> bool:
        """Tell whether a plain "number" is that of a parcel: by its shape, or by what the text speaks of."""
        value = value.replace(" ", "")
        if self._waybill.fullmatch(value):
            return True
        folded = draft.normal.folded
        near = folded[max(0, start - _PARCEL) : start + _PARCEL]
        bare = not weak and folded[max(0, start - 1) : start + 2].endswith(
            lexicon.load().slots.patterns["plain_number"]
        )
        digits = value.lstrip(_CAPITALS)
        short = len(value) - len(digits) <= _PREFIX
        return (
            bare
            and digits.isdigit()
            and short
            and len(digits) >= _ORDER_DIGITS
            and self._posted.search(near) is not None
        )

    def _whole_model(self, draft: Draft, start: int, value: str) -> str:
        """Return the name of a model with the words that belong to it: "XPS 13", "S9+"."""
        end = start + len(value)
        for _ in range(_MODEL_WORDS):
            more = self._model_more.match(draft.normal.folded, end)
            if more is None:
                break
            end = more.end()
        if draft.normal.plain[end : end + 1] == "+":
            end += 1
        return draft.normal.plain[start:end]

    def _said(self, pattern: re.Pattern[str], folded: str, start: int) -> bool:
        return pattern.search(folded, max(0, start - _NEAR), start) is not None

    def _take(self, draft: Draft, name: str, value: str, start: int, confidence: float) -> None:
        if draft.free(start, start + len(value)):
            whole = value.replace(" ", "") if name in _UNDATED else value
            draft.take(name, whole, start, start + len(value), confidence)


_MODEL_WORDS: Final = 3
#: A waybill number may begin with so many letters.
_CAPITALS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_PREFIX: Final = 3
#: Codes that are no dates; those of batches may be.
_UNDATED: Final = frozenset({"order_no", "contract_no", "tracking_no"})
_MOST_DIGITS: Final = 16
_GROUPED: Final = re.compile(r",\d", re.ASCII)
_NOUN: Final = re.compile(r" [A-Za-z]")
_ID_LENGTHS: Final = (15, 18)


def wechat_id(plain: str, start: int) -> re.Match[str] | None:
    """Return the WeChat id that stands at a place, None if there is none."""
    return _WECHAT.match(plain, start)


def starred_id(number: str) -> str:
    """Return an identity number of which only the last four characters are left."""
    return "*" * (len(number) - _PRIVATE_TAIL) + number[-_PRIVATE_TAIL:]


def _is_code(name: str, value: str, *, weak: bool) -> bool:
    """Tell whether what follows an announcement can be what it announces. "order 60 lamps" announces nothing."""
    digits = sum(map(str.isdigit, value))
    if name == "model":
        return digits > 0 or (len(value) > 1 and value.isupper())
    if value.isdigit():
        return digits >= (_LONG_DIGITS if weak else _FEW_DIGITS)
    return digits >= (2 if weak else 1) and len(value) >= _SHORT_CODE


def _checks(number: str) -> bool:
    """Tell whether the last character of a resident identity number is its check digit (GB 11643-1999)."""
    weights = [2 ** (17 - place) % 11 for place in range(17)]
    total = sum(weight * int(digit) for weight, digit in zip(weights, number, strict=False))
    return "10X98765432"[total % 11] == number[-1].upper()


def _has_birthday(number: str) -> bool:
    """Tell whether the digits in the middle of a number are a day, as those of a resident identity number are."""
    year, month, day = int(number[6:10]), int(number[10:12]), int(number[12:14])
    return 1900 <= year <= 2100 and 1 <= month <= 12 and 1 <= day <= 31  # noqa: PLR2004 # a century, a month, a day
