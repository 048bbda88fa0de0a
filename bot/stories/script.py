"""The script: what a story file may say, and where each of its mistakes stands."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from complaints.clauses.model import Several
from policies.checker import Problem
from policies.places import Document

#: Whoever complains and has no name of their own.
CUSTOMER: Final = "customer"
#: Not an act: time passes, and whatever falls due happens.
WAIT: Final = "wait"
_FENCED: Final = re.compile(r"^```ya?ml[^\n]*\n(.*?)^```", re.DOTALL | re.MULTILINE)
_APART: Final = re.compile(r"^---[ \t]*$", re.MULTILINE)


def _plain(value: object) -> object:
    """Return what stands in the file as the text that was meant: a bare number or truth value is one too."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (int, float)):
        return str(value)
    return "" if value is None else value


def _joined(value: object) -> object:
    return ",".join(str(_plain(each)) for each in value) if isinstance(value, list) else _plain(value)


#: A text, in which numbers and truth values need no quotes.
Plain = Annotated[str, BeforeValidator(_plain)]
#: The same, or a list of them in one text with commas.
Given = Annotated[str, BeforeValidator(_joined)]


def people(name: str) -> list[str]:
    """Return whom a name means: `late*3` stands for late1, late2 and late3, who all say or do the same."""
    stem, _, count = name.partition("*")
    return [f"{stem}{number}" for number in range(1, int(count) + 1)] if count.isdigit() else [name]


class _Part(BaseModel):
    """A part of a story. An unknown key is a mistake."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Message(_Part):
    """What somebody writes, sends or presses: `text`, names of `files`, or the label of a button.

    `answers` are what they answer to the form, from then on, before those of the story.
    """

    at: datetime
    from_: str = Field(default=CUSTOMER, alias="from")
    text: str = ""
    files: list[str] = Field(default_factory=list)
    press: str = ""
    answers: dict[str, Plain] = Field(default_factory=dict)


class Deed(_Part):
    """What a member of the staff, or a customer, does: `do` is a move of the lifecycle, an act, or `wait`.

    `refused`: it is tried, and the desk must not let it be done, whoever tries it.
    """

    at: datetime
    who: str = ""
    do: str
    with_: dict[str, Given] = Field(default_factory=dict, alias="with")
    case: Plain = ""
    refused: bool = False


class FreeDays(_Part):
    """Days that the calendar of the story declares to be free, or worked."""

    holidays: list[date] = Field(default_factory=list)
    worked: list[date] = Field(default_factory=list)


class Deadline(_Part):
    """A date that a clock, a step of an approval, a survey or a duty must have. `limit` and `id` are for readers."""

    clock: str
    start: datetime
    at: datetime
    limit: Plain = ""
    id: str = ""


class Approval(_Part):
    """The steps of an approval in their order, `a+b` for both at once, `a|b` for either.

    `mode` makes one step of them all. `reading` is the reading of the rule book that they follow. `last_expedited`: the
    last step is; `then_publish`: who is told to publish it once all have signed; `skips_review`: nobody else was asked.
    The rest is for readers.
    """

    steps: list[Annotated[str, Field(pattern=r"^\w+([+|]\w+)*$")]]
    reading: str = ""
    mode: Literal["", "either", "parallel"] = ""
    last_expedited: bool | None = None
    then_publish: str = ""
    skips_review: bool | None = None
    what: str = ""
    form: str = ""
    note: str = ""
    id: str = ""


class Push(_Part):
    """A message that must reach somebody. `what` and `id` are for readers, `says` are words that stand in it.

    `via`: the ways that it goes, `a+b` for both: a messenger, and `phone_call_task` where it is called out as well.
    """

    to: str
    what: str = ""
    id: str = ""
    says: Several = Field(default_factory=list)
    at: datetime | None = None
    via: str = ""


class Survey(_Part):
    """A survey that must be planned. `window` or `within` is when it is sent and ends, `scores` what was answered.

    `target_pct`, how many should be content, is a figure of many cases, and `with` what is offered besides: one story
    cannot check them.
    """

    id: str
    window: str = ""
    within: str = ""
    scores: dict[str, int] = Field(default_factory=dict)
    target_pct: Plain = ""
    with_: str = Field(default="", alias="with")


class Another(_Part):
    """Another complaint: of which type, and opened when."""

    type: str = ""
    at: datetime | None = None


def _checks(value: object) -> object:
    """Return `[{name: what}, …]`: it may be written as a mapping, or as a list of mappings and of bare names."""
    listed = [{name: what} for name, what in value.items()] if isinstance(value, dict) else value
    return [{each: True} if isinstance(each, str) else each for each in listed] if isinstance(listed, list) else listed


Checks = Annotated[list[dict[str, Any]], BeforeValidator(_checks)]  # Any: each check reads its own


def _another(value: object) -> object:
    return {"type": value} if isinstance(value, str) else value


class Expected(_Part):
    """What must come of a story. Every key is checked, but those under `later`."""

    type: str | None = None
    accept_also: list[str] = Field(default_factory=list)
    second_case: Annotated[Another, BeforeValidator(_another)] | None = None
    candidates: list[str] | None = None
    candidates_before_check: list[str] | None = None
    flags: list[str] | None = None
    grading: dict[str, Plain] | Plain | None = None
    bot_asks: list[str] | None = None
    must_not_ask: list[str] | None = None
    reply_language: str | None = None
    empathy_reply: bool | None = None
    materials: list[str] = Field(default_factory=list)
    route: dict[str, Several] = Field(default_factory=dict)
    deadlines: list[Deadline] = Field(default_factory=list)
    approvals: list[Approval] | None = None
    pushes: list[Push] = Field(default_factory=list)
    survey: Survey | str | None = None
    outcome: Checks = Field(default_factory=list)
    must_not: Checks = Field(default_factory=list)
    later: Any = None  # Any: what cannot be checked yet, in whatever shape


class Story(_Part):
    """One story. Moments are the company's local time.

    `form`: how far customers go where the story gives no answer: `complete` it, to the `review`, give `consent` only,
    or `none` of it. `until`: how long time goes on after the last thing that somebody does.
    """

    id: Plain
    regime: str = ""
    policy: str = ""
    channel: str = "telegram"
    start: datetime | None = None
    until: datetime | None = None
    calendar: FreeDays = FreeDays()
    form: Literal["complete", "review", "consent", "none"] = "complete"
    answers: dict[str, Plain] = Field(default_factory=dict)
    messages: list[Message] = Field(default_factory=list)
    staff: list[Deed] = Field(default_factory=list)
    expect: Expected = Expected()
    later: Any = None  # Any: as in `expect`

    @property
    def rules(self) -> str:
        """The id of the policy, or the path of its file."""
        return self.policy or self.regime


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """A story with the file and the lines where it stands."""

    path: Path
    story: Story
    document: Document
    offset: int = 0

    def problem(self, place: tuple[str | int, ...], message: str, cure: str = "") -> Problem:
        """Return a mistake at this place of the story."""
        line = self.document.line(place) + self.offset
        return Problem(path=self.path, line=line, message=message, cure=cure)


def read(path: Path) -> tuple[list[Script], list[Problem]]:
    """Return the stories of a file, and every mistake that keeps one of them from being played.

    A YAML file holds one story in each document; of a Markdown file its fenced `yaml` blocks are read.
    """
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        return [], [Problem(path=path, line=1, message=f"The file cannot be read: {error}.")]
    scripts: list[Script] = []
    problems: list[Problem] = []
    for offset, part in _parts(text, fenced=path.suffix == ".md"):
        document = Document(part)
        problems += [
            Problem(path=path, line=each.line + offset, message=each.message, cure=each.cure)
            for each in document.stumbles
        ]
        if document.stumbles or document.data is None:
            continue
        try:
            story = Story.model_validate(document.data)
        except ValidationError as error:
            problems += _mistakes(path, offset, document, error)
            continue
        scripts.append(Script(path=path, story=story, document=document, offset=offset))
    if not scripts and not problems:
        problems.append(Problem(path=path, line=1, message="There is no story in this file."))
    return scripts, problems


def _parts(text: str, *, fenced: bool) -> Iterator[tuple[int, str]]:
    """Return every document with the number of lines before it."""
    if fenced:
        for found in _FENCED.finditer(text):
            yield text.count("\n", 0, found.start(1)), found[1]
        return
    start = 0
    for mark in [*_APART.finditer(text), None]:
        part = text[start : mark.start() if mark else None]
        if part.strip():
            yield text.count("\n", 0, start), part
        start = mark.end() if mark else start


#: What is written under each key of a story.
_KINDS: Final[dict[str, type[_Part]]] = {
    "": Story,
    "messages": Message,
    "staff": Deed,
    "calendar": FreeDays,
    "expect": Expected,
    "deadlines": Deadline,
    "approvals": Approval,
    "pushes": Push,
    "survey": Survey,
    "second_case": Another,
}


def _mistakes(path: Path, offset: int, document: Document, error: ValidationError) -> Iterator[Problem]:
    for each in error.errors():
        place = document.known(each["loc"])
        line = document.line(place) + offset
        key = str(each["loc"][-1]) if each["loc"] else ""
        if each["type"] == "extra_forbidden":
            cure = f"Known here are: {', '.join(_known(place[:-1]))}. What cannot be checked yet stands under `later`."
            yield Problem(path=path, line=line, message=f"The key {key!r} is not known here.", cure=cure)
        elif each["type"] == "missing":
            cure = f"Known here are: {', '.join(_known(place))}."
            yield Problem(path=path, line=line, message=f"The key {key!r} is missing.", cure=cure)
        else:
            yield Problem(path=path, line=line, message=f"{'.'.join(map(str, place))}: {each['msg']}.")


def _known(place: tuple[str | int, ...]) -> list[str]:
    named = [each for each in place if isinstance(each, str)]
    kind = _KINDS.get(named[-1] if named else "", Story)
    return [field.alias or name for name, field in kind.model_fields.items()]
