"""Agents: what members of the staff say and press, in their own chats and in the group."""

import hashlib
import hmac
import re
from collections.abc import Sequence
from typing import Final

from complaints import numbers
from complaints.case import Case
from complaints.conversation import Conversation, Staff
from complaints.errors import NotAllowed, PlaintError
from complaints.messages import AttachmentKind, Enclosure, IncomingMessage, PressAnswer
from complaints.tokens import SHOW, Token, parse
from handlers import acts, cards, cases, duties, registering, rights, signers
from handlers.turn import Turn

_LISTED: Final = 10
#: What follows the word that registers a complaint, without a gap, is at least so many characters long.
_SAID: Final = 4
_TOAST: Final = 190


def bind(turn: Turn, conversation: Conversation, message: IncomingMessage) -> bool:
    """Bind a member of the staff to this chat by their one-time code; True if the code was theirs."""
    code = message.argument.removeprefix("staff-").strip()
    if not code:
        return False
    digest = hashlib.sha256(code.encode()).hexdigest()
    for member in turn.scene.staff.values():
        if member.active and member.code_hash and hmac.compare_digest(member.code_hash, digest):
            if member.code_until is None or member.code_until < turn.now:
                return False
            if turn.buttonless(conversation.channel):
                turn.tell(conversation, turn.say(member.language, "staff.no_buttons"))
                return True
            known = turn.scene.staff.values()
            others = [each for each in known if _has(conversation, each) and each.who != member.who]
            if others and not _join(turn, [*others, member]):
                turn.tell(conversation, turn.say(member.language, "staff.bound_other", name=others[0].name))
                return True
            member.conversation_id, member.chat = conversation.id, message.address.chat
            member.channel = conversation.channel
            member.code_hash, member.code_until = "", None
            conversation.staff_id = member.id
            conversation.make("rest")
            conversation.case_id = None
            turn.touch(member)
            turn.touch(conversation)
            turn.tell_staff(member, turn.say(member.language, "staff.bound", name=member.name))
            if others:
                turn.tell_staff(member, turn.say(member.language, "staff.bound_same", name=others[0].name))
            return True
    return False


def _has(conversation: Conversation, member: Staff) -> bool:
    """Tell whether a chat is that of this member of the staff already."""
    return member.active and (member.conversation_id == conversation.id or member.id == conversation.staff_id)


def _join(turn: Turn, members: Sequence[Staff]) -> bool:
    """Make these accounts, which have one chat, one person; False if their staff numbers say that they are several."""
    whos = dict.fromkeys(each.who for each in members)
    numbers = [who for who in whos if not who.startswith("staff:")]
    if len(numbers) > 1:
        return False
    for each in turn.scene.staff.values():
        if each.who in whos:
            each.person = next(iter(numbers or whos))
            turn.touch(each)
    return True


def hear(turn: Turn, conversation: Conversation, member: Staff, message: IncomingMessage) -> None:
    """Hear a member of the staff in their own chat."""
    language = member.language
    if message.press:
        press(turn, conversation, member, message)
    elif message.command in ("cases", "start"):
        worklist(turn, member)
    elif message.command == "cancel" and conversation.state == "composing":
        conversation.make("rest")
        conversation.case_id = None
        turn.tell_staff(member, turn.say(language, "staff.dropped"))
    elif message.command == "register":
        _register(turn, conversation, member, message.argument)
    elif message.command:
        find(turn, member, f"{message.command} {message.argument}")
    elif (said := _registers(turn, message.text)) is not None:
        _register(turn, conversation, member, said)
    elif conversation.state == "composing":
        if not _proves(turn, conversation, member, message):
            compose(turn, conversation, member, message.text)
    else:
        find(turn, member, message.text)


def _proves(turn: Turn, conversation: Conversation, member: Staff, message: IncomingMessage) -> bool:
    """Take the file for which a duty waits; False if no duty does."""
    act, _, detail = conversation.words.act.partition(":")
    if act != "duty":
        return False
    try:
        return duties.take(turn, conversation, member, int(detail), message)
    except PlaintError as error:
        conversation.make("rest")
        turn.tell_staff(member, turn.say(member.language, error.key, **error.values))
        return True


def _registers(turn: Turn, text: str) -> str | None:
    """Return what follows the word that enters a complaint for a customer; None if the text does not begin with it.

    Where nothing parts the word from what follows, that must read like a complaint ("where is the register?").
    """
    for language in turn.policy().languages:
        for word in turn.say(language, "staff.register_words").split():
            rest = text[len(word) :]
            if text[: len(word)].casefold() != word.casefold():
                continue
            if not rest[:1].isalnum():
                return re.sub(r"^\W+", "", rest)
            reading = turn.book.reader.read(rest)
            clear = len(rest) >= _SAID and cases.clear(turn, reading)
            if not word.isascii() and (clear or reading.slots):
                return rest
    return None


def _register(turn: Turn, conversation: Conversation, member: Staff, text: str) -> None:
    if not rights.works(turn, member):
        turn.tell_staff(member, turn.say(member.language, "error.not_allowed"))
        return
    if conversation.state == "composing":  # or it would be sent to whoever is being written to
        dropped = conversation.words.act != "register"
        conversation.make("rest")
        conversation.case_id = None
        if dropped:
            turn.tell_staff(member, turn.say(member.language, "staff.dropped"))
    if text.strip():
        registering.register(turn, member, text.strip())
        return
    conversation.make("ask_staff")
    conversation.case_id, conversation.words.act = None, "register"
    turn.tell_staff(
        member, turn.say(member.language, "staff.ask.register") + "\n" + turn.say(member.language, "staff.compose")
    )


def leave(turn: Turn, member: Staff) -> None:
    """Take a member of the staff off the desk: they hear, see and do nothing any more, and their cases go back."""
    conversation = turn.scene.conversations.get(member.conversation_id or 0)
    if conversation is not None:
        conversation.staff_id, conversation.case_id = None, None
        if conversation.state == "composing":
            conversation.make("rest")
        turn.touch(conversation)
    member.active, member.code_hash, member.code_until = False, "", None
    member.conversation_id, member.chat = None, ""
    turn.touch(member)
    for case in turn.ledger.owned(member.id):
        turn.set_timer(case, "orphan", turn.now)


def worklist(turn: Turn, member: Staff) -> None:
    """List the open cases that concern this member of the staff: urgent ones, then the nearest deadline (S3-3.1i)."""
    found, language = _open(turn, member), member.language
    if not found:
        turn.tell_staff(member, turn.say(language, "staff.none"))
        return
    lines = [turn.say(language, "staff.list")]
    for case in found:
        due = case.due_at
        key = "staff.line_open" if due is None else "staff.line_late" if due < turn.now else "staff.line"
        title = turn.policy(case).lifecycle.state(case.state).title[language]
        owner = turn.owner(case)
        lines.append(turn.say(language, key, number=case.number, state=title,
                              date=turn.moment(language, due) if due else "",
                              owner=owner.name if owner else turn.say(language, "staff.nobody")))  # fmt: skip
    shown = [
        turn.button(case.number, Token(scope="s", case_id=case.id, stamp=case.cycle, value=SHOW)) for case in found
    ]
    turn.tell_staff(member, "\n".join(lines), [shown[i : i + 2] for i in range(0, len(shown), 2)])


def _open(turn: Turn, member: Staff) -> list[Case]:
    """Return the first open cases that this member of the staff sees: what they may not see stands between them."""
    roles = None if rights.everywhere(turn, member) else sorted(turn.policy().routing.held(member.roles))
    most = _LISTED
    while True:
        known = turn.ledger.open_cases(roles, most, member=member.id)
        found = [case for case in known if case.facts.resolved_at is None and rights.sees(turn, case, member)]
        if len(found) >= _LISTED or len(known) < most:
            return found[:_LISTED]
        most *= 4


def find(turn: Turn, member: Staff, text: str) -> None:
    """Offer the case whose number was typed, if it is theirs to see; else say what can be done here."""
    try:
        number = numbers.parse(text, turn.policy().number.prefix)
    except numbers.Mistyped as error:
        turn.tell_staff(member, turn.say(member.language, error.key, **error.values))
        return
    found = turn.ledger.case_by_number(number) if number else None
    if found is None:
        turn.tell_staff(member, turn.say(member.language, "staff.unknown_number" if number else "staff.help"))
        return
    if not rights.sees(turn, found, member):
        turn.tell_staff(member, turn.say(member.language, "error.not_allowed"))
        return
    rows = [[turn.button(found.number, Token(scope="s", case_id=found.id, stamp=found.cycle, value=SHOW))]]
    turn.tell_staff(member, turn.say(member.language, "staff.found", number=found.number), rows)


def press(turn: Turn, conversation: Conversation, member: Staff, message: IncomingMessage) -> None:
    """Serve a button that a member of the staff pressed, here or in the group."""
    token = parse(message.press)
    if token is not None and token.scope == "d":
        _press_duty(turn, conversation, member, token, message)
        return
    case = turn.case(token.case_id) if token is not None and token.scope == "s" else None
    language = member.language
    if token is None or case is None:
        toast(turn, message, turn.say(language, "error.stale"))
        return
    try:
        done = _pressed(turn, conversation, member, case, token, message)
    except PlaintError as error:
        toast(turn, message, turn.say(language, error.key, **{"number": case.number, **error.values}))
        return
    toast(turn, message, done)


def _press_duty(turn: Turn, conversation: Conversation, member: Staff, token: Token, message: IncomingMessage) -> None:
    try:
        toast(turn, message, duties.press(turn, conversation, member, token))
    except PlaintError as error:
        toast(turn, message, turn.say(member.language, error.key, **error.values))


def _pressed(
    turn: Turn, conversation: Conversation, member: Staff, case: Case, token: Token, message: IncomingMessage
) -> str:
    language = member.language
    if token.value == SHOW:
        acts.show(turn, case, member)
        return turn.say(language, "staff.in_private") if message.address.group else ""
    if token.value == cards.MORE:
        acts.more(turn, case, member)
        return turn.say(language, "staff.in_private") if message.address.group else ""
    if token.stamp != case.cycle:
        raise NotAllowed(key="error.stale")
    if token.value == "files":
        return _files(turn, case, member)
    own = rights.ACTS.get(token.value)
    if own is not None and own.each is not None and not signers.stands(case, token.detail):
        raise NotAllowed(key="error.stale")
    key = acts.needs(turn, case, member, token.value)
    if own is not None and own.options is not None and not token.detail:
        _ask_which(turn, case, member, token.value, own.options(turn, case, member))
        return turn.say(language, "staff.in_private") if message.address.group else ""
    if own is not None and own.options is not None and token.detail not in dict(own.options(turn, case, member)):
        raise NotAllowed(key="error.stale")
    if not key:
        acts.perform(turn, case, member, token.value, {"detail": token.detail})
        if own is not None and own.reads:
            return turn.say(language, "staff.in_private") if message.address.group else ""
        acts.show_again(turn, case, member)
        return turn.say(language, "staff.done")
    conversation.make("ask_staff")
    conversation.case_id = case.id
    conversation.words.act = f"{token.value}:{token.detail}"
    turn.touch(conversation)
    asked = [turn.say(language, key, number=case.number), *_fulfilled(turn, case, member, token.value)]
    turn.tell_staff(member, "\n".join([*asked, turn.say(language, "staff.compose")]))
    return turn.say(language, "staff.in_private") if message.address.group else ""


def _fulfilled(turn: Turn, case: Case, member: Staff, act: str) -> list[str]:
    """Return what somebody says by this act beside their words: that all of this was given."""
    move = rights.check(turn, case, member, act)
    owed = case.facts.decision.owed if case.facts.decision is not None else []
    if move is None or not move.fulfils or not owed:
        return []
    kinds = dict.fromkeys(turn.say(member.language, f"decision.remedy.{each.kind}") for each in owed)
    given = turn.say(member.language, "choices.joint").join(kinds)
    return [turn.say(member.language, "staff.fulfils", remedies=given)]


def compose(turn: Turn, conversation: Conversation, member: Staff, text: str) -> None:
    """Take what a member of the staff wrote for the act they had chosen."""
    language = member.language
    case = turn.case(conversation.case_id)
    act, _, detail = conversation.words.act.partition(":")
    if not text.strip():
        turn.tell_staff(member, turn.say(language, "error.text_missing"))
        return
    conversation.make("rest")
    conversation.case_id = None
    if act == "duty":
        _done_duty(turn, member, int(detail), text)
        return
    if act == "register":
        registering.register(turn, member, text.strip())
        return
    if case is None:
        turn.tell_staff(member, turn.say(language, "error.stale"))
        return
    try:
        acts.perform(turn, case, member, act, {"text": text, "detail": detail})
    except PlaintError as error:
        turn.tell_staff(member, turn.say(language, error.key, **{"number": case.number, **error.values}), case=case)
        return
    turn.tell_staff(member, turn.say(language, "staff.done"), case=case)
    acts.show_again(turn, case, member)


def _done_duty(turn: Turn, member: Staff, duty_id: int, note: str) -> None:
    try:
        duties.done(turn, member, duty_id, note)
    except PlaintError as error:
        turn.tell_staff(member, turn.say(member.language, error.key, **error.values))
        return
    turn.tell_staff(member, turn.say(member.language, "staff.done"))


def _ask_which(turn: Turn, case: Case, member: Staff, act: str, options: Sequence[tuple[str, str]]) -> None:
    """Let a member of the staff choose what an act is to be done with."""
    choices = [
        turn.button(label, Token(scope="s", case_id=case.id, stamp=case.cycle, value=act, detail=detail))
        for detail, label in options
    ]
    turn.tell_staff(
        member,
        turn.say(member.language, f"staff.which.{act}", number=case.number),
        [choices[i : i + 2] for i in range(0, len(choices), 2)],
        case=case,
    )


def _files(turn: Turn, case: Case, member: Staff) -> str:
    rights.check(turn, case, member, "files")
    acts.view(turn, case, member, "files")
    language = member.language
    for each in turn.ledger.evidence_of(case.id):
        caption = turn.say(
            language,
            f"staff.file.{each.state}",
            number=case.number,
            kind=turn.say(language, f"evidence.kind.{each.kind}"),
            size=-(-each.size // 1024),
            at=turn.moment(language, each.at),
        )
        here = each.words.get("channel") == member.channel and not each.words["ref"].startswith("page:")
        if each.state == "lost" or not (here or each.state == "kept"):
            turn.tell_staff(member, caption, case=case)
        else:
            kind: AttachmentKind = each.kind  # type: ignore[assignment] # written by evidence.py from an attachment
            ref = each.words["ref"] if here else ""
            turn.enclose(
                member, case, Enclosure(kind=kind, ref=ref, caption=caption, evidence_id=each.id, mime=each.mime)
            )
    return ""


def toast(turn: Turn, message: IncomingMessage, text: str) -> None:
    """End a press with a short word over the chat, or in it where the press was typed."""
    if message.press_ref:
        turn.press_answer = PressAnswer(ref=message.press_ref, text=text[:_TOAST])
    elif text and turn.speaker is not None:
        turn.tell(turn.scene.conversations[turn.speaker], text)
