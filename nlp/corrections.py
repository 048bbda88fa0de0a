"""Corrections: an answer that somebody takes back, and what is right instead."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache

from complaints.reading import Correction
from nlp import lexicon
from nlp.normalize import Normal, key, normalize

#: A longer message tells a story, in characters.
_LONG = 200
#: Words that name what is corrected, in characters.
_NAMED = 24
#: How far before a value, in characters, words that announce it are looked for.
_ANNOUNCED = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shapes:
    """The lists of the lexicon as patterns over folded text, and the words that name a slot."""

    instead: re.Pattern[str]
    opened: re.Pattern[str]
    right: re.Pattern[str]
    becomes: re.Pattern[str]
    change: re.Pattern[str]
    apart: re.Pattern[str]
    cut: re.Pattern[str]
    tail: re.Pattern[str]
    before: re.Pattern[str]
    marks: str
    told: tuple[str, ...]
    weak: frozenset[str]
    denials: frozenset[str]
    names: dict[str, frozenset[str]]
    becoming: re.Pattern[str]


def correction(text: str) -> Correction | None:
    """Return what a message corrects, None if it corrects nothing, or does not say what is right."""
    if len(text) > _LONG:
        return None
    if (found := _whole(normalize(text))) is not None:
        return found
    shapes = _shapes()
    for cut in shapes.cut.finditer(text):
        normal = normalize(text[cut.end() :])
        if shapes.apart.match(normal.folded) and (found := _whole(normal)) is not None and found.named:
            return replace(found, rest=text[: cut.start()])
    return None


def _whole(normal: Normal) -> Correction | None:
    shapes, folded = _shapes(), normal.folded
    match = shapes.instead.fullmatch(folded)
    opened = shapes.opened.match(folded) if match is None else None
    if opened is not None:
        named, word, rest = opened["named"].strip(), opened["word"], folded[opened.end() :]
        if not named or word not in shapes.weak or about(named):
            match = shapes.right.fullmatch(rest)
            if match is None and word in shapes.denials:  # what follows is what is not right
                return None
            sure = match is not None or word not in shapes.weak
            made = _made(normal.written[opened.end() :], rest, match, named=named, sure=sure)
            return replace(made, weak=not named and word in shapes.weak) if made is not None else None
    match = match or shapes.becomes.fullmatch(folded) or shapes.change.fullmatch(folded)
    return _made(normal.written, folded, match, named="", sure=True) if match else None


def _made(written: str, folded: str, match: re.Match[str] | None, *, named: str, sure: bool) -> Correction | None:
    """Return a correction from the place of what is right, in the words as they were written."""
    groups = match.groupdict() if match is not None else {}
    start = match.start("value") if match is not None else 0
    shapes = _shapes()
    tail = shapes.tail.search(folded, start)
    end = tail.start() if tail else len(written)
    start += len(folded[start:end]) - len(folded[start:end].lstrip(shapes.marks))
    value = written[start : len(folded[:end].rstrip(shapes.marks))]
    named = (groups.get("named") or named).strip()
    if not key(value) or (groups.get("becomes") and value.startswith(shapes.told)):
        return None
    instead = (groups.get("instead") or "").strip()
    return Correction(value=_bare(value), named=named, slots=about(named), instead=instead, sure=sure)


def _bare(value: str) -> str:
    """Return what is meant by "the blue one"."""
    match = re.fullmatch(r"the (.+) one", value, re.IGNORECASE)
    return match[1] if match else value


def about(text: str) -> frozenset[str]:
    """Return the slots that a few words name, and nothing else ("my phone number"); none for any other words."""
    shapes = _shapes()
    said = normalize(text).folded
    return shapes.names.get(key(said)) or shapes.names.get(key(shapes.before.sub("", said)), frozenset())


def announces(text: str) -> bool:
    """Tell whether a text ends in words that announce a value of the speaker's own ("my number is")."""
    shapes = _shapes()
    clause = shapes.cut.split(normalize(text[-_ANNOUNCED:]).folded.rstrip(shapes.marks))[-1]
    said = shapes.becoming.sub("", clause).rstrip()
    return bool(about(said) or about(said.rpartition(" ")[2]))


@cache
def _shapes() -> _Shapes:
    pages = lexicon.load()
    words = pages.intents.corrections
    ends = re.escape(pages.characters.ends) + "."
    marks = pages.characters.ends + ".:~ "
    gap = rf"[\s{re.escape(marks)}]*"
    before = rf"(?:(?:{_any(words.before)}){gap}){{0,5}}"
    named = rf"(?P<named>[^{ends}]{{0,{_NAMED}}}?)\s*"
    weak = frozenset(normalize(each).folded for each in words.weak)
    names: dict[str, set[str]] = {}
    for listed in (pages.slots.cues, words.fields):
        for slot, each in listed.items():
            for word in each:
                names.setdefault(key(word), set()).add(slot)
    return _Shapes(
        instead=re.compile(
            rf"(?:(?:{_any(words.weak)}){gap})?{before}{named}(?:{_any(words.not_)})\s*"
            rf"(?P<instead>[^{ends}]{{1,40}}?){gap}(?:{_any(words.but)})\s*(?P<value>.+)",
            re.DOTALL,
        ),
        opened=re.compile(rf"{before}{named}(?P<word>{_any([*words.opens, *words.weak])}){gap}"),
        right=re.compile(
            rf"{before}(?:(?P<named>[^{ends}]{{1,{_NAMED}}}?)\s*)??(?:{_any(words.is_)}){gap}(?P<value>.+)", re.DOTALL
        ),
        becomes=re.compile(
            rf"{before}{named}(?P<becomes>{_any(words.becomes)}|(?<=\S)\s*(?:{_any(words.ought)})){gap}(?P<value>.+)",
            re.DOTALL,
        ),
        change=re.compile(
            rf"{before}(?:{_any(words.change)})\s+(?P<named>[^{ends}]{{1,40}}?)\s+(?:{_any(words.to)})\s+(?P<value>.+)",
            re.DOTALL,
        ),
        tail=re.compile(rf"(?:{gap}(?:{_any(words.tail)})){{1,3}}{gap}$"),
        before=re.compile(rf"^{before}"),
        marks=marks,
        told=tuple(words.told),
        apart=re.compile(
            rf"{before}(?:[^{ends}]{{0,{_NAMED}}}?(?:{_any(words.opens)}|{_any(words.becomes)})|(?:{_any(words.change)})\s)"
        ),
        cut=re.compile(rf"[{re.escape(pages.characters.ends)}]+|\.\s|(?<=[{pages.characters.han}])\s+"),
        weak=weak,
        denials=frozenset(normalize(each).folded for each in words.not_),
        names={word: frozenset(slots) for word, slots in names.items()},
        becoming=re.compile(rf"(?:{_any(words.is_)})$"),
    )


def _any(words: Iterable[str]) -> str:
    """Return the words as alternatives of a pattern over folded text, longest first, Latin ones whole."""
    folded = sorted({normalize(word).folded for word in words}, key=len, reverse=True)
    return "|".join(rf"\b{re.escape(each)}\b" if each.isascii() else re.escape(each) for each in folded)
