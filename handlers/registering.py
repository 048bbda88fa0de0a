"""Registering: a member of the staff enters a complaint that came by telephone, letter or another group."""

import hashlib

from complaints.conversation import DESK, Consent, Conversation, Staff
from complaints.messages import Address, IncomingMessage
from handlers import acts, cards, cases, intake, rights
from handlers.turn import Turn


def register(turn: Turn, member: Staff, text: str) -> None:
    """Open a case for what a customer said to a member of the staff, and show it to them.

    Consent was given by word of mouth: the event says to whom. What the form would still ask for, they are told to ask.
    """
    conversation = Conversation(id=turn.book.ids.next(), channel=DESK, reachable=False, heard_at=turn.now)
    conversation.words.chat = str(conversation.id)
    actor = acts.actor(member)
    reading = turn.book.reader.read(text)
    conversation.words.language = reading.language
    turn.met(conversation)
    message = IncomingMessage(
        key="",
        kind="text",
        address=Address(channel=DESK, chat=conversation.words.chat),
        sender="",
        sent_at=turn.now,
        text=text,
    )
    case = cases.open_case(turn, conversation, message, text, reading)
    customer = turn.customer(conversation)
    if customer is not None:
        version = turn.policy(case).form.consent
        notice = intake.consent_notice(turn, conversation, case)
        customer.consent = Consent(version=version, language=reading.language, at=turn.now, by=actor,
                                   text_sha256=hashlib.sha256(notice.encode()).hexdigest())  # fmt: skip
        turn.record(case, "consented", actor, facts=customer.consent.model_dump(mode="json"))
    case.facts.complete = True
    turn.record(case, "registered", actor, facts={"fields": sorted(case.words.answers)})
    turn.tell_staff(member, turn.say(member.language, "staff.registered", number=case.number), case=case)
    lacking = [each.title for each in intake.missing(turn, case, conversation.words) if each.required]
    if lacking:
        fields = cards.shown(turn, member.language, lacking)
        turn.tell_staff(member, turn.say(member.language, "staff.registered_lacking", fields=fields), case=case)
    theirs = turn.policy(case).routing.handover and not rights.kept_from(turn, case, member)
    if theirs:  # until another department takes it
        acts.claim(turn, case, member)
        cases.renew(turn, case)
    intake.accept(turn, case, actor)
    if theirs:
        cases.hold(turn, case, actor)
    acts.show_again(turn, case, member)
