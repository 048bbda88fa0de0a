"""Public holidays and make-up workdays, from the package and from override files."""

from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from complaints.calendar import WorkCalendar
from complaints.policy import Hours
from policies.calendars import work_calendar

MAKEUP_2026 = ("2026-01-04", "2026-02-14", "2026-02-28", "2026-05-09", "2026-09-20", "2026-10-10")


def the_hours(**differing: object) -> Hours:
    week = {day: ["09:00-12:00", "13:30-18:00"] for day in ("mon", "tue", "wed", "thu", "fri")}
    return Hours.model_validate(
        {
            "zone": "Asia/Shanghai",
            "week": week,
            "makeup": ["09:00-12:00", "13:30-18:00"],
            "quiet": "22:00-08:00",
        }
        | differing
    )


@pytest.fixture
def china(tmp_path: Path) -> WorkCalendar:
    return work_calendar(the_hours(), tmp_path)


def test_all_six_makeup_days_of_2026_are_working_days(china: WorkCalendar) -> None:
    assert [day for day in MAKEUP_2026 if not china.is_working_day(date.fromisoformat(day))] == []


def test_2026_has_as_many_working_days_as_the_state_council_announced(china: WorkCalendar) -> None:
    days = [date(2026, 1, 1) + timedelta(days=n) for n in range(365)]
    weekends_worked = {f"{day}" for day in days if day.weekday() >= 5 and china.is_working_day(day)}
    weekdays_off = [f"{day}" for day in days if day.weekday() < 5 and not china.is_working_day(day)]

    assert weekends_worked == set(MAKEUP_2026)
    assert weekdays_off == [
        *("2026-01-01", "2026-01-02"),
        *("2026-02-16", "2026-02-17", "2026-02-18", "2026-02-19", "2026-02-20", "2026-02-23"),
        "2026-04-06",
        *("2026-05-01", "2026-05-04", "2026-05-05"),
        "2026-06-19",
        "2026-09-25",
        *("2026-10-01", "2026-10-02", "2026-10-05", "2026-10-06", "2026-10-07"),
    ]


@pytest.mark.parametrize(
    ("start", "hours", "expected"),
    [("2025-09-30 16:00", 8, "2025-10-09 16:30"), ("2025-10-10 17:00", 4, "2025-10-11 12:00")],
)
def test_national_day_2025_is_kept_with_its_makeup_saturday(
    china: WorkCalendar, start: str, hours: int, expected: str
) -> None:
    begin = datetime.fromisoformat(start).replace(tzinfo=ZoneInfo("Asia/Shanghai"))

    assert f"{china.local(china.add_working(begin, timedelta(hours=hours))):%Y-%m-%d %H:%M}" == expected


def test_a_year_without_a_decree_is_called_unpublished_but_keeps_the_days_of_the_law(china: WorkCalendar) -> None:
    assert china.published(2026)
    assert not china.published(2027)
    assert not china.is_working_day(date(2027, 10, 1))
    assert china.is_working_day(date(2041, 10, 1))
    assert not china.published(2041)


def test_a_file_for_a_year_says_everything_about_it(tmp_path: Path) -> None:
    (tmp_path / "CN-2027.yaml").write_text("published: true\nholidays: [2027-01-01]\nworkdays: [2027-02-06]\n", "utf-8")

    calendar = work_calendar(the_hours(), tmp_path)

    assert calendar.published(2027)
    assert calendar.is_working_day(date(2027, 2, 6))
    assert not calendar.is_working_day(date(2027, 1, 1))
    assert calendar.is_working_day(date(2027, 10, 1))


def test_a_company_that_works_on_saturdays_keeps_the_holidays_that_fall_on_them(tmp_path: Path) -> None:
    six = {day: ["09:00-18:00"] for day in ("mon", "tue", "wed", "thu", "fri", "sat")}

    calendar = work_calendar(the_hours(week=six), tmp_path)

    assert calendar.is_working_day(date(2026, 11, 7))
    assert not calendar.is_working_day(date(2026, 10, 3))


def test_other_countries_have_their_own_holidays_and_need_no_decree(tmp_path: Path) -> None:
    calendar = work_calendar(the_hours(holidays="US", zone="America/New_York"), tmp_path)

    assert calendar.published(2033)
    assert not calendar.is_working_day(date(2033, 7, 4))
    assert calendar.is_working_day(date(2033, 10, 3))


@pytest.mark.parametrize(("differing", "said"), [({"zone": "Mars/Olympus"}, "zone"), ({"holidays": "XX"}, "country")])
def test_a_zone_or_country_that_nobody_knows_is_refused(differing: dict[str, str], said: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=said):
        work_calendar(the_hours(**differing), tmp_path)
