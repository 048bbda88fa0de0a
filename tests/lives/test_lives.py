"""Random lives of cases under every policy: whatever people do and whenever, the promises hold.

`make soak` lives 100,000 of them.
"""

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import product
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import policies
from bot import wiring
from complaints.calendar import share
from complaints.case import Case
from complaints.clauses.escalation import EXTERNAL_REPLY
from handlers import rights
from handlers.turn import Batch, Book, Turn
from policies.loader import read
from policies.phrasebook import Phrasebook
from tests.lives.desk import Desk
from tests.memory import CUSTOMER, Ids

HOME = Path(policies.__file__).parent
COMPANIES = sorted(path.stem for path in (HOME / "companies").glob("*.yaml"))
#: Lives in all; shared by the companies.
LIVES = int(os.environ.get("PLAINT_LIVES", "500"))
#: A life is long to shrink: only who looks for the cause asks for it (PLAINT_SHRINK=1).
PHASES = tuple(Phase) if os.environ.get("PLAINT_SHRINK") else (Phase.explicit, Phase.reuse, Phase.generate)
BOOKS: dict[str, Book] = {}  # not a fixture's value: a failed example would print it whole
SAID = ["同意", "跳过", "没有", "王岚", "13812345678", "HT-2025-0117", "3.2万", "60万", "600万", "可以", "不行，太少了", "到哪了？",
        "还没解决，我要再投诉一次", "有人受伤送医院了", "我要找记者曝光", "我要起诉你们", "我投诉到工信部了", "没问题，提交", "人工", "撤回", "确定撤回", "5", "1"]  # fmt: skip
WORDS = [
    "补发一批，运费我们出",
    "退款1800元并道歉",
    "2 工作日，等厂家回复",
    "2026-10-20 15:00",
    "HJ-2026-1 2026-10-15 18:00",
    "查过了，属实",
]
GAPS = [timedelta(minutes=1), timedelta(minutes=20), timedelta(hours=1), timedelta(hours=5), timedelta(days=1), timedelta(days=4), timedelta(days=12)]  # fmt: skip

steps = st.one_of(
    st.tuples(st.just("say"), st.integers(0, 10_000), st.just(0), st.just(0)),
    st.tuples(st.just("press"), st.integers(0, 30), st.just(0), st.just(0)),
    st.tuples(st.just("act"), st.integers(0, 30), st.integers(0, 60), st.integers(0, 60)),
    st.tuples(st.just("act"), st.integers(0, 30), st.integers(0, 60), st.integers(0, 60)),
    st.tuples(st.just("time"), st.integers(0, len(GAPS) - 1), st.just(0), st.just(0)),
)


def book(company: str) -> Book:
    if company not in BOOKS:
        policy = wiring.parse(read(company, HOME), company)
        BOOKS[company] = Book(
            current=policy,
            policies={policy.version: policy},
            calendar=wiring.work_calendar(policy.hours, HOME / "calendars"),
            calendars={id_: wiring.work_calendar(each, HOME / "calendars") for id_, each in policy.calendars.items()},
            reader=wiring.open_reader(policy, HOME),
            wording=Phrasebook.load(HOME / "wording"),
            ids=Ids(),
        )
    return BOOKS[company]


@pytest.mark.usefixtures("_once_each")
@pytest.mark.timeout(0 if LIVES > 500 else 600)
@pytest.mark.parametrize("company", COMPANIES)
@settings(
    max_examples=max(LIVES // len(COMPANIES), 1),
    deadline=None,
    phases=PHASES,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(first=st.integers(0, 10_000), life=st.lists(steps, min_size=5, max_size=40))
def test_in_every_life_of_a_case_the_promises_hold(company, first, life):
    _lived(company, first, life)


#: Lives in which a promise was broken once.
FOUND = {
    "released where no clock runs": ("mfg_002_1", 4084, [
        ("act", 26, 39, 48), ("say", 239, 0, 0), ("press", 6, 0, 0), ("act", 11, 53, 18), ("press", 22, 0, 0),
        ("say", 1217, 0, 0), ("act", 1, 36, 37), ("act", 11, 20, 32), ("press", 10, 0, 0), ("act", 5, 6, 49),
        ("act", 11, 20, 32), ("act", 1, 36, 37), ("say", 1217, 0, 0), ("press", 11, 0, 0)]),
    "regraded until no clock ran": ("car_002_3", 9007, [
        ("say", 473, 0, 0), ("time", 5, 0, 0), ("say", 7173, 0, 0), ("say", 171, 0, 0), ("say", 4667, 0, 0),
        ("act", 7, 32, 18), ("act", 30, 42, 11), ("act", 17, 3, 17), ("act", 2, 10, 48), ("act", 25, 55, 57),
        ("act", 30, 52, 18), ("time", 0, 0, 0), ("press", 0, 0, 0), ("say", 2945, 0, 0), ("time", 3, 0, 0),
        ("say", 84, 0, 0), ("act", 15, 49, 26)]),
    "regraded to a date that had passed": ("crm_001", 44, [
        ("time", 6, 0, 0), ("act", 22, 41, 0), ("act", 22, 41, 0), ("act", 6, 23, 37), ("act", 22, 41, 0),
        ("time", 6, 0, 0), ("act", 22, 41, 0)]),
    "about everybody who could handle it": ("car_002_3", 689, [
        ("say", 201, 0, 0), ("time", 6, 0, 0), ("act", 8, 27, 14), ("press", 21, 0, 0), ("time", 6, 0, 0), ("time", 6, 0, 0),
        ("time", 1, 0, 0), ("act", 11, 52, 27), ("press", 19, 0, 0), ("time", 6, 0, 0), ("act", 5, 25, 18),
        ("act", 7, 49, 30), ("act", 7, 49, 30)]),
}  # fmt: skip


@pytest.mark.usefixtures("_once_each")
@pytest.mark.parametrize("found", FOUND)
def test_what_a_life_has_found_stays_mended(found):
    _lived(*FOUND[found])


def _lived(company, first, life):
    desk = Desk(book(company))
    texts = [each.text for each in desk.book.current.examples if each.text]
    roles = list(desk.members)
    desk.say(texts[first % len(texts)])
    for what, place, act, detail in life:
        desk.pass_time(timedelta(seconds=20))
        if what == "say":
            both = [*SAID, *texts]
            desk.say(both[place % len(both)])
        elif what == "press":
            desk.press(CUSTOMER.chat, place)
        elif what == "act":
            desk.act(roles[place % len(roles)], act, WORDS[detail % len(WORDS)], detail)
        else:
            desk.pass_time(GAPS[place])
        desk.pass_time(timedelta(seconds=1))  # what is overdue already
        _promises(desk)
    desk.pass_time(timedelta(days=1))
    _promises(desk)
    _told_once(desk)
    for case in desk.scene.cases.values():
        assert _replayed(desk, case) == _kept(case)


def _promises(desk: Desk) -> None:
    for case in desk.scene.cases.values():
        policy = desk.book.policies[case.policy]
        running = [name for name, run in case.facts.clocks.items() if run.running]
        if not case.open:
            owed = case.facts.external is not None and case.facts.external.replied_at is None
            over = [name for name in running if name != EXTERNAL_REPLY or not owed]  # whoever passed it on is answered
            assert not over, f"{over} run on in the closed state {case.state}"
            continue
        assert case.department, "an open case that nobody stands behind"
        if case.facts.resolved_at is None:
            asked = any(run.outcome == "open" for run in case.facts.approvals)
            assert running or asked or case.owner_id is not None, f"nobody and nothing watches a case in {case.state}"
        turn = Turn(desk.book, desk.scene, desk, Batch(), desk.now)
        waits = [
            move for move in policy.lifecycle.moves_from(case.state) if move.to and move.id != policy.lifecycle.withdraw
        ]
        asked = any(run.outcome == "open" for run in case.facts.approvals)
        assert asked or any(turn.holds(move.when, each) for each in _kinds(desk, turn, case) for move in waits), (
            f"nobody can lead a case on from {case.state} ({case.type}, {case.facts.grades}): of {[m.id for m in waits]}"
        )
    for case in desk.scene.cases.values():
        for name, run in case.facts.clocks.items():
            _escalated(desk, case, name, run)


def _kinds(desk: Desk, turn: Turn, case: Case) -> Iterator[Case]:
    """The case as it is, and as the staff could call it: of each type, and of the grades, that somebody may give it."""
    yield case
    policy = desk.book.policies[case.policy]
    taxonomy, here = policy.taxonomy, [move for move in policy.lifecycle.moves_from(case.state) if not move.to]
    for _ in range(3):  # what is done without leaving the state opens a way, too
        done = {move.id: desk.now for move in here if "system" not in move.by and turn.holds(move.when, case)}
        case = replace(case, facts=case.facts.model_copy(update={"done": done | case.facts.done}))
        yield case
    may = {act for member in desk.members.values() for act, *_ in rights.offered(turn, case, member)}
    types = [case.type, *(each.id for each in taxonomy.types)] if "retype" in may else [case.type]
    grades = [[each.id for each in grades] for grades in taxonomy.grades.values()] if "grade" in may else []
    for type_, *values in product(types, *grades):
        facts = case.facts.model_copy(
            update={"grades": case.facts.grades | dict(zip(taxonomy.grades, values, strict=False))}
        )
        yield replace(case, type=type_, facts=facts)


def _told_once(desk: Desk) -> None:
    """Every breach is found once, and every rung told once for each date that its clock had."""
    breaches, rungs, begun = Counter(), Counter(), {}
    for each in desk.events:
        clock = each.case_id, each.facts.get("clock")
        match each.name:
            case "clock_started" | "clock_redated" | "clock_extended" | "clock_resumed":
                begun[clock] = each.at
            case "clock_breached":
                breaches[*clock, each.facts["due_at"]] += 1
            case "escalated":
                rungs[*clock, each.facts["percent"], begun[clock]] += 1
    assert not [key for key, times in breaches.items() if times > 1], "a breach that was found twice"
    assert not [key for key, times in rungs.items() if times > 1], "a rung that was told twice"


def _escalated(desk: Desk, case, name, run) -> None:
    """A clock that ran out long ago has told so."""
    policy = desk.book.policies[case.policy]
    clock = next((each for each in policy.clocks if each.id == name), None)
    if clock is None or not run.running or run.paused_at is not None:
        return
    limit = clock.limits[run.graded] if run.graded >= 0 else clock.limit
    calendar = desk.book.calendars.get(run.calendar, desk.book.calendar)
    over = share(limit, run.started_at, 100, calendar, ends_at=run.due_at)
    turn = Turn(desk.book, desk.scene, desk, Batch(), desk.now)
    ladder = next((each for each in policy.ladders(name) if turn.holds(each.when, case)), None)
    if over + timedelta(seconds=1) < desk.now and ladder is not None and 100 in {r.percent for r in ladder.rungs}:
        assert run.told >= 100, f"{name} ran out at {over} and nobody was told"


def _replayed(desk: Desk, case) -> dict:
    """What the journal alone says about a case."""
    seen = {"state": "", "type": "", "department": desk.book.policies[case.policy].routing.reception, "owner": None,
            "flags": [], "cycle": 1, "running": set()}  # fmt: skip
    for each in desk.events:
        if each.case_id != case.id:
            continue
        facts = each.facts
        match each.name:
            case "opened":
                seen["state"] = facts["state"]
            case "moved":
                seen["state"] = facts["to"]
            case "typed":
                seen["type"] = facts["type"]
            case "assigned":
                seen["department"] = facts["department"]
            case "claimed" | "handed_over":
                seen["owner"] = int(each.actor.removeprefix("staff:"))
            case "released" | "lease_ended":
                seen["owner"] = None
            case "flagged":
                seen["flags"].append(facts["flag"])
            case "reopened":
                seen["cycle"] = facts["cycle"]
            case "clock_started":
                seen["running"].add(facts["clock"])
            case "clock_stopped" | "clock_dropped":
                seen["running"].discard(facts["clock"])
    return seen


def _kept(case) -> dict:
    return {"state": case.state, "type": case.type, "department": case.department, "owner": case.owner_id,
            "flags": case.facts.flags, "cycle": case.cycle,
            "running": {name for name, run in case.facts.clocks.items() if run.running}}  # fmt: skip
