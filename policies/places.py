"""Where things stand in a YAML file: its data, the line of every part of it, and what the parser stumbled over."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from policies.yaml12 import NotYaml, Spot, compose

#: The way to a part of a document: keys and positions.
Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stumble:
    """A mistake of YAML itself, on a line (from 1)."""

    line: int
    message: str
    cure: str


class Document:
    """One YAML 1.2 document. `data` is None where `stumbles` say that it cannot be read at all."""

    def __init__(self, text: str) -> None:
        self.stumbles: list[Stumble] = []
        self.data: Any = None  # Any: whatever the file holds
        self._spot = Spot(1)
        try:
            composed = compose(text)
        except NotYaml as error:
            self._stumble(error)
            return
        self.data, self._spot = composed.data, composed.spot
        for again in composed.again:
            self._stumble(again.error)

    def line(self, path: Iterable[str | int]) -> int:
        """Return the line (from 1) of the deepest part of the path that exists; steps that do not exist are skipped."""
        spot, line = self._spot, 1
        for step in path:
            found = _step(spot, step)
            if found is not None:
                spot, line = found, found.line
        return line

    def known(self, path: Iterable[str | int]) -> Path:
        """Return the path without the steps that do not exist in the document."""
        spot, kept = self._spot, []
        for step in path:
            found = _step(spot, step)
            if found is not None:
                spot = found
                kept.append(step)
        return tuple(kept)

    def _stumble(self, error: NotYaml) -> None:
        self.stumbles.append(Stumble(line=error.line, message=error.message, cure=error.cure))


@lru_cache(maxsize=64)
def document(text: str) -> Document:
    """Return the document of a text; one that was read before is not read again. Nobody changes its data."""
    return Document(text)


def _step(spot: Spot, step: str | int) -> Spot | None:
    """Return where the part behind one key or position stands, or None if there is none."""
    inside = spot.inside
    if isinstance(inside, dict):
        return inside.get(str(step))
    return inside[step] if inside is not None and isinstance(step, int) and step < len(inside) else None
