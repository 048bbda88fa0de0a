"""Telephone numbers in their international form."""

import re
from bisect import bisect_left
from functools import cache
from typing import Final

import phonenumbers

from complaints.reading import Slot
from nlp import lexicon, numerals
from nlp.codes import wechat_id
from nlp.draft import Draft
from nlp.matcher import longest
from nlp.places import country_of

_PHONE: Final = re.compile(r"(?<![0-9A-Za-z@._/-])(?:\+|00)?\(?\d(?:[ ().-]{0,2}\d){6,17}(?![0-9A-Za-z@])", re.ASCII)
_PIECE: Final = re.compile(r"\S+")
#: An extension written with a sign and not with a word.
_TAIL: Final = re.compile(r"[-#]\d{1,5}$", re.ASCII)
#: How far before a number, in characters, the word that announces it may end.
_ANNOUNCED: Final = 6

_LANDLINE_CN = re.compile(r"0\d{9,11}")
#: An area code set apart from the number: "0571-8702 3316", "(04) 2358 7716".
_SET_APART: Final = re.compile(r"\(?0\d{1,3}\)?[ -]{0,2}\d{3,4}[ -]?\d{4}", re.ASCII)
_APART: Final = re.compile(r"\(0\d{1,3}\)|0\d{1,3}[ -]", re.ASCII)
_MOBILE_TW = re.compile(r"09\d{8}")
_HONG_KONG = re.compile(r"[235679]\d{7}")
_HONG_KONG_WRITTEN: Final = re.compile(r"[235679]\d{3}[ -]?\d{4}", re.ASCII)
_BRITISH_MOBILE: Final = re.compile(r"07\d{9}")
#: As only a British mobile number is spaced.
_BRITISH_SPACED: Final = re.compile(r"07\d{3}[ .]\d{3}[ .]?\d{3}", re.ASCII)
#: So are Australian mobile numbers, and Indian ones.
_AUSTRALIAN_SPACED: Final = re.compile(r"04\d\d \d{3} \d{3}", re.ASCII)
_INDIAN_SPACED: Final = re.compile(r"[6-9]\d{4} \d{5}", re.ASCII)
_BRITISH: Final = re.compile(r"0\d{9,10}")
_NORTH_AMERICAN: Final = re.compile(r"(?:1[ .-]?)?\(?[2-9]\d\d\)?[ .-]{1,2}\d{3}[ .-]\d{4}", re.ASCII)
_AMERICAN_DIGITS: Final = re.compile(r"[2-9]\d{9}", re.ASCII)
#: "1-800-...": no Chinese number is written so.
_AMERICAN = re.compile(r"1[ ().-]")
_DATE = re.compile(r"(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])")
#: 400 and 800 are companies' hotlines in China.
_HOTLINE: Final = re.compile(r"(?:86)?0?[48]00\d{7}")
_NO_CUSTOMER: Final = frozenset(
    {
        phonenumbers.PhoneNumberType.TOLL_FREE,
        phonenumbers.PhoneNumberType.SHARED_COST,
        phonenumbers.PhoneNumberType.PREMIUM_RATE,
        phonenumbers.PhoneNumberType.UAN,
    }
)


class PhoneFinder:
    """Finds customers' telephone numbers; hotlines, and numbers of anything else, are none."""

    def __init__(self) -> None:
        """Compile the pattern of extensions."""
        self._extension = re.compile(lexicon.load().slots.patterns["extension"])
        gap = lexicon.load().slots.patterns["gap"]
        self._gap = re.compile(gap)

    def find(self, draft: Draft, variant: str) -> None:
        """Add the telephone numbers of a text to its slots; `variant` tells whose national form it uses."""
        if draft.language == "en":
            self._find_said(draft)
        if not draft.digits:
            return
        plain = draft.normal.plain
        country = next((country_of(draft, slot) for slot in draft.slots if slot.name == "region"), None)
        cues = sorted(each.end for each in draft.found.get("cue", ()) if each.entry.owner in ("phone", "wechat"))
        for run in _PHONE.finditer(plain):
            # Two numbers with a space between them look like one at first.
            tail = _TAIL.search(run.group())
            whole = [(run.start(), run.end() - len(tail.group()))] if tail else []
            pieces = [run.span(), *whole, *(_shift(each.span(), run.start()) for each in _PIECE.finditer(run.group()))]
            for start, end in pieces:
                at = bisect_left(cues, start + 1) - 1
                cue = at >= 0 and start - cues[at] <= _ANNOUNCED
                if not draft.free(start, end):
                    continue
                if number := e164(plain[start:end], cue=cue, country=country, variant=variant):
                    draft.take("phone", number, start, end, 0.95)
                    if extension := self._extension.match(draft.normal.folded, end):
                        draft.block(*extension.span())

    def find_wechat(self, draft: Draft) -> None:
        """Read the WeChat id after a word that announces one; it may be a telephone number."""
        plain = draft.normal.plain
        for cue in longest(draft.found.get("cue", ())):
            if cue.entry.owner != "wechat":
                continue
            gap = self._gap.match(draft.normal.folded, cue.end)
            start = gap.end() if gap else cue.end
            if (match := wechat_id(plain, start)) and draft.free(*match.span()):
                draft.take("wechat", match.group(), *match.span(), 0.9)
            elif (number := _PHONE.match(plain, start)) and (valid := e164(number.group(), cue=True, country=None)):
                # The place stays free, so the number is found as a phone too.
                draft.slots.append(
                    Slot(name="wechat", value=valid, start=number.start(), end=number.end(), confidence=0.8)
                )

    def _find_said(self, draft: Draft) -> None:
        """Read a number that is announced and said digit by digit."""
        for cue in draft.found.get("cue", ()):
            if cue.entry.owner != "phone":
                continue
            gap = self._gap.match(draft.normal.folded, cue.end)
            said = numerals.digits_said(draft.normal.folded, gap.end() if gap else cue.end)
            if said is None or not draft.free(*said.span):
                continue
            digits = said.digits
            if _AMERICAN_DIGITS.fullmatch(digits):
                digits = f"{digits[:3]}-{digits[3:6]}-{digits[6:]}"
            elif _BRITISH_MOBILE.fullmatch(digits):
                digits = f"{digits[:5]} {digits[5:8]} {digits[8:]}"
            number = e164(digits, cue=True, country=None, variant="en")
            if number:
                draft.take("phone", number, *said.span, 0.8)


@cache
def _mobile_cn() -> re.Pattern[str]:
    return re.compile(lexicon.load().slots.patterns["mobile_cn"])


def e164(written: str, *, cue: bool, country: str | None, variant: str = "CN") -> str | None:
    """Return a number as `+8613800138000`; None when it is no valid number of a country it may belong to.

    `cue` tells that the text announces a telephone number, `country` (ISO 3166) where the customer is, `variant` where
    the text comes from (`CN`, `TW`, `HK`, or `en`). Without any of them, only numbers that look like nothing else are
    read: international ones, mobile ones, and landlines whose area code is set apart.
    """
    digits = re.sub(r"\D", "", written)
    if _HOTLINE.fullmatch(digits):
        return None
    if written.startswith("+"):
        return _valid(f"+{digits}", None)
    if digits.startswith("00"):
        return _valid(f"+{digits[2:]}", None)
    if _mobile_cn().match(digits) and not _AMERICAN.match(written):
        return f"+86{digits[-11:]}"  # all of them are given out
    if _DATE.fullmatch(digits):
        return None
    if variant == "en" and country in (None, "GB") and _BRITISH_SPACED.fullmatch(written):
        return f"+44{digits[1:]}"
    if variant == "en" and country in (None, "AU") and _AUSTRALIAN_SPACED.fullmatch(written):
        return f"+61{digits[1:]}"
    if variant == "en" and cue and country in (None, "IN") and _INDIAN_SPACED.fullmatch(written):
        return f"+91{digits}"
    found = [
        number
        for each in _countries(written, digits, cue=cue, country=country, variant=variant)
        if (number := _valid(digits, each))
    ]
    if variant == "en" and not country and len(found) > 1:
        return None  # it may be a number here and another one there
    return found[0] if found else None


def _countries(written: str, digits: str, *, cue: bool, country: str | None, variant: str) -> list[str]:
    """Return the countries whose national form the digits may be, likeliest first."""
    found: list[str] = []
    if country and (cue or digits.startswith("0")):
        found.append(country)
    if _MOBILE_TW.fullmatch(digits):
        found.append("TW")
    apart = _SET_APART.fullmatch(written) is not None and _APART.match(written) is not None
    if cue or apart:
        if _LANDLINE_CN.fullmatch(digits):
            found += ["TW", "CN"] if variant == "TW" else ["CN", "TW"] if variant != "en" else ["CN"]
        elif variant == "TW" and digits.startswith("0"):
            found.append("TW")
    if variant == "en" and (_BRITISH_MOBILE.fullmatch(digits) or ((cue or apart) and _BRITISH.fullmatch(digits))):
        found.append("GB")
    if variant == "en" and _NORTH_AMERICAN.fullmatch(written):
        found.append("US")
    if _HONG_KONG.fullmatch(digits) and (
        cue or country == "HK" or (variant == "HK" and _HONG_KONG_WRITTEN.fullmatch(written))
    ):
        found.append("HK")
    return list(dict.fromkeys(found))


def _shift(span: tuple[int, int], by: int) -> tuple[int, int]:
    return span[0] + by, span[1] + by


def _valid(digits: str, country: str | None) -> str | None:
    try:
        number = phonenumbers.parse(digits, country)
    except phonenumbers.NumberParseException:
        return None
    # A number written with its country code is taken at its word: the lists of ranges lag behind the operators.
    if country is None:
        valid = phonenumbers.is_possible_number_with_reason(number) == phonenumbers.ValidationResult.IS_POSSIBLE
    else:
        valid = phonenumbers.is_valid_number(number)
    if not valid or phonenumbers.number_type(number) in _NO_CUSTOMER:
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
