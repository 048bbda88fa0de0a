"""The clause *routing*: the departments and roles of a company, to whom a case goes, and who may see it."""

from typing import Annotated, Final, Literal

from pydantic import BeforeValidator, Field

from complaints.clauses.clock import Limit
from complaints.clauses.model import Clause, Id, Predicate, Sentence, Several, listed

#: What a role may do: `handle` cases of its departments, `lead` (see and take every case), `read` every case,
#: `audit` (read every case and its journal, and change nothing).
GRANTS: Final = frozenset({"handle", "lead", "read", "audit"})
#: The part of a case that is its department.
LEAD: Final = "lead"


class Role(Clause):
    """A role of staff. Its `grants` say what it may do; who has one of its `members` has the role too."""

    id: Id
    title: Sentence
    grants: list[str] = Field(default_factory=lambda: ["handle"])
    members: list[Id] = Field(default_factory=list)
    calendar: Id | Literal[""] = Field(default="", description="when these people work; nothing named: as the company")


class Route(Clause):
    """Who has a part in the cases for which `when` holds.

    Of the routes of one part the first that holds counts. The part `lead` is the case's department; without a route it
    is the complaint type's. Every other part (`support`, `coordinator`, `on_site` …) has a name of the company's own:
    its roles see the case, may be told (`to: support`), and may make moves (`by: on_site`).
    """

    part: Id = LEAD
    to: Several
    when: Predicate = Predicate()


class Alarm(Clause):
    """How an alarm (a notice with `alarm: true`) goes on until somebody says, or shows by an act, that they saw it.

    `acknowledge` after it was told, the next person on duty in the same role is told, then those of `then`, one role
    after the other, and in the end everybody again, at gaps that double. Every step that nobody acknowledged is called
    out by telephone or SMS too, where the desk has a way to (`PLAINT_ALARM_URL`).
    """

    acknowledge: Limit = Limit(amount=10, unit="minute", basis="elapsed")
    then: Annotated[list[str], BeforeValidator(listed)] = Field(default_factory=list)


class Hidden(Clause):
    """Cases for which `when` holds are seen by those of `only` alone, whatever others may read: roles, parts, `owner`.

    Where several hold, one must be of each `only`. Whoever a case concerns (`plaint act … concerns`) never sees it.
    """

    when: Predicate
    only: Several


class Routing(Clause):
    """All roles, the routes in order, and the role that stands behind every case that nobody owns.

    `handover`: a case that goes to another department stays with its owner until somebody there takes it, and is owned
    by whoever entered it until then. An owner who does nothing for as long as `lease` loses the case to the department.
    """

    roles: list[Role] = Field(min_length=1)
    routes: list[Route] = Field(default_factory=list)
    reception: Id
    call_after: int = Field(
        default=24, ge=0, description="hours after which a customer who let a notice lie is called by telephone"
    )
    handover: bool = Field(default=False, description="the owner keeps a case until another department takes it")
    lease: Limit | None = None
    alarm: Alarm = Alarm()
    hidden: list[Hidden] = Field(default_factory=list)

    def role(self, id: str) -> Role:  # noqa: A002 # the word of the policy
        """Return the role with this id; KeyError if there is none."""
        for each in self.roles:
            if each.id == id:
                return each
        raise KeyError(id)

    def granted(self, roles: list[str], *grants: str) -> bool:
        """Tell whether one of these roles grants one of these things."""
        return any(self.granting(roles, each) for each in grants)

    def granting(self, roles: list[str], grant: str) -> frozenset[str]:
        """Return which of these roles, and of those they make somebody a member of, grant it; looked up once."""
        known: dict[tuple[str, ...], frozenset[str]] = self.__dict__.setdefault("_granting", {})
        found = known.get((grant, *roles))
        if found is None:
            held = self.held(roles)
            found = known[grant, *roles] = frozenset(
                each.id for each in self.roles if each.id in held and grant in each.grants
            )
        return found

    def held(self, roles: list[str]) -> frozenset[str]:
        """Return these roles, and those that they make somebody a member of; looked up once for each list of roles."""
        known: dict[tuple[str, ...], frozenset[str]] = self.__dict__.setdefault("_held", {})
        found = known.get(tuple(roles))
        if found is None:
            held = {*roles}
            while more := {each.id for each in self.roles if held.intersection(each.members)} - held:
                held |= more
            found = known[tuple(roles)] = frozenset(held)
        return found

    @property
    def parts(self) -> tuple[str, ...]:
        """The parts that somebody may have in a case, in the order of the policy."""
        return tuple(dict.fromkeys([LEAD, *(route.part for route in self.routes)]))
