"""Acts: what a member of the staff does with a case, from a messenger, the command line, or a page."""

from complaints.case import Case, Said
from complaints.clauses.lifecycle import Move
from complaints.conversation import Staff
from complaints.errors import BadInput, NotAllowed
from complaints.ports import Priority
from handlers import cards, cases, clocks, notices, reaching, rights
from handlers.turn import SYSTEM, Turn


def actor(member: Staff) -> str:
    """Return the name under which the journal knows a member of the staff."""
    return f"staff:{member.id}"


def needs(turn: Turn, case: Case, member: Staff, act: str) -> str:
    """Return the wording key of what must be written for an act, or "" if it needs no words."""
    move = rights.check(turn, case, member, act)
    if move is not None:
        return move.asks
    return f"staff.ask.{act}" if act in rights.WRITTEN else ""


def perform(turn: Turn, case: Case, member: Staff, act: str, text: str = "", detail: str = "") -> None:
    """Do it: one of the desk's own acts, or a move of the lifecycle. NotAllowed or BadInput leave nothing changed."""
    move = rights.check(turn, case, member, act)
    if (move.asks if move is not None else act in rights.WRITTEN) and not text.strip():
        raise BadInput(key="error.text_missing")
    if move is not None:
        _move(turn, case, member, move, text)
    elif act == "claim":
        claim(turn, case, member)
    elif act == "called":
        turn.record(case, "called", actor(member), words={"told": case.words.call, "text": text})
        reaching.reached(turn, case)
        if case.facts.asked:
            cases.answered(turn, case, actor(member))
        cases.happen(turn, case, "human_reply", actor(member))
    elif act == "release":
        cases.release(turn, case, actor(member))
        turn.retire(case, lambda language: turn.say(language, "staff.retired.released"))
        notices.alert(turn, case, ["department", "agents"], "staff.released", by=member.name)
    elif act == "note":
        turn.record(case, "noted", actor(member), words={"text": text})
        cases.happen(turn, case, "noted", actor(member))
    elif act == "reply":
        _write(turn, case, "case.reply", text)
        turn.record(case, "replied", actor(member), words={"text": text})
        cases.happen(turn, case, "human_reply", actor(member))
        cases.happen(turn, case, "replied", actor(member))
    elif act == "ask":
        _ask(turn, case, member, text)
    elif act == "appoint":
        clocks.appoint(turn, case, actor(member), text)
        cases.happen(turn, case, "appointed", actor(member))
    elif act == "extend":
        clocks.extend(turn, case, member, actor(member), text)
    elif act == "listen":
        case.facts.listen = False
        case.words.said.append(Said(at=turn.now, text=text))
        turn.record(case, "said", actor(member), facts={"transcribed": True}, words={"text": text})
        reading = turn.book.reader.read(text)
        cases.danger(turn, case, reading)
        cases.fill_from(turn, case, reading, text)
        if not case.type and reading.types:
            cases.set_type(turn, case, reading.types[0].id, SYSTEM, words=[hit.word for hit in reading.types[0].words])
    elif act == "retype":
        cases.set_type(turn, case, detail, actor(member))
        cases.happen(turn, case, "retyped", actor(member))
    else:
        raise NotAllowed(key="error.act", number=case.number)


def claim(turn: Turn, case: Case, member: Staff) -> None:
    """Give a case that nobody owns to this member of the staff: of two who press at once, one wins."""
    case.owner_id = member.id
    turn.record(case, "claimed", actor(member))
    turn.retire(case, lambda language: turn.say(language, "staff.retired.claimed", owner=member.name))
    cases.happen(turn, case, "claimed", actor(member))


def _write(turn: Turn, case: Case, key: str, text: str) -> None:
    conversation = turn.conversation_of(case)
    language = conversation.words.language
    # what a number typed after it would decide stands below it once more
    rows = cards.customer_buttons(turn, case, language) if turn.buttonless(conversation.channel) else ()
    told = turn.say(language, key, number=case.number, text=text)
    turn.tell(conversation, told, rows, priority=Priority.ANSWER, case=case)


def _ask(turn: Turn, case: Case, member: Staff, text: str) -> None:
    case.facts.asked = True
    case.words.question = text
    turn.record(case, "asked", actor(member), words={"text": text})
    cases.happen(turn, case, "human_reply", actor(member))
    cases.happen(turn, case, "asked", actor(member))
    clocks.pause(turn, case)
    conversation = turn.conversation_of(case)
    if conversation.state in ("idle", "replying", "surveying", "commenting"):  # the last question counts
        conversation.make("ask_reply")
        conversation.case_id = case.id
        turn.touch(conversation)
    _write(turn, case, "case.question", text)


def _move(turn: Turn, case: Case, member: Staff, move: Move, text: str) -> None:
    state = turn.policy(case).lifecycle.state(move.to)
    tells = move.tells and text and not rights.of_customer(move)
    if rights.of_customer(move):
        cases.decided(turn, case, move, actor(member))
    if tells:
        if state.resolved:
            case.words.result = text
        else:
            case.words.proposal = text
            turn.record(case, "proposed", actor(member), clause=move.clause, words={"text": text})
    cases.make(turn, case, move, actor(member), text=text)
    title = turn.policy(case).lifecycle.state(case.state).title
    turn.retire(case, lambda language: turn.say(language, "staff.retired.moved", state=title[language]))
    if tells:
        cases.happen(turn, case, "human_reply", actor(member))


def show(turn: Turn, case: Case, member: Staff) -> None:
    """Show a case to a member of the staff in their own chat, with the buttons of what they may do."""
    if not rights.sees(turn, case, member):
        raise NotAllowed(key="error.not_allowed")
    turn.tell_staff(member, cards.card(turn, case, member.language), cards.buttons(turn, case, member), case=case)
