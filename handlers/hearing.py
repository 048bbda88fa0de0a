"""Hearing: who speaks, and what it belongs to. The first stop of everything that is said to the desk."""

import re
from dataclasses import replace
from datetime import timedelta
from typing import Final

from complaints import numbers
from complaints.case import Case
from complaints.clauses.form import FormField
from complaints.commands import Hear
from complaints.conversation import Conversation
from complaints.messages import Address, Choice, IncomingMessage
from complaints.ports import Option
from complaints.reading import Language, Reading
from complaints.tokens import Token, parse
from handlers import (
    agents,
    answering,
    cards,
    cases,
    choices,
    evidence,
    intake,
    linking,
    orders,
    reaching,
    rights,
    surveying,
)
from handlers.turn import CUSTOMER, Turn

#: More messages than this from one person within ten seconds are written down and not answered one by one.
FLOOD: Final = 20
_FLOOD_WINDOW: Final = 10
#: What reads like a question is a complaint all the same, and not for another system, where one type scores so much.
_OURS: Final = 0.8
_LISTED: Final = 5
#: Whoever asks where things stand has waited for this time.
_WAITED: Final = timedelta(hours=4)
#: What the reader calls words that only ask to go on (see `taxonomy.slots` of a policy).
_CHASER: Final = "chaser"
#: What a language is not read from: signs, and whatever holds a digit, such as a case number.
_WORDS: Final = re.compile(r"[A-Za-z-]*\d[\w-]*|[\W_]+")
_NEW: Final = "new"
_NUMBER_AND_LITTLE_MORE: Final = 20
_LINK: Final = "link-"
_CODE: Final = re.compile(r"[0-9]{8}")


def hear(command: Hear, turn: Turn) -> None:
    """Hear what a person says."""
    message = command.message
    if message.kind in ("unknown", "moved") and not message.sender:
        return
    turn.credit(message)
    conversation = turn.scene.by_address(speaker(message))
    member = None if conversation.staff_id is None else turn.scene.staff.get(conversation.staff_id)
    turn.touch(conversation)
    if message.address.group:
        _hear_group(turn, conversation, message)
        return
    if message.kind == "left":
        if member is not None:
            agents.leave(turn, member)
        return
    turn.speaker, turn.said_at = conversation.id, message.sent_at
    _greet(conversation, message)
    if message.kind == "blocked":
        reaching.leave(turn, conversation, message.address.channel, message.address.chat)
        for case in turn.cases_of(conversation):
            turn.record(case, "blocked", CUSTOMER)
        return
    conversation.reachable = True
    conversation.heard_at = turn.now
    if message.kind != "unknown" or message.credits:
        reaching.digest(turn, conversation)
    if message.kind in ("unblocked", "unknown", "moved"):
        turn.unclaimed = message.kind == "unknown" and message.address.channel in turn.book.shared
        return
    if (code := brought_code(message)) and _joined(turn, conversation, message, code):
        return
    if message.command in ("start", "bind") and message.argument and agents.bind(turn, conversation, message):
        return
    if conversation.state == "composing" and (member is None or not member.active):
        conversation.make("rest")  # someone who left the staff, in the middle of a sentence
    if member is not None and member.active:
        agents.hear(turn, conversation, member, message)
    else:
        _hear_customer(turn, conversation, message)


def speaker(message: IncomingMessage) -> Address:
    """Return the address of the speaker's own chat: a group belongs to nobody."""
    if not message.address.group:
        return message.address
    return Address(channel=message.address.channel, chat=message.sender)


def _greet(conversation: Conversation, message: IncomingMessage) -> None:
    words = conversation.words
    if conversation.heard_at is None:
        words.language = _language_of(message.language.lower())
    reaching.at_home(conversation, message.address)
    words.name = message.name or words.name


def brought_code(message: IncomingMessage) -> str:
    """Return the one-time code of another chat that a message may bring, as a command, a link or bare digits."""
    if message.command == "link":
        return message.argument
    if message.command == "start" and message.argument.startswith(_LINK):
        return message.argument.removeprefix(_LINK)
    text = message.text.strip()
    return text if _CODE.fullmatch(text) else ""


def _joined(turn: Turn, conversation: Conversation, message: IncomingMessage, code: str) -> bool:
    """Join the chats, or tell somebody who meant nothing else that the code is wrong; False if it is other words."""
    if turn.scene.by_code(code) is not None:
        let_go(turn, conversation)
    if linking.join(turn, conversation, code):
        return True
    alone = conversation.state == "idle" and not turn.cases_of(conversation)
    meant = message.command or (alone and message.address.channel not in turn.book.shared)
    if not meant or conversation.staff_id is not None:
        return False
    turn.tell(conversation, turn.say(conversation.words.language, "link.wrong"))
    return True


def _language_of(code: str) -> Language:
    """Return our language for a platform's language code; who tells none is spoken to in simplified Chinese."""
    if code in ("zh-hant", "zh-tw", "zh-hk", "zh-mo"):
        return "zh-Hant"
    return "en" if code and not code.startswith("zh") else "zh-Hans"


def _hear_group(turn: Turn, conversation: Conversation, message: IncomingMessage) -> None:
    member = None if conversation.staff_id is None else turn.scene.staff.get(conversation.staff_id)
    here = message.address.channel, message.address.chat
    if any((room.channel, room.chat) == here for room in turn.book.rooms):
        if message.press and member is not None and member.active:
            agents.press(turn, conversation, member, message)
        elif message.press:
            agents.toast(turn, message, turn.say(turn.policy().languages[0], "error.not_staff"))
        return
    if message.press:
        agents.toast(turn, message, turn.say(turn.policy().languages[0], "error.stale"))
    elif message.command:
        turn.tell_place(
            message.address,
            turn.say(turn.policy().languages[0], "group.private", link=turn.book.bot_link, chat=message.address.chat),
        )


# customers


def _hear_customer(turn: Turn, conversation: Conversation, message: IncomingMessage) -> None:
    words = conversation.words
    if message.press:
        agents.toast(turn, message, "")
        _pressed(turn, conversation, message)
        return
    if message.kind == "edit":
        _edited(turn, conversation, message)
        return
    if _flooded(turn, conversation, message):
        return
    text = message.text.strip()
    if message.phone and not text:
        text = message.phone
    if text and (token := choices.typed(conversation, text, turn.stands, turn.book.reader)):
        _pressed(turn, conversation, replace(message, kind="press", press=token))
        return
    if message.command == "start" and _scanned(turn, conversation, message.argument):
        return
    if _recognised(message):
        if conversation.state not in ("idle", "picking"):
            message = replace(message, attachments=())  # but the answer to the question on the table
        elif _decided(turn, conversation, message, text):
            return
    case = intake.case_in_form(turn, conversation)
    wish = message.command or (turn.book.reader.intent(text) if text else None) or ""
    if text and not wish and case is not None:
        wish = intake.wish_in(turn, conversation, case, text)
    if _not_ours(turn, conversation, message, text, wish):
        turn.unclaimed = True
        return
    if text and not wish and conversation.state == "idle":
        wish = _asked_for(turn, text)
    if wish in ("help", "human", "status", "new", "start", "link", "resume") and _wished(
        turn, conversation, message, wish
    ):
        return
    if message.command and wish not in ("back", "skip", "cancel", "edit"):
        _help(turn, conversation)
        return
    if any(each.ref for each in message.attachments):
        if not _begins_anew(conversation):
            case = case or _waiting(turn, conversation) or _only(turn, conversation)
            if case is None and (known := _open(turn, conversation)):
                _ask_which(turn, conversation, message, text, known)
                return
        if case is None:
            reading = _read(turn, conversation, text)
            case = intake.begin(turn, conversation, message, text, reading)
            evidence.take(turn, conversation, case, message)
        else:
            evidence.take(turn, conversation, case, message)
            if text:
                cases.hear(turn, case, message, text, _read(turn, conversation, text))
            _after_file(turn, conversation, case, message)
        return
    if not text and not message.command:
        turn.tell(conversation, turn.say(words.language, "hear.unreadable"))
        return
    if case is not None:
        intake.answer(turn, conversation, case, message, "", "" if message.command else text, wish=wish)
    elif message.command or (wish == "cancel" and conversation.state in ("idle", "picking")):
        _command_outside_form(turn, conversation, message, wish)
    elif wish == "later":
        _waited_for(turn, conversation, message, text)
    else:
        _said_freely(turn, conversation, message, text)


def _help(turn: Turn, conversation: Conversation) -> None:
    key = "menu.help_words" if turn.buttonless(conversation.channel) else "menu.help_text"
    turn.tell(conversation, turn.say(conversation.words.language, key), intake.menu(turn, conversation))


def _recognised(message: IncomingMessage) -> bool:
    """Tell whether this is a voice message in which the platform has recognised words."""
    return bool(message.text and message.attachments) and all(each.kind == "voice" for each in message.attachments)


def _asked_for(turn: Turn, text: str) -> str:
    """Return what a message that answers nothing asks for, in other than the known words; "" if it may complain."""
    wish = turn.book.reader.wish(text)
    asks = wish in ("help", "human", "status") and turn.book.reader.read(text).kind != "complaint"
    return wish if wish and asks else ""


def _not_ours(turn: Turn, conversation: Conversation, message: IncomingMessage, text: str, wish: str) -> bool:
    """Tell whether another system that listens on this channel too should have the message: it is no complaint."""
    if message.address.channel not in turn.book.shared or conversation.state != "idle" or turn.cases_of(conversation):
        return False
    if wish and wish not in ("help", "start", "later", "said", "refuses", "unknown_value"):
        return False
    reading = turn.book.reader.read(text)
    return not (reading.flags or reading.kind == "complaint" or cases.clear(turn, reading, least=_OURS))


def _scanned(turn: Turn, conversation: Conversation, scene: str) -> bool:
    """Take what a scanned code tells (`order_no--YX2025--model--LX2`): it need not be asked for. False if nothing."""
    parts = scene.split("--")
    policy = turn.policy()
    given = dict(zip(parts[::2], parts[1::2], strict=False)) if len(parts) > 1 else {}
    known = {}
    for name, value in given.items():
        if name == "type":
            if any(each.id == value for each in policy.taxonomy.types):
                known[name] = value
        elif policy.form.has(name) and _fits(policy.form.field(name), value):
            known[name] = value
    if not known:
        return False
    let_go(turn, conversation)
    conversation.words.known = known
    language = conversation.words.language
    case = intake.case_in_form(turn, conversation)
    if case is not None:
        cases.fill_known(turn, conversation, case)
        turn.tell(conversation, turn.say(language, "menu.finish_first", number=case.number), case=case)
        intake.proceed(turn, conversation, case)
        return True
    conversation.make("ask_which")  # and it is known which: the next words are a new complaint
    conversation.case_id, conversation.words.options = None, [_NEW]
    shown = [policy.taxonomy.type(v).title[language] if k == "type" else v for k, v in known.items()]
    about = turn.say(language, "choices.joint").join(shown)
    turn.tell(conversation, turn.say(language, "menu.what_happened_about", about=about))
    return True


def _fits(each: FormField, value: str) -> bool:
    """Tell whether a scanned code may fill this field: never with who the customer is, or how to reach them."""
    if each.personal or each.kind in ("files", "contact") or not 0 < len(value) <= each.max_length:
        return False
    allowed = {choice.id for choice in each.choices}
    return (not allowed or value in allowed) and (not each.pattern or re.fullmatch(each.pattern, value) is not None)


def _understood(turn: Turn, conversation: Conversation, text: str) -> Reading:
    return turn.book.reader.read(text, hint=conversation.words.language, at=turn.heard_here())


def _read(turn: Turn, conversation: Conversation, text: str) -> Reading:
    """Read free words, and answer from now on in their language."""
    reading = _understood(turn, conversation, text)
    if len(_WORDS.sub("", text)) >= 4:  # noqa: PLR2004 # shorter words, and bare numbers, tell nothing of a language
        conversation.words.language = reading.language
    return reading


def _flooded(turn: Turn, conversation: Conversation, message: IncomingMessage) -> bool:
    if message.command == "resume" or message.attachments:
        return False
    second = int(turn.now.timestamp())
    recent = [at for at in conversation.words.recent if second - at < _FLOOD_WINDOW]
    conversation.words.recent = [*recent[-FLOOD * 2 :], second]
    if len(recent) < FLOOD:
        return False
    case = intake.case_in_form(turn, conversation) or _only(turn, conversation)
    if case is not None and message.text:
        turn.record(case, "said", CUSTOMER, words={"text": message.text})
    if len(recent) == FLOOD:
        turn.tell(conversation, turn.say(conversation.words.language, "hear.flood"), case=case)
    return True


def _wished(turn: Turn, conversation: Conversation, message: IncomingMessage, wish: str) -> bool:
    case = intake.case_in_form(turn, conversation)
    language = conversation.words.language
    if wish == "help":
        _help(turn, conversation)
    elif wish == "start" and case is None:
        text = turn.say(language, "menu.welcome", company=turn.policy().title[language])
        turn.tell(conversation, text, intake.menu(turn, conversation))
    elif wish == "link":
        linking.offer(turn, conversation)
    elif wish == "resume":
        _resume(turn, conversation, case)
    elif wish == "status":
        _asked_after(turn, conversation)
    elif wish == "human":
        _human(turn, conversation, message, case)
        return True
    elif wish == _NEW and _keeps(conversation):
        _attach(turn, conversation, _NEW)
        return True
    elif wish == _NEW and case is None:
        conversation.make("ask_which")  # and it is known which: the next words are a new complaint
        conversation.case_id, conversation.words.options = None, [_NEW]
        turn.tell(conversation, turn.say(language, "menu.what_happened"))
        return True
    elif wish == _NEW and case is not None:
        turn.tell(conversation, turn.say(language, "menu.finish_first", number=case.number))
    if case is not None:
        intake.ask_again(turn, conversation, case)
    return True


def _resume(turn: Turn, conversation: Conversation, case: Case | None) -> None:
    """Say where things stand to somebody who opens their page: the question on the table, else what they may decide."""
    if case is not None:
        return  # it is asked again by whoever called
    waiting = turn.case(conversation.case_id)
    if conversation.state == "surveying" and waiting is not None and surveying.ask_again(turn, conversation, waiting):
        return
    language = conversation.words.language
    status(turn, conversation)
    for each in _open(turn, conversation):
        rows = cards.customer_buttons(turn, each, language)
        if rows and (told := cards.proposed(turn, each)):
            text = turn.say(language, "tell.proposal", number=each.number, text=told)
            turn.tell(conversation, text, rows, case=each)


def _human(turn: Turn, conversation: Conversation, message: IncomingMessage, case: Case | None) -> None:
    case = case or _waiting(turn, conversation) or next(iter(reversed(_open(turn, conversation))), None)
    if case is None:
        case = cases.open_case(turn, conversation, message, message.text, _read(turn, conversation, message.text))
    if not case.facts.human:
        cases.call_human(turn, case, CUSTOMER)
    else:
        _chase(turn, case)
    turn.tell(conversation, turn.say(conversation.words.language, "human.called", number=case.number), case=case)
    if intake.case_in_form(turn, conversation) is case:
        intake.ask_again(turn, conversation, case)


def _command_outside_form(turn: Turn, conversation: Conversation, message: IncomingMessage, wish: str) -> None:
    language = conversation.words.language
    if wish == "cancel":
        asked = conversation.state != "idle"
        conversation.make("rest")
        conversation.case_id = None
        case = None if asked else _only(turn, conversation)
        if case is not None and intake.withdrawal(turn, case) is not None:
            conversation.case_id = case.id
            intake.ask_cancel(turn, conversation, case)
            return
    turn.tell(conversation, turn.say(language, "menu.nothing_open"), intake.menu(turn, conversation))
    del message


def status(turn: Turn, conversation: Conversation) -> None:
    """List the customer's complaints with state and next date, in plain words."""
    language = conversation.words.language
    shown = {case.id: case for case in turn.ledger.cases_of(conversation.id, _LISTED)}
    shown.update({case.id: case for case in turn.cases_of(conversation)})
    if not shown:
        turn.tell(conversation, turn.say(language, "status.none"), intake.menu(turn, conversation))
        return
    lines = [turn.say(language, "status.head")]
    for case in sorted(shown.values(), key=lambda case: case.id, reverse=True)[:_LISTED]:
        state = turn.policy(case).lifecycle.state(case.state).title[language]
        promised = case.promised_at
        if case.facts.asked:
            next_ = turn.say(language, "status.asked", question=case.words.question)
        elif not case.facts.complete and case.open:
            next_ = turn.say(language, "status.form")
        elif promised is not None and promised > turn.now:
            next_ = turn.say(language, "status.date", date=turn.promise(language, promised, case))
        elif case.open and case.facts.resolved_at is None:
            next_ = turn.say(language, "status.working")
        else:
            next_ = ""
        lines.append(turn.say(language, "status.line", number=case.number, state=state,
                              type=cards.type_title(turn, case, language), next=next_).rstrip())  # fmt: skip
    turn.tell(conversation, "\n\n".join(lines), turn.page_link(conversation))


def _open(turn: Turn, conversation: Conversation) -> list[Case]:
    """Return the cases a customer may mean: open ones, and those that may still be reopened."""
    within = timedelta(days=turn.policy().lifecycle.reopen_within)
    return [
        case
        for case in turn.cases_of(conversation)
        if case.open and (case.facts.resolved_at is None or turn.now - case.facts.resolved_at <= within)
    ]


def _waiting(turn: Turn, conversation: Conversation) -> Case | None:
    """Return the case that is asking the customer something: the question on the table, else the only one that asks."""
    if conversation.state in ("replying", "explaining"):
        case = turn.case(conversation.case_id)
        if case is not None and case.conversation_id == conversation.id and case.open:
            return case
    asking = [case for case in _open(turn, conversation) if case.facts.asked]
    return asking[0] if len(asking) == 1 else None


def _only(turn: Turn, conversation: Conversation) -> Case | None:
    found = _open(turn, conversation)
    return found[0] if len(found) == 1 else None


def _said_freely(turn: Turn, conversation: Conversation, message: IncomingMessage, text: str) -> None:
    words = conversation.words
    language = words.language
    state = conversation.state
    case = turn.case(conversation.case_id)
    if _begins_anew(conversation) and turn.book.reader.read(text).kind not in ("greeting", "thanks"):
        reading = _read(turn, conversation, text)
        conversation.make("rest")
        intake.begin(turn, conversation, message, text, reading)
        return
    if state == "explaining" and case is not None:
        _explained(turn, conversation, case, message, text)
        return
    waiting = _waiting(turn, conversation)
    if waiting is not None:
        _replied(turn, conversation, waiting, message, text)
        return
    if state == "picking":
        picked = _picked_by_words(turn, conversation, text)
        if picked:
            _attach(turn, conversation, picked)
            return
    if state in ("surveying", "commenting") and case is not None and _survey_words(turn, conversation, case, text):
        return
    if _decided(turn, conversation, message, text):
        return
    reading = _read(turn, conversation, text)
    language = words.language
    if _number_alone(turn, conversation, text):
        return
    known = _open(turn, conversation)
    if reading.kind in ("greeting", "thanks") and not reading.flags:
        turn.tell(conversation, turn.say(language, f"hear.{reading.kind}"), intake.menu(turn, conversation))
    elif not known or _found_later(turn, known, reading):
        if conversation.state != "idle":
            conversation.make("rest")
        intake.begin(turn, conversation, message, text, reading)
    else:
        if len(known) == 1 and (told := answering.corrected(turn, known[0], text)):
            cases.hear(turn, known[0], message, text, reading)
            _chase(turn, known[0])
            turn.tell(conversation, told, case=known[0])
            return
        if len(known) == 1 and known[0].facts.resolved_at is None and reading.slot(_CHASER) is not None:
            cases.hear(turn, known[0], message, text, reading)
            _chase(turn, known[0])
            if conversation.state != "idle":
                conversation.make("rest")
            turn.tell(conversation, turn.say(language, "hear.added", number=known[0].number), case=known[0])
            return
        if reading.flags:  # a danger does not wait until it is clear where the words belong
            cases.danger(turn, known[-1], reading)
        _ask_which(turn, conversation, message, text, known)


def _found_later(turn: Turn, known: list[Case], reading: Reading) -> bool:
    """Tell whether the customer, asked how it went, names another trouble than the one that was settled.

    That is a complaint of its own. Where another case is open too, where it is the same trouble, or not clear which,
    they are asked.
    """
    case, best = (known[0] if len(known) == 1 else None), (reading.types[0] if reading.types else None)
    if case is None or best is None or case.facts.resolved_at is None or surveying.running(turn, case) is None:
        return False
    return cases.clear(turn, reading) and best.id != case.type and reading.kind == "complaint"


def _waited_for(turn: Turn, conversation: Conversation, message: IncomingMessage, text: str) -> None:
    """Give the customer time for the question on the table; who asked it reads that they asked for time."""
    case = turn.case(conversation.case_id) if conversation.state == "replying" else None
    if case is not None and case.open:
        cases.hear(turn, case, message, text, _understood(turn, conversation, text))
        _chase(turn, case)
    intake.wait(turn, conversation, case)


def _begins_anew(conversation: Conversation) -> bool:
    """Tell whether the customer has asked for a new complaint: what they say next is one."""
    return conversation.state == "picking" and conversation.words.options == [_NEW]


def _decided(turn: Turn, conversation: Conversation, message: IncomingMessage, text: str) -> bool:
    """Take a yes or no in words to the only proposal that waits for one; a no brings its own reason."""
    mine = {case.id: [move for move in rights.moves(turn, case) if move.button] for case in _open(turn, conversation)}
    waiting = [case_id for case_id, moves in mine.items() if any(move.counts == "rejection" for move in moves)]
    agreed = turn.book.reader.consent(text) if len(waiting) == 1 else None
    if agreed is None:
        return False
    case = turn.case(waiting[0])
    move = next((each for each in mine[waiting[0]] if (each.counts == "rejection") != agreed), None)
    if case is None or move is None:
        return False
    if conversation.state != "idle":
        conversation.make("rest")
    cases.hear(turn, case, message, text, _understood(turn, conversation, text))
    _customer_move(turn, conversation, case, move.id, "" if agreed else text)
    return True


def _number_alone(turn: Turn, conversation: Conversation, text: str) -> bool:
    """Answer a message that is little more than a case number: with the state, or with a word on its typing mistake."""
    if len(text) > _NUMBER_AND_LITTLE_MORE:
        return False
    try:
        number = numbers.parse(text, turn.policy().number.prefix)
    except numbers.Mistyped as error:
        turn.tell(conversation, turn.say(conversation.words.language, error.key, **error.values))
        return True
    if number is None:
        return False
    _asked_after(turn, conversation)
    return True


def _survey_words(turn: Turn, conversation: Conversation, case: Case, text: str) -> bool:
    question = surveying.asked(turn, case)
    if question is None or case.conversation_id != conversation.id:
        return False
    if not question.scale:
        skip = turn.book.reader.intent(text) in ("skip", "no", "refuses")
        return surveying.answer(turn, conversation, case, question.id, 0, "" if skip else text)
    options = [Option(id=str(score), labels=(str(score),)) for score in range(1, question.scale + 1)]
    chosen = turn.book.reader.choose(text, options) if len(text) <= 6 else None  # noqa: PLR2004 # a score, not a story
    return chosen is not None and surveying.answer(turn, conversation, case, question.id, int(chosen))


def _ask_which(turn: Turn, conversation: Conversation, message: IncomingMessage, text: str, known: list[Case]) -> None:
    """Ask which complaint the words belong to; they are kept until that is said."""
    words = conversation.words
    more = conversation.state == "picking"
    kept = f"{words.kept}\n{text}".strip() if more else text
    words.kept_files = [*(words.kept_files if more else ()), *message.attachments]
    if more and message.album and message.album == words.album:
        return  # the question has been asked: an album is one answer
    words.album = message.album
    conversation.make("ask_which")
    words.kept, words.kept_ref, words.kept_at = kept[:4000], message.ref, message.sent_at
    words.options = [*(str(case.id) for case in known[-_LISTED:]), _NEW]
    language = words.language
    rows: list[list[Choice]] = [
        [turn.question_button(conversation, f"{case.number} {cards.type_title(turn, case, language)}", f"w{index}")]
        for index, case in enumerate(known[-_LISTED:])
    ]
    rows.append([turn.question_button(conversation, turn.say(language, "which.new"), f"w{len(rows)}")])
    turn.tell(conversation, turn.say(language, "which.ask"), rows)
    turn.set_timer(known[-1], "kept", turn.now + timedelta(hours=turn.policy().form.nudge_after))


def _keeps(conversation: Conversation) -> bool:
    return conversation.state == "picking" and bool(conversation.words.kept or conversation.words.kept_files)


def let_go(turn: Turn, conversation: Conversation) -> None:
    """Give words to the newest complaint whose customer never said where they belong: they must reach somebody."""
    if _keeps(conversation):
        known = _open(turn, conversation)
        _attach(turn, conversation, str(known[-1].id) if known else _NEW)
        turn.touch(conversation)


def _picked_by_words(turn: Turn, conversation: Conversation, text: str) -> str:
    words = conversation.words
    labels = []
    for id_ in words.options:
        case = turn.case(int(id_)) if id_ != _NEW else None
        label = turn.say(words.language, "which.new") if case is None else case.number
        labels.append(Option(id=id_, labels=(label,)))
    return turn.book.reader.choose(text, labels) or ""


def _attach(turn: Turn, conversation: Conversation, picked: str) -> None:
    """Add the kept words to the case that was picked, or open a new one for them."""
    words = conversation.words
    case = turn.case(int(picked)) if picked != _NEW else None
    text, ref, at = words.kept, words.kept_ref, words.kept_at or turn.now
    files, words.kept_files = tuple(words.kept_files), []
    words.kept = words.kept_ref = ""
    message = IncomingMessage(
        key="",
        kind="text",
        address=Address(channel=conversation.channel, chat=words.chat),
        sender=words.chat,
        sent_at=at,
        text=text,
        ref=ref,
        attachments=files,
    )
    reading = turn.book.reader.read(text, hint=words.language, at=turn.heard_here(at))
    conversation.make("rest")
    if case is None or case.conversation_id != conversation.id or not case.open:
        conversation.case_id = None
        evidence.take(turn, conversation, intake.begin(turn, conversation, message, text, reading), message)
        return
    cases.hear(turn, case, message, text, reading)
    evidence.take(turn, conversation, case, message)
    _chase(turn, case)
    if told := answering.corrected(turn, case, text):
        turn.tell(conversation, told, case=case)
    turn.tell(conversation, turn.say(words.language, "hear.added", number=case.number), case=case)
    if not case.facts.complete:
        conversation.case_id = case.id
        intake.proceed(turn, conversation, case)


def _chase(turn: Turn, case: Case) -> None:
    _count(turn, case)
    cases.happen(turn, case, "customer_wrote", CUSTOMER)


def _asked_after(turn: Turn, conversation: Conversation) -> None:
    """Say where things stand; who asks that while people owe them something has chased, not sooner than some hours.

    Whoever looks right after they complained, or looks again, only wants to know.
    """
    for case in _open(turn, conversation):
        waits = case.facts.complete and case.facts.resolved_at is None and not case.facts.asked
        since = case.facts.chased_at or case.opened_at
        if waits and not rights.decides(turn, case) and turn.now - since >= _WAITED:
            _count(turn, case)
    status(turn, conversation)


def _count(turn: Turn, case: Case) -> None:
    """Count that the customer has come after their case again; a flag or a grade may follow from how often."""
    case.facts.chasers += 1
    case.facts.chased_at = turn.now
    turn.touch(case)
    cases.regrade(turn, case)


def _replied(turn: Turn, conversation: Conversation, case: Case, message: IncomingMessage, text: str) -> None:
    """Take the answer to an agent's question: the clocks run again."""
    cases.hear(turn, case, message, text, _understood(turn, conversation, text))
    _answered(turn, conversation, case)


def _answered(turn: Turn, conversation: Conversation, case: Case) -> None:
    cases.answered(turn, case, CUSTOMER)
    if conversation.state == "replying":
        conversation.make("rest")
        conversation.case_id = None
    turn.tell(conversation, turn.say(conversation.words.language, "hear.passed_on", number=case.number), case=case)


def _after_file(turn: Turn, conversation: Conversation, case: Case, message: IncomingMessage) -> None:
    if intake.case_in_form(turn, conversation) is case:
        if not message.album or conversation.state != "filling":
            intake.ask_again(turn, conversation, case)
    elif case.facts.asked:
        _answered(turn, conversation, case)
    else:
        _chase(turn, case)


def _edited(turn: Turn, conversation: Conversation, message: IncomingMessage) -> None:
    """Put the new words of an edited message in the place of the old ones; the journal keeps both."""
    for case in turn.cases_of(conversation):
        for said in case.words.said:
            if said.ref and said.ref == message.ref and case.open:
                turn.record(case, "edited", CUSTOMER, words={"before": said.text, "text": message.text})
                said.text = message.text
                cases.danger(turn, case, turn.book.reader.read(message.text, hint=conversation.words.language))
                turn.tell(
                    conversation, turn.say(conversation.words.language, "hear.edited", number=case.number), case=case
                )
                return


def _explained(turn: Turn, conversation: Conversation, case: Case, message: IncomingMessage, text: str) -> None:
    """Take the reason a customer gives for a move, and make it."""
    move_id = conversation.words.question
    conversation.words.question = ""
    conversation.make("rest")
    conversation.case_id = None
    cases.hear(turn, case, message, text, _understood(turn, conversation, text))
    _customer_move(turn, conversation, case, move_id, text)
    intake.go_on(turn, conversation)


def _customer_move(turn: Turn, conversation: Conversation, case: Case, move_id: str, text: str = "") -> None:
    language = conversation.words.language
    move = next((each for each in rights.moves(turn, case) if each.id == move_id), None)
    if move is None:
        turn.tell(conversation, turn.say(language, "error.stale"))
        return
    if rights.unconfirmed(turn, case, move):
        orders.ask_to_confirm(turn, case)
        return
    if rights.obstacle(turn, case, move):
        if move.id not in case.facts.waiting:
            cases.decided(turn, case, move, CUSTOMER)
            cases.defer(turn, case, move, CUSTOMER)
        turn.tell(conversation, turn.say(language, "case.deferred", number=case.number), case=case)
        return
    cases.decided(turn, case, move, CUSTOMER)
    cases.make(turn, case, move, CUSTOMER, text=text)


def _pressed(turn: Turn, conversation: Conversation, message: IncomingMessage) -> None:
    token = parse(message.press)
    language = conversation.words.language
    if token is None or token.scope == "s":
        agents.toast(turn, message, turn.say(language, "error.stale"))
    elif token.scope == "m" and token.value == "prefer":
        linking.prefer(turn, conversation, token.detail)
    elif token.scope == "m":
        _wished(
            turn, conversation, message, token.value if token.value in ("new", "status", "help", "human") else "help"
        )
    elif token.scope == "q":
        _question_pressed(turn, conversation, message, token)
    else:
        case = turn.case(token.case_id)
        if case is None or case.conversation_id != conversation.id:
            agents.toast(turn, message, turn.say(language, "error.stale"))
        elif token.scope == "v":
            _survey_pressed(turn, conversation, message, case, token)
        else:
            _move_pressed(turn, conversation, message, case, token)


def _question_pressed(turn: Turn, conversation: Conversation, message: IncomingMessage, token: Token) -> None:
    language = conversation.words.language
    if token.stamp != conversation.turn:
        agents.toast(turn, message, turn.say(language, "error.stale"))
        case = intake.case_in_form(turn, conversation)
        if case is not None:
            intake.ask_again(turn, conversation, case)
        return
    if conversation.state == "picking":
        index = int(token.value[1:]) if token.value[1:].isdigit() else -1
        if 0 <= index < len(conversation.words.options):
            _attach(turn, conversation, conversation.words.options[index])
        return
    case = intake.case_in_form(turn, conversation)
    if case is None:
        agents.toast(turn, message, turn.say(language, "error.stale"))
    elif token.value == "human":
        _human(turn, conversation, message, case)
    else:
        intake.answer(turn, conversation, case, message, token.value, "")


def _survey_pressed(turn: Turn, conversation: Conversation, message: IncomingMessage, case: Case, token: Token) -> None:
    score = int(token.detail) if token.detail.isdigit() and len(token.detail) <= 2 else -1  # noqa: PLR2004 # 0..10
    if token.stamp == case.cycle and surveying.answer(turn, conversation, case, token.value, score):
        return
    asked_again = token.stamp == case.cycle and surveying.ask_again(turn, conversation, case)
    key = "error.stale" if asked_again else "survey.over"
    agents.toast(turn, message, turn.say(conversation.words.language, key))


def _move_pressed(turn: Turn, conversation: Conversation, message: IncomingMessage, case: Case, token: Token) -> None:
    language = conversation.words.language
    move = next((each for each in rights.moves(turn, case) if each.id == token.value), None)
    if move is None or token.stamp != case.round or not _in_time(turn, case):
        agents.toast(turn, message, turn.say(language, "error.stale"))
        return
    if not move.asks:
        if conversation.state == "explaining" and conversation.case_id == case.id:
            conversation.make("rest")
            conversation.case_id = None
        _customer_move(turn, conversation, case, move.id)
        return
    conversation.make("ask_reason")
    conversation.case_id = case.id
    conversation.words.question = move.id
    turn.tell(conversation, turn.say(language, move.asks, number=case.number), case=case)


def _in_time(turn: Turn, case: Case) -> bool:
    within = timedelta(days=turn.policy(case).lifecycle.reopen_within)
    return case.facts.resolved_at is None or turn.now - case.facts.resolved_at <= within
