"""Reaching a customer: what waits until they write, other chats of theirs, and in the end somebody who calls."""

import re
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from complaints.case import Case
from complaints.commands import Miss
from complaints.conversation import Conversation, Place
from complaints.messages import Address, Choice, OutgoingMessage
from complaints.ports import Letter, Priority
from handlers import cards, choices, notices
from handlers.turn import SYSTEM, Turn

#: What a customer must hear, if need be by telephone; progress can wait until they write.
_MUST: Final = (Priority.ANSWER, Priority.DECISION)
_GONE: Final = ("blocked", "deactivated")


def missed(command: Miss, turn: Turn) -> None:
    """Note what could not be delivered: say it in another chat of the same person, or let somebody call them."""
    conversation = turn.scene.conversations.get(command.conversation_id)
    if conversation is None:
        return
    waiting = [each.id for each in turn.scene.parked(conversation.id)]
    if command.reason == "window" and command.letter_id not in waiting:  # they have written meanwhile, and are told
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
        decides = command.priority == Priority.DECISION
        rows = cards.customer_buttons(turn, case, conversation.words.language) if decides else ()
        turn.tell(conversation, command.text, rows, priority=Priority(command.priority or Priority.PROGRESS),
                  unasked=True, case=case, at=elsewhere)  # fmt: skip
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
    if case.open and not case.facts.call and case.words.call:
        case.facts.call = True
        notices.alert(turn, case, ["owner"] if case.owner_id is not None else ["department"], "staff.undelivered")


def reached(turn: Turn, case: Case) -> None:
    """Take note that the customer has heard what waited for them: nobody needs to call."""
    case.words.call, case.facts.call = "", False
    turn.set_timer(case, "call", None)
    turn.touch(case)


def digest(turn: Turn, conversation: Conversation) -> None:
    """Say first what waited for this person to write, each thing once, with the choices that still hold.

    What asked for a choice that can no longer be made is left out; what somebody should have called about is not.
    """
    letters = turn.scene.parked(conversation.id)
    turn.told(*(each.id for each in letters))
    # of a survey and its reminders the last one is enough
    last = {each.case_id if each.priority == Priority.SURVEY else each.id: each for each in letters}
    texts: list[str] = []
    rows: dict[str, Sequence[Choice]] = {}
    for letter in last.values():
        if isinstance(letter.body, OutgoingMessage):
            asks = [row for row in letter.body.choices if row[0].token]
            holding = [row for row in asks if choices.stands_still(conversation, row[0], turn.stands)]
            rows.update((row[0].token, row) for row in holding)
            if holding or not asks or not _outdated(turn, letter):
                texts.append(letter.body.text)
    language = conversation.words.language
    for case in turn.cases_of(conversation):
        waited = [
            each.body.text for each in letters if each.case_id == case.id and isinstance(each.body, OutgoingMessage)
        ]
        unheard = case.words.call
        for text in waited:
            unheard = unheard.replace(text, "")
        if unheard.strip():
            texts.append(re.sub(r"\n{3,}", "\n\n", unheard.strip()))
            rows.update((row[0].token, row) for row in cards.customer_buttons(turn, case, language))
        if waited or unheard:
            turn.record(case, "caught_up", SYSTEM, facts={"letters": len(waited)})
            reached(turn, case)
    if texts:
        head = turn.say(language, "reach.digest")
        turn.tell(conversation, "\n\n".join([head, *dict.fromkeys(texts)]), list(rows.values()), first=True)


def _outdated(turn: Turn, letter: Letter) -> bool:
    """Tell whether a letter is better left out, now that its choices can not be made: but a result is told late too."""
    case = turn.case(letter.case_id)
    return letter.priority == Priority.SURVEY or (case is not None and case.facts.resolved_at is None)


def other_place(conversation: Conversation, channel: str) -> Address | None:
    """Return another chat of the same person, on another channel than this one."""
    for place in conversation.words.places:
        if channel and place.channel != channel:
            return Address(channel=place.channel, chat=place.chat)
    return None


def leave(turn: Turn, conversation: Conversation, channel: str, chat: str = "") -> None:
    """Stop writing to the person in this chat, or on this whole channel: elsewhere if there is one, else not at all."""
    words = conversation.words
    words.places = [place for place in words.places if place.channel != channel or (chat and place.chat != chat)]
    turn.touch(conversation)
    if all(place.channel != words.preferred for place in words.places):
        words.preferred = ""
    if not words.places:
        conversation.reachable = False
    elif Place(channel=conversation.channel, chat=words.chat) not in words.places:
        conversation.channel, words.chat = words.places[-1].channel, words.places[-1].chat


def at_home(conversation: Conversation, address: Address) -> None:
    """Take note of where the person speaks now: answers go there."""
    words = conversation.words
    conversation.channel, words.chat = address.channel, address.chat
    place = Place(channel=address.channel, chat=address.chat)
    if words.places and place not in words.places:
        words.places.append(place)
