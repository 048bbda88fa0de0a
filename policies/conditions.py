"""Every condition of a policy, wherever it stands."""

from collections.abc import Iterator, Mapping

from pydantic import BaseModel

from complaints.clauses.model import Predicate
from complaints.policy import Policy
from policies.places import Path


def conditions(policy: Policy) -> Iterator[tuple[Path, Predicate]]:
    """Yield each condition that asks for something, with the keys and positions that lead to it."""
    yield from _within((), policy)


def _within(path: Path, part: object) -> Iterator[tuple[Path, Predicate]]:
    if isinstance(part, Predicate):
        if not part.always:
            yield path, part
    elif isinstance(part, BaseModel):
        for name, field in type(part).model_fields.items():
            yield from _within((*path, field.alias or name), getattr(part, name))
    elif isinstance(part, list):
        for index, each in enumerate(part):
            yield from _within((*path, index), each)
    elif isinstance(part, Mapping):
        for key, each in part.items():
            yield from _within((*path, str(key)), each)
