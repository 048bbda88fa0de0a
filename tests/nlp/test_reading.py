"""What the reader makes of whole messages: language, kind, types and flags."""

import pytest


def best(reader, text):
    types = reader.read(text).types
    return types[0].id if types else None


def flags(reader, text):
    return [flag.id for flag in reader.read(text).flags]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("收到的台灯有一半不通电", "product_quality"),
        ("这批货质量门题太大了", "product_quality"),
        ("退宽怎么还没处理", "refund_payment"),
        ("包裹还没收到，物流没更新", "logistics_delay"),
        ("業務員已讀不回，態度很差", "service_attitude"),
        ("箱子裡發錯貨了", "wrong_goods"),
        ("你们突然涨价还砍单", "supply_price"),
        ("提单和发票不对，海关要求退运", "customs_documents"),
        ("Half of the kettles came DAMAGED", "product_quality"),
        ("My order has been delayed twice", "logistics_delay"),
        ("the parcel still hasn't arrived", "logistics_delay"),
        ("It didn’t arrive", "logistics_delay"),
        ("the plug isnt working", "product_quality"),
        ("your agent was so rude and ignores me", "service_attitude"),
        ("我要投诉", "other"),
        ("ＨＳ编码写错了", "customs_documents"),
    ],
)
def test_the_words_of_a_message_decide_its_type(reader, text, expected):
    assert best(reader, text) == expected


def test_the_deciding_words_stand_where_they_say(reader):
    text = "ｅ屏幕裂开了，品質堪憂，還有ＤＥＬＡＹＳ"

    assert {text[hit.start : hit.end] for kind in reader.read(text).types for hit in kind.words} == {
        "裂开",
        "品質",
        "ＤＥＬＡＹＳ",
    }


def test_two_types_in_one_message_are_both_there_and_a_tie_stays_below_the_threshold(reader, taxonomy):
    found = reader.read("快递太慢，客服还敷衍我").types

    assert {each.id for each in found} == {"logistics_delay", "service_attitude"}
    assert all(each.score < taxonomy.threshold for each in found)


def test_two_words_beat_one_and_pass_the_threshold(reader, taxonomy):
    first, second = reader.read("杯子破损还掉色，客服不耐烦").types

    assert (first.id, second.id) == ("product_quality", "service_attitude")
    assert first.score > taxonomy.threshold > second.score


def test_one_clear_word_alone_passes_the_threshold(reader, taxonomy):
    assert reader.read("充电器开不了机").types[0].score > taxonomy.threshold


def test_saying_a_word_again_adds_nothing(reader):
    once, often = reader.read("延误"), reader.read("延误" * 20)

    assert once.types[0].score == often.types[0].score


def test_words_that_fit_everything_never_beat_a_type(reader):
    found = reader.read("投诉！问题很多，不满意，有意见：快递延误").types

    assert [each.id for each in found] == ["logistics_delay"]


def test_the_remedy_that_is_asked_for_does_not_decide_the_type(reader, taxonomy):
    first = reader.read("一半有瑕疵，要求退款").types[0]

    assert first.id == "product_quality"
    assert first.score >= taxonomy.threshold


def test_the_longer_of_two_overlapping_words_counts(reader):
    assert [hit.word for hit in reader.read("你们发错货了").types[0].words] == ["发错货"]


@pytest.mark.parametrize("text", ["translate this", "the plate is fine", "a chocolate cake"])
def test_latin_words_are_found_whole(reader, text):
    assert reader.read(text).types == ()


@pytest.mark.parametrize(
    "text",
    [
        "不是退款的问题",
        "这次并不是因为快递",
        "this is not a refund issue",
        "it's not about the delay",
        "没有质量问题",
        "没有任何破损",
        "it is not broken",
        "退款不是重点",
    ],
)
def test_what_is_denied_speaks_for_nothing(reader, text):
    assert [each.id for each in reader.read(text).types if each.id != "other"] == []


def test_only_the_denied_word_is_taken_back(reader):
    assert best(reader, "不是退款的问题，是态度差") == "service_attitude"
    assert best(reader, "不是快递的问题是质量问题") == "product_quality"
    assert best(reader, "not a refund issue, the parcel never arrived") == "logistics_delay"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("没有退款给我", "refund_payment"),
        ("还是没收到退款", "refund_payment"),
        ("是不是发错货了", "wrong_goods"),
        ("这难道不是质量问题吗？", "product_quality"),
        ("又不是第一次发错货了", "wrong_goods"),
        ("不仅破损而且掉色", "product_quality"),
        ("no refund, no answer", "refund_payment"),
        ("not only late but also rude", "logistics_delay"),
        ("没有解决质量问题", "product_quality"),
        ("别再敷衍我了", "service_attitude"),
    ],
)
def test_what_looks_like_a_denial_and_is_none_counts(reader, text, expected):
    assert expected in {each.id for each in reader.read(text).types}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("插头漏电，我老婆触电了", ["safety"]),
        ("记者已经联系我了", ["media"]),
        ("損失幾十萬，工廠停產", ["big_loss"]),
        ("two injuries and a fire", ["safety"]),
        ("没有受伤", []),
        ("幸好没有人受伤", []),
        ("无人员受伤或触电", []),
        ("nobody was hurt, no fire, no injuries", []),
        ("no one was seriously injured", []),
        ("没有处理起火的问题", ["safety"]),
        ("没有人受伤，但是插座起火了", ["safety"]),
        ("我在抖音下单的", []),
        ("抖音小店买的，发错货", []),
        ("再不处理我就发抖音曝光", ["media"]),
        ("I bought this in a fire sale", []),
        ("we fired our supplier", []),
        ("给孩子买的书", []),
        ("孩子受伤了", ["safety"]),
    ],
)
def test_a_flag_is_raised_by_a_danger_and_by_nothing_else(reader, text, expected):
    assert flags(reader, text) == expected


@pytest.mark.parametrize(
    ("text", "raised"),
    [
        ("你们就是骗子公司，我要投诉到底", True),
        ("垃圾！！！气死我了！！！", True),
        ("This is bullshit, you bunch of liars", True),
        ("ABSOLUTELY DISGUSTING SERVICE, I WANT MY LAMPS", True),
        ("太好了！！！！！！", False),
        ("垃圾桶坏了！", False),
        ("有点失望", False),
        ("滚筒洗衣机不转了！！！", False),
        ("I am a bit annoyed", False),
    ],
)
def test_fury_is_heard_and_not_imagined(reader, text, raised):
    assert ("fury" in flags(reader, text)) is raised


@pytest.mark.parametrize(
    ("text", "raised"),
    [
        ("别废话了，叫你们经理来跟我说", True),
        ("问了三遍都没用，帮我转人工客服", True),
        ("I have explained this twice, let me speak to a manager", True),
        ("我等了你们经理三天", False),
        ("安装要收人工费", False),
        ("恳请领导重视", False),
    ],
)
def test_a_call_for_a_person_is_heard_in_a_long_message(reader, text, raised):
    assert ("human" in flags(reader, text)) is raised


@pytest.mark.parametrize(
    ("text", "hint", "expected"),
    [
        ("快递还没到", None, "zh-Hans"),
        ("快遞還沒到", None, "zh-Hant"),
        ("Where is my parcel", None, "en"),
        ("型号 QT-7 不能用", None, "zh-Hans"),
        ("I ordered from 王先生 and it never came", None, "en"),
        ("12345", "en", "en"),
        ("12345", "zh-Hant", "zh-Hant"),
        ("12345", None, "zh-Hans"),
        ("不可用", "zh-Hant", "zh-Hant"),
        ("不可用", None, "zh-Hans"),
        ("😡😡", "en", "en"),
    ],
)
def test_the_characters_tell_the_language_and_the_hint_decides_the_rest(reader, text, hint, expected):
    assert reader.read(text, hint=hint).language == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("你好", "greeting"),
        ("您好，在吗？", "greeting"),
        ("Hello there!", "greeting"),
        ("谢谢你们", "thanks"),
        ("好的，谢谢！", "thanks"),
        ("Thank you so much", "thanks"),
        ("你好，我要投诉", "complaint"),
        ("谢谢，不过杯子还是坏了", "complaint"),
        ("请问可以换货吗？", "question"),
        ("你们几点下班？", "question"),
        ("How long does shipping take?", "question"),
        ("为什么还没收到？", "complaint"),
        ("太差劲了", "complaint"),
        ("this is unacceptable", "complaint"),
        ("周晓", "other"),
        ("", "other"),
    ],
)
def test_the_kind_of_a_message(reader, text, expected):
    assert reader.read(text).kind == expected


def test_traditional_writing_reads_like_simplified(reader):
    pairs = [
        ("包裹还没收到，物流没更新", "包裹還沒收到，物流沒更新"),
        ("发错货了，客服不耐烦", "發錯貨了，客服不耐煩"),
        ("不是退款的问题，没有人受伤", "不是退款的問題，沒有人受傷"),
    ]
    for simplified, traditional in pairs:
        a, b = reader.read(simplified), reader.read(traditional)
        assert ([t.id for t in a.types], [f.id for f in a.flags]) == ([t.id for t in b.types], [f.id for f in b.flags])


def test_the_same_lexicon_has_the_same_version(reader, taxonomy):
    from nlp.reader import KeywordReader

    changed = taxonomy.model_copy(update={"threshold": 0.7})

    assert reader.read("延误").lexicon == KeywordReader.of(reader.content).version
    assert KeywordReader(taxonomy).version not in (reader.version, KeywordReader(changed).version)
