"""What was understood of a text: the types it speaks for, the dangers it names, the values it holds, and why."""

from dataclasses import dataclass, field
from typing import Final, Literal, get_args

Language = Literal["zh-Hans", "zh-Hant", "en"]
LANGUAGES: Final[tuple[Language, ...]] = get_args(Language)
Kind = Literal["complaint", "question", "greeting", "thanks", "other"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """One word of the lexicon, found in the text at [start, end) (in characters of the text as it was written)."""

    word: str
    start: int
    end: int
    weight: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeScore:
    """How strongly the text speaks for one complaint type: score in 0..1, and the words that decided."""

    id: str
    score: float
    words: tuple[Hit, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """A danger the text names (safety, media, big loss …), with the words that decided."""

    id: str
    words: tuple[Hit, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """A value found in the text, in its normal form, with its place and how sure the reader is (0..1).

    `name` is what it is (`order_no`, `phone`, `email`, `name`, `amount`, `model`, `region`, `remedy`, …). A field of a
    form says which slots may fill it.
    """

    name: str
    value: str
    start: int
    end: int
    confidence: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """An earlier answer taken back: the `value` that is right, and what was wrong (`instead`), if that was said.

    `named` are the words for what is corrected, `slots` what these words announce. Where it is not `sure`, only the
    tone says that something is corrected ("no, 555-0101"), and the value must speak for itself; where it is `weak`, an
    answer to another question may begin so too ("wait, it's …"). `rest` is what the message says before it.
    """

    value: str
    named: str = ""
    slots: frozenset[str] = frozenset()
    instead: str = ""
    sure: bool = True
    weak: bool = False
    rest: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """Everything the reader understood of one text. Same text and same lexicon: same reading."""

    language: Language
    kind: Kind
    types: tuple[TypeScore, ...] = ()
    flags: tuple[Flag, ...] = ()
    slots: tuple[Slot, ...] = ()
    lexicon: str = field(default="", compare=False)

    def slot(self, *names: str) -> Slot | None:
        """Return the surest slot with one of these names, or None."""
        found = [slot for slot in self.slots if slot.name in names]
        return max(found, key=lambda slot: slot.confidence) if found else None
