"""Alarms: what somebody must see goes on, round by round, until somebody says, or shows by an act, that they saw it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from complaints.calendar import due
from complaints.case import AlarmRun, Case
from complaints.clauses.notice import Notice
from complaints.conversation import Staff
from complaints.messages import CallOut
from handlers import cards, notices, rights, roster
from handlers.turn import CUSTOMER, SYSTEM, Turn

_AGENTS: Final = "agents"
#: How often the wait doubles where everybody has been told already.
_LONGEST: Final = 6


def on(turn: Turn, case: Case, name: str) -> None:
    """Raise the alarms that wait for this name; one that sounds already is not raised again."""
    policy = turn.policy(case)
    for notice in policy.waiting(name).notices:
        if not notice.alarm or not case.open or not turn.holds(notice.when, case):
            continue
        key = notice.id or f"n{policy.notices.index(notice)}"
        known = case.facts.alarms.get(key)
        if known is None or known.seen_at is not None:
            _raise(turn, case, key, notice)


def _raise(turn: Turn, case: Case, key: str, notice: Notice) -> None:
    to = [each for each in notice.to if each != CUSTOMER]
    case.facts.alarms[key] = run = AlarmRun(say=notice.say, roles=to, raised_at=turn.now)
    _tell(turn, case, key, run, notices.recipients(turn, case, to))


def fire(turn: Turn, case: Case, key: str) -> None:
    """Go on with an alarm that nobody has acknowledged in time: call out, and tell whoever comes next.

    A service that was down goes on with one round, whatever it has missed.
    """
    run = case.facts.alarms.get(key)
    if run is None or run.seen_at is not None or not case.open:
        return
    run.rounds += 1
    members = _next(turn, case, run)
    run.repeats += all(each.id in run.told for each in members)
    _tell(turn, case, key, run, members)
    language = turn.policy(case).languages[0]
    hidden = rights.secluded(turn, case)
    title = [cards.flags_title(turn, case, language), cards.type_title(turn, case, language)]
    turn.call_out(
        case,
        CallOut(
            number=case.number,
            company=turn.policy(case).id,
            round=run.rounds,
            title="" if hidden else " · ".join(each for each in title if each),
            at=turn.now,
            until=_next_round(turn, case, run),
        ),
    )


def _tell(turn: Turn, case: Case, key: str, run: AlarmRun, members: list[Staff]) -> None:
    run.told += [each.id for each in members if each.id not in run.told]
    for member in members:
        turn.tell_staff(member, turn.say(member.language, "staff.alarm.asks", round=run.rounds + 1), case=case)
    notices.tell(turn, case, members, run.roles, run.say)
    turn.record(case, "alarmed", SYSTEM,
                facts={"alarm": key, "round": run.rounds, "told": [each.id for each in members]})  # fmt: skip
    turn.set_timer(case, f"alarm:{key}", _next_round(turn, case, run))


def _next_round(turn: Turn, case: Case, run: AlarmRun) -> datetime:
    """Return when the alarm goes on: after its time, which doubles with each round that told nobody new."""
    wait = due(turn.policy(case).routing.alarm.acknowledge, turn.now, turn.book.calendar) - turn.now
    return turn.now + wait * (1 << min(run.repeats, _LONGEST))


def _next(turn: Turn, case: Case, run: AlarmRun) -> list[Staff]:
    """Return who is told now: the next person there in the same roles, those of a further role, or everybody again."""
    routing = turn.policy(case).routing
    same = [routing.reception if name == _AGENTS else name for name in run.roles]
    for role in case.roles_of(same):
        for each in roster.there(turn, routing, role):
            if each.id not in run.told and not rights.kept_from(turn, case, each):
                return [each]
    for name in routing.alarm.then:
        if name not in run.roles:
            run.roles.append(name)
            found = roster.on_duty(turn, routing, case.roles_of([name]))
            fresh = [each for each in found if each.id not in run.told and not rights.kept_from(turn, case, each)]
            if fresh:
                return fresh
    return notices.recipients(turn, case, run.roles)


def sounding(case: Case) -> dict[str, AlarmRun]:
    """Return the alarms of a case that nobody has acknowledged."""
    return {key: run for key, run in case.facts.alarms.items() if run.seen_at is None} if case.open else {}


def seen(turn: Turn, case: Case, member: Staff, actor: str, runs: Mapping[str, AlarmRun]) -> None:
    """Let these alarms fall silent, those that still sound, and tell all who were told who has seen them."""
    ringing = {key: run for key, run in sounding(case).items() if runs.get(key) is run}
    for key, run in ringing.items():
        run.seen_by, run.seen_at = member.id, turn.now
        turn.record(case, "acknowledged", actor, facts={"alarm": key, "rounds": run.rounds})
        turn.set_timer(case, f"alarm:{key}", None)
    told = {id_ for run in ringing.values() for id_ in run.told} - {member.id}
    others = [
        each
        for each in (turn.scene.staff[id_] for id_ in sorted(told) if id_ in turn.scene.staff)
        if each.active and not rights.kept_from(turn, case, each)
    ]
    if others:
        notices.tell(turn, case, others, [], "staff.alarm.seen", by=member.name)
    if any(_AGENTS in run.roles or not run.told for run in ringing.values()) and not rights.secluded(turn, case):
        notices.tell(turn, case, [], [_AGENTS], "staff.alarm.seen", by=member.name)


def silence(turn: Turn, case: Case) -> None:
    """Let no alarm of the case go on."""
    for key in case.facts.alarms:
        turn.set_timer(case, f"alarm:{key}", None)
