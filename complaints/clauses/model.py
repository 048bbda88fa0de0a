"""What every clause shares: strictness, sentences in several languages, and the one predicate grammar."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from complaints.reading import Language

Id = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]


class Clause(BaseModel):
    """One mapping of a policy file. An unknown key is a mistake; nothing changes after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    clause: str = Field(default="", description="id of the sentence in the company's rule book, e.g. S3-3.1d")


class Sentence(Clause):
    """One sentence for people, in each language the desk speaks."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    zh_hans: str = Field(alias="zh-Hans", min_length=1)
    zh_hant: str = Field(alias="zh-Hant", min_length=1)
    en: str = Field(min_length=1)

    def __getitem__(self, language: Language) -> str:
        """Return the sentence in that language."""
        return {"zh-Hans": self.zh_hans, "zh-Hant": self.zh_hant, "en": self.en}[language]


def listed(value: object) -> object:
    """Make a list of one value, so that a policy may write `to: owner` as well as `to: [owner, department]`."""
    return value if isinstance(value, list) else [value]


#: One value or a list of them; a list afterwards.
Several = Annotated[list[str], BeforeValidator(listed)]

#: The things that can be compared in a predicate.
Fact = str | bool | int | Decimal | None


class Test(Clause):
    """A comparison of one fact: every given bound must hold."""

    gt: Decimal | None = None
    ge: Decimal | None = None
    lt: Decimal | None = None
    le: Decimal | None = None

    def holds(self, fact: object) -> bool:
        """Tell whether the fact, a number, lies inside the bounds. A missing fact does not."""
        if not isinstance(fact, (int, Decimal)) or isinstance(fact, bool):
            return False
        return (
            (self.gt is None or fact > self.gt)
            and (self.ge is None or fact >= self.ge)
            and (self.lt is None or fact < self.lt)
            and (self.le is None or fact <= self.le)
        )


class Predicate(BaseModel):
    """A condition over named facts: `{type: [a, b], amount: {gt: 50000}, any: [{...}, {...}], not: {...}}`.

    All entries must hold. A list means one of; where the fact is itself a list (flags), one in common. `all` joins
    conditions over the same fact. Never code.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    facts: dict[str, list[str | bool | int] | Test] = Field(default_factory=dict)
    any: list["Predicate"] = Field(default_factory=list)
    all: list["Predicate"] = Field(default_factory=list)
    none: list["Predicate"] = Field(default_factory=list)

    @model_validator(mode="before")
    @classmethod
    def _from_mapping(cls, value: object) -> object:
        if not isinstance(value, dict) or "facts" in value:
            return value
        facts: dict[str, Any] = {}
        for name, wanted in value.items():
            if name in ("any", "all", "not"):
                continue
            facts[name] = wanted if isinstance(wanted, (dict, list)) else [wanted]
        denied = value.get("not", [])
        return {
            "facts": facts,
            "any": value.get("any", []),
            "all": value.get("all", []),
            "none": denied if isinstance(denied, list) else [denied],
        }

    def holds(self, facts: Mapping[str, Any]) -> bool:
        """Tell whether the condition holds for these facts."""
        if self.always:
            return True
        return (
            all(_fits(wanted, facts.get(name)) for name, wanted in self.facts.items())
            and (not self.any or any(each.holds(facts) for each in self.any))
            and all(each.holds(facts) for each in self.all)
            and not any(each.holds(facts) for each in self.none)
        )

    @property
    def always(self) -> bool:
        """Tell whether the condition asks for nothing, and so always holds."""
        return not (self.facts or self.any or self.all or self.none)

    def names(self) -> set[str]:
        """Return every fact the condition asks for."""
        return set(self.facts).union(*(each.names() for each in (*self.any, *self.all, *self.none)))


def _fits(wanted: list[str | bool | int] | Test, fact: object) -> bool:
    if isinstance(wanted, Test):
        return wanted.holds(fact)
    if isinstance(fact, (list, tuple, set, frozenset)):
        return any(each in wanted for each in fact)
    return fact in wanted
