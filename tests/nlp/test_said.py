"""How well the companies' readers read messages by people who had not seen their words."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

import policies
from bot.reading import open_reader
from bot.wiring import warm
from nlp.evaluate import evaluate, load_rows, load_said
from policies.loader import load
from tests.lives import test_lives as lives

HOME = Path(policies.__file__).parent
SAID = Path(__file__).parent / "said"
COMPANIES = sorted(path.stem for path in (HOME / "companies").glob("*.yaml"))
#: Types of what people write who do not complain about anything that happened.
MILD = {"other", "c15_other", "suggestion", "praise"}


@pytest.fixture(scope="module")
def reports():
    found = {}
    for company in COMPANIES:
        reader = open_reader(load(company, HOME), HOME)
        found[company] = reader, evaluate(reader, load_rows(SAID / f"{company}.tsv"))
    return found


def test_the_best_type_is_right_five_times_in_six_and_among_three_nearly_always(reports):
    every = [report for _, report in reports.values()]

    assert all(report.total == 200 for report in every)
    assert min(report.accuracy for report in every) >= 0.82
    assert sum(report.accuracy for report in every) / len(every) >= 0.87
    assert min(report.top3 for report in every) >= 0.95
    assert sum(report.top3 for report in every) / len(every) >= 0.97


def test_hardly_any_complaint_is_taken_for_something_else(reports):
    missed = total = 0
    for company, (reader, _) in reports.items():
        rows = [row for row in load_rows(SAID / f"{company}.tsv") if row.label not in MILD]
        total += len(rows)
        missed += sum(reader.read(row.text, slots=False).kind != "complaint" for row in rows)

    assert missed <= 0.025 * total


def test_who_writes_first_does_not_wait_for_patterns_to_be_made(monkeypatch):
    from nlp import answers, corrections

    answers._answers.cache_clear()
    corrections._shapes.cache_clear()
    warm(lives.book("trade_003"), datetime(2026, 11, 22, 2, tzinfo=UTC))
    reader = lives.book("trade_003").reader
    monkeypatch.setattr(re, "compile", None)
    for said in (
        "你好",
        "订单YX20250118-3 物流没更新都半个月了，退我两万三",
        "不对，是3月5号",
        "The lamp broke on Monday.",
        "壞咗，唔同意",
    ):
        for read in (reader.read, reader.intent, reader.consent, reader.correction):
            read(said)


@pytest.mark.parametrize(
    ("name", "taken", "missed"),
    [
        pytest.param("talk", 0.22, None, id="half of them sound like a complaint"),
        pytest.param("talk_kept", 0.5, 0.1, id="half of them play with words, and half of the complaints are short"),
    ],
)
def test_what_is_no_complaint_is_told_from_what_is_one_as_well_as_the_page_says(reports, name, taken, missed):
    reader, _ = reports["trade_003"]
    read = [
        (row.label, reader.read(row.text, slots=False).kind == "complaint") for row in load_rows(SAID / f"{name}.tsv")
    ]
    no_complaints = [taken for label, taken in read if label == "none"]
    complaints = [taken for label, taken in read if label == "complaint"]

    assert sum(no_complaints) <= taken * len(no_complaints)
    if missed is not None:
        assert len(complaints) - sum(complaints) <= missed * len(complaints)


def test_types_and_flags_are_the_same_without_slots(reports):
    reader, _ = reports["chem_000"]
    for row in load_rows(SAID / "chem_000.tsv")[:50]:
        whole, part = reader.read(row.text), reader.read(row.text, slots=False)
        assert (whole.types, whole.flags, whole.kind) == (part.types, part.flags, part.kind)


@pytest.mark.parametrize(
    ("learned", "measured"),
    [
        ("risks", ["risks_seen", "risks_unseen", "risks_kept", "risks_fresh"]),
        ("talk", ["talk", "talk_kept"]),
        ("wishes", ["wishes"]),
        *((company, [company]) for company in COMPANIES),
    ],
)
def test_nothing_is_measured_on_texts_that_were_learned_from(learned, measured):
    known = {row.text for row in load_rows(HOME / "texts" / f"{learned}.tsv")}

    assert {name: [row.text for row in load_rows(SAID / f"{name}.tsv") if row.text in known] for name in measured} == {
        name: [] for name in measured
    }


def test_no_remedy_is_measured_on_texts_that_were_learned_from():
    known = {row.text for row in load_rows(HOME / "texts" / "remedies.tsv")}

    for name in ("slots_read", "slots_fresh"):
        assert [row.text for row in load_said(SAID / f"{name}.jsonl") if row.text in known] == []
