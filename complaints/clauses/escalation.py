"""The clause *escalation*: who is told when a clock runs down or out, and the cases that come from outside."""

from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field, model_validator

from complaints.clauses.clock import Clock, Limit
from complaints.clauses.model import Clause, Id, Predicate, Sentence, Several, listed

#: The clock of a case that came from outside.
EXTERNAL_REPLY: Final = "external_reply"
#: The percents at which all of a clock's time is gone.
_ALL: Final = 100


class Rung(Clause):
    """At so many percent of a clock's time these people are told.

    They are `owner`, `department`, `agents`, `who` (of the clock), `approvers` (of the open step), parts, or roles.
    A rung above 100 is reckoned with the same time again: 150 is half a limit after the deadline. Instead of percents
    it may say how long `before` the deadline: so many days lead to the opening of that day, or of the working day
    before it. Such rungs stand in the order of their days, and none below 100 percent beside them.
    """

    percent: int = Field(default=99, ge=1, le=1000)
    before: Limit | None = None
    to: Several


class Ladder(Clause):
    """The rungs for some clocks; `clocks` empty means every clock without a ladder of its own.

    Of the ladders of a clock the first whose `when` holds counts. The `id` is for a file that extends another one.
    """

    id: Id | None = Field(default=None)
    clocks: list[str] = Field(default_factory=list)
    rungs: list[Rung] = Field(min_length=1)
    when: Predicate = Predicate()

    @model_validator(mode="before")
    @classmethod
    def _in_order(cls, value: Any) -> Any:  # Any: pydantic hands over whatever the file holds
        """Give the rungs before the deadline their places below 100, by which it is remembered which were told."""
        rungs = value.get("rungs") if isinstance(value, dict) else None
        if not isinstance(rungs, list) or not all(isinstance(each, dict) for each in rungs):
            return value
        ahead = [each for each in rungs if "before" in each]
        if ahead and any(isinstance(each.get("percent"), int) and each["percent"] < _ALL for each in rungs):
            raise ValueError("Reminders stand in `percent` or in `before`, not in both.")
        if any("percent" not in each and "before" not in each for each in rungs):
            raise ValueError("A rung stands at so many `percent`, or so long `before` the deadline.")
        places = {id(each): _ALL - len(ahead) + place for place, each in enumerate(ahead)}
        return {
            **value,
            "rungs": [{"percent": places.get(id(each)), **each} if "before" in each else each for each in rungs],
        }


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
