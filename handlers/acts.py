"""Acts: what a member of the staff does with a case, from a messenger, the command line, or a page."""

from collections.abc import Callable, Mapping
from typing import Final

from complaints.case import Case, Said
from complaints.clauses.lifecycle import Move
from complaints.conversation import Staff
from complaints.errors import BadInput, NotAllowed
from complaints.ports import Priority
from handlers import (
    alarms,
    approving,
    cards,
    cases,
    clocks,
    concerning,
    deciding,
    decisions,
    intake,
    notices,
    outside,
    pausing,
    reaching,
    rights,
)
from handlers.turn import SYSTEM, Turn

#: What an act was given: its words, what was chosen, and whatever else it takes.
Given = Mapping[str, str]


def actor(member: Staff) -> str:
    """Return the name under which the journal knows a member of the staff."""
    return f"staff:{member.id}"


def needs(turn: Turn, case: Case, member: Staff, act: str) -> str:
    """Return the wording key of what must be written for an act, or "" if it needs no words."""
    move = rights.check(turn, case, member, act)
    if move is not None:
        return move.asks
    return f"staff.ask.{act}" if rights.ACTS[act].written else ""


def perform(turn: Turn, case: Case, member: Staff, act: str, values: Mapping[str, str] | None = None) -> None:
    """Do it: one of the desk's own acts, or a move of the lifecycle. NotAllowed or BadInput leave nothing changed.

    `values` hold the words (`text`), what was chosen (`detail`), and whatever else an act takes. Whoever does something
    with a case has seen the alarms that sounded.
    """
    given = {name: value.strip() for name, value in (values or {}).items()}
    move = rights.check(turn, case, member, act)
    own = rights.ACTS[act] if move is None else None
    written = bool(move.asks) if move is not None else own is not None and own.written
    if written and not given.get("text") and not (own is not None and own.instead and given.get(own.instead)):
        raise BadInput(key="error.text_missing")
    if own is not None and own.options is not None:
        possible = [detail for detail, _ in own.options(turn, case, member)]
        if given.get("detail") not in possible:
            raise BadInput(key="error.choice", given=given.get("detail", ""), possible=", ".join(possible))
    sounding = alarms.sounding(case) if rights.alarmed(turn, case, member) else {}
    if move is not None:
        _move(turn, case, member, move, given)
    else:
        _DO[act](turn, case, member, given)
    if own is not None and own.reads:
        return
    alarms.seen(turn, case, member, actor(member), sounding)
    if case.owner_id == member.id:
        cases.renew(turn, case)


def _claimed(turn: Turn, case: Case, member: Staff, given: Given) -> None:  # noqa: ARG001 # one signature for all acts
    claim(turn, case, member)


def _called(turn: Turn, case: Case, member: Staff, given: Given) -> None:
    turn.record(case, "called", actor(member), words={"told": case.words.call, "text": given["text"]})
    reaching.reached(turn, case)
    if case.facts.asked:
        cases.answered(turn, case, actor(member))
    cases.happen(turn, case, "human_reply", actor(member))


def _release(turn: Turn, case: Case, member: Staff, given: Given) -> None:  # noqa: ARG001
    cases.release(turn, case, actor(member))
    turn.retire(case, lambda language: turn.say(language, "staff.retired.released"))
    notices.alert(turn, case, ["department", "agents"], "staff.released", by=member.name)


def _note(turn: Turn, case: Case, member: Staff, given: Given) -> None:
    turn.record(case, "noted", actor(member), words={"text": given["text"]})
    cases.happen(turn, case, "noted", actor(member))


def _reply(turn: Turn, case: Case, member: Staff, given: Given) -> None:
    _write(turn, case, "case.reply", given["text"])
    turn.record(case, "replied", actor(member), words={"text": given["text"]})
    cases.happen(turn, case, "human_reply", actor(member))
    cases.happen(turn, case, "replied", actor(member))


def _appoint(turn: Turn, case: Case, member: Staff, given: Given) -> None:
    clocks.appoint(turn, case, actor(member), given["text"])
    cases.happen(turn, case, "appointed", actor(member))


def _extend(turn: Turn, case: Case, member: Staff, given: Given) -> None:
    if asked := clocks.extend(turn, case, member, actor(member), given["text"]):
        cases.happen(turn, case, asked, actor(member), text=given["text"])


def _listen(turn: Turn, case: Case, member: Staff, given: Given) -> None:
    text = given["text"]
    case.facts.listen = False
    case.words.said.append(Said(at=turn.now, text=text))
    turn.record(case, "said", actor(member), facts={"transcribed": True}, words={"text": text})
    reading = turn.book.reader.read(text)
    cases.danger(turn, case, reading)
    cases.fill_from(turn, case, reading, text)
    if not case.type and reading.types:
        cases.weigh(case, reading)
        cases.set_type(turn, case, reading.types[0].id, SYSTEM, words=[hit.word for hit in reading.types[0].words])


def _retype(turn: Turn, case: Case, member: Staff, given: Given) -> None:
    cases.set_type(turn, case, given["detail"], actor(member))
    cases.happen(turn, case, "retyped", actor(member))


def _grade(turn: Turn, case: Case, member: Staff, given: Given) -> None:
    name, _, value = given["detail"].partition("=")
    cases.set_grade(turn, case, name, value, actor(member), given["text"])


def _assign(turn: Turn, case: Case, member: Staff, given: Given) -> None:
    cases.assign(turn, case, given["detail"], actor(member))
    cases.happen(turn, case, "department_named", actor(member))


def _concerns(turn: Turn, case: Case, member: Staff, given: Given) -> None:
    concerned = int(given["detail"])
    if not concerning.keep_from(turn, case, concerned):
        raise NotAllowed(key="error.nobody_left", number=case.number)
    words = {"text": given["text"]} if given.get("text") else None
    turn.record(case, "concerns", actor(member), facts={"member": concerned}, words=words)
    cases.shut_out(turn, case)


def _why(turn: Turn, case: Case, member: Staff, given: Given) -> None:  # noqa: ARG001
    view(turn, case, member, "case")
    turn.tell_staff(member, cards.why(turn, case, member.language), case=case)


def _acknowledge(turn: Turn, case: Case, member: Staff, given: Given) -> None:  # noqa: ARG001
    alarms.seen(turn, case, member, actor(member), alarms.sounding(case))


def claim(turn: Turn, case: Case, member: Staff) -> None:
    """Give a case to this member of the staff, which nobody owns or its owner holds for their department.

    Of two who press at once, one wins. An owner who held it is told who has it now.
    """
    before = turn.owner(case)
    if case.owner_id is not None:
        turn.record(case, "handed_over", actor(member), facts={"from": case.owner_id, "department": case.department})
    if before is not None and before.active and not rights.kept_from(turn, case, before):
        told = turn.say(before.language, "staff.handed_over", number=case.number, owner=member.name)
        turn.tell_staff(before, told, case=case)
    case.owner_id, case.facts.held_for = member.id, ""
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


def _ask(turn: Turn, case: Case, member: Staff, given: Given) -> None:
    text = given["text"]
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


def _move(turn: Turn, case: Case, member: Staff, move: Move, given: Given) -> None:
    text = given.get("text", "")
    if move.solution == "told":
        text = text or case.words.proposal
    words = {**given, "text": text}
    decision = decisions.weigh(turn, case, actor(member), words) if move.decides is True else None
    if move.fulfils and given.get("remedy") and not decisions.covers(case, given["remedy"]):
        raise NotAllowed(key="error.remedy_open", number=case.number)
    if obstacle := rights.obstacle(turn, case, move, decision=decision):
        raise NotAllowed(key=obstacle, number=case.number)
    if rights.unconfirmed(turn, case, move):
        raise NotAllowed(key="error.unauthorised", number=case.number)
    if decision is not None:
        decisions.decide(turn, case, decision, actor(member), text, clause=move.clause)
    lifecycle = turn.policy(case).lifecycle
    if lifecycle.submits(move):
        intake.submit_for(turn, case, actor(member), move)
        return
    state = lifecycle.state(move.to or case.state)
    tells = move.tells and text and not rights.of_customer(move)
    if rights.of_customer(move):
        cases.decided(turn, case, move, actor(member))
    if tells:
        if state.resolved:
            case.words.result = text
        else:
            case.words.proposal = text
            turn.record(case, "proposed", actor(member), clause=move.clause, words={"text": text})
    elif move.solution == "drafted":
        case.words.proposal = text
    cases.make(turn, case, move, actor(member), text=text)
    title = turn.policy(case).lifecycle.state(case.state).title
    turn.retire(case, lambda language: turn.say(language, "staff.retired.moved", state=title[language]))
    if tells:
        cases.happen(turn, case, "human_reply", actor(member))
    if decision is not None:
        deciding.show(turn, case, member)


_DO: Final[dict[str, Callable[[Turn, Case, Staff, Given], None]]] = {
    "claim": _claimed,
    "ask": _ask,
    "reply": _reply,
    "note": _note,
    "appoint": _appoint,
    "extend": _extend,
    "listen": _listen,
    "called": _called,
    "retype": _retype,
    "grade": _grade,
    "assign": _assign,
    "release": _release,
    "why": _why,
    "concerns": _concerns,
    "acknowledge": _acknowledge,
    "approve": approving.approve,
    "refuse": approving.refuse,
    "countersign": approving.countersign,
    "hand_on": approving.hand_on,
    "recall": approving.recall,
    "hand_in": approving.hand_in,
    "decide": deciding.decide,
    "remedied": deciding.remedied,
    "external": outside.external,
    "reply_outside": outside.reply_outside,
    "authorise": outside.authorise,
    "pause": pausing.pause,
    "resume": pausing.resume,
}


def view(turn: Turn, case: Case, member: Staff, what: str) -> None:
    """Write into the journal that a member of the staff looks at personal data: the first time on each day.

    The days are those of the company's calendar. To be called wherever a case is shown, its files are sent, or its
    words are printed.
    """
    today = turn.now.astimezone(turn.book.calendar.zone).date()
    if case.facts.viewed.get(member.id) != today:
        known = {each: day for each, day in case.facts.viewed.items() if day == today}
        case.facts.viewed = {**known, member.id: today}
        turn.record(case, "viewed", actor(member), facts={"what": what})


def show_again(turn: Turn, case: Case, member: Staff) -> None:
    """Show a case after an act, if it is still for this member of the staff to see."""
    if rights.sees(turn, case, member):
        show(turn, case, member)


def more(turn: Turn, case: Case, member: Staff) -> None:
    """Show a member of the staff what is done rarely with a case."""
    if not rights.sees(turn, case, member):
        raise NotAllowed(key="error.not_allowed")
    rows = cards.more_buttons(turn, case, member)
    turn.tell_staff(member, turn.say(member.language, "staff.more", number=case.number), rows, case=case)


def show(turn: Turn, case: Case, member: Staff) -> None:
    """Show a case to a member of the staff in their own chat, with the buttons of what they may do."""
    if not rights.sees(turn, case, member):
        raise NotAllowed(key="error.not_allowed")
    view(turn, case, member, "case")
    turn.tell_staff(member, cards.card(turn, case, member.language), cards.buttons(turn, case, member), case=case)
