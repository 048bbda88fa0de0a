"""What has been found in a text so far, and which of its characters already mean something."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from complaints.reading import Language, Slot
from nlp.matcher import Match
from nlp.normalize import Normal

#: How a character is taken: for good, by a time of day that a day may share, by an address that names a place too.
TAKEN: Final = 1
TIME: Final = 2
PLACE: Final = 4
#: The marks over which a value may lie, as bytes.
_ALLOWED: Final = {0: b"\0", TIME: bytes((0, TIME)), PLACE: bytes((0, PLACE))}


@dataclass(slots=True, kw_only=True)
class Draft:
    """The slots of one text while they are being found; `taken` marks the characters that already mean something.

    `currencies` are those of the sums found so far, `sums` where these end.
    """

    normal: Normal
    found: Mapping[str, list[Match]]
    parts: tuple[tuple[int, int], ...]
    language: Language = "zh-Hans"
    slots: list[Slot] = field(default_factory=list)
    currencies: set[str] = field(default_factory=set)
    sums: set[int] = field(default_factory=set)
    taken: bytearray = field(init=False)
    digits: bool = field(init=False)

    def __post_init__(self) -> None:
        """Start with nothing taken; most finders need a digit to have anything to do."""
        self.digits = any(map(str.isdigit, self.normal.plain))
        self.taken = bytearray(len(self.normal.plain))

    def free(self, start: int, end: int, *, over: int = 0) -> bool:
        """Tell whether no value has been read at this place, but for marks `over` which another may lie."""
        return not self.taken[start:end].strip(_ALLOWED[over])

    def take(self, name: str, value: str, start: int, end: int, confidence: float, *, mark: int = TAKEN) -> None:
        """Keep a value; its place is taken."""
        self.slots.append(Slot(name=name, value=value, start=start, end=end, confidence=confidence))
        self.block(start, end, mark=mark)

    def block(self, start: int, end: int, *, mark: int = TAKEN) -> None:
        """Take a place without keeping anything: what stands there is no value."""
        for at in range(start, end):
            self.taken[at] |= mark

    def visible(self, *, over: int = 0) -> str:
        """Return the folded text with what already means something blotted out."""
        if not any(self.taken):
            return self.normal.folded
        return "".join(
            "\0" if mark & ~over else each for each, mark in zip(self.normal.folded, self.taken, strict=True)
        )

    def alone(self, start: int, end: int) -> bool:
        """Tell whether the text is nothing but what stands at this place."""
        return self.parts == ((start, end),)
