"""Measures what shall be said as a platform does, and cuts it where people would."""

import re
import unicodedata
from collections.abc import Callable
from typing import Final


def clean(text: str) -> str:
    """Return the text without what platforms refuse: NUL, other control characters, halves of surrogate pairs."""
    return _CONTROL.sub("", text)


def inert(text: str) -> str:
    """Return the text without links in disguise: WeChat and WeCom make one of `<a href=…>`, whoever wrote it."""
    return _LINK.sub("<\u200b", text)


def units(text: str) -> int:
    """Return the length in UTF-16 units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def octets(text: str) -> int:
    """Return the length in bytes of UTF-8."""
    return len(text.encode("utf-8", "surrogatepass"))


def split(text: str, most: int, size: Callable[[str], int]) -> list[str]:
    """Return the text in parts of at most `most` by the measure `size`, which together are the text again.

    A part ends with a paragraph, else with a line, a sentence, a word, and never inside what a reader sees as one
    character. A character measures 1 to 4, so `most` must be 4 at least.
    """
    parts = []
    start = 0
    while len(text) - start > most // _WIDEST and (end := _reach(text, start, most, size)) < len(text):
        cut = _end_within(text, start + (end - start) // 3, end) or _seam(text, start, end)
        parts.append(text[start:cut])
        start = cut
    return [*parts, text[start:]]


def _reach(text: str, start: int, most: int, size: Callable[[str], int]) -> int:
    """Return where the longest part from `start` would have to end."""
    end = min(start + most, len(text))
    excess = size(text[start:end]) - most
    while excess > 0:
        last, end = end, end - max(1, excess // _WIDEST)  # never too far: no character is wider
        excess -= size(text[end:last])
    return end


def _end_within(text: str, low: int, high: int) -> int:
    """Return the last good place to end a part between the two, or 0."""
    for pattern in _ENDS:
        places = [found.end() for found in pattern.finditer(text, low, high)]
        if places:
            return places[-1]
    return 0


def _seam(text: str, start: int, end: int) -> int:
    """Return the last place up to `end` between two characters that a reader sees; `end` if none is near."""
    for place in range(end, max(start, end - _CLUSTER), -1):
        after, before = text[place], text[place - 1]
        joined = _JOINER in (after, before) or unicodedata.category(after) in _MARKS or after in _TONES
        flag = after in _FLAGS and before in _FLAGS and _flags_before(text, place) % 2
        if not joined and not flag:
            return place
    return end


def _flags_before(text: str, place: int) -> int:
    count = 0
    while place > count and text[place - count - 1] in _FLAGS:
        count += 1
    return count


_WIDEST: Final = 4
_CLUSTER: Final = 32
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
_LINK: Final = re.compile(r"<(?=\s*/?\s*a\b)", re.IGNORECASE)
# ends of a paragraph, a line, a sentence (of both widths, with closing quotes and brackets), a word
_ENDS: Final = tuple(
    re.compile(pattern)
    for pattern in (
        r"\n[ \t]*\n+",
        r"\n",
        "(?:[.!?\u2026]+[)\"'\u2019\u201d]*\\s+|[\u3002\uff01\uff1f\uff1b]+[\u2019\u201d\u300d\u300f\uff09)]*)",
        r"\s+",
    )
)
_JOINER: Final = "\u200d"
_MARKS: Final = frozenset({"Mn", "Me", "Mc"})
_TONES: Final = frozenset(map(chr, range(0x1F3FB, 0x1F400)))
_FLAGS: Final = frozenset(map(chr, range(0x1F1E6, 0x1F200)))
