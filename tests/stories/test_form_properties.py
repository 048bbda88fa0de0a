"""The form under any sequence of inputs, on the use cases themselves: no way to get lost in it, and none to lose anything."""

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import policies
from bot import wiring
from complaints.conversation import STATES
from complaints.messages import Attachment, OutgoingMessage
from complaints.tokens import base36
from handlers import intake
from handlers.turn import Book
from policies.loader import read
from policies.phrasebook import Phrasebook
from tests.memory import CUSTOMER, Ids, Memory

FILE = Attachment(kind="photo", ref="file-1", size=1000)


class Form(Memory):
    """The desk of somebody who fills in a form."""

    def press(self, value):
        return self.hear(press=f"q.0.{base36(self.conversation.turn)}.{value}")

    @property
    def case(self):
        return self.scene.cases.get(self.conversation.case_id)

    def draft(self):
        words, case = self.conversation.words, self.case
        skipped = sorted(set(words.skipped) - case.words.answers.keys())
        return case.type, dict(case.words.answers), skipped, list(words.trail), list(case.words.said)


RULES: list[Book] = []  # not a fixture's value: a failed example would print it whole


@pytest.fixture(scope="session")
def book(_once_each: None) -> None:
    folder = Path(policies.__file__).parent
    policy = wiring.parse(read("trade_003", folder), "trade_003")
    RULES.append(
        Book(
            current=policy,
            policies={policy.version: policy},
            calendar=wiring.work_calendar(policy.hours, folder / "calendars"),
            reader=wiring.open_reader(policy, folder),
            wording=Phrasebook.load(folder / "wording"),
            ids=Ids(),
        )
    )


BEGINNINGS = [
    "灯坏了，用两天就坏，质量太差",
    "订单YX20250118-3 物流没更新都半个月了，我要退款",
    "客服态度恶劣，还骂人",
    "Nobody answers, very rude",
]
ANSWERS = [
    "王岚", "13812345678", "wang@example.com", "马德里", "PO-88213", "LX-7", "售后客服", "退款", "2", "第二个", "跳过", "不知道", "没有",
    "王岚 微信就行 人在马德里 要么赶紧到要么重发", "上一题", "！！", "",
]  # fmt: skip
PRESSES = ["o0", "o1", "o8", "o99", "skip", "back", "keep", "edit", "f0", "f1", "f2", "f5", "f99", "t0", "t1", "t9", "yes", "no",
           "cancel", "human", "submit", "w0", "w1", "w7"]  # fmt: skip


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    beginning=st.sampled_from(BEGINNINGS),
    answers=st.lists(st.sampled_from(ANSWERS[:-3]), max_size=12),
    steps=st.integers(1, 6),
)
def test_from_any_state_of_a_form_back_and_forward_gives_the_identical_draft(book, beginning, answers, steps):
    desk = Form(RULES[0])
    desk.hear(beginning)
    desk.hear("同意")
    for words in answers:
        if desk.conversation.state != "filling":
            break
        desk.hear(words)
    state, asked, draft = desk.conversation.state, desk.conversation.words.field, desk.draft()
    gone = 0
    for _ in range(steps):
        if not desk.conversation.words.trail:
            break
        desk.press("back")
        gone += 1
        assert desk.conversation.state == "filling"
    for _ in range(gone):
        words = desk.conversation.words
        desk.press("keep" if words.field in desk.case.words.answers else "skip")
    assert (desk.conversation.state, desk.conversation.words.field) == (state, asked)
    assert desk.draft() == draft


INPUTS = st.one_of(
    st.tuples(st.just("say"), st.sampled_from([*BEGINNINGS, *ANSWERS])),
    st.tuples(st.just("say"), st.sampled_from([
        "同意", "不同意", "人工", "帮助", "我的投诉", "撤回", "确定撤回", "不撤回", "修改", "没问题，提交", "新投诉", "你好", "谢谢", "算了", "都不是",
        "充电器起火，人受伤了", "我要找记者曝光", "TR25-00001-4", "1", "5", "可以", "不行",
    ])),
    st.tuples(st.just("say"), st.text(max_size=40)),
    st.tuples(st.just("say"), st.sampled_from([
        "/start", "/help", "/human", "/status", "/new", "/back", "/skip", "/cancel", "/edit", "/nonsense", "/start staff-x",
    ])),
    st.tuples(st.just("press"), st.sampled_from(PRESSES)),
    st.tuples(st.just("old"), st.sampled_from(PRESSES)),
    st.tuples(st.just("raw"), st.sampled_from(["", "x", "q", "q.0.0", "m.0.0.new", "m.0.0.status", "m.0.0.human", "c.1.1.x", "v.3.1.a.5", "s.3.1.claim"])),
    st.tuples(st.just("file"), st.sampled_from(["", "a1", "灯裂了"])),
    st.tuples(st.just("edit"), st.sampled_from(["1", "2", "9"])),
    st.tuples(st.just("kind"), st.sampled_from(["blocked", "unblocked", "unknown"])),
    st.tuples(st.just("time"), st.integers(1, 3)),
)  # fmt: skip


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(inputs=[("say", BEGINNINGS[0]), ("kind", "blocked"), ("time", 1), ("time", 3), ("say", BEGINNINGS[0])])
@given(inputs=st.lists(INPUTS, max_size=14))
def test_no_sequence_of_inputs_raises_or_leaves_somebody_without_an_answer_or_a_question(book, inputs):
    desk = Form(RULES[0])
    for what, detail in inputs:
        desk.now += timedelta(seconds=30)
        if what == "time":
            for _ in range(detail):
                desk.fire()
        elif what == "kind":
            desk.hear(kind=detail)
        elif what == "edit":
            desk.hear("改过的话", kind="edit", ref=detail)
        else:
            if what == "say":
                turn = desk.hear(detail)
            elif what == "press":
                turn = desk.press(detail)
            elif what == "old":
                turn = desk.hear(press=f"q.0.{base36(max(desk.conversation.turn - 1, 0))}.{detail}")
            elif what == "raw":
                turn = desk.hear(press=detail) if detail else desk.hear("")
            else:
                turn = desk.hear(
                    detail if detail != "a1" else "", files=(FILE,), album=detail if detail == "a1" else ""
                )
            said = [letter for letter in desk.letters if isinstance(letter.body, OutgoingMessage)]
            answered = [letter for letter in said if letter.address == CUSTOMER]
            if what in ("say", "file"):
                assert answered or detail == "a1", f"{detail!r} was not answered"
            else:
                assert answered or turn.press_answer is not None
            assert len(answered) <= 1, "one message for one message"
            assert all(letter.body.text.strip() for letter in answered)
            assert all(
                len(choice.token.encode()) <= 64 and choice.label.strip()
                for letter in said
                for row in letter.body.choices
                for choice in row
            )
        _in_order(desk)


def _in_order(desk):
    conversation = desk.conversation
    assert conversation.state in STATES
    if conversation.state in intake.FORM_STATES or conversation.state in ("replying", "explaining"):
        assert desk.case is not None, "a question without a case"
        assert desk.case.open
    for case in desk.scene.cases.values():
        if case.open and case.facts.resolved_at is None:
            assert any(run.running for run in case.facts.clocks.values()), f"nothing runs for {case.state}"
            if not case.facts.complete and case.state == "received":
                assert (f"case:{case.id}", "abandon") in desk.timers, "nobody would ever finish this form"
        if not case.open:
            assert not any(
                subject == f"case:{case.id}" and name not in ("archive", "kept") for subject, name in desk.timers
            )
