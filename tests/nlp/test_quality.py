"""How well the reader reads real texts, where they are at hand. They are not in the repository."""

import os
from pathlib import Path

import pytest

from complaints.clauses.taxonomy import Taxonomy
from nlp.evaluate import evaluate, load_rows
from nlp.reader import KeywordReader

DATA = os.environ.get("PLAINT_TEST_DATA", "")
pytestmark = pytest.mark.skipif(not DATA, reason="PLAINT_TEST_DATA is not set: no labelled texts at hand")

RISKS = {
    "regulator": (
        ["12315", "消协", "消费者协会", "工商投诉", "工商局举报", "食药局", "质监局", "物价局", "信访局", "纪委", "工商总局"],
        ["工商银行"],
    ),
    "media_exposure": (
        ["曝光", "记者", "媒体", "电视台", "上新闻"],
        ["多媒体", "被曝光", "官方媒体", "媒体报道", "向记者"],
    ),
    "legal_threat": (
        ["起诉", "律师", "法院", "打官司", "诉讼", "法律途径", "维权"],
        ["法院判决", "行政诉讼", "强制执行", "律师事务所"],
    ),
    "safety_injury": (
        ["受伤", "烫伤", "过敏", "触电", "起火", "爆炸", "划伤", "割伤", "中毒", "拉肚子", "漏电", "呕吐", "腹泻", "虫子", "伤残"],
        ["爆炸式", "抗过敏", "防过敏"],
    ),
}  # fmt: skip


def rows(name):
    path = Path(DATA) / "nlp" / "dev" / f"{name}.tsv"
    if not path.exists():
        pytest.skip(f"{path.name} is not in PLAINT_TEST_DATA")
    return load_rows(path)


def test_hardly_any_praise_is_furious(reader):
    praise = [row for row in rows("zh_waimai_sentiment") if row.label == "praise"]
    furious = sum(any(flag.id == "fury" for flag in reader.read(row.text).flags) for row in praise)

    assert praise
    assert furious <= 0.005 * len(praise)


def test_risk_words_with_contexts_read_hard_sentences_acceptably():
    def sentence(text):
        return {"zh-Hans": text, "zh-Hant": text, "en": text}

    taxonomy = Taxonomy.model_validate(
        {
            "types": [{"id": "other", "title": sentence("o"), "department": "x"}],
            "fallback": "other",
            "flags": [
                {"id": name, "title": sentence(name), "keywords": keywords, "unless": unless}
                for name, (keywords, unless) in RISKS.items()
            ],
        }
    )
    report = evaluate(KeywordReader(taxonomy), rows("gold_zh_risk"), by="flag")

    assert report.lenient >= 0.675  # what a list without contexts reaches on these sentences
