"""The clause *notice*: who is told what when something happens."""

from complaints.clauses.model import Clause, Predicate, Several


class Notice(Clause):
    """When one of `on` happens (a state entered, a move made, a happening) `to` is told the wording `say`.

    `to` names `customer`, `owner`, `department`, `agents` (everyone, and the staff group), or roles.
    """

    on: Several
    to: Several
    say: str
    when: Predicate = Predicate()
