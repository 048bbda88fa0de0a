"""Agents work in the messenger: one wins a claim, rights are kept, and a room never learns who complained."""

import asyncio
import re

import pytest

from complaints import numbers
from complaints.ports import Changes


async def _shown(agent, number):
    """Open a case in an agent's own chat."""
    await agent.say(number)
    return await agent.press(number)


async def test_a_code_binds_one_chat_once(town):
    _, code = await town.code("周敏", "reception")
    zhou, stranger = await town.customer("周敏"), await town.customer("路人")
    bound = await zhou.say(f"/start staff-{code}")
    assert "周敏" in bound
    heard = await stranger.say(f"/start staff-{code}")
    assert "自己的话" in heard, "the code is used up: a stranger is a customer"
    assert "帮助" in heard.labels
    with town.store.read() as ledger:
        [kept] = ledger.staff()
    assert kept.chat == str(zhou.phone.id)
    assert kept.code_hash == ""


async def test_a_code_is_worth_nothing_after_its_time(town):
    _, code = await town.code("周敏", "reception", hours=48)
    zhou = await town.customer("周敏")
    await town.until("2025-03-05 10:16")
    assert "自己的话" in await zhou.say(f"/start staff-{code}")
    with town.store.read() as ledger:
        assert ledger.staff()[0].conversation_id is None


async def test_a_wrong_code_says_nothing_about_codes(town):
    await town.code("周敏", "reception")
    heard = await (await town.customer()).say("/start staff-abcdefgh")
    assert "自己的话" in heard
    assert "staff" not in heard


async def test_a_fresh_code_moves_an_agent_to_another_phone(town):
    zhou = await town.agent("周敏", "reception", "logistics", "sales")
    wang = await town.customer()
    await wang.file()
    assert town.case().number in await zhou.heard()
    with town.store.unit(town.clock()) as unit:
        member = unit.load([]).staff[zhou.member.id]
        import hashlib
        from datetime import timedelta

        member.code_hash = hashlib.sha256(b"fresh").hexdigest()
        member.code_until = town.clock() + timedelta(hours=1)
        unit.flush(Changes(staff=[member]))
    phone = await town.customer("周敏的新手机")
    assert "周敏" in await phone.say("/start staff-fresh")
    await wang.say("/new")
    await wang.file("客服态度恶劣，还骂人")
    assert town.case().number in await phone.heard()
    assert not await zhou.heard()


async def test_two_accounts_in_one_chat_are_one_person(town):
    first = await town.agent("周敏", "reception")
    _, code = await town.code("周敏（二）", "management")
    heard = await first.say(f"/start staff-{code}")
    assert "算同一个人" in heard
    with town.store.read() as ledger:
        assert {each.who for each in ledger.staff()} == {f"staff:{first.member.id}"}


@pytest.mark.parametrize("given", [("E-1", ""), ("", "E-1")])
async def test_a_staff_number_counts_for_every_account_in_the_chat(town, given):
    first = await town.agent("周敏", "reception")
    second, code = await town.code("周敏（二）", "management")
    numbered(town, {first.member.id: given[0], second.id: given[1]})
    await first.say(f"/start staff-{code}")
    with town.store.read() as ledger:
        assert {each.who for each in ledger.staff()} == {"E-1"}


async def test_a_chat_of_somebody_with_another_staff_number_is_not_bound(town):
    first = await town.agent("周敏", "reception")
    second, code = await town.code("何主管", "management")
    numbered(town, {first.member.id: "E-1", second.id: "E-2"})
    assert "工号" in await first.say(f"/start staff-{code}")
    with town.store.read() as ledger:
        kept = {each.id: each for each in ledger.staff()}
    assert (kept[second.id].chat, kept[second.id].who, kept[first.member.id].who) == ("", "E-2", "E-1")
    assert kept[second.id].code_hash, "the code still binds another chat"


def numbered(town, numbers):
    """Give members of the staff their numbers."""
    with town.store.unit(town.clock()) as unit:
        staff = unit.load([]).staff
        for id_, number in numbers.items():
            staff[id_].person = number
        unit.flush(Changes(staff=[staff[id_] for id_ in numbers]))


async def test_many_press_claim_at_once_and_exactly_one_wins(town):
    agents = [await town.agent(f"客服{number}", "reception") for number in range(6)]
    wang = await town.customer()
    await wang.file()
    number = town.case().number
    rooms = [town.in_room(agent) for agent in agents]
    card = next(each for each in (await rooms[0].phone.transcript()).messages if "我来处理" in str(each.buttons))
    claim = card.buttons[0].data
    queries = await asyncio.gather(*(room.phone.press(claim, message=card.id) for room in rooms))
    await town.settle()
    said = {answer.query_id: answer.text for answer in (await rooms[0].phone.transcript()).answers}
    owner = next(agent for agent in agents if agent.member.id == town.case().owner_id)
    told = [said[query] for query in queries]
    assert told.count(f"{number} 已由{owner.name}负责。") == 5
    assert told[agents.index(owner)] == "好了。"
    assert len(town.events("claimed")) == 1
    [card] = [each for each in (await rooms[0].phone.transcript()).messages if each.id == card.id]
    assert card.buttons == (), "nobody is invited to press in vain"
    again = await town.in_room(owner).press(claim, message=card.id)
    assert again.toast == f"{number} 已经由您负责。"


async def test_the_room_sees_no_name_no_contact_and_masked_words(town):
    await town.agent("周敏", "reception", "qc")
    wang = await town.customer()
    await wang.file("我叫王岚，电话13812345678，邮箱wang@example.com，订单PO-88213的灯用两天就坏了，质量太差")
    room = await town.room.everything()
    for secret in ("王岚", "13812345678", "wang@example.com", "+8613812345678"):
        assert secret not in room.replace("王岚:", "")
    assert "用两天就坏了" in room, "what it is about stays readable"


async def test_personal_data_is_pushed_starred_and_stands_whole_once_somebody_opens_the_case(town):
    zhou = await town.agent("周敏", "reception", "qc")
    wang = await town.customer()
    await wang.file("我叫王岚，电话13812345678，邮箱wang@example.com，订单PO-88213的灯用两天就坏了，质量太差")
    pushed = await zhou.heard()
    for secret in ("王岚", "13812345678", "wang@example.com"):
        assert secret not in pushed
    assert "PO-88213的灯用两天就坏了" in pushed, "what it is about stays readable"
    assert town.events("viewed") == []
    opened = await zhou.press("打开投诉")
    assert "联系方式：wang@example.com" in opened
    assert "我叫王岚" in opened
    [viewed] = town.events("viewed")
    assert viewed.actor == f"staff:{zhou.member.id}"


async def test_what_is_pushed_later_is_starred_too_and_so_is_what_the_customer_writes(town):
    zhou = await town.agent("周敏", "reception", "logistics")
    wang = await town.customer()
    await wang.file()
    number = town.case().number
    await zhou.all(number, f"!{number}", "!我来处理", "!提出方案", "补发")
    await zhou.heard()
    heard = await wang.heard()
    await wang.all(f"!{heard.labels[1]}", "不行，打13911112222找我妻子")
    pushed = await zhou.heard()
    assert "13911112222" not in pushed
    assert "找我妻子" in pushed


async def test_before_consent_nobody_reads_the_words(town):
    zhou = await town.agent("周敏", "reception")
    wang = await town.customer()
    await wang.say("充电器起火了，我叫王岚，电话13812345678")
    for chat in (await town.room.heard(), await zhou.heard()):
        assert "人身安全" in chat
        assert "起火" not in chat
        assert "13812345678" not in chat
    await wang.press("同意")
    assert "起火" in await _shown(zhou, town.case().number)


async def test_a_person_without_rights_is_refused_politely(town):
    await town.agent("周敏", "reception")
    clerk = await town.agent("小李")
    wang = await town.customer()
    await wang.file()
    number = town.case().number
    heard = await town.in_room(clerk).press("我来处理")
    assert "不能" in heard.toast or "没有" in heard.toast
    assert town.case().owner_id is None
    heard = await clerk.say(number)
    assert "没有这个权限" in heard
    assert heard.labels == []
    card = (await clerk.phone.transcript()).messages[-1]
    forged = await clerk.press(f"s.{_base36(town.case().id)}.1.show", message=card.id)
    assert "没有这个权限" in forged.toast
    assert "马德里" not in forged


async def test_a_reader_sees_and_does_nothing(town):
    boss = await town.agent("监督", "supervision")
    wang = await town.customer()
    await wang.file()
    seen = await _shown(boss, town.case().number)
    assert "马德里" in seen
    assert "我来处理" not in seen.labels
    forged = await boss.press(f"s.{_base36(town.case().id)}.1.claim", message=seen.messages[-1].id)
    assert "不能这样操作" in forged.toast
    assert town.case().owner_id is None


def _base36(number):
    digits = "0123456789abcdefghijklmnopqrstuvwxyz"
    text = ""
    while number:
        number, digit = divmod(number, 36)
        text = digits[digit] + text
    return text


async def test_forged_buttons_of_another_customers_case_are_refused(town):
    wang, thief = await town.customer("王岚"), await town.customer("小偷")
    zhou = await town.agent("周敏", "reception")
    await wang.file()
    number = town.case().number
    await zhou.all(number, f"!{number}", "!我来处理", "!提出方案", "免费补发")
    own = (await thief.say("/help")).messages[-1]
    case = town.case()
    for data in (
        f"c.{_base36(case.id)}.{_base36(case.cycle * 100)}.customer_accepts",
        f"c.{_base36(case.id)}.{_base36(case.cycle * 100)}.withdraw",
        f"v.{_base36(case.id)}.1.handling.1",
        f"s.{_base36(case.id)}.1.claim",
        f"s.{_base36(case.id)}.1.show",
        f"s.{_base36(case.id)}.1.files",
        "q.0.0.submit",
        "s.zzzzzzzzzzzzzzzzzzzz.1.show",
        "c...",
        "…" * 20,
        "x" * 64,
    ):
        heard = await thief.press(data, message=own.id)
        assert "已经过去" in heard.toast, data
        assert number not in heard
        assert "马德里" not in heard
    assert town.case().state == "proposed"


async def test_a_stranger_who_presses_in_the_room_is_told_why_not(town):
    stranger = await town.customer("路人")
    await town.group.add_member(stranger.phone)
    wang = await town.customer()
    await wang.file()
    here = type(stranger)(town, stranger.phone.in_group(town.group))
    heard = await here.press("我来处理")
    assert "只有工作人员" in heard.toast
    assert town.case().owner_id is None


async def test_somebody_who_left_sees_and_does_nothing_any_more(town):
    from complaints.ports import Changes

    zhou = await town.agent("周敏", "reception")
    wang = await town.customer()
    await wang.file()
    number = town.case().number
    card = (await _shown(zhou, number)).messages[-1]
    with town.store.unit(town.clock()) as unit:
        member = unit.load([]).staff[zhou.member.id]
        member.active = False
        unit.flush(Changes(staff=[member]))
    await zhou.press("我来处理", message=card)
    assert town.case().owner_id is None
    heard = await zhou.say(number)
    assert "马德里" not in heard
    room = await town.in_room(zhou).press("我来处理")
    assert "只有工作人员" in room.toast


async def test_an_agent_corrects_the_type_and_the_journal_keeps_both(town):
    zhou = await town.agent("周敏", "reception")
    qc = await town.agent("质检", "qc", "reception")
    wang = await town.customer()
    await wang.file()
    await qc.heard()
    await _shown(zhou, town.case().number)
    asked = await zhou.all("!更多…", "!改类型")
    assert "产品质量问题" in asked.labels
    assert "物流延误问题" not in asked.labels
    await zhou.press("产品质量问题")
    case = town.case()
    assert (case.type, case.department) == ("product_quality", "qc")
    event = town.events("typed")[-1]
    assert event.actor == f"staff:{zhou.member.id}"
    assert (event.facts["before"], event.facts["type"]) == ("logistics_delay", "product_quality")
    assert event.facts["scores"]
    assert "产品质量问题" in await wang.say("/status")


async def test_notes_are_never_shown_to_the_customer_and_replies_are(town):
    zhou = await town.agent("周敏", "reception")
    wang = await town.customer()
    await wang.file()
    await _shown(zhou, town.case().number)
    await zhou.all("!备注", "这位客户上个月也投诉过")
    await zhou.all("!我来处理", "!回复客户", "您好，正在查")
    everything = await wang.everything()
    assert "上个月也投诉过" not in everything
    assert "您好，正在查" in everything
    assert [event.words["text"] for event in town.events("noted")] == ["这位客户上个月也投诉过"]
    assert [event.words["text"] for event in town.events("replied")] == ["您好，正在查"]


async def test_an_agent_may_change_their_mind_while_writing(town):
    zhou = await town.agent("周敏", "reception")
    wang = await town.customer()
    await wang.file()
    await wang.heard()
    await _shown(zhou, town.case().number)
    await zhou.all("!我来处理", "!回复客户")
    assert "什么也没有发出" in await zhou.say("/cancel")
    await zhou.say("这不是给客户的")
    assert "这不是给客户的" not in await wang.everything()


async def test_a_released_case_is_offered_again(town):
    zhou, qian = await town.agent("周敏", "reception"), await town.agent("钱进", "reception")
    wang = await town.customer()
    await wang.file()
    await _shown(zhou, town.case().number)
    await zhou.press("我来处理")
    await town.room.heard()
    await zhou.all("!更多…", "!放回")
    assert "谁来接" in await town.room.heard()
    assert town.case().owner_id is None
    await town.in_room(qian).press("我来处理")
    assert town.case().owner_id == qian.member.id


async def test_only_the_owner_speaks_for_a_case_that_is_owned(town):
    zhou, qian = await town.agent("周敏", "reception"), await town.agent("钱进", "reception")
    wang = await town.customer()
    await wang.file()
    number = town.case().number
    await _shown(zhou, number)
    await zhou.press("我来处理")
    shown = await _shown(qian, number)
    assert "回复客户" not in shown.labels
    assert "提出方案" not in shown.labels
    forged = await qian.press(f"s.{_base36(town.case().id)}.1.propose", message=shown.messages[-1].id)
    assert "不能这样操作" in forged.toast


async def test_the_list_shows_open_cases_the_nearest_deadline_first(town):
    zhou = await town.agent("周敏", "reception")
    assert "没有未结" in await zhou.say("/cases")
    wang, li = await town.customer("王岚"), await town.customer("李娜")
    await wang.file()
    await town.pass_time(minutes=20)
    await li.say("充电器起火了，孩子烫伤")
    await zhou.heard()
    listed = await zhou.say("/cases")
    one, two = town.cases()
    assert re.findall(r"TR25-\d{5}-\d", listed)[:2] == [
        case.number for case in sorted((one, two), key=lambda case: case.due_at)
    ]
    assert "输错了" in await zhou.say("TR25-99999-9"), "the check digit does not fit"
    assert "没有这个编号" in await zhou.say(numbers.make("TR", 2025, 777))
    assert "没有这个编号" not in await zhou.say("随便说说")


async def test_an_urgent_case_stands_before_all_others_in_the_list(town):
    """S3-3.1i."""
    zhou = await town.agent("周敏", "reception")
    wang, li = await town.customer("王岚"), await town.customer("李娜")
    await li.say("充电器起火了，孩子烫伤")
    urgent = town.case().number
    await _shown(zhou, urgent)
    await zhou.all("!我来处理", "!回复客户", "马上给您打电话")
    await wang.file()
    await zhou.heard()
    listed = re.findall(r"TR25-\d{5}-\d", await zhou.say("/cases"))
    first, second = town.cases()
    assert first.due_at > second.due_at
    assert listed[:2] == [urgent, second.number]


async def test_the_third_rejection_reaches_the_leading_group(town):
    zhou = await town.agent("周敏", "reception")
    boss = await town.agent("李总", "leading_group")
    wang = await town.customer()
    await wang.file()
    await _shown(zhou, town.case().number)
    await zhou.press("我来处理")
    await boss.heard()
    for attempt in (1, 2, 3):
        await zhou.all("!提出方案", f"第{attempt}个方案")
        await wang.heard()
        await wang.all("!不同意，说说原因", "不要这个")
        assert bool(await boss.heard()) is (attempt == 3)
    assert town.case().facts.rejections == 3


async def test_a_button_of_an_older_proposal_is_stale(town):
    zhou = await town.agent("周敏", "reception")
    wang = await town.customer()
    await wang.file()
    await _shown(zhou, town.case().number)
    await zhou.all("!我来处理", "!提出方案", "5%优惠券")
    first = (await wang.heard()).messages[-1]
    await wang.all("!不同意，说说原因", "不要")
    await zhou.all("!提出方案", "免费补发")
    await wang.heard()
    heard = await wang.press("同意这个方案", message=first)
    assert "已经过去" in heard.toast
    assert town.case().state == "proposed"
    await wang.press("同意这个方案")
    assert town.case().state == "executing"


async def test_a_customer_takes_a_filed_complaint_back_and_the_owner_hears(town):
    zhou = await town.agent("周敏", "reception")
    wang = await town.customer()
    await wang.file()
    await _shown(zhou, town.case().number)
    await zhou.press("我来处理")
    await zhou.heard()
    asked = await wang.say("/cancel")
    assert "确定要撤回" in asked
    assert "不撤回，继续" in asked.labels
    await wang.press("不撤回，继续")
    assert town.case().open
    await wang.say("撤诉")
    assert "已撤回" in await wang.press("确定撤回")
    assert town.case().state == "withdrawn"
    assert "撤回了" in await zhou.heard()
    assert town.timers() == []


@pytest.mark.parametrize("by", ["room", "private"])
async def test_a_claim_by_button_tells_the_customer_that_somebody_is_at_it(town, by):
    zhou = await town.agent("周敏", "reception", "logistics")
    wang = await town.customer()
    await wang.file()
    await wang.heard()
    if by == "room":
        await town.in_room(zhou).press("我来处理")
    else:
        await zhou.press("我来处理")
    heard = await wang.heard()
    assert "已经有人在调查" in heard
    assert "周敏" not in heard
