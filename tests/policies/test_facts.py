"""What the checker takes for a fact is what the desk gives to conditions."""

from pathlib import Path

import policies
from handlers.turn import FACTS
from policies.facts import AMOUNTS, COUNTS, ORDER_FACTS, TRUTHS, facts, names
from policies.loader import load, read
from policies.places import Document

POLICIES = Path(policies.__file__).parent


def test_the_checker_knows_every_fact_that_the_desk_has_and_no_other() -> None:
    desk = FACTS.keys()
    known = facts(names({}))

    assert known.keys() - ORDER_FACTS.keys() == desk
    assert {*TRUTHS, *COUNTS, *AMOUNTS} <= desk


def test_the_names_of_a_file_are_found_whatever_else_is_wrong_with_it() -> None:
    found = names(Document("routing: {roles: [1, {id: a}, {id: 7}]}\nreadings: [x]\ntaxonomy: {grades: {g: 3}}").data)

    assert (found.roles, found.readings, found.grades) == (["a"], {}, {"g": []})


def test_choices_and_amounts_of_the_form_and_grades_are_facts() -> None:
    known = facts(names(Document(read("trade_003", POLICIES)).data))

    assert known["expected_solution"].missing  # own words are an answer too
    assert known["urgency"].values == ("normal", "urgent")
    assert {*load("trade_003", POLICIES).taxonomy.grades} <= known.keys()
