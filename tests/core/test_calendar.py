"""Working time: golden dates, and what must hold for every calendar."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from complaints.calendar import WorkCalendar, YearDates, ahead, due, remaining, share, shift
from complaints.clauses.clock import Limit
from complaints.policy import Window
from policies import yaml12

SHANGHAI = ZoneInfo("Asia/Shanghai")
QUIET = Window(start=time(22), end=time(8))


def window(text: str) -> Window:
    start, end = text.split("-")
    return Window(start=time.fromisoformat(start), end=time.fromisoformat(end))


def dates(*, free: str = "", worked: str = "") -> Mapping[date, bool]:
    return {date.fromisoformat(day): False for day in free.split()} | {
        date.fromisoformat(day): True for day in worked.split()
    }


CHINA: dict[int, Mapping[date, bool]] = {
    2025: dates(
        free="2025-01-01 2025-01-28 2025-01-29 2025-01-30 2025-01-31 2025-02-03 2025-02-04 2025-04-04 2025-05-01 "
        "2025-05-02 2025-05-05 2025-06-02 2025-10-01 2025-10-02 2025-10-03 2025-10-06 2025-10-07 2025-10-08",
        worked="2025-01-26 2025-02-08 2025-04-27 2025-09-28 2025-10-11",
    ),
}


def a_calendar(*, windows: str = "09:00-18:00", zone: str = "Asia/Shanghai", days: int = 5) -> WorkCalendar:
    stretches = [window(each) for each in windows.split()]
    return WorkCalendar(
        zone=ZoneInfo(zone),
        week=dict.fromkeys(range(days), stretches),
        makeup=stretches,
        year=lambda number: YearDates(worked=CHINA.get(number, {}), published=number <= 2026),
    )


PLAIN = a_calendar()
LUNCH = a_calendar(windows="09:00-12:00 13:30-18:00")
NIGHT = a_calendar(windows="00:00-06:00 20:00-00:00", zone="Europe/London", days=7)
NEW_YORK = a_calendar(windows="01:00-02:30 03:00-11:00", zone="America/New_York", days=7)


def at(text: str, calendar: WorkCalendar = PLAIN) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=calendar.zone)


def shown(moment: datetime, calendar: WorkCalendar = PLAIN) -> str:
    assert moment.tzinfo is UTC
    return f"{calendar.local(moment):%Y-%m-%d %H:%M}"


def hours(number: float) -> timedelta:
    return timedelta(hours=number)


def limit(text: str) -> Limit:
    """Read the clock notation of the stories: 10s, 15min, 4h, 1bh, 3wd, 7d."""
    number = text.rstrip("abcdefghijklmnopqrstuvwxyz")
    unit, basis = {
        "s": ("second", "elapsed"),
        "min": ("minute", "elapsed"),
        "h": ("hour", "elapsed"),
        "bh": ("hour", "working"),
        "wd": ("workday", "working"),
        "d": ("day", "calendar"),
    }[text.removeprefix(number)]
    return Limit.model_validate({"amount": int(number), "unit": unit, "basis": basis})


class TestGoldenDates:
    def test_national_day_2025_takes_no_working_time(self) -> None:
        assert shown(LUNCH.add_working(at("2025-09-30 16:00"), hours(8))) == "2025-10-09 16:30"

    def test_a_makeup_saturday_is_worked(self) -> None:
        assert shown(LUNCH.add_working(at("2025-10-10 17:00"), hours(4))) == "2025-10-11 12:00"

    @pytest.mark.parametrize(
        ("start", "span", "expected"),
        [
            ("2025-03-14 21:30", "10s", "2025-03-14 21:30"),
            ("2025-03-14 21:30", "1bh", "2025-03-17 10:00"),
            ("2025-03-17 09:40", "1bh", "2025-03-17 10:40"),
            ("2025-03-17 09:40", "3wd", "2025-03-20 18:00"),
            ("2025-03-24 16:00", "7wd", "2025-04-02 18:00"),
            ("2025-03-03 10:15", "1bh", "2025-03-03 11:15"),
            ("2025-03-03 11:00", "3wd", "2025-03-06 18:00"),
            ("2025-03-06 09:30", "7wd", "2025-03-17 18:00"),
            ("2025-03-12 17:00", "7wd", "2025-03-21 18:00"),
            ("2025-03-05 11:00", "1bh", "2025-03-05 12:00"),
            ("2025-03-05 11:10", "15min", "2025-03-05 11:25"),
            ("2025-03-31 17:00", "4wd", "2025-04-07 18:00"),  # Qingming lies between
            ("2025-03-05 20:00", "7d", "2025-03-12 23:59"),
            ("2025-03-05 20:00", "0d", "2025-03-05 23:59"),
        ],
    )
    def test_the_deadlines_of_the_stories_are_met_to_the_minute(self, start: str, span: str, expected: str) -> None:
        assert shown(due(limit(span), at(start), PLAIN)) == expected

    @pytest.mark.parametrize(
        ("start", "expected"), [("2025-03-24 16:00", "2025-03-27 09:00"), ("2025-03-12 17:00", "2025-03-17 09:00")]
    )
    def test_a_callback_begins_at_the_opening_of_the_third_working_day(self, start: str, expected: str) -> None:
        assert shown(PLAIN.opening_of_workday(at(start), 3)) == expected

    def test_a_day_ends_with_its_last_second(self) -> None:
        assert due(limit("1d"), at("2025-03-05 20:00"), PLAIN) == at("2025-03-06 23:59:59")


def spelled(text: str) -> Limit:
    """Read a limit as a policy spells it, without the braces."""
    return Limit.model_validate(yaml12.load("{" + text + "}"))


class TestBases:
    """Every way to say by when, each with what it means without and with its settings."""

    @pytest.mark.parametrize(
        ("text", "start", "expected"),
        [
            # working days: the day of the start does not count, or does while any of it is still to come
            ("amount: 3, unit: workday", "2025-03-17 09:40", "2025-03-20 18:00"),
            ("amount: 3, unit: workday, start_counts: true", "2025-03-17 09:40", "2025-03-19 18:00"),
            ("amount: 1, unit: workday, start_counts: true", "2025-03-17 09:40", "2025-03-17 18:00"),
            ("amount: 1, unit: workday, start_counts: true", "2025-03-17 20:00", "2025-03-18 18:00"),
            ("amount: 2, unit: workday, start_counts: true", "2025-03-15 10:00", "2025-03-18 18:00"),  # a Saturday
            ("amount: 3, unit: workday, ends: '17:00'", "2025-03-17 09:40", "2025-03-20 17:00"),
            ("amount: 3, unit: workday, ends: midnight", "2025-03-17 09:40", "2025-03-20 23:59"),
            ("amount: 1, unit: workday, start_counts: true, ends: '15:00'", "2025-03-17 16:00", "2025-03-18 15:00"),
            ("amount: 0, unit: workday, ends: '15:00'", "2025-03-17 16:00", "2025-03-18 15:00"),
            # calendar days
            ("amount: 3, unit: day", "2025-03-14 10:00", "2025-03-17 23:59"),
            ("amount: 3, unit: day, start_counts: true", "2025-03-14 10:00", "2025-03-16 23:59"),
            ("amount: 4, unit: day, ends: closing", "2025-03-14 10:00", "2025-03-18 18:00"),
            ("amount: 1, unit: day, ends: closing", "2025-03-14 10:00", "2025-03-17 18:00"),  # Saturday is free
            ("amount: 72, unit: hour, basis: elapsed", "2025-03-14 10:00", "2025-03-17 10:00"),  # the same moment
            # the same day
            ("amount: 0, unit: day", "2025-03-14 10:00", "2025-03-14 23:59"),
            ("amount: 0, unit: day, ends: closing", "2025-03-14 10:00", "2025-03-14 18:00"),
            ("amount: 0, unit: day, ends: closing", "2025-03-14 18:01", "2025-03-17 18:00"),
            # by day n of the month
            ("amount: 8, unit: month_day", "2025-03-03 10:00", "2025-03-08 23:59"),
            ("amount: 8, unit: month_day", "2025-03-08 10:00", "2025-03-08 23:59"),
            ("amount: 8, unit: month_day", "2025-03-09 10:00", "2025-04-08 23:59"),
            ("amount: 8, unit: month_day, month: next", "2025-03-03 10:00", "2025-04-08 23:59"),
            ("amount: 8, unit: month_day, month: next", "2025-12-31 10:00", "2026-01-08 23:59"),
            ("amount: 8, unit: month_day, strictly_before: true", "2025-03-03 10:00", "2025-03-07 23:59"),
            ("amount: 8, unit: month_day, strictly_before: true", "2025-03-08 10:00", "2025-04-07 23:59"),
            ("amount: 1, unit: month_day, strictly_before: true", "2025-03-03 10:00", "2025-03-31 23:59"),
            ("amount: 31, unit: month_day", "2025-02-03 10:00", "2025-02-28 23:59"),
            ("amount: 31, unit: month_day, strictly_before: true", "2025-02-03 10:00", "2025-02-28 23:59"),
            ("amount: 8, unit: month_day, ends: closing", "2025-03-03 10:00", "2025-03-10 18:00"),  # a Saturday
            ("amount: 10, unit: month_day, ends: '12:00'", "2025-03-10 12:30", "2025-04-10 12:00"),
            # the end of the month
            ("unit: month_end", "2024-02-10 10:00", "2024-02-29 23:59"),
            ("unit: month_end, month: next", "2025-01-31 10:00", "2025-02-28 23:59"),
            ("unit: month_end, ends: closing", "2025-03-03 10:00", "2025-03-31 18:00"),
            # about day n of the month: no breach inside the tolerance
            ("amount: 24, unit: month_day, tolerance: 2", "2025-03-03 10:00", "2025-03-24 23:59"),
            ("amount: 24, unit: month_day, tolerance: 2", "2025-03-25 10:00", "2025-04-24 23:59"),
            ("amount: 24, unit: month_day, tolerance: 2", "2025-03-27 10:00", "2025-04-24 23:59"),
            # months later
            ("amount: 1, unit: month", "2025-01-31 10:00", "2025-02-28 23:59"),
            ("amount: 1, unit: month", "2024-01-31 10:00", "2024-02-29 23:59"),
            ("amount: 12, unit: month", "2024-02-29 10:00", "2025-02-28 23:59"),
            ("amount: 3, unit: month, ends: closing", "2025-03-14 10:00", "2025-06-16 18:00"),  # a Saturday
            ("amount: 30, unit: day", "2025-01-31 10:00", "2025-03-02 23:59"),  # a month read as thirty days
            # at a fixed time of the next day, or of the next working day
            ("amount: 1, unit: day, ends: '08:30'", "2025-03-14 10:00", "2025-03-15 08:30"),
            ("amount: 1, unit: workday, ends: '08:30'", "2025-03-14 10:00", "2025-03-17 08:30"),
            # National Day and Spring Festival, with the days worked instead
            ("amount: 3, unit: workday", "2025-09-29 16:00", "2025-10-10 18:00"),
            ("amount: 3, unit: workday, start_counts: true", "2025-09-28 16:00", "2025-09-30 18:00"),  # a Sunday
            ("amount: 2, unit: workday, start_counts: true", "2025-10-04 16:00", "2025-10-10 18:00"),
            ("amount: 1, unit: workday", "2025-10-10 16:00", "2025-10-11 18:00"),  # a Saturday
            ("amount: 1, unit: workday", "2025-01-27 16:00", "2025-02-05 18:00"),
            ("amount: 4, unit: workday, ends: '12:00'", "2025-01-27 16:00", "2025-02-08 12:00"),  # a Saturday
            ("amount: 2, unit: day, ends: closing", "2025-09-30 16:00", "2025-10-09 18:00"),
            ("amount: 1, unit: month_day, ends: closing, month: next", "2025-09-10 16:00", "2025-10-09 18:00"),
        ],
    )
    def test_every_limit_leads_to_its_date(self, text: str, start: str, expected: str) -> None:
        assert shown(due(spelled(text), at(start), PLAIN)) == expected

    def test_a_time_that_a_change_of_clocks_leaves_out_or_repeats_is_the_later_one(self) -> None:
        berlin = a_calendar(zone="Europe/Berlin", days=7)
        night = spelled("amount: 1, unit: day, ends: '02:30'")

        assert due(night, at("2025-03-29 10:00", berlin), berlin) == datetime(2025, 3, 30, 1, 30, tzinfo=UTC)
        assert due(night, at("2025-10-25 10:00", berlin), berlin) == datetime(2025, 10, 26, 1, 30, tzinfo=UTC)

    def test_what_was_agreed_upon_is_due_then_and_never_before_its_start(self) -> None:
        agreed = spelled("unit: appointment")
        start, moment = at("2025-03-01 10:00"), at("2025-03-03 15:00")

        assert due(agreed, start, PLAIN, agreed=moment) == moment
        assert due(agreed, moment, PLAIN, agreed=start) == moment
        assert share(agreed, start, 50, PLAIN, ends_at=moment) == at("2025-03-02 12:30")
        assert ahead(agreed, moment, PLAIN) == moment
        with pytest.raises(ValueError, match="agreed"):
            due(agreed, start, PLAIN)

    @pytest.mark.parametrize(
        ("text", "moment", "expected"),
        [
            ("amount: 1, unit: month", "2025-03-31 17:00", "2025-02-28 17:00"),
            ("amount: 8, unit: month_day", "2025-03-08 23:00", "2025-02-08 23:59"),
            ("unit: month_end", "2025-03-08 23:00", "2025-02-28 23:59"),
            ("amount: 2, unit: workday, start_counts: true", "2025-03-17 18:00", "2025-03-14 09:00"),
        ],
    )
    def test_so_long_before_is_measured_in_every_unit(self, text: str, moment: str, expected: str) -> None:
        assert shown(ahead(spelled(text), at(moment), PLAIN)) == expected

    def test_the_shares_of_a_date_in_closed_time_lie_between_its_start_and_it(self) -> None:
        morning = spelled("amount: 1, unit: workday, ends: '08:30'")
        start = at("2025-03-17 18:30")

        assert shown(share(morning, start, 50, PLAIN)) == "2025-03-18 01:30"
        assert shown(share(morning, start, 100, PLAIN)) == "2025-03-18 08:30"


class TestDays:
    def test_a_day_outside_the_published_years_is_counted_by_its_weekday(self) -> None:
        assert PLAIN.is_working_day(date(2031, 10, 1))
        assert not PLAIN.published(2031)

    def test_a_span_that_crosses_into_an_unpublished_year_says_so(self) -> None:
        assert PLAIN.published_between(at("2026-12-01"), at("2026-12-31 23:59"))
        assert not PLAIN.published_between(at("2026-12-30 10:00"), at("2027-01-04 18:00"))

    def test_a_window_holds_its_opening_and_not_its_closing(self) -> None:
        assert PLAIN.is_working(at("2025-03-05 09:00"))
        assert not PLAIN.is_working(at("2025-03-05 18:00"))

    def test_the_next_opening_of_a_working_moment_is_that_moment(self) -> None:
        assert shown(LUNCH.next_opening(at("2025-03-05 10:12"))) == "2025-03-05 10:12"
        assert shown(LUNCH.next_opening(at("2025-03-05 12:00"))) == "2025-03-05 13:30"
        assert shown(LUNCH.next_opening(at("2025-09-30 18:00"))) == "2025-10-09 09:00"

    def test_no_working_days_means_the_end_of_this_one_or_of_the_next(self) -> None:
        assert shown(due(limit("0wd"), at("2025-03-05 10:00"), PLAIN)) == "2025-03-05 18:00"
        assert shown(due(limit("0wd"), at("2025-03-05 20:00"), PLAIN)) == "2025-03-06 18:00"
        assert shown(due(limit("0wd"), at("2025-03-08 10:00"), PLAIN)) == "2025-03-10 18:00"

    def test_working_days_are_counted_across_years_and_backwards(self) -> None:
        far = PLAIN.workday(date(2025, 3, 5), 1000)

        assert far == date(2029, 1, 15)
        assert PLAIN.workday(far, -1000) == date(2025, 3, 5)

    def test_a_window_may_end_at_midnight(self) -> None:
        evening = a_calendar(windows="20:00-00:00")

        assert shown(evening.add_working(at("2025-03-05 23:00"), hours(2))) == "2025-03-06 21:00"

    def test_a_calendar_without_hours_is_refused(self) -> None:
        with pytest.raises(ValueError, match="working hours"):
            a_calendar(days=0)

    def test_a_moment_without_a_zone_is_refused(self) -> None:
        naive = datetime(2025, 3, 5, 10)  # that is the point

        for act in (PLAIN.is_working, PLAIN.next_opening, lambda moment: PLAIN.opening_of_workday(moment, 1)):
            with pytest.raises(ValueError, match="no zone"):
                act(naive)
        with pytest.raises(ValueError, match="no zone"):
            due(limit("15min"), naive, PLAIN)


class TestQuietHours:
    @pytest.mark.parametrize(
        ("moment", "expected"),
        [
            ("2025-03-05 21:59", "2025-03-05 21:59"),
            ("2025-03-05 22:00", "2025-03-06 08:00"),
            ("2025-03-06 03:00", "2025-03-06 08:00"),
            ("2025-03-06 08:00", "2025-03-06 08:00"),
        ],
    )
    def test_nobody_is_written_to_at_night(self, moment: str, expected: str) -> None:
        assert shown(PLAIN.after_quiet(at(moment), QUIET)) == expected

    def test_quiet_hours_may_lie_within_a_day(self) -> None:
        assert shown(PLAIN.after_quiet(at("2025-03-05 12:30"), window("12:00-14:00"))) == "2025-03-05 14:00"

    def test_quiet_hours_of_no_length_silence_nobody(self) -> None:
        assert shown(PLAIN.after_quiet(at("2025-03-05 12:00"), window("12:00-12:00"))) == "2025-03-05 12:00"


class TestShares:
    @pytest.mark.parametrize(
        ("span", "percent", "expected"),
        [
            ("1bh", 50, "2025-03-14 18:00"),
            ("1bh", 100, "2025-03-17 09:30"),
            ("1bh", 150, "2025-03-17 10:00"),
            ("15min", 200, "2025-03-14 18:00"),
            ("3wd", 100, "2025-03-19 18:00"),
            ("3wd", 80, "2025-03-19 12:30"),  # 27 h 30 min from start to end, of which 22 h are gone
        ],
    )
    def test_a_share_is_measured_as_its_limit_is(self, span: str, percent: int, expected: str) -> None:
        assert shown(share(limit(span), at("2025-03-14 17:30"), percent, PLAIN)) == expected

    def test_so_long_before_a_date_is_measured_in_working_time(self) -> None:
        assert shown(ahead(limit("4bh"), at("2025-03-17 10:00"), PLAIN)) == "2025-03-14 15:00"
        assert shown(ahead(limit("9bh"), at("2025-03-17 18:00"), PLAIN)) == "2025-03-17 09:00"
        assert shown(ahead(limit("1wd"), at("2025-03-17 18:00"), PLAIN)) == "2025-03-14 09:00"
        assert shown(ahead(limit("1d"), at("2025-03-17 18:00"), PLAIN)) == "2025-03-16 18:00"
        assert shown(ahead(limit("15min"), at("2025-03-17 18:00"), PLAIN)) == "2025-03-17 17:45"


class TestPauses:
    def test_a_pause_leaves_the_working_time_that_was_left(self) -> None:
        moved = shift(limit("4bh"), at("2025-03-14 16:00"), at("2025-03-14 15:00"), at("2025-03-17 17:30"), PLAIN)

        assert shown(moved) == "2025-03-18 09:30"

    def test_a_pause_in_closed_time_moves_nothing(self) -> None:
        moved = shift(limit("3wd"), at("2025-03-19 18:00"), at("2025-03-14 19:00"), at("2025-03-17 08:00"), PLAIN)

        assert shown(moved) == "2025-03-19 18:00"

    def test_an_elapsed_limit_moves_by_the_whole_pause(self) -> None:
        moved = shift(limit("2h"), at("2025-03-14 19:00"), at("2025-03-14 18:00"), at("2025-03-16 18:00"), PLAIN)

        assert shown(moved) == "2025-03-16 19:00"

    def test_a_date_that_had_passed_stays_passed(self) -> None:
        passed = at("2025-03-14 10:00")

        assert shift(limit("1bh"), passed, at("2025-03-14 11:00"), at("2025-03-14 15:00"), PLAIN) == passed

    def test_a_date_in_closed_time_is_not_over_at_once(self) -> None:
        resumed = at("2025-03-18 19:00")

        assert shift(limit("1bh"), at("2025-03-15 12:00"), at("2025-03-15 10:00"), resumed, PLAIN) > resumed


moments = st.datetimes(
    min_value=datetime(2024, 6, 1),
    max_value=datetime(2027, 6, 1),
    timezones=st.just(UTC),  # bounds
)
amounts = st.timedeltas(min_value=timedelta(), max_value=timedelta(hours=2500))
calendars = st.sampled_from([PLAIN, LUNCH, NIGHT, NEW_YORK])
ends = st.sampled_from([None, "midnight", "closing"]) | st.times()
limits = st.sampled_from(["90s", "15min", "4h", "1bh", "9bh", "100bh", "0wd", "1wd", "7wd", "250wd", "0d", "3d"]).map(
    limit
) | st.one_of(
    st.builds(Limit, unit=st.sampled_from(["day", "workday"]), amount=st.integers(0, 60), ends=ends),
    st.builds(
        Limit,
        unit=st.sampled_from(["day", "workday"]),
        amount=st.integers(1, 60),
        ends=ends,
        start_counts=st.just(value=True),
    ),
    st.builds(Limit, unit=st.just("month"), amount=st.integers(1, 30), ends=ends),
    st.builds(
        Limit,
        unit=st.just("month_day"),
        amount=st.integers(1, 31),
        ends=ends,
        month=st.sampled_from(["coming", "next"]),
        strictly_before=st.booleans(),
        tolerance=st.integers(0, 5),
    ),
    st.builds(Limit, unit=st.just("month_end"), ends=ends, month=st.sampled_from(["coming", "next"])),
)
quick = settings(deadline=None, max_examples=60)


@quick
@given(calendar=calendars, a=moments, b=moments, c=moments)
def test_splitting_an_interval_never_changes_the_sum(
    calendar: WorkCalendar, a: datetime, b: datetime, c: datetime
) -> None:
    assert calendar.working_between(a, b) + calendar.working_between(b, c) == calendar.working_between(a, c)


@quick
@given(calendar=calendars, start=moments, amount=amounts)
def test_adding_and_measuring_are_inverse(calendar: WorkCalendar, start: datetime, amount: timedelta) -> None:
    end = calendar.add_working(start, amount)

    assert calendar.working_between(start, end) == amount
    assert calendar.working_between(calendar.add_working(start, -amount), start) == amount
    assert calendar.add_working(end, -amount) >= start
    assert calendar.working_between(start, calendar.add_working(end, -amount)) == timedelta()


@quick
@given(calendar=calendars, start=moments, amount=amounts)
def test_a_date_is_the_first_moment_with_that_much_working_time(
    calendar: WorkCalendar, start: datetime, amount: timedelta
) -> None:
    end = calendar.add_working(start, amount)

    if amount:
        assert calendar.working_between(start, end - timedelta(microseconds=1)) < amount


@quick
@given(calendar=calendars, start=moments, later=amounts, amount=amounts, more=amounts)
def test_a_later_start_or_a_larger_amount_never_makes_a_date_earlier(
    calendar: WorkCalendar, start: datetime, later: timedelta, amount: timedelta, more: timedelta
) -> None:
    end = calendar.add_working(start, amount)

    assert end <= calendar.add_working(start + later, amount)
    assert end <= calendar.add_working(start, amount + more)


@quick
@given(start=moments, amount=amounts, holidays=st.sets(st.dates(date(2024, 6, 1), date(2028, 1, 1)), max_size=60))
def test_adding_closed_time_never_makes_a_date_earlier(start: datetime, amount: timedelta, holidays: set[date]) -> None:
    closed = WorkCalendar(
        zone=SHANGHAI,
        week={weekday: [window("09:00-18:00")] for weekday in range(5)},
        makeup=[window("09:00-18:00")],
        year=lambda number: YearDates(
            worked={**CHINA.get(number, {}), **dict.fromkeys(holidays, False)}, published=True
        ),
    )

    assert closed.add_working(start, amount) >= PLAIN.add_working(start, amount)
    assert due(limit("5wd"), start, closed) >= due(limit("5wd"), start, PLAIN)


@quick
@given(calendar=calendars, limit=limits, start=moments, later=amounts)
def test_every_limit_ends_at_or_after_its_start_and_later_for_a_later_start(
    calendar: WorkCalendar, limit: Limit, start: datetime, later: timedelta
) -> None:
    end = due(limit, start, calendar)

    assert start <= end <= due(limit, start + later, calendar)


@quick
@given(calendar=calendars, limit=limits, start=moments, percent=st.integers(1, 400))
def test_shares_grow_from_the_start_through_the_due_date(
    calendar: WorkCalendar, limit: Limit, start: datetime, percent: int
) -> None:
    moment = share(limit, start, percent, calendar)

    over, end = share(limit, start, 100, calendar), due(limit, start, calendar)
    assert over == end or (limit.tolerance and end < over)
    assert start <= moment <= share(limit, start, percent + 1, calendar)


@quick
@given(calendar=calendars, limit=limits, start=moments, worked=amounts, pause=amounts)
def test_a_pause_keeps_the_time_left_and_nothing_is_over_at_once(
    calendar: WorkCalendar, limit: Limit, start: datetime, worked: timedelta, pause: timedelta
) -> None:
    end = due(limit, start, calendar)
    paused, resumed = start + worked, start + worked + pause

    moved = shift(limit, end, paused, resumed, calendar)

    assert moved >= end
    if end > paused and remaining(limit, end, paused, calendar):
        assert remaining(limit, moved, resumed, calendar) == remaining(limit, end, paused, calendar)
        assert moved > resumed


@quick
@given(calendar=calendars, limit=limits, moment=moments, later=amounts)
def test_so_long_before_never_lies_after_and_is_later_for_a_later_moment(
    calendar: WorkCalendar, limit: Limit, moment: datetime, later: timedelta
) -> None:
    before = ahead(limit, moment, calendar)

    assert before <= moment
    assert before <= ahead(limit, moment + later, calendar)


@quick
@given(
    calendar=calendars,
    start=moments,
    amount=st.integers(0, 40),
    unit=st.sampled_from(["day", "workday", "month"]),
    ends=ends,
)
def test_one_more_is_later(calendar: WorkCalendar, start: datetime, amount: int, unit: str, ends: str | None) -> None:
    fewer, more = (
        due(Limit.model_validate({"amount": each, "unit": unit, "ends": ends}), start, calendar)
        for each in (amount, amount + 1)
    )

    assert fewer <= more


@quick
@given(moment=moments, calendar=calendars)
def test_outside_quiet_hours_means_outside(moment: datetime, calendar: WorkCalendar) -> None:
    found = calendar.after_quiet(moment, QUIET)

    assert moment <= found <= moment + timedelta(hours=11)
    assert calendar.after_quiet(found, QUIET) == found


@quick
@given(moment=moments, calendar=calendars)
def test_no_working_time_passes_before_the_next_opening(moment: datetime, calendar: WorkCalendar) -> None:
    opening = calendar.next_opening(moment)

    assert calendar.working_between(moment, opening) == timedelta()
    assert calendar.is_working(opening)
    assert calendar.is_working_day(calendar.local(opening).date())


def test_a_day_with_a_change_of_clocks_has_its_true_length() -> None:
    berlin = a_calendar(windows="00:00-00:00", zone="Europe/Berlin", days=7)

    for day, length in (("2025-03-30", 23), ("2025-10-26", 25), ("2025-06-01", 24)):
        start = at(day, berlin)
        assert berlin.working_between(start, at(f"{date.fromisoformat(day) + timedelta(days=1)}", berlin)) == hours(
            length
        )


def test_a_day_whose_last_second_comes_twice_ends_with_the_later_one() -> None:
    asuncion = a_calendar(zone="America/Asuncion")  # clocks went back from 24:00 to 23:00

    end = due(limit("1d"), at("2024-03-22 10:00", asuncion), asuncion)

    assert end == datetime(2024, 3, 24, 3, 59, 59, tzinfo=UTC)
