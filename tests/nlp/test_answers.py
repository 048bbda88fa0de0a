"""Short answers: choices, and wishes about the conversation."""

import pytest

from complaints.ports import Option
from nlp.answers import choose, consent

TYPES = [
    Option(id="quality", labels=("产品质量", "product quality", "品质不好")),
    Option(id="delay", labels=("物流延误", "late delivery")),
    Option(id="manner", labels=("服务态度", "service attitude")),
]
POINTS = [Option(id=str(5 - n), labels=(f"{5 - n} 分", f"{5 - n} points")) for n in range(5)]


@pytest.mark.parametrize(
    "text",
    [
        "2",
        "２",
        "②",
        "2.",
        "（2）",
        "2、",
        "第二个",
        "第2个",
        "第二項",
        "选二",
        "我选第二个吧",
        "the second one",
        "Second",
        "option B",
        "b",
        "B)",
        "number 2 please",
        "物流延误",
        "物流延誤",
        "物流延误！",
        "👉 物流延误 🚚",
        "Late delivery.",
        "物流",
        "延误",
        "late",
        "就选物流延误吧，谢谢",
        "是物流延误的问题",
    ],
)
def test_people_choose_in_many_ways(text):
    assert choose(text, TYPES) == "delay"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "4",
        "0",
        "十",
        "不是物流延误",
        "不知道",
        "都有",
        "2个坏了",
        "物流延误和服务态度",
        "我的杯子坏了三个",
        "🤔",
        "e",
    ],
)
def test_what_means_no_option_or_several_chooses_none(text):
    assert choose(text, TYPES) is None


def test_the_last_one_is_the_last(reader):
    assert choose("最后一个", TYPES) == "manner"
    assert choose("the last one", TYPES) == "manner"


def test_where_labels_are_numbers_a_number_means_the_label():
    assert choose("5", POINTS) == "5"
    assert choose("４分", POINTS) == "4"
    assert choose("第五", POINTS) is None


def test_a_beginning_that_two_labels_share_is_ambiguous():
    options = [Option(id="a", labels=("退款到原账户",)), Option(id="b", labels=("退款到余额",))]

    assert choose("退款", options) is None
    assert choose("退款到余额", options) == "b"


def test_an_option_is_also_chosen_by_the_words_of_its_type(reader, taxonomy):
    options = [Option(id=kind.id, labels=(kind.title.zh_hans,)) for kind in taxonomy.types]

    assert reader.choose("东西裂开了", options) == "product_quality"
    assert reader.choose("裂开了，也没人理，一直踢皮球", options) is None


INTENTS = {
    "back": ["返回", "上一步", "回到上一步吧", "Go back", "back please", "返回上一題"],
    "skip": ["跳过", "没有", "不用了", "没有了", "skip", "Skip this.", "no thanks", "跳過"],
    "cancel": ["取消", "我要取消", "算了", "不投诉了", "cancel", "never mind"],
    "help": ["帮助", "怎么用", "help!", "幫助"],
    "human": [
        "人工",
        "转人工",
        "找真人",
        "麻烦帮我转人工客服，谢谢",
        "轉人工",
        "agent please",
        "I want to talk to a human",
        "有人吗",
    ],
    "status": ["我的投诉", "到哪了？", "进度", "处理得怎么样了", "any news?", "Status"],
    "new": ["我要投诉", "新投诉", "new complaint", "I want to complain"],
    "edit": ["修改", "我要修改", "改一下", "edit", "写错了"],
    "yes": [
        "是的",
        "对",
        "同意",
        "好的",
        "没问题",
        "yes",
        "OK",
        "Yes, that is all correct.",
        "👍",
        "👍🏻",
        "✅",
        "對",
        "可以的",
    ],
    "no": ["不是", "不对", "不同意", "不行", "No.", "not correct", "👎", "不對"],
    "submit": ["提交", "确认", "就这些", "submit", "confirm", "that's all"],
    "later": ["稍后", "等会儿", "以后再说", "later", "not now"],
    "unknown_value": ["不知道", "忘了", "不记得了", "I don't know", "not sure", "找不到了"],
}


@pytest.mark.parametrize(("expected", "text"), [(intent, text) for intent, texts in INTENTS.items() for text in texts])
def test_a_whole_message_may_be_addressed_to_the_conversation(reader, expected, text):
    assert reader.intent(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "我要取消订单",
        "取消订单不退钱",
        "I want to cancel my order",
        "返回的货还没退款",
        "没有收到货",
        "不是退款的问题",
        "对方不理我",
        "人工费太贵",
        "好的东西都坏了",
        "help me get my money back from you",
        "确认收货后发现破损",
        "back cover is broken",
        "",
        "   ",
        "周晓",
        "PO-40912",
        "no refund",
        "你好",
        "稍后再发货的订单丢了",
        "new phone is broken",
        "我没有",
        "是不是坏了",
    ],
)
def test_a_complaint_is_never_taken_for_a_wish_about_the_conversation(reader, text):
    assert reader.intent(text) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("打八折？不行", False),
        ("运费要我出一半 不接受", False),
        ("免费重发 可以", True),
        ("Free replacement, sounds good", True),
        ("再想想", None),
        ("", None),
        ("可以吗", None),
        ("Yes, model QT-7. All correct.", True),
        ("I do not think it is right", None),
    ],
)
def test_the_last_words_of_an_answer_agree_or_refuse(text, expected):
    assert consent(text) is expected
