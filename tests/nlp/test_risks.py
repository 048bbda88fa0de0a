"""General risks: what is read as one, by words and by what was learned, and how well on hard sentences.

`said/risks_seen.tsv` was written in sight of the lexicon, `said/risks_unseen.tsv` without it: the second measures.
"""

import os
from pathlib import Path
from typing import get_args

import pytest

from complaints.clauses.taxonomy import Risk, Taxonomy
from complaints.weights import Learned
from nlp import lexicon
from nlp.evaluate import load_rows
from nlp.reader import KeywordReader
from policies import weights

HERE = Path(__file__).parent
HOME = HERE.parents[1] / "policies"
DATA = os.environ.get("PLAINT_TEST_DATA", "")
RISKS = get_args(Risk)
#: An injury is a danger to somebody's safety, in every policy.
MEANT = {risk: [risk] for risk in RISKS} | {"safety": ["safety", "injury"]}
#: What the labels of the real sentences are here.
NAMES = {"legal_threat": "legal", "media_exposure": "media", "safety_injury": "safety"}


def taxonomy(flags=None):
    title = {"zh-Hans": "x", "zh-Hant": "x", "en": "x"}
    flags = flags or [{"id": risk, "risks": meant} for risk, meant in MEANT.items()]
    types = [{"id": "other", "title": title, "department": "x"}]
    flags = [{"title": title, **flag} for flag in flags]
    return Taxonomy.model_validate({"types": types, "fallback": "other", "flags": flags})


@pytest.fixture(scope="module")
def learned():
    return Learned(risks=weights.load(HOME, "risks", RISKS))


@pytest.fixture(scope="module")
def risky(learned):
    return KeywordReader(taxonomy(), learned=learned)


@pytest.fixture(scope="module")
def unlearned():
    return KeywordReader(taxonomy())


def read(reader, text):
    return {flag.id for flag in reader.read(text, slots=False).flags} & {*RISKS}


def shares(reader, path):
    """Return recall and precision of each risk: a reading that is acceptable, too, is no false one."""
    found = {}
    rows = [(labels(row.label.split()), labels(row.also), read(reader, row.text)) for row in load_rows(path)]
    for risk in RISKS:
        said = [(risk in label, bool({*MEANT[risk]} & (label | also)), risk in raised) for label, also, raised in rows]
        labelled = [raised for label, _, raised in said if label]
        judged = [right for _, right, raised in said if raised]
        if labelled:
            found[risk] = sum(labelled) / len(labelled), sum(judged) / len(judged) if judged else 0.0
    return found


def labels(names):
    return {NAMES.get(name, name) for name in names} - {"none"}


def test_every_risk_has_words_and_no_other_does():
    pages = lexicon.load().risks.risks

    assert {*pages} == {*RISKS}
    assert all(page.words and {*page.beside} <= {*RISKS} for page in pages.values())


@pytest.mark.parametrize(
    ("text", "risk"),
    [
        ("再不退款我就起诉你们", "legal"), ("插座漏电，我被电到了", "safety"), ("我已经打了12315", "regulator"), ("今晚就发抖音，让全网看看", "media"),
        ("烫伤了手，满手水泡", "injury"), ("I will sue you", "legal"), ("the charger caught fire", "safety"), ("我不想活了", "self_harm"),
        ("你们泄露我的隐私", "leak"), ("我们停产三天，损失惨重", "big_loss"), ("我儿子被划破手，流血了", "minors"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", ["risky", "unlearned"])
def test_clear_words_raise_a_risk_with_and_without_what_was_learned(request, name, text, risk):
    assert risk in read(request.getfixturevalue(name), text)


@pytest.mark.parametrize(
    "text",
    ["我住法院对面，快递老送错", "给电视台食堂送的餐具少了两箱", "气得我要冒烟", "跳楼价买的，隔天又降价", "在抖音上看到推荐才买的", "不想打官司，退差价就行", "没有人受伤",
     "gas regulator is the wrong size", "fire sale price not applied", "Nobody was hurt"],
)  # fmt: skip
@pytest.mark.parametrize("name", ["risky", "unlearned"])
def test_the_same_words_in_other_company_mean_nothing(request, name, text):
    assert read(request.getfixturevalue(name), text) == set()


def test_a_child_is_a_risk_only_beside_a_danger(unlearned):
    assert read(unlearned, "孩子的书包颜色发错了") == set()
    assert "minors" in read(unlearned, "孩子被烫伤了")


def test_what_was_learned_finds_what_no_word_says(risky, unlearned):
    text = "Counsel has advised us, kindly preserve all correspondence"

    assert "legal" in read(risky, text)
    assert all(flag.words for flag in risky.read(text).flags)
    assert read(unlearned, "颜色发错了") == read(risky, "颜色发错了") == set()


def test_a_flag_keeps_its_own_words_beside_its_risks_and_its_contexts_take_both_away(learned):
    flag = {"id": "major", "risks": ["legal"], "keywords": ["退一赔三"], "unless": ["模拟法庭"]}
    reader = KeywordReader(taxonomy([flag]), learned=learned)

    def words(text):
        return [hit.word for raised in reader.read(text).flags for hit in raised.words]

    assert words("必须退一赔三") == ["退一赔三"]
    assert {"退一赔三", "起诉"} <= {*words("退一赔三，不然我起诉")}
    assert words("模拟法庭起诉环节的道具少一件") == []


def test_the_kept_lexicon_of_a_reader_reads_the_same_risks(risky):
    again = KeywordReader.of(risky.content)

    assert again.version == risky.version
    assert read(again, "记者明天来采访曝光") == read(risky, "记者明天来采访曝光") == {"media"}


#: What is reached today, a little rounded down: recall, precision.
SEEN = {
    "safety": (0.95, 0.9), "injury": (0.93, 0.9), "legal": (0.95, 0.8), "regulator": (0.95, 0.85), "media": (0.95, 0.9),
    "leak": (0.95, 0.9), "self_harm": (0.95, 0.9), "minors": (0.95, 0.9), "big_loss": (0.95, 0.7),
}  # fmt: skip
UNSEEN = {
    "safety": (0.95, 0.82), "injury": (0.81, 0.8), "legal": (0.94, 0.81), "regulator": (0.95, 0.87), "media": (0.95, 0.58),
    "leak": (0.95, 0.77), "self_harm": (0.83, 0.95), "minors": (0.95, 0.77), "big_loss": (0.95, 0.66),
}  # fmt: skip
REAL = {"safety": (0.95, 0.8), "legal": (0.8, 0.85), "regulator": (0.9, 0.65), "media": (0.95, 0.7)}


def test_sentences_written_in_sight_of_the_lexicon_are_read_right(risky):
    _hold(shares(risky, HERE / "said" / "risks_seen.tsv"), SEEN)


def test_sentences_written_without_sight_of_the_lexicon_are_read_as_well_as_ever(risky):
    _hold(shares(risky, HERE / "said" / "risks_unseen.tsv"), UNSEEN)


@pytest.mark.skipif(not DATA, reason="PLAINT_TEST_DATA is not set: no labelled texts at hand")
def test_real_sentences_are_read_as_well_as_ever(risky):
    path = Path(DATA) / "nlp" / "dev" / "gold_zh_risk.tsv"
    if not path.exists():
        pytest.skip(f"{path.name} is not in PLAINT_TEST_DATA")
    _hold(shares(risky, path), REAL)


def _hold(found, least):
    low = {risk: found[risk] for risk, (recall, right) in least.items() if not _reaches(found[risk], recall, right)}
    assert not low


def _reaches(found, recall, precision):
    return found[0] >= recall and found[1] >= precision
