"""Clocks: what must happen by when; what is said before a date passes, and who is told when it has passed."""

import re
from datetime import datetime, timedelta
from typing import Final

from complaints import moments
from complaints.calendar import ahead, due, eve, left, remaining, share, shift
from complaints.case import Case, ClockRun
from complaints.clauses.clock import Clock, Limit
from complaints.clauses.escalation import EXTERNAL_REPLY, Ladder, Rung
from complaints.conversation import Staff
from complaints.errors import BadInput
from handlers import notices, rights
from handlers.turn import SYSTEM, Turn

#: How a moment, and a number of units, stand before the words of an act.
_MOMENT: Final = re.compile(r"(\d{4}-\d{1,2}-\d{1,2})\s+(\d{1,2})[:\uff1a](\d{2})\b", re.ASCII)
_UNITS: Final = re.compile(r"(\d{1,4})\s+(\S.*)", re.ASCII | re.DOTALL)
#: Facts that change by what is done with a case, and so say nothing about its kind.
_VOLATILE: Final = frozenset(
    {"state", "owned", "complete", "human", "cycle", "rejections", "reopenings", "chasers", "done", "department"}
)


def note(turn: Turn, case: Case, name: str, at: datetime) -> None:
    """Remember when something happened that a clock may be reckoned from later."""
    waiting = turn.policy(case).waiting(name)
    if waiting.stops or waiting.starts:
        case.facts.happened.pop(name, None)  # in the order in which things happened, also at the same moment
        case.facts.happened[name] = at


def on(turn: Turn, case: Case, name: str, at: datetime) -> None:
    """Stop and start the clocks that wait for this name; one that it stops does not start again with it."""
    note(turn, case, name, at)
    waiting = turn.policy(case).waiting(name)
    for clock in waiting.extends:
        _granted(turn, case, clock)
    stopped = set()
    for clock in waiting.stops:
        run = case.facts.clocks.get(clock.id)
        if run is not None and run.running:
            stop(turn, case, clock.id)
            stopped.add(clock.id)
    for clock in waiting.starts:
        if clock.limit.unit == "appointment":  # started with its moment
            continue
        run = case.facts.clocks.get(clock.id)
        free = run is None or (clock.restarts and not run.running and clock.id not in stopped)
        if free and turn.holds(clock.when, case):
            start(turn, case, clock, at)


def start(
    turn: Turn,
    case: Case,
    clock: Clock,
    at: datetime,
    *,
    agreed: datetime | None = None,
    instead: ClockRun | None = None,
) -> None:
    """Start a clock at that moment; `agreed` is when it is due, where that was agreed upon.

    Where it takes over from another one (`instead`), so does what the customer was promised.
    """
    run = ClockRun(started_at=at, due_at=at, agreed_at=agreed, graded=_graded(turn, case, clock))
    run.calendar = _whose(turn, case, clock)
    if clock.wish:
        run.agreed_at = moments.read(case.words.answers.get(clock.wish, ""), at, turn.book.calendar.zone)
    if instead is not None:
        _inherit(turn, case, clock, run, instead)
    run.due_at = _moment(turn, clock, run, 100, named=True)
    if instead is not None:
        _promise(turn, case, run, instead.due_at)
    elif clock.promised:
        run.promised_at = run.due_at
    case.facts.clocks[clock.id] = run
    turn.record(case, "clock_started", SYSTEM, clause=clock.clause,
                facts={"clock": clock.id, "started_at": at.isoformat(), "due_at": run.due_at.isoformat()})  # fmt: skip
    if run.paused_at is None:
        _arm(turn, case, clock, run)
    if clock.who:
        notices.alert(turn, case, clock.who, "staff.clock.started", clock=clock.title, due=run.due_at)


def stop(turn: Turn, case: Case, clock_id: str) -> None:
    """Stop a clock: in time, or late."""
    run = case.facts.clocks[clock_id]
    run.stopped_at = turn.now
    late = turn.now > _moment(turn, _clock(turn, case, clock_id), run, 100)
    turn.record(case, "clock_stopped", SYSTEM, facts={"clock": clock_id, "late": late})
    _disarm(turn, case, clock_id)


def stop_all(turn: Turn, case: Case) -> None:
    """Stop whatever still runs: a closed case has no clock, but whoever passed it on is answered all the same."""
    external = case.facts.external
    for clock_id, run in case.facts.clocks.items():
        owed = clock_id == EXTERNAL_REPLY and external is not None and external.replied_at is None
        if run.running and not owed:
            stop(turn, case, clock_id)


def pause(turn: Turn, case: Case, whom: str = "customer", *, reason: str = "") -> bool:
    """Pause the clocks that wait: while the `customer` is asked something, or for a reason of the `desk`.

    False if there are none, or nothing is left of what all their pauses may last.
    """
    paused = False
    for clock in turn.policy(case).clocks:
        run = case.facts.clocks.get(clock.id)
        if run is None or not run.running or whom not in clock.pauses or whom in run.paused_for:
            continue
        began = run.paused_at or turn.now
        ends = _pause_ends(turn, clock, run, began)
        if ends is not None and ends <= turn.now:
            continue
        if run.paused_at is None:
            _disarm(turn, case, clock.id)
        paused, run.paused_at = True, began
        run.paused_for.append(whom)
        turn.record(case, "clock_paused", SYSTEM, clause=clock.clause, facts={"clock": clock.id, "for": whom},
                    words={"reason": reason} if reason else None)  # fmt: skip
        if whom == "customer":
            run.nudged = False
        _see_to_pause_later(turn, case, clock, run, turn.now)
    return paused


def unpause(turn: Turn, case: Case, whom: str = "customer") -> None:
    """Let the clocks that waited for this, and for nothing else, run on with the time they had left."""
    for clock in turn.policy(case).clocks:
        run = case.facts.clocks.get(clock.id)
        if run is None or run.paused_at is None or not run.running or (run.paused_for and whom not in run.paused_for):
            continue
        run.paused_for = [each for each in run.paused_for if each != whom]
        if not run.paused_for:
            _resume(turn, case, clock, run, run.paused_at, "answer" if whom == "customer" else whom)
        elif (ends := _pause_ends(turn, clock, run, run.paused_at)) is not None:
            turn.set_timer(case, f"pause:{clock.id}", ends)


def _pause_ends(turn: Turn, clock: Clock, run: ClockRun, began: datetime) -> datetime | None:
    """Return when a pause that began then is over, at the latest; None where nothing limits it."""
    if clock.pause is None:
        return None
    calendar, total = turn.book.calendar, clock.pause.total
    ends = due(clock.pause.most, began, calendar)
    if total is None:
        return ends
    spent = sum((remaining(total, until, since, calendar) for since, until in run.pauses), timedelta())
    return min(ends, left(total, began, spent, calendar))


def _see_to_pause_later(turn: Turn, case: Case, clock: Clock, run: ClockRun, asked_at: datetime) -> None:
    ends = None if run.paused_at is None else _pause_ends(turn, clock, run, run.paused_at)
    if clock.pause is not None and ends is not None:
        nudge = due(clock.pause.nudge, asked_at, turn.book.calendar)
        nudging = "customer" in run.paused_for and not run.nudged
        turn.set_timer(case, f"pause:{clock.id}", min(nudge, ends) if nudging else ends)


def _resume(turn: Turn, case: Case, clock: Clock, run: ClockRun, paused_at: datetime, why: str) -> None:
    calendar, limit = turn.calendar(run.calendar), _limit(clock, run)
    run.due_at = shift(limit, run.due_at, paused_at, turn.now, calendar)
    if run.promised_at is not None:
        run.promised_at = shift(limit, run.promised_at, paused_at, turn.now, calendar)
    run.pauses.append((paused_at, turn.now))
    run.paused_at, run.paused_for = None, []
    turn.record(case, "clock_resumed", SYSTEM, clause=clock.clause,
                facts={"clock": clock.id, "due_at": run.due_at.isoformat(), "why": why})  # fmt: skip
    turn.set_timer(case, f"pause:{clock.id}", None)
    _arm(turn, case, clock, run)


def see_to_pause(turn: Turn, case: Case, clock_id: str) -> None:
    """Remind the customer of a question once, and let the clock run again when its pause has lasted long enough."""
    run = case.facts.clocks.get(clock_id)
    clock = _clock(turn, case, clock_id)
    ends = None if run is None or run.paused_at is None else _pause_ends(turn, clock, run, run.paused_at)
    if run is None or not run.running or run.paused_at is None or clock.pause is None or ends is None:
        return
    asked = run.paused_for != ["desk"]
    if asked and not run.nudged:
        for each in case.facts.clocks.values():  # one question may pause several clocks
            each.nudged = each.nudged or each.paused_at is not None
        turn.record(case, "reminded", SYSTEM, clause=clock.pause.clause or clock.clause, facts={"clock": clock_id})
        notices.tell_customer(turn, case, "case.nudge", text=case.words.question)
    if ends > turn.now:
        turn.set_timer(case, f"pause:{clock_id}", ends)
        return
    before = run.promised_at
    _resume(turn, case, clock, run, run.paused_at, "limit")
    over = "staff.silent" if asked else "staff.pause_over"
    notices.alert(turn, case, ["owner"], over, clock=clock.title, due=run.due_at)
    _tell_moved(turn, case, before, run.promised_at)


def appoint(turn: Turn, case: Case, actor: str, text: str) -> None:
    """Start the clocks of what was agreed upon with the customer; the text begins with the moment, in local time.

    A clock that runs already gets the new moment. BadInput for a moment that cannot be read or has passed.
    """
    found = _MOMENT.match(text.strip())
    zone = turn.book.calendar.zone
    try:
        moment = datetime.fromisoformat(_padded(found)).replace(tzinfo=zone) if found else None
    except ValueError:  # the 31st of a month that has 30
        moment = None
    if moment is None or moment <= turn.now:
        raise BadInput(key="error.moment", now=f"{turn.now.astimezone(zone):%Y-%m-%d %H:%M}")
    turn.record(case, "appointed", actor, facts={"moment": moment.isoformat()}, words={"text": text})
    for clock in turn.policy(case).clocks:
        if clock.limit.unit == "appointment" and turn.holds(clock.when, case):
            start(turn, case, clock, turn.now, agreed=moment)
            if clock.promised:
                _tell(turn, case, "case.appointed", moment)


def extend(turn: Turn, case: Case, member: Staff, actor: str, text: str) -> str:
    """Move the date of a running clock: the text is a number of units of its `extension.step`, and the reason.

    Where others must agree to it first, the date stays, and the name of what happens by that is returned; else "".
    BadInput if there is no reason, or if it is more than the policy allows at once.
    """
    clock = rights.extensible(turn, case, member)
    if clock is None or clock.extension is None:
        raise BadInput(key="error.act", number=case.number)
    found, step = _UNITS.match(text.strip()), clock.extension.step
    if found is None or not 1 <= int(found[1]) <= step.amount:
        raise BadInput(key="error.extension", most=str(step.amount))
    if clock.extension.approval:
        return f"extension_asked.{clock.id}"
    _extend(turn, case, clock, actor, int(found[1]), found[2])
    return ""


def _granted(turn: Turn, case: Case, clock: Clock) -> None:
    """Move the date of a clock to which others have agreed, if that clock still runs; who asked has moved it."""
    run, wanted = case.facts.clocks.get(clock.id), clock.extension.approval if clock.extension is not None else ""
    asked = next(each for each in reversed(case.facts.approvals) if each.id == wanted)
    found = _UNITS.match(case.words.plans.get(str(asked.number), "").strip())
    if run is not None and run.running and found is not None and asked.asked_at >= run.started_at:
        _extend(turn, case, clock, f"staff:{asked.asked_by}", int(found[1]), found[2])


def _extend(turn: Turn, case: Case, clock: Clock, actor: str, units: int, reason: str) -> None:
    run, extension = case.facts.clocks[clock.id], clock.extension
    if extension is None:
        return
    run.extended.append(units)
    facts = _redate(turn, case, clock, run) | {"by": units, "unit": extension.step.unit}
    turn.record(case, "clock_extended", actor, clause=extension.clause or clock.clause, facts=facts,
                words={"reason": reason})  # fmt: skip


def regrade(turn: Turn, case: Case) -> None:
    """Date the clocks anew, now that the type, a flag, a grade, an answer or the department of the case has changed.

    Those whose limit is another one, or the calendar that they count in, count from their own start, and keep their
    pauses. One whose condition holds only now counts from what would have started it; one whose condition holds no more
    is dropped. Where another promised clock for the same thing takes over from one that is dropped, it takes over the
    promise and the pauses too.
    """
    policy, dropped = turn.policy(case), dict[frozenset[str], ClockRun]()
    for clock in policy.clocks:
        run = case.facts.clocks.get(clock.id)
        if run is None or not run.running or turn.holds(clock.when, case):
            continue
        if _VOLATILE.isdisjoint(clock.when.names()):
            _drop(turn, case, clock, run)
            if run.promised_at is not None:
                dropped[frozenset(clock.stop)] = run
    for clock in policy.clocks:
        run = case.facts.clocks.get(clock.id)
        if run is None or not run.running:
            began = _began(turn, case, clock, run)
            instead = dropped.get(frozenset(clock.stop)) if clock.promised else None
            if began is not None and run is not None and run.dropped and began == run.started_at:
                _revive(turn, case, clock, run, instead)
            elif began is not None:
                start(turn, case, clock, began, instead=instead)
            continue
        wished = moments.read(case.words.answers.get(clock.wish, ""), run.started_at, turn.book.calendar.zone)
        graded, whose = _graded(turn, case, clock), _whose(turn, case, clock)
        if (graded, whose) == (run.graded, run.calendar) and (not clock.wish or wished == run.agreed_at):
            continue
        if clock.wish:
            run.agreed_at = wished
        run.graded, run.calendar = graded, whose
        facts, clause = _redate(turn, case, clock, run), _limit(clock, run).clause or clock.clause
        turn.record(case, "clock_redated", SYSTEM, clause=clause, facts=facts)


def redate(turn: Turn, case: Case) -> None:
    """Date the running clocks anew whose days were not announced when they were dated, if they are by now."""
    for clock in turn.policy(case).all_clocks:
        run = case.facts.clocks.get(clock.id)
        if run is None or not run.running:
            continue
        if _moment(turn, clock, run, 100) != run.due_at:
            turn.record(case, "clock_redated", SYSTEM, clause=clock.clause, facts=_redate(turn, case, clock, run))
        elif run.paused_at is None:
            _arm(turn, case, clock, run)


def fire(turn: Turn, case: Case, clock_id: str) -> list[str]:
    """Tell every rung that is due and was not told; a service that was down tells them now, in order, at once.

    Return the names of what happened by that, each once: `clock_warned`, `clock_breached`.
    """
    run = case.facts.clocks.get(clock_id)
    if run is None or not run.running or run.paused_at is not None:
        return []
    happened: list[str] = []
    clock = _clock(turn, case, clock_id)
    ladder = _ladder(turn, case, clock)
    for rung in sorted(ladder.rungs, key=lambda rung: rung.percent) if ladder else ():
        if rung.percent <= run.told or _reached(turn, clock, run, rung) > turn.now:
            continue
        name = "clock_warned" if rung.percent < 100 else "clock_breached"  # noqa: PLR2004 # all of the time
        if name == "clock_warned" and name not in happened:
            happened.append(name)
        elif name == "clock_breached" and run.told < 100:  # noqa: PLR2004
            happened += [f"breached.{clock_id}", name]
            turn.record(
                case, name, SYSTEM, clause=clock.clause, facts={"clock": clock_id, "due_at": run.due_at.isoformat()}
            )
        run.told = rung.percent
        if "customer" in rung.to:
            notices.tell_customer(turn, case, "case.reminder")
        told = notices.alert(
            turn,
            case,
            [each for to in rung.to for each in (clock.who if to == "who" else [to])],
            "staff.clock.breached"
            if name == "clock_breached"
            else "staff.clock.warned"
            if rung.before is None
            else "staff.clock.nears",
            clock=clock.title,
            percent=rung.percent,
            due=run.due_at,
        )
        turn.record(case, name if name == "clock_warned" else "escalated", SYSTEM, clause=clock.clause,
                    facts={"clock": clock_id, "percent": rung.percent, "to": rung.to, "told": told})  # fmt: skip
    _arm(turn, case, clock, run)
    return happened


def hold(turn: Turn, case: Case, clock_id: str) -> None:
    """Tell the customer that a promised date moves, before it passes in silence."""
    run = case.facts.clocks.get(clock_id)
    clock = _clock(turn, case, clock_id)
    if run is None or not run.running or run.paused_at is not None or run.promised_at is None or clock.holding is None:
        return
    before = run.promised_at
    run.promised_at = due(clock.holding.extend, max(before, turn.now), turn.book.calendar)
    run.held += 1
    _tell(turn, case, "case.holding", run.promised_at, before)
    moved = {"clock": clock_id, "before": before.isoformat(), "promised_at": run.promised_at.isoformat()}
    turn.record(case, "held", SYSTEM, clause=clock.clause, facts=moved)
    _arm(turn, case, clock, run)


def _clock(turn: Turn, case: Case, clock_id: str) -> Clock:
    """Return a clock of the case by its id; that of a case from outside is called as whoever passed it on."""
    policy, external = turn.policy(case), case.facts.external
    if clock_id == EXTERNAL_REPLY and policy.external is not None and external is not None:
        return policy.external.clock(external.kind)
    return policy.clock(clock_id)


def open_external(turn: Turn, case: Case, due_at: datetime) -> None:
    """Start the clock of a case that came from outside: it never pauses."""
    start(turn, case, _clock(turn, case, EXTERNAL_REPLY), turn.now, agreed=due_at)


def move_external(turn: Turn, case: Case, due_at: datetime) -> None:
    """Give the clock of a case that came from outside another date."""
    run, clock = case.facts.clocks[EXTERNAL_REPLY], _clock(turn, case, EXTERNAL_REPLY)
    if due_at != run.agreed_at:
        run.agreed_at = due_at
        turn.record(case, "clock_redated", SYSTEM, clause=clock.clause, facts=_redate(turn, case, clock, run))


def _moment(turn: Turn, clock: Clock, run: ClockRun, percent: int, *, named: bool = False) -> datetime:
    """Return when so much of a run's time is gone, or was: with all its extensions and pauses.

    `named`: the day that the limit names, without the days after it on which nothing is late yet.
    """
    calendar, limit = turn.calendar(run.calendar), _limit(clock, run)
    ends_at = due(limit, run.started_at, calendar, agreed=run.agreed_at)
    if clock.wish and run.agreed_at is not None:
        ends_at = max(ends_at, run.agreed_at)
    step = clock.extension.step if clock.extension is not None else limit
    for units in run.extended:
        ends_at = due(step.model_copy(update={"amount": units}), ends_at, calendar)
    if named:
        limit = limit.model_copy(update={"tolerance": 0})
    moment = share(limit, run.started_at, percent, calendar, ends_at=ends_at)
    for paused_at, resumed_at in run.pauses:
        moment = shift(limit, moment, paused_at, resumed_at, calendar)
    return moment


def _reached(turn: Turn, clock: Clock, run: ClockRun, rung: Rung) -> datetime:
    """Return when a rung of the ladder is reached."""
    if rung.before is None:
        return _moment(turn, clock, run, rung.percent)
    named = _moment(turn, clock, run, 100, named=True)
    return max(run.started_at, eve(rung.before, named, turn.calendar(run.calendar)))


def _began(turn: Turn, case: Case, clock: Clock, run: ClockRun | None) -> datetime | None:
    """Return when a clock would have started, had its condition held by then; None if it would not run now."""
    if clock.when.always or clock.limit.unit == "appointment" or not turn.holds(clock.when, case):
        return None
    happened = {name: (at, order) for order, (name, at) in enumerate(case.facts.happened.items())}
    began = max((happened[name] for name in clock.start if name in happened), default=None)
    stopped = max((happened[name] for name in clock.stop if name in happened), default=None)
    if began is None or (stopped is not None and stopped >= began):
        return None
    if run is not None and (not clock.restarts or run.started_at >= began[0]):
        return run.started_at if run.dropped else None
    return began[0]


def _drop(turn: Turn, case: Case, clock: Clock, run: ClockRun) -> None:
    """Let a clock end that the case is not of the kind for any more."""
    run.stopped_at, run.dropped = turn.now, True
    turn.record(case, "clock_dropped", SYSTEM, clause=clock.clause, facts={"clock": clock.id})
    _disarm(turn, case, clock.id)


def _inherit(turn: Turn, case: Case, clock: Clock, run: ClockRun, instead: ClockRun) -> None:
    """Let a clock go on where another one was dropped: what was promised, how often it moved, and what was waited.

    Its time as a whole is its own; one that never pauses does not wait, whatever the other one did.
    """
    run.promised_at, run.held = instead.promised_at, instead.held
    run.pauses = [(since, until) for since, until in instead.pauses if clock.pauses and until > run.started_at]
    run.paused_at, run.paused_for = None, [each for each in instead.paused_for if each in clock.pauses]
    if run.paused_for:
        run.paused_at, run.nudged = instead.paused_at, instead.nudged
        _see_to_pause_later(turn, case, clock, run, instead.paused_at or turn.now)
    elif instead.paused_at is not None and clock.pauses:
        run.pauses.append((instead.paused_at, turn.now))


def _revive(turn: Turn, case: Case, clock: Clock, run: ClockRun, instead: ClockRun | None) -> None:
    """Let a clock that was dropped run on, now that the case is of its kind again; what was told stays told."""
    if instead is not None:
        _inherit(turn, case, clock, run, instead)
        run.due_at = instead.due_at
    elif run.paused_at is not None and run.stopped_at is not None:
        run.pauses.append((run.paused_at, run.stopped_at))
        run.paused_at, run.paused_for = None, []
    run.stopped_at, run.dropped = None, False
    run.graded, run.calendar = _graded(turn, case, clock), _whose(turn, case, clock)
    due_at = _redate(turn, case, clock, run)["due_at"]
    turn.record(case, "clock_started", SYSTEM, clause=clock.clause,
                facts={"clock": clock.id, "started_at": run.started_at.isoformat(), "due_at": due_at})  # fmt: skip


def _whose(turn: Turn, case: Case, clock: Clock) -> str:
    """Return the name of the calendar that a clock of this case counts in; "" for the company's."""
    if clock.calendar == "department":
        return next((role.calendar for role in turn.policy(case).routing.roles if role.id == case.department), "")
    return "" if clock.calendar == "company" else clock.calendar


def _ladder(turn: Turn, case: Case, clock: Clock) -> Ladder | None:
    return next((each for each in turn.policy(case).ladders(clock.id) if turn.holds(each.when, case)), None)


def _graded(turn: Turn, case: Case, clock: Clock) -> int:
    return next((at for at, limit in enumerate(clock.limits) if turn.holds(limit.when, case)), -1)


def _limit(clock: Clock, run: ClockRun) -> Limit:
    return clock.limits[run.graded] if run.graded >= 0 else clock.limit


def _redate(turn: Turn, case: Case, clock: Clock, run: ClockRun) -> dict[str, str]:
    """Give a run its date anew, and tell the customer where another one was promised. Return what is to be recorded.

    What was told and has not come yet, by the new date, is told when it does.
    """
    before = run.due_at
    run.due_at = _moment(turn, clock, run, 100, named=True)
    ladder = _ladder(turn, case, clock)
    told = [rung for rung in ladder.rungs if rung.percent <= run.told] if ladder else []
    run.passed[before] = run.told
    still = max((rung.percent for rung in told if _reached(turn, clock, run, rung) <= turn.now), default=0)
    run.told = max(still, run.passed.get(run.due_at, 0))
    _promise(turn, case, run, before)
    if run.paused_at is None:
        _arm(turn, case, clock, run)
    return {"clock": clock.id, "before": before.isoformat(), "due_at": run.due_at.isoformat()}


def _promise(turn: Turn, case: Case, run: ClockRun, before: datetime) -> None:
    """Let what the customer was promised follow a date that was another one before, and say so: never in silence.

    As long as the form is not sent no date was told.
    """
    promised = run.promised_at
    if promised is not None and not case.facts.complete and not run.held:
        run.promised_at = run.due_at
        return
    if promised is not None and run.due_at > before:
        run.promised_at = max(run.due_at, promised)  # it may have been moved already
    elif promised is not None and run.due_at > turn.now:
        run.promised_at = min(run.due_at, promised)
    _tell_moved(turn, case, promised, run.promised_at)


def _tell_moved(turn: Turn, case: Case, before: datetime | None, after: datetime | None) -> None:
    if before is not None and after is not None and before != after:
        _tell(turn, case, "case.moved", after, before)


def _tell(turn: Turn, case: Case, key: str, date: datetime, before: datetime | None = None) -> None:
    conversation = turn.conversation_of(case)
    language = conversation.words.language
    shown = {"before": turn.moment(language, before, case)} if before is not None else {}
    text = turn.say(language, key, number=case.number, date=turn.promise(language, date, case), **shown)
    turn.tell(conversation, text, priority=notices.PROGRESS, unasked=True, case=case)


def _padded(found: re.Match[str]) -> str:
    """Return a moment with all its zeros: people leave them out."""
    year, month, day = found[1].split("-")
    return f"{year}-{month:0>2}-{day:0>2}T{found[2]:0>2}:{found[3]}"


def _provisional(turn: Turn, case: Case, run: ClockRun) -> None:
    """Look again every day whether the days on the way to a date have been announced."""
    if not turn.calendar(run.calendar).published_between(run.started_at, run.due_at):
        turn.set_timer(case, "redate", turn.now + timedelta(days=1))


def _disarm(turn: Turn, case: Case, clock_id: str) -> None:
    for kind in ("clock", "hold", "pause"):
        turn.set_timer(case, f"{kind}:{clock_id}", None)


def _arm(turn: Turn, case: Case, clock: Clock, run: ClockRun) -> None:
    _provisional(turn, case, run)
    ladder = _ladder(turn, case, clock)
    waiting = (rung for rung in ladder.rungs if rung.percent > run.told) if ladder else ()
    following = min(waiting, key=lambda rung: rung.percent, default=None)  # rungs are reached in the order of percents
    turn.set_timer(case, f"clock:{clock.id}", _reached(turn, clock, run, following) if following else None)
    if clock.holding is not None and run.promised_at is not None and run.held < clock.holding.most:
        turn.set_timer(case, f"hold:{clock.id}", ahead(clock.holding.before, run.promised_at, turn.book.calendar))
