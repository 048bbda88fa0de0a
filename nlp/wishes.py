"""What a short reply wants of an open form, where it is none of the known ones: read from a learned table."""

from collections.abc import Callable
from functools import cached_property
from typing import Final

from complaints.weights import Weights
from nlp.matcher import Finder
from nlp.normalize import normalize
from nlp.scoring import scores
from nlp.table import Tables

#: The name of the table that was learned for them, and its label of messages that want nothing of the conversation.
TABLE: Final = "wishes"
_NOTHING: Final = "none"
#: A longer text wants more than one of these, in characters.
_SHORT: Final = 60
#: So sure the table must be: a wish that is missed is asked again, one that is misread leads astray.
_SURE: Final = 0.5
#: Agreeing and refusing bind, so only known words do that (see `nlp.answers`); and who wants to complain of something
#: else says what.
_KNOWN_ONLY: Final = frozenset({"yes", "no", "new"})


class Wishes:
    """Finds what a short reply wants of an open form: to go back, to skip, a human, or to tell it later.

    The table is loaded at the first reply, because who only reads complaints needs none.
    """

    def __init__(self, load: Callable[[], Weights | None]) -> None:
        """Take what loads the table; without one, nothing is found."""
        self._load = load

    @cached_property
    def _table(self) -> tuple[Tables, Finder] | None:
        learned = self._load()
        if learned is None:
            return None
        tables = Tables({TABLE: learned})
        return tables, Finder(tables.words)

    def find(self, text: str) -> str | None:
        """Return what the whole reply wants of the form; None for anything else, and for what holds a number.

        A number is a value: who says it answers something, or corrects it.
        """
        if len(text) > _SHORT or any(each.isdecimal() for each in text) or self._table is None:
            return None
        tables, finder = self._table
        evidence = tables.read(finder.find(normalize(text).folded)[0]).evidence(TABLE)
        if not evidence:
            return None
        wish, score = max(scores({}, evidence).items(), key=lambda each: each[1])
        return wish if score > _SURE and wish not in (_NOTHING, *_KNOWN_ONLY) else None
