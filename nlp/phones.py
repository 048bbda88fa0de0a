"""Telephone numbers in their international form."""

import re
from functools import cache

import phonenumbers

from nlp import lexicon

_LANDLINE_CN = re.compile(r"0\d{9,11}")
_MOBILE_TW = re.compile(r"09\d{8}")
_HONG_KONG = re.compile(r"[235679]\d{7}")
#: "1-800-...": no Chinese number is written so.
_AMERICAN = re.compile(r"1[ ().-]")
_DATE = re.compile(r"(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])")


@cache
def _mobile_cn() -> re.Pattern[str]:
    return re.compile(lexicon.load().slots.patterns["mobile_cn"])


def e164(written: str, *, cue: bool, country: str | None) -> str | None:
    """Return a number as `+8613800138000`; None when it is no valid number of a country it may belong to.

    `cue` tells that the text announces a telephone number, `country` (ISO 3166) where the customer is. Without either,
    only numbers that look like nothing else are read: international ones, and mobile ones of the mainland and Taiwan.
    """
    digits = re.sub(r"\D", "", written)
    if written.startswith("+"):
        return _valid(f"+{digits}", None)
    if digits.startswith("00"):
        return _valid(f"+{digits[2:]}", None)
    if _mobile_cn().match(digits) and not _AMERICAN.match(written):
        return _valid(digits[-11:], "CN")
    if _DATE.fullmatch(digits):
        return None
    for candidate in _countries(digits, cue=cue, country=country):
        if (number := _valid(digits, candidate)) is not None:
            return number
    return None


def _countries(digits: str, *, cue: bool, country: str | None) -> list[str]:
    """Return the countries whose national form the digits may be, likeliest first."""
    found: list[str] = []
    if country and (cue or digits.startswith("0")):
        found.append(country)
    if _MOBILE_TW.fullmatch(digits):
        found.append("TW")
    if cue and _LANDLINE_CN.fullmatch(digits):
        found += ["CN", "TW"]
    if (cue or country == "HK") and _HONG_KONG.fullmatch(digits):
        found.append("HK")
    return found


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
    if not valid:
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
