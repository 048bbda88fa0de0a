"""A policy that says only what is its own, and takes the rest from another file."""

from pathlib import Path

import pytest

import policies
from complaints.errors import Misconfigured
from policies import loader
from policies.checker import check
from policies.extending import Extended

POLICIES = Path(policies.__file__).parent
SHORT = """\
schema: 1
extends: standard
id: short
title: {zh-Hans: 短, zh-Hant: 短, en: short}
number: {prefix: SH}
"""


def merged(own: dict, base: dict) -> dict:
    return Extended(own, base).data


def ids(listed: list) -> list[str]:
    return [each["id"] for each in listed]


@pytest.fixture
def short(tmp_path: Path) -> Path:
    path = tmp_path / "companies" / "short.yaml"
    path.parent.mkdir()
    path.write_text(SHORT, "utf-8")
    return path


class TestMerging:
    def test_mappings_merge_deeply_and_what_the_file_says_counts(self) -> None:
        assert merged({"a": {"b": 1, "c": {"d": 2}}}, {"a": {"b": 0, "c": {"e": 3}}, "f": 4}) == {
            "a": {"b": 1, "c": {"d": 2, "e": 3}},
            "f": 4,
        }

    def test_a_list_merges_by_id_in_its_own_order_then_comes_what_it_did_not_name(self) -> None:
        base = {"a": [{"id": "one", "x": 1}, {"id": "two", "x": 2}, {"id": "three", "x": 3}]}

        found = merged({"a": [{"id": "new"}, {"id": "three"}, {"id": "one", "x": 9}]}, base)

        assert found["a"] == [{"id": "new"}, {"id": "three", "x": 3}, {"id": "one", "x": 9}, {"id": "two", "x": 2}]

    def test_what_is_dropped_is_gone(self) -> None:
        assert ids(merged({"a": [{"id": "one", "drop": True}]}, {"a": [{"id": "one"}, {"id": "two"}]})["a"]) == ["two"]

    def test_everything_that_is_not_named_is_dropped_with_a_star(self) -> None:
        own = {"a": [{"id": "*", "drop": True}, {"id": "two"}]}

        assert merged(own, {"a": [{"id": "one"}, {"id": "two", "x": 1}]})["a"] == [{"id": "two", "x": 1}]

    def test_a_list_without_ids_is_replaced(self) -> None:
        assert merged({"a": ["x"], "b": [{"to": 1}]}, {"a": ["y"], "b": [{"id": "one"}]}) == {
            "a": ["x"],
            "b": [{"to": 1}],
        }

    def test_a_condition_and_a_limit_are_replaced_as_a_whole(self) -> None:
        base = {"when": {"type": "x"}, "limit": {"amount": 4, "unit": "hour", "basis": "elapsed"}}

        assert merged({"when": {"flags": "y"}, "limit": {"amount": 3, "unit": "workday"}}, base) == {
            "when": {"flags": "y"},
            "limit": {"amount": 3, "unit": "workday"},
        }

    def test_nothing_of_the_files_themselves_is_changed(self) -> None:
        own, base = {"a": [{"id": "one", "x": {"y": 1}}]}, {"a": [{"id": "one", "x": {"z": 2}}]}

        merged(own, base)

        assert (own, base) == ({"a": [{"id": "one", "x": {"y": 1}}]}, {"a": [{"id": "one", "x": {"z": 2}}]})

    def test_examples_are_not_inherited(self) -> None:
        assert "examples" not in merged({}, {"examples": [{"text": "x"}]})


class TestLoading:
    def test_a_head_of_five_lines_is_a_whole_policy(self, short: Path) -> None:
        policy = loader.load(short, POLICIES)

        assert policy.id == "short"
        assert policy.clock("first_response").limit.amount == 4
        assert {"legal", "regulator", "media", "safety"} <= {flag.id for flag in policy.taxonomy.flags}
        assert check([short]) == []

    def test_a_kept_version_never_changes_when_the_standard_does(self, short: Path) -> None:
        base = short.parent.parent / "standard.yaml"
        base.write_text((POLICIES / "standard.yaml").read_text("utf-8"), "utf-8")
        kept = loader.read(short, POLICIES)
        before = loader.parse(kept)
        base.write_text(base.read_text("utf-8").replace("{amount: 4, unit: hour", "{amount: 9, unit: hour"), "utf-8")

        after = loader.load(short, POLICIES)

        assert loader.parse(kept) == before
        assert after.version != before.version
        assert (before.clock("first_response").limit.amount, after.clock("first_response").limit.amount) == (4, 9)

    def test_the_folder_that_is_set_goes_before_what_comes_with_plaint(self, short: Path, tmp_path: Path) -> None:
        mine = tmp_path / "mine"
        mine.mkdir()
        (mine / "standard.yaml").write_text(
            (POLICIES / "standard.yaml").read_text("utf-8").replace("Asia/Shanghai", "Asia/Taipei"), "utf-8"
        )

        assert loader.load(short, mine).hours.zone == "Asia/Taipei"
        assert loader.load(short, POLICIES).hours.zone == "Asia/Shanghai"

    @pytest.mark.parametrize(
        ("text", "told"),
        [
            ("extends: nobody\n", r"short.yaml:1: There is no file nobody.yaml"),
            ("extends: ../secrets\n", r"short.yaml:1: `extends` names a file"),
            ("extends: [standard]\n", r"short.yaml:1: `extends` names a file"),
            (SHORT + "clocks:\n  - {id: nothing, drop: true}\n", r"short.yaml:7: 'nothing' is dropped"),
            (SHORT + "schema: 1\n", r"short.yaml:6: The key 'schema' stands here a second time"),
        ],
    )
    def test_what_cannot_be_resolved_is_told_with_file_and_line(self, short: Path, text: str, told: str) -> None:
        short.write_text(text, "utf-8")

        with pytest.raises(Misconfigured, match=told):
            loader.read(short, POLICIES)

    def test_a_file_that_others_extend_extends_no_other(self, short: Path) -> None:
        (short.parent / "standard.yaml").write_text("schema: 1\nextends: more\n", "utf-8")

        with pytest.raises(Misconfigured, match=r"standard.yaml:2: A file that others extend extends no other"):
            loader.read(short, POLICIES)
        assert ("standard.yaml", 2) in {(each.path.name, each.line) for each in check([short])}

    def test_an_older_schema_is_lifted_on_both_sides(self, short: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(loader.UPGRADERS, 0, lambda data: {"id" if k == "name" else k: v for k, v in data.items()})
        short.write_text(SHORT.replace("schema: 1", "schema: 0").replace("\nid:", "\nname:"), "utf-8")

        assert loader.load(short, POLICIES).id == "short"


class TestMistakes:
    """Each stands in the file that holds it."""

    def test_a_mistake_of_the_file_is_told_in_the_file(self, short: Path) -> None:
        short.write_text(SHORT + "clocks:\n  - {id: propose, stop: prposed}\n", "utf-8")

        told = check([short])

        assert [(each.path.name, each.line, each.cure) for each in told] == [
            ("short.yaml", 7, "Did you mean 'proposed'?")
        ]

    def test_a_mistake_of_the_standard_is_told_in_the_standard(self, short: Path) -> None:
        base = short.parent.parent / "standard.yaml"
        text = (POLICIES / "standard.yaml").read_text("utf-8")
        assert text.count("    stop: human_reply\n") == 1
        base.write_text(text.replace("    stop: human_reply\n", "    stop: human_repply\n"), "utf-8")
        line = text[: text.index("    stop: human_reply\n")].count("\n") + 1

        assert {(each.path.name, each.line) for each in check([short])} == {("standard.yaml", line)}
        assert {(each.path.name, each.line) for each in check([short, base])} == {("standard.yaml", line)}

    def test_what_an_inherited_part_lacks_is_told_where_it_was_changed(self, short: Path) -> None:
        short.write_text(SHORT + "clocks:\n  - {id: new_one, stop: closed}\n", "utf-8")

        told = {each.message for each in check([short]) if each.path == short and each.line == 7}

        assert "clocks.new_one: the key 'limit' is missing." in told

    @pytest.mark.parametrize(
        ("more", "line", "message"),
        [
            ("clocks: [{id: nothing, drop: true}]\n", 6, "'nothing' is dropped and is not inherited."),
            ("clocks: [{id: propose, drop: true, start: closed}]\n", 6, "'propose' is dropped and described"),
        ],
    )
    def test_what_is_dropped_must_be_there(self, short: Path, more: str, line: int, message: str) -> None:
        short.write_text(SHORT + more, "utf-8")

        assert any(each.line == line and message in each.message for each in check([short]))

    def test_only_what_is_inherited_can_be_dropped(self, short: Path) -> None:
        short.write_text(loader.read(short, POLICIES) + "surveys: [{id: x, drop: true}]\n", "utf-8")

        assert "surveys.x: only what is inherited can be dropped." in {each.message for each in check([short])}
