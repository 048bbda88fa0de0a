"""What a policy means, and where it cannot: names that nobody has, states that nobody reaches, clocks that never stop.

The shape of the file has been checked before (`checker`). Here every clause is held against the others.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, time
from functools import cache
from itertools import pairwise
from typing import Final
from zoneinfo import available_timezones

from complaints.calendar import WorkCalendar, due
from complaints.clauses.clock import SETTINGS, Clock, Limit
from complaints.clauses.escalation import EXTERNAL_REPLY
from complaints.clauses.lifecycle import ANYWHERE, Move
from complaints.clauses.model import Predicate, Test
from complaints.clauses.routing import GRANTS
from complaints.events import HAPPENINGS
from complaints.policy import WEEKDAYS, Hours, Policy, Window
from policies.calendars import countries
from policies.conditions import conditions
from policies.examples import examples
from policies.facts import ORDER_FACTS, Fact, Names, facts
from policies.findings import Finding, Subject, twice, unknown, worded
from policies.places import Path
from policies.reach import chances

#: What the desk itself lets happen, beside the states and moves of a policy.
ACTS: Final = frozenset(HAPPENINGS)
#: What the reader finds in any company's texts; a policy adds its own under `taxonomy.slots`.
SLOTS: Final = frozenset(
    {
        "amount",
        "channel",
        "email",
        "id_card",
        "model",
        "moment",
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
_MOVERS: Final = frozenset({"account_manager", "agent", "customer", "department", "owner", "system"})
_TOLD: Final = frozenset({"account_manager", "agents", "approvers", "customer", "department", "owner", "who"})
_LONGEST_MONTH: Final = 31
#: The months with which a period begins.
_BEGINS: Final = {"quarter": range(1, 13, 3), "half_year": range(1, 13, 6), "year": range(1, 2)}
_SOME_MONDAY: Final = datetime(2025, 3, 3, 2, tzinfo=UTC)


def findings(subject: Subject) -> Iterator[Finding]:
    """Yield everything in the policy that cannot be meant."""
    for examine in (
        _hours,
        _routing,
        _form,
        _taxonomy,
        _grades,
        _lifecycle,
        _roads,
        _namesakes,
        _paths,
        _acceptance,
        _clocks,
        _escalation,
        _external,
        _approvals,
        _duties,
        _readings,
        _notices,
        _surveys,
        _conditions,
        _repetitions,
        chances,
        examples,
    ):
        yield from examine(subject)


def _hours(subject: Subject) -> Iterator[Finding]:
    yield from _calendar(("hours",), subject.policy.hours)
    for name, hours in subject.policy.calendars.items():
        yield from _calendar(("calendars", name), hours)


def _calendar(path: Path, hours: Hours) -> Iterator[Finding]:
    if hours.zone not in _zones():
        yield unknown((*path, "zone"), "time zone", hours.zone, _zones(), "Write e.g. Asia/Shanghai.")
    if hours.holidays not in countries():
        yield unknown((*path, "holidays"), "country", hours.holidays, countries(), "Write its two letters, e.g. CN.")
    if not any(hours.week.values()):
        yield Finding(path=(*path, "week"), message="Nobody ever works.", cure='Write e.g. mon: ["09:00-18:00"].')
    for day, windows in hours.week.items():
        if day not in WEEKDAYS:
            yield unknown((*path, "week", day), "weekday", day, WEEKDAYS)
        yield from _windows((*path, "week", day), windows)
    yield from _windows((*path, "makeup"), hours.makeup)
    for key, listed in (("closed", hours.closed), ("worked", hours.worked)):
        for index, days in enumerate(listed):
            if days.last < days.first:
                yield Finding(
                    path=(*path, key, index),
                    message=f"The days {days.first}..{days.last} end before they begin.",
                    cure="Write the first day, two dots, and the last one.",
                )


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
    routing, known = subject.policy.routing, subject.names
    if routing.reception not in known.roles:
        yield unknown(("routing", "reception"), "role", routing.reception, known.roles)
    for index, role in enumerate(routing.roles):
        path = ("routing", "roles", index)
        for grant in role.grants:
            if grant not in GRANTS:
                yield unknown((*path, "grants"), "grant", grant, GRANTS)
        for name in role.members:
            if name not in known.roles:
                yield unknown((*path, "members"), "role", name, known.roles)
        if role.calendar and role.calendar not in known.calendars:
            yield unknown((*path, "calendar"), "calendar", role.calendar, known.calendars)
    yield from _members(subject)
    yield from _parts(subject)
    if routing.lease is not None:
        yield from _limit(("routing", "lease"), routing.lease, span=True)
    yield from _limit(("routing", "alarm", "acknowledge"), routing.alarm.acknowledge, span=True)
    for name in routing.alarm.then:
        if name not in known.roles:
            yield unknown(("routing", "alarm", "then"), "role", name, known.roles)
    there = {"owner", *known.roles, *known.parts}
    for index, hidden in enumerate(routing.hidden):
        if not hidden.only:
            yield Finding(
                path=("routing", "hidden", index, "only"),
                message="These cases are hidden from everybody, so that nobody handles them.",
                cure="Name in `only` the roles or parts that see them, e.g. owner.",
            )
        for name in hidden.only:
            if name not in there:
                yield unknown(("routing", "hidden", index, "only"), "role or part", name, there)


def _members(subject: Subject) -> Iterator[Finding]:
    """Look for roles that are members of themselves, by whatever way round."""
    members = {role.id: role.members for role in subject.policy.routing.roles}
    for index, role in enumerate(subject.policy.routing.roles):
        within, new = set(role.members), set(role.members)
        while new:
            new = {name for each in new for name in members.get(each, ())} - within
            within |= new
        if role.id in within:
            yield Finding(
                path=("routing", "roles", index, "members"),
                message=f"The role {role.id!r} is a member of itself.",
                cure="Whoever has a role in `members` has this role too: name only smaller ones.",
            )


def _parts(subject: Subject) -> Iterator[Finding]:
    routing, known = subject.policy.routing, subject.names
    taken = _MOVERS | _TOLD | {*known.roles}
    for index, route in enumerate(routing.routes):
        path = ("routing", "routes", index)
        for name in route.to:
            if name not in known.roles:
                yield unknown((*path, "to"), "role", name, known.roles)
        if route.part in taken:
            yield Finding(
                path=(*path, "part"),
                message=f"The part {route.part!r} has the name of something else, so that nobody knows who is meant.",
                cure="Give the part a name that no role has.",
            )


def _form(subject: Subject) -> Iterator[Finding]:
    known = SLOTS.union(subject.names.slots)
    for index, each in enumerate(subject.policy.form.fields):
        path = ("form", "fields", index)
        for slot in each.slots:
            if slot not in known:
                yield unknown((*path, "slots"), "slot", slot, known)
        if (each.kind == "choice") != bool(each.choices):
            yield Finding(
                path=path,
                message=f"The field {each.id!r} is {'' if each.kind == 'choice' else 'not '}a choice and has "
                f"{'no ' if each.kind == 'choice' else ''}choices.",
                cure="Write `kind: choice` and `choices` together.",
            )
        yield from _pattern((*path, "pattern"), each.pattern)
        yield from twice((*path, "choices"), "choice", [choice.id for choice in each.choices])
    yield from _stated(subject)


def _stated(subject: Subject) -> Iterator[Finding]:
    """Look for the fact `amount` in a field that is none: approvals and grades by amount would go by nothing."""
    form, path = subject.policy.form, ("form", "amount")
    amounts = [each.id for each in form.fields if each.kind == "amount"]
    if form.amount and not form.has(form.amount) and "form" not in subject.broken:
        yield unknown(path, "field", form.amount, amounts, "Add a field with `kind: amount`, or remove the line.")
    elif form.amount and form.has(form.amount) and form.amount not in amounts:
        yield Finding(
            path=path,
            message=f"The field {form.amount!r} asks for no amount, so that nothing goes by it.",
            cure="Write `kind: amount` in the field, or name another one.",
        )


def _taxonomy(subject: Subject) -> Iterator[Finding]:
    taxonomy, known = subject.policy.taxonomy, subject.names
    if taxonomy.fallback not in known.types:
        yield unknown(("taxonomy", "fallback"), "complaint type", taxonomy.fallback, known.types)
    for index, kind in enumerate(taxonomy.types):
        path = ("taxonomy", "types", index)
        if kind.department not in known.roles:
            yield unknown((*path, "department"), "role", kind.department, known.roles)
        yield from twice((*path, "keywords"), "keyword", [keyword.word for keyword in kind.keywords])
    for index, flag in enumerate(taxonomy.flags):
        path = ("taxonomy", "flags", index)
        if not flag.keywords and not flag.risks and flag.when is None:
            yield Finding(
                path=path,
                message=f"Nothing ever raises the flag {flag.id!r}.",
                cure="Write `keywords`, general `risks`, or the condition under which it follows in `when`.",
            )
        yield from twice((*path, "keywords"), "keyword", [keyword.word for keyword in flag.keywords])
    for slot, patterns in taxonomy.slots.items():
        for index, pattern in enumerate(patterns):
            yield from _pattern(("taxonomy", "slots", slot, index), pattern)


def _grades(subject: Subject) -> Iterator[Finding]:
    for name, grades in subject.policy.taxonomy.grades.items():
        yield from twice(("taxonomy", "grades", name), "grade", [grade.id for grade in grades])
        if not grades:
            yield Finding(
                path=("taxonomy", "grades", name), message=f"The grade {name!r} has no values.", cure="Add one."
            )
        for index, grade in enumerate(grades[1:], 1):
            if grade.when == Predicate() and not grade.by_hand:
                yield Finding(
                    path=("taxonomy", "grades", name, index),
                    message=f"{grade.id!r} always holds, so that no value of {name!r} before it ever counts.",
                    cure="Give it a `when`, or write it first: the last value that holds counts.",
                )


def _lifecycle(subject: Subject) -> Iterator[Finding]:
    lifecycle, known = subject.policy.lifecycle, subject.names
    for key, name in (("submit", lifecycle.submit), ("withdraw", lifecycle.withdraw)):
        if name not in known.moves:
            yield unknown(("lifecycle", key), "move", name, known.moves)
    for index, move in enumerate(lifecycle.moves):
        path = ("lifecycle", "moves", index)
        for state in move.source:
            if state not in known.states and state != ANYWHERE:
                yield unknown((*path, "from"), "state", state, known.states)
        yield from _staying(path, move)
        if move.to and move.to not in known.states:
            yield unknown((*path, "to"), "state", move.to, known.states)
        for mover in move.by:
            if mover not in _MOVERS.union(known.roles, known.parts):
                yield unknown((*path, "by"), "role", mover, _MOVERS.union(known.roles, known.parts))
        yield from _names_something((*path, "on"), move.on, known)
        for before, after in move.retypes.items():
            for kind in (before, after):
                if kind not in known.types:
                    yield unknown((*path, "retypes", before), "complaint type", kind, known.types)
        for key, sentence in (("asks", move.asks), ("tells", move.tells)):
            yield from worded(subject, (*path, key), sentence)
        if move.decides is True and move.fulfils:
            yield Finding(
                path=(*path, "fulfils"),
                message=f"With {move.id!r} everything counts as given in the moment in which it is promised.",
                cure="Let one move decide and a later one fulfil; where nothing is promised, name the result: "
                "`decides: upheld`.",
            )


def _staying(path: Path, move: Move) -> Iterator[Finding]:
    """Look for what means nothing, or never ends, in moves that lead nowhere, and in those from everywhere."""
    if ANYWHERE in move.source and len(move.source) > 1:
        yield Finding(
            path=(*path, "from"),
            message=f"{ANYWHERE!r} is every state that is not final, and others stand beside it.",
            cure=f'Write `from: "{ANYWHERE}"` alone, or name the states.',
        )
    if move.to and move.to in move.source:
        yield Finding(
            path=(*path, "to"),
            message=f"The move {move.id!r} leads back to {move.to!r}, so that what waits for this state begins again.",
            cure="Remove `to` if the case stays where it is, or let it lead to another state.",
        )
    if move.to and move.often:
        yield Finding(
            path=(*path, "often"),
            message=f"The move {move.id!r} leads to another state; `often` is for what is done where a case stays.",
            cure="Remove `often`, or `to`.",
        )
    if not move.to and move.automatic and move.often:
        yield Finding(
            path=(*path, "often"),
            message=f"The desk would do {move.id!r} for ever.",
            cure="Remove `often`, or write in `on` what it waits for.",
        )
    if not move.to and move.automatic and move.when.always:
        yield Finding(
            path=path,
            message=f"The desk does {move.id!r} by itself and nothing changes by it.",
            cure="Write in `on` what it waits for, in `when` for which cases, or who does it in `by`.",
        )


def _roads(subject: Subject) -> Iterator[Finding]:
    """Look for customers who cannot send their form or take their complaint back."""
    lifecycle = subject.policy.lifecycle
    moves = {move.id: move for move in lifecycle.moves}
    first = lifecycle.first
    for key, name in (("submit", lifecycle.submit), ("withdraw", lifecycle.withdraw)):
        move = moves.get(name)
        if move is None or "lifecycle" in subject.broken:
            continue
        if "customer" not in move.by:
            yield Finding(
                path=("lifecycle", "moves", lifecycle.moves.index(move), "by"),
                message=f"The customer makes the move {name!r} ({key}) and may not.",
                cure="Add `customer` to `by`.",
            )
        if key == "submit" and first not in lifecycle.sources(move):
            yield Finding(
                path=("lifecycle", "moves", lifecycle.moves.index(move), "from"),
                message=f"The form is sent in {first!r}, and {name!r} does not leave it.",
                cure=f"Write `from: {first}`.",
            )
        if key == "withdraw" and move.to in subject.names.states and not lifecycle.state(move.to).final:
            yield Finding(
                path=("lifecycle", "moves", lifecycle.moves.index(move), "to"),
                message=f"A complaint that was taken back goes to {move.to!r}, and that is not the end.",
                cure="Let it lead to a state with `final: true`.",
            )


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
    """Look for states that no case leaves."""
    if "lifecycle" in subject.broken:
        return
    lifecycle = subject.policy.lifecycle
    for index, state in enumerate(lifecycle.states):
        if not state.final and not any(move.to for move in lifecycle.moves_from(state.id)):
            yield Finding(
                path=("lifecycle", "states", index),
                message=f"A case in the state {state.id!r} can never leave it.",
                cure="Add a move that leaves it, or write `final: true`.",
            )


def _acceptance(subject: Subject) -> Iterator[Finding]:
    roles, most = subject.policy.routing.roles, subject.policy.acceptance.most
    if most is not None and not any("lead" in role.grants for role in roles):
        yield Finding(
            path=("acceptance", "most"),
            message="After so many refusals whoever leads decides, and no role grants `lead`.",
            cure="Write `lead` under `grants` of a role, or remove `most`.",
        )


def _clocks(subject: Subject) -> Iterator[Finding]:
    known = subject.names
    guarded = any("unwatched" in clock.start and clock.when.always for clock in subject.policy.clocks)
    if not guarded and not subject.broken:
        yield Finding(
            path=("clocks",),
            message="A case that nobody owns, and of which no date runs, could be forgotten.",
            cure="Add a clock that starts on unwatched and stops on watched; {id: unwatched} takes the standard one.",
        )
    for index, clock in enumerate(subject.policy.clocks):
        path = ("clocks", index)
        if clock.id == EXTERNAL_REPLY:
            yield Finding(
                path=(*path, "id"),
                message=f"{clock.id!r} is the clock of cases that were passed on from outside, and kept for it.",
                cure="Give this clock another name; the limit of that one stands under `external`.",
            )
        yield from _names_something((*path, "start"), clock.start, known)
        yield from _names_something((*path, "stop"), clock.stop, known)
        yield from _limit((*path, "limit"), clock.limit)
        for position, limit in enumerate(clock.limits):
            yield from _limit((*path, "limits", position), limit)
        yield from _people((*path, "who"), clock.who, known)
        yield from _wish(path, clock, known)
        if clock.calendar not in ("company", "department", *known.calendars):
            there = ["company", "department", *known.calendars]
            yield unknown((*path, "calendar"), "calendar", clock.calendar, there)
        yield from _pause(path, clock, subject.calendar)
        yield from _appointment(path, clock)
        if clock.extension is not None:
            yield from _limit((*path, "extension", "step"), clock.extension.step, span=True)
            yield from _consent((*path, "extension", "approval"), clock, subject.policy)
            for name in clock.extension.by:
                if name != "owner" and name not in known.roles:
                    yield unknown((*path, "extension", "by"), "role", name, ["owner", *known.roles])
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


def _wish(path: Path, clock: Clock, known: Names) -> Iterator[Finding]:
    if clock.wish and clock.wish not in known.fields:
        yield unknown((*path, "wish"), "field", clock.wish, known.fields)
    elif clock.wish and known.fields[clock.wish] not in ("moment", "date"):
        yield Finding(
            path=(*path, "wish"),
            message=f"The field {clock.wish!r} asks for no moment.",
            cure="Write `kind: moment` in that field.",
        )


def _pause(path: Path, clock: Clock, calendar: WorkCalendar | None) -> Iterator[Finding]:
    """Look for pauses that nothing begins or nothing ends, and for reminders that come when the pause is over."""
    if clock.pause is None:
        if clock.pauses:
            yield Finding(
                path=(*path, "pauses"),
                message=f"The clock {clock.id!r} may pause for ever.",
                cure="Say in `pause` how long: {nudge: {amount: 1, unit: workday}, most: {amount: 5, unit: workday}}.",
            )
        return
    yield from _limit((*path, "pause", "nudge"), clock.pause.nudge, span=True)
    yield from _limit((*path, "pause", "most"), clock.pause.most, span=True)
    if clock.pause.total is not None:
        yield from _limit((*path, "pause", "total"), clock.pause.total, span=True)
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


def _consent(path: Path, clock: Clock, policy: Policy) -> Iterator[Finding]:
    """Look for an extension whose approval is not there, or is never asked for."""
    wanted = clock.extension.approval if clock.extension is not None else ""
    found = next((each for each in policy.approvals if each.id == wanted), None)
    if wanted and found is None:
        yield unknown(path, "approval", wanted, [each.id for each in policy.approvals])
    elif found is not None and f"extension_asked.{clock.id}" not in found.on:
        yield Finding(
            path=path,
            message=f"The approval {wanted!r} does not open when an extension of {clock.id!r} is asked for.",
            cure=f"Let it wait for it: `on: extension_asked.{clock.id}`.",
        )
    others = [each.id for each in policy.clocks if each.extension is not None and each.extension.approval == wanted]
    if wanted and others[0] != clock.id:
        yield Finding(
            path=path,
            message=f"The approval {wanted!r} is for the extension of {others[0]!r} already.",
            cure="Write one approval for each clock.",
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
    clocks = [*known.clocks, *([EXTERNAL_REPLY] if subject.policy.external is not None else [])]
    for index, ladder in enumerate(subject.policy.escalation):
        path = ("escalation", index)
        for clock in ladder.clocks:
            if clock not in clocks:
                yield unknown((*path, "clocks"), "clock", clock, clocks)
        for step, rung in enumerate(ladder.rungs):
            if rung.percent in [each.percent for each in ladder.rungs[:step]]:
                yield Finding(
                    path=(*path, "rungs", step, "percent"),
                    message=f"There is another rung at {rung.percent} percent, and only the first one is told.",
                    cure="Write all of them in the `to` of one rung, or give this one another percent.",
                )
            yield from _people((*path, "rungs", step, "to"), rung.to, known)
            if rung.before is not None:
                yield from _limit((*path, "rungs", step, "before"), rung.before, span=True)


def _external(subject: Subject) -> Iterator[Finding]:
    external, known = subject.policy.external, subject.names
    if external is None:
        return
    yield from twice(("external", "kinds"), "kind", [each.id for each in external.kinds])
    yield from _limit(("external", "limit"), external.limit)
    yield from _people(("external", "to"), external.to, known)
    there = {"owner", "department", *known.roles, *known.parts}
    for name in external.replied_by:
        if name not in there:
            yield unknown(("external", "replied_by"), "role", name, there)


def _approvals(subject: Subject) -> Iterator[Finding]:
    known, signing = subject.names, subject.policy.signing
    if signing is not None:
        yield from _limit(("signing", "limit"), signing.limit)
        for index, rung in enumerate(signing.rungs):
            to = [name for name in rung.to if name not in ("reception", "lead")]
            yield from _people(("signing", "rungs", index, "to"), to, known)
    for index, approval in enumerate(subject.policy.approvals):
        path = ("approvals", index)
        yield from _names_something((*path, "on"), approval.on, known)
        if signing is None and not subject.policy.timed(approval):
            yield Finding(
                path=path,
                message=f"Nobody counts the time of {approval.id!r}: a step may wait for ever, and nobody is reminded.",
                cure=f"Add a clock with `start: {approval.id}.opened` and `stop: {approval.id}.decided`, or `signing`.",
            )
        for key in ("before", "instead", "keeps", "matrix", "after"):
            for row, chain in enumerate(getattr(approval, key)):
                for position, step in enumerate(chain.steps):
                    for role in step.roles:
                        if role not in known.roles:
                            yield unknown((*path, key, row, "steps", position), "role", role, known.roles)
        if approval.keeps and not approval.instead:
            yield Finding(
                path=(*path, "keeps"),
                message="These rows stay where one of `instead` holds, and there is none.",
                cure="Write `instead`, or move the rows to `before`.",
            )


def _duties(subject: Subject) -> Iterator[Finding]:
    known = subject.names
    for index, duty in enumerate(subject.policy.duties):
        path = ("duties", index)
        for key, roles in (("to", duty.to), ("missed", duty.missed)):
            for role in roles:
                if role not in known.roles:
                    yield unknown((*path, key), "role", role, known.roles)
        yield from _limit((*path, "due"), duty.due)
        begins = _BEGINS.get(duty.every, range(1, 13))
        for month in duty.months:
            if month not in begins:
                listed = ", ".join(map(str, begins))
                yield Finding(
                    path=(*path, "months"),
                    message=f"No {duty.every.replace('_', ' ')} begins in month {month}, so that it never comes.",
                    cure=f"Write some of: {listed}.",
                )
        for each in duty.remind:
            if each.before is not None:
                yield from _limit((*path, "remind"), each.before, span=True)
            elif not 0 < each.percent < 100:  # noqa: PLR2004 # percent
                yield Finding(
                    path=(*path, "remind"),
                    message=f"A reminder at {each.percent} percent of the time is none.",
                    cure="Write numbers from 1 to 99; who is told when it is missed stands in `missed`.",
                )
        if duty.due.unit == "appointment":
            yield Finding(
                path=(*path, "due"), message="Nobody agrees upon the date of a duty.", cure="Write a date or a time."
            )


def _readings(subject: Subject) -> Iterator[Finding]:
    for name, each in subject.policy.readings.items():
        if each.is_ not in each.of:
            yield unknown(("readings", name, "is"), "reading", each.is_, each.of)


def _notices(subject: Subject) -> Iterator[Finding]:
    for index, notice in enumerate(subject.policy.notices):
        path = ("notices", index)
        yield from _names_something((*path, "on"), notice.on, subject.names)
        yield from _people((*path, "to"), notice.to, subject.names)
        yield from worded(subject, (*path, "say"), notice.say)
        if notice.alarm and "customer" in notice.to:
            yield Finding(
                path=(*path, "to"),
                message="An alarm is for people who must acknowledge it, and a customer must nothing.",
                cure="Write a notice of its own for the customer.",
            )


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
        yield from twice((*path, "questions"), "question", [question.id for question in survey.questions])


def _conditions(subject: Subject) -> Iterator[Finding]:
    known = facts(subject.names)
    for path, when in conditions(subject.policy):
        yield from _condition(path, when, known)
    standing = facts(replace(subject.names, readings={}, answers={}, grades={}))
    for section, name in (
        *((("readings", name), name) for name in subject.policy.readings),
        *((("taxonomy", "grades", name), name) for name in subject.policy.taxonomy.grades),
        *(
            (("form", "fields", index), field.id)
            for index, field in enumerate(subject.policy.form.fields)
            if field.kind in ("choice", "amount")
            and field.id not in (*ORDER_FACTS, "region", subject.policy.form.amount)
        ),
    ):
        if name in standing:
            yield Finding(
                path=section,
                message=f"{name!r} is the name of two facts, so that no condition can ask for this one.",
                cure="Give it another name.",
            )


def _condition(path: Path, when: Predicate, known: Mapping[str, Fact]) -> Iterator[Finding]:
    for name, wanted in when.facts.items():
        here = (*path, name)
        if name not in known:
            yield unknown(here, "fact", name, known)
            continue
        fact = known[name]
        if isinstance(wanted, Test):
            if fact.kind != "number":
                yield Finding(
                    path=here,
                    message=f"{name!r} is no number and has no bounds.",
                    cure="Write a value or a list of values.",
                )
        elif fact.values is not None:
            for value in wanted:
                if value not in fact.values:
                    yield unknown(here, f"value of {name!r}", str(value), map(str, fact.values))
    for key, parts in (("any", when.any), ("all", when.all), ("not", when.none)):
        for index, part in enumerate(parts):
            yield from _condition((*path, key, index), part, known)


def _repetitions(subject: Subject) -> Iterator[Finding]:
    known = subject.names
    for path, what, ids in (
        (("routing", "roles"), "role", known.roles),
        (("form", "fields"), "field", [field.id for field in subject.policy.form.fields]),
        (("taxonomy", "types"), "complaint type", known.types),
        (("taxonomy", "flags"), "flag", known.flags),
        (("lifecycle", "states"), "state", known.states),
        (("clocks",), "clock", known.clocks),
        (("surveys",), "survey", [survey.id for survey in subject.policy.surveys]),
        (("approvals",), "approval", known.approvals),
        (("duties",), "duty", [duty.id for duty in subject.policy.duties]),
    ):
        yield from twice(path, what, ids)


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
            yield unknown(path, "role", name, _TOLD.union(known.roles, known.parts))


def _names_something(path: Path, happenings: Iterable[str], known: Names) -> Iterator[Finding]:
    for name in happenings:
        if name not in known.happenings:
            yield unknown(path, "state, move or act", name, known.happenings)


def _all_known(clock: Clock, known: Names) -> bool:
    return {*clock.start, *clock.stop} <= {*known.happenings}


def _pattern(path: Path, pattern: str) -> Iterator[Finding]:
    try:
        re.compile(pattern)
    except re.error as error:
        yield Finding(
            path=path,
            message=f"The pattern {pattern!r} is no regular expression: {error.msg} at position {error.pos}.",
            cure="A backslash makes a sign mean itself; single quotes around the pattern keep backslashes.",
        )


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
