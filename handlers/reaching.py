"""Reaching a customer: what waits until they write, other chats of theirs, and in the end somebody who calls."""

from datetime import timedelta
from typing import Final

from complaints.case import Case
from complaints.commands import Miss
from complaints.conversation import Conversation, Place
from complaints.messages import Address, OutgoingMessage
from complaints.ports import Letter, Priority
from handlers import notices, surveying
from handlers.turn import SYSTEM, Turn

#: What a customer must hear, if need be by telephone; progress can wait until they write.
_MUST: Final = (Priority.ANSWER, Priority.DECISION)
_GONE: Final = ("blocked", "deactivated")


def missed(command: Miss, turn: Turn) -> None:
    """Note what could not be delivered: say it in another chat of the same person, or let somebody call them."""
    conversation = turn.scene.conversations.get(command.conversation_id)
    if conversation is None:
        return
    elsewhere = other_place(conversation, command.channel)
    if command.reason in _GONE:
        leave(turn, conversation, command.channel)
    case = turn.case(command.case_id)
    if case is None:
        return
    turn.record(case, "undelivered", SYSTEM, facts={"reason": command.reason, "noticed": command.noticed},
                words={"text": command.text})  # fmt: skip
    if conversation.staff_id is not None or not case.open:
        return
    if elsewhere is not None and command.text:
        turn.told(command.letter_id)
        turn.tell(conversation, command.text, priority=Priority(command.priority or Priority.PROGRESS), unasked=True,
                  case=case, at=elsewhere)  # fmt: skip
    elif command.reason != "window":
        _keep_words(case, command.text)
        call(turn, case)
    elif command.priority in _MUST:
        _keep_words(case, command.text)
        if command.noticed:
            after = turn.policy(case).routing.call_after
            turn.set_timer(case, "call", turn.now + timedelta(hours=after))
        else:
            call(turn, case)


def _keep_words(case: Case, text: str) -> None:
    if text not in case.words.call:
        case.words.call = f"{case.words.call}\n\n{text}".strip()


def see_to(turn: Turn) -> None:
    """Let somebody call the customers who could not be told anything in this turn, where it must be told."""
    for case, text, priority in turn.unreached:
        if case.open and priority in _MUST:
            _keep_words(case, text)
            call(turn, case)


def call(turn: Turn, case: Case) -> None:
    """Ask the owner, or the department, to call the customer; once until somebody has."""
    turn.touch(case)
    if not case.facts.call and case.words.call:
        case.facts.call = True
        notices.alert(turn, case, ["owner"] if case.owner_id is not None else ["department"], "staff.undelivered")


def reached(turn: Turn, case: Case) -> None:
    """Take note that the customer has heard what waited for them: nobody needs to call."""
    case.words.call, case.facts.call = "", False
    turn.set_timer(case, "call", None)
    turn.touch(case)


def digest(turn: Turn, conversation: Conversation) -> None:
    """Say first what waited for this person to write, each thing once, with the choices that still hold."""
    letters = turn.scene.parked(conversation.id)
    turn.told(*(each.id for each in letters))
    letters = [each for each in letters if each.priority != Priority.SURVEY or _asks_still(turn, each)]
    bodies = [(each.case_id, each.body) for each in letters if isinstance(each.body, OutgoingMessage)]
    if not bodies:
        return
    texts = list(dict.fromkeys(body.text for _, body in bodies))
    rows = {case_id: body.choices for case_id, body in bodies}
    for case in turn.cases_of(conversation):
        count = sum(each.case_id == case.id for each in letters)
        if count:
            turn.record(case, "caught_up", SYSTEM, facts={"letters": count})
            reached(turn, case)
    head = turn.say(conversation.words.language, "reach.digest")
    turn.tell(
        conversation, "\n\n".join([head, *texts]), [row for choices in rows.values() for row in choices], apart=True
    )


def _asks_still(turn: Turn, letter: Letter) -> bool:
    """Tell whether the survey that a letter brings still takes answers."""
    case = turn.case(letter.case_id)
    return case is not None and surveying.running(turn, case) is not None


def other_place(conversation: Conversation, channel: str) -> Address | None:
    """Return another chat of the same person, on another channel than this one."""
    for place in conversation.words.places:
        if channel and place.channel != channel:
            return Address(channel=place.channel, chat=place.chat)
    return None


def leave(turn: Turn, conversation: Conversation, channel: str) -> None:
    """Stop writing to the person on this channel: on another of theirs if there is one, else not at all."""
    words = conversation.words
    words.places = [place for place in words.places if place.channel != channel]
    turn.touch(conversation)
    if words.preferred == channel:
        words.preferred = ""
    if not words.places:
        conversation.reachable = False
    elif conversation.channel == channel:
        conversation.channel, words.chat = words.places[-1].channel, words.places[-1].chat


def at_home(conversation: Conversation, address: Address) -> None:
    """Take note of where the person speaks now: answers go there."""
    words = conversation.words
    conversation.channel, words.chat = address.channel, address.chat
    place = Place(channel=address.channel, chat=address.chat)
    if words.places and place not in words.places:
        words.places.append(place)
