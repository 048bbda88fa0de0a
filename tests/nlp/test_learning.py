"""Learning words from corrected cases, and measuring a reader."""

import sys
from subprocess import run

import pytest

from nlp.evaluate import Row, evaluate, load_rows
from nlp.segment import Segmenter, propose

CASES = [
    *[(f"水壶漏水，{n}号仓的都漏水", "product_quality") for n in range(6)],
    *[(f"司机把{n}箱扔在门口，司机没打招呼", "logistics_delay") for n in range(6)],
    ("司机说水壶要自己搬", "service_attitude"),
]


@pytest.fixture(scope="module")
def segmenter(taxonomy):
    return Segmenter.of(taxonomy)


def test_words_that_only_one_type_uses_are_proposed_for_it(segmenter):
    found = {(each.type, each.word): each for each in propose(CASES, segmenter)}

    assert ("product_quality", "漏水") in found
    assert ("logistics_delay", "司机") in found
    assert found["product_quality", "漏水"].inside == 6
    assert found["product_quality", "漏水"].outside == 0
    assert not any(kind == "service_attitude" for kind, _ in found)


def test_known_words_are_not_proposed_again(segmenter):
    assert "漏水" not in {each.word for each in propose(CASES, segmenter, known=["漏水"])}


def test_no_cases_propose_nothing(segmenter):
    assert propose([], segmenter) == []


def test_the_company_s_own_words_are_cut_whole(segmenter):
    assert "货不对板" in segmenter.cut("收到的貨不對板")


def test_loading_in_the_background_serves_the_first_cut(taxonomy):
    segmenter = Segmenter(["诉达台"])
    segmenter.preload().join()

    assert "诉达台" in segmenter.cut("诉达台很好")


def test_reading_does_not_load_jieba():
    code = "import sys, nlp, nlp.reader, nlp.segment; sys.exit('jieba' in sys.modules)"

    assert run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_reader_is_measured_by_its_types(reader):
    rows = [
        Row(text="快递延误", label="logistics_delay"),
        Row(text="客服敷衍", label="service_attitude"),
        Row(text="退款没到账", label="supply_price", also=frozenset({"refund_payment"})),
        Row(text="天气真好", label="other"),
    ]
    report = evaluate(reader, rows)

    assert report.total == 4
    assert report.accuracy == 0.75
    assert report.lenient == 1.0
    assert report.macro_f1 == 0.75
    assert report.confusion["supply_price"] == {"refund_payment": 1}


def test_a_reader_is_measured_by_its_flags(reader):
    rows = [Row(text="记者来了", label="media"), Row(text="没有受伤", label="none"), Row(text="起火了", label="media")]
    report = evaluate(reader, rows, by="flag")

    media = next(each for each in report.labels if each.label == "media")
    assert (media.precision, media.recall, media.support) == (1.0, 0.5, 2)


def test_no_rows_measure_nothing(reader):
    assert evaluate(reader, []).accuracy == 0.0


def test_labelled_texts_come_from_tabs_or_commas(tmp_path):
    tabs, commas = tmp_path / "a.tsv", tmp_path / "b.csv"
    tabs.write_text('text\tlabel\talso_acceptable\n"坏了\tproduct_quality\tother wrong_goods\n', encoding="utf-8")
    commas.write_text('text,label\n"坏了，真的,坏了",product_quality\n', encoding="utf-8-sig")

    assert load_rows(tabs) == [Row(text='"坏了', label="product_quality", also=frozenset({"other", "wrong_goods"}))]
    assert load_rows(commas) == [Row(text="坏了，真的,坏了", label="product_quality")]


def test_a_file_without_the_columns_is_refused_by_name(tmp_path):
    file = tmp_path / "c.tsv"
    file.write_text("words\tlabel\n", encoding="utf-8")

    with pytest.raises(ValueError, match="text"):
        load_rows(file)
