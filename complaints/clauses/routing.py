"""The clause *routing*: the departments and roles of a company, and to whom a case goes."""

from pydantic import Field

from complaints.clauses.model import Clause, Id, Predicate, Sentence


class Role(Clause):
    """A role of staff. Its `grants` say what it may do: `handle` cases, `lead` a department, `read` everything."""

    id: Id
    title: Sentence
    grants: list[str] = Field(default_factory=lambda: ["handle"])


class Route(Clause):
    """Cases for which `when` holds go to `department` (a role); without one, to their complaint type's."""

    when: Predicate = Predicate()
    department: Id


class Routing(Clause):
    """All roles, the routes in order, and the role that stands behind every case that nobody owns."""

    roles: list[Role] = Field(min_length=1)
    routes: list[Route] = Field(default_factory=list)
    reception: Id
    call_after: int = Field(
        default=24, ge=0, description="hours after which a customer who let a notice lie is called by telephone"
    )

    def role(self, id: str) -> Role:  # noqa: A002 # the word of the policy
        """Return the role with this id; KeyError if there is none."""
        for each in self.roles:
            if each.id == id:
                return each
        raise KeyError(id)
