"""Case numbers that can be spoken, typed in a hurry, and checked: `TR26-00042-8`.

A number is the company's prefix, two digits of the year, a running number of at least five digits, and a check digit
after Damm (H. Michael Damm, "Total anti-symmetrische Quasigruppen", Marburg 2004), which finds every wrong digit and
every two neighbours that changed places.
"""

import re
import unicodedata
from functools import cache
from typing import Final

from complaints.errors import BadInput

_WIDTH: Final = 5
_SHORTEST: Final = 2 + _WIDTH + 1
_LONGEST: Final = _SHORTEST + 4
_DAMM: Final = (
    (0, 3, 1, 7, 5, 9, 8, 6, 4, 2),
    (7, 0, 9, 2, 1, 5, 4, 8, 6, 3),
    (4, 2, 0, 6, 8, 7, 1, 3, 5, 9),
    (1, 7, 5, 0, 9, 8, 3, 4, 2, 6),
    (6, 1, 2, 3, 0, 4, 5, 9, 7, 8),
    (3, 6, 7, 4, 2, 0, 9, 5, 8, 1),
    (5, 8, 6, 9, 7, 2, 0, 1, 3, 4),
    (8, 9, 4, 5, 3, 6, 2, 0, 1, 7),
    (9, 4, 3, 8, 6, 1, 7, 2, 0, 5),
    (2, 5, 8, 1, 4, 3, 6, 7, 9, 0),
)
_GROUPED: Final = re.compile(r"(?<![A-Z0-9-])\d\d([\s-])\d{5,9}([\s-])\d(?![A-Z0-9-])")
_GROUPS: Final = re.compile(r"\d\d[\s-]*(\d{5,9})([\s-]+)\d(?!\d)")
_RUN: Final = re.compile(r"[\d\s-]*")
_DIGIT: Final = re.compile(r"\d")
_DIGITS: Final = re.compile(r"\d+")
_NOTHING_ELSE: Final = re.compile(r"\W*(\d[\d\s-]*)\W*")
_DASHES: Final = re.compile("[\u2010-\u2015\u2212\u30fc_~]")  # NFKC has made the others a hyphen
_HAN: Final = (0x3007, *range(0x4E00, 0xA000))
#: Chinese numerals below ten, as they come when a number was spoken.
_NUMERALS: Final = {
    code: str(int(value)) for code in _HAN if 0 <= (value := unicodedata.numeric(chr(code), -1)) < len(_DAMM)
}


class Mistyped(BadInput):
    """What looks like a case number (`number`) has a wrong digit: its check digit says so. Ask to look at it again."""

    key = "error.mistyped_number"


def make(prefix: str, year: int, running: int) -> str:
    """Return the number of the `running`-th case of a year (four digits), in the groups in which it is shown."""
    if running < 1:
        raise ValueError(f"Cases are counted from 1, not {running}.")
    digits = f"{year % 100:02}{running:0{_WIDTH}}"
    return _shown(prefix, f"{digits}{_check(digits)}")


def parse(text: str, prefix: str) -> str | None:
    """Return the case number that a text holds, as `make` writes it, or None where there is none.

    Spaces, dashes, width, and case do not matter, and digits may be Chinese numerals. Without the prefix a number
    counts where its groups are kept, or where the text holds nothing else: a telephone number is not a case. Mistyped
    is raised for a number that is meant as one and fails its check digit.
    """
    plain = _plain(text)
    readings = [
        reading
        for reading in dict.fromkeys((plain, plain.translate(_NUMERALS)))
        if len(_DIGIT.findall(reading)) >= _SHORTEST
    ]
    for reading in readings:
        if found := _named(reading, prefix) or _grouped(reading) or _alone(reading):
            return _shown(prefix, found)
    for reading in readings:
        if meant := _meant(reading, prefix):
            raise Mistyped(number=_shown(prefix, meant))
    return None


def _named(text: str, prefix: str) -> str | None:
    for start in _after_prefix(text, prefix):
        for digits in _readings(text, start):
            if _right(digits):
                return digits
    return None


def _grouped(text: str) -> str | None:
    return next((digits for match in _GROUPED.finditer(text) if _right(digits := _digits(match.group()))), None)


def _alone(text: str) -> str | None:
    match = _NOTHING_ELSE.fullmatch(text)
    # One more than the shortest at most: a mobile number of eleven digits passes the check one time in ten.
    digits = _digits(match.group(1)) if match else ""
    return digits if len(digits) <= _SHORTEST + 1 and _right(digits) else None


def _meant(text: str, prefix: str) -> str | None:
    """Return the digits of what is meant as a case number though its check digit is wrong."""
    named = (digits for start in _after_prefix(text, prefix) for digits in _readings(text, start))
    grouped = (_digits(match.group()) for match in _GROUPED.finditer(text) if match.group(1) == match.group(2) == "-")
    return next(named, None) or next(grouped, None)


def _after_prefix(text: str, prefix: str) -> list[int]:
    return [match.end() for match in _prefixed(prefix).finditer(text)]


@cache
def _prefixed(prefix: str) -> re.Pattern[str]:
    return re.compile(r"(?<![A-Z0-9])" + r"[\s-]*".join(prefix) + r"[\s-]*(?=\d)")


def _readings(text: str, start: int) -> list[str]:
    """Return what may be the digits of a number from `start` on.

    Where the groups are kept they say where it ends; else it may end with any group, and the shortest comes first.
    """
    kept = _GROUPS.match(text, start)
    if kept and ("-" in kept.group(2) or _counts(kept.group(1))):
        return [_digits(kept.group())]
    readings, digits = [], ""
    for group in _DIGITS.findall(_RUN.match(text, start)[0]):  # type: ignore[index] # it matches even nothing
        digits += group
        if _SHORTEST <= len(digits) <= _LONGEST:
            readings.append(digits)
    return readings


def _right(digits: str) -> bool:
    return _SHORTEST <= len(digits) <= _LONGEST and _check(digits) == 0 and _counts(digits[2:-1])


def _counts(running: str) -> bool:
    """Tell whether these digits are a running number as `make` writes it: no zeros in front that fill nothing."""
    return int(running) > 0 and (len(running) == _WIDTH or running[0] != "0")


def _check(digits: str) -> int:
    state = 0
    for digit in digits:
        state = _DAMM[state][int(digit)]
    return state


def _shown(prefix: str, digits: str) -> str:
    return f"{prefix}{digits[:2]}-{digits[2:-1]}-{digits[-1]}"


def _digits(text: str) -> str:
    return re.sub(r"\D", "", text)


def _plain(text: str) -> str:
    """Return the text in half width and capitals, with one kind of dash and one kind of decimal digit."""
    text = _DASHES.sub("-", unicodedata.normalize("NFKC", text).upper())
    return text if text.isascii() else _DIGIT.sub(lambda match: str(int(match.group())), text)
