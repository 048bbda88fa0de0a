"""Short answers: choices, and wishes about the conversation."""

from time import perf_counter

import pytest

from complaints.ports import Option
from nlp.answers import choose, consent
from nlp.corrections import about, correction

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
    assert choose("最下面那個", TYPES) == "manner"
    assert choose("倒数第二个", TYPES) == "delay"


def test_places_that_have_names_of_their_own_are_understood_where_there_are_such_places():
    assert choose("最上面那个", TYPES) == "quality"
    assert choose("中間那個", TYPES) == "delay"
    assert choose("the middle one", TYPES[:2]) is None
    assert choose("上面那个", TYPES[:2]) == "quality"
    assert choose("后者", TYPES[:2]) == "delay"
    assert choose("the latter", TYPES[:2]) == "delay"
    assert choose("上面那个", TYPES) is None, "of three, that may be two of them"


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
    "skip": ["跳过", "没有", "我没有", "不用了", "没有了", "skip", "Skip this.", "no thanks", "跳過"],
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
    "later": [
        "稍后",
        "等会儿",
        "以后再说",
        "等下我找找",
        "晚点发你",
        "我去找一下订单号",
        "回家再看",
        "等我一下，我查查",
        "晚點給你",
        "我找一下喔",
        "陣間畀你",
        "later",
        "not now",
        "give me a minute",
        "Let me look for it",
        "I'll send it tonight",
        "hold on a second",
        "I'll check and get back to you",
    ],
    "unknown_value": [
        "不知道",
        "忘了",
        "不记得了",
        "没有订单号",
        "订单号忘了",
        "实在找不到了",
        "單號不見了",
        "冇單號",
        "搵唔到",
        "手边没有单号",
        "I don't know",
        "not sure",
        "找不到了",
        "I don't have it",
        "I don't have an order number",
        "lost the receipt",
        "no order number",
    ],
    "refuses": [
        "不想说",
        "保密",
        "凭什么告诉你",
        "憑什麼告訴你",
        "不方便留電話",
        "唔想講",
        "匿名",
        "rather not say",
        "none of your business",
        "why do you need that?",
        "I don't want to share my phone number",
    ],
    "said": [
        "前面说过了",
        "上面写了",
        "就上面那个",
        "跟上面一样",
        "不是说过了吗",
        "剛才說過了",
        "頭先講過",
        "same as above",
        "I already told you",
        "As I said",
    ],
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
        "是不是坏了",
        "不给发票",
        "拒绝提供发票",
        "凭什么不退",
        "为什么不告诉我",
        "没有人告诉我",
        "之前说过要退款",
        "上面写着三天到货",
        "忘了给我发票",
        "我找过你们三次",
        "帮我查一下订单",
        "never received it",
        "no answer",
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


@pytest.mark.parametrize(
    ("text", "named", "value"),
    [
        ("不对，是3月5号", "", "3月5号"),
        ("打错了，电话是13812345678", "电话", "13812345678"),
        ("我刚才说错了，订单号是PO-123", "订单号", "PO-123"),
        ("刚才的电话不对，应该是13912345678，谢谢", "电话", "13912345678"),
        ("電話打錯了，是13912345678", "电话", "13912345678"),
        ("打錯咗，單號係PO-5", "单号", "PO-5"),
        ("地址改成巴塞罗那", "地址", "巴塞罗那"),
        ("帮我把电话改成13912345678", "电话", "13912345678"),
        ("不是马德里，是巴塞罗那", "", "巴塞罗那"),
        ("no, it's the blue one", "", "blue"),
        ("Sorry, my phone number is actually +44 20 7946 0018", "phone number", "+44 20 7946 0018"),
        ("change the address to 12 High Street, please", "the address", "12 High Street"),
        ("I made a mistake, the order number is PO-9", "order number", "PO-9"),
        ("not 3 March but 5 March", "", "5 March"),
    ],
)
def test_a_correction_says_what_it_is_about_and_what_is_right(text, named, value):
    found = correction(text)
    assert found is not None
    assert (found.named, found.value, found.sure) == (named, value, True)
    assert found.slots == about(named)


def test_what_only_sounds_like_a_correction_must_speak_for_itself():
    assert not correction("不对，13912345678").sure
    assert not correction("No, nobody called me").sure


def test_a_correction_may_follow_an_answer_in_the_same_message():
    found = correction("马德里，对了 我的电话改成13912345678")
    assert (found.rest, found.named, found.value) == ("马德里", "电话", "13912345678")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "不对",
        "打错了",
        "不是质量问题",
        "客服说的不对，是三天",
        "合同改成了三年",
        "it's not working",
        "灯坏了，用两天就坏",
        "说好三天到，结果改成了三个月",
        "我要改地址",
        "应该是PO-123",
    ],
)
def test_what_says_nothing_that_is_right_corrects_nothing(text):
    assert correction(text) is None


@pytest.mark.parametrize("text", ["我" * 200, "刚才我" * 66, "no, " * 50, "不是，是" * 50, "改成" * 100])
def test_a_correction_is_read_in_no_time_whatever_is_written(text):
    began = perf_counter()
    correction(text)
    assert perf_counter() - began < 1


def test_a_few_words_may_name_a_value_without_giving_one():
    assert "order_no" in about("订单号")
    assert "phone" in about("my phone number")
    assert about("马德里") == frozenset()


@pytest.mark.parametrize(
    ("text", "agreed"),
    [("要得", True), ("得行", True), ("啱晒", True), ("係呀", True), ("冇問題", True),
     ("要不得", False), ("不得行", False), ("唔啱", False), ("唔同意", False)],
)  # fmt: skip
def test_dialects_agree_and_refuse_too(text, agreed):
    assert consent(text) is agreed
