"""What a policy means, and where it cannot: names that nobody has, states that nobody reaches, clocks that never stop.

The shape of the file has been checked before (`checker`). Here every clause is held against the others.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time
from difflib import get_close_matches
from functools import cache
from itertools import pairwise
from typing import Any, Final, get_args
from zoneinfo import available_timezones

from complaints.calendar import WorkCalendar, due
from complaints.case import REMEDIES, Result
from complaints.clauses.clock import SETTINGS, Clock, Limit
from complaints.clauses.form import FormField
from complaints.clauses.lifecycle import ANYWHERE, Move
from complaints.clauses.model import Predicate, Test
from complaints.clauses.notice import Notice
from complaints.clauses.routing import GRANTS, Route
from complaints.clauses.taxonomy import Grade
from complaints.events import HAPPENINGS
from complaints.policy import WEEKDAYS, Example, Policy, Window
from complaints.reading import Reading
from policies.calendars import countries
from policies.places import Path

#: What the desk itself lets happen, beside the states and moves of a policy.
ACTS: Final = frozenset(HAPPENINGS)
#: The facts of a case that conditions may ask for, beside the grades of the policy: yes or no, or numbers.
TRUTHS: Final = frozenset({"complete", "human", "owned"})
NUMBERS: Final = frozenset({"amount", "chasers", "cycle", "departments", "rejections", "remedy_amount", "reopenings"})
#: What may be on file about an order, beside what the company adds.
ORDER_FACTS: Final = ("organisation", "vip", "region")
#: What the reader finds in any company's texts; a policy adds its own under `taxonomy.slots`.
SLOTS: Final = frozenset(
    {
        "amount",
        "channel",
        "email",
        "id_card",
        "model",
        "name",
        "order_no",
        "phone",
        "quantity",
        "region",
        "remedy",
        "tracking_no",
        "wechat",
    }
)
_MOVERS: Final = frozenset({"agent", "customer", "department", "owner", "system"})
_TOLD: Final = frozenset({"agents", "approvers", "customer", "department", "owner", "who"})
_MINUTE: Final = "%Y-%m-%d %H:%M"
_LONGEST_MONTH: Final = 31
_SOME_MONDAY: Final = datetime(2025, 3, 3, 2, tzinfo=UTC)

Read = Callable[[str], Reading]
_Conditioned = FormField | Route | Move | Clock | Notice | Grade


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong with a policy: where (keys and positions), what, and what to do about it."""

    path: Path
    message: str
    cure: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """Everything that has a name in a policy file, also where its clause is broken and was left out."""

    roles: list[str]
    types: list[str]
    flags: list[str]
    grades: dict[str, list[str]]
    fields: list[str]
    slots: list[str]
    states: list[str]
    moves: list[str]
    clocks: list[str]
    parts: list[str]
    approvals: list[str]
    readings: dict[str, list[str]]
    answers: dict[str, list[str] | None]

    @property
    def happenings(self) -> list[str]:
        """Everything that can happen to a case."""
        named = [
            *(f"flagged.{each}" for each in self.flags),
            *(f"breached.{each}" for each in self.clocks),
            *(f"{each}.{how}" for each in self.approvals for how in ("granted", "refused", "recalled")),
        ]
        return [*self.states, *self.moves, *sorted(ACTS), *named]


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A policy under examination, and what it is held against. Of the sections in `broken` a part was left out."""

    policy: Policy
    names: Names
    calendar: WorkCalendar | None = None
    wording: frozenset[str] | None = None
    read: Read | None = None
    broken: frozenset[str] = field(default_factory=frozenset)


def names(data: Mapping[str, Any]) -> Names:  # Any: whatever the file holds
    """Collect the names of a policy file, whatever else may be wrong with it."""
    grades = _at(data, "taxonomy", "grades")
    return Names(
        roles=_ids(data, "routing", "roles"),
        types=_ids(data, "taxonomy", "types"),
        flags=_ids(data, "taxonomy", "flags"),
        grades={str(name): _ids(grades, name) for name in grades} if isinstance(grades, Mapping) else {},
        fields=_ids(data, "form", "fields"),
        slots=[str(name) for name in _at(data, "taxonomy", "slots") or ()],
        states=_ids(data, "lifecycle", "states"),
        moves=_ids(data, "lifecycle", "moves"),
        clocks=_ids(data, "clocks"),
        parts=[str(each["part"]) for each in _listed(data, "routing", "routes") if "part" in each],
        approvals=_ids(data, "approvals"),
        readings={str(name): list(_at(each, "of") or ()) for name, each in (_at(data, "readings") or {}).items()},
        answers={
            str(each["id"]): None if each["kind"] == "amount" else _ids(each, "choices")
            for each in _listed(data, "form", "fields")
            if each.get("kind") in ("choice", "amount") and "id" in each
        },
    )


def findings(subject: Subject) -> Iterator[Finding]:
    """Yield everything in the policy that cannot be meant."""
    for examine in (
        _hours,
        _routing,
        _form,
        _taxonomy,
        _grades,
        _lifecycle,
        _namesakes,
        _paths,
        _clocks,
        _escalation,
        _notices,
        _surveys,
        _conditions,
        _repetitions,
        _examples,
    ):
        yield from examine(subject)


def nearest(name: str, known: Iterable[str]) -> str:
    """Return the cure for a name that is not known: the one that was meant, or all there are."""
    there = sorted(set(known))
    if close := get_close_matches(name, there, n=1):
        return f"Did you mean {close[0]!r}?"
    return f"There are: {', '.join(there)}." if there else "There are none yet."


def _hours(subject: Subject) -> Iterator[Finding]:
    hours = subject.policy.hours
    if hours.zone not in _zones():
        yield _unknown(("hours", "zone"), "time zone", hours.zone, _zones(), "Write e.g. Asia/Shanghai.")
    if hours.holidays not in countries():
        yield _unknown(("hours", "holidays"), "country", hours.holidays, countries(), "Write its two letters, e.g. CN.")
    if not any(hours.week.values()):
        yield Finding(
            path=("hours", "week"), message="The company never works.", cure='Write e.g. mon: ["09:00-18:00"].'
        )
    for day, windows in hours.week.items():
        if day not in WEEKDAYS:
            yield _unknown(("hours", "week", day), "weekday", day, WEEKDAYS)
        yield from _windows(("hours", "week", day), windows)
    yield from _windows(("hours", "makeup"), hours.makeup)


def _windows(path: Path, windows: Sequence[Window]) -> Iterator[Finding]:
    midnight = time()
    for index, window in enumerate(windows):
        if window.end <= window.start and window.end != midnight:
            shown = f"{window.start:%H:%M}-{window.end:%H:%M}"
            yield Finding(
                path=(*path, index),
                message=f"The window {shown} ends before it starts.",
                cure="A window lies within one day; 00:00 as its end is midnight.",
            )
    ordered = sorted(enumerate(windows), key=lambda each: each[1].start)
    for (_, earlier), (index, later) in pairwise(ordered):
        if later.start < earlier.end or earlier.end == midnight:
            yield Finding(
                path=(*path, index),
                message=f"The window from {later.start:%H:%M} overlaps the one from {earlier.start:%H:%M}.",
                cure="Let the first end before the second starts.",
            )


def _routing(subject: Subject) -> Iterator[Finding]:
    routing, roles = subject.policy.routing, subject.names.roles
    if routing.reception not in roles:
        yield _unknown(("routing", "reception"), "role", routing.reception, roles)
    for index, role in enumerate(routing.roles):
        for grant in role.grants:
            if grant not in GRANTS:
                yield _unknown(("routing", "roles", index, "grants"), "grant", grant, GRANTS)
    for index, route in enumerate(routing.routes):
        for name in route.to:
            if name not in roles:
                yield _unknown(("routing", "routes", index, "to"), "role", name, roles)


def _form(subject: Subject) -> Iterator[Finding]:
    known = SLOTS.union(subject.names.slots)
    for index, each in enumerate(subject.policy.form.fields):
        path = ("form", "fields", index)
        for slot in each.slots:
            if slot not in known:
                yield _unknown((*path, "slots"), "slot", slot, known)
        if (each.kind == "choice") != bool(each.choices):
            yield Finding(
                path=path,
                message=f"The field {each.id!r} is {'' if each.kind == 'choice' else 'not '}a choice and has "
                f"{'no ' if each.kind == 'choice' else ''}choices.",
                cure="Write `kind: choice` and `choices` together.",
            )
        yield from _pattern((*path, "pattern"), each.pattern)
        yield from _twice((*path, "choices"), "choice", [choice.id for choice in each.choices])


def _taxonomy(subject: Subject) -> Iterator[Finding]:
    taxonomy, known = subject.policy.taxonomy, subject.names
    if taxonomy.fallback not in known.types:
        yield _unknown(("taxonomy", "fallback"), "complaint type", taxonomy.fallback, known.types)
    for index, kind in enumerate(taxonomy.types):
        path = ("taxonomy", "types", index)
        if kind.department not in known.roles:
            yield _unknown((*path, "department"), "role", kind.department, known.roles)
        yield from _twice((*path, "keywords"), "keyword", [keyword.word for keyword in kind.keywords])
    for index, flag in enumerate(taxonomy.flags):
        path = ("taxonomy", "flags", index)
        yield from _twice((*path, "keywords"), "keyword", [keyword.word for keyword in flag.keywords])
    for slot, patterns in taxonomy.slots.items():
        for index, pattern in enumerate(patterns):
            yield from _pattern(("taxonomy", "slots", slot, index), pattern)


def _grades(subject: Subject) -> Iterator[Finding]:
    for name, grades in subject.policy.taxonomy.grades.items():
        yield from _twice(("taxonomy", "grades", name), "grade", [grade.id for grade in grades])
        if not grades:
            yield Finding(
                path=("taxonomy", "grades", name), message=f"The grade {name!r} has no values.", cure="Add one."
            )
        for index, grade in enumerate(grades[1:], 1):
            if grade.when == Predicate():
                yield Finding(
                    path=("taxonomy", "grades", name, index),
                    message=f"{grade.id!r} always holds, so that no value of {name!r} before it ever counts.",
                    cure="Give it a `when`, or write it first: the last value that holds counts.",
                )


def _lifecycle(subject: Subject) -> Iterator[Finding]:
    lifecycle, known = subject.policy.lifecycle, subject.names
    for key, name in (("submit", lifecycle.submit), ("withdraw", lifecycle.withdraw)):
        if name not in known.moves:
            yield _unknown(("lifecycle", key), "move", name, known.moves)
    for index, move in enumerate(lifecycle.moves):
        path = ("lifecycle", "moves", index)
        for state in move.source:
            if state not in known.states and state != ANYWHERE:
                yield _unknown((*path, "from"), "state", state, known.states)
        if move.to and move.to not in known.states:
            yield _unknown((*path, "to"), "state", move.to, known.states)
        for mover in move.by:
            if mover not in _MOVERS.union(known.roles, known.parts):
                yield _unknown((*path, "by"), "role", mover, _MOVERS.union(known.roles, known.parts))
        yield from _names_something((*path, "on"), move.on, known)
        for key, sentence in (("asks", move.asks), ("tells", move.tells)):
            yield from _worded(subject, (*path, key), sentence)


def _namesakes(subject: Subject) -> Iterator[Finding]:
    """Look for states and moves that share a name, with each other or with what the desk itself lets happen."""
    known = subject.names
    for name, count in Counter([*set(known.states), *set(known.moves), *ACTS]).items():
        if count > 1:
            section, listed = ("states", known.states) if name in known.states else ("moves", known.moves)
            yield Finding(
                path=("lifecycle", section, listed.index(name)),
                message=f"{name!r} is the name of two things that can happen, so that what waits for it happens twice.",
                cure="Give every state and every move a name of its own, other than the desk's own acts.",
            )


def _paths(subject: Subject) -> Iterator[Finding]:
    """Look for states that no case reaches or leaves, and for moves that never get their turn."""
    if "lifecycle" in subject.broken:
        return
    lifecycle = subject.policy.lifecycle
    reached = _reachable(subject.policy, {lifecycle.first})
    for index, state in enumerate(lifecycle.states):
        path = ("lifecycle", "states", index)
        if state.id not in reached:
            yield Finding(
                path=path,
                message=f"No case ever reaches the state {state.id!r}.",
                cure="Add a move that leads to it, or remove it.",
            )
        if not state.final and not lifecycle.moves_from(state.id):
            yield Finding(
                path=path,
                message=f"A case in the state {state.id!r} can never leave it.",
                cure="Add a move that leaves it, or write `final: true`.",
            )
        always = ""
        for move in lifecycle.moves_from(state.id):
            if always and move.automatic:
                yield Finding(
                    path=("lifecycle", "moves", lifecycle.moves.index(move)),
                    message=f"The move {move.id!r} is never made from {state.id!r}: {always!r} always comes first.",
                    cure=f"Give {always!r} a condition, or write {move.id!r} before it.",
                )
            if move.automatic and move.when == Predicate():
                always = move.id


def _clocks(subject: Subject) -> Iterator[Finding]:
    known = subject.names
    for index, clock in enumerate(subject.policy.clocks):
        path = ("clocks", index)
        yield from _names_something((*path, "start"), clock.start, known)
        yield from _names_something((*path, "stop"), clock.stop, known)
        yield from _limit((*path, "limit"), clock.limit)
        for position, limit in enumerate(clock.limits):
            yield from _limit((*path, "limits", position), limit)
        yield from _pause(path, clock, subject.calendar)
        yield from _appointment(path, clock)
        if clock.extension is not None:
            yield from _limit((*path, "extension", "step"), clock.extension.step, span=True)
            for name in clock.extension.by:
                if name != "owner" and name not in known.roles:
                    yield _unknown((*path, "extension", "by"), "role", name, ["owner", *known.roles])
        if clock.holding is not None:
            yield from _limit((*path, "holding", "before"), clock.holding.before, span=True)
            yield from _limit((*path, "holding", "extend"), clock.holding.extend)
            if not clock.promised:
                yield Finding(
                    path=(*path, "holding"),
                    message=f"The clock {clock.id!r} holds a date that nobody was promised.",
                    cure="Write `promised: true`, or remove `holding`.",
                )
        if "lifecycle" not in subject.broken and _all_known(clock, known) and not _stops(clock, subject.policy):
            yield Finding(
                path=(*path, "stop"),
                message=f"Once started, the clock {clock.id!r} never stops: {', '.join(clock.stop)} cannot follow.",
                cure="Name in `stop` something that can happen after its start.",
            )


def _pause(path: Path, clock: Clock, calendar: WorkCalendar | None) -> Iterator[Finding]:
    """Look for pauses that nothing begins, and for reminders that come when the pause is over."""
    if clock.pause is None:
        return
    yield from _limit((*path, "pause", "nudge"), clock.pause.nudge, span=True)
    yield from _limit((*path, "pause", "most"), clock.pause.most, span=True)
    if not clock.pauses:
        yield Finding(
            path=(*path, "pause"),
            message=f"The clock {clock.id!r} never pauses.",
            cure="Write `pauses: [customer]`, or remove `pause`.",
        )
    units = {clock.pause.nudge.unit, clock.pause.most.unit}
    if calendar is not None and not units & {"month_day", "month_end", "appointment"}:
        nudge, most = (due(each, _SOME_MONDAY, calendar) for each in (clock.pause.nudge, clock.pause.most))
        if nudge >= most:
            yield Finding(
                path=(*path, "pause"),
                message="The customer is reminded when the pause is over.",
                cure="Let `nudge` be shorter than `most`.",
            )


def _appointment(path: Path, clock: Clock) -> Iterator[Finding]:
    """Look for appointments that begin, or are shortened, without anybody having agreed upon a moment."""
    if clock.limit.unit == "appointment" and clock.start != ["appointed"]:
        yield Finding(
            path=(*path, "limit"),
            message=f"The clock {clock.id!r} has no date until one is agreed upon.",
            cure="Write `start: appointed`.",
        )
    agreed = [each.unit == "appointment" for each in (clock.limit, *clock.limits)]
    if any(agreed) and (clock.limits or clock.pauses):
        yield Finding(
            path=(*path, "limit"),
            message="A moment that was agreed upon neither pauses nor depends on the case.",
            cure="Leave `pauses` and `limits` out, or write a clock of its own for the appointment.",
        )


def _stops(clock: Clock, policy: Policy) -> bool:
    """Tell whether anything that stops the clock can happen after its start."""
    if ACTS.intersection(clock.stop) or any("." in name for name in clock.stop):
        return True
    lifecycle, moves = policy.lifecycle, policy.lifecycle.moves
    begun = {name for name in clock.start if name not in ACTS and "." not in name}
    targets = {move.to for move in moves if move.id in begun}
    sources = (targets - {""}) | (begun & {state.id for state in policy.lifecycle.states})
    if len(begun) < len(clock.start) or "" in targets:  # an act may happen in any state
        sources |= _reachable(policy, {policy.lifecycle.first})
    after = _reachable(policy, sources)
    within = (move for move in moves if after.intersection(lifecycle.sources(move)))
    return any(move.id in clock.stop or move.to in clock.stop for move in within)


def _escalation(subject: Subject) -> Iterator[Finding]:
    known = subject.names
    served: set[str] = set()
    for index, ladder in enumerate(subject.policy.escalation):
        path = ("escalation", index)
        for clock in ladder.clocks:
            if clock not in known.clocks:
                yield _unknown((*path, "clocks"), "clock", clock, known.clocks)
        if served.intersection(ladder.clocks or [""]):
            yield Finding(
                path=path,
                message="This ladder is never climbed: another one above it serves the same clocks.",
                cure="Keep one ladder for each clock, and one without `clocks` for all others.",
            )
        served.update(ladder.clocks or [""])
        for step, rung in enumerate(ladder.rungs):
            yield from _people((*path, "rungs", step, "to"), rung.to, known)


def _notices(subject: Subject) -> Iterator[Finding]:
    for index, notice in enumerate(subject.policy.notices):
        path = ("notices", index)
        yield from _names_something((*path, "on"), notice.on, subject.names)
        yield from _people((*path, "to"), notice.to, subject.names)
        yield from _worded(subject, (*path, "say"), notice.say)


def _surveys(subject: Subject) -> Iterator[Finding]:
    for index, survey in enumerate(subject.policy.surveys):
        path = ("surveys", index)
        yield from _names_something((*path, "start"), survey.start, subject.names)
        for key, limit in (
            ("not_before", survey.not_before),
            ("expires", survey.expires),
            ("remind_after", survey.remind_after),
        ):
            yield from _limit((*path, key), limit)
        scales = [question.scale for question in survey.questions if question.scale]
        if scales and survey.bad >= max(scales):
            yield Finding(
                path=(*path, "bad"),
                message=f"Every score is a bad one: {survey.bad} or less, of {max(scales)}.",
                cure="Lower `bad`.",
            )
        yield from _twice((*path, "questions"), "question", [question.id for question in survey.questions])


def _conditions(subject: Subject) -> Iterator[Finding]:
    policy = subject.policy
    values = _values(subject.names)
    conditioned: list[tuple[Path, Sequence[_Conditioned]]] = [
        (("form", "fields"), policy.form.fields),
        (("routing", "routes"), policy.routing.routes),
        (("lifecycle", "moves"), policy.lifecycle.moves),
        (("clocks",), policy.clocks),
        (("notices",), policy.notices),
        *((("taxonomy", "grades", name), grades) for name, grades in policy.taxonomy.grades.items()),
    ]
    for position, clock in enumerate(policy.clocks):
        for index, limit in enumerate(clock.limits):
            yield from _condition(("clocks", position, "limits", index, "when"), limit.when, values)
    for section, clauses in conditioned:
        for index, clause in enumerate(clauses):
            yield from _condition((*section, index, "when"), clause.when, values)


def _values(known: Names) -> dict[str, list[str | bool] | None]:
    """Return the facts that conditions may ask for, each with its possible values; None for numbers and free words."""
    return {
        "type": [*known.types, ""],
        "state": [*known.states],
        "flags": [*known.flags],
        "department": [*known.roles],
        "channel": None,
        **dict.fromkeys(NUMBERS),
        **{name: [True, False] for name in TRUTHS},
        **{name: [*values] for name, values in known.grades.items()},
        **{name: [*values] for name, values in known.readings.items()},
        **{name: None if ids is None else [*ids] for name, ids in known.answers.items()},
        "done": [*known.moves],
        "external": None,
        "result": [*get_args(Result), ""],
        "remedies": [*REMEDIES],
        **dict.fromkeys(ORDER_FACTS),
    }


def _condition(path: Path, when: Predicate, values: Mapping[str, list[str | bool] | None]) -> Iterator[Finding]:
    for name, wanted in when.facts.items():
        here = (*path, name)
        if name not in values:
            yield _unknown(here, "fact", name, values)
            continue
        possible = values[name]
        if isinstance(wanted, Test):
            if possible is not None or name == "channel":
                yield Finding(
                    path=here,
                    message=f"{name!r} is no number and has no bounds.",
                    cure="Write a value or a list of values.",
                )
        elif possible is not None:
            for value in wanted:
                if value not in possible:
                    yield _unknown(here, f"value of {name!r}", str(value), map(str, possible))
    for key, parts in (("any", when.any), ("all", when.all), ("not", when.none)):
        for index, part in enumerate(parts):
            yield from _condition((*path, key, index), part, values)


def _repetitions(subject: Subject) -> Iterator[Finding]:
    known = subject.names
    for path, what, ids in (
        (("routing", "roles"), "role", known.roles),
        (("form", "fields"), "field", known.fields),
        (("taxonomy", "types"), "complaint type", known.types),
        (("taxonomy", "flags"), "flag", known.flags),
        (("lifecycle", "states"), "state", known.states),
        (("clocks",), "clock", known.clocks),
        (("surveys",), "survey", [survey.id for survey in subject.policy.surveys]),
    ):
        yield from _twice(path, what, ids)


def _examples(subject: Subject) -> Iterator[Finding]:
    for index, example in enumerate(subject.policy.examples):
        path = ("examples", index)
        if bool(example.text) == bool(example.clock):
            yield Finding(
                path=path,
                message="An example is either a text with what it means, or a clock with a start and a due time.",
                cure="Write `text` and `type`, or `clock`, `start` and `due`.",
            )
        elif example.text:
            yield from _example_of_reading(subject, path, example)
        else:
            yield from _example_of_clock(subject, path, example)


def _example_of_reading(subject: Subject, path: Path, example: Example) -> Iterator[Finding]:
    known = subject.names
    if example.type and example.type not in known.types:
        yield _unknown((*path, "type"), "complaint type", example.type, known.types)
        return
    unknown = [flag for flag in example.flags or [] if flag not in known.flags]
    for flag in unknown:
        yield _unknown((*path, "flags"), "flag", flag, known.flags)
    if unknown or subject.read is None or "taxonomy" in subject.broken:
        return
    reading = subject.read(example.text)
    best = reading.types[0] if reading.types else None
    if example.type and (best is None or best.id != example.type):
        said = f"{best.id!r} because of {', '.join(hit.word for hit in best.words)}" if best else "nothing"
        yield Finding(
            path=path,
            message=f"The example is read as {said}, not as {example.type!r}.",
            cure=f"Add a keyword to {example.type!r}, or change the weights.",
        )
    raised = {flag.id: flag for flag in reading.flags if flag.id in known.flags}
    for flag in sorted(raised.keys() - {*example.flags} if example.flags is not None else ()):
        words = ", ".join(hit.word for hit in raised[flag].words)
        yield Finding(
            path=(*path, "flags"),
            message=f"The example raises the flag {flag!r} because of {words}.",
            cure="Add the words around it to `unless` of that flag.",
        )
    for flag in sorted({*(example.flags or [])} - raised.keys()):
        yield Finding(
            path=(*path, "flags"),
            message=f"The example does not raise the flag {flag!r}.",
            cure="Add a keyword to that flag.",
        )


def _example_of_clock(subject: Subject, path: Path, example: Example) -> Iterator[Finding]:
    known, calendar = subject.names.clocks, subject.calendar
    if example.clock not in known:
        yield _unknown((*path, "clock"), "clock", example.clock, known)
        return
    try:
        start, expected = (datetime.strptime(each, _MINUTE) for each in (example.start, example.due))  # noqa: DTZ007 # local
    except ValueError:
        yield Finding(
            path=path, message="`start` and `due` are local times.", cure='Write them like "2025-03-14 21:30".'
        )
        return
    clock = next((each for each in subject.policy.clocks if each.id == example.clock), None)
    if calendar is None or clock is None:
        return
    if clock.limit.unit == "appointment":
        yield Finding(path=path, message=f"The date of {clock.id!r} is agreed upon.", cure="Remove the example.")
        return
    found = calendar.local(due(clock.limit, start.replace(tzinfo=calendar.zone), calendar))
    if f"{found:{_MINUTE}}" != f"{expected:{_MINUTE}}":
        yield Finding(
            path=path,
            message=f"By its limit the clock {clock.id!r} is due {found:{_MINUTE}}, not {example.due}.",
            cure="Correct the limit of the clock, or the example.",
        )


def _limit(path: Path, limit: Limit, *, span: bool = False) -> Iterator[Finding]:
    """Look for settings that mean nothing for the limit's unit; `span`: it must be a length of time, not a date."""
    unit, taken = limit.unit, SETTINGS[limit.unit]
    for name in sorted(limit.model_fields_set - taken - {"clause", "unit", "when"}):
        listed = ", ".join(sorted(taken)) or "nothing"
        yield Finding(
            path=(*path, name),
            message=f"`{name}` means nothing for a limit in {unit!r}.",
            cure=f"Leave it out: beside `unit` such a limit takes {listed}.",
        )
    if unit in ("day", "workday") and limit.basis not in ("working", "calendar" if unit == "day" else "working"):
        yield Finding(
            path=path,
            message=f"A {unit} is not counted as {limit.basis} time.",
            cure="Leave `basis` out, or write hours: 24 hours of elapsed time.",
        )
    elif "basis" in taken and unit not in ("day", "workday") and limit.basis == "calendar":
        yield Finding(
            path=path, message=f"A {unit} has no calendar.", cure="Write `basis: elapsed` or `basis: working`."
        )
    if "amount" in taken and "amount" not in limit.model_fields_set:
        yield Finding(path=path, message=f"A limit in {unit!r} needs an amount.", cure="Write `amount`.")
    elif not limit.amount and (unit in ("month", "month_day") or limit.start_counts):
        yield Finding(
            path=(*path, "amount"),
            message=f"A limit in {unit!r}{' whose first day counts' if limit.start_counts else ''} begins with 1.",
            cure="Write `{amount: 0, unit: day}` for the same day.",
        )
    if unit == "month_day" and limit.amount > _LONGEST_MONTH:
        yield Finding(
            path=(*path, "amount"), message=f"No month has {limit.amount} days.", cure="Write `unit: month_end`."
        )
    if span and (unit in ("month_day", "month_end", "appointment") or limit.ends is not None):
        yield Finding(
            path=path,
            message="This is no length of time, but a date.",
            cure="Write seconds, minutes, hours, days, working days or months, without `ends`.",
        )


def _people(path: Path, to: Iterable[str], known: Names) -> Iterator[Finding]:
    for name in to:
        if name not in _TOLD.union(known.roles, known.parts):
            yield _unknown(path, "role", name, _TOLD.union(known.roles, known.parts))


def _names_something(path: Path, happenings: Iterable[str], known: Names) -> Iterator[Finding]:
    for name in happenings:
        if name not in known.happenings:
            yield _unknown(path, "state, move or act", name, known.happenings)


def _all_known(clock: Clock, known: Names) -> bool:
    return {*clock.start, *clock.stop} <= {*known.happenings}


def _worded(subject: Subject, path: Path, key: str) -> Iterator[Finding]:
    if key and subject.wording is not None and key not in subject.wording:
        yield _unknown(path, "sentence", key, subject.wording, "Write it in every file of `wording`.")


def _pattern(path: Path, pattern: str) -> Iterator[Finding]:
    try:
        re.compile(pattern)
    except re.error as error:
        yield Finding(
            path=path,
            message=f"The pattern {pattern!r} is no regular expression: {error.msg} at position {error.pos}.",
            cure="A backslash makes a sign mean itself; single quotes around the pattern keep backslashes.",
        )


def _twice(path: Path, what: str, ids: Sequence[str]) -> Iterator[Finding]:
    for index, name in enumerate(ids):
        if name in ids[:index]:
            yield Finding(
                path=(*path, index), message=f"The {what} {name!r} stands here a second time.", cure="Keep one of them."
            )


def _unknown(path: Path, what: str, name: str, known: Iterable[str], otherwise: str = "") -> Finding:
    cure = nearest(name, known)
    if otherwise and not cure.startswith("Did you mean"):
        cure = otherwise
    return Finding(path=path, message=f"There is no {what} {name!r}.", cure=cure)


def _reachable(policy: Policy, start: Iterable[str]) -> set[str]:
    reached, new = set(start), set(start)
    while new:
        lifecycle = policy.lifecycle
        leading = (move for move in lifecycle.moves if move.to and new.intersection(lifecycle.sources(move)))
        new = {move.to for move in leading} - reached
        reached |= new
    return reached


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())  # walks through a folder each time


def _at(data: Any, *path: str) -> Any:  # Any: whatever the file holds
    for step in path:
        data = data.get(step) if isinstance(data, Mapping) else None
    return data


def _listed(data: Any, *path: str) -> list[Mapping[str, Any]]:  # Any: whatever the file holds
    listed = _at(data, *path)
    return [each for each in listed if isinstance(each, Mapping)] if isinstance(listed, list) else []


def _ids(data: Any, *path: str) -> list[str]:  # Any: whatever the file holds
    listed = _at(data, *path)
    if not isinstance(listed, list):
        return []
    return [each["id"] for each in listed if isinstance(each, Mapping) and isinstance(each.get("id"), str)]
