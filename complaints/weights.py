"""The weights of words that were learned from texts which people labelled: what a word says for each complaint type."""

from hashlib import sha256
from math import log
from typing import Annotated, Final

from pydantic import Field

from complaints.clauses.model import Clause

#: What a word can say, in the measure of evidence: reckoning is exact within these bounds.
Weight = Annotated[float, Field(ge=-1000, le=1000, allow_inf_nan=False)]


class Word(Clause):
    """What one word says: `texts` of the labelled texts hold it, and `says` is its weight for and against types.

    A Latin word that ends in `*` is the beginning of words.
    """

    texts: int = Field(ge=0)
    says: dict[str, Weight] = Field(min_length=1)


class Weights(Clause):
    """A learned table: word -> type -> weight, from `texts` labelled texts, and what speaks for a type without words.

    With w the words of the table that a text holds, and

        rarity(w) = 1 + ln((1 + texts) / (1 + texts that hold w))
        evidence(t) = start(t) + sum says(w, t) * rarity(w) / sqrt(sum rarity(w)²)

    so that a word counts the more the rarer it is, and in a long text each counts the less. `added` are keywords that
    people accepted: word -> type -> weight, as in a policy; learning anew keeps them.
    """

    schema_: int = Field(alias="schema", default=1, ge=1, le=1)
    texts: int = Field(ge=1)
    start: dict[str, Weight]
    added: dict[str, dict[str, Weight]] = Field(default_factory=dict)
    words: dict[str, Word] = Field(default_factory=dict)

    @property
    def digest(self) -> str:
        """What tells these weights from any others; reckoned once."""
        known: str | None = self.__dict__.get("_digest")
        if known is None:
            known = self.__dict__["_digest"] = sha256(self.model_dump_json().encode()).hexdigest()
        return known

    def rarity(self, word: str) -> float:
        """Return how much a word counts beside others: the fewer texts hold it, the more."""
        return 1 + log((1 + self.texts) / (1 + self.words[word].texts))


class Learned(Clause):
    """All that was learned for a reader: the company's types; for all, complaints, dangers and remedies asked for."""

    types: Weights | None = None
    talk: Weights | None = None
    risks: Weights | None = None
    remedies: Weights | None = None


#: For companies that nothing was learned for.
NOTHING_LEARNED: Final = Learned()
