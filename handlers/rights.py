"""Rights: who may make which move, and what a member of the staff may do with a case now."""

from datetime import datetime
from typing import Final

from complaints.case import Case
from complaints.clauses.clock import Clock
from complaints.clauses.lifecycle import Move
from complaints.conversation import DESK, Staff
from complaints.errors import NotAllowed
from complaints.reading import Language
from handlers.turn import CUSTOMER, Turn

#: The desk's own acts, in the order of their buttons. Each has a wording key `staff.act.NAME`; those in WRITTEN ask
#: for a text first (`staff.ask.NAME`).
ACTS: Final = ("claim", "ask", "reply", "note", "appoint", "extend", "listen", "called", "retype", "release", "files")
WRITTEN: Final = frozenset({"ask", "reply", "note", "appoint", "extend", "listen", "called"})
_OWNERS: Final = frozenset({"appoint", "ask", "reply", "release"})


def may(turn: Turn, case: Case, move: Move, member: Staff) -> bool:
    """Tell whether this member of the staff may make the move."""
    roles = turn.policy(case).routing
    handles = any("handle" in role.grants for role in roles.roles if role.id in member.roles)
    return bool(
        ("owner" in move.by and case.owner_id == member.id)
        or ("agent" in move.by and handles and case.owner_id in (None, member.id))
        or set(move.by) & set(member.roles)
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
        if turn.holds(move.when, case) and (CUSTOMER in move.by if member is None else may(turn, case, move, member))
    ]


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
    if act == "files":
        return case.facts.files > 0 and sees(turn, case, member)
    if act == "extend":
        return extensible(turn, case, member) is not None
    if not handles(turn, case, member) or not case.open:
        return False
    if act == "appoint" and not any(clock.limit.unit == "appointment" for clock in turn.policy(case).clocks):
        return False
    if act == "claim":
        return case.owner_id is None
    if act == "listen":
        return case.facts.listen
    if act == "called":
        return case.facts.call
    if act in _OWNERS:
        return case.owner_id == member.id
    return True


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
        if act == "claim" and case.owner_id is not None:
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


def _label(turn: Turn, move: Move, language: Language) -> str:
    label = move.button[language] if move.button is not None else move.id
    return turn.say(language, "staff.act.for_customer", act=label) if of_customer(move) else label
