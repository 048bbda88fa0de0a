"""One reader for all tests of the reader."""

from pathlib import Path

import pytest

from complaints.clauses.taxonomy import Taxonomy
from nlp.reader import KeywordReader
from policies import yaml12


@pytest.fixture(scope="session")
def taxonomy():
    text = (Path(__file__).parent / "trade.yaml").read_text(encoding="utf-8")
    return Taxonomy.model_validate(yaml12.load(text))


@pytest.fixture(scope="session")
def reader(taxonomy):
    return KeywordReader(taxonomy)
