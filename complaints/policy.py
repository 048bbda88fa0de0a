"""A company's whole rule book: one file, one `Policy`, one version."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, time, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field

from complaints.clauses.approval import Approval, Signing
from complaints.clauses.clock import Clock
from complaints.clauses.duty import Duty
from complaints.clauses.escalation import EXTERNAL_REPLY, External, Ladder, Rung
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


def _days(value: Any) -> Any:  # Any: whatever the file holds
    if isinstance(value, str) and ".." in value:
        first, last = value.split("..", 1)
        return {"first": first.strip(), "last": last.strip()}
    return {"first": value, "last": value} if isinstance(value, (str, date)) else value


class Days(Clause):
    """One day, `2026-02-16`, or all from one to another, `2026-02-10..2026-02-20`."""

    first: date
    last: date

    def __iter__(self) -> Iterator[date]:  # type: ignore[override] # days, and not pydantic's fields
        """Yield each day."""
        return (self.first + timedelta(days=n) for n in range((self.last - self.first).days + 1))


DaysText = Annotated[Days, BeforeValidator(_days)]


class Hours(Clause):
    """When people work: their zone, the windows of each weekday, and whose public holidays they keep.

    On a make-up workday (a weekend day declared to be worked) the windows of `makeup` apply. On days that are `closed`
    nobody works, whatever else holds; days that are `worked` have the windows of `makeup`. `quiet` is when customers
    are not written to unasked.
    """

    zone: str
    holidays: str = Field(default="CN", description="country code of the public holidays")
    week: dict[str, list[WindowText]]
    makeup: list[WindowText]
    quiet: WindowText
    closed: list[DaysText] = Field(default_factory=list)
    worked: list[DaysText] = Field(default_factory=list)


class Number(Clause):
    """How case numbers look: `prefix`, two digits of the year, a running number, a check digit."""

    prefix: str = Field(pattern=r"^[A-Z]{1,4}$")


class Contact(Clause):
    """Another way to reach the company, offered to those who cannot or will not use the bot."""

    title: Sentence
    value: str


class Example(Clause):
    """A worked example that runs as a test of the policy.

    A message and its reading; a clock, a start and its due date; or facts (`case`) and what follows from them: the
    `steps` of an `approval` (`a`, `a+b` both, `a|b` either), `grades`, and `parts`.
    """

    text: str = ""
    type: str = ""
    flags: list[str] | None = None
    clock: str = ""
    start: str = ""
    due: str = ""
    case: dict[str, str | bool | int | Decimal | list[str]] = Field(default_factory=dict)
    approval: str = ""
    steps: list[str] | None = None
    grades: dict[str, str] = Field(default_factory=dict)
    parts: dict[str, list[str]] = Field(default_factory=dict)


class Ambiguity(Clause):
    """A sentence of the rule book that can be read in more than one way: the one that counts, and the others.

    Conditions ask for it by its id, as for any fact.
    """

    is_: str = Field(alias="is")
    of: list[str] = Field(min_length=2)


class Acceptance(Clause):
    """Who may accept a solution: for an organisation's case its authorised contacts alone, where `authorised`.

    A solution may be refused as often as the customer likes, unless `most` refusals are the end of it.
    """

    authorised: bool = False
    most: int | None = Field(default=None, ge=1, description="refusals after which only a person decides")


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """Everything in a policy that waits for one name to happen."""

    stops: tuple[Clock, ...]
    starts: tuple[Clock, ...]
    notices: tuple[Notice, ...]
    surveys: tuple[Survey, ...]
    approvals: tuple[Approval, ...]
    extends: tuple[Clock, ...]


class Policy(Clause):
    """One company's rules. `version` is the hash of the file's text; cases are pinned to it."""

    schema_: int = Field(alias="schema", default=SCHEMA)
    id: Id
    title: Sentence
    languages: list[Language] = Field(min_length=1)
    number: Number
    hours: Hours
    calendars: dict[Id, Hours] = Field(default_factory=dict, description="of those who work at other times")
    contacts: list[Contact] = Field(default_factory=list)
    routing: Routing
    form: Form
    taxonomy: Taxonomy
    lifecycle: Lifecycle
    clocks: list[Clock] = Field(default_factory=list)
    escalation: list[Ladder] = Field(default_factory=list)
    external: External | None = None
    approvals: list[Approval] = Field(default_factory=list)
    signing: Signing | None = None
    duties: list[Duty] = Field(default_factory=list)
    readings: dict[Id, Ambiguity] = Field(default_factory=dict)
    acceptance: Acceptance = Acceptance()
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
                stops=tuple(each for each in self.all_clocks if name in each.stop),
                starts=tuple(each for each in self.all_clocks if name in each.start),
                notices=tuple(each for each in self.notices if name in each.on),
                surveys=tuple(each for each in self.surveys if name in each.start),
                approvals=tuple(each for each in self.approvals if name in each.on),
                extends=tuple(
                    each
                    for each in self.clocks
                    if each.extension is not None and name == f"{each.extension.approval}.granted"
                ),
            )
        return found

    @cached_property
    def all_clocks(self) -> list[Clock]:
        """The clocks that stand in the file, and those of the steps whose time none of them counts (see `Signing`)."""
        return [*self.clocks, *self._steps.values()]

    @cached_property
    def _steps(self) -> dict[str, Clock]:
        """The clocks of the steps whose time no clock of the file counts, by their ids."""
        if self.signing is None:
            return {}
        limit = self.signing.limit
        clocks = [
            Clock(
                id=f"step_of_{each.id}",
                title=each.title,
                start=[f"{each.id}.opened"],
                stop=[f"{each.id}.decided"],
                limit=limit,
                clause=each.clause,
            )
            for each in self.approvals
            if not self.timed(each)
        ]
        return {clock.id: clock for clock in clocks}

    def timed(self, approval: Approval) -> bool:
        """Tell whether a clock of the file starts with the steps of an approval, or with what opens it."""
        opening, moves = {*approval.on}, self.lifecycle.moves
        opening |= {move.to for move in moves if move.id in approval.on}
        opening |= {move.id for move in moves if move.to in approval.on}
        opening |= {"approval_opened", f"{approval.id}.opened"}
        return any(not opening.isdisjoint(clock.start) for clock in self.clocks)

    def clock(self, id: str) -> Clock:  # noqa: A002 # the word of the policy
        """Return the clock with this id; KeyError if there is none. One that came from outside has one of its own."""
        for each in self.all_clocks:
            if each.id == id:
                return each
        if id == EXTERNAL_REPLY and self.external is not None:
            return self.external.clock()
        raise KeyError(id)

    def approval(self, id: str) -> Approval:  # noqa: A002 # the word of the policy
        """Return the approval with this id; KeyError if there is none."""
        for each in self.approvals:
            if each.id == id:
                return each
        raise KeyError(id)

    def duty(self, id: str) -> Duty | None:  # noqa: A002 # the word of the policy
        """Return the duty with this id, None if it is gone."""
        return next((each for each in self.duties if each.id == id), None)

    def ladders(self, clock: str) -> list[Ladder]:
        """Return the ladders of this clock, those of its own before the general ones; the first that holds counts."""
        if self.signing is not None and clock in self._steps:
            return [Ladder(rungs=[self._meant(rung) for rung in self.signing.rungs])]
        own = [each for each in self.escalation if clock in each.clocks]
        return own + [each for each in self.escalation if not each.clocks]

    def _meant(self, rung: Rung) -> Rung:
        """Return a rung with the roles that `reception` and `lead` stand for."""
        roles = {
            "reception": [self.routing.reception],
            "lead": [role.id for role in self.routing.roles if "lead" in role.grants],
        }
        to = dict.fromkeys(role for name in rung.to for role in roles.get(name, [name]))
        return rung.model_copy(update={"to": [*to]})
