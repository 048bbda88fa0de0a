"""Clocks: what must happen by when; what is said before a date passes, and who is told when it has passed."""

from datetime import datetime

from complaints.calendar import ahead, due, share, shift
from complaints.case import Case, ClockRun
from complaints.clauses.clock import Clock
from handlers import notices
from handlers.turn import SYSTEM, Turn


def on(turn: Turn, case: Case, name: str, at: datetime) -> None:
    """Stop and start the clocks that wait for this name; one that it stops does not start again with it."""
    waiting = turn.policy(case).waiting(name)
    stopped = set()
    for clock in waiting.stops:
        run = case.facts.clocks.get(clock.id)
        if run is not None and run.running:
            stop(turn, case, clock.id)
            stopped.add(clock.id)
    for clock in waiting.starts:
        run = case.facts.clocks.get(clock.id)
        free = run is None or (clock.restarts and not run.running and clock.id not in stopped)
        if free and turn.holds(clock.when, case):
            start(turn, case, clock, at)


def start(turn: Turn, case: Case, clock: Clock, at: datetime) -> None:
    """Start a clock at that moment."""
    run = ClockRun(started_at=at, due_at=due(clock.limit, at, turn.book.calendar))
    if clock.promised:
        run.promised_at = run.due_at
    case.facts.clocks[clock.id] = run
    turn.record(case, "clock_started", SYSTEM, clause=clock.clause,
                facts={"clock": clock.id, "started_at": at.isoformat(), "due_at": run.due_at.isoformat()})  # fmt: skip
    _arm(turn, case, clock, run)


def stop(turn: Turn, case: Case, clock_id: str) -> None:
    """Stop a clock: in time, or late."""
    run = case.facts.clocks[clock_id]
    run.stopped_at = turn.now
    turn.record(case, "clock_stopped", SYSTEM, facts={"clock": clock_id, "late": turn.now > run.due_at})
    turn.set_timer(case, f"clock:{clock_id}", None)
    turn.set_timer(case, f"hold:{clock_id}", None)


def stop_all(turn: Turn, case: Case) -> None:
    """Stop whatever still runs: a closed case has no clock."""
    for clock_id, run in case.facts.clocks.items():
        if run.running:
            stop(turn, case, clock_id)


def pause(turn: Turn, case: Case) -> None:
    """Pause the clocks that wait while the customer is asked something."""
    for clock in turn.policy(case).clocks:
        run = case.facts.clocks.get(clock.id)
        if run is not None and run.running and run.paused_at is None and "customer" in clock.pauses:
            run.paused_at = turn.now
            turn.record(case, "clock_paused", SYSTEM, clause=clock.clause, facts={"clock": clock.id})
            turn.set_timer(case, f"clock:{clock.id}", None)
            turn.set_timer(case, f"hold:{clock.id}", None)


def unpause(turn: Turn, case: Case) -> None:
    """Let paused clocks run on with the time they had left."""
    for clock in turn.policy(case).clocks:
        run = case.facts.clocks.get(clock.id)
        if run is None or run.paused_at is None or not run.running:
            continue
        calendar = turn.book.calendar
        run.due_at = shift(clock.limit, run.due_at, run.paused_at, turn.now, calendar)
        if run.promised_at is not None:
            run.promised_at = shift(clock.limit, run.promised_at, run.paused_at, turn.now, calendar)
        run.pauses.append((run.paused_at, turn.now))
        run.paused_at = None
        turn.record(case, "clock_resumed", SYSTEM, clause=clock.clause,
                    facts={"clock": clock.id, "due_at": run.due_at.isoformat()})  # fmt: skip
        _arm(turn, case, clock, run)


def fire(turn: Turn, case: Case, clock_id: str) -> list[str]:
    """Tell every rung that is due and was not told; a service that was down tells them now, in order, at once.

    Return the names of what happened by that, each once: `clock_warned`, `clock_breached`.
    """
    run = case.facts.clocks.get(clock_id)
    if run is None or not run.running or run.paused_at is not None:
        return []
    happened: list[str] = []
    clock = turn.policy(case).clock(clock_id)
    ladder = turn.policy(case).ladder(clock_id)
    for rung in sorted(ladder.rungs, key=lambda rung: rung.percent) if ladder else ():
        if rung.percent <= run.told or _moment(turn, clock, run, rung.percent) > turn.now:
            continue
        name = "clock_warned" if rung.percent < 100 else "clock_breached"  # noqa: PLR2004 # all of the time
        if name == "clock_warned" and name not in happened:
            happened.append(name)
        elif name == "clock_breached" and run.told < 100:  # noqa: PLR2004
            happened.append(name)
            turn.record(
                case, name, SYSTEM, clause=clock.clause, facts={"clock": clock_id, "due_at": run.due_at.isoformat()}
            )
        run.told = rung.percent
        if "customer" in rung.to:
            notices.tell_customer(turn, case, "case.reminder")
        told = notices.alert(
            turn,
            case,
            rung.to,
            "staff.clock.breached" if name == "clock_breached" else "staff.clock.warned",
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
    clock = turn.policy(case).clock(clock_id)
    if run is None or not run.running or run.paused_at is not None or run.promised_at is None or clock.holding is None:
        return
    before = run.promised_at
    run.promised_at = due(clock.holding.extend, max(before, turn.now), turn.book.calendar)
    run.held += 1
    language = turn.conversation_of(case).words.language
    turn.tell(
        turn.conversation_of(case),
        turn.say(
            language,
            "case.holding",
            number=case.number,
            before=turn.moment(language, before),
            date=turn.promise(language, run.promised_at),
        ),
        priority=notices.PROGRESS,
        unasked=True,
        case=case,
    )
    moved = {"clock": clock_id, "before": before.isoformat(), "promised_at": run.promised_at.isoformat()}
    turn.record(case, "held", SYSTEM, clause=clock.clause, facts=moved)
    _arm(turn, case, clock, run)


def _moment(turn: Turn, clock: Clock, run: ClockRun, percent: int) -> datetime:
    moment = share(clock.limit, run.started_at, percent, turn.book.calendar)
    for paused_at, resumed_at in run.pauses:
        moment = shift(clock.limit, moment, paused_at, resumed_at, turn.book.calendar)
    return moment


def _arm(turn: Turn, case: Case, clock: Clock, run: ClockRun) -> None:
    ladder = turn.policy(case).ladder(clock.id)
    waiting = [rung.percent for rung in ladder.rungs if rung.percent > run.told] if ladder else []
    turn.set_timer(case, f"clock:{clock.id}", _moment(turn, clock, run, min(waiting)) if waiting else None)
    if clock.holding is not None and run.promised_at is not None and run.held < clock.holding.most:
        turn.set_timer(case, f"hold:{clock.id}", ahead(clock.holding.before, run.promised_at, turn.book.calendar))
