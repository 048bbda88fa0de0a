"""A customer's own time is a moment by the company's clocks."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from complaints import moments

ZONE = ZoneInfo("Asia/Shanghai")
MONDAY = datetime(2025, 3, 10, 10, 3, tzinfo=ZONE)


@pytest.mark.parametrize(
    ("value", "means"),
    [
        ("19:30", "2025-03-10 19:30"),
        ("10:03", "2025-03-11 10:03"),
        ("09:00", "2025-03-11 09:00"),
        ("2025-03-12 09:00", "2025-03-12 09:00"),
        ("+0 20:00", "2025-03-10 20:00"),
        ("+1 09:00", "2025-03-11 09:00"),
        ("w1 15:00", "2025-03-10 15:00"),
        ("w1 09:00", "2025-03-17 09:00"),
        ("w5 15:00", "2025-03-14 15:00"),
        ("n1 10:15", "2025-03-17 10:15"),
        ("n5 10:15", "2025-03-21 10:15"),
        ("03-11 08:00", "2025-03-11 08:00"),
        ("03-09 08:00", "2026-03-09 08:00"),
    ],
)
def test_a_time_of_the_customers_own_is_the_next_one_that_it_can_be(value, means):
    moment = moments.read(value, MONDAY.astimezone(UTC), ZONE)
    assert f"{moment.astimezone(ZONE):%Y-%m-%d %H:%M}" == means


@pytest.mark.parametrize(
    "value",
    ["", "soon", "2025-03-09 09:00", "+0 08:00", "2025-02-30 10:00", "25:00", "19:75", "13-01 10:00", "w8 10:00", "w0 10:00",
     "02-29 10:00", "１９:30", "19:30\n", "+1", "9:30"],
)  # fmt: skip
def test_what_is_over_or_no_moment_is_none(value):
    assert moments.read(value, MONDAY, ZONE) is None
    assert moments.fixed(value, MONDAY, ZONE) is None


def test_a_day_is_fixed_when_it_is_said_and_a_time_of_day_stays_one():
    assert moments.fixed("+1 09:00", MONDAY, ZONE) == "2025-03-11 09:00"
    assert moments.fixed("19:30", MONDAY, ZONE) == "19:30"


@given(st.text(max_size=20))
def test_no_words_whatsoever_raise_or_lead_into_the_past(value):
    moment = moments.read(value, MONDAY, ZONE)
    assert moment is None or moment > MONDAY
