"""Duties: recurring work begins, is reminded of, is done with its proof, or is missed.

One timer looks after all of them, under the lock of a conversation of their own; each look tells everybody once, in
one message, also after the service was away for a week.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from complaints import duties
from complaints.case import Case
from complaints.clauses.duty import Duty
from complaints.commands import Keep
from complaints.conversation import Conversation, Staff
from complaints.duties import DutyRun, Period
from complaints.errors import BadInput, NotAllowed, PlaintError
from complaints.messages import Choice, IncomingMessage
from complaints.policy import Policy
from complaints.ports import Timer
from complaints.tokens import Token
from handlers import roster
from handlers.turn import Turn

#: The subject and the name of the timer behind all duties, and the chat of the conversation it locks.
SUBJECT: Final = "duties"
LOOK: Final = "look"
_DAY: Final = timedelta(days=1)
_AGAIN: Final = timedelta(hours=1)
_MISSED: Final = 100
_LISTED: Final = 10


def look(turn: Turn, conversation_id: int) -> None:
    """Begin the duties whose period has come, tell what is to be told, and set the time of the next look."""
    policy = turn.policy()
    runs = [*turn.ledger.open_duties(), *_begin(turn, policy)]
    told: dict[int, list[tuple[str, DutyRun]]] = {}
    waiting: list[datetime] = []
    for run in runs:
        duty = policy.duty(run.duty)
        if duty is None:  # the rules have changed
            run.state, run.next_at = "dropped", None
            turn.keep_duty(run)
            continue
        _advance(turn, duty, run, told)
        if run.next_at is not None:
            waiting.append(run.next_at)
    for member in turn.scene.staff.values():
        if member.id in told:
            _tell(turn, member, told[member.id])
    calendar = turn.book.calendar
    tomorrow = calendar.local(turn.now).date() + _DAY
    midnight = datetime.combine(tomorrow, datetime.min.time(), calendar.zone)
    turn.timer(Timer(subject=SUBJECT, name=LOOK, conversation_id=conversation_id, due_at=min([midnight, *waiting])))


def _begin(turn: Turn, policy: Policy) -> list[DutyRun]:
    """Make a run of every period that has begun since the last one.

    A new duty begins with its present period, unless its date there has passed before anybody knew of it.
    """
    calendar = turn.book.calendar
    today, last, begun = calendar.local(turn.now).date(), turn.ledger.last_duties(), []
    for duty in policy.duties:
        known = last.get(duty.id)
        first = duties.period_of(duty, today).first if known is None else calendar.local(known).date() + _DAY
        for period in duties.periods(duty, first, today, calendar):
            began_at = duties.beginning(period, calendar)
            due_at = duties.moment(duty, began_at, _MISSED, calendar)
            if known is None and due_at <= turn.now:
                continue
            run = DutyRun(
                id=turn.book.ids.next(),
                duty=duty.id,
                period=period.name,
                policy=policy.version,
                began_at=began_at,
                due_at=due_at,
                next_at=None,
            )
            turn.keep_duty(run)
            begun.append(run)
    return begun


def _advance(turn: Turn, duty: Duty, run: DutyRun, told: dict[int, list[tuple[str, DutyRun]]]) -> None:
    """Note what is due to be told about a duty: only the last of several words that a pause has brought together."""
    fresh = []
    while (at := _word(turn, duty, run)) is not None and at[0] <= turn.now:
        run.facts.told.append(at[1])
        fresh.append(at[1])
    run.next_at = at[0] if at is not None else None
    turn.keep_duty(run)
    if not fresh:
        return
    missed = fresh[-1] == _MISSED
    if missed:
        run.state = "missed"
    key = "staff.duty.missed" if missed else "staff.duty.begun" if fresh[-1] == 0 else "staff.duty.due"
    people = _people(turn, [*duty.to, *duty.missed] if missed else duty.to)
    if not people:  # nobody hears anything yet: the same is said again in a while
        run.facts.told = [each for each in run.facts.told if each not in fresh]
        run.state, run.next_at = "open", turn.now + _AGAIN
    for member in people:
        told.setdefault(member.id, []).append((_line(turn, duty, run, member, key), run))


def _word(turn: Turn, duty: Duty, run: DutyRun) -> tuple[datetime, int] | None:
    """Return when which percent of a duty is told next: in working time, as nobody is woken for it."""
    if run.state != "open":
        return None
    calendar = turn.book.calendar
    words = [each.percent if each.before is None else -place for place, each in enumerate(duty.remind, 1)]
    left = [each for each in [0, *words, _MISSED] if each not in run.facts.told]
    return min(
        ((calendar.next_opening(duties.moment(duty, run.began_at, each, calendar)), each) for each in left),
        default=None,
    )


def _people(turn: Turn, roles: Sequence[str]) -> list[Staff]:
    """Return who has one of these roles and can be written to; where there is nobody, reception."""
    routing = turn.policy().routing
    return roster.on_duty(turn, routing, roles) or roster.on_duty(turn, routing, [routing.reception])


def _line(turn: Turn, duty: Duty, run: DutyRun, member: Staff, key: str) -> str:
    language = member.language
    text = turn.say(language, key, title=duty.title[language], period=run.period,
                    due=turn.moment(language, run.due_at))  # fmt: skip
    sample = draw(turn, duty, run, member) if duty.sample is not None and may(turn, duty, member) else []
    return f"{text}\n{turn.say(language, 'staff.duty.sample', numbers=' '.join(sample))}" if sample else text


def _tell(turn: Turn, member: Staff, lines: Sequence[tuple[str, DutyRun]]) -> None:
    language = member.language
    rows = [
        [_button(turn, member, run)]
        for _, run in lines[:_LISTED]
        if (duty := turn.policy().duty(run.duty)) is not None and may(turn, duty, member)
    ]
    shown = [text for text, _ in lines[:_LISTED]]
    if len(lines) > _LISTED:
        shown.append(turn.say(language, "staff.duty.more", count=len(lines) - _LISTED))
    turn.tell_staff(member, "\n\n".join(shown), rows)


def _button(turn: Turn, member: Staff, run: DutyRun) -> Choice:
    duty = turn.policy().duty(run.duty)
    title = duty.title[member.language] if duty is not None else run.duty
    label = turn.say(member.language, "staff.duty.done", title=title, period=run.period)
    return turn.button(label, Token(scope="d", case_id=run.id, value="done"))


def may(turn: Turn, duty: Duty, member: Staff) -> bool:
    """Tell whether a duty is this member of the staff's to do."""
    return member.active and bool(turn.policy().routing.held(member.roles) & {*duty.to})


def draw(turn: Turn, duty: Duty, run: DutyRun, member: Staff) -> list[str]:
    """Return the numbers of the cases that this member of the staff checks: none that they handled by any account."""
    if duty.sample is None:
        return []
    calendar = turn.book.calendar
    period = duties.before(duty, duties.period_of(duty, calendar.local(run.began_at).date()))
    found = [case for case in _opened(turn, period) if turn.holds(duty.sample.of, case)]
    ordered = duties.order(duty, period, [case.number for case in found])
    ids, accounts = [case.id for case in found], [each for each in turn.scene.staff.values() if each.who == member.who]
    own = {id_ for each in accounts for id_ in turn.ledger.handled_by(each.id, ids)}
    return duties.drawn(duty.sample, ordered, frozenset(case.number for case in found if case.id in own))


def _opened(turn: Turn, period: Period) -> Sequence[Case]:
    calendar = turn.book.calendar
    until = duties.beginning(Period(period.name, period.next, period.next), calendar)
    return turn.ledger.opened_between(duties.beginning(period, calendar), until)


def find(turn: Turn, member: Staff, duty_id: int) -> tuple[Duty, DutyRun]:
    """Return a duty that this member of the staff may do now. NotAllowed says why not."""
    run = turn.ledger.duty(duty_id)
    duty = None if run is None else turn.policy().duty(run.duty)
    if run is None or duty is None or not may(turn, duty, member):
        raise NotAllowed(key="error.not_allowed")
    if run.state not in ("open", "missed"):
        raise NotAllowed(key="error.duty_done")
    return duty, run


def done(turn: Turn, member: Staff, duty_id: int, note: str, *, paper_sha256: str = "") -> DutyRun:
    """Take a duty as done, with its proof: late is better than never, and stays late in the record.

    BadInput where the proof that the policy asks for is missing.
    """
    duty, run = find(turn, member, duty_id)
    if duty.proof == "note" and not note.strip():
        raise BadInput(key="error.text_missing")
    if duty.proof == "file" and not paper_sha256:
        raise BadInput(key="error.duty_file", id=str(run.id))
    run.facts.drawn = draw(turn, duty, run, member)
    run.facts.done_by, run.facts.done_at, run.facts.paper_sha256 = member.id, turn.now, paper_sha256
    run.state, run.next_at, run.note = "done", None, note.strip()
    turn.keep_duty(run)
    return run


def press(turn: Turn, conversation: Conversation, member: Staff, token: Token) -> str:
    """Serve the button of a duty: ask for the note it needs, or take it as done. Return the toast."""
    duty, run = find(turn, member, token.case_id)
    language = member.language
    if duty.proof == "none":
        done(turn, member, run.id, "")
        return turn.say(language, "staff.done")
    conversation.make("ask_staff")
    conversation.case_id, conversation.words.act = None, f"duty:{run.id}"
    turn.touch(conversation)
    key = "staff.ask.duty_file" if duty.proof == "file" else "staff.ask.duty"
    asked = turn.say(language, key, title=duty.title[language], period=run.period)
    turn.tell_staff(member, asked + "\n" + turn.say(language, "staff.compose"))
    return ""


def take(turn: Turn, conversation: Conversation, member: Staff, duty_id: int, message: IncomingMessage) -> bool:
    """Take the file that proves a duty, and let it be brought home; False if the duty wants none, or none came."""
    duty, run = find(turn, member, duty_id)
    ref = next((each.ref for each in message.attachments if each.ref), "")
    if duty.proof != "file":
        return False
    if not ref:
        turn.tell_staff(member, turn.say(member.language, "staff.ask.duty_file", title=duty.title[member.language],
                                         period=run.period))  # fmt: skip
        return True
    run.note = message.text.strip()
    turn.keep_duty(run)
    turn.fetch_proof(conversation, run.id, message.address, ref)
    conversation.make("rest")
    conversation.case_id = None
    turn.touch(conversation)
    turn.tell_staff(member, turn.say(member.language, "staff.duty.taking"))
    return True


def proven(turn: Turn, command: Keep) -> None:
    """Take a duty as done whose proof came home; or say that it was lost, and must be sent again."""
    conversation = turn.scene.conversations.get(command.conversation_id)
    member = turn.scene.staff.get(conversation.staff_id or 0) if conversation is not None else None
    run = turn.ledger.duty(command.duty)
    if member is None or run is None:
        return
    key = "staff.duty.lost" if command.problem else "staff.done"
    try:
        if not command.problem:
            done(turn, member, run.id, run.note, paper_sha256=command.sha256)
    except PlaintError as error:  # somebody else has done it meanwhile
        turn.tell_staff(member, turn.say(member.language, error.key, **error.values))
        return
    turn.tell_staff(member, turn.say(member.language, key))
