"""Answers as people give them: pointing, not having it, later, refusing, and taking back what was said before."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

import policies
from bot import wiring
from complaints.messages import OutgoingMessage
from complaints.tokens import base36
from handlers.turn import Book
from nlp.reader import KeywordReader
from policies.loader import read
from policies.phrasebook import Phrasebook
from tests.memory import CUSTOMER, Ids, Memory

HOME = Path(policies.__file__).parent
BROKEN = ("灯坏了，用两天就坏，质量太差", "同意")


class Talk(Memory):
    """A desk and one customer, who hears what is answered."""

    def say(self, *words: str) -> str:
        """Say these one after the other, and return what was heard last."""
        told = ""
        for each in words:
            self.now += timedelta(seconds=30)
            self.hear(each)
            told = "\n".join(
                letter.body.text
                for letter in self.letters
                if isinstance(letter.body, OutgoingMessage) and letter.address == CUSTOMER
            )
        return told

    @property
    def case(self):
        return max(self.scene.cases.values(), key=lambda case: case.id)

    @property
    def answers(self):
        return self.case.words.answers

    @property
    def field(self):
        return self.conversation.words.field

    def at(self, field: str) -> None:
        """Answer until the form of the trader asks for this field, or shows the review card."""
        self.say(*BROKEN)
        told = {
            "name": "王岚",
            "contact": "13812345678",
            "region": "马德里",
            "order_no": "PO-88213",
            "model": "跳过",
            "expected_solution": "退款",
            "evidence": "跳过",
        }
        while self.conversation.state == "filling" and self.field != field:
            self.say(told[self.field])
        assert field in (self.field, self.conversation.state)


@pytest.fixture(scope="module")
def talk() -> Callable[..., Talk]:
    """Return a function that opens a desk for the customers of a company."""
    books: dict[str, Book] = {}

    def opened(company: str = "trade_003") -> Talk:
        if company not in books:
            policy = wiring.parse(read(company, HOME), company)
            books[company] = Book(
                current=policy,
                policies={policy.version: policy},
                calendar=wiring.work_calendar(policy.hours, HOME / "calendars"),
                reader=KeywordReader(policy.taxonomy),
                wording=Phrasebook.load(HOME / "wording"),
                ids=Ids(),
            )
        return Talk(books[company])

    return opened


# later


@pytest.mark.parametrize("words", ["等下我找找", "晚点发你", "稍等", "give me a minute", "等我搵下"])
def test_who_must_look_for_it_is_asked_other_things_first_and_for_it_last(talk, words):
    desk = talk()
    desk.at("order_no")
    heard = desk.say(words)
    assert "不急" in heard
    assert "哪个型号" in heard
    heard = desk.say("LX-7", "退款", "跳过")
    assert "刚才先放着" in heard
    assert "订单号是多少" in heard
    assert "请核对投诉" in desk.say("PO-88213")
    assert desk.answers["order_no"] == "PO-88213"


def test_what_was_put_off_may_be_sent_in_between_and_is_not_asked_again(talk):
    desk = talk()
    desk.at("order_no")
    desk.say("等下我找找")
    desk.say("找到了，订单号PO-88213")
    assert desk.answers["order_no"] == "PO-88213"
    assert desk.field == "model", "and the question on the table is not answered by it"
    assert "请核对投诉" in desk.say("LX-7", "退款", "跳过")


def test_where_nothing_else_is_left_to_ask_nobody_is_nagged(talk):
    desk = talk()
    desk.at("order_no")
    desk.say("等下我找找", "LX-7", "退款", "跳过")
    for words in ("稍等", "还没找到", "晚点发你"):
        heard = desk.say(words)
        assert "不急" in heard
        assert "订单号是多少" not in heard
        assert desk.field == "order_no"
    assert "请核对投诉" in desk.say("PO-88213")


def test_who_needs_time_is_given_it_at_every_question(talk):
    desk = talk()
    desk.say(BROKEN[0])
    assert "不急" in desk.say("等一下")
    assert desk.conversation.state == "consenting"
    desk = talk()
    desk.at("reviewing")
    heard = desk.say("等等")
    assert "不急" in heard
    assert "请核对" not in heard
    assert [said.text for said in desk.case.words.said] == [BROKEN[0]], "and it is no part of the complaint"
    assert "已受理" in desk.say("没问题")
    assert "不急" in desk.say("稍等")
    assert desk.conversation.state == "idle"


def test_going_back_and_forth_over_a_question_that_was_put_off_loses_nothing(talk):
    desk = talk()
    desk.at("order_no")
    desk.say("等下我找找")
    assert "订单号是多少" in desk.say("上一题")
    assert "哪个型号" in desk.say("等下我找找")
    assert "订单号是多少" in desk.say("LX-7", "退款", "跳过")


# no value, and refusing


@pytest.mark.parametrize(
    "words", ["没有订单号", "忘了", "找不到了", "單號不見了", "don't have it", "前面说过了", "不想说", "保密"]
)
def test_what_is_optional_is_left_out_without_a_word(talk, words):
    desk = talk()
    desk.at("order_no")
    heard = desk.say(words)
    assert "哪个型号" in heard
    assert "先空着" not in heard
    assert "order_no" not in desk.answers


@pytest.mark.parametrize(
    ("first", "second", "reason"),
    [
        ("不想说", "凭什么告诉你", "不给别人看"),
        ("保密", "不告诉你", "不给别人看"),
        ("没有", "真的没有", "需要填"),
        ("不想講", "憑什麼", "不给别人看"),
    ],
)
def test_what_is_required_is_explained_once_and_then_left_for_a_colleague(talk, first, second, reason):
    desk = talk()
    desk.at("contact")
    heard = desk.say(first)
    assert reason in heard
    assert "怎么联系您" in heard
    heard = desk.say(second)
    assert "先空着" in heard
    assert "哪个城市" in heard
    assert "contact" not in desk.answers
    heard = desk.say("马德里", "没有", "没有", "退款", "没有")
    assert "联系方式：—" in heard
    told = len(desk.letters)
    assert "已受理" in desk.say("没问题，提交")
    assert told
    assert desk.case.facts.complete


def test_a_refusal_is_no_answer_where_own_words_are(talk):
    desk = talk()
    desk.at("expected_solution")
    assert "需要填" in desk.say("凭什么告诉你")
    assert "expected_solution" not in desk.answers


# pointing


@pytest.mark.parametrize(("words", "chosen"), [("第二个", "replace"), ("the second one", "replace"), ("最后一个", "other"),
                                               ("最上面那个", "refund"), ("最下面那個", "other")])  # fmt: skip
def test_a_choice_is_pointed_at(talk, words, chosen):
    desk = talk()
    desk.at("expected_solution")
    desk.say(words)
    assert desk.answers["expected_solution"] == chosen


def test_what_was_said_before_is_found_there(talk):
    desk = talk("door_002_5")
    desk.say("门装坏了漏风，安装师傅态度恶劣", "同意", "没有", "北京市朝阳区1号")
    desk.case.words.answers.pop("contact", None)
    desk.case.words.said[0].text += "，打我13812345678"
    desk.say("上面写了")
    assert desk.answers["contact"] == "+8613812345678"


@pytest.mark.parametrize("words", ["前面说过了", "就上面那个", "same as above"])
def test_what_was_not_said_before_is_asked_for_once_more(talk, words):
    desk = talk()
    desk.at("region")
    heard = desk.say(words)
    assert "没有找到" in heard
    assert "哪个城市" in heard
    assert "region" not in desk.answers


# taking back


@pytest.mark.parametrize(
    ("words", "field", "value"),
    [
        ("打错了，电话是13912345678", "contact", "+8613912345678"),
        ("不对，是13912345678", "contact", "+8613912345678"),
        ("电话打错了，应该是13912345678", "contact", "+8613912345678"),
        ("電話打錯了，是13912345678", "contact", "+8613912345678"),
        ("不好意思，名字写错了，我叫王兰", "name", "王兰"),
        ("地址改成巴塞罗那", "region", "巴塞罗那"),
        ("不是马德里，是巴塞罗那", "region", "巴塞罗那"),
        ("my phone number should be 13912345678", "contact", "+8613912345678"),
        ("change the city to Barcelona", "region", "Barcelona"),
    ],
)
def test_an_earlier_answer_is_corrected_and_the_question_asked_again(talk, words, field, value):
    desk = talk()
    desk.at("order_no")
    before = dict(desk.answers)
    heard = desk.say(words)
    assert desk.answers == {**before, field: value}
    assert "已经改好" in heard
    assert value in heard
    assert heard.count("订单号是多少") == 1
    assert desk.field == "order_no"
    assert desk.conversation.words.tries == 0


def test_what_names_nothing_corrects_the_last_answer(talk):
    desk = talk("mattress_004")
    desk.say("床垫塌了", "同意", "王岚", "13812345678", "北京", "红星店")
    assert "已经改好：" in desk.say("不对，是蓝天店")
    assert desk.answers["dealer"] == "蓝天店"
    assert desk.answers["city"] == "北京"


def test_an_answer_and_a_correction_may_come_together(talk):
    desk = talk()
    desk.at("region")
    heard = desk.say("马德里，对了 我的电话改成13912345678")
    assert desk.answers["region"] == "马德里"
    assert desk.answers["contact"] == "+8613912345678"
    assert "订单号是多少" in heard


def test_a_correction_that_does_not_fit_is_asked_for_and_the_form_goes_on_where_it_was(talk):
    desk = talk()
    desk.at("order_no")
    heard = desk.say("打错了，电话是1391")
    assert "怎么联系您" in heard
    assert "比如 13800001234" in heard
    assert "订单号是多少" in desk.say("13912345678")
    assert desk.answers["contact"] == "+8613912345678"


def test_several_answers_are_corrected_at_once(talk):
    desk = talk()
    desk.at("model")
    heard = desk.say("我刚才说错了，电话是13912345678，订单号是PO-99")
    assert desk.answers["contact"] == "+8613912345678"
    assert desk.answers["order_no"] == "PO-99"
    assert heard.count("已经改好") == 1


def test_the_review_card_is_corrected_in_words(talk):
    desk = talk()
    desk.at("reviewing")
    heard = desk.say("不对，电话是13912345678")
    assert "联系方式：+8613912345678" in heard
    assert "请核对投诉" in heard
    assert "希望怎么解决：换货" in desk.say("不对，是换货")
    heard = desk.say("不对，是物流延误问题")
    assert desk.case.type == "logistics_delay"
    assert "类型：物流延误问题" in heard
    assert "已受理" in desk.say("没问题")


def test_an_answer_is_corrected_after_the_form_too_and_whoever_handles_the_case_hears_of_it(talk):
    desk = talk()
    desk.at("reviewing")
    desk.say("没问题")
    heard = desk.say("我刚才说错了，订单号是PO-99999")
    assert "订单号：PO-99999" in heard
    assert "哪一件" not in heard
    assert desk.answers["order_no"] == "PO-99999"
    assert desk.case.facts.chasers == 1
    assert desk.case.words.said[-1].text == "我刚才说错了，订单号是PO-99999"
    assert [event.facts["field"] for event in desk.events if event.name == "answered"][-1] == "order_no"


def test_who_accepts_for_an_organisation_cannot_get_away_from_it_by_another_order(talk):
    desk = talk()
    desk.at("reviewing")
    desk.say("没问题")
    desk.case.facts.order["organisation"] = True
    assert "已经改好" not in desk.say("订单号改成PO-99999")
    assert desk.answers["order_no"] == "PO-88213"


@pytest.mark.parametrize(
    "words",
    [
        "发错了，是红色的",
        "你们搞错了，是红色的",
        "不对，你们上次说的是三天",
        "合同改成了三年",
        "希望你们改成全额退款",
        "客服说的不对，是三天",
    ],
)
def test_what_tells_the_story_corrects_nothing(talk, words):
    desk = talk()
    desk.at("expected_solution")
    before = dict(desk.answers)
    assert "已经改好" not in desk.say(words)
    assert {key: desk.answers[key] for key in before} == before


@pytest.mark.parametrize("words", ["应该是LX-7", "wait, it's LX-7", "哦不对，是LX-7"])
def test_what_fits_the_question_on_the_table_is_its_answer(talk, words):
    desk = talk()
    desk.at("model")
    desk.say(words)
    assert desk.answers["model"] == "LX-7"
    assert desk.answers["order_no"] == "PO-88213"


# several at once


@pytest.mark.parametrize(
    "words",
    [
        "王岚，13812345678，订单HT-2025-0117，要退款",
        "訂單HT-2025-0117 王岚 13812345678 要退款",
        "我叫王岚，电话13812345678，订单号是HT-2025-0117，我要退款",
    ],
)
def test_one_message_answers_several_questions(talk, words):
    desk = talk()
    desk.at("name")
    heard = desk.say(words)
    assert desk.answers == {
        "name": "王岚",
        "contact": "+8613812345678",
        "order_no": "HT-2025-0117",
        "expected_solution": "refund",
    }
    assert "哪个城市" in heard


def test_the_answer_to_another_question_is_noted_and_no_wrong_answer(talk):
    desk = talk()
    desk.at("region")
    heard = desk.say("订单号PO-88213")
    assert desk.answers["order_no"] == "PO-88213"
    assert "region" not in desk.answers
    assert "也记到" in heard
    assert "哪个城市" in heard
    assert desk.conversation.words.tries == 0


# in other languages


@pytest.mark.parametrize(
    ("begin", "later", "refuses", "right", "told"),
    [
        ("檯燈壞了，用兩天就壞，品質太差", "我找一下喔", "不想講", "打錯了，電話是13912345678", ("不急", "加密保存", "已經改好")),
        ("The lamp broke after two days, terrible quality", "give me a minute", "rather not say",
         "sorry, my phone number is actually 13912345678", ("No hurry", "stored encrypted", "changed:")),
    ],
)  # fmt: skip
def test_people_are_answered_in_their_language(talk, begin, later, refuses, right, told):
    desk = talk()
    desk.say(begin)
    desk.hear(press=f"q.0.{base36(desk.conversation.turn)}.yes")
    assert told[1] in desk.say(refuses)
    desk.say("Lan", "13812345678", "Madrid")
    assert told[0] in desk.say(later)
    assert told[2] in desk.say(right)
    assert desk.answers["contact"] == "+8613912345678"


def test_who_goes_on_complaining_when_asked_for_a_name_is_heard_and_asked_again(talk):
    desk = talk()
    desk.at("name")
    told = desk.say("我损失几十万 订单CN-7741 洛杉矶 今天必须给说法 全部召回退货")

    assert "name" not in desk.answers
    assert desk.answers["order_no"] == "CN-7741"
    assert [each.text for each in desk.case.words.said][-1].startswith("我损失几十万")
    assert desk.field == "name"
    assert "怎么称呼您" in told


def test_a_name_among_other_values_is_a_name(talk):
    desk = talk()
    desk.at("name")
    desk.say("马克吐温 订单CN-7741 洛杉矶")

    assert desk.answers["name"] == "马克吐温"
    assert desk.answers["order_no"] == "CN-7741"
    assert len(desk.case.words.said) == 1


def test_a_name_that_reads_like_a_danger_is_a_name(talk):
    desk = talk()
    desk.at("name")
    desk.say("万死")

    assert desk.answers["name"] == "万死"


def test_an_outcry_where_a_name_was_asked_for_is_no_name(talk):
    desk = talk()
    desk.at("name")
    desk.say("你们害我孩子受伤了")

    assert "name" not in desk.answers
    assert desk.case.facts.flags == ["safety"]
    assert desk.case.words.said[-1].text == "你们害我孩子受伤了"
