"""The stories of the books: each goes as it should, with the policy that its company has."""

from pathlib import Path

import pytest

import policies
from bot import stories

BOOKS = sorted((Path(__file__).parent / "books").glob("*.yaml"))
FOLDER = Path(policies.__file__).parent


@pytest.mark.parametrize("book", BOOKS, ids=lambda path: path.stem)
def test_the_story_goes_as_it_should(book: Path) -> None:
    scripts, problems = stories.read(book)
    outcomes = [stories.play(script, FOLDER) for script in scripts]

    assert problems == []
    assert [str(problem) for outcome in outcomes for problem in outcome.problems] == []
    assert [finding for outcome in outcomes for finding in outcome.findings if finding.ok is False] == []
    assert all(outcome.passed for outcome in outcomes)
