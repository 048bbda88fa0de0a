"""What can be read of a policy that holds mistakes, so that one of them does not hide the others."""

from collections.abc import Iterable, Mapping
from copy import deepcopy
from typing import Any, Final

from policies.phrasebook import LANGUAGES
from policies.places import Path

_SENTENCE: Final = dict.fromkeys(LANGUAGES, "-")
#: What stands in for a section that cannot be read: the smallest policy there is.
STAND_IN: Final[dict[str, Any]] = {
    "schema": 1,
    "id": "stand_in",
    "clause": "",
    "title": _SENTENCE,
    "languages": [*LANGUAGES],
    "number": {"prefix": "A"},
    "hours": {"zone": "UTC", "week": {"mon": ["09:00-17:00"]}, "makeup": [], "quiet": "22:00-08:00"},
    "routing": {"reception": "a", "roles": [{"id": "a", "title": _SENTENCE}]},
    "form": {"consent": "0", "fields": [{"id": "a", "title": _SENTENCE, "ask": _SENTENCE, "hint": _SENTENCE}]},
    "taxonomy": {"fallback": "a", "types": [{"id": "a", "title": _SENTENCE, "department": "a"}]},
    "lifecycle": {
        "states": [{"id": "a", "title": _SENTENCE}, {"id": "b", "title": _SENTENCE, "final": True}],
        "moves": [{"id": "c", "from": "a", "to": "b", "by": "customer"}],
        "submit": "c",
        "withdraw": "c",
    },
}


class Mended:
    """The data of a policy without what cannot be read.

    `broken` are the sections of which a part was left out, `replaced` those for which something else stands in.
    """

    def __init__(self, data: Mapping[str, Any]) -> None:  # Any: whatever the file holds
        self.data: Final = deepcopy(dict(data))
        self.broken: Final[set[str]] = set()
        self.replaced: Final[set[str]] = set()
        self._kept: Final[dict[Path, list[int]]] = {}  # for each list that lost elements: the positions of the others

    def original(self, path: Iterable[str | int]) -> Path:
        """Return where a place of the mended data lies in the file."""
        found: Path = ()
        for step in path:
            kept = self._kept.get(found)
            if kept is not None and isinstance(step, int) and step < len(kept):
                found = (*found, kept[step])
            else:
                found = (*found, step)
        return found

    def leave_out(self, mistakes: Iterable[tuple[Path, bool]]) -> None:
        """Leave out what is wrong at these places: a key (True), or else the element of the innermost list around it.

        Where there is no list around it something else stands in for the whole section.
        """
        elements: set[Path] = set()
        sections: set[str] = set()
        for path, key in mistakes:
            there = self._there(path)
            positions = [index for index, step in enumerate(there) if isinstance(step, int)]
            if key and there == path:
                self._get(there[:-1]).pop(there[-1], None)
            elif positions:
                elements.add(there[: positions[-1] + 1])
            else:
                sections.add(str(path[0]))
        for element in sorted(elements, key=_order, reverse=True):  # from the back: what is before keeps its position
            self._remove(element)
        for section in sections:
            self.stand_in(section)

    def stand_in(self, section: str) -> None:
        """Put something readable in the place of a section, or remove it where a policy may go without."""
        self.replaced.add(section)
        self.data.pop(section, None)
        if section in STAND_IN:
            self.data[section] = STAND_IN[section]

    def _remove(self, element: Path) -> None:
        around, position = element[:-1], int(element[-1])
        elements = self._get(around)
        kept = self._kept.setdefault(self.original(around), list(range(len(elements))))
        del elements[position], kept[position]
        self.broken.add(str(element[0]))

    def _get(self, path: Iterable[str | int]) -> Any:  # Any: whatever the file holds
        part: Any = self.data
        for step in path:
            part = part[step]
        return part

    def _there(self, path: Path) -> Path:
        """Return the path without the steps that do not lead anywhere in the data."""
        part: Any = self.data
        found: Path = ()
        for step in path:
            inside = isinstance(part, list) and isinstance(step, int) and step < len(part)
            if inside or (isinstance(part, dict) and step in part):
                part, found = part[step], (*found, step)
        return found


def _order(path: Path) -> tuple[tuple[int, str], ...]:
    return tuple((step, "") if isinstance(step, int) else (-1, step) for step in path)
