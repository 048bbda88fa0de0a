"""Nobody decides beyond their authority, nobody decides about themselves, and the customer hears nothing before it."""

from datetime import timedelta

import pytest

from complaints.commands import Act
from complaints.conversation import Loan
from complaints.errors import PlaintError
from complaints.ports import Changes
from handlers import cards, routing
from handlers.turn import Batch, Turn
from policies import yaml12
from policies.checker import check
from storage import Want
from tests.conftest import Clock
from tests.core.matrix import MATRIX
from tests.stories.people import TRADE, role, title


class Refused(Exception):
    """What the desk said no with: the wording key."""


HOURS = {"unit": "hour", "basis": "elapsed"}
ROLES = ["head", "director", "deputy", "office", "legal", "local_legal", "gm"]
AMOUNT = {"id": "amount", "kind": "amount", "required": False, "slots": ["amount"], "title": title("金额"),
          "ask": title("金额是多少？"), "hint": title("写数字就行。")}  # fmt: skip
REVIEW = {"id": "review", "title": title("终审"), "on": "ask_review", "final": True,
          "matrix": [{"steps": [{"any": ["gm", "office"]}]}]}  # fmt: skip


@pytest.fixture
def town_with(found, tmp_path):
    """Return a function that founds a town whose plans are approved before the customer hears of them."""

    async def town(at="2025-03-03 09:00", **changed):
        policy = yaml12.load(TRADE.read_text("utf-8"))
        policy["routing"]["roles"] += [role(each, "read") for each in ROLES]
        policy["form"].setdefault("fields", []).append(AMOUNT)
        policy["form"]["amount"] = "amount"
        policy["taxonomy"]["flags"] += [
            {"id": "cross_border", "title": title("跨境"), "keywords": ["跨境"], "quiet": True},
            {"id": "lawsuit", "title": title("诉讼"), "keywords": ["起诉"], "quiet": True},
        ]
        policy["taxonomy"]["grades"]["risk"] = [
            {"id": "high", "title": title("高")},
            {"id": "low", "title": title("低"), "when": {"amount": {"le": 50000}, "not": {"flags": "cross_border"}}},
        ]
        policy["lifecycle"]["states"].append({"id": "approving", "title": title("方案审核中")})
        drafted = {"by": "owner", "asks": "ask.proposal", "solution": "drafted"}
        policy["lifecycle"]["moves"] += [
            {"id": "submit_plan", "from": ["investigating", "solution_drafted"], "to": "approving", **drafted,
             "button": title("提交审批")},
            {"id": "plan_granted", "from": "approving", "to": "proposed", "by": "system", "on": "plan.granted",
             "tells": "tell.proposal", "solution": "told"},
            {"id": "plan_back", "from": "approving", "to": "solution_drafted", "by": "system",
             "on": ["plan.refused", "plan.recalled"]},
            {"id": "ask_review", "from": "*", "by": "owner", "often": True, "asks": "ask.proposal",
             "button": title("申请终审")},
        ]  # fmt: skip
        withdraw = next(move for move in policy["lifecycle"]["moves"] if move["id"] == "withdraw")
        withdraw["from"] = [*withdraw["from"], "approving"]
        normal = {"urgency": "normal", "expedited": False}
        policy["clocks"] += [
            {"id": "step", "title": title("审批时限"), "start": "plan.opened", "stop": "plan.decided", "when": normal,
             "limit": {"amount": 2, **HOURS}},
            {"id": "quick_step", "title": title("加急审批时限"), "start": "plan.opened", "stop": "plan.decided",
             "when": {"any": [{"urgency": "urgent"}, {"expedited": True}]}, "limit": {"amount": 1, **HOURS}},
        ]  # fmt: skip
        policy["escalation"].append(
            {"id": "steps", "clocks": ["step", "quick_step"],
             "rungs": [{"percent": 50, "to": "approvers"}, {"percent": 100, "to": ["approvers", "management"]}]}
        )  # fmt: skip
        policy.setdefault("approvals", []).extend([{**MATRIX, **changed}, REVIEW])
        path = tmp_path / "approving.yaml"
        path.write_text(yaml12.write(policy), "utf-8")
        assert [str(problem) for problem in check([path])] == []
        founded = await found(at, company=str(path))
        founded.zhou = await founded.agent("周敏", "logistics")
        return founded

    return town


@pytest.fixture
async def town(town_with):
    return await town_with()


async def handed_in(town, words="订单YX20250118-3 物流没更新都半个月了", amount="32000", plan="重新发货"):
    """Let a customer complain about that much, and Zhou hand in a plan."""
    wang = town.wang = await town.customer()
    await wang.file(words, amount=amount)
    case = town.case()
    await town.zhou.all(case.number, f"!{case.number}", "!我来处理")
    await wang.heard()
    await submitted(town, plan)
    return wang


async def submitted(town, plan="重新发货"):
    number = town.case().number
    await town.zhou.all(number, f"!{number}")
    return await town.zhou.all("!提交审批", plan)


async def submitted_again(town):
    """Let the customer say no, and Zhou hand in another plan."""
    wang = town.wang
    await wang.all("!不同意，说说原因", "太少了")
    await submitted(town, "退一半")


def run(town, number=-1):
    return town.case().facts.approvals[number]


def chain(town, number=-1):
    return [str(step) for step in run(town, number).steps]


def signed(town):
    return [(event.facts["role"], event.facts["agrees"]) for event in town.events("approval_signed")]


def act(town, who, what, **values):
    """Let a member of the staff do something from outside a messenger; what is refused leaves nothing changed."""
    case = town.case()
    with town.store.unit(town.clock()) as unit:
        scene, batch = unit.load([Want(case_id=case.id)]), Batch()
        turn = Turn(town.service.book, scene, unit.ledger, batch, town.clock())
        try:
            routing.serve(Act(staff_id=who.member.id, case_id=case.id, act=what, values=values), turn)
        except PlaintError as error:
            assert not batch.changes.events
            raise Refused(error.key) from None
        unit.flush(batch.changes, sends=False)
    town.clock.push(seconds=1)


async def test_a_plan_goes_up_step_by_step_and_the_customer_hears_it_when_all_have_signed(town):
    he = await town.agent("何主管", "head")
    fang = await town.agent("方总监", "director")
    wang = await handed_in(town, amount="120000")
    asked = await he.heard()
    assert "请审批“方案审批”，第 1 步，共 2 步（head）。申请人：周敏" in asked
    assert "重新发货" in asked
    assert {"同意", "驳回", "加签"} <= {*asked.labels}
    assert "方案审批" not in await fang.heard()
    assert "重新发货" not in await wang.everything()
    assert (await he.press("同意")).toast == "好了。"
    assert "重新发货" in await fang.heard()
    assert "重新发货" not in await wang.everything()
    await fang.press("同意")
    assert "重新发货" in await wang.heard()
    assert town.case().state == "proposed"
    assert "“方案审批”已通过" in await town.zhou.heard()
    assert signed(town) == [("head", True), ("director", True)]
    closed = town.events("approval_closed")[0]
    assert (closed.facts["outcome"], closed.clause) == ("granted", "X-1")
    assert [event.clause for event in town.events("approval_asked")] == ["X-1", "X-1"]
    town.check()


@pytest.mark.parametrize(
    ("words", "amount", "expected"),
    [
        ("订单YX20250118-3 物流没更新都半个月了", "20000", ["head"]),
        ("订单YX20250118-3 物流没更新都半个月了", "50000", ["head"]),
        ("订单YX20250118-3 跨境物流没更新都半个月了", "50000", ["local_legal+legal", "head", "director", "office"]),
        ("订单YX20250118-3 物流没更新都半个月了", "620000", ["legal", "head", "director", "deputy"]),
        ("订单YX20250118-3 物流没更新，我要起诉", "620000", ["legal", "gm"]),
    ],
)
async def test_amount_risk_and_borders_decide_who_signs(town, words, amount, expected):
    await handed_in(town, words, amount)
    assert chain(town) == expected


async def test_two_who_sign_at_once_must_both_sign(town):
    local, he = await town.agent("Anna", "local_legal"), await town.agent("罗律师", "legal")
    head = await town.agent("何主管", "head")
    await handed_in(town, "订单YX20250118-3 跨境物流没更新都半个月了", "100")
    await he.press("同意")
    assert "请审批" not in await head.heard()
    assert town.events("clock_stopped") == [] or all(e.facts["clock"] != "step" for e in town.events("clock_stopped"))
    assert "同意" in (await local.heard()).labels
    await local.press("同意")
    assert "请审批" in await head.heard()


async def test_of_a_step_for_either_one_signature_is_enough(town):
    gm = await town.agent("高总", "gm")
    office = await town.agent("办公会", "office")
    await handed_in(town, amount="100")
    number = town.case().number
    await town.zhou.all(number, f"!{number}", "!申请终审", "对处理结论不服")
    assert "对处理结论不服" in await gm.heard()
    old = (await office.heard()).messages[-1]
    await gm.press("同意")
    assert run(town).outcome == "granted"
    assert "同意" not in (await office.heard()).labels
    assert "之前的问题" in (await office.press("同意", message=old)).toast
    assert "最终决定" in await town.zhou.all(number, f"!{number}", "!申请终审", "还是不服")
    assert len(town.case().facts.approvals) == 2


async def test_a_refusal_needs_words_and_sends_the_plan_back(town):
    head = await town.agent("何主管", "head")
    wang = await handed_in(town)
    assert "为什么驳回" in await head.press("驳回")
    await head.say("先查清楚是谁的责任")
    assert "先查清楚是谁的责任" in await town.zhou.heard()
    assert town.case().state == "solution_drafted"
    assert run(town).outcome == "refused"
    assert "责任" not in await wang.everything()
    await submitted(town, "查清了，退一半")
    assert "退一半" in await head.heard()
    await head.press("同意")
    assert town.case().state == "proposed"
    assert signed(town) == [("head", False), ("head", True)]


async def test_who_asked_may_take_it_back_and_only_they(town):
    head = await town.agent("何主管", "head")
    await handed_in(town)
    number = town.case().number
    assert "撤回审批" not in (await head.heard()).labels
    shown = await town.zhou.all(number, f"!{number}")
    assert "撤回审批" in shown.labels
    await town.zhou.press("撤回审批")
    assert run(town).outcome == "recalled"
    assert town.case().state == "solution_drafted"
    assert "不用再审了" in await head.heard()
    assert [event.actor for event in town.events("approval_closed")] == [f"staff:{town.zhou.member.id}"]


async def test_who_asked_never_signs_under_any_account(town):
    number_of = "E-17"
    with town.store.unit(town.clock()) as unit:
        member = unit.load([]).staff[town.zhou.member.id]
        member.person, member.roles = number_of, ["logistics", "head"]
        unit.flush(Changes(staff=[member]))
    second, other = await town.agent("周敏（小号）", "head"), await town.agent("何主管", "head")
    with town.store.unit(town.clock()) as unit:
        member = unit.load([]).staff[second.member.id]
        member.person = number_of
        unit.flush(Changes(staff=[member]))
    town.clock.push(seconds=5)
    await handed_in(town)
    assert "请审批" not in await second.heard()
    assert "同意" in (await other.heard()).labels
    for who in (town.zhou, second):
        with pytest.raises(Refused, match="approval_own"):
            act(town, who, "approve")
    await other.press("同意")
    assert run(town).outcome == "granted"


async def test_what_opens_as_another_approval_ends_was_asked_for_by_whoever_asked_for_that(found):
    town = await found("2025-03-03 09:00", company="crm_001")
    desk = await town.agent("前台", "frontline")
    author = await town.agent("陈处理", "complaint_handler", "ops_manager")
    owner = await town.agent("白处理", "complaint_handler")
    others = [await town.agent(each, each) for each in ("complaint_supervisor", "ops_manager", "director")]
    wang = await town.customer()
    await wang.say("你们系统又崩了，订单都提交不了")
    act(town, desk, "understand")
    act(town, desk, "retype", detail="customer_dispute")
    act(town, owner, "claim")
    with town.store.unit(town.clock()) as unit:
        case = unit.load([Want(case_id=town.case().id)]).cases[town.case().id]
        case.words.answers["amount_cny"] = "8000"
        unit.flush(Changes(cases=[case]))
    act(town, author, "propose", text="退8000元")
    for each in others:
        act(town, each, "approve")
    assert (run(town).id, run(town).outcome) == ("amount_approval", "open")
    assert run(town).asked_by == author.member.id
    assert town.case().words.plans[str(run(town).number)] == "退8000元"
    with pytest.raises(Refused, match="approval_own"):
        act(town, author, "approve")
    act(town, others[1], "approve")
    assert run(town).outcome == "granted"


async def test_nobody_signs_twice_though_they_have_two_of_the_roles(town):
    both = await town.agent("何主管", "head", "director")
    await handed_in(town, amount="120000")
    await both.heard()
    await both.press("同意")
    assert run(town).outcome == "open"
    with pytest.raises(Refused, match="approval_twice"):
        act(town, both, "approve")
    assert "没有人能以director的身份签" in await town.zhou.heard(), "and somebody is told that nobody can"
    fang = await town.agent("方总监", "director")
    act(town, fang, "approve")
    assert run(town).outcome == "granted"


async def test_nobody_approves_beyond_their_authority(town):
    gm = await town.agent("高总", "gm")
    await handed_in(town)
    with pytest.raises(Refused, match="approval_role"):
        act(town, gm, "approve")
    with pytest.raises(Refused, match="approval_role"):
        act(town, gm, "refuse", text="不行")
    assert signed(town) == []


async def test_a_button_of_a_step_that_is_over_is_stale(town):
    he, second = await town.agent("何主管", "head"), await town.agent("何副主管", "head", "director")
    await handed_in(town, amount="120000")
    old = (await second.heard()).messages[-1]
    await he.press("同意")
    await second.heard()
    assert "之前" in (await second.press("同意", message=old)).toast
    assert signed(town) == [("head", True)]


async def test_somebody_may_be_asked_to_sign_too(town):
    he, lin = await town.agent("何主管", "head"), await town.agent("林工", "qc")
    await handed_in(town)
    offered = await he.press("加签")
    assert "周敏" not in offered.labels
    await he.press("林工")
    assert "请审批" in await lin.heard()
    await he.press("同意")
    assert run(town).outcome == "open"
    await lin.press("同意")
    assert run(town).outcome == "granted"
    assert signed(town) == [("head", True), ("", True)]
    assert town.events("approval_added")[0].facts["to"] == lin.member.id


async def test_a_signature_is_handed_on_only_to_who_may_sign_in_the_same_role(town):
    he, second, lin = (
        await town.agent("何主管", "head"),
        await town.agent("何副主管", "head"),
        await town.agent("林工", "qc"),
    )
    await handed_in(town)
    offered = await he.press("转审")
    assert "何副主管" in offered.labels
    assert "林工" not in offered.labels
    await he.press("何副主管")
    with pytest.raises(Refused, match="approval_handed"):
        act(town, he, "approve")
    with pytest.raises(Refused, match="approval_role"):
        act(town, lin, "approve")
    act(town, second, "approve")
    assert run(town).outcome == "granted"
    assert town.events("approval_handed_on")[0].facts["role"] == "head"


def lend(town, lender, borrower, *roles, days=30, paper="a" * 64):
    with town.store.unit(town.clock()) as unit:
        member = unit.load([]).staff[lender.member.id]
        member.facts.loans.append(
            Loan(to=borrower.member.id, roles=[*roles], starts_at=town.clock(),
                 ends_at=town.clock() + timedelta(days=days), paper_sha256=paper)
        )  # fmt: skip
        unit.flush(Changes(staff=[member]))
    town.clock.push(seconds=5)


async def test_a_right_that_was_lent_signs_in_the_lenders_name_until_it_ends(town):
    he, lin = await town.agent("何主管", "head"), await town.agent("林工", "qc")
    lend(town, he, lin, "head", days=1)
    await handed_in(town)
    assert "请审批" in await lin.heard()
    await lin.press("同意")
    assert run(town).outcome == "granted"
    event = town.events("approval_signed")[0]
    assert (event.facts["lender"], event.facts["paper_sha256"]) == (he.member.id, "a" * 64)
    await town.pass_time(days=2)
    await submitted_again(town)
    with pytest.raises(Refused, match="approval_role"):
        act(town, lin, "approve")


async def test_a_loan_that_is_over_or_without_paper_or_too_long_signs_nothing(town):
    he = await town.agent("何主管", "head")
    borrowers = [await town.agent(name, "qc") for name in ("甲", "乙", "丙")]
    lend(town, he, borrowers[0], "head", days=1)
    lend(town, he, borrowers[1], "head", paper="")
    lend(town, he, borrowers[2], "head", days=200)
    await town.until("2025-03-05 10:00")
    await handed_in(town)
    for each in borrowers:
        assert "请审批" not in await each.heard()
        with pytest.raises(Refused, match="approval_role"):
            act(town, each, "approve")


async def test_a_loan_is_no_way_around_four_eyes(town):
    he, lin = await town.agent("何主管", "head", "director"), await town.agent("林工", "qc")
    lend(town, he, lin, "head", "director")
    lend(town, he, town.zhou, "head", "director")
    await handed_in(town, amount="120000")
    with pytest.raises(Refused, match="approval_own"):
        act(town, town.zhou, "approve")
    await he.press("同意")
    with pytest.raises(Refused, match="approval_role"):
        act(town, lin, "approve")
    assert signed(town) == [("head", True)], "the lender has signed, so nobody signs for them"


async def test_the_time_of_each_step_runs_by_itself_and_the_signers_are_warned(town):
    he = await town.agent("何主管", "head")
    fang = await town.agent("方总监", "director")
    boss = await town.agent("李总", "management")
    await handed_in(town, amount="120000")
    began = run(town).steps[0].opened_at
    assert town.due("step") == Clock.show(began + timedelta(hours=2))
    await he.heard()
    await town.pass_time(hours=1, minutes=5)
    assert "审批时限" in await he.heard()
    assert not await fang.heard()
    await town.pass_time(hours=1)
    assert "超时" in await boss.heard()
    await he.press("同意")
    assert town.events("clock_stopped")[-1].facts == {"clock": "step", "late": True}
    assert town.due("step") == Clock.show(run(town).steps[1].opened_at + timedelta(hours=2))


async def test_an_expedited_step_has_a_shorter_time(town):
    legal = await town.agent("罗律师", "legal")
    await handed_in(town, amount="6000000")
    assert town.case().facts.clocks["step"].running
    await legal.press("同意")
    assert not town.case().facts.clocks["step"].running
    assert town.due("quick_step") == Clock.show(run(town).steps[1].opened_at + timedelta(hours=1))


async def test_a_step_that_becomes_urgent_has_the_shorter_time_from_its_opening(town):
    he = await town.agent("何主管", "head")
    await town.agent("方总监", "director")
    await handed_in(town, amount="120000")
    await he.press("同意")
    opened = run(town).steps[1].opened_at
    await town.pass_time(minutes=10)
    act(town, town.zhou, "grade", detail="urgency=urgent", text="客户停产了")
    assert town.due("quick_step") == Clock.show(opened + timedelta(hours=1))
    assert not town.case().facts.clocks["step"].running


async def test_an_approval_without_a_clock_of_its_own_is_reminded_of_too(town):
    gm, boss = await town.agent("高总", "gm"), await town.agent("李总", "leading_group")
    await handed_in(town)
    act(town, town.zhou, "ask_review", text="申请终审")
    assert town.due("step_of_review") == "2025-03-04 18:00"
    assert town.due("step") < town.due("step_of_review"), "the time of each of two approvals is counted by itself"
    await gm.heard()
    await town.until("2025-03-07 09:00")
    told = [each.facts for each in town.journal() if each.facts.get("clock") == "step_of_review" and "to" in each.facts]
    assert [(each["percent"], each["to"][0]) for each in told] == [(percent, "approvers") for percent in (80, 100, 200)]
    assert {"owner", "reception"} <= {*told[1]["to"]}
    assert "leading_group" in told[2]["to"]
    assert "超时" in await gm.heard()
    assert "终审" in await boss.heard()
    act(town, gm, "approve")
    assert not town.case().facts.clocks["step_of_review"].running


async def test_a_step_whose_time_is_up_may_go_up_to_the_next_and_the_last_one_stays(town_with):
    town = await town_with(overdue="pass_up")
    he, fang = await town.agent("何主管", "head"), await town.agent("方总监", "director")
    await handed_in(town, amount="120000")
    await town.pass_time(hours=2, minutes=1)
    assert "请审批" in await fang.heard()
    assert run(town).steps[0].passed
    assert town.events("approval_passed_up")[0].facts["roles"] == ["head"]
    with pytest.raises(Refused, match="approval_role"):
        act(town, he, "approve")
    await town.pass_time(hours=3)
    assert run(town).at == 1
    act(town, fang, "approve")
    assert run(town).outcome == "granted"


async def test_the_exceptional_channel_opens_once_its_paper_is_handed_in(town):
    legal = await town.agent("罗律师", "legal")
    gm = await town.agent("高总", "gm")
    await handed_in(town, "订单YX20250118-3 物流没更新，我要起诉", "100")
    assert "请审批" not in await legal.heard()
    assert "quick_step" not in town.case().facts.clocks
    number = town.case().number
    shown = await town.zhou.all(number, f"!{number}")
    assert "提交材料" in shown.labels
    await town.zhou.all("!提交材料", "异常审批申请表 YC-2025-017")
    asked = await legal.heard()
    assert "YC-2025-017" in asked
    assert town.case().facts.clocks["quick_step"].running
    await legal.press("同意")
    await gm.press("同意")
    assert run(town).outcome == "granted"
    paper = town.events("approval_paper")[0]
    assert paper.words["text"] == "异常审批申请表 YC-2025-017"


async def test_a_threat_in_the_middle_turns_the_case_into_the_exceptional_channel(town):
    he = await town.agent("何主管", "head")
    wang = await handed_in(town, amount="120000")
    await he.heard()
    await wang.all("再不处理我就起诉你们", f"!{town.case().number} 物流延误问题")
    assert chain(town) == ["head", "legal", "gm"]
    with pytest.raises(Refused, match="approval_none"):
        act(town, he, "approve")
    assert "异常审批申请表" in await town.zhou.heard()
    assert town.events("approval_changed") or run(town).at == 1


async def test_what_was_signed_for_another_plan_does_not_count_for_a_new_one(town):
    he = await town.agent("何主管", "head")
    await handed_in(town, amount="120000")
    await he.press("同意")
    await town.zhou.press("撤回审批")
    await submitted(town, "全额退款")
    assert run(town).at == 0
    assert [each.outcome for each in town.case().facts.approvals] == ["recalled", "open"]
    assert "全额退款" in await he.heard()


async def test_a_page_that_is_opened_before_the_approval_does_not_tell_the_plan(town_with):
    town = await town_with(on="approving")
    he = await town.agent("何主管", "head")
    await handed_in(town)
    case = town.case()
    with town.store.unit(town.clock()) as unit:
        scene = unit.load([Want(case_id=case.id)])
        turn = Turn(town.service.book, scene, unit.ledger, Batch(), town.clock())
        assert cards.proposed(turn, scene.cases[case.id]) == ""
    await he.press("同意")
    with town.store.unit(town.clock()) as unit:
        scene = unit.load([Want(case_id=case.id)])
        turn = Turn(town.service.book, scene, unit.ledger, Batch(), town.clock())
        assert cards.proposed(turn, scene.cases[case.id]) == "重新发货"


async def test_with_no_step_at_all_it_is_granted_at_once(town):
    wang = await handed_in(town, amount="0")
    assert run(town).outcome == "granted"
    assert "重新发货" in await wang.heard()


async def test_where_nobody_owns_a_case_people_are_told_and_it_opens_once_the_amount_is_known(town):
    he = await town.agent("何主管", "head")
    wang = await handed_in(town, amount="跳过")
    assert run(town).steps == []
    assert run(town).outcome == "open"
    assert "没有人能审批" in await town.zhou.everything()
    assert "请审批" not in await he.heard()
    await wang.all("补充一下，订单金额是3000元", f"!{town.case().number} 物流延误问题")
    assert chain(town) == ["head"]
    assert "请审批" in await he.heard()


async def test_where_the_amount_turns_out_to_be_nothing_it_is_granted(town):
    wang = await handed_in(town, amount="跳过")
    await wang.all("补充一下，订单金额是0元", f"!{town.case().number} 物流延误问题")
    assert run(town).outcome == "granted"
    assert town.case().state == "proposed"


async def test_a_case_that_ends_has_no_open_approval(town):
    he = await town.agent("何主管", "head")
    wang = await handed_in(town)
    old = (await he.heard()).messages[-1]
    await wang.all("/cancel", "!确定撤回")
    assert not town.case().open
    assert run(town).outcome == "recalled"
    assert "之前的问题" in (await he.press("同意", message=old)).toast


async def test_an_outside_system_enters_a_decision_once(town):
    he = await town.agent("何主管", "head")
    await handed_in(town)
    act(town, he, "approve", step="1-0", text="OA-123 已批")
    assert run(town).outcome == "granted"
    assert town.events("approval_signed")[0].words["text"] == "OA-123 已批"
    with pytest.raises(Refused, match="approval_none"):
        act(town, he, "approve", step="1-0")
    assert len(town.events("approval_signed")) == 1
