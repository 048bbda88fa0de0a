"""From a file to a policy."""

import hashlib
from pathlib import Path
from typing import Any

import pytest

import policies
from complaints.errors import Misconfigured
from policies import loader

POLICIES = Path(policies.__file__).parent
TRADE = POLICIES / "companies" / "trade_003.yaml"


def test_a_policy_is_found_by_its_id_or_its_path() -> None:
    assert loader.find("trade_003", POLICIES) == TRADE
    assert loader.load(TRADE, Path("/nowhere")).id == "trade_003"


def test_a_kept_text_gives_the_same_policy_again_and_its_hash_is_the_version() -> None:
    text = loader.read("trade_003", POLICIES)

    policy = loader.parse(text)

    assert policy == loader.load("trade_003", POLICIES)
    assert policy.version == hashlib.sha256(text.encode()).hexdigest()


def test_an_id_that_does_not_exist_names_those_that_do() -> None:
    with pytest.raises(Misconfigured, match=r"'nobody'.*trade_003"):
        loader.load("nobody", POLICIES)


def test_a_file_that_does_not_exist_is_misconfigured(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="cannot be read"):
        loader.load(tmp_path / "none.yaml", tmp_path)


@pytest.mark.parametrize(
    "text", ["a: [1", "a: 1\na: 2", "", "- 1", "id: x", "schema: 7", "schema: x", "a: !b c", "a: 2025-13-45"]
)
def test_a_text_that_is_no_policy_is_misconfigured(text: str) -> None:
    with pytest.raises(Misconfigured):
        loader.parse(text)


def test_a_file_of_an_older_schema_is_lifted(monkeypatch: pytest.MonkeyPatch) -> None:
    def lift(data: dict[str, Any]) -> dict[str, Any]:
        return {"id" if key == "name" else key: value for key, value in data.items()}

    monkeypatch.setitem(loader.UPGRADERS, 0, lift)
    text = (
        loader.read(TRADE, POLICIES).replace("schema: 1", "schema: 0").replace("\nid: trade_003", "\nname: trade_003")
    )

    assert loader.parse(text).id == "trade_003"


def test_a_chosen_reading_is_in_the_text_and_so_in_the_version() -> None:
    text = loader.read("chem_000", POLICIES)
    policy = loader.parse(text)

    other = loader.parse(loader.chosen(text, {"approval_matrix": "R2"}))

    assert (policy.readings["approval_matrix"].is_, other.readings["approval_matrix"].is_) == ("R1", "R2")
    assert other.version != policy.version
    same = {"readings": policy.readings, "version": policy.version}
    assert other.model_copy(update=same) == policy, "and nothing else is"


def test_what_counts_already_can_be_chosen_and_changes_nothing() -> None:
    text = loader.read("chem_000", POLICIES)

    assert loader.chosen(text, {"approval_matrix": "R1"}) == loader.chosen(text, {}) == text


def test_readings_that_a_policy_does_not_have_are_named_with_those_it_has() -> None:
    text = loader.read("chem_000", POLICIES)

    with pytest.raises(Misconfigured) as caught:
        loader.chosen(text, {"approval_matrix": "R9", "colour": "R1"})

    unknown, impossible = caught.value.problems
    assert unknown.startswith("READINGS: the policy chem_000 has no reading 'colour'. It has: approval_matrix, ")
    assert impossible == "READINGS: approval_matrix cannot be 'R9'. It can be: R1, R2."


def test_a_policy_without_readings_says_that_it_has_none() -> None:
    with pytest.raises(Misconfigured, match="It has: none"):
        loader.chosen(loader.read(TRADE, POLICIES).partition("\nreadings:")[0], {"colour": "R1"})
