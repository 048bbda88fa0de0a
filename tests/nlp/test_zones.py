"""By which clocks a customer lives, as their own place, their number or an English complaint tells."""

from zoneinfo import ZoneInfo

import pytest

from nlp import lexicon
from nlp.zones import ZoneFinder


@pytest.fixture(scope="module")
def finder() -> ZoneFinder:
    return ZoneFinder()


@pytest.mark.parametrize(
    ("answer", "zone"),
    [
        ("Manchester", "Europe/London"),
        ("manchester, UK", "Europe/London"),
        ("馬德里", "Europe/Madrid"),
        ("德国汉堡", "Europe/Berlin"),
        ("New York, USA", "America/New_York"),
        ("纽约", "America/New_York"),
        ("浙江义乌", "Asia/Shanghai"),
        ("+447700900123", "Europe/London"),
        ("+12125550101", "America/New_York"),
        ("+8613812345678", "Asia/Shanghai"),
    ],
)
def test_a_place_or_a_number_tells_by_which_clocks_somebody_lives(finder: ZoneFinder, answer: str, zone: str) -> None:
    assert finder.find(answer, own=True) == zone


@pytest.mark.parametrize(
    "answer",
    ["USA", "Sydney, New York", "us", "Newcastle, Australia", "一个小村", "+19075550101", "+", "+9", "13812345678", ""],
)
def test_what_leaves_the_clocks_open_tells_none(finder: ZoneFinder, answer: str) -> None:
    assert finder.find(answer, own=True) is None


@pytest.mark.parametrize(
    ("said", "zone"),
    [
        ("14 of the 60 lamps arrived broken and the plugs are UK but wrong size.", "Europe/London"),
        ("My parcel has been stuck in Leipzig for two weeks.", None),
        ("Ordered for our shop in Madrid, it was shipped from Shenzhen.", None),
        ("从德国进口的沙发塌了", None),
        ("Please call me on Monday.", None),
    ],
)
def test_an_english_complaint_tells_only_the_one_place_where_nothing_else_is(
    finder: ZoneFinder, said: str, zone: str | None
) -> None:
    assert finder.find(said, own=False) == zone


def test_every_zone_is_one_and_every_place_of_it_is_in_the_lexicon() -> None:
    words = lexicon.load().regions
    known = {*words.places, *(names[0] for places in words.places.values() for names in places)}
    for zone, places in words.zones.items():
        assert ZoneInfo(zone).key == zone
        assert {*places} <= known, zone
