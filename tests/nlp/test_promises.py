"""What holds for any text whatever."""

import time
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nlp.normalize import LIMIT, normalize

SAID_AT = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
PIECES = st.sampled_from(
    ["退款", "不是", "没有", "受伤", "快递", "微信", "订单", "PO-", "13800138000", " ", "，", "！！！", "我叫王", "周晓", "人在里斯本", "a@b.co", "￥1,2", "元", "万", "三",
     "not ", "a refund", "nobody was ", "hurt", "ＡＢ", "２", "İ", "\x00", "\ud800", "😡", "é", "e\u0301", "\n", "質量", "。", "x", "1", "-", "型号", "身份证",
     "上周三", "3月5号", "之前", "从", "到", "2026-11-22", "两万三", "块", "蚊", "车牌", "京A12345", "批号", "合同", "路12号", "3楼", "last Tuesday ", "two hundred "]
)  # fmt: skip
TEXTS = st.one_of(st.text(), st.lists(PIECES, max_size=40).map("".join), st.text(st.characters(exclude_categories=[])))


@settings(max_examples=300, deadline=None)
@given(text=TEXTS)
def test_any_text_gives_a_reading_whose_places_lie_in_the_text(reader, text):
    reading = reader.read(text, at=SAID_AT)

    places = [*reading.slots, *(hit for kind in (*reading.types, *reading.flags) for hit in kind.words)]
    assert all(0 <= each.start < each.end <= len(text) for each in places)
    assert all(0 < kind.score <= 1 for kind in reading.types)
    assert all(0 < slot.confidence <= 1 and slot.value for slot in reading.slots)
    assert reader.read(text, at=SAID_AT) == reading


@settings(max_examples=200, deadline=None)
@given(text=TEXTS)
def test_a_place_holds_what_it_claims(reader, text):
    for slot in reader.read(text).slots:
        written = normalize(text[slot.start : slot.end]).plain
        if slot.name in ("order_no", "tracking_no", "model", "name", "wechat") and not slot.value.startswith("+"):
            assert written.casefold() == slot.value.casefold()
        if slot.name == "email":
            assert written.lower() == slot.value
        if slot.name == "phone":
            assert slot.value[-6:] == "".join(filter(str.isdigit, written))[-6:]


@settings(max_examples=200, deadline=None)
@given(text=TEXTS)
def test_the_three_spellings_of_a_text_have_its_length(text):
    normal = normalize(text)

    assert len(normal.plain) == len(normal.folded) == len(normal.written) == min(len(text), LIMIT)


@settings(max_examples=200, deadline=None)
@given(text=TEXTS)
def test_masking_and_answers_take_any_text(reader, text):
    reading = reader.read(text)
    private = any(slot.name in {"phone", "email", "wechat", "name", "id_card", "withdrawn"} for slot in reading.slots)

    assert (reader.mask(text, reading) != text) is private
    reader.intent(text)
    reader.consent(text)
    assert reader.choose(text, []) is None


@pytest.mark.parametrize(
    "piece",
    ["退款", "不是", "没有受伤", "不是退款和", "1", "1,", "13800138000 ", "a@b.", "a", "周晓 ", "人在里斯本 ", "!!!", "¥1,", "元", "十万", "订单 a", "(1", "not a refund ",
     "我叫王", "nobody was ", "孩子", "12,345,", "是", "\ud800", "PO-123 ", "the lamp is not working ",
     "3月5号到", "上周三", "一百二", "路1号", "西湖区文三路", "two hundred ", "not 3/4 ", "双十一", "SF1234567890 ", "赔", "退我", "12 Baker Street, "],
)  # fmt: skip
def test_the_longest_text_of_the_worst_words_is_read_in_no_time(reader, piece):
    began = time.process_time()
    reader.read((piece * LIMIT)[:LIMIT], at=SAID_AT)

    assert time.process_time() - began < 1.5, (
        "linear readings take a tenth of this; quadratic ones took five times as long"
    )


def test_what_lies_beyond_the_limit_is_not_read(reader):
    assert reader.read("好" * LIMIT + "质量问题").types == ()
