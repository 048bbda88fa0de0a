"""The clause *approval*: who must agree before a plan is carried out, by amount, type, risk and whatever a case is."""

from typing import Literal, Self

from pydantic import Field, model_validator

from complaints.clauses.clock import Limit
from complaints.clauses.escalation import Rung
from complaints.clauses.model import Clause, Id, Predicate, Sentence, Several


class Step(Clause):
    """One signature, or several at once: every role of `all`, or one of `any`. A plain role is the one who signs."""

    all: list[Id] = Field(default_factory=list)
    any: list[Id] = Field(default_factory=list)
    title: Sentence | None = None

    @model_validator(mode="before")
    @classmethod
    def _from_role(cls, value: object) -> object:
        return {"all": [value]} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if bool(self.all) == bool(self.any):
            raise ValueError("A step names a role, or roles in `all`, or roles in `any`.")
        return self

    @property
    def roles(self) -> list[str]:
        """Everyone who may sign here."""
        return [*self.all, *self.any]

    def __str__(self) -> str:
        """Return the step in one word: `a`, `a+b` (both), `a|b` (either)."""
        return "+".join(self.all) or "|".join(self.any)


class Chain(Clause):
    """The steps for the cases for which `when` holds.

    While an `expedited` step is open `expedited` is a fact, for the clocks. `form` is the name of a paper (e.g. an
    application for an exception): nothing is put to the signers before whoever asked has handed it in.
    """

    when: Predicate = Predicate()
    steps: list[Step] = Field(default_factory=list)
    expedited: bool = False
    form: Sentence | None = None


class Lending(Clause):
    """How somebody's right to sign may be lent: for `most` months at most, with a signed paper where `paper`."""

    most: int = Field(default=6, ge=1, le=6, description="months")
    paper: bool = True


class Approval(Clause):
    """Something that others must agree to, step by step.

    It opens when one of `on` happens and `when` holds. Its steps are those of every row of `before` that holds, of the
    first row of `matrix` that holds, and of every row of `after` that holds, each role once. The first row of
    `instead` that holds replaces `matrix` and `before`; those of `keeps` that hold still come before it. How it ends
    has a name too, for moves, clocks and notices: `ID.granted` once all have signed, `ID.refused` with one refusal,
    `ID.recalled` where the one who asked takes it back. Where no row holds nobody owns the case: the checker says for
    which amounts, and which ones two rows own, with other signers. With no steps at all it is granted at once.

    Whoever made the move that opened it has asked for it (else the owner); one that opens as another one ends was asked
    for by whoever asked for that, with the same plan. Who asked never signs, nor does anybody twice, under whatever
    account. Steps that have not come yet follow the case: with a higher amount more must sign.
    Each step lets `approval_opened` and `ID.opened` happen when it opens, `approval_decided` and `ID.decided` when it
    is over, for the clocks of a step; where several approvals are under way at once only the names with an ID belong
    to one alone. `overdue: pass_up` lets a step of `matrix` whose clock (one that these names started) is breached go
    up to the next one; the last one stays, and so do those of the other rows, which are no levels of authority but
    somebody's to judge: their ladder is climbed. `final`: cannot be asked for again.
    """

    id: Id
    title: Sentence
    on: Several
    when: Predicate = Predicate()
    before: list[Chain] = Field(default_factory=list)
    instead: list[Chain] = Field(default_factory=list)
    keeps: list[Chain] = Field(default_factory=list, description="rows that stay where one of `instead` holds")
    matrix: list[Chain] = Field(min_length=1)
    after: list[Chain] = Field(default_factory=list)
    overdue: Literal["tell", "pass_up"] = "tell"
    lending: Lending = Lending()
    final: bool = False


class Signing(Clause):
    """How long a step of an approval may wait whose time no clock counts, and who is told: the rungs of a ladder.

    Each such approval has a clock `step_of_ID`, which starts and stops with each of its steps. A clock that starts with
    `approval_opened`, with `ID.opened` or with what opens the approval goes before it. In `to`, `reception` is the role
    behind every case, and `lead` whoever leads.
    """

    limit: Limit
    rungs: list[Rung] = Field(min_length=1)
