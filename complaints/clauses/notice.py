"""The clause *notice*: who is told what when something happens."""

from pydantic import Field

from complaints.clauses.model import Clause, Id, Predicate, Several


class Notice(Clause):
    """When one of `on` happens (a state entered, a move made, a happening) `to` is told the wording `say`.

    `to` names `customer`, `owner`, `department`, `agents` (everyone, and the staff group), parts of the case, or roles.
    An `alarm` must be acknowledged, and goes on to others until it is (see routing). The `id` is for a file that
    extends another one. Whoever may not see the case is told no words that people wrote, unless the notice is `open`:
    a lesson for everybody, say.
    """

    id: Id | None = Field(default=None)
    on: Several
    to: Several
    say: str
    when: Predicate = Predicate()
    alarm: bool = False
    open: bool = False
