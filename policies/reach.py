"""What can happen to a case and what never does: names nobody hears, rows that never have their turn, dead ends."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import combinations

from complaints.clauses.approval import Approval, Chain
from complaints.clauses.escalation import EXTERNAL_REPLY
from complaints.clauses.lifecycle import Move, State
from complaints.clauses.model import Predicate, Test
from complaints.events import HAPPENINGS
from complaints.policy import Policy
from policies.conditions import conditions
from policies.cover import Space, TooMany, cover, told
from policies.facts import CHANGING, ENDS, TRUTHS, Fact, facts
from policies.findings import Finding, Subject
from policies.places import Path

#: So many gaps of one approval or state are told.
_TOLD = 3


def chances(subject: Subject) -> Iterator[Finding]:
    """Yield what never happens, what is never reached, and where a case is stuck."""
    yield from _impossible(subject)
    if subject.broken:
        return
    yield from _never(subject)
    yield from _shadowed(subject)
    yield from _overlapping(subject)
    yield from _unowned(subject)
    yield from _unheard(subject)
    yield from _stuck(subject)


def happenings(policy: Policy) -> set[str]:
    """Return every name that can ever happen to a case of this policy."""
    lifecycle = policy.lifecycle
    found = {*HAPPENINGS, lifecycle.first, *(f"flagged.{flag.id}" for flag in policy.taxonomy.flags)}
    while True:
        new = {
            name
            for move in lifecycle.moves
            if found.intersection(lifecycle.sources(move)) and (_by_hand(move) or found.intersection(move.on))
            for name in (move.id, move.to)
            if name
        }
        new |= {f"breached.{clock.id}" for clock in policy.clocks if found.intersection(clock.start)}
        new |= {
            f"extension_asked.{clock.id}"
            for clock in policy.clocks
            if clock.extension is not None and clock.extension.approval and found.intersection(clock.start)
        }
        new |= {f"breached.{EXTERNAL_REPLY}"} if policy.external is not None else set()
        new |= {f"{each.id}.{how}" for each in policy.approvals if found.intersection(each.on) for how in ENDS}
        if new <= found:
            return found
        found |= new


def _by_hand(move: Move) -> bool:
    """Tell whether a move needs nothing to happen first: somebody makes it, or the desk at once."""
    return not move.on or move.by != ["system"]


def _impossible(subject: Subject) -> Iterator[Finding]:
    known = facts(subject.names)
    for path, when in conditions(subject.policy):
        if not all(_known(part, known) for part in _parts(when)):
            continue  # told where the name or the value stands
        try:
            found = cover(Space(known, [when], missing=True), [when])
        except TooMany:
            continue
        if not found.reached:
            yield Finding(
                path=path, message="This condition never holds, for no case.", cure="Its parts contradict one another."
            )


def _known(when: Predicate, known: Mapping[str, Fact]) -> bool:
    return all(
        name in known
        and (isinstance(wanted, Test) or known[name].values is None or {*wanted} <= {*(known[name].values or ())})
        for name, wanted in when.facts.items()
    )


def _never(subject: Subject) -> Iterator[Finding]:
    policy, lifecycle = subject.policy, subject.policy.lifecycle
    found, known = happenings(policy), {*subject.names.happenings}
    for index, state in enumerate(lifecycle.states):
        if state.id not in found:
            yield Finding(
                path=("lifecycle", "states", index),
                message=f"No case ever reaches the state {state.id!r}.",
                cure="Add a move that leads to it, or remove it.",
            )
    waiting: list[tuple[Path, str, Sequence[str]]] = [
        *((("lifecycle", "moves", n, "on"), f"move {move.id!r}", move.on) for n, move in enumerate(lifecycle.moves)),
        *((("clocks", n, "start"), f"clock {clock.id!r}", clock.start) for n, clock in enumerate(policy.clocks)),
        *((("notices", n, "on"), "notice", notice.on) for n, notice in enumerate(policy.notices)),
        *((("surveys", n, "start"), f"survey {each.id!r}", each.start) for n, each in enumerate(policy.surveys)),
        *((("approvals", n, "on"), f"approval {each.id!r}", each.on) for n, each in enumerate(policy.approvals)),
    ]
    for path, what, names in waiting:
        if names and known.issuperset(names) and not found.intersection(names):
            yield Finding(
                path=path,
                message=f"The {what} waits for {' or '.join(names)}, and that never happens.",
                cure="Look at what should lead to it, or wait for something else.",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rows:
    """Rows of which the first that holds counts, each with its place; `given` holds for all of them."""

    what: str
    paths: Sequence[Path]
    whens: Sequence[Predicate]
    given: Sequence[Predicate] = ()


def _rows(policy: Policy) -> Iterator[_Rows]:
    for part in policy.routing.parts:
        routes = [(index, route) for index, route in enumerate(policy.routing.routes) if route.part == part]
        yield _Rows(
            what=f"route of {part!r}",
            paths=[("routing", "routes", index) for index, _ in routes],
            whens=[route.when for _, route in routes],
        )
    for index, clock in enumerate(policy.clocks):
        yield _Rows(
            what=f"limit of {clock.id!r}",
            paths=[("clocks", index, "limits", position) for position in range(len(clock.limits))],
            whens=[limit.when for limit in clock.limits],
            given=[clock.when],
        )
    for index, approval in enumerate(policy.approvals):
        for key, given in (("instead", [approval.when]), ("matrix", [approval.when, *_none(approval.instead)])):
            chains: list[Chain] = getattr(approval, key)
            yield _Rows(
                what=f"row of {approval.id!r}",
                paths=[("approvals", index, key, position) for position in range(len(chains))],
                whens=[chain.when for chain in chains],
                given=given,
            )


def _none(chains: Iterable[Chain]) -> list[Predicate]:
    """Return the conditions that no row of these holds."""
    return [_not(chain.when) for chain in chains]


def _not(when: Predicate) -> Predicate:
    return Predicate(facts={}, none=[when])


def _either(whens: list[Predicate]) -> Predicate:
    return Predicate(facts={}, any=whens)


def _shadowed(subject: Subject) -> Iterator[Finding]:
    """Look for rows that never have their turn, since another one above them always holds where they do."""
    known = facts(subject.names)
    for rows in _rows(subject.policy):
        try:
            space = Space(known, [*rows.whens, *rows.given], missing=True)
            reached = cover(space, rows.whens, rows.given).reached
            for position in sorted({*range(len(rows.whens))} - reached):
                given = [*rows.given, rows.whens[position]]
                before = cover(space, rows.whens[:position], given)
                if before.reached:
                    above = " and ".join(str(each + 1) for each in sorted(before.reached))
                    yield Finding(
                        path=rows.paths[position],
                        message=f"This {rows.what} never has its turn: number {above} above it always comes first.",
                        cure="Write it before them, or narrow their conditions.",
                    )
        except TooMany:
            yield _too_many(rows.paths[0], rows.what)
    yield from _overtaken(subject)
    yield from _unclimbed(subject)


def _overlapping(subject: Subject) -> Iterator[Finding]:
    """Look for amounts that two rows of an approval own in part, with other signers: nobody sees which one is meant.

    A row that lies within a later one is no mistake (`le: 1000`, then `le: 5000`): the first is the exception.
    """
    known = facts(subject.names)
    for index, approval in enumerate(subject.policy.approvals):
        for key, given in (("instead", [approval.when]), ("matrix", [approval.when, *_none(approval.instead)])):
            chains: list[Chain] = getattr(approval, key)
            whens = [chain.when for chain in chains]
            for (one, first), (other, second) in combinations(enumerate(chains), 2):
                shared = _shared(first.when, second.when)
                if not shared or [str(each) for each in first.steps] == [str(each) for each in second.steps]:
                    continue
                rows = [*whens[:one], Predicate(facts={}, all=[first.when, second.when])]
                try:
                    both = one in cover(Space(known, [*rows, *given], missing=True), rows, given).reached
                except TooMany:
                    continue  # told where rows that never have their turn are looked for
                if both:
                    yield Finding(
                        path=("approvals", index, key, other),
                        message=f"Number {one + 1} and number {other + 1} of {approval.id!r} both own {shared}, "
                        "with other signers.",
                        cure="Only the first is asked: let one end where the other begins, e.g. le: 1000 and gt: 1000.",
                    )


def _shared(one: Predicate, other: Predicate) -> str:
    """Return in words what of a number two rows own, where neither lies within the other; "" if there is no such."""
    for name in (name for name in one.facts if name in other.facts):
        first, second = one.facts[name], other.facts[name]
        if not isinstance(first, Test) or not isinstance(second, Test):
            continue
        (low, under), (lower, high) = sorted([_ends(first), _ends(second)])
        if low < lower <= under < high:
            upto = f" to {under[0]:,}" if under[0] != lower[0] else ""
            return f"{name} {'from ' if upto else ''}{lower[0]:,}{upto}"
    return ""


def _ends(test: Test) -> tuple[tuple[Decimal, int], tuple[Decimal, int]]:
    """Return the two ends of a range; one that does not belong to it lies a little further in."""
    lowest, highest = Decimal("-Infinity"), Decimal("Infinity")
    below = max((each, place) for each, place in ((test.ge, 0), (test.gt, 1), (lowest, 0)) if each is not None)
    above = min((each, place) for each, place in ((test.le, 0), (test.lt, -1), (highest, 0)) if each is not None)
    return below, above


def _overtaken(subject: Subject) -> Iterator[Finding]:
    """Look for moves by the desk that another one always overtakes."""
    lifecycle, known = subject.policy.lifecycle, facts(subject.names)
    for state in lifecycle.states:
        moves = [move for move in lifecycle.moves_from(state.id) if move.automatic]
        whens = [move.when for move in moves]
        try:
            found = cover(Space(known, whens, missing=True, left_open=CHANGING, fixed={"state": state.id}), whens)
        except TooMany:
            yield _too_many(("lifecycle", "states", lifecycle.states.index(state)), f"moves from {state.id!r}")
            continue
        for position in sorted({*range(len(moves))} - found.reached):
            move, always = moves[position], moves[max((n for n in found.reached if n < position), default=0)]
            if move is not always:
                yield Finding(
                    path=("lifecycle", "moves", lifecycle.moves.index(move)),
                    message=f"The move {move.id!r} is never made from {state.id!r}: {always.id!r} always comes first.",
                    cure=f"Give {always.id!r} a condition, or write {move.id!r} before it.",
                )


def _unclimbed(subject: Subject) -> Iterator[Finding]:
    """Look for ladders that no clock ever climbs, and for clocks that climb none: nobody would hear of their end."""
    policy, known = subject.policy, facts(subject.names)
    climbed: set[int] = set()
    clocks: dict[str, tuple[Path, Predicate]] = {
        clock.id: (("clocks", index), clock.when) for index, clock in enumerate(policy.clocks)
    }
    if policy.external is not None:
        clocks[EXTERNAL_REPLY] = (("external",), Predicate())
    places = {id(ladder): index for index, ladder in enumerate(policy.escalation)}
    for name, (path, when) in {**clocks, "": ((), Predicate())}.items():
        ladders = policy.ladders(name) if name else [each for each in policy.escalation if not each.clocks]
        whens = [ladder.when for ladder in ladders]
        space = Space(known, [*whens, when], missing=True, left_open=CHANGING)
        try:
            found = cover(space, whens, [when])
        except TooMany:
            climbed.update(places[id(ladder)] for ladder in ladders)
            continue
        climbed.update(places[id(ladders[position])] for position in found.reached)
        if name and found.gaps:
            which = f" {told(space, found.gaps[0], noun='')}".rstrip() if ladders else ""
            yield Finding(
                path=path,
                message=f"The clock {name!r} climbs no ladder{which}: nobody hears that it ran out.",
                cure="Add one ladder without `clocks`, or name this clock in one (`escalation`).",
            )
    for index, ladder in enumerate(policy.escalation):
        if index not in climbed and {*ladder.clocks} <= {*clocks}:
            yield Finding(
                path=("escalation", index),
                message="This ladder is never climbed: another one above it serves the same clocks.",
                cure="Keep one ladder for each clock and case, and one without `clocks` for all others.",
            )


def _unowned(subject: Subject) -> Iterator[Finding]:
    """Look for cases that nobody approves."""
    policy, known = subject.policy, facts(subject.names, typed=True)
    for index, approval in enumerate(policy.approvals):
        path = ("approvals", index, "matrix")
        rows = [chain.when for chain in (*approval.instead, *approval.matrix)]
        opened = _opened(policy, approval)
        given = [approval.when, *opened, *_following(policy, [*rows, approval.when])]
        try:
            space = Space(known, [*rows, *given], left_open={*TRUTHS, "done"}, fixed=_read(policy))
            gaps = cover(space, rows, given).gaps
        except TooMany:
            yield _too_many(path, f"row of {approval.id!r}")
            continue
        for gap in gaps[:_TOLD]:
            which = told(space, gap)
            yield Finding(
                path=path,
                message=f"Nobody approves {which if which.startswith('amount') else f'it {which}'} ({approval.id!r}).",
                cure="Add a row for them, or widen one; or say in `when` that the approval is not for them.",
            )
        if len(gaps) > _TOLD:
            yield Finding(
                path=path,
                message=f"There are {len(gaps) - _TOLD} more kinds of cases that nobody approves ({approval.id!r}).",
                cure="A last row without `when` would own them all.",
            )


def _read(policy: Policy) -> dict[str, str]:
    """Return how the sentences are read that can be read in more than one way."""
    return {name: each.is_ for name, each in policy.readings.items()}


def _opened(policy: Policy, approval: Approval) -> list[Predicate]:
    """Return the condition under which anything that opens the approval can happen; none where it may any time."""
    states = {state.id for state in policy.lifecycle.states}
    moves = [move for move in policy.lifecycle.moves if move.id in approval.on or move.to in approval.on]
    known = {name for move in moves for name in (move.id, move.to)}
    if not moves or not known.issuperset(approval.on) or policy.lifecycle.first in {*approval.on} & states:
        return []
    return [] if any(move.when.always for move in moves) else [_either([move.when for move in moves])]


def _following(policy: Policy, whens: Sequence[Predicate]) -> list[Predicate]:
    """Return what holds of the flags that these conditions ask for: those with `when` follow from other facts."""
    asked = {
        str(value)
        for when in (part for each in whens for part in _parts(each))
        for value in (when.facts.get("flags") or ())
        if isinstance(when.facts.get("flags"), list)
    }
    flags = [flag for flag in policy.taxonomy.flags if flag.id in asked and flag.when is not None]
    return [
        _either([_not(flag.when), Predicate(facts={"flags": [flag.id]})]) for flag in flags if flag.when is not None
    ]


def _parts(when: Predicate) -> Iterator[Predicate]:
    yield when
    for each in (*when.any, *when.all, *when.none):
        yield from _parts(each)


def _unheard(subject: Subject) -> Iterator[Finding]:
    """Look for approvals whose end nothing waits for, so that the case stays where it is."""
    policy, lifecycle = subject.policy, subject.policy.lifecycle
    for index, approval in enumerate(policy.approvals):
        states = [state for state in lifecycle.states if state.id in _while(policy, approval)]
        for how, what in (("granted", "all have signed"), ("refused", "somebody has refused")):
            stuck = [state for state in states if not _leads_on(policy, state, f"{approval.id}.{how}")]
            if stuck:
                yield Finding(
                    path=("approvals", index),
                    message=f"Nothing waits for '{approval.id}.{how}': once {what}, a case stays in {stuck[0].id!r} "
                    "for ever.",
                    cure=f"Add a move by `system` from {stuck[0].id!r} with `on: {approval.id}.{how}`.",
                )


def _while(policy: Policy, approval: Approval) -> set[str]:
    """Return the states in which a case is once the approval is open: those entered by what opens it."""
    states = {state.id for state in policy.lifecycle.states}
    return {*approval.on} & states | {m.to for m in policy.lifecycle.moves if m.id in approval.on and m.to}


def _leads_on(policy: Policy, state: State, name: str) -> bool:
    """Tell whether a case in that state goes on when this happens, or when a person, or the desk, sees to it."""
    leaving = [move for move in policy.lifecycle.moves_from(state.id) if move.id != policy.lifecycle.withdraw]
    return state.final or any(name in move.on or (move.to and _by_hand(move) and not _other(move)) for move in leaving)


def _other(move: Move) -> bool:
    return bool(move.on) and move.by == ["system"]


def _stuck(subject: Subject) -> Iterator[Finding]:
    """Look for cases that no move leads out of a state, as long as they are what they are."""
    policy, lifecycle, known = subject.policy, subject.policy.lifecycle, facts(subject.names, typed=True)
    judged = {name for name, grades in policy.taxonomy.grades.items() if any(grade.by_hand for grade in grades)}
    for index, state in enumerate(lifecycle.states):
        leaving = [move for move in lifecycle.moves_from(state.id) if move.to and move.id != lifecycle.withdraw]
        whens = [move.when for move in leaving]
        if state.final or not leaving or any(when.always for when in whens):
            continue
        path = ("lifecycle", "states", index)
        entering = [move.when for move in lifecycle.moves if move.to == state.id and state.id not in move.source]
        entered = [] if any(when.always for when in entering) or not entering else [_either(entering)]
        given = [*entered, *_following(policy, [*whens, *entering])]
        try:
            space = Space(
                known, [*whens, *given], left_open={*CHANGING, *judged}, fixed={**_read(policy), "state": state.id}
            )
            gaps = cover(space, whens, given).gaps
        except TooMany:
            yield _too_many(path, f"moves from {state.id!r}")
            continue
        for gap in gaps[:_TOLD]:
            which = told(space, gap, noun="").removeprefix("when ")
            yield Finding(
                path=path,
                message=f"A case in {state.id!r} can never leave it when {which}.",
                cure=f"Add a move for it, or widen one of: {', '.join(move.id for move in leaving)}.",
            )


def _too_many(path: Path, what: str) -> Finding:
    return Finding(
        path=path,
        message=f"The conditions of each {what} depend on so many facts that nobody can see through them.",
        cure="Use a grade that sums some of them up.",
    )
