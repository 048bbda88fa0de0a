"""YAML 1.2 as its core schema says, in and out: PyYAML's C parser finds the parts, this module says what they mean.

`true`, `false`, `null` (or nothing) and numbers are what they say; everything else is a text: `yes`, `on`, `10:30`,
`2025-03-05`. `010` is ten. A merge key (`<<`) is a key like any other.
"""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple

import yaml

from complaints.errors import Misconfigured

#: How deep a document may go, aliases followed. No policy comes near, and all who read the data go down with it.
DEPTH: Final = 50
#: How many parts a document may have, each alias counted with all that it stands for: ten times a long policy.
PARTS: Final = 200_000
#: How many characters a number may have.
DIGITS: Final = 100
_WORDS: Final[dict[str, bool | None]] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_BEGINS_NUMBER: Final = frozenset("+-.0123456789")
_INT: Final = re.compile(r"[-+]?[0-9]+")
_OTHER_INT: Final = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT: Final = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NO_FIGURE: Final = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
#: What no file may hold: what is no text in YAML, and three breaks of lines that are none in YAML 1.2 and in editors.
_UNPRINTABLE: Final = re.compile("[^\t\n\r\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_TAG: Final = "tag:yaml.org,2002:"
_TAGGED: Final[dict[str, tuple[type, ...]]] = {
    "!": (list, dict),
    f"{_TAG}null": (type(None),),
    f"{_TAG}bool": (bool,),
    f"{_TAG}int": (int,),
    f"{_TAG}float": (float, int),
    f"{_TAG}seq": (list,),
    f"{_TAG}map": (dict,),
}
_LAYOUT: Final = "Look at this line and the one above it: indentation, a missing colon, quote or bracket."
#: A line of text is never broken.
_WIDTH: Final = 1_000_000_000


class NotYaml(ValueError):
    """A text that is not YAML, or is more than a file may be: the line (from 1), what is wrong, and the cure."""

    def __init__(self, line: int, message: str, cure: str = _LAYOUT) -> None:
        super().__init__(f"line {line}: {message} {cure}")
        self.line, self.message, self.cure = line, message, cure


class Spot(NamedTuple):
    """Where a part of a document stands: its line (from 1), and the parts inside it by their key or position."""

    line: int
    inside: "dict[str, Spot] | list[Spot] | None" = None


class Again(NamedTuple):
    """A key that stands in its mapping a second time: its line, and that of the first, which counts."""

    line: int
    key: str
    first: int

    @property
    def error(self) -> NotYaml:
        """What to say about it."""
        message = f"The key {self.key!r} stands here a second time."
        return NotYaml(self.line, message, f"Keep one of them; the first is on line {self.first}.")


class Composed(NamedTuple):
    """What a document says, where its parts stand, and the keys that stand there twice."""

    data: Any  # Any: whatever the document holds
    spot: Spot
    again: list[Again]


def load(text: str) -> Any:  # Any: whatever the text holds
    """Return what a text says, None if it says nothing. NotYaml if it cannot be read, or has a key twice."""
    composed = compose(text)
    for again in composed.again:
        raise again.error
    return composed.data


def read(path: Path) -> Any:  # Any: whatever the file holds
    """Return what a file says. Misconfigured names the file and the line that is wrong; OSError if it is missing."""
    try:
        return load(path.read_text("utf-8"))
    except NotYaml as error:
        raise Misconfigured(f"{path}:{error.line}: {error.message} {error.cure}") from error
    except UnicodeDecodeError as error:
        raise Misconfigured(f"{path}: The file cannot be read ({error}). It must be UTF-8 text.") from error


def compose(text: str) -> Composed:
    """Return what a text says and where. NotYaml for what no data can come of."""
    if strange := _UNPRINTABLE.search(text):
        line = text.count("\n", 0, strange.start()) + 1
        message = f"This is not YAML: the character {strange[0]!r} is no text."
        raise NotYaml(line, message, "Remove it, or save the file as plain text in UTF-8.")
    builder = _Builder()
    parser = yaml.CSafeLoader(text)
    try:
        for event in iter(parser.get_event, None):
            builder.take(event)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = min(mark.line, text.count("\n")) + 1 if mark else 1  # the end of a text has a line after the last
        said = " ".join(filter(None, (error.context, error.problem)))
        raise NotYaml(line, f"This is not YAML: {said}.", _cure(text, line)) from error
    whole = builder.whole
    return Composed(whole.data, Spot(whole.line, whole.inside), builder.again)


def write(data: Any) -> str:  # Any: what `load` returns
    """Return the text that says this data, and nothing shorter: what stands there twice is written twice."""
    events: list[yaml.Event] = [yaml.StreamStartEvent(), yaml.DocumentStartEvent(explicit=False)]
    _tell(data, events)
    events += [yaml.DocumentEndEvent(explicit=False), yaml.StreamEndEvent()]
    text: str = yaml.emit(events, Dumper=yaml.CSafeDumper, allow_unicode=True, width=_WIDTH)
    return text


def _cure(text: str, line: int) -> str:
    lines = text.split("\n")
    if any("\t" in each[: len(each) - len(each.lstrip())] for each in lines[max(line - 2, 0) : line]):
        return "Put spaces in the place of the tab: YAML is indented with spaces."
    return _LAYOUT


def _meaning(text: str, line: int) -> Any:  # Any: whatever it says
    """Return what a text without quotes says."""
    if text in _WORDS:
        return _WORDS[text]
    number = _number(text)
    if number is None:
        return text
    if len(text) > DIGITS:
        raise NotYaml(line, f"This number has more than {DIGITS} digits.", "Put quotes around it if it is a text.")
    return number(text)


def _number(text: str) -> Callable[[str], int | float] | None:
    """Return how to make a number of a text that says one; None for one that says none."""
    if text[0] not in _BEGINS_NUMBER:
        return None
    if _INT.fullmatch(text):
        return int
    if _FLOAT.fullmatch(text):
        return float
    if _OTHER_INT.fullmatch(text):
        return _other_int
    return _no_figure if _NO_FIGURE.fullmatch(text) else None


def _other_int(text: str) -> int:
    return int(text, 0)


def _no_figure(text: str) -> float:
    return float(text.replace(".", ""))


def _tagged(tag: str | None, text: str, line: int) -> Any:  # Any: whatever it says
    """Return what a text with quotes or a tag says."""
    if tag is None or tag in {"!", f"{_TAG}str"}:
        return text
    data = _meaning(text, line)
    _check_tag(tag, data, line)
    return data


def _check_tag(tag: str, data: object, line: int) -> None:
    if type(data) not in _TAGGED.get(tag, ()):
        raise NotYaml(line, f"The tag {tag!r} does not fit here.", "Remove it; put quotes around what is a text.")


def _too_deep(line: int) -> NotYaml:
    return NotYaml(line, f"The file goes deeper than {DEPTH} levels.", "Close the brackets, or write it flatter.")


class _Part(NamedTuple):
    """A part that is complete. `name` is the text of a scalar; `depth` counts the levels inside it."""

    data: Any  # Any: whatever it says
    line: int
    inside: Any = None  # Any: a dict or a list of spots
    name: str | None = None
    parts: int = 1
    depth: int = 0


@dataclass(slots=True)
class _Open:
    """A mapping or a list that is being read, and the key that waits for its value: what it says, its text and line."""

    data: Any  # Any: a dict or a list
    inside: Any  # Any: the same, of spots
    line: int
    anchor: str | None
    parts: int = 1
    depth: int = 1
    key: Any = None  # Any: whatever it says
    name: str | None = None
    keyed_on: int = 0


@dataclass(slots=True)
class _Builder:
    """Builds data out of events, in a loop: a document that goes too deep ends it, and no stack."""

    whole: _Part = field(default_factory=lambda: _Part(None, 1))
    again: list[Again] = field(default_factory=list)
    _open: list[_Open] = field(default_factory=list)
    _anchors: dict[str, _Part] = field(default_factory=dict)
    _documents: int = 0

    def take(self, event: Any) -> None:  # Any: PyYAML's events, whose types know no attributes
        """Add what the next event brings."""
        kind, line = type(event), event.start_mark.line + 1
        if kind is yaml.ScalarEvent:
            text = event.value
            bare = event.implicit[0] and event.tag is None
            data = _meaning(text, line) if bare else _tagged(event.tag, text, line)
            self._put(_Part(data, line, None, text), event.anchor, line)
        elif kind is yaml.MappingStartEvent:
            self._begin(_Open({}, {}, line, event.anchor), event.tag)
        elif kind is yaml.SequenceStartEvent:
            self._begin(_Open([], [], line, event.anchor), event.tag)
        elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
            done = self._open.pop()
            part = _Part(done.data, done.line, done.inside, None, done.parts, done.depth)
            self._put(part, done.anchor, done.line)
        elif kind is yaml.AliasEvent:
            self._put(self._meant(event.anchor, line), None, line)
        elif kind is yaml.DocumentStartEvent:
            self._documents += 1
            if self._documents > 1:
                message = "This is not YAML: expected a single document in the stream, but found another document."
                raise NotYaml(line, message, "Remove the line `---`, or what follows it.")

    def _begin(self, part: _Open, tag: str | None) -> None:
        if tag is not None:
            _check_tag(tag, part.data, part.line)
        if len(self._open) == DEPTH:
            raise _too_deep(part.line)
        self._open.append(part)

    def _meant(self, anchor: str, line: int) -> _Part:
        """Return what an alias stands for."""
        found = self._anchors.get(anchor)
        if found is None:
            message = f"This is not YAML: found undefined alias {anchor!r}."
            raise NotYaml(line, message, f"Write &{anchor} before what is meant, further up and not around it.")
        if len(self._open) + found.depth > DEPTH:
            raise _too_deep(line)
        return found

    def _put(self, part: _Part, anchor: str | None, line: int) -> None:
        """Put a part that is complete where it belongs; an alias has another line than what it stands for."""
        data, begins, inside, name, parts, depth = part
        if anchor is not None:
            self._anchors[anchor] = part
        if not self._open:
            self.whole = part
            return
        around = self._open[-1]
        around.parts += parts
        if around.parts > PARTS:
            message = f"The file has more than {PARTS} parts, its aliases (*) counted with all that they stand for."
            raise NotYaml(line, message, "Use no aliases of what is full of aliases itself, or cut the file in two.")
        if depth >= around.depth:
            around.depth = depth + 1
        if type(around.data) is list:
            around.data.append(data)
            around.inside.append(Spot(begins, inside))
        elif around.name is not None:
            if around.name in around.inside or around.key in around.data:
                self.again.append(_again(around, around.name))
            else:
                around.data[around.key] = data
                around.inside[around.name] = Spot(around.keyed_on, inside)
            around.name = None
        elif name is not None:
            around.key, around.name, around.keyed_on = data, name, line
        else:
            message = "A list or a mapping stands where a key should be."
            raise NotYaml(line, message, "Write a word, with quotes around it if it holds brackets.")


def _again(around: _Open, name: str) -> Again:
    """Return that the key stands there already, with the same text or in other words, as 1 and 0x1."""
    spots = around.inside
    first = spots[name] if name in spots else list(spots.values())[list(around.data).index(around.key)]
    return Again(around.keyed_on, name, first.line)


def _tell(data: Any, events: list[yaml.Event]) -> None:  # Any: what `load` returns
    """Add the events that make the text of some data."""
    if isinstance(data, dict):
        events.append(yaml.MappingStartEvent(None, None, implicit=True, flow_style=not data))
        for key, value in data.items():
            _tell(key, events)
            _tell(value, events)
        events.append(yaml.MappingEndEvent())
    elif isinstance(data, (list, tuple)):
        events.append(yaml.SequenceStartEvent(None, None, implicit=True, flow_style=not data))
        for each in data:
            _tell(each, events)
        events.append(yaml.SequenceEndEvent())
    elif isinstance(data, str):
        plain = data not in _WORDS and _number(data) is None
        style = '"' if _UNPRINTABLE.search(data) else None  # the style that has escapes
        events.append(yaml.ScalarEvent(None, None, (plain, True), data, style=style))
    else:
        events.append(yaml.ScalarEvent(None, None, (True, False), _spelled(data)))


def _spelled(data: object) -> str:
    """Return how a value that is no text stands without quotes."""
    if data is None:
        return "null"
    if isinstance(data, bool):
        return "true" if data else "false"
    if isinstance(data, float) and not math.isfinite(data):
        return ".nan" if math.isnan(data) else f"{'-' if data < 0 else ''}.inf"
    if isinstance(data, (int, float)):
        return str(data)
    raise TypeError(f"YAML has no words for {data!r}.")
