"""Values in a text: numbers, addresses, sums, names, places, and what the customer asks for.

Words of the lexicon say where to look (the matcher has already found them); a bounded pattern then reads the value at
that place. What is uncertain is left out: a form asks for a missing value, but nobody asks about a wrong one.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from functools import cache

from complaints.reading import Reading, Slot
from nlp import lexicon
from nlp.amounts import AmountFinder
from nlp.draft import Draft
from nlp.matcher import Entry, Match, longest
from nlp.moments import MomentFinder
from nlp.normalize import Normal
from nlp.persons import NameFinder
from nlp.phones import e164
from nlp.places import PlaceFinder, country_of

#: Up to this length, in characters, a message may be a list of answers ("Max Hill, max@example.com, Sheffield").
_LIST = 200
#: A part of such a list has at most so many words, a Han character counting as one.
_PART = 14
#: How far before a value, in characters, the word that announces it may end.
_ANNOUNCED = 6
#: How far before a remedy, in characters, a wish for it may end.
_WISHED = 10
_WISHED_LATIN = 24

#: Slots that tell who or where somebody is, as a list of answers does.
_CONTACT = frozenset({"phone", "email", "wechat", "channel", "region", "model", "order_no"})
#: Slots that are starred where strangers read along.
PRIVATE = frozenset({"phone", "email", "wechat", "name", "id_card"})

_EMAIL = re.compile(
    r"(?<![A-Za-z0-9._%+-])[A-Za-z0-9._%+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,5}[A-Za-z]{2,24}(?![A-Za-z])"
)
_ID_CARD = re.compile(r"(?<![0-9A-Za-z])\d{17}[\dXx](?![0-9A-Za-z])", re.ASCII)
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_/-]{0,39}")
_WECHAT = re.compile(r"[A-Za-z][A-Za-z0-9_-]{5,19}(?![A-Za-z0-9])")
_PURCHASE = re.compile(r"(?<![A-Za-z0-9])(?:PO|SO|ORD)[-#]?\d{3,20}(?![A-Za-z0-9])", re.IGNORECASE | re.ASCII)
_PHONE = re.compile(r"(?<![0-9A-Za-z@._/-])(?:\+|00)?\(?\d(?:[ ().-]{0,2}\d){6,17}(?![0-9A-Za-z@])", re.ASCII)
_PIECE = re.compile(r"\S+")
#: What counts as a code, in digits and in characters.
_LONG_DIGITS = 5
_FEW_DIGITS = 3
_SHORT_CODE = 4


class SlotFinder:
    """Finds the values of a text. `patterns` are the company's own: slot name -> regular expressions."""

    def __init__(self, patterns: Mapping[str, Sequence[str]], *, currency: str) -> None:
        """Compile the patterns. Where one has a group, the first group is the value; word boundaries are ASCII."""
        words = lexicon.load()
        han = words.characters.han
        self._patterns = [
            (name, re.compile(each, re.IGNORECASE | re.ASCII)) for name, listed in patterns.items() for each in listed
        ]
        self._gap = re.compile(words.slots.patterns["gap"])
        self._quantity = re.compile(words.slots.patterns["quantity"], re.ASCII)
        self._ends = frozenset(words.characters.ends)
        self._separator = re.compile(
            rf"[{re.escape(words.characters.ends)}|]+|\.(?=\s|$)|(?<=[{han}])\s+|\s+(?=[{han}])"
        )
        self._word = re.compile(rf"[{han}]|[A-Za-z0-9@.'-]+")
        self._weak = frozenset(words.slots.weak)
        self._join = re.compile("|".join(re.escape(each) for each in words.negations.joins))
        self._amounts = AmountFinder(currency=currency)
        self._moments = MomentFinder()
        self._names = NameFinder()
        self._places = PlaceFinder()

    def find(self, normal: Normal, found: Mapping[str, list[Match]], denied: set[Match]) -> tuple[Slot, ...]:
        """Return the values of a text in the order of their places."""
        draft = Draft(normal=normal, found=found, parts=self._parts(normal))
        # The surest first: what has been read as one thing is not read again as another.
        _find_emails(draft)
        _find_id_cards(draft)
        self._find_company_patterns(draft)
        self._find_announced(draft)
        _find_purchase_orders(draft)
        self._names.find_announced(draft)
        self._places.find(draft)
        self._moments.find(draft)
        _find_phones(draft)
        self._amounts.find(draft)
        self._find_quantities(draft)
        _find_bare_codes(draft)
        _find_channels(draft)
        self._find_remedies(draft, denied)
        alone = len(draft.parts) == 1
        if alone or any(slot.name in _CONTACT for slot in draft.slots):
            self._names.find_listed(draft, alone=alone)
        return tuple(sorted(draft.slots, key=lambda slot: (slot.start, slot.end)))

    def _parts(self, normal: Normal) -> tuple[tuple[int, int], ...]:
        """Return the places of the parts of a list of answers, as separators and Chinese spaces cut it.

        A text with a part as long as a sentence is no such list, and has none.
        """
        if len(normal.plain) > _LIST:
            return ()
        parts: list[tuple[int, int]] = []
        at = 0
        cuts = [each.span() for each in self._separator.finditer(normal.plain)]
        for start, end in (*cuts, (len(normal.plain), len(normal.plain))):
            part = normal.plain[at:start]
            if part.strip():
                parts.append((at + len(part) - len(part.lstrip()), at + len(part.rstrip())))
                if len(self._word.findall(part)) > _PART:
                    return ()
            at = end
        return tuple(parts)

    def _find_company_patterns(self, draft: Draft) -> None:
        for name, pattern in self._patterns:
            for match in pattern.finditer(draft.normal.plain):
                start, end = match.span(1 if pattern.groups else 0)
                if 0 <= start < end and draft.free(start, end):
                    draft.take(name, draft.normal.plain[start:end], start, end, 1.0)

    def _find_announced(self, draft: Draft) -> None:
        """Read the code after a word that announces one: an order, a waybill, a model, a WeChat id, an id card."""
        plain = draft.normal.plain
        for cue in longest(draft.found.get("cue", ())):
            name = cue.entry.owner
            gap = self._gap.match(plain, cue.end)
            code = _CODE.match(plain, gap.end() if gap else cue.end)
            if code is None or name in ("phone", "spend"):
                continue
            if name == "wechat":
                _take_wechat(draft, code.start())
                continue
            value = code.group().rstrip("-_/")
            start, end = code.start(), code.start() + len(value)
            if draft.free(start, end) and _is_code(name, value, weak=cue.entry.word in self._weak):
                draft.take(name, _starred(name, value) if name == "id_card" else value, start, end, 0.9)

    def _find_quantities(self, draft: Draft) -> None:
        if not draft.digits:
            return
        for match in self._quantity.finditer(draft.normal.folded):
            if draft.free(*match.span(1)):
                draft.take("quantity", str(int(match.group(1))), *match.span(1), 0.6)

    def _find_remedies(self, draft: Draft, denied: set[Match]) -> None:
        if "remedy" not in draft.found:
            return
        folded = draft.normal.folded
        wishes = sorted(each.end for each in draft.found.get("wish", ()))
        wished_end = -1
        for match in longest([each for each in draft.found["remedy"] if each not in denied]):
            at = bisect_left(wishes, match.start + 1) - 1
            wished = at >= 0 and self._same_clause(folded, wishes[at], match.start)
            if wished or (wished_end >= 0 and self._listed(folded, wished_end, match.start)):
                wished_end = match.end
                confidence = 0.9
            else:
                confidence = 0.7 if _in_short_part(draft, match) else 0.5
            draft.slots.append(_slot(match, "remedy", confidence))

    def _same_clause(self, folded: str, start: int, end: int) -> bool:
        reach = _WISHED_LATIN if start and folded[start - 1].isascii() else _WISHED
        return end - start <= reach and not self._ends.intersection(folded[start:end])

    def _listed(self, folded: str, start: int, end: int) -> bool:
        return start <= end <= start + _WISHED and not self._join.sub("", folded[start:end]).strip()


def mask(text: str, reading: Reading) -> str:
    """Return the text with phone numbers, addresses, WeChat ids, names and id cards starred, for groups."""
    pieces: list[str] = []
    at = 0
    for slot in sorted(reading.slots, key=lambda slot: (slot.start, -slot.end)):
        if slot.name in PRIVATE and slot.end > at:
            start = max(at, slot.start)
            pieces += text[at:start], _starred(slot.name, text[start : slot.end])
            at = slot.end
    return "".join(pieces) + text[at:]


def _starred(name: str, value: str) -> str:
    """Return a value of which just enough is left to be recognised by who knows it."""
    if name == "email":
        return f"{value[:1]}***@***"
    head, tail = {"phone": (3, 2), "id_card": (0, 4), "wechat": (2, 0), "name": (1, 0)}[name]
    if len(value) <= head + tail + 1:
        head, tail = min(head, 1), 0
    return value[:head] + "*" * max(2, len(value) - head - tail) + value[len(value) - tail :]


def _slot(match: Match, name: str, confidence: float) -> Slot:
    return Slot(name=name, value=match.entry.owner, start=match.start, end=match.end, confidence=confidence)


def _in_short_part(draft: Draft, match: Match) -> bool:
    """Tell whether a word is more or less all that one part of an answer says."""
    return any(start <= match.start and match.end <= end for start, end in draft.parts if end - start <= _WISHED)


def _find_channels(draft: Draft) -> None:
    for match in longest(draft.found.get("channel", ())):
        draft.slots.append(_slot(match, "channel", 0.9))


def _find_emails(draft: Draft) -> None:
    if "@" not in draft.normal.plain:
        return
    for match in _EMAIL.finditer(draft.normal.plain):
        draft.take("email", match.group().lower(), *match.span(), 1.0)


def _find_id_cards(draft: Draft) -> None:
    if not draft.digits:
        return
    for match in _ID_CARD.finditer(draft.normal.plain):
        if _checks(match.group()):
            draft.take("id_card", _starred("id_card", match.group()), *match.span(), 1.0)


def _checks(number: str) -> bool:
    """Tell whether the last character of a resident identity number is its check digit (GB 11643-1999)."""
    weights = [2 ** (17 - place) % 11 for place in range(17)]
    total = sum(weight * int(digit) for weight, digit in zip(weights, number, strict=False))
    return "10X98765432"[total % 11] == number[-1].upper()


def _find_purchase_orders(draft: Draft) -> None:
    if not draft.digits:
        return
    for match in _PURCHASE.finditer(draft.normal.plain):
        if draft.free(*match.span()):
            draft.take("order_no", match.group(), *match.span(), 0.85)


def _is_code(name: str, value: str, *, weak: bool) -> bool:
    """Tell whether what follows an announcement can be what it announces. "order 60 lamps" announces nothing."""
    digits = sum(map(str.isdigit, value))
    if name == "model":
        return digits > 0 or (len(value) > 1 and value.isupper())
    if value.isdigit():
        return digits >= (_LONG_DIGITS if weak else _FEW_DIGITS)
    return digits >= (2 if weak else 1) and len(value) >= _SHORT_CODE


def _take_wechat(draft: Draft, start: int) -> None:
    plain = draft.normal.plain
    if (match := _WECHAT.match(plain, start)) and draft.free(*match.span()):
        draft.take("wechat", match.group(), *match.span(), 0.9)
    elif (number := _PHONE.match(plain, start)) and (valid := e164(number.group(), cue=True, country=None)):
        # Many WeChat ids are telephone numbers: the place stays free, so the number is found as a phone too.
        draft.slots.append(Slot(name="wechat", value=valid, start=number.start(), end=number.end(), confidence=0.8))


def _find_phones(draft: Draft) -> None:
    if not draft.digits:
        return
    plain = draft.normal.plain
    country = next((country_of(draft, slot) for slot in draft.slots if slot.name == "region"), None)
    cues = sorted(each.end for each in draft.found.get("cue", ()) if each.entry.owner in ("phone", "wechat"))
    for run in _PHONE.finditer(plain):
        # Two numbers with a space between them look like one at first.
        pieces = [run.span(), *(_shift(each.span(), run.start()) for each in _PIECE.finditer(run.group()))]
        for start, end in pieces:
            at = bisect_left(cues, start + 1) - 1
            cue = at >= 0 and start - cues[at] <= _ANNOUNCED
            if draft.free(start, end) and (number := e164(plain[start:end], cue=cue, country=country)):
                draft.take("phone", number, start, end, 0.95)


def _shift(span: tuple[int, int], by: int) -> tuple[int, int]:
    return span[0] + by, span[1] + by


def _find_bare_codes(draft: Draft) -> None:
    """Read a message that is nothing but a code as what was asked for: an order number, or a model."""
    if len(draft.parts) != 1 or not draft.digits:
        return
    start, end = draft.parts[0]
    code = _CODE.fullmatch(draft.normal.plain, start, end)
    if code is None or not draft.free(start, end) or not any(map(str.isdigit, code.group())):
        return
    value = code.group()
    if not value.isdigit() or len(value) >= _LONG_DIGITS:
        draft.slots.append(Slot(name="order_no", value=value, start=start, end=end, confidence=0.4))
    if not value.isdigit():
        draft.slots.append(Slot(name="model", value=value, start=start, end=end, confidence=0.4))


@cache
def _pages() -> tuple[tuple[str, dict[str, list[str]]], ...]:
    """Return the lists of words that say where a value is, by role."""
    words = lexicon.load()
    return (
        ("cue", words.slots.cues),
        ("channel", words.slots.channel),
        ("unit", words.slots.units),
        ("sign", words.slots.signs),
        ("remedy", words.remedies.remedies),
        ("wish", {"": words.remedies.wishes}),
        ("own", {"": words.regions.cues}),
        ("not_own", {"": words.regions.not_own}),
        (
            "region",
            {code: [name for names in places for name in names] for code, places in words.regions.places.items()},
        ),
        ("say", {"": words.names.say}),
        ("be", {"": words.names.be}),
    )


def cue_entries() -> Iterator[Entry]:
    """List the words that say where a value is."""
    for role, owners in _pages():
        for owner, listed in owners.items():
            yield from (Entry(role=role, owner=owner, word=word) for word in listed)
