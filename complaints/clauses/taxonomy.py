"""The clause *taxonomy*: complaint types and flags, the words that speak for them, and the grades that follow."""

from typing import Any, Literal

from pydantic import Field, model_validator

from complaints.clauses.model import Clause, Id, Predicate, Sentence

#: Dangers that any company has. The reader knows their words by itself.
Risk = Literal["safety", "injury", "legal", "regulator", "media", "leak", "self_harm", "minors", "big_loss"]


class Keyword(Clause):
    """A word or phrase that speaks for a type or a flag; written as a plain string when the weight is 1."""

    word: str = Field(min_length=1)
    weight: float = 1.0

    @model_validator(mode="before")
    @classmethod
    def _from_word(cls, value: Any) -> Any:  # Any: pydantic hands over whatever the file holds
        return {"word": value} if isinstance(value, str) else value


class ComplaintType(Clause):
    """One kind of complaint: its name for people, who handles it, and its keywords."""

    id: Id
    title: Sentence
    department: Id
    keywords: list[Keyword] = Field(default_factory=list)


class FlagType(Clause):
    """A danger that changes the path of a case. `unless` lists the contexts in which its words mean nothing.

    It is raised by its keywords, and by each of the general `risks` that the reader knows by itself.
    A flag with `when` is raised by what the case is, too. A `quiet` one is a fact and no danger: it calls nobody.
    """

    id: Id
    title: Sentence
    keywords: list[Keyword] = Field(default_factory=list)
    risks: list[Risk] = Field(default_factory=list)
    when: Predicate | None = None
    quiet: bool = False
    unless: list[str] = Field(default_factory=list)


class Grade(Clause):
    """One value of a grade and when it applies; the last one whose `when` holds counts, unless a person set another.

    One `by_hand` is only ever set by a person.
    """

    id: Id
    title: Sentence
    when: Predicate = Predicate()
    by_hand: bool = False


class Taxonomy(Clause):
    """All complaint types, flags and grades of a policy.

    `threshold` is the score (0..1) from which the best type is taken without asking the customer; each type from
    `second` on adds its department to those the case concerns. `fallback` is the
    type of a complaint that fits no other. `slots` are patterns of values of this company, e.g. its order numbers.
    """

    types: list[ComplaintType] = Field(min_length=1)
    fallback: Id
    threshold: float = Field(default=0.5, ge=0, le=1)
    second: float = Field(default=0.3, gt=0, le=1)
    flags: list[FlagType] = Field(default_factory=list)
    grades: dict[str, list[Grade]] = Field(default_factory=dict)
    slots: dict[str, list[str]] = Field(default_factory=dict, description="slot name -> regular expressions")

    def type(self, id: str) -> ComplaintType:  # noqa: A002 # the word of the policy
        """Return the complaint type with this id, the fallback for one that is gone."""
        return next((each for each in self.types if each.id == id), None) or self.type(self.fallback)
