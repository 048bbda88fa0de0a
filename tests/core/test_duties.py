"""Duties come round: periods, dates and draws, for any day and any company."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from complaints import duties
from complaints.calendar import WorkCalendar, YearDates
from complaints.clauses.duty import Duty, Sample
from complaints.policy import Window

ZONE = ZoneInfo("Asia/Shanghai")
WINDOW = Window.model_validate({"start": "09:00", "end": "18:00"})
CALENDAR = WorkCalendar(
    zone=ZONE,
    week={weekday: [WINDOW] for weekday in range(5)},
    makeup=[WINDOW],
    year=lambda _: YearDates(worked={date(2026, 10, 10): True, date(2026, 10, 1): False}, published=True),
)
EVERY = ["day", "week", "month", "quarter", "half_year", "year"]


def duty(every: str, due: dict[str, object], **more: object) -> Duty:
    title = {"zh-Hans": "x", "zh-Hant": "x", "en": "x"}
    return Duty.model_validate(
        {"id": "check", "title": title, "to": "control", "every": every, "due": due, "missed": "head"} | more
    )


@pytest.mark.parametrize(
    ("every", "due", "begins", "name", "expected"),
    [
        ("week", {"amount": 5, "unit": "week_day"}, date(2026, 11, 16), "2026-W47", "2026-11-20 23:59"),
        ("month", {"amount": 5, "unit": "month_day"}, date(2026, 11, 1), "2026-11", "2026-11-05 23:59"),
        ("quarter", {"amount": 10, "unit": "workday"}, date(2026, 7, 1), "2026-Q3", "2026-07-15 18:00"),
        ("half_year", {"unit": "month_end"}, date(2026, 7, 1), "2026-H2", "2026-07-31 23:59"),
        ("year", {"amount": 1, "unit": "month"}, date(2026, 1, 1), "2026", "2026-02-01 23:59"),
        ("day", {"amount": 0, "unit": "workday"}, date(2026, 10, 10), "2026-10-10", "2026-10-10 18:00"),
    ],
)
def test_a_duty_has_a_period_and_a_date(
    every: str, due: dict[str, object], begins: date, name: str, expected: str
) -> None:
    it = duty(every, due)
    period = duties.period_of(it, begins)

    assert (period.name, period.first) == (name, begins)
    moment = duties.moment(it, duties.beginning(period, CALENDAR), 100, CALENDAR)
    assert f"{moment.astimezone(ZONE):%Y-%m-%d %H:%M}" == expected


def test_a_daily_duty_comes_on_working_days_only_and_on_a_saturday_that_is_worked() -> None:
    found = duties.periods(
        duty("day", {"amount": 0, "unit": "workday"}), date(2026, 9, 30), date(2026, 10, 11), CALENDAR
    )

    assert [each.first.day for each in found] == [30, 2, 5, 6, 7, 8, 9, 10]


def test_a_yearly_duty_comes_in_its_month_only() -> None:
    audit = duty("month", {"unit": "month_end"}, months=[7])

    assert [each.name for each in duties.periods(audit, date(2025, 1, 1), date(2026, 12, 31), CALENDAR)] == [
        "2025-07",
        "2026-07",
    ]


@settings(max_examples=200, deadline=None)
@given(every=st.sampled_from(EVERY), day=st.dates(date(2000, 1, 1), date(2100, 1, 1)))
def test_periods_follow_each_other_without_a_gap(every: str, day: date) -> None:
    it = duty(every, {"amount": 1, "unit": "day"})
    period = duties.period_of(it, day)

    assert period.first <= day < period.next
    assert duties.period_of(it, period.next).first == period.next
    assert duties.before(it, period).next == period.first


@settings(max_examples=200, deadline=None)
@given(
    numbers=st.lists(st.integers(0, 10_000).map(lambda n: f"TR-26-{n:06}"), unique=True, max_size=60),
    percent=st.integers(1, 100),
    own=st.sets(st.integers(0, 59)),
)
def test_a_sample_is_the_same_for_the_same_cases_and_holds_none_of_ones_own(
    numbers: list[str], percent: int, own: set[int]
) -> None:
    it, period = (
        duty("week", {"amount": 5, "unit": "week_day"}),
        duties.Period("w", date(2026, 11, 16), date(2026, 11, 23)),
    )
    sample = Sample(percent=percent)
    mine = frozenset(number for place, number in enumerate(numbers) if place in own)

    ordered = duties.order(it, period, numbers)
    found = duties.drawn(sample, ordered, mine)

    assert ordered == duties.order(it, period, numbers[::-1])
    assert not mine.intersection(found)
    wanted = max(1, -(-len(numbers) * percent // 100))
    assert len(found) == min(wanted, len(numbers) - len(mine))


def test_reminders_lie_between_the_beginning_and_the_date() -> None:
    it = duty("month", {"amount": 5, "unit": "month_day"})
    began = datetime(2026, 10, 31, 16, tzinfo=UTC)
    moments = [duties.moment(it, began, percent, CALENDAR) for percent in (0, 50, 80, 100)]

    assert moments == sorted(moments)
    assert moments[0] == began
    assert moments[-1] - began < timedelta(days=5)


def test_a_sample_is_of_the_period_before_or_of_the_last_ones() -> None:
    july = duties.Period("2025-07", date(2025, 7, 1), date(2025, 8, 1))
    for more, first in (
        ({}, date(2025, 6, 1)),
        ({"sample": {"percent": 10}}, date(2025, 6, 1)),
        ({"sample": {"percent": 100, "periods": 12}}, date(2024, 7, 1)),
    ):
        found = duties.before(duty("month", {"unit": "month_end"}, months=[7], **more), july)
        assert (found.first, found.next) == (first, date(2025, 7, 1))


@pytest.mark.parametrize(
    ("begins", "reminded"),
    [
        (date(2026, 11, 1), ["2026-11-06 09:00", "2026-11-06 09:00"]),  # the 8th is a Sunday: on the Friday before
        (date(2026, 12, 1), ["2026-12-04 09:00", "2026-12-07 09:00"]),  # the 6th is a Sunday
        (date(2026, 4, 1), ["2026-04-06 09:00", "2026-04-07 09:00"]),
    ],
)
def test_what_is_due_by_the_8th_is_reminded_of_on_the_6th_and_the_7th_or_the_workday_before(
    begins: date, reminded: list[str]
) -> None:
    remind = [{"before": {"amount": 2, "unit": "day"}}, {"before": {"amount": 1, "unit": "day"}}]
    it = duty("month", {"amount": 8, "unit": "month_day"}, remind=remind)
    began_at = duties.beginning(duties.period_of(it, begins), CALENDAR)

    moments = [duties.moment(it, began_at, place, CALENDAR).astimezone(ZONE) for place in (-1, -2)]
    assert [f"{each:%Y-%m-%d %H:%M}" for each in moments] == reminded
