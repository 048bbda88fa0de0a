"""One text in three spellings of the same length, so that a place in one is the same place in the others."""

import re
import unicodedata
from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import Final, NamedTuple

from opencc import OpenCC

from complaints.reading import Language
from nlp import lexicon

#: How much of a text is read, in characters. The longest message of any platform is 4,096.
LIMIT = 8_000

_SIMPLIFY = OpenCC("t2s").convert
_WORD = re.compile(r"[A-Za-z']+")


class Normal(NamedTuple):
    """A text as `written`, `plain` (half-width, typographic signs made simple) and `folded` (simplified, lower-case).

    All three have the same length, which is the index map: folding replaces characters one by one and never joins or
    splits them. `traditional` counts the characters that simplifying changed.
    """

    written: str
    plain: str
    folded: str
    traditional: int = 0


@cache
def _plainly() -> Callable[[str], str]:
    """Return what makes a text plain: full-width forms, odd spaces, typographic signs, halves of surrogates."""
    table = {code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)}
    table |= dict.fromkeys((*range(0x20), 0x7F, 0xA0, 0x1680, *range(0x2000, 0x200C), 0x202F, 0x205F, 0x3000), " ")
    table |= dict.fromkeys(range(0xD800, 0xE000), "\ufffd")  # what no encoder takes
    table |= {ord(pair[0]): pair[1] for pair in lexicon.load().characters.fold}
    del table[ord("\n")]  # ends a clause
    plain = {chr(code): sign for code, sign in table.items()}
    # Faster than `str.translate`, which asks for each character of a text, of which few are in the table.
    return partial(re.compile(f"[{re.escape(''.join(plain))}]").sub, lambda found: plain[found[0]])


def normalize(text: str) -> Normal:
    """Prepare a text for reading: its first `LIMIT` characters, in three spellings of equal length."""
    written = text[:LIMIT]
    plain = _plainly()(written)
    if plain.isascii():
        return Normal(written=written, plain=plain, folded=plain.lower())
    simple = _simplified(plain)
    changed = sum(map(str.__ne__, plain, simple)) if simple != plain else 0
    return Normal(written=written, plain=plain, folded=simple.lower(), traditional=changed)


def _simplified(plain: str) -> str:
    simple = _SIMPLIFY(plain)
    # No phrase of the dictionary changes the length today; if one ever does, places count more than phrases.
    return simple if len(simple) == len(plain) else "".join(_SIMPLIFY(each)[:1] or each for each in plain)


def spellings(words: Sequence[str]) -> list[set[str]]:
    """Return the folded forms of each keyword: as it is written, and in the words of Taiwan and Hong Kong.

    A text is converted character by character, which keeps its places; so the regional words are put into the
    lexicon instead of being translated in the text. All words are converted in one go.
    """
    if not words:
        return []
    plain = _plainly()
    written = plain("\n".join(word.strip().replace("\n", " ") for word in words))
    folded = _simplified(written)
    spelt = [folded, _simplified(plain(_taiwan()(folded))), _hong_kong(folded)]
    return [set(forms) for forms in zip(*(each.lower().split("\n") for each in spelt), strict=True)]


@cache
def _taiwan() -> Callable[[str], str]:
    return OpenCC("s2twp").convert


def _hong_kong(folded: str) -> str:
    for pair in lexicon.load().characters.hong_kong:
        folded = folded.replace(pair[0], pair[1])
    return folded


@cache
def _han() -> re.Pattern[str]:
    return re.compile(f"[{lexicon.load().characters.han}]")


@cache
def _simplified_only() -> frozenset[str]:
    """Return the characters that traditional writing spells otherwise."""
    first, last = 0x4E00, 0x9FFF
    characters = "\n".join(map(chr, range(first, last + 1)))
    return frozenset(a for a, b in zip(characters, OpenCC("s2t").convert(characters), strict=True) if a != b)


def language(normal: Normal, *, hint: Language | None, default: Language) -> Language:
    """Tell the language of a text by its characters; what they leave open follows the hint.

    Han characters make it Chinese unless Latin words are many more; the script is the one with more characters that
    exist only in it.
    """
    latin = len(_WORD.findall(normal.plain))
    if normal.plain.isascii() or not _han().search(normal.plain):
        return "en" if latin else hint or default
    if latin and len(_han().findall(normal.plain)) * 2 < latin:
        return "en"
    if normal.traditional:
        simplified = sum(map(_simplified_only().__contains__, normal.plain))
        return "zh-Hant" if normal.traditional >= simplified else "zh-Hans"
    return "zh-Hant" if hint == "zh-Hant" and _simplified_only().isdisjoint(normal.plain) else "zh-Hans"


_WORDS: Final = re.compile(r"[a-z0-9]+|[^\W_]+")
_LATIN: Final = re.compile(r"([a-z0-9]+)")


def key(text: str) -> str:
    """Return the form under which whole messages are compared: letters and digits only, one space between words.

    Compatibility forms count as what they stand for, so a circled two is `2`.
    """
    folded = normalize(unicodedata.normalize("NFKC", text)).folded.replace("'", "")
    words = _WORDS.findall(_split_scripts(folded))
    parts: list[str] = []
    for word in words:
        if parts and word.isascii() and parts[-1].isascii():
            parts.append(" ")
        parts.append(word)
    return "".join(parts)


def _split_scripts(folded: str) -> str:
    return _LATIN.sub(r" \1 ", folded)
