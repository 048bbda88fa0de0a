"""Which cases fall under which condition, exactly: numbers are split at every bound, other facts at every value.

So it is known, of rows of which the first that holds counts, for which cases none does, and which row never has its
turn. Conditions are asked with as few facts as decide them, so that what is found names only what matters.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Final

from complaints.clauses.model import Predicate, Test
from policies.facts import Fact, Value

#: One thing to decide about a case: a fact, or, where a fact has several values at once, one of them.
Key = tuple[str, str]
#: Some cases: for each thing that matters, the values it may have there.
Cell = Mapping[Key, frozenset[Value]]
#: Stands for every value of an open fact that no condition names.
_OTHER: Final = "\0other"
#: How many cases are looked at before there are too many to say anything.
_MOST: Final = 20_000


class TooMany(Exception):
    """There are more combinations than anybody could look through."""


class Space:
    """The facts that some conditions ask for, split where they make a difference.

    A fact that is `left_open` is never decided: a condition over it may hold. Facts of `fixed` have one value.
    """

    def __init__(
        self,
        known: Mapping[str, Fact],
        conditions: Iterable[Predicate],
        *,
        missing: bool = False,
        left_open: Iterable[str] = (),
        fixed: Mapping[str, str] | None = None,
    ) -> None:
        self.known: Final = known
        self._missing: Final = missing
        open_ones, wanted = {*left_open}, list(_wanted(conditions))
        named = dict.fromkeys(name for name, _ in wanted if name in known and name not in open_ones)
        self.atoms: Final[dict[Key, tuple[Value, ...]]] = {}
        for name in sorted(named, key=lambda each: known[each].kind == "number"):
            tests = [each for other, each in wanted if other == name]
            if fixed and name in fixed:
                self.atoms[name, ""] = (fixed[name],)
            elif known[name].kind == "some":
                values = dict.fromkeys(str(value) for test in tests if isinstance(test, list) for value in test)
                self.atoms.update({(name, value): (True, False) for value in values})
            else:
                self.atoms[name, ""] = tuple(self._values(known[name], tests))

    def _values(self, fact: Fact, tests: Sequence[Test | list[str | bool | int]]) -> Iterator[Value]:
        if fact.kind == "number":
            yield from sorted({fact.least, *(start for start in _starts(fact, tests) if start >= fact.least)})
        elif fact.values is not None:
            yield from fact.values
        else:
            yield from dict.fromkeys(value for test in tests if isinstance(test, list) for value in test)  # type: ignore[misc]
            yield _OTHER
        if fact.missing and (self._missing or fact.kind != "number"):
            yield None

    def judge(self, when: Predicate, at: Mapping[Key, Value]) -> bool | None:
        """Tell whether a condition holds where only these things are decided; None if that is still open."""
        return _all(
            [
                *(self._fits(name, wanted, at) for name, wanted in when.facts.items()),
                *([_any([self.judge(each, at) for each in when.any])] if when.any else []),
                *(self.judge(each, at) for each in when.all),
                *(_not(self.judge(each, at)) for each in when.none),
            ]
        )

    def _fits(self, name: str, wanted: Test | list[str | bool | int], at: Mapping[Key, Value]) -> bool | None:
        fact = self.known.get(name)
        if fact is None:
            return None
        if fact.kind == "some" and isinstance(wanted, list):
            decided = [at.get((name, str(value))) for value in wanted]
            return _any([each if isinstance(each, bool) else None for each in decided])
        if (name, "") not in at:
            return None
        value = at[name, ""]
        return wanted.holds(value) if isinstance(wanted, Test) else value in wanted


@dataclass(slots=True)
class Cover:
    """What was found of some rows: the positions of those that have their turn, and the cases that have no row."""

    reached: set[int] = field(default_factory=set)
    gaps: list[Cell] = field(default_factory=list)


def cover(space: Space, rows: Sequence[Predicate], given: Sequence[Predicate] = ()) -> Cover:
    """Say of rows of which the first that holds counts what becomes of the cases for which all of `given` hold.

    A row that may hold, by what is left open, is taken to hold for some of them.
    """
    found = Cover()
    names = [when.names() for when in (*given, *rows)]
    looked = 0

    def look(at: dict[Key, Value]) -> None:
        nonlocal looked
        looked += 1
        if looked > _MOST:
            raise TooMany
        allowed = [space.judge(when, at) for when in given]
        if False in allowed:
            return
        held = [space.judge(when, at) for when in rows]
        first = next((position for position, each in enumerate(held) if each is not False), None)
        undecided = [*allowed, *(each if position == first else True for position, each in enumerate(held))]
        key = next(
            (
                key
                for key in space.atoms
                if key not in at and any(each is None and key[0] in names[n] for n, each in enumerate(undecided))
            ),
            None,
        )
        if key is not None:
            for value in space.atoms[key]:
                look({**at, key: value})
        elif first is None:
            found.gaps.append({key: frozenset([value]) for key, value in at.items()})
        else:
            later = next((position for position, each in enumerate(held) if each), len(held))
            found.reached.update(n for n, each in enumerate(held) if each is not False and n <= later)

    look({})
    found.gaps = _merged(space, found.gaps)
    return found


def _merged(space: Space, cells: list[Cell]) -> list[Cell]:
    """Join cells that differ in one thing only, and leave out what does not matter then."""
    before = 0
    while len(cells) != before:
        before = len(cells)
        for key in space.atoms:
            together: dict[frozenset[tuple[Key, frozenset[Value]]], frozenset[Value]] = {}
            order: dict[frozenset[tuple[Key, frozenset[Value]]], Cell] = {}
            for cell in cells:
                every = frozenset(space.atoms[key])
                rest = {each: values for each, values in cell.items() if each != key}
                mark = frozenset(rest.items())
                together[mark] = together.get(mark, frozenset()) | cell.get(key, every)
                order.setdefault(mark, rest)
            cells = [
                rest if together[mark] == frozenset(space.atoms[key]) else {**rest, key: together[mark]}
                for mark, rest in order.items()
            ]
    return cells


def told(space: Space, cell: Cell, noun: str = "amount") -> str:
    """Return some cases in words: `amounts from 50,000.01 to 500,000 when risk is high`; "" for all there are."""
    numbers = " or ".join(_ranges(space, (noun, ""), cell[noun, ""])) if (noun, "") in cell else ""
    others = " and ".join(_told(space, key, values) for key, values in cell.items() if key != (noun, ""))
    return " ".join(filter(None, [f"{noun}s {numbers}" if numbers else "", f"when {others}" if others else ""]))


def _told(space: Space, key: Key, values: frozenset[Value]) -> str:
    name, part = key
    if part:
        return f"{name} {'have' if values == {True} else 'do not have'} {part!r}"
    if space.known[name].kind == "number":
        return f"{name} is {' or '.join(_ranges(space, key, values))}"
    shown = [_shown(value) for value in space.atoms[key] if value in values]
    others = [_shown(value) for value in space.atoms[key] if value not in values]
    return (
        f"{name} is {' or '.join(shown)}" if len(shown) <= len(others) + 1 else f"{name} is not {' or '.join(others)}"
    )


def _shown(value: Value) -> str:
    if value == _OTHER:
        return "anything else"
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value) if value else "not known"


def _ranges(space: Space, key: Key, values: frozenset[Value]) -> Iterator[str]:
    starts = [each for each in space.atoms[key] if isinstance(each, Decimal)]
    step = space.known[key[0]].step
    position = 0
    while position < len(starts):
        if starts[position] not in values:
            position += 1
            continue
        low = starts[position]
        while position < len(starts) and starts[position] in values:
            position += 1
        if position == len(starts):
            yield f"from {_plain(low)} on"
            continue
        high = starts[position] - step
        yield (
            f"of exactly {_plain(low)}"
            if low == high
            else (
                f"from {_plain(low)} to {_plain(high)}" if low > space.known[key[0]].least else f"up to {_plain(high)}"
            )
        )
    if None in values:
        yield "not known"


def _plain(number: Decimal) -> str:
    return f"{number:,.2f}".removesuffix(".00")


def _starts(fact: Fact, tests: Iterable[Test | list[str | bool | int]]) -> Iterator[Decimal]:
    """Yield the numbers with which a bound begins or ceases to hold."""
    for test in tests:
        if isinstance(test, list):
            for value in test:
                number = Decimal(str(value)) if isinstance(value, int) else Decimal(0)
                yield from (number, number + fact.step)
            continue
        for bound in (test.ge, test.lt):
            if bound is not None:
                yield (bound / fact.step).to_integral_value(ROUND_CEILING) * fact.step
        for bound in (test.gt, test.le):
            if bound is not None:
                yield (bound / fact.step).to_integral_value(ROUND_FLOOR) * fact.step + fact.step


def _wanted(conditions: Iterable[Predicate]) -> Iterator[tuple[str, Test | list[str | bool | int]]]:
    for when in conditions:
        yield from when.facts.items()
        yield from _wanted((*when.any, *when.all, *when.none))


def _all(parts: Sequence[bool | None]) -> bool | None:
    return False if False in parts else None if None in parts else True


def _any(parts: Sequence[bool | None]) -> bool | None:
    return True if True in parts else None if None in parts else False


def _not(part: bool | None) -> bool | None:
    return None if part is None else not part
