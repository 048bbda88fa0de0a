"""The clause *escalation*: who is told when a clock runs down or out, and the cases that come from outside."""

from typing import Annotated, Final

from pydantic import BeforeValidator, Field

from complaints.clauses.clock import Clock, Limit
from complaints.clauses.model import Clause, Id, Predicate, Sentence, Several, listed

#: The clock of a case that came from outside.
EXTERNAL_REPLY: Final = "external_reply"


class Rung(Clause):
    """At so many percent of a clock's time these people are told.

    They are `owner`, `department`, `agents`, `who` (of the clock), `approvers` (of the open step), parts, or roles.
    A rung above 100 is reckoned with the same time again: 150 is half a limit after the deadline.
    """

    percent: int = Field(ge=1, le=1000)
    to: Several


class Ladder(Clause):
    """The rungs for some clocks; `clocks` empty means every clock without a ladder of its own.

    Of the ladders of a clock the first whose `when` holds counts. The `id` is for a file that extends another one.
    """

    id: Id | None = Field(default=None)
    clocks: list[str] = Field(default_factory=list)
    rungs: list[Rung] = Field(min_length=1)
    when: Predicate = Predicate()


class ExternalKind(Clause):
    """Somebody outside who passes a complaint on and wants an answer: an authority, a hotline, the press."""

    id: Id
    title: Sentence


class External(Clause):
    """Complaints that come through somebody outside, with a number and a deadline of their own.

    `kinds` is the closed list of who that is, `evidence` what must be gathered for the answer. Where the outside names
    no deadline, it is `limit`. No case is closed before the reply is recorded. `to` is told of each, and its clock
    (`external_reply`) has the ladder of every clock.
    """

    kinds: list[ExternalKind] = Field(min_length=1)
    limit: Limit
    to: Several
    evidence: list[Sentence] = Field(default_factory=list)
    replied_by: Annotated[list[str], BeforeValidator(listed)] = Field(
        default_factory=list, description="who may record the reply; nobody named: whoever handles the case"
    )

    def clock(self, kind: str = "") -> Clock:
        """Return the clock of a case that came from such a one: its date is agreed upon when it begins."""
        return Clock(
            id=EXTERNAL_REPLY,
            title=next((each.title for each in self.kinds if each.id == kind), self.kinds[0].title),
            start=["external_opened"],
            stop=["external_replied"],
            limit=Limit(unit="appointment"),
            who=self.to,
            clause=self.clause,
        )
