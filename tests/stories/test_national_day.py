"""A whole year with its make-up workdays, and a service that was away over National Day."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from complaints.calendar import due
from complaints.clauses.clock import Limit
from policies.calendars import work_calendar
from policies.loader import load

HOME = Path(__file__).parents[2] / "policies"
#: As the State Council announced 2026: days off that are no weekend, and weekend days that are worked.
OFF = ["01-01", "01-02", "02-16", "02-17", "02-18", "02-19", "02-20", "02-23", "04-06", "05-01", "05-04", "05-05",
       "06-19", "09-25", "10-01", "10-02", "10-05", "10-06", "10-07"]  # fmt: skip
MADE_UP = ["01-04", "02-14", "02-28", "05-09", "09-20", "10-10"]


def test_every_day_of_2026_is_a_working_day_or_not_as_announced():
    calendar = work_calendar(load("trade_003", HOME).hours, HOME / "calendars")
    assert calendar.published(2026)
    for number in range(365):
        day = date(2026, 1, 1) + timedelta(days=number)
        shown = f"{day:%m-%d}"
        expected = shown in MADE_UP or (day.weekday() < 5 and shown not in OFF)
        assert calendar.is_working_day(day) == expected, shown


def test_three_working_days_from_any_day_of_2026_end_on_the_third_one_counted_by_hand():
    calendar = work_calendar(load("trade_003", HOME).hours, HOME / "calendars")
    limit = Limit(amount=3, unit="workday")
    for number in range(360):
        start = datetime(2026, 1, 1, 3, tzinfo=UTC) + timedelta(days=number)
        day, left = calendar.local(start).date(), 3
        while left:
            day += timedelta(days=1)
            shown = f"{day:%m-%d}"
            left -= day.year == 2026 and (shown in MADE_UP or (day.weekday() < 5 and shown not in OFF))
            if day.year > 2026:
                return
        assert f"{calendar.local(due(limit, start, calendar)):%m-%d %H:%M}" == f"{day:%m-%d} 18:00"


@pytest.mark.parametrize("database", ["sqlite", "postgres"])
async def test_nine_days_away_over_national_day_leave_every_date_right_and_nobody_flooded(found, database):
    town = await found("2026-09-30 10:00", database=database)
    zhou = await town.agent("周敏", "reception", "logistics")
    boss = await town.agent("李总", "leading_group")
    head = await town.agent("何经理", "dept_head")
    people = [await town.customer(f"客户{number}") for number in range(6)]
    for person in people:
        await person.file()
    dues = [town.due("propose", case) for case in town.cases()]
    assert set(dues) == {"2026-10-10 18:00"}, "three working days: 8, 9 and the Saturday that is worked"
    for person in (zhou, boss, head):
        await person.heard()
    await town.stop()
    town.clock.set("2026-10-09 12:00")
    await town.start()
    assert [town.due("propose", case) for case in town.cases()] == dues, "a date does not depend on who was awake"
    for person, name in ((zhou, "reception"), (boss, "leading group"), (head, "head")):
        heard = await person.heard()
        assert heard.many <= 1, f"{name} was flooded: {heard}"
    for case in town.cases():
        for clock in ("first_response", "investigate_start"):
            told = [
                (each.name, each.facts.get("percent", 100))
                for each in town.journal(case)
                if each.name in ("clock_warned", "clock_breached", "escalated") and each.facts["clock"] == clock
            ]
            assert [percent for _, percent in told] == sorted(percent for _, percent in told), "rungs in their order"
            assert len(told) == len(set(told)), "each rung once"
            assert ("clock_breached", 100) in told
    await town.until("2026-10-09 18:00")
    assert "超时" not in await boss.heard(), "nothing is told a second time"


async def test_a_customer_whose_form_was_left_while_the_service_was_away_gets_one_letter_about_it(found):
    town = await found("2026-09-30 16:00", company="chem_000")
    await town.agent("周敏", "service_center")
    hurt, labels = await town.customer("许强"), await town.customer("何芳")
    await hurt.say("你们的甲苯桶漏了 味道特别呛 两个工人已经送医院了 快点来人啊")
    await labels.say("桶上有七八个标签贴错了 合同号HT-2025-0117 合同金额3.2万")
    await town.stop()
    town.clock.set("2026-10-09 12:00")
    await town.start()
    await town.until("2026-10-09 18:00")
    begun, left = await hurt.heard(), await labels.heard()
    assert begun.many == 1, begun
    assert "还差几个问题" in begun, "the desk works on it, and waits for the rest"
    assert left.many == 1, left
    assert "先按已有的内容处理" in left, "nothing more is asked of a form that reception finishes"
