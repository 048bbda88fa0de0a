"""The rule books that come with Plaint: every example in them is a test."""

from pathlib import Path

import policies
from bot.reading import open_reader
from policies.checker import check
from policies.loader import load

POLICIES = Path(policies.__file__).parent


def test_every_example_of_every_company_holds() -> None:
    problems = check([POLICIES / "companies"], read=lambda policy, folder: open_reader(policy, folder).read)

    assert [str(problem) for problem in problems] == []


def test_every_company_decides_about_its_complaints_and_gives_what_it_promises() -> None:
    for path in sorted((POLICIES / "companies").glob("*.yaml")):
        moves = load(path, POLICIES).lifecycle.moves
        decides = {each.decides for each in moves} - {False, "withdrawn"}

        assert decides, f"{path.name}: no move decides"
        assert True not in decides or any(each.fulfils for each in moves), f"{path.name}: nothing promised is given"


def test_in_every_company_an_organisation_accepts_by_a_contact_who_was_called_back() -> None:
    assert all(load(path, POLICIES).acceptance.authorised for path in (POLICIES / "companies").glob("*.yaml"))


def test_every_clause_of_the_trader_names_the_sentence_of_its_rule_book() -> None:
    policy = load("trade_003", POLICIES)

    for clauses in (
        policy.routing.roles, policy.form.fields, policy.taxonomy.types, policy.taxonomy.flags, policy.lifecycle.states,
        policy.lifecycle.moves, policy.clocks, policy.escalation, policy.notices, policy.surveys,
    ):  # fmt: skip
        assert [each for each in clauses if not each.clause.startswith("S3-")] == []


def test_the_trader_shows_enough_examples() -> None:
    examples = load("trade_003", POLICIES).examples

    assert sum(bool(each.text) for each in examples) >= 12
    assert sum(bool(each.clock) for each in examples) >= 8
