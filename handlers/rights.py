"""Rights: who may make which move, and what a member of the staff may do with a case now."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from complaints.case import Case
from complaints.clauses.clock import Clock
from complaints.clauses.lifecycle import Move
from complaints.conversation import DESK, Staff
from complaints.errors import NotAllowed
from complaints.reading import Language
from handlers.turn import CUSTOMER, Turn


def may(turn: Turn, case: Case, move: Move, member: Staff) -> bool:
    """Tell whether this member of the staff may make the move."""
    routing = turn.policy(case).routing
    handles, held = routing.granted(member.roles, "handle"), routing.held(member.roles)
    named = {role for name in move.by for role in case.facts.parts.get(name, [name])}
    return bool(
        ("owner" in move.by and case.owner_id == member.id)
        or ("agent" in move.by and handles and case.owner_id in (None, member.id))
        or ("department" in move.by and case.department in held)
        or named & held
        or (of_customer(move) and case.channel == DESK and handles and case.owner_id in (None, member.id))
    )


def of_customer(move: Move) -> bool:
    """Tell whether the move is the customer's alone: who can only be called makes it through whoever calls them."""
    return tuple(move.by) == (CUSTOMER,)


def moves(turn: Turn, case: Case, *, member: Staff | None = None) -> list[Move]:
    """Return the moves that may be made now by the customer, or by this member of the staff."""
    return [
        move
        for move in turn.policy(case).lifecycle.moves_from(case.state)
        if turn.holds(move.when, case)
        and (move.to or move.often or move.id not in case.facts.done)
        and (CUSTOMER in move.by if member is None else may(turn, case, move, member))
    ]


def obstacle(turn: Turn, case: Case, move: Move) -> str:
    """Return the wording key of why a case may not go where the move leads; "" if nothing stands in its way.

    Nothing is closed before whoever passed it on was answered, nor done before what was promised was given.
    """
    lifecycle = turn.policy(case).lifecycle
    if not move.to or move.id == lifecycle.withdraw:
        return ""
    state, known = lifecycle.state(move.to), case.facts
    if state.final and known.external is not None and known.external.replied_at is None:
        return "error.external_open"
    if (state.resolved or state.final) and not move.fulfils and known.decision is not None and known.decision.owed:
        return "error.remedy_open"
    return ""


def handles(turn: Turn, case: Case, member: Staff) -> bool:
    """Tell whether this member of the staff may work on cases at all."""
    roles = turn.policy(case).routing.roles
    return member.active and any("handle" in role.grants for role in roles if role.id in member.roles)


def works(turn: Turn, member: Staff) -> bool:
    """Tell whether this member of the staff may work on new cases, and so enter one."""
    roles = turn.policy().routing.roles
    return member.active and any("handle" in role.grants for role in roles if role.id in member.roles)


def may_act(turn: Turn, case: Case, member: Staff, act: str) -> bool:
    """Tell whether one of the desk's own acts is open to this member of the staff now."""
    return sees(turn, case, member) and ACTS[act].may(turn, case, member)


def _working(turn: Turn, case: Case, member: Staff) -> bool:
    return case.open and handles(turn, case, member)


def _owning(turn: Turn, case: Case, member: Staff) -> bool:
    return _working(turn, case, member) and case.owner_id == member.id


def _claimable(turn: Turn, case: Case, member: Staff) -> bool:
    return _working(turn, case, member) and (
        case.owner_id is None
        or (case.facts.held_for in turn.policy(case).routing.held(member.roles) and case.owner_id != member.id)
    )


def _filed(turn: Turn, case: Case, member: Staff) -> bool:
    return case.facts.files > 0 and sees(turn, case, member)


def _appointing(turn: Turn, case: Case, member: Staff) -> bool:
    agreed = any(clock.limit.unit == "appointment" for clock in turn.policy(case).clocks)
    return agreed and _owning(turn, case, member)


def extensible(turn: Turn, case: Case, member: Staff) -> Clock | None:
    """Return the clock whose date this member of the staff may move now; of several the one that runs out first."""
    if not member.active or not case.open:
        return None
    people = {*member.roles, *(["owner"] if case.owner_id == member.id else [])}
    found: dict[datetime, Clock] = {}
    for clock in turn.policy(case).clocks:
        run = case.facts.clocks.get(clock.id)
        if clock.extension is None or run is None or not run.running or run.paused_at is not None:
            continue
        if turn.now < run.due_at and len(run.extended) < clock.extension.most and people & {*clock.extension.by}:
            found.setdefault(run.due_at, clock)
    return found[min(found)] if found else None


def sees(turn: Turn, case: Case, member: Staff) -> bool:
    """Tell whether this member of the staff may see the case."""
    roles = turn.policy(case).routing.roles
    return member.active and any(role.grants for role in roles if role.id in member.roles)


def offered(turn: Turn, case: Case, member: Staff) -> list[tuple[str, str]]:
    """Return what this member of the staff may do now: acts and moves, each with its label."""
    found = [(act, turn.say(member.language, f"staff.act.{act}")) for act in ACTS if may_act(turn, case, member, act)]
    found += [
        (move.id, _label(turn, move, member.language))
        for move in moves(turn, case, member=member)
        if move.button is not None and not move.automatic and not ("claimed" in move.on and case.owner_id is None)
    ]
    return found


def check(turn: Turn, case: Case, member: Staff, act: str) -> Move | None:
    """Return the move of that name, None for one of the desk's own acts; NotAllowed if it is not open to them now."""
    if act in ACTS:
        if act == "claim" and case.owner_id is not None and not may_act(turn, case, member, act):
            owner = turn.owner(case)
            key = "error.claimed_by_you" if case.owner_id == member.id else "error.claimed"
            raise NotAllowed(key=key, owner=owner.name if owner else "", number=case.number)
        if not may_act(turn, case, member, act):
            raise NotAllowed(key="error.act", number=case.number)
        return None
    for move in moves(turn, case, member=member):
        if move.id == act:
            return move
    raise NotAllowed(key="error.act", number=case.number)


def _types(turn: Turn, case: Case, member: Staff) -> list[tuple[str, str]]:
    types = turn.policy(case).taxonomy.types
    return [(each.id, each.title[member.language]) for each in types if each.id != case.type]


def _grades(turn: Turn, case: Case, member: Staff) -> list[tuple[str, str]]:
    grades = turn.policy(case).taxonomy.grades
    return [
        (f"{name}={each.id}", each.title[member.language])
        for name, values in grades.items()
        for each in values
        if case.facts.grades.get(name) != each.id
    ]


def _departments(turn: Turn, case: Case, member: Staff) -> list[tuple[str, str]]:
    routing = turn.policy(case).routing
    return [(role.id, role.title[member.language]) for role in routing.roles if "handle" in role.grants]


@dataclass(frozen=True, slots=True)
class Act:
    """One of the desk's own acts: who may do it now, whether words are asked for, and what is chosen before that.

    Each has the wording key `staff.act.NAME`; where words are asked for `staff.ask.NAME`, where something is chosen
    `staff.which.NAME`. The `options` are pairs of what the act gets as its detail, and a label.
    """

    may: Callable[[Turn, Case, Staff], bool]
    written: bool = False
    options: Callable[[Turn, Case, Staff], list[tuple[str, str]]] | None = None


#: In the order of their buttons.
ACTS: Final[dict[str, Act]] = {
    "claim": Act(_claimable),
    "ask": Act(_owning, written=True),
    "reply": Act(_owning, written=True),
    "note": Act(_working, written=True),
    "appoint": Act(_appointing, written=True),
    "extend": Act(lambda turn, case, member: extensible(turn, case, member) is not None, written=True),
    "listen": Act(lambda turn, case, member: case.facts.listen and _working(turn, case, member), written=True),
    "called": Act(lambda turn, case, member: case.facts.call and _working(turn, case, member), written=True),
    "retype": Act(_working, options=_types),
    "grade": Act(_working, written=True, options=_grades),
    "assign": Act(_working, options=_departments),
    "release": Act(_owning),
    "files": Act(_filed),
}


def _label(turn: Turn, move: Move, language: Language) -> str:
    label = move.button[language] if move.button is not None else move.id
    return turn.say(language, "staff.act.for_customer", act=label) if of_customer(move) else label
