"""The clause *clock*: what must happen by when, and what is done before and after a deadline."""

from typing import Literal

from pydantic import Field

from complaints.clauses.model import Clause, Id, Predicate, Sentence, Several

Unit = Literal["second", "minute", "hour", "day", "workday"]
Basis = Literal["elapsed", "working", "calendar"]


class Limit(Clause):
    """A span of time.

    Hours and minutes are `elapsed` or `working` time; a `workday` ends with the last window of the n-th working day
    after the start date, a calendar `day` at the end of the n-th date after it.
    """

    amount: int = Field(ge=0)
    unit: Unit
    basis: Basis = "working"


class Holding(Clause):
    """The update a customer gets before a promised date passes in silence: how long before, and the next date.

    After `most` of them nothing more is promised: the ladder has long been climbed, and a person must write.
    """

    before: Limit
    extend: Limit
    most: int = Field(default=3, ge=1)


class Clock(Clause):
    """One deadline of a case.

    It starts when one of `start` happens (a state entered, a move made, or an act such as `human_reply`) and `when`
    holds, and stops when one of `stop` happens. `promised` dates are told to the customer. `pauses` lists the waits
    that stop it (`customer`); a clock without any never pauses. `restarts`: starts anew if its start happens again.
    """

    id: Id
    title: Sentence
    start: Several
    stop: Several
    limit: Limit
    when: Predicate = Predicate()
    pauses: list[Literal["customer"]] = Field(default_factory=list)
    promised: bool = False
    holding: Holding | None = None
    restarts: bool = True
