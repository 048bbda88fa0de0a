"""Every sentence of the rule books is met, or the page says why not."""

from tests.house import coverage


def test_the_page_on_coverage_says_what_the_policies_and_tests_say() -> None:
    assert coverage.PAGE.read_text("utf-8") == coverage.page(), "run: python -m tests.house.coverage"


def test_no_sentence_in_scope_is_passed_over_in_silence() -> None:
    assert coverage.unmet() == []


def test_every_sentence_that_a_policy_or_a_test_names_exists() -> None:
    known = {id_ for book in coverage.requirements().values() for id_ in book["sentences"]}

    assert coverage.met().keys() - known == set()
