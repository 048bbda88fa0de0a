"""General risks: what is read as one, by words and by what was learned, and how well on hard sentences.

`said/risks_seen.tsv` was written in sight of the lexicon, the others without it; of `said/risks_fresh.tsv` only figures
were ever looked at.
"""

import os
import time
from pathlib import Path

import pytest

from benchmarks import reading as benchmark
from benchmarks import sentences
from complaints.clauses.taxonomy import Taxonomy
from complaints.weights import NOTHING_LEARNED, Learned
from nlp import lexicon
from nlp.evaluate import RISKS, evaluate_risks, load_rows, risk_reader
from nlp.normalize import LIMIT
from nlp.reader import KeywordReader
from policies import weights

HERE = Path(__file__).parent
HOME = HERE.parents[1] / "policies"
DATA = os.environ.get("PLAINT_TEST_DATA", "")


def taxonomy(flags):
    title = {"zh-Hans": "x", "zh-Hant": "x", "en": "x"}
    types = [{"id": "other", "title": title, "department": "x"}]
    flags = [{"title": title, **flag} for flag in flags]
    return Taxonomy.model_validate({"types": types, "fallback": "other", "flags": flags})


@pytest.fixture(scope="module")
def learned():
    return Learned(risks=weights.load(HOME, "risks", RISKS))


@pytest.fixture(scope="module")
def risky(learned):
    return risk_reader(learned)


@pytest.fixture(scope="module")
def unlearned():
    return risk_reader(NOTHING_LEARNED)


def read(reader, text):
    return {flag.id for flag in reader.read(text, slots=False).flags} & {*RISKS}


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
    "safety": (0.95, 0.95), "injury": (0.95, 0.92), "legal": (0.95, 0.87), "regulator": (0.95, 0.92), "media": (0.95, 0.9),
    "leak": (0.95, 0.95), "self_harm": (0.95, 0.95), "minors": (0.95, 0.95), "big_loss": (0.95, 0.83),
}  # fmt: skip
UNSEEN = {
    "safety": (0.95, 0.88), "injury": (0.95, 0.91), "legal": (0.95, 0.95), "regulator": (0.95, 0.87), "media": (0.95, 0.85),
    "leak": (0.95, 0.87), "self_harm": (0.83, 0.95), "minors": (0.95, 0.95), "big_loss": (0.95, 0.85),
}  # fmt: skip
KEPT = {
    "safety": (0.97, 0.85), "injury": (0.95, 0.7), "legal": (0.97, 0.87), "regulator": (0.94, 0.85), "media": (0.93, 0.6),
    "leak": (0.93, 0.92), "self_harm": (0.77, 0.77), "minors": (0.95, 0.68), "big_loss": (0.92, 0.79),
}  # fmt: skip
FRESH = {
    "safety": (0.87, 0.93), "injury": (0.75, 0.92), "legal": (0.94, 0.9), "regulator": (0.89, 0.89), "media": (0.95, 0.88),
    "leak": (0.95, 0.95), "self_harm": (0.95, 0.95), "minors": (0.95, 0.72), "big_loss": (0.84, 0.68),
}  # fmt: skip
REAL = {
    "gold_zh_risk": {"safety": (0.95, 0.91), "legal": (0.95, 0.87), "regulator": (0.95, 0.87), "media": (0.66, 0.75)},
    "sentences": {"safety": (0.9, 0.76), "legal": (0.87, 0.73), "regulator": (0.93, 0.78), "media": (0.75, 0.5)},
}


@pytest.mark.parametrize(
    "piece", ["起诉工商银行。", "孩子受伤没有人受伤。", "fire sale price fire. ", "12315活动,", "起诉"]
)
def test_the_longest_text_of_dangers_and_of_what_makes_them_harmless_is_read_in_no_time(risky, piece):
    began = time.process_time()
    risky.read((piece * LIMIT)[:LIMIT])

    assert time.process_time() - began < 0.6, "linear readings take a tenth of this, quadratic ones take more"


#: Long stories that speak of one danger, in passing.
LONG = {
    "这家店真的太让人失望了，买的时候说得天花乱坠，三样赠品一样都没有，包装也是随便一个纸箱。联系客服先说查一下，后来又说活动已经结束，最后干脆不理人。"
    "我已经打了12315。希望后面的朋友擦亮眼睛，别再上当了，东西本身也就那样，颜色和图片不一样，做工一般。": "regulator",
    "沙发颜色和图片差太多了，客厅灯光下看着发灰，老婆很不满意。快递员态度倒是不错，帮忙抬上楼。昨晚充电的时候插头冒火星，我赶紧拔了。"
    "另外发票抬头开错了，请重新开一张，抱枕也少了一个，赶紧给我一个答复。": "safety",
}


@pytest.mark.parametrize(("text", "risk"), LONG.items())
def test_a_long_story_does_not_drown_the_danger_it_names(risky, text, risk):
    assert read(risky, text) == {risk}


#: Many messages are no longer than this: no table is needed to see the danger.
SHORT = {
    "我想死": "self_harm", "我真的想死": "self_harm", "小孩被烫了": "safety", "老人摔倒了": "injury", "眼睛被喷到": "safety",
    "起火了": "safety", "我要起诉": "legal",
}  # fmt: skip


@pytest.mark.parametrize(("text", "risk"), SHORT.items())
def test_a_danger_in_a_few_words_is_read(risky, text, risk):
    assert risk in read(risky, text)


@pytest.mark.parametrize(
    "text",
    [
        "万",
        "万先生",
        "王小明",
        "活动",
        "火锅",
        "我叫万刚",
        "客户万",
        "客户万丈",
        "新台幣三千六百元",
        "大概一百二十件",
        "下周一再联系我吧",
    ],
)
def test_a_name_a_sum_or_a_date_alarms_nobody(risky, text):
    assert read(risky, text) == set()


def test_hardly_any_ordinary_complaint_is_taken_for_one_of_somebody_who_may_harm_themselves(risky):
    paths = [path for path in (HERE / "said").glob("*_*.tsv") if (HOME / "companies" / f"{path.stem}.yaml").exists()]
    texts = [row.text for path in paths for row in load_rows(path)]

    assert len(texts) == 1800
    assert sum("self_harm" in read(risky, text) for text in texts) <= 3


@pytest.mark.parametrize(("name", "least"), [("seen", SEEN), ("unseen", UNSEEN), ("kept", KEPT), ("fresh", FRESH)])
def test_hard_sentences_are_read_as_well_as_the_page_says(risky, name, least):
    _hold(risky, load_rows(HERE / "said" / f"risks_{name}.tsv"), least)


@pytest.mark.skipif(not DATA, reason="PLAINT_TEST_DATA is not set: no labelled texts at hand")
@pytest.mark.parametrize("name", REAL)
def test_real_sentences_are_read_as_well_as_they_were(risky, name):
    rows = benchmark.real_dangers(Path(DATA) / "nlp" / "dev")
    if name not in rows:
        pytest.skip(f"the texts of {name} are not in PLAINT_TEST_DATA")
    _hold(risky, rows[name], REAL[name])


@pytest.mark.skipif(not DATA, reason="PLAINT_TEST_DATA is not set: no labelled texts at hand")
def test_nothing_is_learned_from_a_sentence_that_it_is_measured_with():
    data = Path(DATA) / "nlp" / "dev"
    learned = {sentences.key_of(row.text) for row in sentences.labelled(data, "learn")}
    measured = {sentences.key_of(row.text) for rows in benchmark.real_dangers(data).values() for row in rows}

    assert learned.isdisjoint(measured)


def _hold(reader, rows, least):
    found = evaluate_risks(reader, rows)
    low = {
        risk: found[risk]
        for risk, (recall, precision) in least.items()
        if found[risk].recall < recall or found[risk].precision < precision
    }
    assert not low
