"""The clause *survey*: when a customer is asked how it went, what, and what a bad answer does."""

from pydantic import Field

from complaints.clauses.clock import Limit
from complaints.clauses.model import Clause, Id, Sentence, Several


class Question(Clause):
    """One question: a scale from 1 to `scale`, or free words where `scale` is 0 (always optional)."""

    id: Id
    ask: Sentence
    scale: int = Field(default=5, ge=0, le=10)


class Survey(Clause):
    """A survey on one resolution of a case.

    It is sent at the opening of the working day `not_before` after `start` happened, or, where that counts otherwise
    (`{amount: 1, unit: day, ends: "10:00"}`), when it is over; never in quiet hours, never inside an open form, and
    expires at `expires`; at most `reminders` reminders, `remind_after` apart. A score of `bad` or less makes
    `survey_bad` happen, other scores `survey_good`: moves and clocks may wait for them.
    """

    id: Id
    start: Several
    not_before: Limit
    expires: Limit
    questions: list[Question] = Field(min_length=1)
    reminders: int = Field(default=2, ge=0, le=2)
    remind_after: Limit
    bad: int = Field(default=2, ge=0)
