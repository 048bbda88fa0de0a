"""What has been found in a text so far, and which of its characters already mean something."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from complaints.reading import Slot
from nlp.matcher import Match
from nlp.normalize import Normal


@dataclass(slots=True, kw_only=True)
class Draft:
    """The slots of one text while they are being found; `taken` marks the characters that already mean something."""

    normal: Normal
    found: Mapping[str, list[Match]]
    parts: tuple[tuple[int, int], ...]
    slots: list[Slot] = field(default_factory=list)
    taken: bytearray = field(init=False)
    digits: bool = field(init=False)

    def __post_init__(self) -> None:
        """Start with nothing taken; most finders need a digit to have anything to do."""
        self.digits = any(map(str.isdigit, self.normal.plain))
        self.taken = bytearray(len(self.normal.plain))

    def free(self, start: int, end: int) -> bool:
        """Tell whether no value has been read at this place."""
        return not any(self.taken[start:end])

    def take(self, name: str, value: str, start: int, end: int, confidence: float) -> None:
        """Keep a value; its place is taken."""
        self.slots.append(Slot(name=name, value=value, start=start, end=end, confidence=confidence))
        self.taken[start:end] = b"\1" * (end - start)
