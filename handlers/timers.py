"""Timers: something falls due. Ask first whether it still matters; a service that was down asks late, and once."""

from datetime import datetime, timedelta

from complaints.case import Case
from complaints.commands import Fire
from handlers import alarms, cases, clocks, duties, hearing, intake, notices, reaching, surveying
from handlers.turn import SYSTEM, Turn


def fire(command: Fire, turn: Turn) -> None:
    """See to a timer that fell due, if it still stands."""
    if command.subject == duties.SUBJECT:
        if turn.scene.timers.get((command.subject, command.name), turn.now + _hours(1)) <= turn.now:
            duties.look(turn, command.conversation_id)
        return
    kind, _, identity = command.subject.partition(":")
    if kind != "case":
        return
    due_at = turn.scene.timers.get((command.subject, command.name))
    case = turn.case(int(identity))
    if case is None or due_at is None or due_at > turn.now:
        return
    turn.set_timer(case, command.name, None)
    turn.touch(case)
    what, _, detail = command.name.partition(":")
    if what == "clock":
        for name in clocks.fire(turn, case, detail):
            cases.happen(turn, case, name, SYSTEM)
    elif what == "hold":
        clocks.hold(turn, case, detail)
    elif what == "pause":
        clocks.see_to_pause(turn, case, detail)
    elif what == "redate":
        clocks.redate(turn, case)
    elif what == "survey":
        surveying.fire(turn, case, detail)
    elif what == "nudge":
        _nudge(turn, case)
    elif what == "abandon":
        _abandon(turn, case)
    elif what == "kept":
        hearing.let_go(turn, turn.conversation_of(case))
    elif what == "call":
        reaching.call(turn, case)
    elif what == "orphan":
        _orphan(turn, case)
    elif what == "lease":
        cases.end_lease(turn, case)
    elif what == "alarm":
        alarms.fire(turn, case, detail)
    elif what == "archive":
        _archive(turn, case)


def _nudge(turn: Turn, case: Case) -> None:
    """Remind the customer of an unfinished form: once, politely, and not at night."""
    conversation = turn.conversation_of(case)
    if case.facts.complete or not case.open or case.facts.nudged or intake.case_in_form(turn, conversation) is not case:
        return
    begun = case.state != turn.policy(case).lifecycle.first  # by the desk: it waits for the customer all the same
    if not begun and _left_at(turn, case) <= turn.now:
        return  # a service that was down says only that it goes on without the customer
    wait = turn.policy(case).form.nudge_after
    heard = conversation.heard_at or case.opened_at
    due_at = turn.book.calendar.after_quiet(max(turn.now, heard + _hours(wait)), turn.policy().hours.quiet)
    if due_at > turn.now:
        turn.set_timer(case, "nudge", due_at)
        return
    case.facts.nudged = True
    turn.record(case, "nudged", SYSTEM)
    language = conversation.words.language
    turn.tell(conversation, turn.say(language, "form.nudge", number=case.number), case=case)  # with the question
    intake.ask_again(turn, conversation, case)
    turn.touch(conversation)


def _left_at(turn: Turn, case: Case) -> datetime:
    """Return when a form counts as left by a customer who has said nothing more."""
    heard = turn.conversation_of(case).heard_at or case.opened_at
    return heard + _hours(turn.policy(case).form.abandon_after)


def _abandon(turn: Turn, case: Case) -> None:
    """Let reception finish a form that the customer left: what was said is a complaint all the same."""
    conversation = turn.conversation_of(case)
    if case.facts.complete or not case.open or case.state != turn.policy(case).lifecycle.first:
        return
    due_at = _left_at(turn, case)
    if due_at > turn.now:
        turn.set_timer(case, "abandon", due_at)
        return
    turn.record(case, "abandoned", SYSTEM)
    if intake.case_in_form(turn, conversation) is case:
        conversation.make("rest")
        conversation.case_id = None
        turn.touch(conversation)
    notices.tell_customer(turn, case, "form.abandoned")
    cases.happen(turn, case, "abandoned", SYSTEM)
    intake.accept(turn, case, SYSTEM)


def _orphan(turn: Turn, case: Case) -> None:
    """Give a case back whose owner has left the company."""
    owner = turn.owner(case)
    if owner is None or owner.active or not case.open:
        return
    cases.release(turn, case, SYSTEM)
    notices.alert(turn, case, ["department", "agents"], "staff.orphaned", by=owner.name)


def _archive(turn: Turn, case: Case) -> None:
    """Let a finished case leave the chat."""
    if case.facts.resolved_at is None:
        return
    cases.happen(turn, case, "archive_due", SYSTEM)
    if not case.facts.waiting:  # what waits is told, and may be asked about, until it is done
        case.active = False


def _hours(count: float) -> timedelta:
    return timedelta(hours=count)
