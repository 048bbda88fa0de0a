"""What may be found in a policy, and what it is held against."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches

from complaints.calendar import WorkCalendar
from complaints.policy import Policy
from complaints.reading import Reading
from policies.facts import Names
from policies.places import Path

Read = Callable[[str], Reading]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong with a policy: where (keys and positions), what, and what to do about it."""

    path: Path
    message: str
    cure: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A policy under examination, and what it is held against. Of the sections in `broken` a part was left out."""

    policy: Policy
    names: Names
    calendar: WorkCalendar | None = None
    wording: frozenset[str] | None = None
    read: Read | None = None
    broken: frozenset[str] = field(default_factory=frozenset)


def nearest(name: str, known: Iterable[str]) -> str:
    """Return the cure for a name that is not known: the one that was meant, or all there are."""
    there = sorted(set(known))
    if close := get_close_matches(name, there, n=1):
        return f"Did you mean {close[0]!r}?"
    return f"There are: {', '.join(there)}." if there else "There are none yet."


def twice(path: Path, what: str, ids: Sequence[str]) -> Iterator[Finding]:
    """Look for names that stand in a list more than once."""
    for index, name in enumerate(ids):
        if name in ids[:index]:
            yield Finding(
                path=(*path, index), message=f"The {what} {name!r} stands here a second time.", cure="Keep one of them."
            )


def unknown(path: Path, what: str, name: str, known: Iterable[str], otherwise: str = "") -> Finding:
    """Return what to say of a name that is not known; `otherwise` is the cure where no other name comes near."""
    cure = nearest(name, known)
    if otherwise and not cure.startswith("Did you mean"):
        cure = otherwise
    return Finding(path=path, message=f"There is no {what} {name!r}.", cure=cure)


def worded(subject: Subject, path: Path, key: str) -> Iterator[Finding]:
    """Look for a wording key that no language has."""
    if key and subject.wording is not None and key not in subject.wording:
        yield unknown(path, "sentence", key, subject.wording, "Write it in every file of `wording`.")
