"""Texts are measured in bytes, as WeChat and WeCom do, and cut where people would."""

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.text import clean, octets, split, units

SIGNS = ["👍🏽", "👨‍👩‍👧‍👦", "🇨🇳", "e\u0301", "门", "。", "\n", "\n\n", " ", "a", ". ", "é", "😀"]


@settings(max_examples=200, deadline=None)
@given(
    text=st.lists(st.sampled_from(SIGNS) | st.characters(exclude_categories=["Cs"]), max_size=200).map("".join),
    most=st.integers(4, 90),
)
def test_the_parts_of_a_text_are_short_enough_and_together_the_text(text: str, most: int) -> None:
    for size in (octets, units):
        parts = split(text, most, size)

        assert "".join(parts) == text
        assert all(size(part) <= most for part in parts)
        assert all(parts) or parts == [""]


@settings(max_examples=100, deadline=None)
@given(text=st.lists(st.sampled_from(SIGNS[:4]), min_size=30, max_size=120).map("".join))
def test_no_part_begins_inside_what_a_reader_sees_as_one_character(text: str) -> None:
    for part in split(text, 200, octets)[1:]:
        assert not unicodedata.category(part[0]).startswith("M")
        assert part[0] not in "\u200d\U0001f3fd"
        assert len(part) == 1 or part[:2] != "🇳🇨"


@pytest.mark.parametrize("sign", ["a", "é", "门", "😀"])
def test_a_part_is_as_long_as_it_may_be(sign: str) -> None:
    width = len(sign.encode())

    assert len(split(sign * 3000, 2048, octets)[0]) == 2048 // width


def test_bytes_units_and_what_no_platform_takes() -> None:
    assert (octets("a门😀"), units("a门😀")) == (8, 4)
    assert clean("a\x00\x02\x1d\x7f\ud800b\n\t") == "ab\n\t"
