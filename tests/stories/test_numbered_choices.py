"""Where there are no buttons choices have numbers, and a number never means two things."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from complaints.case import Case
from complaints.conversation import Conversation
from complaints.messages import Choice, OutgoingMessage
from complaints.tokens import Token
from handlers import choices
from nlp.answers import choose


class Reader:
    choose = staticmethod(choose)


READER = Reader()


def stands_for(*cases: Case):
    known = {case.id: case for case in cases}
    return lambda token: (
        token.stamp == (known[token.case_id].round if token.scope == "c" else known[token.case_id].cycle)
    )


def question(conversation: Conversation, *labels: str, values: str = "o") -> list[list[Choice]]:
    return [
        [Choice(label=label, token=str(Token(scope="q", value=f"{values}{n}", stamp=conversation.turn)))]
        for n, label in enumerate(labels)
    ]


def aside(conversation: Conversation, *values: str) -> list[list[Choice]]:
    return [
        [Choice(label=f"◀ {value}", token=str(Token(scope="q", value=value, stamp=conversation.turn)))]
        for value in values
    ]


def proposal(case: Case, *labels: str) -> list[list[Choice]]:
    return [
        [Choice(label=label, token=str(Token(scope="c", case_id=case.id, stamp=case.round, value=f"move{n}")))]
        for n, label in enumerate(labels)
    ]


@pytest.fixture
def conversation() -> Conversation:
    return Conversation(id=1, channel="wechat", state="idle")


@pytest.fixture
def case() -> Case:
    from datetime import UTC, datetime

    return Case(id=7, number="C-1", conversation_id=1, customer_id=1, policy="p", channel="wechat",
                opened_at=datetime(2025, 3, 3, tzinfo=UTC), state="open")  # fmt: skip


def numbers(rows) -> list[int]:
    return [choice.number for row in rows for choice in row]


def said(conversation: Conversation, text: str, *cases: Case) -> str:
    return choices.typed(conversation, text, stands_for(*cases), READER)


def test_choices_are_numbered_from_one_and_words_for_the_way_back_have_no_number(conversation):
    conversation.make("ask_field")
    rows, words = choices.number(
        conversation, [*question(conversation, "退款", "换货"), *aside(conversation, "back", "skip")], stands_for()
    )
    assert numbers(rows) == [1, 2, 0, 0]
    assert words == ["back", "skip"]


@pytest.mark.parametrize("typed", ["2", "２", "第二个", "换货", "选2", " 2 "])
def test_a_number_an_ordinal_and_the_label_mean_the_choice(conversation, typed):
    conversation.make("ask_field")
    rows, _ = choices.number(conversation, question(conversation, "退款", "换货"), stands_for())
    assert said(conversation, typed) == rows[1][0].token


def test_a_number_answers_a_question_without_choices_and_presses_nothing(conversation, case):
    choices.number(conversation, proposal(case, "接受", "不接受"), stands_for(case))
    assert said(conversation, "1", case)
    conversation.make("ask_field")
    choices.number(conversation, aside(conversation, "back", "skip"), stands_for(case))
    assert said(conversation, "1", case) == ""
    assert said(conversation, "skip", case) != ""


def test_a_choice_that_still_holds_keeps_its_number_beside_a_new_question(conversation, case):
    first, _ = choices.number(conversation, proposal(case, "接受", "不接受"), stands_for(case))
    conversation.make("ask_which")
    second, _ = choices.number(conversation, question(conversation, "投诉甲", "新的投诉", values="w"), stands_for(case))
    assert numbers(second) == [3, 4]
    assert said(conversation, "1", case) == first[0][0].token
    assert said(conversation, "4", case) == second[1][0].token


def test_numbers_of_a_question_that_is_over_mean_nothing(conversation):
    conversation.make("ask_field")
    choices.number(conversation, question(conversation, "退款", "换货"), stands_for())
    conversation.make("rest")
    assert said(conversation, "1") == ""


def test_a_proposal_that_was_refused_cannot_be_accepted_by_its_number(conversation, case):
    choices.number(conversation, proposal(case, "接受", "不接受"), stands_for(case))
    case.facts.rejections += 1
    assert said(conversation, "1", case) == ""


def test_scores_are_typed_as_they_stand(conversation, case):
    conversation.make("ask_score")
    rows = [
        [
            Choice(label=str(n), token=str(Token(scope="v", case_id=7, stamp=1, value="q", detail=str(n))))
            for n in range(1, 6)
        ]
    ]
    rows, _ = choices.number(conversation, rows, stands_for(case))
    assert numbers(rows) == [1, 2, 3, 4, 5]
    assert said(conversation, "4", case) == rows[0][3].token
    assert (
        OutgoingMessage(text="几分？", choices=tuple(map(tuple, rows)), hint="（回复数字）").plain
        == "几分？\n（回复数字）"
    )


@given(
    st.lists(st.lists(st.sampled_from("甲乙丙丁戊己庚"), min_size=1, max_size=5, unique=True), min_size=1, max_size=6)
)
def test_however_many_messages_come_one_number_means_one_choice(messages):
    conversation = Conversation(id=1, channel="wechat", state="idle")
    from datetime import UTC, datetime

    known = {
        n: Case(id=n, number=f"C-{n}", conversation_id=1, customer_id=1, policy="p", channel="wechat",
                opened_at=datetime(2025, 3, 3, tzinfo=UTC), state="open")
        for n in range(1, len(messages) + 1)
    }  # fmt: skip
    meant: dict[int, str] = {}
    for case, labels in zip(known.values(), messages, strict=True):
        rows, _ = choices.number(conversation, proposal(case, *labels), stands_for(*known.values()))
        for row in rows:
            for choice in row:
                assert choice.number not in meant
                meant[choice.number] = choice.token
    for number, token in meant.items():
        assert choices.typed(conversation, str(number), stands_for(*known.values()), READER) == token
