"""Notices: who is told what when something happens."""

from collections.abc import Sequence
from functools import partial
from typing import Any, Final

from complaints.case import Case
from complaints.conversation import Staff
from complaints.ports import Priority
from handlers import cards
from handlers.turn import Turn

PROGRESS: Final = Priority.PROGRESS


def on(turn: Turn, case: Case, name: str, **values: Any) -> None:  # Any: fills of a sentence
    """Send the notices that wait for this name."""
    for notice in turn.policy(case).waiting(name).notices:
        if not turn.holds(notice.when, case):
            continue
        if "customer" in notice.to:
            tell_customer(turn, case, notice.say, **values)
        alert(turn, case, notice.to, notice.say, **values)


def tell_customer(turn: Turn, case: Case, key: str, **values: Any) -> None:  # Any: fills of a sentence
    """Tell the customer something about their case, with the buttons of the moves that are theirs to make."""
    conversation = turn.conversation_of(case)
    language = conversation.words.language
    promised = case.promised_at
    text = turn.say(
        language,
        key,
        number=case.number,
        type=cards.type_title(turn, case, language),
        state=turn.policy(case).lifecycle.state(case.state).title[language],
        date=turn.promise(language, promised) if promised else turn.say(language, "case.soon"),
        **{name: cards.shown(turn, language, value) for name, value in values.items()},
    )
    rows = cards.customer_buttons(turn, case, language)
    decides = bool(rows) or turn.policy(case).lifecycle.state(case.state).resolved
    turn.tell(conversation, text, rows, priority=Priority.DECISION if decides else PROGRESS, unasked=True, case=case)


def alert(turn: Turn, case: Case, to: Sequence[str], key: str, **values: Any) -> int:  # Any: fills of a sentence
    """Tell staff about a case: in their own chats, and in the group. Return how many chats were told.

    Where nobody can be reached in a role, reception is told instead, and the group: no case is without somebody.
    """
    to = [each for each in to if each != "customer"]
    if not to:
        return 0
    members = recipients(turn, case, to)
    for member in members:
        text = turn.say(member.language, key, **cards.values(turn, case, member.language, values))
        turn.tell_staff(
            member,
            text,
            cards.buttons(turn, case, member),
            tail=partial(cards.card, turn, case, member.language, alert=True),
            case=case,
        )
    told = len(members)
    if turn.book.rooms and ("agents" in to or not members):
        language = turn.policy(case).languages[0]
        text = turn.say(language, key, **cards.values(turn, case, language, values))
        told += turn.tell_room(
            text,
            cards.room_buttons(turn, case, language),
            tail=partial(cards.card, turn, case, language, masked=True, alert=True),
            case=case,
        )
    return told


def recipients(turn: Turn, case: Case, to: Sequence[str]) -> list[Staff]:
    """Return the members of the staff meant by `owner`, `department`, `agents` or role ids, each once."""
    wanted: dict[int, Staff] = {}
    reception = turn.policy(case).routing.reception
    for name in to:
        roles = [case.department] if name == "department" else case.facts.parts.get(name, [name])
        if name == "owner":
            owner = turn.owner(case)
            found = [owner] if owner is not None else []
        elif name == "agents":
            found = [] if turn.book.rooms else _with_role(turn, reception)
        else:
            found = _with_role(turn, *roles)
        wanted.update({member.id: member for member in found if member.active and member.chat})
    if not wanted and "agents" not in to:
        wanted.update({member.id: member for member in _with_role(turn, reception)})
    return list(wanted.values())


def _with_role(turn: Turn, *roles: str) -> list[Staff]:
    held = turn.policy().routing.held
    return [each for each in turn.scene.staff.values() if each.active and each.chat and held(each.roles) & {*roles}]
