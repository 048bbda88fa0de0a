"""The roster: who of the staff can be told something now, who is on call for it, and who is away."""

from collections.abc import Sequence
from datetime import datetime

from complaints.clauses.routing import Routing
from complaints.conversation import Staff
from handlers.turn import Turn


def away(member: Staff, now: datetime) -> bool:
    """Tell whether this member of the staff is away."""
    return any(not each.roles and each.starts_at <= now < each.ends_at for each in member.facts.roster)


def on_call(member: Staff, role: str, now: datetime) -> bool:
    """Tell whether the roster names this member of the staff for the role now."""
    return any(role in each.roles and each.starts_at <= now < each.ends_at for each in member.facts.roster)


def there(turn: Turn, routing: Routing, role: str) -> list[Staff]:
    """Return who has the role, can be written to and is not away: those on call first."""
    found = [each for each in with_role(turn, routing, role) if not away(each, turn.now)]
    return sorted(found, key=lambda each: not on_call(each, role, turn.now))


def on_duty(turn: Turn, routing: Routing, roles: Sequence[str]) -> list[Staff]:
    """Return who is told what one of these roles is told: those on call now, else whoever is there."""
    found: dict[int, Staff] = {}
    for role in roles:
        present = there(turn, routing, role)
        called = [each for each in present if on_call(each, role, turn.now)]
        found |= {each.id: each for each in called or present}
    return list(found.values())


def with_role(turn: Turn, routing: Routing, *roles: str) -> list[Staff]:
    """Return who has one of these roles, or is meant by id, and can be written to, though they may be away."""
    return [
        each
        for each in turn.scene.staff.values()
        if each.active and each.chat and not {*routing.held(each.roles), f"staff:{each.id}"}.isdisjoint(roles)
    ]
