"""Numbers as people write them: 2,399.00, 1.2 wan, 5 qian 6, Chinese numerals, two hundred and five."""

import re
from decimal import Decimal
from functools import cache
from typing import Final, NamedTuple

from nlp import lexicon
from nlp.normalize import Normal

#: The most pieces one number is made of.
_PIECES: Final = 16
#: So many digits, said one by one, are a number of a telephone, or of an order.
_DICTATED: Final = 7
_HALF: Final = " half "
_TIMES: Final = {"double": 2, "triple": 3}
_TEN: Final = 10
_WAN: Final = 10_000
#: From this scale on the last digit may go without its own: "one hundred two" is 120, "ten two" is 12.
_SHORTENED: Final = 100
_ARABIC: Final = r"(?:\d{1,3}(?:,\d{3})+|\d{1,12})(?:\.\d{1,4})?(?!\d|\.\d|,\d{3}(?!\d))"


class Number(NamedTuple):
    """A number: `short` where its last scale was left out ("two wan three"), `led` where its first digit was."""

    value: Decimal
    short: bool = False
    led: bool = False


@cache
def run() -> str:
    """Return the pattern of a number in folded text; every second one it finds is none, as `value` tells."""
    words = lexicon.load().slots
    scales = "|".join(f"{re.escape(each)}(?![a-z])" if each.isascii() else each for each in words.scales)
    piece = rf"{_ARABIC}|(?!{words.patterns['no_numeral']})[{''.join((*words.digits, *words.tens))}]|{scales}"
    return rf"(?:{piece}){{1,{_PIECES}}}"


@cache
def _piece() -> re.Pattern[str]:
    return re.compile(rf"{_ARABIC}|.", re.ASCII | re.DOTALL)


def value(written: str) -> Number | None:  # one automaton, easier to follow in one piece
    """Return what a run of numerals means; None for what is no whole number: "three five hundred" is an estimate."""
    words = lexicon.load().slots
    total, section = Decimal(), Decimal()
    pending: Decimal | None = None
    last = small = top = 0
    spelt = zero = led = False
    for each, meant in words.tens.items():
        written = written.replace(each, meant)
    for piece in _piece().findall(written):
        scale = words.scales.get(piece, 0)
        if not scale:
            digit = words.digits.get(piece)
            if pending is not None:
                return None
            if digit == 0 and (last or spelt):
                zero = True
                continue
            spelt = digit is not None
            pending = Decimal(digit) if digit is not None else Decimal(piece.replace(",", ""))
            continue
        if pending is None and not section and (scale != _TEN or zero):
            if last:
                return None
            led, pending = True, Decimal(1)
        if scale >= _WAN:
            if top and scale >= top:
                return None
            total, section, small, top = total + (section + (pending or 0)) * scale, Decimal(), 0, scale
        else:
            if (small and scale >= small) or (pending is None and scale != _TEN):
                return None
            section, small = section + (Decimal(1) if pending is None else pending) * scale, scale
        pending, last, zero, spelt = None, scale, False, True
    if pending is None:
        return Number(total + section, led=led)
    if zero or last <= _TEN:
        return Number(total + section + pending, led=led) if pending < (last or pending + 1) else None
    if pending < _TEN and pending == int(pending):
        return Number(total + section + pending * last / _TEN, short=True, led=led)
    return Number(total + section + pending, led=led) if pending < last else None


@cache
def _dictated() -> re.Pattern[str]:
    patterns = lexicon.load().slots.patterns
    return re.compile(patterns["dictated"].replace("{digit}", patterns["digit"]))


def dictated(normal: Normal) -> Normal:
    """Return a text with the numbers in digits that it says digit by digit, as telephone and order numbers are."""
    pieces: list[str] = []
    at = 0
    for run in _dictated().finditer(normal.folded):
        if len(run.group().replace(" ", "")) >= _DICTATED:
            pieces += normal.plain[at : run.start()], run.group().translate(_digits())
            at = run.end()
    if not pieces:
        return normal
    plain = "".join((*pieces, normal.plain[at:]))
    folded = "".join(a if a.isdigit() else b for a, b in zip(plain, normal.folded, strict=True))
    return normal._replace(plain=plain, folded=folded)


@cache
def _digits() -> dict[int, str]:
    words = lexicon.load().slots
    return {ord(each): str(digit) for each, digit in {**words.digits, words.patterns["dictated_one"]: 1}.items()}


class Said(NamedTuple):
    """Digits that a text says one by one in English, and where."""

    digits: str
    span: tuple[int, int]


def digits_said(folded: str, start: int) -> Said | None:
    """Return the digits said at a place: "four four one nine oh seven two", "double seven"."""
    run = _said().match(folded, start)
    if run is None:
        return None
    digits, times = "", 1
    for word in re.findall(r"[a-z]+", run.group()):
        if word in _TIMES:
            times = _TIMES[word]
        else:
            digits, times = digits + str(lexicon.load().slots.english.digits.get(word, 0)) * times, 1
    return Said(digits, run.span())


def price_said(written: str) -> Decimal | None:
    """Return the price that is said as "sixty-six fifty", None for any other number."""
    digits = [lexicon.load().slots.english.digits.get(each, 0) for each in re.split(r"[ -]", written)]
    tens = [each >= 2 * _TEN for each in digits]
    if tens not in ([True, False, True], [True, False, True, False]) or not all(
        tens[at] or 0 < each < _TEN for at, each in enumerate(digits)
    ):
        return None
    return digits[0] + digits[1] + Decimal(sum(digits[2:])) / 100


@cache
def _said() -> re.Pattern[str]:
    words = lexicon.load().slots
    digits = "|".join(word for word, digit in words.english.digits.items() if digit < _TEN)
    return re.compile(words.patterns["dictated_english"].replace("{one}", digits))


@cache
def spelt() -> str:
    """Return the pattern of a number in English words, in folded text."""
    words = lexicon.load().slots.english
    one = "|".join(sorted((*words.digits, *words.scales), key=len, reverse=True))
    joined = "|".join(words.scales)
    halved = rf"(?:{'|'.join(words.digits)})[ ]and[ ]a{_HALF}(?:{joined})"
    return rf"(?<![a-z])(?:{halved}|(?:(?:(?:{joined})[ ]and|a|{one})[ -]){{0,6}}(?:and[ ])?(?:{one}))(?![a-z])"


def spelt_value(written: str) -> Decimal | None:
    """Return what English words for a number mean, None for what is none ("hundreds", "two three")."""
    words = lexicon.load().slots.english
    head, half, scale_of = written.partition(f" and a{_HALF}")
    if half:  # "three and a half grand"
        return (words.digits[head] + Decimal("0.5")) * words.scales[scale_of]
    total = section = 0
    last = _SHORTENED
    for word in re.split(r"[ -]", written):
        if word in ("and", "a"):
            continue
        if scale := words.scales.get(word):
            if scale >= _SHORTENED * _TEN:
                total, section = total + (section or 1) * scale, 0
            else:
                section = (section or 1) * scale
            last = _SHORTENED
            continue
        digit = words.digits[word]
        if digit >= last:
            return None
        section, last = section + digit, _TEN if digit >= 2 * _TEN else 0
    return Decimal(total + section) or None
