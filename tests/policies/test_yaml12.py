"""YAML 1.2, as its core schema says: what the words of a file mean, where they stand, and what no file may be."""

import math
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

import policies
from complaints.errors import Misconfigured
from policies import yaml12
from policies.checker import check
from policies.places import Document

BILLION_LAUGHS = "a0: &a0 [ha, ha, ha, ha, ha, ha, ha, ha, ha, ha]\n" + "".join(
    f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 10)}]\n" for level in range(1, 12)
)
LADDER = "a0: &a0 [x]\n" + "".join(f"a{level}: &a{level} [*a{level - 1}]\n" for level in range(1, 300))


@pytest.mark.parametrize(
    "text",
    [
        "yes", "Yes", "no", "on", "off", "y", "n", "tRUE", "NuLL", "10:30", "1:2:3", "2025-03-05", "2025-03-05 11:00:00",
        "0b11", "0O17", "-0x1f", "0o18", "1_000", "1,000", "1e", "e5", ".", "+", "-.", "--1", "1.2.3", "+.nan", "inf", "nan",
        "<<", "=", "1 2", "１２",
    ],
)  # fmt: skip
def test_what_only_looks_like_something_else_is_a_text(text: str) -> None:
    assert yaml12.load(f"a: {text}") == {"a": text}


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("", None), ("~", None), ("null", None), ("Null", None), ("NULL", None),
        ("true", True), ("True", True), ("TRUE", True), ("false", False), ("False", False), ("FALSE", False),
        ("0", 0), ("12", 12), ("-3", -3), ("+7", 7), ("010", 10), ("08", 8), ("0o17", 15), ("0x1F", 31),
        ("1.5", 1.5), ("-.5", -0.5), ("5.", 5.0), ("1e3", 1000.0), ("1.5E-2", 0.015), (".inf", math.inf), ("-.Inf", -math.inf),
        ("!!str 5", "5"), ("! 5", "5"), ('! "5"', "5"), ("!!int 5", 5), ("! [5]", [5]), ("'5'", "5"), ('"true"', "true"), ("!!map {b: 1}", {"b": 1}),
    ],
)  # fmt: skip
def test_what_is_no_text_is_what_it_says(text: str, meant: object) -> None:
    found = yaml12.load(f"a: {text}")["a"]

    assert (found, type(found)) == (meant, type(meant))


def test_what_is_no_number_is_none_of_them() -> None:
    assert math.isnan(yaml12.load(".nan"))


def test_keys_mean_what_they_say_too() -> None:
    assert yaml12.load("{2: a, true: b, null: c, '2.0': d, on: e, 2.5: f}") == {
        2: "a", True: "b", None: "c", "2.0": "d", "on": "e", 2.5: "f",
    }  # fmt: skip


def test_an_alias_is_what_its_anchor_was_last_and_a_merge_key_is_a_key() -> None:
    assert yaml12.load("a: &x {b: 1}\nc: *x\nd: &x 2\ne: *x\nf: {<<: *x}") == {
        "a": {"b": 1}, "c": {"b": 1}, "d": 2, "e": 2, "f": {"<<": 2},
    }  # fmt: skip
    assert yaml12.load("a: &k x\n*k : y") == {"a": "x", "x": "y"}


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n", "\ufeff"])
def test_a_text_that_says_nothing_is_nothing(text: str) -> None:
    assert yaml12.load(text) is None


@pytest.mark.parametrize("text", ["\ufeffa: 1\nb: 2", "a: 1\r\nb: 2\r\n", "%YAML 1.1\n---\na: 1\nb: 2\n...\n"])
def test_marks_of_other_systems_change_nothing(text: str) -> None:
    assert yaml12.load(text) == {"a": 1, "b": 2}


@pytest.mark.parametrize(
    ("text", "line", "message", "cure"),
    [
        ("a: 1\nb: [1, 2\nc: 3", 3, "while parsing a flow sequence did not find expected ',' or ']'", "bracket"),
        ("a: 1\nb: [1, 2", 2, "while parsing a flow sequence", "bracket"),
        ("a: 1\n  b: 2", 2, "mapping values are not allowed", "indentation"),
        ("a:\n  b: 1\n\tc: 2", 3, "This is not YAML", "spaces in the place of the tab"),
        ("a:\n\n\tb: 1", 3, "cannot start any token", "spaces in the place of the tab"),
        ("a: 1\nb: @x", 2, "cannot start any token", "quote"),
        ('a: "\\q"', 1, "unknown escape character", "quote"),
        ("a: 1\n---\nb: 2", 2, "found another document", "---"),
        ("a: 1\nb: *c", 2, "found undefined alias 'c'", "&c"),
        ("a: 1\nb: &c [*c]", 2, "found undefined alias 'c'", "not around it"),
        ("a: 1\nb: 2\na: 3", 3, "The key 'a' stands here a second time.", "the first is on line 1"),
        ("1: a\n0x1: b", 2, "The key '0x1' stands here a second time.", "the first is on line 1"),
        ("a: 1\n? [b]\n: 2", 2, "stands where a key should be", "a word"),
        ("a: 1\n{b: 1}: 2", 2, "stands where a key should be", "a word"),
        ("a: 1\nb: !!python/object/apply:os.system [x]", 2, "os.system' does not fit here", "Remove it"),
        ("a: !money 5", 1, "The tag '!money' does not fit here", "Remove it"),
        ("a: !!int five", 1, "int' does not fit here", "Remove it"),
        ("a: !!set {b}", 1, "set' does not fit here", "Remove it"),
        ("a: 1\nb: \x00", 2, r"the character '\x00' is no text", "UTF-8"),
        ("a: 1\nb: c\u2028d", 2, r"the character '\u2028' is no text", "Remove it"),
        ("a: \ud800", 1, r"the character '\ud800' is no text", "UTF-8"),
        ("a: 1\nb: " + "9" * 5000, 2, "more than 100 digits", "quotes"),
        ("a: 0x" + "f" * 100_000, 1, "more than 100 digits", "quotes"),
        ("a: 1." + "0" * 100_000, 1, "more than 100 digits", "quotes"),
        ("a: 1\nb: " + "[" * 100_000, 2, "deeper than 50 levels", "Close the brackets"),
        ("[" * 100_000 + "]" * 100_000, 1, "deeper than 50 levels", "flatter"),
        ("{a: " * 100_000, 1, "deeper than 50 levels", "flatter"),
        ("? " * 100_000, 1, "deeper than 50 levels", "flatter"),
        ("- " * 100_000, 1, "deeper than 50 levels", "flatter"),
        ("\n".join(" " * level + "a:" for level in range(1000)), 51, "deeper than 50 levels", "flatter"),
        (LADDER, 50, "deeper than 50 levels", "flatter"),
        (BILLION_LAUGHS, 6, "more than 200000 parts", "aliases"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_told_at_once_with_its_line_and_a_cure(
    text: str, line: int, message: str, cure: str
) -> None:
    begun = time.process_time()

    with pytest.raises(yaml12.NotYaml) as caught:
        yaml12.load(text)

    assert (caught.value.line, message in caught.value.message, cure in caught.value.cure) == (line, True, True), str(
        caught.value
    )
    assert time.process_time() - begun < 2
    stumbles = Document(text).stumbles
    assert [(each.line, each.message, each.cure) for each in stumbles] == [
        (caught.value.line, caught.value.message, caught.value.cure)
    ]


def test_every_key_that_stands_there_twice_is_told_and_the_first_counts() -> None:
    document = Document("a: 1\nb: {c: 1, c: 2}\na: 3\n")

    assert [each.line for each in document.stumbles] == [2, 3]
    assert document.data == {"a": 1, "b": {"c": 1}}


def test_a_file_says_where_its_parts_stand() -> None:
    document = Document("# a comment\na:\n  - b: 1\n\n    c: {d: 2,\n      e: 3}\n  - &x [1]\nf: *x\n10: g\n")

    for path, line in (
        ((), 1), (("a",), 2), (("a", 0), 3), (("a", 0, "b"), 3), (("a", 0, "c", "d"), 5), (("a", 0, "c", "e"), 6),
        (("a", 1, 0), 7), (("f",), 8), (("f", 0), 7), ((10,), 9), (("a", 0, "nothing", "c"), 5), (("a", 7), 2),
    ):  # fmt: skip
        assert document.line(path) == line, path
    assert document.known(("a", 0, "nothing", "c")) == ("a", 0, "c")


def test_a_broken_file_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "broken.yaml"
    path.write_text("a: 1\nb: [", "utf-8")
    with pytest.raises(Misconfigured, match=r"broken\.yaml:\d: This is not YAML: .*bracket"):
        yaml12.read(path)

    path.write_bytes(b"a: \xff")
    with pytest.raises(Misconfigured, match=r"broken\.yaml: The file cannot be read .* UTF-8"):
        yaml12.read(path)


@pytest.mark.parametrize("name", ["companies/x.yaml", "calendars/CN-2027.yaml", "wording/en.yaml"])
def test_no_file_of_a_company_can_hurt_the_checker(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.parent.mkdir()
    for text in (BILLION_LAUGHS, "[" * 100_000, LADDER, "a: " + "9" * 5000, "\ta: 1", "a: \x00"):
        path.write_text(text, "utf-8")
        told = [each for each in check([tmp_path]) if each.path == path]
        assert told, text[:20]
        assert all(each.cure for each in told[:1])


def test_a_year_that_is_no_yaml_is_told_and_the_company_is_checked_all_the_same(tmp_path: Path) -> None:
    company = (Path(policies.__file__).parent / "companies" / "trade_003.yaml").read_text("utf-8")
    for name, text in (("calendars/CN-2027.yaml", "a: ["), ("companies/trade_003.yaml", company + "unknown: 1\n")):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text(text, "utf-8")

    told = {each.path.name: each.message for each in check([tmp_path])}

    assert told["CN-2027.yaml"].startswith("This is not YAML")
    assert "'unknown'" in told["trade_003.yaml"]


def data() -> some.SearchStrategy[object]:
    words = some.text(some.characters(exclude_categories=["Cs"]), max_size=20) | some.sampled_from(
        ["", "yes", "true", "null", "~", "0x1", "1e5", ".inf", "12", "- a", "a: b", "# a", "a #b", "&a", "*a", "<<", "?", "\n", "a\u2028b", "\x85"]
    )  # fmt: skip
    numbers = some.integers(-(10**30), 10**30) | some.floats(allow_nan=False)
    plain = words | numbers | some.booleans() | some.none()
    return some.recursive(
        plain, lambda inner: some.lists(inner, max_size=4) | some.dictionaries(words, inner, max_size=4)
    )


@given(data())
def test_what_is_written_says_the_same_again(said: object) -> None:
    again = yaml12.load(yaml12.write(said))

    assert (again, repr(again)) == (said, repr(said))


def test_nothing_is_written_that_yaml_has_no_words_for() -> None:
    with pytest.raises(TypeError, match="no words for"):
        yaml12.write({"a": b"bytes"})


def test_what_is_written_keeps_its_order_and_stands_there_in_full() -> None:
    shared = {"z": 1, "a": "yes", "t": "12"}

    assert yaml12.write({"b": shared, "a": [shared, [], {}]}) == (
        "b:\n  z: 1\n  a: yes\n  t: '12'\na:\n- z: 1\n  a: yes\n  t: '12'\n- []\n- {}\n"
    )
