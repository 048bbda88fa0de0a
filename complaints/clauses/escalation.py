"""The clause *escalation*: who is told when a clock runs down or out, rung by rung."""

from pydantic import Field

from complaints.clauses.model import Clause, Several


class Rung(Clause):
    """At so many percent of a clock's time these people are told: `owner`, `department`, `agents`, or roles.

    A rung above 100 is reckoned with the same time again: 150 is half a limit after the deadline.
    """

    percent: int = Field(ge=1, le=1000)
    to: Several


class Ladder(Clause):
    """The rungs for some clocks; `clocks` empty means every clock without a ladder of its own."""

    clocks: list[str] = Field(default_factory=list)
    rungs: list[Rung] = Field(min_length=1)
