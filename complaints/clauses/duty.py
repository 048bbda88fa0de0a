"""The clause *duty*: work that comes round again, with a date, an owner and a proof."""

from typing import Literal

from pydantic import Field, model_validator

from complaints.clauses.clock import Limit
from complaints.clauses.model import Clause, Id, Predicate, Sentence, Several


class Sample(Clause):
    """Cases drawn for a check: `percent` of those for which `of` holds, at least `least`.

    They were opened in the period before the one that the duty is of, or in the last so many `periods` before it.

    The draw is the same whenever it is repeated (it follows from the duty, the period and the case numbers), and never
    holds a case that the one who checks has handled.
    """

    percent: int = Field(ge=1, le=100)
    least: int = Field(default=1, ge=0)
    of: Predicate = Predicate()
    periods: int = Field(default=1, ge=1, le=36, description="of how many periods the cases are")


class Reminder(Clause):
    """When people are reminded of a duty: at so many `percent` of its time, or so long `before` its date (see Rung)."""

    percent: int = 0
    before: Limit | None = None

    @model_validator(mode="before")
    @classmethod
    def _from_percent(cls, value: object) -> object:
        return {"percent": value} if isinstance(value, int) else value


class Duty(Clause):
    """Recurring work of a role.

    A new one begins with each `every` (a day is a working day, a week begins on Monday), in the months of `months`
    only, where they are given. It is due when `due` is over, counted from that beginning, and `to` is reminded at so
    many percent of the time, or so long before the date. `proof` must be given with it: a note, a file, or the findings
    on each case of the `sample`. When it is missed `missed` are told, once.
    """

    id: Id
    title: Sentence
    to: Several
    every: Literal["day", "week", "month", "quarter", "half_year", "year"]
    months: list[int] = Field(default_factory=list, description="1 to 12; none: all")
    due: Limit
    remind: list[Reminder] = Field(
        default_factory=lambda: [Reminder(percent=50), Reminder(percent=80)],
        description="percent of the time, or {before: limit}",
    )
    proof: Literal["none", "note", "file"] = "note"
    sample: Sample | None = None
    missed: Several
