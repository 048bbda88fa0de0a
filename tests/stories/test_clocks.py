"""Every promise has a date, and every date is kept or its breach climbs the ladder."""

from pathlib import Path

import pytest

import policies
from policies import yaml12
from policies.checker import check
from tests.conftest import Clock, Found

COMPANIES = Path(policies.__file__).parent / "companies"
TITLE = {"zh-Hans": "回电", "zh-Hant": "回電", "en": "Call back"}


async def _asked(town):
    """The customer was asked something, and everybody has heard it."""
    zhou = await town.agent("周敏", "reception")
    wang = await _handed_over(town)
    number = town.case().number
    await zhou.all(number, f"!{number}", "!我来处理", "!问客户", "是哪个仓库？")
    await zhou.heard()
    await wang.heard()
    return zhou, wang


@pytest.fixture
def ruled(found: Found, tmp_path: Path):
    """Return a function that founds a town whose policy has other clocks: what changes in some, and new ones."""

    async def town(*new, at="2025-03-03 10:15", **changed):
        policy = yaml12.load((COMPANIES / "trade_003.yaml").read_text("utf-8"))
        for clock in policy["clocks"]:
            clock.update(changed.pop(clock["id"], {}))
        assert not changed
        policy["clocks"] += new
        path = tmp_path / "ruled.yaml"
        path.write_text(yaml12.write(policy), "utf-8")
        assert [str(problem) for problem in check([path])] == []
        return await found(at, company=str(path))

    return town


async def test_a_policy_may_count_the_desks_own_word_as_a_response(ruled):
    town = await ruled(first_response={"stop": ["human_reply", "number_told"]})
    await (await town.customer()).say("订单YX20250118-3 物流没更新都半个月了")
    run = town.case().facts.clocks["first_response"]
    assert run.stopped_at is not None
    assert town.events("clock_stopped")[0].facts["clock"] == "first_response"


async def _handed_over(town, wang=None):
    wang = wang or await town.customer()
    await wang.file()
    await wang.heard()
    return wang


async def test_a_clock_warns_at_80_percent_breaches_and_climbs_at_150(town):
    zhou = await town.agent("周敏", "reception", "logistics")
    head = await town.agent("何经理", "dept_head")
    boss = await town.agent("李总", "leading_group")
    await _handed_over(town)
    for each in (zhou, head, boss):
        await each.heard()
    number = town.case().number
    await town.until("2025-03-03 11:02")
    assert not await zhou.heard()
    await town.until("2025-03-03 11:04")
    warned = await zhou.heard()
    assert "首次人工回复" in warned
    assert "80%" in warned
    assert "11:15" in warned
    await town.until("2025-03-03 11:14")
    assert not await head.heard()
    await town.until("2025-03-03 11:16")
    assert f"超时 {number}" in await head.heard()
    assert f"超时 {number}" in await zhou.heard()
    assert not await boss.heard()
    await town.until("2025-03-03 11:50")
    assert "150%" in await boss.heard()
    names = [(event.facts.get("clock"), event.facts.get("percent")) for event in town.events("escalated")]
    assert ("first_response", 100) in names
    assert ("first_response", 150) in names


async def test_a_breach_climbs_though_nobody_owns_the_case_and_nobody_is_bound(town):
    await _handed_over(town)
    await town.room.heard()
    await town.until("2025-03-03 11:10")
    assert "80%" in await town.room.heard()
    await town.until("2025-03-03 11:20")
    assert "超时" in await town.room.heard()
    await town.until("2025-03-03 12:00")
    assert "150%" in await town.room.heard()
    assert all(event.facts["told"] for event in town.events("escalated"))


async def test_where_there_is_nobody_at_all_the_breach_is_in_the_journal(found):
    town = await found(room=False)
    await _handed_over(town)
    await town.until("2025-03-03 12:00")
    escalated = [event for event in town.events("escalated") if event.facts["clock"] == "first_response"]
    assert [event.facts["percent"] for event in escalated] == [100, 150]
    assert [event.facts["told"] for event in escalated] == [0, 0]
    zhou = await town.agent("周敏", "reception")
    assert town.case().number in await zhou.say("/cases"), "and the case is first in the list of whoever comes"


async def test_an_answer_in_time_stops_the_clock(town):
    zhou = await town.agent("周敏", "reception")
    wang = await _handed_over(town)
    number = town.case().number
    await zhou.all(number, f"!{number}", "!我来处理", "!回复客户", "您好，我在查了")
    assert "您好，我在查了" in await wang.heard()
    await town.until("2025-03-03 14:00")
    assert town.case().facts.clocks["first_response"].stopped_at is not None
    assert [
        event.facts["late"] for event in town.events("clock_stopped") if event.facts["clock"] == "first_response"
    ] == [False]
    assert "超时" not in await zhou.everything()


async def test_the_customer_hears_before_a_promised_date_passes_in_silence(town):
    wang = await _handed_over(town)
    await town.until("2025-03-06 13:59")
    assert not await wang.heard()
    await town.until("2025-03-06 14:10")
    held = await wang.heard()
    assert "还没有办完" in held
    assert "3月6日（周四）18:00" in held
    assert "3月7日（周五）18:00" in held
    assert "最迟3月7日（周五）18:00" in await wang.say("/status")
    assert town.due("propose") == "2025-03-06 18:00", "what the desk owes itself does not move"
    await town.until("2025-03-07 14:10")
    assert "3月10日（周一）18:00" in await wang.heard(), "and again before the next date passes"


async def test_a_clock_pauses_while_the_customer_is_asked_and_neither_warns_nor_holds(town):
    zhou, wang = await _asked(town)
    await town.until("2025-03-10 12:00")
    assert "80%" not in await zhou.heard()
    assert "还没有办完" not in await wang.heard()
    await wang.say("莱比锡")
    assert town.due("propose") >= "2025-03-13 10:00"
    await town.until("2025-03-13 18:00")
    assert "提出解决方案" in await zhou.heard()


async def test_a_customer_who_stays_silent_is_reminded_and_the_promised_date_is_not_forgotten(town):
    zhou, wang = await _asked(town)
    await town.until("2025-03-04 18:10")
    assert "是哪个仓库？" in await wang.heard(), "a working day after the question"
    await town.until("2025-03-10 18:10")
    assert "客户还没有回答" in await zhou.heard()
    assert "改为最迟3月14日" in await wang.heard(), "the promised date moves by as much as was waited, and that is said"
    await town.until("2025-03-14 18:00")
    assert any(event.facts["clock"] == "propose" for event in town.events("clock_breached"))


async def test_a_make_up_saturday_is_a_working_day(found):
    town = await found("2025-10-10 17:30")
    wang = await town.customer()
    await wang.say("灯坏了，质量太差")
    assert town.due("first_response") == "2025-10-11 09:30"
    await wang.press("同意")
    await wang.all("王岚", "13812345678", "马德里", "PO-88213", "跳过", "退款", "跳过", "!没问题，提交")
    assert town.due("propose") == "2025-10-14 18:00"


async def test_national_day_does_not_count(found):
    town = await found("2025-09-29 16:00")
    await _handed_over(town)
    assert town.due("propose") == "2025-10-10 18:00"


async def test_after_days_out_of_service_everything_due_happens_once_folded(town):
    zhou = await town.agent("周敏", "reception", "logistics")
    wang = await _handed_over(town)
    await zhou.heard()
    await town.stop()
    town.clock.set("2025-03-07 10:00")
    await town.start()
    told = await zhou.heard()
    assert 1 <= told.many <= 3, told
    assert "首次人工回复" in told
    assert "提出解决方案" in told
    held = await wang.heard()
    assert held.many <= 1
    assert "3月10日（周一）18:00" in held or "3月7日" in held
    names = [event.name for event in town.journal()]
    assert len([event for event in town.events("clock_breached") if event.facts["clock"] == "propose"]) == 1
    before = len(names)
    await town.restart()
    assert len(town.journal()) == before, "nothing happens twice"


async def test_a_complaint_sent_while_the_service_was_down_counts_from_when_it_was_said(town):
    wang = await town.customer()
    await town.stop()
    await wang.phone.say("灯坏了，质量太差")
    town.clock.push(hours=2)
    await town.start()
    assert town.case().number in await wang.heard()
    assert town.due("first_response") == "2025-03-03 11:15"


async def test_a_complaint_older_than_three_days_counts_from_when_it_was_heard(town):
    wang = await town.customer()
    await town.stop()
    await wang.phone.say("灯坏了，质量太差")
    town.clock.set("2025-03-10 10:00")
    await town.start()
    assert town.due("first_response") == "2025-03-10 11:00"


async def test_a_silent_customer_is_reminded_of_a_proposal_and_then_called(town):
    zhou = await town.agent("周敏", "reception")
    wang = await _handed_over(town)
    number = town.case().number
    await zhou.all(number, f"!{number}", "!我来处理", "!提出方案", "免费补发")
    await wang.heard()
    await town.until("2025-03-10 18:00")
    reminders = (await wang.heard()).many
    assert reminders >= 1
    assert "还在等您的答复" in await wang.everything()
    assert "同意这个方案" in str((await wang.phone.transcript()).messages[-1].buttons)
    assert "客户答复方案" in await zhou.heard()
    assert town.case().state == "proposed", "silence is no consent"


async def test_an_emergency_climbs_by_the_minute_and_at_night_too(found):
    town = await found("2025-03-08 22:40")
    zhou = await town.agent("周敏", "reception")
    boss = await town.agent("李总", "leading_group")
    wang = await town.customer()
    await wang.say("充电器起火了，孩子烫伤送医院")
    assert "人身安全" in await boss.heard()
    await zhou.heard()
    await town.until("2025-03-08 22:48")
    assert "50%" in await zhou.heard()
    await town.until("2025-03-08 22:56")
    assert "超时" in await boss.heard()
    number = town.case().number
    await zhou.all(number, f"!{number}", "!我来处理")
    assert town.case().facts.clocks["urgent_call"].stopped_at is not None


async def test_calling_for_a_human_is_answered_by_the_clock_of_the_first_answer(town):
    wang = await town.customer()
    await wang.say("人工")
    await town.room.heard()
    await town.until("2025-03-03 11:20")
    assert "首次人工回复" in await town.room.heard()


CALLBACK = {
    "id": "callback",
    "title": TITLE,
    "start": "appointed",
    "stop": "human_reply",
    "limit": {"unit": "appointment"},
    "promised": True,
}


async def _owned(town):
    """Let a customer file, and an agent take the case."""
    zhou = await town.agent("周敏", "reception")
    wang = await _handed_over(town)
    number = town.case().number
    await zhou.all(number, f"!{number}", "!我来处理")
    return zhou, wang, number


async def test_a_moment_agreed_upon_is_told_kept_and_moved_by_the_next_one(ruled):
    town = await ruled(CALLBACK)
    zhou, wang, number = await _owned(town)
    await zhou.all("!更多…", "!约定时间", "2025-3-4 15:00 回电确认型号")
    assert "3月4日（周二）15:00" in await wang.heard()
    assert town.due("callback") == "2025-03-04 15:00"
    await zhou.all("!更多…", "!约定时间", "2025-03-05 09:30 客户改到周三")
    assert "3月5日（周三）09:30" in await wang.heard()
    assert town.due("callback") == "2025-03-05 09:30"
    assert "回电确认型号" in town.events("appointed")[0].words["text"]
    await zhou.heard()
    await town.until("2025-03-05 09:31")
    assert f"超时 {number}" in await zhou.heard()


@pytest.mark.parametrize("text", ["明天下午", "2025-02-30 10:00 回电", "2025-03-03 09:00 回电", "2025-03-04 25:00"])
async def test_a_moment_that_is_none_or_has_passed_is_asked_for_again(ruled, text):
    town = await ruled(CALLBACK)
    zhou, _, _ = await _owned(town)
    assert "请先写一个将来的时间" in await zhou.all("!更多…", "!约定时间", text)
    assert "callback" not in town.case().facts.clocks
    assert not town.events("appointed")


async def test_a_policy_without_appointments_and_extensions_offers_neither(town):
    zhou, _, number = await _owned(town)
    labels = (await zhou.all(number, f"!{number}")).labels
    assert labels
    assert not {"约定时间", "延期"} & set(labels)


PAUSE = {"pause": {"nudge": {"amount": 1, "unit": "workday"}, "most": {"amount": 2, "unit": "workday"}}}


async def test_a_pause_ends_by_itself_after_one_reminder_and_the_clock_has_the_time_it_had_left(ruled):
    town = await ruled(propose=PAUSE, execute=PAUSE)
    zhou, wang, _ = await _owned(town)
    assert town.due("propose") == "2025-03-06 18:00"
    await zhou.all("!问客户", "是哪个仓库？")
    await wang.heard()
    await zhou.heard()
    await town.until("2025-03-04 17:59")
    assert not await wang.heard()
    await town.until("2025-03-04 18:01")
    assert "是哪个仓库" in await wang.heard()
    await town.until("2025-03-05 17:59")
    assert not await wang.heard(), "only once"
    assert town.case().facts.clocks["propose"].paused_at is not None
    await town.until("2025-03-05 18:01")
    run = town.case().facts.clocks["propose"]
    assert run.paused_at is None
    told = await zhou.heard()
    assert "继续计时" in told
    assert "超时" not in told
    assert "3月11日" in await wang.heard(), "a date that was promised does not move in silence"
    assert run.due_at == run.promised_at
    assert town.due("propose") == "2025-03-11 16:45", "three whole days and what was left of the first"
    assert [event.facts["why"] for event in town.events("clock_resumed")] == ["limit"]
    assert len(town.events("reminded")) == 1
    await wang.say("莱比锡")
    assert len(town.events("clock_resumed")) == 1, "it runs already"


async def test_an_answer_in_time_ends_the_pause_and_nobody_is_reminded(ruled):
    town = await ruled(propose=PAUSE)
    zhou, wang, _ = await _owned(town)
    await zhou.all("!问客户", "是哪个仓库？")
    await wang.say("莱比锡")
    await wang.heard()
    await town.until("2025-03-05 18:01")
    assert "是哪个仓库" not in await wang.heard()
    assert [event.facts["why"] for event in town.events("clock_resumed")] == ["answer"]
    assert not town.events("reminded")


async def test_a_clock_without_pauses_runs_while_the_customer_is_asked(town):
    zhou, _, _ = await _owned(town)
    before = town.due("first_response")
    await zhou.all("!问客户", "是哪个仓库？")
    assert [event.facts["clock"] for event in town.events("clock_paused")] == ["propose"]
    assert town.due("first_response") == before


EXTENSION = {"extension": {"by": "reception", "step": {"amount": 5, "unit": "workday"}, "clause": "X-1"}}


async def test_a_date_is_moved_with_a_reason_once_and_the_customer_is_told(ruled):
    town = await ruled(propose=EXTENSION)
    zhou, wang, number = await _owned(town)
    assert "不大于 5" in await zhou.all("!延期", "6 工厂还在检测")
    assert "不大于 5" in await zhou.all(number, f"!{number}", "!延期", "工厂还在检测")
    assert town.due("propose") == "2025-03-06 18:00"
    await zhou.all(number, f"!{number}", "!延期", "2 工厂还在检测")
    told = await wang.heard()
    assert "3月6日（周四）18:00" in told
    assert "3月10日（周一）18:00" in told
    assert town.due("propose") == "2025-03-10 18:00"
    moved = town.events("clock_extended")[0]
    assert (moved.clause, moved.facts["by"], moved.facts["unit"]) == ("X-1", 2, "workday")
    assert moved.words["reason"] == "工厂还在检测"
    assert moved.actor.startswith("staff:")
    assert "延期" not in (await zhou.all(number, f"!{number}")).labels, "once only"
    await zhou.heard()
    await town.until("2025-03-07 12:00")
    assert "提出解决方案" not in await zhou.heard()
    await town.until("2025-03-10 18:01")
    assert "提出解决方案" in await zhou.heard()


async def test_a_date_is_moved_only_before_it_passes_and_by_those_who_may(ruled):
    town = await ruled(propose={"extension": EXTENSION["extension"] | {"by": "dept_head"}})
    zhou, _, number = await _owned(town)
    he = await town.agent("何经理", "dept_head")
    assert "延期" not in (await zhou.all(number, f"!{number}")).labels
    assert "延期" in (await he.all(number, f"!{number}")).labels
    await town.until("2025-03-06 18:01")
    assert "延期" not in (await he.all(number, f"!{number}")).labels


LATER = {"title": TITLE, "on": "extension_asked.propose", "matrix": [{"steps": ["dept_head"]}]}
AGREED = {"propose": {"extension": EXTENSION["extension"] | {"by": "owner", "approval": "later"}}}


async def test_a_date_moves_only_once_others_have_agreed_and_the_customer_hears_it_then(shaped):
    town = await shaped(clocks=AGREED, approvals={"later": LATER})
    zhou, wang, number = await _owned(town)
    he = await town.agent("何经理", "dept_head")
    assert "不大于 5" in await zhou.all("!延期", "6 工厂还在检测")
    await zhou.all(number, f"!{number}", "!延期", "2 工厂还在检测")
    assert "工厂还在检测" in await he.heard()
    assert town.due("propose") == "2025-03-06 18:00"
    assert "3月10日" not in await wang.heard()
    assert "延期" not in (await zhou.all(number, f"!{number}")).labels, "it is asked for already"
    await he.press("同意")
    assert town.due("propose") == "2025-03-10 18:00"
    assert "3月10日（周一）18:00" in await wang.heard()
    moved = town.events("clock_extended")[0]
    assert (moved.actor, moved.clause, moved.facts["by"]) == (f"staff:{zhou.member.id}", "X-1", 2)
    assert moved.words["reason"] == "工厂还在检测"


async def test_a_date_stays_where_others_refuse_to_move_it(shaped):
    town = await shaped(clocks=AGREED, approvals={"later": LATER})
    zhou, wang, number = await _owned(town)
    he = await town.agent("何经理", "dept_head")
    await zhou.all("!延期", "2 工厂还在检测")
    await he.heard()
    await he.all("!驳回", "客户等不了")
    assert town.case().facts.approvals[-1].outcome == "refused"
    assert town.due("propose") == "2025-03-06 18:00"
    assert not town.events("clock_extended")
    assert "3月10日" not in await wang.heard()
    assert "延期" in (await zhou.all(number, f"!{number}")).labels, "it may be asked for anew"


async def test_an_extension_stays_when_the_clock_pauses_later(ruled):
    town = await ruled(propose=EXTENSION)
    zhou, wang, number = await _owned(town)
    await zhou.all("!延期", "2 工厂还在检测")
    await zhou.all(number, f"!{number}", "!问客户", "是哪个仓库？")
    await town.until("2025-03-04 10:20")
    await wang.say("莱比锡")
    assert town.due("propose") >= "2025-03-11 10:00"
    await zhou.heard()
    await town.until("2025-03-10 18:01")
    assert "超时" not in await zhou.heard()


LIMITS = {"limits": [{"when": {"type": "service_attitude"}, "amount": 1, "unit": "workday", "clause": "X-2"}]}


async def test_another_type_dates_the_running_clock_from_its_own_start_and_tells_the_customer(ruled):
    town = await ruled(propose=LIMITS)
    zhou, wang, number = await _owned(town)
    assert town.due("propose") == "2025-03-06 18:00"
    town.clock.push(hours=2)
    await zhou.all(number, f"!{number}", "!更多…", "!改类型", "!服务态度问题")
    assert town.due("propose") == "2025-03-04 18:00"
    assert "3月4日（周二）18:00" in await wang.heard()
    redated = town.events("clock_redated")[0]
    assert redated.clause == "X-2"
    await zhou.all(number, f"!{number}", "!更多…", "!改类型", "!产品质量问题")
    assert town.due("propose") == "2025-03-06 18:00"
    told = await wang.heard()
    assert "3月4日（周二）18:00" in told
    assert "3月6日（周四）18:00" in told


async def test_another_type_keeps_the_pauses_of_the_running_clock(ruled):
    town = await ruled(propose=LIMITS)
    zhou, wang, number = await _owned(town)
    await zhou.all("!问客户", "是哪个仓库？")
    asked = town.clock.moment
    await town.until("2025-03-06 10:20")
    await wang.say("莱比锡")
    await zhou.all(number, f"!{number}", "!更多…", "!改类型", "!服务态度问题")
    paused = town.case().facts.clocks["propose"]
    assert len(paused.pauses) == 1
    assert paused.due_at - Clock.of("2025-03-04 18:00") >= Clock.of("2025-03-06 10:15") - asked
    assert "超时" not in await zhou.heard(), "not over at once"


ATTITUDE = {
    "id": "propose_attitude", "title": TITLE, "when": {"type": "service_attitude"},
    "start": ["handed_over", "emergency", "lead_naming"], "stop": "proposed", "promised": True,
    "limit": {"amount": 1, "unit": "workday"}, "pauses": ["customer"],
    "pause": {"nudge": {"amount": 2, "unit": "workday"}, "most": {"amount": 5, "unit": "workday"}},
}  # fmt: skip


async def test_a_clock_that_takes_over_from_another_takes_over_its_promise_and_its_pauses(ruled):
    town = await ruled(ATTITUDE, propose={"when": {"not": {"type": "service_attitude"}}})
    zhou, wang, number = await _owned(town)
    await zhou.all("!问客户", "是哪个仓库？")
    asked = town.case().facts.clocks["propose"].paused_at
    await wang.heard()
    await town.until("2025-03-04 10:20")
    await zhou.all(number, f"!{number}", "!更多…", "!改类型", "!服务态度问题")
    told = await wang.heard()
    assert "之前答应您在3月6日" in told
    assert "改为最迟3月4日（周二）18:00" in told
    clocks = town.case().facts.clocks
    assert clocks["propose"].dropped
    assert clocks["propose_attitude"].paused_at == asked, "what is waited for is waited for still"
    await town.until("2025-03-05 18:10")
    assert "是哪个仓库？" in await wang.heard(), "and the customer is reminded"
    await wang.say("莱比锡")
    run = town.case().facts.clocks["propose_attitude"]
    assert run.due_at - Clock.of("2025-03-04 18:00") >= Clock.of("2025-03-05 18:00") - asked
    assert run.promised_at == run.due_at


TAKE = {"id": "take", "title": TITLE, "start": ["handed_over", "released"], "stop": "claimed",
        "limit": {"amount": 15, "unit": "minute", "basis": "elapsed"}}  # fmt: skip


async def test_whoever_loses_a_case_starts_the_clock_of_cases_that_nobody_has(ruled):
    town = await ruled(TAKE)
    zhou, _, number = await _owned(town)
    assert not town.case().facts.clocks["take"].running
    await town.until("2025-03-03 11:00")
    await zhou.all(number, f"!{number}", "!更多…", "!放回")
    assert town.due("take") == "2025-03-03 11:15"
    await zhou.all(number, f"!{number}", "!我来处理")
    assert not town.case().facts.clocks["take"].running
    await zhou.all(number, f"!{number}", "!更多…", "!转给部门", "!质量控制部门")
    assert town.case().owner_id is None
    assert town.case().facts.clocks["take"].running, "so it is when the case goes to another department"


async def test_what_is_due_by_a_day_is_reminded_of_on_the_mornings_of_the_two_days_before(shaped):
    days = [{"before": {"amount": n, "unit": "day"}, "to": "reception"} for n in (2, 1)]
    town = await shaped(
        clocks={"settle": {"title": TITLE, "start": "handed_over", "stop": "proposed",
                           "limit": {"amount": 7, "unit": "month_day"}}},
        escalation=[{"id": "settling", "clocks": ["settle"], "rungs": [*days, {"percent": 100, "to": "reception"}]}],
    )  # fmt: skip
    zhou = await town.agent("周敏", "reception")
    await (await town.customer()).file()
    await zhou.heard()
    soon = f"{town.case().number}：“回电”快到期了，3月7日（周五）23:59截止"
    for at, reminded in (
        ("2025-03-05 08:59", 0),
        ("2025-03-05 09:01", 1),
        ("2025-03-06 08:59", 0),
        ("2025-03-06 09:01", 1),
    ):
        await town.until(at)
        assert (await zhou.heard()).count(soon) == reminded, at
    await town.until("2025-03-08 00:01")
    assert "“回电”应在3月7日" in await zhou.heard()
    assert [event.facts["percent"] for event in town.events("clock_warned") if event.facts["clock"] == "settle"] == [
        98,
        99,
    ]
