"""The clause *clock*: what must happen by when, and what is done before and after a deadline."""

from datetime import time
from typing import Annotated, Final, Literal

from pydantic import BeforeValidator, Field

from complaints.clauses.model import Clause, Id, Predicate, Sentence, Several, listed

Unit = Literal[
    "second", "minute", "hour", "day", "workday", "week_day", "month", "month_day", "month_end", "appointment"
]
Basis = Literal["elapsed", "working", "calendar"]
#: When a date is over: with its last second, with the company's last window, or at a time by the company's clocks.
Ends = Literal["midnight", "closing"] | time

#: The settings that mean something for each unit.
SETTINGS: Final[dict[Unit, frozenset[str]]] = {
    "second": frozenset({"amount", "basis", "from_opening"}),
    "minute": frozenset({"amount", "basis", "from_opening"}),
    "hour": frozenset({"amount", "basis", "from_opening"}),
    "day": frozenset({"amount", "basis", "ends", "start_counts"}),
    "workday": frozenset({"amount", "basis", "ends", "start_counts"}),
    "week_day": frozenset({"amount", "ends"}),
    "month": frozenset({"amount", "ends"}),
    "month_day": frozenset({"amount", "ends", "month", "strictly_before", "tolerance"}),
    "month_end": frozenset({"ends", "month"}),
    "appointment": frozenset(),
}


class Limit(Clause):
    """How long something may take, or by which date it must be done.

    `second`, `minute` and `hour` are `working` or `elapsed` time; `from_opening`: elapsed time that begins while the
    company is closed counts from its next opening. The other units lead to a date, and `ends` says when that date is
    over: a `workday` at `closing`, every other at `midnight` (23:59:59), unless it is said otherwise; on a day
    without working hours, closing is that of the next working day. A date that is over already is the next one.

    `day`, `workday`: the n-th after the date of the start, or of those from it on where `start_counts`; 0 is the same
    day. `week_day`: the coming n-th of the week, 1 is Monday. `month`: the same day n months later. `month_day`: the
    n-th of the month, and no breach for `tolerance` days after it; `month_end`: its last day. `month`: the next time
    that day comes, or that of the month after the start. A day that a month does not have is its last one.
    `appointment`: the moment agreed upon with the customer.
    """

    amount: int = Field(default=0, ge=0)
    unit: Unit
    basis: Basis = "working"
    ends: Ends | None = None
    start_counts: bool = Field(default=False, description="the day of the start is the first one")
    month: Literal["coming", "next"] = "coming"
    strictly_before: bool = Field(default=False, description="the day named is too late already")
    tolerance: int = Field(default=0, ge=0, description="days after the day named without a breach")
    from_opening: bool = Field(default=False, description="a start out of hours counts from the next opening")

    @property
    def over(self) -> Ends:
        """When the date is over: as the policy says, else as the unit has it."""
        return self.ends or ("closing" if self.unit == "workday" else "midnight")


class GradedLimit(Limit):
    """A limit for the cases for which its condition holds."""

    when: Predicate


class Pause(Clause):
    """How long a clock waits for an answer: `nudge` after the question the customer is reminded, once.

    When `most` has passed since the question the clock runs again, with the time it had left. All pauses of a clock
    together last no longer than `total`.
    """

    nudge: Limit
    most: Limit
    total: Limit | None = None


class Extension(Clause):
    """Who may move the date of a running clock, before it has passed: `owner`, or roles.

    It is moved by at most `step`, in whole units of it, and `most` times. Where an `approval` is named the date moves
    once that is granted, and stays where it is refused. That approval is for this clock alone, and opens with
    `extension_asked.CLOCK`.
    """

    by: Several
    step: Limit
    most: int = Field(default=1, ge=1)
    approval: Id | Literal[""] = ""


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
    holds, and stops when one of `stop` happens. Where `when` comes to hold only later, with another grade, it counts
    from what would have started it; where it ceases to hold, the clock is dropped. `who` must act (roles, `owner`,
    `department`, parts of the case): they are told the date when the clock starts. `wish` names a field of the form:
    a later moment that the customer asks for there goes before the limit. `promised` dates are told to the customer.
    Where a promised clock is dropped and another one with the same `stop` takes over, it takes over the promise, and
    the pauses where it has any: the customer is told how the date moves. `pauses` lists the waits that stop it
    (`customer`: for an answer; `desk`: while a person pauses the case, with a reason), and `pause` how long (the
    checker asks for it); a clock without any never pauses. Of `limits` the first
    whose condition holds counts, else `limit`; they are asked again when the type or a grade of the case changes.
    `restarts`: starts anew if its start happens again.
    """

    id: Id
    title: Sentence
    start: Several
    stop: Several
    limit: Limit
    when: Predicate = Predicate()
    limits: list[GradedLimit] = Field(default_factory=list)
    pauses: list[Literal["customer", "desk"]] = Field(default_factory=list)
    pause: Pause | None = None
    extension: Extension | None = None
    promised: bool = False
    holding: Holding | None = None
    restarts: bool = True
    who: Annotated[list[str], BeforeValidator(listed)] = Field(default_factory=list)
    wish: Id | Literal[""] = ""
    calendar: Id | Literal["company", "department"] = Field(
        default="company", description="whose working time counts: the company's, the department's, or a named one"
    )
