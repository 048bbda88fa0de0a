"""How well the reader reads real texts, where they are at hand. They are not in the repository."""

import os
from pathlib import Path

import pytest

from complaints.clauses.taxonomy import Taxonomy
from nlp.evaluate import evaluate, load_rows
from nlp.reader import KeywordReader

DATA = os.environ.get("PLAINT_TEST_DATA")
pytestmark = pytest.mark.skipif(not DATA, reason="PLAINT_TEST_DATA is not set: no labelled texts at hand")


def rows(name):
    path = Path(DATA) / "nlp" / "dev" / f"{name}.tsv"
    if not path.exists():
        pytest.skip(f"{path.name} is not in PLAINT_TEST_DATA")
    return load_rows(path)


def test_hardly_any_praise_is_furious(reader):
    praise = [row for row in rows("zh_waimai_sentiment") if row.label == "praise"]
    furious = sum(any(flag.id == "fury" for flag in reader.read(row.text).flags) for row in praise)

    assert furious <= 0.005 * len(praise)


def test_context_makes_risk_words_precise():
    """A plain list of risk words has a precision of about one half on these sentences."""

    def flag(name, keywords, unless):
        title = {"zh-Hans": name, "zh-Hant": name, "en": name}
        return {"id": name, "title": title, "keywords": keywords, "unless": unless}

    taxonomy = Taxonomy.model_validate(
        {
            "types": [{"id": "other", "title": {"zh-Hans": "o", "zh-Hant": "o", "en": "o"}, "department": "x"}],
            "fallback": "other",
            "flags": [
                flag(
                    "regulator",
                    ["12315", "消协", "消费者协会", "工商局", "市场监管", "质监局", "举报", "物价局"],
                    ["工商银行", "驻京", "举报人"],
                ),
                flag("media_threat", ["曝光", "记者", "媒体", "电视台"], ["分享自", "新媒体", "曝光台词"]),
                flag(
                    "legal_threat",
                    ["起诉", "律师", "法院", "打官司", "诉讼", "法律途径", "维权"],
                    ["法院判决", "行政诉讼", "强制执行", "律师事务所"],
                ),
                flag(
                    "safety_injury",
                    ["受伤", "烫伤", "过敏", "触电", "起火", "爆炸", "划伤", "割伤", "中毒", "拉肚子", "住院"],
                    ["爆炸式", "抗过敏", "防过敏"],
                ),
            ],
        }
    )
    report = evaluate(KeywordReader(taxonomy), rows("gold_zh_risk"), by="flag")

    assert report.lenient >= 0.6
