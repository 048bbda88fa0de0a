"""Case numbers: made, found in what people type, and checked."""

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from complaints.errors import PlaintError
from complaints.numbers import Mistyped, make, parse

NUMBER = make("TR", 2026, 42)
quick = settings(deadline=None, max_examples=200)
numbers = st.builds(make, st.sampled_from(["TR", "A", "CHEM"]), st.integers(2020, 2099), st.integers(1, 9_999_999))


def prefix_of(number: str) -> str:
    return number.partition("-")[0].rstrip("0123456789")


def test_a_number_is_shown_in_groups_that_can_be_spoken() -> None:
    assert make("TR", 2026, 42) == "TR26-00042-8"
    assert make("TR", 2026, 1_234_567) == "TR26-1234567-7"


def test_counting_begins_with_one() -> None:
    with pytest.raises(ValueError, match="from 1"):
        make("TR", 2026, 0)


@pytest.mark.parametrize(
    "text",
    [
        "TR26-00042-8",
        "tr26-00042-8",
        "tr 26 00042 8",
        "TR26000428",
        "t r 2 6 0 0 0 4 2 8",
        "ＴＲ２６－０００４２－８",
        "TR26–00042—8",
        "TR26\N{KATAKANA-HIRAGANA PROLONGED SOUND MARK}00042\N{MINUS SIGN}8",
        "我的投诉TR26-00042-8到哪了？",
        "Any news on tr26-00042-8, please? I waited 3 days",
        "TR26-00042-8 3 days ago",
        "TR26000428 5天了",
        "26-00042-8",
        "my number is 26 00042 8, thanks",
        "26000428",
        "#26000428。",
        "二六零零零四二八",
        "TR二六 〇〇〇四二 八",
        "tr\n26-00042-8",
        "TR\N{ARABIC-INDIC DIGIT TWO}6-00042-8",
    ],
)
def test_a_number_is_found_however_it_is_typed_or_said(text: str) -> None:
    assert parse(text, "TR") == NUMBER


@pytest.mark.parametrize(
    "text",
    [
        "",
        "我要退款",
        "订单YX20250118-3 物流没更新",
        "PO-88213",
        "my phone is 13800138000",
        "13800138000",
        "call 020 7946 0000",
        "2025-03-14 21:30",
        "STR26-00042-8x",
        "I waited 26 days for 42 lamps",
        "26000420",
        "CN-7741",
        "TR 5 pieces",
    ],
)
def test_other_numbers_are_no_case_numbers(text: str) -> None:
    assert parse(text, "TR") is None


@pytest.mark.parametrize("text", ["TR26-00043-8", "tr26000438 到哪了", "26-00043-8", "TR26-00024-8"])
def test_a_number_with_a_typo_is_told_apart_from_no_number(text: str) -> None:
    with pytest.raises(Mistyped) as refusal:
        parse(text, "TR")
    assert isinstance(refusal.value, PlaintError)
    assert refusal.value.key == "error.mistyped_number"
    assert refusal.value.values["number"].startswith("TR26-000")


def test_a_right_number_counts_even_beside_a_mistyped_one() -> None:
    assert parse("TR26-00043-8? sorry, TR26-00042-8", "TR") == NUMBER


@quick
@given(number=numbers, blanks=st.booleans(), words=st.sampled_from(["{}", "投诉{}呢", "about {}."]))
def test_every_number_that_is_made_is_found_again(number: str, blanks: bool, words: str) -> None:
    typed = number.lower().replace("-", " " if blanks else "")

    assert parse(words.format(typed), prefix_of(number)) == number


@quick
@given(number=numbers, place=st.integers(0, 20), digit=st.integers(0, 9))
def test_every_single_wrong_digit_is_noticed(number: str, place: int, digit: int) -> None:
    places = [index for index, sign in enumerate(number) if sign.isdigit()]
    index = places[place % len(places)]
    assume(number[index] != str(digit))

    with pytest.raises(Mistyped):
        parse(f"{number[:index]}{digit}{number[index + 1 :]}", prefix_of(number))


@quick
@given(number=numbers, place=st.integers(0, 20))
def test_every_two_neighbours_that_changed_places_are_noticed(number: str, place: int) -> None:
    places = [index for index, sign in enumerate(number) if sign.isdigit()]
    at = place % (len(places) - 1)
    first, second = places[at], places[at + 1]
    assume(number[first] != number[second])
    signs = list(number)
    signs[first], signs[second] = signs[second], signs[first]

    with pytest.raises(Mistyped):
        parse("".join(signs), prefix_of(number))


@quick
@given(text=st.text(), prefix=st.sampled_from(["TR", "A"]))
def test_any_text_can_be_searched(text: str, prefix: str) -> None:
    try:
        found = parse(text, prefix)
    except Mistyped:
        return
    assert found is None or parse(found, prefix) == found
