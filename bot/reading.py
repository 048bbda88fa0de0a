"""Who reads for a company: by the words of its policy, by what was learned for it, and by what was learned for all."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path
from typing import Final

import policies
from complaints.policy import Policy
from complaints.weights import Learned, Weights
from nlp.reader import KeywordReader
from nlp.wishes import TABLE as WISHES
from nlp.wishes import Wishes
from policies import weights

_SHIPPED: Final = Path(policies.__file__).parent


def open_reader(policy: Policy, policies_dir: Path) -> KeywordReader:
    """Return the reader of a company. Misconfigured if its learned weights cannot be read."""
    with _uncollected():
        return read_with(policy, weights.load(policies_dir, policy.id, {each.id for each in policy.taxonomy.types}))


def read_with(policy: Policy, learned: Weights | None) -> KeywordReader:
    """Return the reader of a company with these weights of its types, and with what was learned for all companies."""
    talk, risks, remedies = map(_for_all, ("talk", "risks", "remedies"))
    all_ = Learned(types=learned, talk=talk, risks=risks, remedies=remedies)
    return KeywordReader(policy.taxonomy, learned=all_, wishes=_WISHES)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Let the collector rest: it would walk a hundred thousand objects again and again while they are made to last."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


@cache
def _for_all(name: str) -> Weights | None:
    return weights.load(_SHIPPED, name)


_WISHES: Final = Wishes(partial(_for_all, WISHES))
