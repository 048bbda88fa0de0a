"""Where things stand in a YAML file: its data, the line of every part of it, and what the parser stumbled over."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, SequenceNode

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
        yaml = YAML(typ="safe", pure=True)
        yaml.allow_duplicate_keys = True  # they are reported below, all of them
        self.stumbles: list[Stumble] = []
        self.data: Any = None  # Any: whatever the file holds
        self._root: Node | None = None
        try:
            self._root = yaml.compose(text)
            if self._root is not None:
                self.data = yaml.constructor.construct_document(self._root)
        except MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            self._stumble(mark.line + 1 if mark else 1, " ".join(filter(None, (error.context, error.problem))))
        except (YAMLError, ValueError, RecursionError) as error:
            self._stumble(1, str(error).splitlines()[0])
        self.stumbles += _duplicates(self._root)

    def line(self, path: Iterable[str | int]) -> int:
        """Return the line (from 1) of the deepest part of the path that exists; steps that do not exist are skipped."""
        node, line = self._root, 1
        for step in path:
            found = _step(node, step)
            if found is not None:
                start, node = found
                line = start + 1
        return line

    def known(self, path: Iterable[str | int]) -> Path:
        """Return the path without the steps that do not exist in the document."""
        node, kept = self._root, []
        for step in path:
            found = _step(node, step)
            if found is not None:
                kept.append(step)
                node = found[1]
        return tuple(kept)

    def _stumble(self, line: int, message: str) -> None:
        self.data = None
        cure = "Look at this line and the one above it: indentation, a missing colon, quote or bracket."
        self.stumbles.append(Stumble(line=line, message=f"This is not YAML: {message}.", cure=cure))


@lru_cache(maxsize=64)
def document(text: str) -> Document:
    """Return the document of a text; one that was read before is not read again. Nobody changes its data."""
    return Document(text)


def _step(node: Node | None, step: str | int) -> tuple[int, Node] | None:
    """Return the line (from 0) and the node behind one key or position, or None if there is none."""
    if isinstance(node, MappingNode):
        for key, value in node.value:
            if key.value == str(step):
                return key.start_mark.line, value
    elif isinstance(node, SequenceNode) and isinstance(step, int) and step < len(node.value):
        found = node.value[step]
        return found.start_mark.line, found
    return None


def _duplicates(node: Node | None, seen: set[int] | None = None) -> Iterator[Stumble]:
    seen = set() if seen is None else seen
    if node is None or id(node) in seen:  # an alias leads to a part that was seen at its anchor
        return
    seen.add(id(node))
    if isinstance(node, SequenceNode):
        for each in node.value:
            yield from _duplicates(each, seen)
    elif isinstance(node, MappingNode):
        first: dict[str, int] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            if str(key.value) in first:
                yield Stumble(
                    line=line,
                    message=f"The key {key.value!r} stands here a second time.",
                    cure=f"Keep one of them; the first is on line {first[str(key.value)]}.",
                )
            first.setdefault(str(key.value), line)
            yield from _duplicates(value, seen)
