"""What the company decides is written down, told with the way to go on, and kept before a case is done."""

import pytest

from complaints.commands import Act
from complaints.errors import BadInput, NotAllowed
from handlers import routing
from handlers.turn import Batch, Turn
from storage import Want

RECOURSE = "如果您不认可"


async def proposed(town, words, zhou=None):
    zhou = zhou or await town.agent("周敏", "reception", "logistics")
    wang = await town.customer()
    await wang.file()
    number = town.case().number
    await zhou.all(number, f"!{number}", "!我来处理")
    await wang.heard()
    told = await zhou.all("!提出方案", words)
    return zhou, wang, told


def act(town, member, what, **values):
    """Let somebody act as the command line does."""
    case = town.case()
    with town.store.unit(town.clock()) as unit:
        scene = unit.load([Want(case_id=case.id)])
        batch = Batch()
        turn = Turn(town.service.book, scene, unit.ledger, batch, town.clock())
        routing.serve(Act(staff_id=member.id, case_id=case.id, act=what, values=values), turn)
        unit.flush(batch.changes, sends=False)


def remedies(town):
    decision = town.case().facts.decision
    return [(each.kind, None if each.amount is None else str(each.amount)) for each in decision.remedies]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("给您退款1800元，并向您道歉", [("refund", "1800.00"), ("apology", None)]),
        ("免费换货", [("replacement", None)]),
        ("这批货我们补发，另外赔偿500元", [("resend", None), ("compensation", "500.00")]),
        ("退款1800元，再补偿200元", [("refund", "1800.00"), ("compensation", "200.00")]),
        ("We will refund 20 dollars", [("refund", None)]),
    ],
)
async def test_what_is_promised_is_read_from_the_agents_words_and_shown_to_them(shaped, words, expected):
    town = await shaped()
    _, _, told = await proposed(town, words)
    assert remedies(town) == expected
    assert town.case().facts.decision.result == "upheld"
    assert "已记下：投诉成立" in told
    assert "请按“更正结论”" in told
    assert "更正结论" in told.labels, "the button that the sentence speaks of is there on a full card, too"
    [event] = town.events("decided")
    assert event.facts["remedies"] == [kind for kind, _ in expected]
    assert event.words == {"reason": words}


async def test_the_customer_is_told_where_to_turn_in_the_same_message_and_once(shaped):
    town = await shaped()
    zhou, wang, _ = await proposed(town, "退款100元")
    heard = await wang.heard()
    assert heard.many == 1
    assert "退款100元" in heard
    assert RECOURSE in heard
    assert "400-000-0003" in heard
    assert len(heard.labels) == 2
    assert RECOURSE not in await wang.press(heard.labels[0])
    await zhou.heard()
    await zhou.all("!已办完", "钱已经退了")
    assert RECOURSE not in await wang.heard()


async def test_words_that_promise_nothing_leave_the_result_open_until_somebody_says_it(shaped):
    town = await shaped()
    zhou, _, told = await proposed(town, "这是正常现象，请放心")
    assert town.case().facts.decision.result is None
    assert "结论还没写明" in told
    await zhou.all("!更多…", "!更正结论", "!不成立", "检查过了，没有问题，不予退款")
    assert town.case().facts.decision.result == "not_upheld"
    assert remedies(town) == []
    assert len(town.events("decided")) == 2, "the journal keeps both"


async def test_by_name_goes_before_what_is_read(shaped):
    town = await shaped()
    zhou, _, _ = await proposed(town, "先给您维修")
    await zhou.all("!更多…", "!更正结论", "!部分成立", "退款一半")
    act(town, zhou.member, "decide", detail="upheld", text="退款", remedy="refund:1800.50 apology", amount="")
    assert remedies(town) == [("refund", "1800.50"), ("apology", None)]
    act(town, zhou.member, "decide", detail="upheld", text="退款", remedy="refund,apology", amount="99")
    assert remedies(town) == [("refund", "99"), ("apology", None)]


@pytest.mark.parametrize(
    ("values", "key"),
    [
        ({"remedy": "gold"}, "error.choice"),
        ({"remedy": "refund", "amount": "-5"}, "error.amount"),
        ({"remedy": "refund", "amount": "NaN"}, "error.amount"),
        ({"remedy": "refund", "amount": "1e9"}, "error.amount"),
        ({"remedy": "refund:abc"}, "error.amount"),
        ({"remedy": "refund,compensation", "amount": "5"}, "error.amount_of"),
        ({"amount": "5"}, "error.amount_of"),
        ({"result": "maybe"}, "error.choice"),
    ],
)
async def test_what_cannot_be_meant_is_refused_and_leaves_nothing_changed(shaped, values, key):
    town = await shaped()
    zhou = await town.agent("周敏", "reception", "logistics")
    wang = await town.customer()
    await wang.file()
    number = town.case().number
    await zhou.all(number, f"!{number}", "!我来处理")
    before = town.case()
    with pytest.raises(BadInput) as refusal:
        act(town, zhou.member, "propose", text="您好", **values)
    assert refusal.value.key == key
    after = town.case()
    assert (after.state, after.seq, after.facts.decision) == (before.state, before.seq, None)


async def test_nothing_is_done_before_what_was_promised_was_given(shaped):
    town = await shaped(moves={"done": {"fulfils": False}})
    zhou, wang, _ = await proposed(town, "退款1800元，并道歉")
    heard = await wang.heard()
    await wang.press(heard.labels[0])
    await zhou.heard()
    refused = await zhou.all("!已办完", "好了")
    assert "还没" in refused
    assert town.case().state == "executing"
    assert town.case().words.result == ""
    number = town.case().number
    await zhou.all(number, f"!{number}", "!已兑现", "!退款")
    assert [each.kind for each in town.case().facts.decision.owed] == ["apology"]
    with pytest.raises(NotAllowed):
        act(town, zhou.member, "done", text="好了")
    act(town, zhou.member, "remedied", detail="apology")
    act(town, zhou.member, "done", text="好了")
    assert town.case().state == "completed"
    assert [event.facts["remedies"] for event in town.events("remedied")] == [["refund"], ["apology"]]


async def test_a_move_that_fulfils_gives_all_of_it(shaped):
    town = await shaped()
    zhou, wang, _ = await proposed(town, "退款1800元，并道歉")
    await wang.press((await wang.heard()).labels[0])
    await zhou.heard()
    assert "这些都已兑现：退款、道歉" in await zhou.press("已办完")
    await zhou.say("钱退了，也道歉了")
    case = town.case()
    assert case.state == "completed"
    assert case.facts.decision.owed == []
    assert [event.facts["remedies"] for event in town.events("remedied")] == [["refund", "apology"]]


async def test_what_a_customer_refuses_is_not_owed_and_a_new_proposal_takes_its_place(shaped):
    town = await shaped()
    zhou, wang, _ = await proposed(town, "打折50元")
    await wang.all(f"!{(await wang.heard()).labels[1]}", "太少了")
    assert town.case().facts.decision is None
    await zhou.heard()
    number = town.case().number
    await zhou.all(number, f"!{number}", "!提出方案", "退款200元")
    assert remedies(town) == [("refund", "200.00")]
    assert [event.facts["remedies"] for event in town.events("decided")] == [["discount"], ["refund"]]


async def test_after_the_last_refusal_the_customer_is_not_asked_again_and_a_person_decides(shaped):
    town = await shaped(acceptance={"most": 1})
    boss = await town.agent("李总", "leading_group")
    zhou, wang, _ = await proposed(town, "打折50元")
    await wang.all(f"!{(await wang.heard()).labels[1]}", "太少了")
    await zhou.heard()
    number = town.case().number
    await zhou.all(number, f"!{number}", "!提出方案", "退款100元")
    heard = await wang.heard()
    assert "退款100元" in heard
    assert "由负责人来定" in heard
    assert heard.labels == []
    await wang.say("不行")
    assert town.case().state == "proposed"
    with pytest.raises(NotAllowed):
        act(town, zhou.member, "customer_accepts")
    shown = await boss.all(number, f"!{number}")
    assert "裁定：同意这个方案" in shown.labels
    await boss.press("裁定：同意这个方案")
    assert town.case().state == "executing"
    assert town.events("accepted")[0].actor == f"staff:{boss.member.id}"


async def test_without_a_cap_the_customer_may_refuse_as_often_as_they_like(shaped):
    town = await shaped()
    zhou, wang, _ = await proposed(town, "打折1元")
    number = town.case().number
    for count in range(1, 5):
        await wang.all(f"!{(await wang.heard()).labels[1]}", "不要")
        assert town.case().facts.rejections == count
        await zhou.heard()
        await zhou.all(number, f"!{number}", "!提出方案", f"打折{count + 1}元")
    assert len((await wang.heard()).labels) == 2


async def test_a_decision_that_others_agree_to_is_put_to_them_again_and_not_corrected_behind_their_back(shaped):
    town = await shaped(approvals={"solution": {"on": "propose", "when": {}}})
    zhou, _, told = await proposed(town, "退款10元")
    assert "更正结论" not in told
    with pytest.raises(NotAllowed):
        act(town, zhou.member, "decide", detail="upheld", text="退款", remedy="refund:99999")


async def test_who_names_what_was_given_does_not_say_that_the_rest_was(shaped):
    town = await shaped()
    zhou, wang, _ = await proposed(town, "退款1800元，并道歉")
    await wang.press((await wang.heard()).labels[0])
    with pytest.raises(NotAllowed) as refusal:
        act(town, zhou.member, "done", text="道歉信寄了，退款没办", remedy="apology")
    assert refusal.value.key == "error.remedy_open"
    assert town.case().state == "executing"
    act(town, zhou.member, "remedied", detail="refund")
    act(town, zhou.member, "done", text="道歉信寄了", remedy="apology")
    assert town.case().state == "completed"
    assert town.case().facts.decision.owed == []


async def test_a_complaint_that_was_taken_back_is_decided_as_such_and_nothing_is_owed(shaped):
    town = await shaped()
    _, wang, _ = await proposed(town, "退款1800元")
    await wang.heard()
    await wang.say("/cancel")
    assert RECOURSE not in await wang.press("确定撤回")
    decision = town.case().facts.decision
    assert (decision.result, decision.owed) == ("withdrawn", [])
