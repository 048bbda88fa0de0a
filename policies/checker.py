"""Every mistake in every policy, calendar and wording file at once, for people who do not read tracebacks."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from complaints.calendar import WorkCalendar
from complaints.errors import Misconfigured
from complaints.policy import Policy
from policies.calendars import YearFile, countries, work_calendar
from policies.extending import EXTENDS, Extended, base_of, find_base
from policies.facts import names
from policies.findings import Read, Subject, nearest
from policies.loader import upgraded
from policies.meaning import findings
from policies.mending import STAND_IN, Mended
from policies.phrasebook import LANGUAGES, flattened, placeholders
from policies.places import Document
from policies.places import Path as Place
from policies.places import document as parsed
from policies.schema import json_schema
from policies.weights import FOLDER
from policies.weights import read as read_weights

_HERE: Final = Path(__file__).parent
_SUFFIXES: Final = frozenset({".yaml", ".yml"})
_YEAR_FILE: Final = re.compile(r"([A-Z]{2})-(\d{4})")
_SATURDAY: Final = 5
#: What every company's policy has, and what policies extend has not.
_HEAD: Final = frozenset({"id", "title", "number"})
#: Names that `Phrasebook.say` uses itself.
_TAKEN: Final = frozenset({"self", "language", "key"})
#: How to put a number right, by the bound that it breaks.
_BOUNDS: Final = {
    "ge": "Write a number of {bound} at least.",
    "gt": "Write a number above {bound}.",
    "le": "Write a number of {bound} at most.",
    "lt": "Write a number below {bound}.",
}
#: What should stand where something else stands, by the beginning of the type of pydantic's error.
_EXPECTED: Final = {
    "string_type": "a text",
    "int": "a whole number",
    "float": "a number",
    "decimal": "a number",
    "bool": "true or false",
    "list": "a list",
    "model_type": "a mapping (keys with values)",
    "dict": "a mapping (keys with values)",
    "time": "a time such as 09:00",
    "date": "a date such as 2026-01-04",
}


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Problem:
    """One mistake: the file, the line (from 1), what is wrong in plain words, and what to do about it."""

    path: Path
    line: int
    message: str
    cure: str = ""

    def __str__(self) -> str:
        """Return the mistake in one line, its place first, as editors like it."""
        return f"{self.path}:{self.line}: {self.message} {self.cure}".rstrip()


def check(paths: Iterable[Path], *, read: Callable[[Policy, Path], Read] | None = None) -> list[Problem]:
    """Return every mistake of these files, and of all YAML files in these folders, by file and line.

    A file in a folder `wording` holds sentences, one in `calendars` a year, one in `weights` what was learned,
    any other is a policy. `read` makes the
    reader of a policy, with the folder of what was learned for it; with it the examples of texts are tried too.
    """
    shelf = _Shelf()
    problems: set[Problem] = set()
    wordings: set[Path] = set()
    for path in _files(paths):
        if path.parent.name == "wording":
            wordings.add(path.parent)
        elif path.parent.name == "calendars":
            problems.update(_year(shelf, path))
        elif path.parent.name == FOLDER:
            problems.update(_weights(path))
        else:
            problems.update(_policy(shelf, path, read))
    for folder in wordings:
        problems.update(_wording(shelf, folder))
    return sorted(problems)


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            yield from (each for each in sorted(path.rglob("*")) if each.suffix in _SUFFIXES)
        else:
            yield path


class _Shelf:
    """The documents that were read, each once."""

    def __init__(self) -> None:
        self._read: Final[dict[Path, tuple[Document, list[Problem]]]] = {}

    def document(self, path: Path) -> tuple[Document, list[Problem]]:
        """Return the document of a file, and the mistakes that kept it from being one."""
        if path not in self._read:
            self._read[path] = _document(path)
        return self._read[path]

    def sentences(self, folder: Path) -> frozenset[str]:
        """Return every wording key of a folder, in whatever language."""
        found: set[str] = set()
        for language in LANGUAGES:
            document, _ = self.document(folder / f"{language}.yaml")
            found.update(flattened(document.data or {}))
        return frozenset(found)


def _document(path: Path) -> tuple[Document, list[Problem]]:
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        cure = "It must be there, and be UTF-8 text."
        return Document(""), [Problem(path=path, line=1, message=f"The file cannot be read: {error}.", cure=cure)]
    document = parsed(text)
    problems = [Problem(path=path, line=each.line, message=each.message, cure=each.cure) for each in document.stumbles]
    if not isinstance(document.data, dict):
        if not problems:
            cure = "Write keys with values, such as `schema: 1`."
            problems.append(Problem(path=path, line=1, message="The file holds no keys with values.", cure=cure))
        return Document(""), problems
    return document, problems


@dataclass(frozen=True, slots=True, kw_only=True)
class _Source:
    """The data of a policy with what it inherits, and where each part of it stands."""

    path: Path
    document: Document
    data: dict[str, Any]  # Any: whatever the files hold
    extended: Extended | None = None
    base_path: Path = Path()
    base: Document | None = None

    def problem(self, place: Place, message: str, cure: str = "") -> Problem:
        """Return a mistake at a place of the data, with the file and the line where that stands."""
        own, there = self.extended.origin(place) if self.extended is not None else (True, place)
        if own or self.base is None:
            return Problem(path=self.path, line=self.document.line(there), message=message, cure=cure)
        return Problem(path=self.base_path, line=self.base.line(there), message=message, cure=cure)


def _sources(shelf: _Shelf, path: Path) -> tuple[_Source | None, list[Problem]]:
    """Return what a policy file holds, with what it extends, and the mistakes that stand in the way of reading it."""
    document, found = shelf.document(path)
    problems = [*found]
    if document.data is None:
        return None, problems
    try:
        name = base_of(document.data)
        data = upgraded({key: value for key, value in document.data.items() if key != EXTENDS})
    except ValueError as error:
        key, cure = ("schema", "Write `schema: 1`.") if "schema" in str(error) else (EXTENDS, "")
        return None, [*problems, Problem(path=path, line=document.line([key]), message=str(error), cure=cure)]
    if not name:
        return _Source(path=path, document=document, data=data), problems
    there = find_base(name, path, _HERE)
    if there is None:
        cure = "Write `extends: standard`, or put that file beside the policy."
        message = f"There is no file {name}.yaml to extend."
        return None, [*problems, Problem(path=path, line=document.line([EXTENDS]), message=message, cure=cure)]
    base, found = shelf.document(there)
    problems += found
    if base.data is None:
        return None, problems
    if EXTENDS in base.data:
        message, cure = "A file that others extend extends no other.", f"Remove `{EXTENDS}` here."
        problems.append(Problem(path=there, line=base.line([EXTENDS]), message=message, cure=cure))
    theirs = {key: value for key, value in base.data.items() if key != EXTENDS}
    try:
        extended = Extended(data, upgraded(theirs))
    except ValueError as error:
        message = str(error)
        return None, [
            *problems,
            Problem(path=there, line=base.line(["schema"]), message=message, cure="Write `schema: 1`."),
        ]
    source = _Source(path=path, document=document, data=extended.data, extended=extended, base_path=there, base=base)
    lost = (
        Problem(path=path, line=document.line(each.path), message=each.message, cure=each.cure)
        for each in extended.misfits
    )
    return source, [*problems, *lost]


def _weights(path: Path) -> Iterator[Problem]:
    try:
        read_weights(path)
    except Misconfigured as error:
        yield Problem(path=path, line=1, message=str(error))


def _policy(shelf: _Shelf, path: Path, read: Callable[[Policy, Path], Read] | None) -> Iterator[Problem]:
    source, problems = _sources(shelf, path)
    yield from problems
    if source is None:
        return
    mended = Mended(source.data)
    if not _HEAD.intersection(source.data):  # no company's policy, but what policies extend
        for section in STAND_IN.keys() - source.data.keys():
            mended.stand_in(section)
    policy = None
    while policy is None:
        try:
            policy = Policy.model_validate(mended.data)
        except ValidationError as error:
            mistakes = error.errors()
            yield from _shape(source, [(mended.original(each["loc"]), each) for each in mistakes], mended)
            mended.leave_out([(each["loc"], each["type"] == "extra_forbidden") for each in mistakes])
        except ValueError as error:  # from the state machine, which knows no places
            yield source.problem(("lifecycle",), str(error))
            mended.stand_in("lifecycle")
    beside = path.parent.parent
    subject = Subject(
        policy=policy,
        names=names(source.data),
        calendar=None if "hours" in mended.replaced else _calendar(policy, _folder(beside, "calendars")),
        wording=shelf.sentences(_folder(beside, "wording")),
        read=read(policy, _folder(beside, FOLDER).parent) if read is not None else None,
        broken=frozenset(mended.broken | mended.replaced),
    )
    for finding in findings(subject):
        if finding.path[0] not in mended.replaced:
            yield source.problem(mended.original(finding.path), finding.message, finding.cure)


def _folder(beside: Path, name: str) -> Path:
    """Return the folder of that name beside the folder of the policy, or the one that comes with Plaint."""
    return beside / name if (beside / name).is_dir() else _HERE / name


def _calendar(policy: Policy, folder: Path) -> WorkCalendar | None:
    try:
        return work_calendar(policy.hours, folder)
    except (Misconfigured, ValueError):  # the zone, the country or the file of a year: each is reported where it stands
        return None


def _shape(source: _Source, mistakes: list[tuple[Place, ErrorDetails]], mended: Mended) -> Iterator[Problem]:
    """Say in plain words what pydantic found."""
    unknown = [place for place, each in mistakes if each["type"] == "extra_forbidden"]
    for place, each in mistakes:
        kind, key = each["type"], str(place[-1])
        if kind == "missing" and get_close_matches(key, [str(it[-1]) for it in unknown if it[:-1] == place[:-1]]):
            continue  # it is there, mistyped, and reported as unknown
        if kind == "too_short" and (mended.broken or mended.replaced):
            continue  # what it lacks was left out, and reported
        message, cure = _told(source.data, place, each)
        yield source.problem(place, message, cure)


def _told(data: Any, place: Place, mistake: ErrorDetails) -> tuple[str, str]:  # Any: whatever the file holds
    kind, key, given = mistake["type"], str(place[-1]), _cut(mistake["input"])
    where, around = _named(data, place), _named(data, place[:-1])
    bound = mistake.get("ctx", {})
    expected = next((said for beginning, said in _EXPECTED.items() if kind.startswith(beginning)), "")
    if "facts" in place:
        told = (
            f"{_named(data, place[: place.index('facts')])}: this condition cannot be read.",
            "Compare facts with a value, a list of values or bounds: {type: [a, b], rejections: {ge: 3}}.",
        )
    elif kind == "extra_forbidden" and key == "drop":
        told = f"{around}: only what is inherited can be dropped.", "Remove it, or write `extends:` at the top."
    elif kind == "extra_forbidden":
        told = f"{around}: the key {key!r} is not known here.", nearest(key, _keys(place[:-1]))
    elif kind == "missing":
        told = f"{around}: the key {key!r} is missing.", f"Add `{key}:`."
    elif kind == "literal_error":
        told = f"{where}: {given} is not possible.", f"Use {bound['expected']}."
    elif kind == "string_pattern_mismatch":
        id_like = bound["pattern"].startswith("^[a-z]")
        cure = "Use small letters, digits and underscores, a letter first." if id_like else f"Match {bound['pattern']}."
        told = f"{where}: {given} is not possible as a name.", cure
    elif expected:
        told = f"{where}: {given} stands where {expected} should be.", f"Write {expected}."
    else:
        said = mistake["msg"].removeprefix("Value error, ").replace("Input should", "It should")
        cures = [cure.format(bound=bound[name]) for name, cure in _BOUNDS.items() if name in bound]
        told = f"{where}: {said.rstrip('.')}.", " ".join(cures)
    return told


def _cut(value: object) -> str:
    shown = repr(value)
    return shown if len(shown) <= 40 else f"{shown[:37]}..."  # noqa: PLR2004 # fits on a line


def _named(data: Any, place: Iterable[str | int]) -> str:  # Any: whatever the file holds
    """Return a place as people say it: keys joined by dots, elements of lists by their id or their number (from 1)."""
    steps = []
    for step in place:
        try:
            data = data[step]
        except (KeyError, IndexError, TypeError):
            data = None
        name = data.get("id") if isinstance(step, int) and isinstance(data, Mapping) else None
        steps.append(str(name or (step + 1 if isinstance(step, int) else step)))
    return ".".join(steps) or "The file"


def _keys(place: Place) -> set[str]:
    """Return the keys that a policy may have at a place."""
    schema = json_schema()

    def expanded(part: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:  # Any: JSON
        if "$ref" in part:
            yield from expanded(schema["$defs"][part["$ref"].rpartition("/")[2]])
        yield part
        for each in part.get("anyOf", ()):
            yield from expanded(each)

    parts: list[Mapping[str, Any]] = [schema]
    for step in place:
        inner = "items" if isinstance(step, int) else "additionalProperties"
        found = [each.get("properties", {}).get(step) or each.get(inner) for part in parts for each in expanded(part)]
        parts = [each for each in found if isinstance(each, Mapping)]
    return {key for part in parts for each in expanded(part) for key in each.get("properties", ())}


def _year(shelf: _Shelf, path: Path) -> Iterator[Problem]:
    document, problems = shelf.document(path)
    yield from problems
    name = _YEAR_FILE.fullmatch(path.stem)
    if name is None or name[1] not in countries():
        cure = "Call it by the country's two letters and the year: CN-2027.yaml."
        yield Problem(path=path, line=1, message="The name of the file says no country and year.", cure=cure)
    if document.data is None:
        return
    try:
        year = YearFile.model_validate(document.data)
    except ValidationError as error:
        for each in error.errors():
            message, cure = _told(document.data, each["loc"], each)
            if each["type"] == "extra_forbidden":
                cure = nearest(str(each["loc"][-1]), YearFile.model_fields)
            yield Problem(path=path, line=document.line(each["loc"]), message=message, cure=cure)
        return
    for key, days in (("holidays", year.holidays), ("workdays", year.workdays)):
        for index, day in enumerate(days):
            twice = day in days[:index] or (key == "workdays" and day in year.holidays)
            for wrong, message, cure in (
                (name is not None and f"{day:%Y}" != name[2], f"{day} lies in another year.", "Correct the year."),
                (twice, f"{day} stands here a second time.", "A day is a holiday or a workday, once."),
                (
                    key == "workdays" and day.weekday() < _SATURDAY,
                    f"{day} is a {day:%A} and worked anyway.",
                    "Only weekend days that are worked stand here.",
                ),
            ):
                if wrong:
                    yield Problem(path=path, line=document.line([key, index]), message=message, cure=cure)


def _wording(shelf: _Shelf, folder: Path) -> Iterator[Problem]:
    for path in _files([folder]):
        if path.stem not in LANGUAGES:
            yield Problem(
                path=path,
                line=1,
                message=f"{path.stem!r} is no language of the desk.",
                cure=nearest(path.stem, LANGUAGES),
            )
    every = shelf.sentences(folder)
    fills: dict[str, tuple[str, frozenset[str]]] = {}
    for language in LANGUAGES:
        path = folder / f"{language}.yaml"
        document, problems = shelf.document(path)
        yield from problems
        if document.data is None:
            continue
        sentences = flattened(document.data)
        for key in sorted(every - sentences.keys()):
            line = document.line(key.split("."))
            yield Problem(path=path, line=line, message=f"The sentence {key!r} is missing.", cure="Write it here too.")
        for key, sentence in sentences.items():
            line = document.line(key.split("."))
            for message, cure in _sentence(language, key, sentence, fills):
                yield Problem(path=path, line=line, message=message, cure=cure)


def _sentence(
    language: str, key: str, sentence: str, fills: dict[str, tuple[str, frozenset[str]]]
) -> Iterator[tuple[str, str]]:
    """Look at one sentence; `fills` remembers for each key the first language and its placeholders."""
    try:
        found = placeholders(sentence)
    except ValueError as error:
        yield f"{key}: {error}", "Double a brace that is meant as one: {{ or }}."
        return
    if taken := found & _TAKEN:
        yield f"{key}: {_braced(taken)} cannot be filled.", "Give the placeholder another name."
    first, wanted = fills.setdefault(key, (language, found))
    if found != wanted:
        yield (
            f"{key}: the placeholders are {_braced(found)}, in {first} they are {_braced(wanted)}.",
            "Use the same in every language.",
        )


def _braced(found: Iterable[str]) -> str:
    return ", ".join(f"{{{name}}}" for name in sorted(found)) or "none"
