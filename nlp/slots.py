"""Values in a text: numbers, addresses, sums, names, places, and what the customer asks for.

Words of the lexicon say where to look (the matcher has already found them); a bounded pattern then reads the value at
that place. What is uncertain is left out: a form asks for a missing value, but nobody asks about a wrong one.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cache

from complaints.reading import Language, Reading, Slot
from nlp import lexicon
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
#: How far before a remedy, in characters, a wish for it may end.
_WISHED = 10
_WISHED_LATIN = 24

#: So near each other, in characters, two words for one remedy are one.
_BESIDE = 2

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
#: Slots that are starred where strangers read along.
PRIVATE = frozenset({"phone", "email", "wechat", "name", "id_card", "withdrawn"})

_EMAIL = re.compile(
    r"(?<![A-Za-z0-9._%+-])[A-Za-z0-9._%+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,5}[A-Za-z]{2,24}(?![A-Za-z])"
)
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_/-]{0,39}")
_PURCHASE = re.compile(
    r"(?<![A-Za-z0-9])(?:PO|SO|ORD)[-#]?\d{3,20}(?:-\d{1,8}){0,2}(?![A-Za-z0-9])", re.IGNORECASE | re.ASCII
)
#: A code alone has at least so many digits.
_LONG_DIGITS = 5


class SlotFinder:
    """Finds the values of a text. `patterns` are the company's own: slot name -> regular expressions."""

    def __init__(self, patterns: Mapping[str, Sequence[str]], *, currency: str) -> None:
        """Compile the patterns. Where one has a group, the first group is the value; word boundaries are ASCII."""
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
        self._join = re.compile("|".join(re.escape(each) for each in words.negations.joins))
        variants, self._taken_back = words.slots.variants, _compiled(words.slots.taken_back)
        self._hong_kong = re.compile(variants["HK"], re.IGNORECASE)
        self._hong_kong_numerals = re.compile(variants["HK_numerals"])
        self._url = re.compile(words.slots.patterns["url"])
        self._currency = currency
        self._said = {name: re.compile(each) for name, each in words.remedies.said.items()}
        self._unasked_before = re.compile(words.remedies.unasked_before)
        self._unasked_after = re.compile(words.remedies.unasked_after)
        self._codes = CodeFinder()
        self._phones = PhoneFinder()
        self._addresses = AddressFinder()
        self._goods = GoodsFinder()
        self._amounts = AmountFinder(currency=currency)
        self._moments = MomentFinder()
        self._dates = DateFinder()
        self._names = NameFinder()
        self._places = PlaceFinder()

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
        self._find_remedies(draft, denied)
        alone = len(draft.parts) == 1
        if alone or any(slot.name in _CONTACT for slot in draft.slots):
            self._names.find_listed(draft, alone=alone)
        draft.slots.sort(key=lambda slot: (slot.start, slot.end))
        _join_remedies(draft)
        return tuple(self._standing(draft))

    def _variant(self, draft: Draft) -> str:
        """Tell where a text comes from: `CN`, `TW`, `HK`, or `en` for any English one."""
        if draft.language == "en":
            return "en"
        if self._hong_kong.search(draft.normal.plain):
            return "HK"
        if draft.language != "zh-Hant":
            return "CN"
        return "HK" if self._currency == "HKD" or self._hong_kong_numerals.search(draft.normal.plain) else "TW"

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
                after is not None and self._corrects(slot.name, folded[slot.end : after.start])
            ):
                yield slot
            elif slot.name in PRIVATE:  # strangers must not read it all the same
                yield replace(slot, name="withdrawn", value="*")

    def _corrects(self, name: str, between: str) -> bool:
        if len(between) > _CORRECTION:
            return False
        if self._taken_back["corrected"].search(between):
            return True
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
        for name, pattern in self._patterns:
            for match in pattern.finditer(draft.normal.plain):
                start, end = match.span(1 if pattern.groups else 0)
                if 0 <= start < end and draft.free(start, end):
                    draft.take(name, draft.normal.plain[start:end], start, end, 1.0)

    def _find_remedies(self, draft: Draft, denied: set[Match]) -> None:
        self._find_named_remedies(draft, denied)
        folded = draft.normal.folded
        refused = [match for match in denied if match.entry.role == "remedy"]
        for name, pattern in self._said.items():
            known = [slot for slot in draft.slots if slot.name == "remedy"]
            for match in pattern.finditer(folded):
                start, end = match.span()
                if any(slot.start < end and start < slot.end for slot in known if slot.value == name):
                    continue
                if any(each.start < end and start < each.end for each in refused) or not draft.free(start, end):
                    continue
                if self._unasked(folded, start, end):
                    continue
                draft.slots.append(Slot(name="remedy", value=name, start=start, end=end, confidence=0.6))
                break

    def _unasked(self, folded: str, start: int, end: int) -> bool:
        """Tell whether a remedy is told of, and not asked for."""
        before = folded[max(0, start - _DENIED) : start]
        return bool(self._unasked_before.search(before) or self._unasked_after.match(folded, end))

    def _find_named_remedies(self, draft: Draft, denied: set[Match]) -> None:
        if "remedy" not in draft.found:
            return
        folded = draft.normal.folded
        wishes = sorted(each.end for each in draft.found.get("wish", ()))
        wished_end = -1
        for match in longest([each for each in draft.found["remedy"] if each not in denied]):
            if not draft.free(match.start, match.end):
                continue
            at = bisect_left(wishes, match.start + 1) - 1
            wished = at >= 0 and self._same_clause(folded, wishes[at], match.start)
            if wished or (wished_end >= 0 and self._listed(folded, wished_end, match.start)):
                wished_end = match.end
                confidence = 0.9
            elif self._unasked(folded, match.start, match.end):
                continue
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
    head, tail = {"phone": (3, 2), "id_card": (0, 4), "wechat": (2, 0), "name": (1, 0), "withdrawn": (0, 0)}[name]
    if len(value) <= head + tail + 1:
        head, tail = min(head, 1), 0
    return value[:head] + "*" * max(2, len(value) - head - tail) + value[len(value) - tail :]


def _slot(match: Match, name: str, confidence: float) -> Slot:
    return Slot(name=name, value=match.entry.owner, start=match.start, end=match.end, confidence=confidence)


def _join_remedies(draft: Draft) -> None:
    """Keep one of two words for the same remedy that stand side by side."""
    last: Slot | None = None
    for slot in [each for each in draft.slots if each.name == "remedy"]:
        if last is not None and slot.value == last.value and slot.start - last.end <= _BESIDE:
            draft.slots.remove(slot)
        last = slot


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
