"""Values in a text: numbers, addresses, sums, names, places, and what the customer asks for.

Words of the lexicon say where to look (the matcher has already found them); a bounded pattern then reads the value at
that place. What is uncertain is left out: a form asks for a missing value, but nobody asks about a wrong one.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cache

from complaints.reading import Language, Reading, Slot
from complaints.weights import Weights
from nlp import lexicon, numerals
from nlp.addresses import AddressFinder
from nlp.amounts import AmountFinder
from nlp.codes import CodeFinder
from nlp.dates import DateFinder
from nlp.draft import Draft
from nlp.goods import GoodsFinder
from nlp.matcher import Entry, Match, longest
from nlp.moments import MomentFinder
from nlp.normalize import Normal
from nlp.persons import NameFinder
from nlp.phones import PhoneFinder
from nlp.places import PlaceFinder
from nlp.remedies import RemedyFinder

#: Up to this length, in characters, a message may be a list of answers ("Max Hill, max@example.com, Sheffield").
_LIST = 200
#: A part of such a list has at most so many words, a Han character counting as one.
_PART = 14
#: How far before a value, in characters, a denial of it may begin.
_DENIED = 18
#: Among so many values after it the correction of one is looked for.
_FOLLOWING = 6
#: How far apart, in characters, a value and its correction may stand.
_CORRECTION = 40
#: How far from a number plate or an identity number, in characters, the word for it may stand.
_NEAR = 14

#: Slots that tell who or where somebody is, as a list of answers does.
_CONTACT = frozenset({"phone", "email", "wechat", "channel", "region", "model", "order_no"})
#: Slots whose value may be denied or corrected: "not the 3rd, the 5th".
_CORRECTED = frozenset(
    {
        "amount",
        "date",
        "phone",
        "order_no",
        "tracking_no",
        "contract_no",
        "batch",
        "model",
        "plate",
        "quantity",
        "email",
        "wechat",
    }
)
#: Numbers of which one is as soon taken for another.
_NUMBERED = frozenset({"order_no", "contract_no", "tracking_no", "batch"})
#: Slots that are starred where strangers read along.
PRIVATE = frozenset({"phone", "email", "wechat", "name", "id_card", "withdrawn"})

_EMAIL = re.compile(
    r"(?<![A-Za-z0-9._%+-])[A-Za-z0-9._%+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,5}[A-Za-z]{2,24}(?![A-Za-z])"
)
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_/-]{0,39}")
_PURCHASE = re.compile(
    r"(?<![A-Za-z0-9])(?:PO|SO|ORD)[-#]?\d{3,20}(?:-\d{1,8}){0,2}(?![A-Za-z0-9])", re.IGNORECASE | re.ASCII
)
#: A message that is nothing but this is a day, even where nobody can say which.
_DAY = re.compile(r"\d{1,2}([-/])\d{1,2}(?:\1(?:\d\d){1,2})?", re.ASCII)
_NUMBER = re.compile(r"\d\d")
#: A code alone has at least so many digits.
_LONG_DIGITS = 5


class SlotFinder:
    """Finds the values of a text. `patterns` are the company's own: slot name -> regular expressions."""

    def __init__(
        self, patterns: Mapping[str, Sequence[str]], *, currency: str, remedies: Weights | None = None
    ) -> None:
        """Compile the patterns. Where one has a group, the first group is the value; word boundaries are ASCII.

        `remedies` is what was learned of how customers ask for them.
        """
        words = lexicon.load()
        han = words.characters.han
        self._patterns = [
            (name, re.compile(each, re.IGNORECASE | re.ASCII)) for name, listed in patterns.items() for each in listed
        ]
        self._ends = frozenset(words.characters.ends)
        self._separator = re.compile(
            rf"[{re.escape(words.characters.ends)}|]+|\.(?=\s|$)|(?<=[{han}])\s+|\s+(?=[{han}])"
        )
        self._word = re.compile(rf"[{han}]|[A-Za-z0-9@.'-]+")
        variants, self._taken_back = words.slots.variants, _compiled(words.slots.taken_back)
        self._hong_kong = re.compile(variants["HK"], re.IGNORECASE)
        self._hong_kong_written = re.compile(f"{variants['HK_numerals']}|{variants['HK_traditional']}")
        self._url = re.compile(words.slots.patterns["url"])
        self._currency = currency
        self._codes = CodeFinder()
        self._phones = PhoneFinder()
        self._addresses = AddressFinder()
        self._goods = GoodsFinder()
        self._amounts = AmountFinder(currency=currency)
        self._moments = MomentFinder()
        self._dates = DateFinder()
        self._names = NameFinder()
        self._places = PlaceFinder()
        self._remedies = RemedyFinder(remedies)

    def find(
        self,
        normal: Normal,
        found: Mapping[str, list[Match]],
        denied: set[Match],
        *,
        language: Language = "zh-Hans",
        at: datetime | None = None,
    ) -> tuple[Slot, ...]:
        """Return the values of a text in the order of their places; `at` is when it was said, in its own zone."""
        normal = numerals.dictated(normal)
        draft = Draft(normal=normal, found=found, parts=self._parts(normal), language=language)
        variant = self._variant(draft)
        # The surest first: what has been read as one thing is not read again as another.
        _find_emails(draft)
        self._block_urls(draft)
        self._codes.find_id_cards(draft)
        self._find_company_patterns(draft)
        self._codes.find_announced(draft)
        _find_purchase_orders(draft)
        self._codes.find_known(draft, variant)
        self._phones.find_wechat(draft)
        self._names.find_announced(draft)
        self._addresses.find(draft)
        self._places.find(draft)
        self._moments.find(draft)
        self._dates.find(draft, at, variant)
        self._phones.find(draft, variant)
        self._amounts.find(draft, variant)
        self._goods.find(draft)
        _find_bare_codes(draft)
        self._codes.find_models(draft)
        _find_channels(draft)
        self._remedies.find(draft, denied)
        alone = len(draft.parts) == 1
        if alone or any(slot.name in _CONTACT for slot in draft.slots):
            self._names.find_listed(draft, alone=alone)
        draft.slots.sort(key=lambda slot: (slot.start, slot.end))
        return tuple(self._standing(draft))

    def _variant(self, draft: Draft) -> str:
        """Tell where a text comes from: `CN`, `TW`, `HK`, or `en` for any English one."""
        if draft.language == "en":
            return "en"
        if self._hong_kong.search(draft.normal.plain):
            return "HK"
        if draft.language != "zh-Hant":
            return "CN"
        return "HK" if self._currency == "HKD" or self._hong_kong_written.search(draft.normal.plain) else "TW"

    def _block_urls(self, draft: Draft) -> None:
        if "/" in draft.normal.folded or "www" in draft.normal.folded:
            for match in self._url.finditer(draft.normal.folded):
                draft.block(*match.span())

    def _standing(self, draft: Draft) -> Iterator[Slot]:
        """Return the values that the text does not take back: "not 1200", "the 3rd, no, the 5th"."""
        folded = draft.normal.folded
        for index, slot in enumerate(draft.slots):
            if slot.name not in _CORRECTED:
                yield slot
                continue
            after = next(
                (each for each in draft.slots[index + 1 : index + 1 + _FOLLOWING] if each.name == slot.name), None
            )
            if not self._taken_back["denied"].search(folded[max(0, slot.start - _DENIED) : slot.start]) and not (
                self._corrects(slot.name, folded[slot.end : after.start])
                if after is not None
                else self._taken_back["unread"].match(folded, slot.end)
            ):
                yield slot
            elif slot.name in PRIVATE:  # strangers must not read it all the same
                yield replace(slot, name="withdrawn", value="*")

    def _corrects(self, name: str, between: str) -> bool:
        if len(between) > _CORRECTION:
            return False
        if corrected := self._taken_back["corrected"].search(between):
            # The number right before it is corrected, though it may be no sum for sure.
            return name != "amount" or not _NUMBER.search(between[: corrected.start()])
        return name == "date" and self._taken_back["corrected_date"].search(between) is not None

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
        # A number that is called one of something else is that, if the company knows such numbers; else all are one.
        known = _NUMBERED.intersection(name for name, _ in self._patterns)
        cues = [(each.end, each.entry.owner) for each in draft.found.get("cue", ()) if each.entry.owner in known]
        for name, pattern in self._patterns:
            for match in pattern.finditer(draft.normal.plain):
                start, end = match.span(1 if pattern.groups else 0)
                called = any(0 <= start - at <= 1 and owner != name for at, owner in cues) and name in _NUMBERED
                if 0 <= start < end and draft.free(start, end) and not called:
                    draft.take(name, draft.normal.plain[start:end], start, end, 1.0)


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
    head, tail = {"phone": (3, 2), "id_card": (0, 4), "wechat": (2, 0), "name": (1, 0), "withdrawn": (0, 0)}[name]
    if len(value) <= head + tail + 1:
        head, tail = min(head, 1), 0
    return value[:head] + "*" * max(2, len(value) - head - tail) + value[len(value) - tail :]


def _find_channels(draft: Draft) -> None:
    for match in longest(draft.found.get("channel", ())):
        value = match.entry.owner
        draft.slots.append(Slot(name="channel", value=value, start=match.start, end=match.end, confidence=0.9))


def _find_emails(draft: Draft) -> None:
    if "@" not in draft.normal.plain:
        return
    for match in _EMAIL.finditer(draft.normal.plain):
        draft.take("email", match.group().lower(), *match.span(), 1.0)


def _find_purchase_orders(draft: Draft) -> None:
    if not draft.digits:
        return
    for match in _PURCHASE.finditer(draft.normal.plain):
        if draft.free(*match.span()):
            draft.take("order_no", match.group(), *match.span(), 0.85)


def _find_bare_codes(draft: Draft) -> None:
    """Read a message that is nothing but a code as what was asked for: an order number, or a model."""
    if len(draft.parts) != 1 or not draft.digits:
        return
    start, end = draft.parts[0]
    code = _CODE.fullmatch(draft.normal.plain, start, end)
    if code is None or not draft.free(start, end) or not any(map(str.isdigit, code.group())):
        return
    value = code.group()
    if _DAY.fullmatch(value):
        return
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
        ("carrier", {"": words.slots.carriers}),
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


def _compiled(patterns: Mapping[str, str]) -> dict[str, re.Pattern[str]]:
    return {name: re.compile(pattern) for name, pattern in patterns.items()}
