"""Every sentence of the rule books is met, or the page says why not."""

from tests.house import coverage


def test_the_page_on_coverage_says_what_the_policies_and_tests_say() -> None:
    assert coverage.PAGE.read_text("utf-8") == coverage.page(), "run: python -m tests.house.coverage"


def test_no_sentence_in_scope_is_passed_over_in_silence() -> None:
    assert coverage.unmet() == []


def test_every_sentence_that_a_policy_or_a_test_names_exists() -> None:
    known = {id_ for book in coverage.requirements().values() for id_ in book["sentences"]}

    assert coverage.named() - known == set()


STORY = """
id: one # S1-1.1
channel: phone # S1-1.2
staff: # S1-1.3
  - {at: "2025-03-03 10:00", who: "qc #2", do: "note # S1-1.4"} # S1-1.5
expect:
  # S1-1.6
  type: broken # S1-1.7
  pushes:
    - {to: qc, what: anything, at: "2025-03-03 10:00", id: S1-1.8}
    - {to: qc, what: S1-1.9, says: [new], id: "S1-2.1, S1-2.2"}
  survey: {id: follow_up} # S1-2.3
  outcome: # S1-2.4
    - state: closed # S1-2.5, S1-2.6
  later: [S1-2.7] # S1-2.8
---
# S1-2.9
id: two
expect:
  must_not:
    - happened: {what: done} # S1-3.1
later: [x] # S1-3.2
"""


def test_a_sentence_counts_as_checked_only_beside_what_would_fail() -> None:
    assert [*coverage.checked(STORY)] == ["S1-1.5", "S1-1.7", "S1-2.1", "S1-2.2", "S1-2.5", "S1-2.6", "S1-3.1"]
