"""Replies inside a form that are none of the known ones: what they want of it, read from a learned table."""

from pathlib import Path

import pytest

import policies
from bot.reading import open_reader
from nlp import answers
from nlp.evaluate import load_rows
from nlp.wishes import Wishes
from policies.loader import load

HOME = Path(policies.__file__).parent
SAID = Path(__file__).parent / "said"


@pytest.fixture(scope="module")
def trader():
    return open_reader(load("trade_003", HOME), HOME)


@pytest.mark.parametrize(
    ("text", "wish"),
    [
        ("倒回去刚才那道题", "back"),
        ("这条我没有 直接过吧", "skip"),
        ("帮我叫个真人过来聊", "human"),
        ("这一步怎么弄啊", "help"),
        ("我填错电话号码了 想重新写", "edit"),
        ("在开会 晚点再回你", "later"),
        ("号码我真的想不起来", "unknown_value"),
        ("这个我不想告诉你们", "refuses"),
        ("我刚刚不是跟你讲了嘛", "said"),
        ("唔該幫我轉真人", "human"),
        ("I need to talk to an actual person", "human"),
        ("hang on a minute, looking for it", "later"),
    ],
)
def test_a_reply_in_other_words_is_understood(trader, text, wish):
    assert answers.intent(text) is None, "these are not among the known words"
    assert trader.wish(text) == wish


@pytest.mark.parametrize(
    "text",
    [
        "李娜",
        "王大明",
        "长沙市雨花区",
        "Anna Berg",
        "订单号 88213377",
        "电话写错了，是13800001021",
        "客服态度太差了",
        "不是退款的问题，是质量不行",
        "要得",
        "yep all good with that",
        "我要再投诉一个",
        "算了，我不想活了",
        "这" * 61,
        "",
    ],
)
def test_values_complaints_dangers_and_what_binds_are_no_wish(trader, text):
    assert trader.wish(text) is None


def test_replies_are_read_as_well_as_the_page_says(trader):
    rows = load_rows(SAID / "wishes.tsv")
    read = [(row.label, answers.intent(row.text) or trader.wish(row.text) or "none") for row in rows]
    wanted = [(label, wish) for label, wish in read if label != "none"]

    assert sum(label == wish for label, wish in wanted) >= 0.76 * len(wanted)
    assert sum(wish not in (label, "none") for label, wish in wanted) <= 2
    assert sum(wish != "none" for label, wish in read if label == "none") <= 1


def test_without_a_table_only_known_words_are_understood():
    assert Wishes(lambda: None).find("帮我叫个真人过来聊") is None
