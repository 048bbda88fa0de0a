"""A company's whole rule book: one file, one `Policy`, one version."""

from dataclasses import dataclass
from datetime import time
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field

from complaints.clauses.clock import Clock
from complaints.clauses.escalation import Ladder
from complaints.clauses.form import Form
from complaints.clauses.lifecycle import Lifecycle
from complaints.clauses.model import Clause, Id, Sentence
from complaints.clauses.notice import Notice
from complaints.clauses.routing import Routing
from complaints.clauses.survey import Survey
from complaints.clauses.taxonomy import Taxonomy
from complaints.reading import Language

SCHEMA: Final = 1
WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def _window(value: Any) -> Any:  # Any: whatever the file holds
    if isinstance(value, str) and value.count("-") == 1:
        start, end = value.split("-")
        return {"start": start.strip(), "end": end.strip()}
    return value


class Window(Clause):
    """Working hours of one stretch, `09:00-12:00` in the company's zone."""

    start: time
    end: time


WindowText = Annotated[Window, BeforeValidator(_window)]


class Hours(Clause):
    """When the company works: its zone, the windows of each weekday, and whose public holidays it keeps.

    On a make-up workday (a weekend day declared to be worked) the windows of `makeup` apply. `quiet` is when customers
    are not written to unasked.
    """

    zone: str
    holidays: str = Field(default="CN", description="country code of the public holidays")
    week: dict[str, list[WindowText]]
    makeup: list[WindowText]
    quiet: WindowText


class Number(Clause):
    """How case numbers look: `prefix`, two digits of the year, a running number, a check digit."""

    prefix: str = Field(pattern=r"^[A-Z]{1,4}$")


class Contact(Clause):
    """Another way to reach the company, offered to those who cannot or will not use the bot."""

    title: Sentence
    value: str


class Example(Clause):
    """A worked example that runs as a test of the policy: a message and its reading, or a start and its due date."""

    text: str = ""
    type: str = ""
    flags: list[str] | None = None
    clock: str = ""
    start: str = ""
    due: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """Everything in a policy that waits for one name to happen."""

    stops: tuple[Clock, ...]
    starts: tuple[Clock, ...]
    notices: tuple[Notice, ...]
    surveys: tuple[Survey, ...]


class Policy(Clause):
    """One company's rules. `version` is the hash of the file's text; cases are pinned to it."""

    schema_: int = Field(alias="schema", default=SCHEMA)
    id: Id
    title: Sentence
    languages: list[Language] = Field(min_length=1)
    number: Number
    hours: Hours
    contacts: list[Contact] = Field(default_factory=list)
    routing: Routing
    form: Form
    taxonomy: Taxonomy
    lifecycle: Lifecycle
    clocks: list[Clock] = Field(default_factory=list)
    escalation: list[Ladder] = Field(default_factory=list)
    notices: list[Notice] = Field(default_factory=list)
    surveys: list[Survey] = Field(default_factory=list)
    examples: list[Example] = Field(default_factory=list)
    version: str = ""

    def waiting(self, name: str) -> Waiting:
        """Return what waits for this name; looked up once for each name."""
        known: dict[str, Waiting] = self.__dict__.setdefault("_waiting", {})
        found = known.get(name)
        if found is None:
            found = known[name] = Waiting(
                stops=tuple(each for each in self.clocks if name in each.stop),
                starts=tuple(each for each in self.clocks if name in each.start),
                notices=tuple(each for each in self.notices if name in each.on),
                surveys=tuple(each for each in self.surveys if name in each.start),
            )
        return found

    def clock(self, id: str) -> Clock:  # noqa: A002 # the word of the policy
        """Return the clock with this id; KeyError if there is none."""
        for each in self.clocks:
            if each.id == id:
                return each
        raise KeyError(id)

    def ladder(self, clock: str) -> Ladder | None:
        """Return the ladder of this clock: its own, else the general one, else None."""
        own = (each for each in self.escalation if clock in each.clocks)
        general = (each for each in self.escalation if not each.clocks)
        return next(own, None) or next(general, None)
