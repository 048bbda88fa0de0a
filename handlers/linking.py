"""Linking: one person, several chats. A one-time code from the one, sent in the other, makes them one conversation."""

from datetime import timedelta
from typing import Final

from complaints.conversation import Conversation, Dialogue, Place
from complaints.messages import Address
from complaints.ports import Code, Join
from complaints.tokens import Token
from handlers import intake, reaching
from handlers.turn import CUSTOMER, Turn

#: Minutes for which a code holds, and in which one chat may send so many that are wrong.
_HOLDS: Final = 10
_GUESSES: Final = 5
#: What belongs to a chat or a person, and not to the question on the table.
_OWN: Final = {"chat", "name", "places", "preferred", "recent"}


def offer(turn: Turn, conversation: Conversation) -> None:
    """Give the person a code to send from their other chat, and ask where they want to be written to."""
    code = turn.book.ids.code()
    turn.codes(Code(code=code, conversation_id=conversation.id, until=turn.now + timedelta(minutes=_HOLDS)))
    language = conversation.words.language
    text = turn.say(language, "link.code", code=code, minutes=_HOLDS)
    if turn.book.bot_link and conversation.channel != "telegram":
        text += "\n" + turn.say(language, "link.telegram", link=f"{turn.book.bot_link}?start=link-{code}")
    turn.tell(conversation, text)
    if len(conversation.words.places) > 1 and intake.case_in_form(turn, conversation) is None:
        _ask_preferred(turn, conversation)


def _ask_preferred(turn: Turn, conversation: Conversation) -> None:
    language = conversation.words.language
    channels = dict.fromkeys(place.channel for place in conversation.words.places)
    rows = [
        [turn.button(turn.say(language, f"link.channel.{name}"), Token(scope="m", value="prefer", detail=name))]
        for name in channels
    ]
    rows.append([turn.button(turn.say(language, "link.channel.last"), Token(scope="m", value="prefer"))])
    turn.tell(conversation, turn.say(language, "link.prefer"), rows)


def prefer(turn: Turn, conversation: Conversation, channel: str) -> None:
    """Write to the person on this channel from now on; empty: where they spoke last."""
    known = {place.channel for place in conversation.words.places}
    conversation.words.preferred = channel if channel in known else ""
    turn.tell(conversation, turn.say(conversation.words.language, "link.preferred"))


def join(turn: Turn, newer: Conversation, code: str) -> bool:
    """Make this chat and the one that issued the code one conversation; False if the code is nobody else's.

    The older one goes on, with all cases, the open form, and both chats. Who has complained in the newer one is asked
    first: whoever writes in the other chat will see it.
    """
    minute = int(turn.now.timestamp()) // 60
    newer.words.guesses = [at for at in newer.words.guesses if minute - at < _HOLDS]
    older = turn.scene.by_code(code) if len(newer.words.guesses) < _GUESSES else None
    if older is None:
        newer.words.guesses = [*newer.words.guesses, minute][-_GUESSES:]
        return False
    if older.id == newer.id:
        turn.tell(newer, turn.say(newer.words.language, "link.here"))
        return True
    if older.staff_id is not None or newer.staff_id is not None:
        return False
    if newer.customer_id is not None and newer.words.sure != code:  # somebody else may have told them to send it
        newer.words.sure = code
        turn.tell(newer, turn.say(newer.words.language, "link.sure"))
        return True
    here = Address(channel=newer.channel, chat=newer.words.chat)
    there = Address(channel=older.channel, chat=older.words.chat)
    known = older.words.places or ([_place(there)] if older.reachable else [])
    places = [*known, *(newer.words.places or [_place(here)])]
    older.words.places = list({(each.channel, each.chat): each for each in places}.values())
    _carry_over(turn, older, newer)
    reaching.at_home(older, here)
    older.reachable, older.heard_at = True, turn.now
    turn.joins(Join(source=newer.id, target=older.id, code=code))
    turn.touch(older)
    for case in turn.cases_of(newer):
        case.conversation_id = older.id
        turn.record(case, "linked", CUSTOMER, facts={"channel": here.channel})
    for case in turn.cases_of(older):
        if case.open:
            turn.record(case, "linked", CUSTOMER, facts={"channel": here.channel})
    language = older.words.language
    turn.speaker = older.id
    turn.tell(older, turn.say(language, "link.done"))
    for place in older.words.places:
        if place != _place(here):
            turn.tell_place(Address(channel=place.channel, chat=place.chat), turn.say(language, "link.warning"))
    open_form = intake.case_in_form(turn, older)
    if open_form is not None:
        intake.ask_again(turn, older, open_form)
    return True


def _place(address: Address) -> Place:
    return Place(channel=address.channel, chat=address.chat)


def _carry_over(turn: Turn, older: Conversation, newer: Conversation) -> None:
    """Keep what was told on either side: who they are, and the question on the table."""
    known, new = turn.customer(older), turn.customer(newer)
    if known is None and new is not None:
        older.customer_id = new.id
    elif known is not None and new is not None:
        known.profile.answers = {**new.profile.answers, **known.profile.answers}
        known.profile.order = known.profile.order or new.profile.order
        if known.consent is None or (known.consent.version != turn.policy().form.consent and new.consent is not None):
            known.consent = new.consent
        turn.touch(known)
    if older.state == "idle" and newer.state != "idle":
        kept = older.words.model_dump(include=_OWN)
        older.words = Dialogue(**{**newer.words.model_dump(), **kept})
        older.state, older.case_id, older.turn = newer.state, newer.case_id, max(older.turn, newer.turn)
        # buttons of the newer chat carry its own turn: the question is put again, and they become stale
    newer.state, newer.case_id, newer.words = "idle", None, Dialogue(chat=newer.words.chat)
    turn.touch(newer)
