"""The clause *form*: which fields are asked of a customer, in which words, and when a value fits."""

from typing import Literal

from pydantic import Field

from complaints.clauses.model import Clause, Id, Predicate, Sentence

FieldKind = Literal["text", "choice", "order_no", "contact", "files", "date", "amount", "moment"]


class FieldChoice(Clause):
    """One answer of a choice: its label, and other words customers use for it."""

    id: Id
    title: Sentence
    also: list[str] = Field(default_factory=list)


class FormField(Clause):
    """One thing to know about a complaint.

    `slots` names what the reader may find in free text to fill it, so that it is not asked again. `personal` values
    wait for consent, are masked in groups and alerts, and remembered for the customer's next complaint. `own_words`:
    what is none of the choices is an answer too. A `choice` and an `amount` (in the company's currency) are facts under
    their id; a field whose `slots` hold `region` is the fact `region`, unless the order on file says it; `moment` is a
    time of the customer's own ("half past seven tonight"). An `order_no` is looked up, where the company has orders on
    file. The answer to one that `concerns` somebody names whom of the staff the complaint is about: it is kept from
    them. `when` is a condition over the case's facts; `pattern` a regular expression for the
    whole value.
    """

    id: Id
    title: Sentence
    ask: Sentence
    hint: Sentence
    kind: FieldKind = "text"
    required: bool = True
    personal: bool = False
    slots: list[str] = Field(default_factory=list)
    choices: list[FieldChoice] = Field(default_factory=list)
    own_words: bool = False
    concerns: bool = False
    when: Predicate = Predicate()
    pattern: str = ""
    max_length: int = Field(default=500, ge=1, le=4000, description="characters")


class Evidence(Clause):
    """How much a customer may send along: files per case, and megabytes per file."""

    max_files: int = Field(default=10, ge=1)
    max_megabytes: int = Field(default=20, ge=1)


class Form(Clause):
    """The whole intake: fields in the order they are asked, and what happens when the customer falls silent.

    `nudge_after` and `abandon_after` are hours of silence (elapsed; the nudge waits out quiet hours); after
    `wrong_answers` wrong values of one field a human is offered. `consent` is the version of the notice on personal
    data (its words are wording keys `consent.notice`), `consent_steps` how often a customer must agree before anything
    is asked for: 2 is the double consent that some rule books want.
    """

    fields: list[FormField] = Field(min_length=1)
    amount: Id | Literal[""] = Field(default="", description="the field that is the fact `amount`")
    evidence: Evidence = Evidence()
    consent: str = Field(description="version of the notice, e.g. 2026-1")
    consent_steps: int = Field(default=1, ge=1, le=2)
    nudge_after: float = Field(default=2, gt=0, description="hours")
    abandon_after: float = Field(default=24, gt=0, description="hours")
    wrong_answers: int = Field(default=3, ge=1)

    @property
    def counted(self) -> tuple[str, ...]:
        """The fields whose answers are facts: choices and amounts."""
        known: tuple[str, ...] = self.__dict__.setdefault(
            "_counted", tuple(each.id for each in self.fields if each.kind in ("choice", "amount"))
        )
        return known

    def has(self, id: str) -> bool:  # noqa: A002 # the word of the policy
        """Tell whether the form has a field with this id."""
        return any(each.id == id for each in self.fields)

    def field(self, id: str) -> FormField:  # noqa: A002 # the word of the policy
        """Return the field with this id; KeyError if there is none."""
        known: dict[str, FormField] = self.__dict__.setdefault("_known", {each.id: each for each in self.fields})
        return known[id]
