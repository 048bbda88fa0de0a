"""One reader for all tests of the reader."""

from pathlib import Path

import pytest

import policies
from complaints.clauses.taxonomy import Taxonomy
from complaints.weights import Learned
from nlp.reader import KeywordReader
from policies import weights, yaml12


@pytest.fixture(scope="session")
def taxonomy():
    text = (Path(__file__).parent / "trade.yaml").read_text(encoding="utf-8")
    return Taxonomy.model_validate(yaml12.load(text))


@pytest.fixture(scope="session")
def reader(taxonomy):
    return KeywordReader(taxonomy, learned=Learned(remedies=weights.load(Path(policies.__file__).parent, "remedies")))
