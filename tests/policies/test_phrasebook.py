"""What the desk says, and how fast."""

import timeit
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

import policies
from complaints.errors import Misconfigured
from complaints.reading import Language
from policies.phrasebook import LANGUAGES, Phrasebook, flattened, placeholders, read_wording

WORDING = Path(policies.__file__).parent / "wording"
CHINESE = {
    "time.moment": "{month}{day}日 {weekday} {clock}",
    "time.month.11": "11月",
    "time.weekday.mon": "周一",
    **{f"time.{unit}.one": f"1{word}" for unit, word in (("day", "天"), ("hour", "小时"), ("minute", "分钟"))},
    **{
        f"time.{unit}.many": f"{{number}}{word}" for unit, word in (("day", "天"), ("hour", "小时"), ("minute", "分钟"))
    },
    "time.joint": "",
    "time.moments": "不到1分钟",
}
ENGLISH = {
    "time.moment": "{weekday} {day} {month}, {clock}",
    "time.month.3": "Mar",
    "time.month.11": "Nov",
    "time.weekday.mon": "Mon",
    "time.weekday.sun": "Sun",
    **{f"time.{unit}.one": f"1 {unit}" for unit in ("day", "hour", "minute")},
    **{f"time.{unit}.many": f"{{number}} {unit}s" for unit in ("day", "hour", "minute")},
    "time.joint": " ",
    "time.moments": "less than a minute",
}
BOOK = Phrasebook({"zh-Hans": CHINESE, "en": ENGLISH})


@pytest.fixture(scope="module")
def shipped() -> Phrasebook:
    return Phrasebook.load(WORDING)


def a_book(**sentences: str) -> Phrasebook:
    return Phrasebook({"en": sentences})


def test_nested_mappings_become_dotted_keys() -> None:
    assert flattened({"a": {"b": "x", "c": {1: "y"}}, "d": "z"}) == {"a.b": "x", "a.c.1": "y", "d": "z"}


@pytest.mark.parametrize("text", ["", "- 1", "just words", "a: ["])
def test_a_file_that_holds_no_sentences_is_misconfigured_and_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "en.yaml"
    path.write_text(text, "utf-8")

    with pytest.raises(Misconfigured, match=r"en\.yaml:\d: "):
        read_wording(path)


def test_placeholders_are_filled() -> None:
    assert a_book(hello="{name}, {name}: {number}%").say("en", "hello", name="Tom", number=5) == "Tom, Tom: 5%"


@given(st.text())
def test_what_fills_a_placeholder_is_never_looked_into(words: str) -> None:
    assert a_book(echo="<{words}>").say("en", "echo", words=words) == f"<{words}>"


def test_braces_in_a_customers_words_stay_braces() -> None:
    book = a_book(echo="{words} {{kept}}", number="7")

    assert book.say("en", "echo", words="{number} %(number)s {0}", number=1) == "{number} %(number)s {0} {kept}"


def test_an_unknown_key_or_a_missing_value_is_a_key_error() -> None:
    book = a_book(echo="{words}")

    with pytest.raises(KeyError, match="nothing"):
        book.say("en", "nothing")
    with pytest.raises(KeyError, match="words"):
        book.say("en", "echo")


@pytest.mark.parametrize("sentence", ["{", "{}", "{a.b}", "{a:>5}", "{a!r}", "{0}", "a } b"])
def test_a_sentence_with_anything_but_plain_names_in_braces_is_refused(sentence: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        placeholders(sentence)


@pytest.mark.parametrize(
    ("language", "expected"),
    [("zh-Hans", "11月24日 周一 18:00"), ("en", "Mon 24 Nov, 18:00")],
)
def test_a_moment_is_said_as_people_say_it(language: Language, expected: str) -> None:
    at = datetime(2025, 11, 24, 18, tzinfo=ZoneInfo("Asia/Shanghai"))

    assert BOOK.moment(language, at.astimezone(UTC), "Asia/Shanghai") == expected


def test_a_moment_is_said_by_the_clocks_of_the_zone_asked_for() -> None:
    assert BOOK.moment("en", datetime(2025, 3, 17, 1, tzinfo=UTC), "America/New_York") == "Sun 16 Mar, 21:00"


@pytest.mark.parametrize(
    ("span", "chinese", "english"),
    [
        (timedelta(hours=3, minutes=20), "3小时20分钟", "3 hours 20 minutes"),
        (timedelta(days=1, hours=1, minutes=9), "1天1小时", "1 day 1 hour"),
        (timedelta(minutes=-15), "15分钟", "15 minutes"),
        (timedelta(seconds=20), "不到1分钟", "less than a minute"),
        (timedelta(days=2, minutes=5), "2天5分钟", "2 days 5 minutes"),
    ],
)
def test_a_span_is_said_in_its_two_largest_units(span: timedelta, chinese: str, english: str) -> None:
    assert BOOK.duration("zh-Hans", span) == chinese
    assert BOOK.duration("en", span) == english


def test_every_language_has_every_key_and_can_say_every_moment(shipped: Phrasebook) -> None:
    for language in LANGUAGES:
        assert shipped.keys(language) == shipped.keys("en")
        for month in range(1, 13):
            assert "18:00" in shipped.moment(
                language, datetime(2025, month, 3 + month, 10, tzinfo=UTC), "Asia/Shanghai"
            )
        assert shipped.duration(language, timedelta(days=1, hours=2))
        assert shipped.duration(language, timedelta(hours=1, minutes=2))


def test_a_sentence_takes_less_than_three_microseconds() -> None:
    book = a_book(proposal="About {number}, this is what we suggest:\n{text}\nIs that all right?")
    runs = timeit.repeat(
        lambda: book.say("en", "proposal", number="TR26-00042-8", text="a refund"), number=100, repeat=100
    )

    assert min(runs) / 100 < 3e-6
