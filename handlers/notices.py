"""Notices: who is told what when something happens."""

from collections.abc import Sequence
from functools import partial
from typing import Any, Final

from complaints.case import Case
from complaints.conversation import Staff
from complaints.ports import Priority
from complaints.reading import Language
from handlers import cards, rights, roster, signers
from handlers.turn import Turn

PROGRESS: Final = Priority.PROGRESS


def on(turn: Turn, case: Case, name: str, actor: str, **values: Any) -> None:  # Any: fills of a sentence
    """Send the notices that wait for this name; alarms to the staff are raised in `alarms`.

    An owner is not told what they have done themselves.
    """
    mine = f"staff:{case.owner_id}" == actor
    for notice in turn.policy(case).waiting(name).notices:
        if not turn.holds(notice.when, case):
            continue
        if "customer" in notice.to:
            tell_customer(turn, case, notice.say, **values)
        if not notice.alarm:
            to = [each for each in notice.to if not (mine and each == "owner")]
            alert(turn, case, to, notice.say, for_all=notice.open, **values)


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
        date=turn.promise(language, promised, case) if promised else turn.say(language, "case.soon"),
        **{name: cards.shown(turn, language, value, case) for name, value in values.items()},
    )
    rows = cards.customer_buttons(turn, case, language)
    decides = bool(rows) or turn.policy(case).lifecycle.state(case.state).resolved
    turn.tell(conversation, text, rows, priority=Priority.DECISION if decides else PROGRESS, unasked=True, case=case)


def alert(
    turn: Turn, case: Case, to: Sequence[str], key: str, *, for_all: bool = False, **values: Any
) -> int:  # Any: fills of a sentence
    """Tell staff about a case: in their own chats, and in the group. Return how many chats were told.

    Where nobody can be reached in a role, reception is told instead, and the group: no case is without somebody.
    """
    to = [each for each in to if each != "customer"]
    return tell(turn, case, recipients(turn, case, to), to, key, for_all=for_all, **values) if to else 0


def tell(
    turn: Turn,
    case: Case,
    members: Sequence[Staff],
    to: Sequence[str],
    key: str,
    *,
    for_all: bool = False,
    **values: Any,  # fills of a sentence
) -> int:
    """Tell these members of the staff, and the group where it is meant or nobody else is there, about a case.

    Personal data is starred: whoever wants it opens the case, which the journal notes. Who is told of a case that they
    may not see gets the sentence alone, without the words that it quotes unless these are `for_all`, and the group of
    one that is kept from somebody hears no more than its number, and that only where nobody could be told.
    """
    for member in members:
        shown = _starred(turn, case, values) if for_all or rights.sees(turn, case, member) else {**values, "text": "…"}
        text = turn.say(member.language, key, **cards.values(turn, case, member.language, shown))
        turn.tell_staff(
            member,
            text,
            cards.buttons(turn, case, member, alert=True),
            tail=partial(_card, turn, case, member),
            case=case,
        )
    return len(members) + _tell_room(turn, case, to, key, values, alone=not members)


def _starred(turn: Turn, case: Case, values: dict[str, Any]) -> dict[str, Any]:  # Any: fills of a sentence
    text = values.get("text")
    return {**values, "text": cards.starred(turn, case, text)} if isinstance(text, str) and text else values


def _tell_room(
    turn: Turn, case: Case, to: Sequence[str], key: str, values: dict[str, Any], *, alone: bool
) -> bool:  # Any: fills of a sentence
    language = turn.policy(case).languages[0]
    if rights.secluded(turn, case):
        return alone and turn.tell_room(turn.say(language, "staff.secluded", number=case.number), case=case)
    if not alone and "agents" not in to:
        return False
    shown = cards.values(turn, case, language, {**values, "text": "…"})  # not for all who read along
    return turn.tell_room(
        turn.say(language, key, **shown),
        cards.room_buttons(turn, case, language),
        tail=partial(_room_card, turn, case, language),
        case=case,
    )


def _card(turn: Turn, case: Case, member: Staff) -> str:
    return cards.card(turn, case, member.language, alert=True) if rights.sees(turn, case, member) else ""


def _room_card(turn: Turn, case: Case, language: Language) -> str:
    # asked when the turn ends: what is told first may be about a case that is hidden by then
    return "" if rights.secluded(turn, case) else cards.card(turn, case, language, masked=True, alert=True)


def recipients(turn: Turn, case: Case, to: Sequence[str]) -> list[Staff]:
    """Return the members of the staff meant by `owner`, `department`, `agents`, parts or roles, each once.

    Of a role those on call, else all; nobody who is away, and nobody from whom the case is kept. Where that leaves
    nobody, reception (of a hidden case those who may see it), and those who are away only where there is no group.
    """
    routing, wanted = turn.policy(case).routing, dict[int, Staff]()
    behind = [name for rule in rights.hiding(turn, case) for name in rule.only] or [routing.reception]
    grouped = bool(turn.book.rooms) and not rights.secluded(turn, case)

    def want(found: Sequence[Staff]) -> None:
        wanted.update({each.id: each for each in found if not rights.kept_from(turn, case, each)})

    for name in to:
        owner = turn.owner(case) if name == "owner" else None
        if owner is not None and owner.active and owner.chat and not roster.away(owner, turn.now):
            want([owner])
        elif name == "approvers":
            found = [each for each in signers.approvers(turn, case) if each.chat]
            want([each for each in found if not roster.away(each, turn.now)] or found)
        elif name != "agents":
            want(roster.on_duty(turn, routing, case.roles_of([name])))
        elif not grouped:
            want(roster.on_duty(turn, routing, case.roles_of(behind)))
    if not wanted and not (grouped and "agents" in to):
        want(roster.on_duty(turn, routing, case.roles_of(behind)))
    if not wanted and not turn.book.rooms:
        want(roster.with_role(turn, routing, *case.roles_of([*to, *behind])))
    return list(wanted.values())
