"""Work goes to whom it belongs, and nobody else reads it: departments, parts, hidden cases, hand-overs and leases."""

import pytest

from complaints.ports import Changes
from tests.stories.people import role, ruled, shift, shown, title  # noqa: F401 # a fixture

RUDE = "客服态度恶劣，还骂人"
HIDDEN = {"hidden": [{"when": {"type": "service_attitude"}, "only": ["hr"]}]}


async def test_a_case_is_seen_by_its_department_and_by_no_other(town):
    lin, qian = await town.agent("林物流", "logistics"), await town.agent("钱质检", "qc")
    wang = await town.customer()
    await wang.file()
    number = town.case().number
    assert town.case().department == "logistics"
    assert number in await lin.heard()
    assert not await qian.heard()
    assert "没有未结" in await qian.say("/cases")
    refused = await qian.say(number)
    assert "没有这个权限" in refused
    assert refused.labels == []
    assert number in await lin.say("/cases")
    assert "马德里" in await shown(lin, number)
    await lin.press("我来处理")
    assert town.case().owner_id == lin.member.id


async def test_who_has_a_part_in_a_case_sees_it_and_may_work_on_it(ruled):  # noqa: F811
    town = await ruled(routing={"routes": [{"part": "support", "to": ["qc"], "when": {"type": "logistics_delay"}}]})
    qian, sun = await town.agent("钱质检", "qc"), await town.agent("孙销售", "sales")
    await (await town.customer()).file()
    number = town.case().number
    assert number in await qian.say("/cases")
    assert "我来处理" in (await shown(qian, number)).labels
    assert "没有这个权限" in await sun.say(number)


async def test_who_has_a_member_of_a_role_has_the_role_too(ruled):  # noqa: F811
    care = role("care", "handle", members=["carriers"])
    town = await ruled(care, role("carriers", members=["drivers"]), role("drivers"),
                       routing={"routes": [{"to": "care", "when": {"type": "logistics_delay"}}]})  # fmt: skip
    driver = await town.agent("司机", "drivers")
    await (await town.customer()).file()
    assert town.case().department == "care"
    assert town.case().number in await driver.heard(), "what the department is told its members are told"
    await shown(driver, town.case().number)
    await driver.press("我来处理")
    assert town.case().owner_id == driver.member.id


@pytest.mark.parametrize("grant", ["audit", "read"])
async def test_who_may_only_read_changes_nothing(ruled, grant):  # noqa: F811
    town = await ruled(role("inspection", grant))
    inspector = await town.agent("审计", "inspection")
    await (await town.customer()).file()
    number = town.case().number
    assert number in await inspector.say("/cases")
    seen = await shown(inspector, number)
    assert "马德里" in seen
    assert seen.labels == []


async def test_who_is_told_of_a_case_that_is_not_theirs_to_see_gets_the_sentence_alone(ruled):  # noqa: F811
    told = {"on": "handed_over", "to": "sales", "say": "notice.handed_over"}
    town = await ruled(notices=(told,))
    sun = await town.agent("孙销售", "sales")
    await (await town.customer()).file()
    heard = await sun.heard()
    assert town.case().number in heard
    assert "马德里" not in heard
    assert heard.labels == []


@pytest.mark.parametrize("is_open", [True, False])
async def test_words_reach_whoever_may_not_see_the_case_only_where_the_notice_is_open(ruled, is_open):  # noqa: F811
    told = {"on": "decline", "to": "sales", "say": "notice.declined", "open": is_open}
    town = await ruled(notices=(told,))
    sun, lin = await town.agent("孙销售", "sales"), await town.agent("林物流", "logistics")
    await (await town.customer()).file()
    await shown(lin, town.case().number)
    await lin.press("更多…")
    await lin.all("!不属于我部门", "是采购下的单")
    assert ("是采购下的单" in await sun.heard()) is is_open


async def test_who_leads_may_take_any_case(town):
    boss = await town.agent("何经理", "dept_head")
    await (await town.customer()).file()
    await shown(boss, town.case().number)
    await boss.press("我来处理")
    assert town.case().owner_id == boss.member.id


@pytest.mark.parametrize(("part", "may"), [("on_site", "qc"), ("department", "logistics")])
async def test_a_move_is_made_by_the_part_or_department_that_it_names_and_by_nobody_else(ruled, part, may):  # noqa: F811
    visit = {"id": "visited", "from": "handed_over", "by": part, "button": title("到场")}
    town = await ruled(routing={"routes": [{"part": "on_site", "to": "qc"}]}, moves=(visit,))
    people = {name: await town.agent(name, name) for name in ("qc", "logistics", "reception")}
    await (await town.customer()).file()
    for name, agent in people.items():
        assert ("到场" in (await shown(agent, town.case().number)).labels) is (name == may), name
    await people[may].press("到场")
    assert town.events("did")[-1].actor == f"staff:{people[may].member.id}"


async def test_who_may_make_a_move_sees_the_case_only_while_the_move_can_be_made(ruled):  # noqa: F811
    audit = {
        "id": "audited",
        "from": ["handed_over", "investigating"],
        "by": "sales",
        "when": {"owned": True},
        "button": title("复核"),
    }
    town = await ruled(moves=(audit,))
    lin, sun = await town.agent("林物流", "logistics"), await town.agent("孙销售", "sales")
    await (await town.customer()).file()
    number = town.case().number
    assert "没有这个权限" in await sun.say(number)
    await shown(lin, number)
    await lin.press("我来处理")
    assert "复核" in (await shown(sun, number)).labels


async def test_who_has_left_hears_and_sees_nothing_and_their_case_goes_back(town):
    lin, qian = await town.agent("林物流", "logistics"), await town.agent("钱物流", "logistics")
    await (await town.customer()).file()
    await lin.heard()
    number = town.case().number
    await shown(qian, number)
    await qian.press("我来处理")
    with town.store.unit(town.clock()) as unit:
        member = unit.load([]).staff[qian.member.id]
        member.active = False
        unit.flush(Changes(staff=[member]))
    await town.pass_time(minutes=1)
    await qian.heard()
    await shown(lin, number)
    assert "我来处理" in (await shown(lin, number)).labels, "nobody waits for somebody who has left"
    await lin.press("我来处理")
    assert town.case().owner_id == lin.member.id
    assert "马德里" not in await qian.say(number)


# hidden cases, and whom a case concerns


async def test_a_hidden_case_is_seen_told_and_listed_only_where_it_may_be(ruled):  # noqa: F811
    town = await ruled(role("hr", "handle"), routing=HIDDEN)
    hr, zhou, boss = [await town.agent(name, name) for name in ("hr", "reception", "leading_group")]
    await town.room.heard()
    await (await town.customer()).file(RUDE)
    case = town.case()
    assert case.type == "service_attitude"
    assert case.number in await hr.heard()
    for other in (zhou, boss):
        assert case.number not in await other.heard()
        assert case.number not in await other.say("/cases")
        assert "没有这个权限" in await other.say(case.number)
    room = await town.room.heard()
    assert case.number not in room, "hr was told: the group need not know that there is such a case"
    assert "骂人" not in room
    assert case.number in await hr.say("/cases")
    assert "骂人" in await shown(hr, case.number)
    await hr.press("我来处理")
    assert town.case().owner_id == hr.member.id


async def test_a_hidden_case_that_nobody_can_be_told_of_is_named_in_the_group_by_its_number_alone(ruled):  # noqa: F811
    town = await ruled(role("hr", "handle"), routing=HIDDEN)
    zhou = await town.agent("周敏", "reception")
    await town.room.heard()
    await (await town.customer()).file(RUDE)
    room = await town.room.heard()
    assert f"{town.case().number}：这件投诉只有指定的人可以看" in room
    assert room.labels == []
    assert "骂人" not in await town.room.everything()
    assert town.case().number not in await zhou.heard()


async def test_a_case_that_becomes_hidden_leaves_an_owner_who_may_not_see_it(ruled):  # noqa: F811
    town = await ruled(role("hr", "handle"), routing=HIDDEN)
    hr, zhou = await town.agent("人事", "hr"), await town.agent("周敏", "reception")
    await (await town.customer()).file()
    await shown(zhou, town.case().number)
    await zhou.all("!我来处理", "!更多…", "!改类型", "!服务态度问题")
    case = town.case()
    assert case.type == "service_attitude"
    assert case.owner_id is None
    assert case.number in await hr.heard()
    assert "没有这个权限" in await zhou.say(case.number)
    await shown(hr, case.number)
    await hr.press("我来处理")
    assert town.case().owner_id == hr.member.id


async def test_somebody_is_left_whom_a_case_does_not_concern(town):
    zhou = await town.agent("周敏", "reception")
    wang = await town.customer()
    await wang.file()
    await shown(zhou, town.case().number)
    assert "没有人能处理" in (await zhou.all("!更多…", "!涉及同事", "!周敏")).toast
    assert town.case().facts.concerned == []
    await town.agent("林物流", "reception")
    await shown(zhou, town.case().number)
    await zhou.all("!更多…", "!涉及同事", "!周敏")
    assert town.case().facts.concerned == [zhou.member.id]


async def test_whom_a_case_concerns_never_sees_it_under_any_account(town):
    zhou, lin = await town.agent("周敏", "reception"), await town.agent("林物流", "logistics", "leading_group")
    second = await town.agent("林的另一账号", "reception")
    with town.store.unit(town.clock()) as unit:
        staff = unit.load([]).staff
        changed = [staff[lin.member.id], staff[second.member.id]]
        for each in changed:
            each.person = "E-1007"
        unit.flush(Changes(staff=changed))
    wang = await town.customer()
    await wang.file()
    number = town.case().number
    await shown(lin, number)
    await lin.press("我来处理")
    await shown(zhou, number)
    asked = await zhou.all("!更多…", "!涉及同事")
    assert "林物流" in asked.labels
    for each in (lin, second, zhou):
        await each.heard()
    told = await zhou.press("林物流")
    assert town.case().facts.concerned == [lin.member.id]
    assert town.case().owner_id is None, "an owner whom the case concerns loses it"
    assert town.events("concerns")[-1].facts == {"member": lin.member.id}
    assert f"{number} 需要有人接手" in told
    await wang.say("你们的人太过分了，给我一个说法")
    for each in (lin, second):
        assert number not in await each.heard()
        assert "没有这个权限" in await each.say(number)
        assert number not in await each.say("/cases")
        card = (await each.phone.transcript()).messages[-1]
        stolen = await each.press(f"s.{_base36(town.case().id)}.1.show", message=card.id)
        assert "没有这个权限" in stolen.toast
    assert "给我一个说法" not in await town.room.heard(), "they read along in the group"


def _base36(number):
    digits = "0123456789abcdefghijklmnopqrstuvwxyz"
    text = ""
    while number:
        number, digit = divmod(number, 36)
        text = digits[digit] + text
    return text


# who looked


async def test_a_look_at_a_case_is_written_down_once_for_each_member_and_day(town):
    zhou, qian = await town.agent("周敏", "reception"), await town.agent("钱进", "reception")
    await (await town.customer()).file()
    number = town.case().number

    def looks():
        return [(event.actor, event.facts["what"]) for event in town.events("viewed")]

    assert looks() == [], "what is told without being asked for is no look"
    await zhou.say(number)
    assert looks() == [], "a number is nothing personal"
    await shown(zhou, number)
    await shown(zhou, number)
    assert looks() == [(f"staff:{zhou.member.id}", "case")]
    await shown(qian, number)
    assert looks()[1:] == [(f"staff:{qian.member.id}", "case")]
    await town.until("2025-03-03 23:50")
    await shown(zhou, number)
    assert len(looks()) == 2
    await town.until("2025-03-04 00:10")
    await shown(zhou, number)
    assert len(looks()) == 3, "by the company's day"


# hand-over and lease


async def test_what_somebody_registers_for_another_department_waits_for_it(found):
    town = await found("2025-03-03 09:00", company="door_002_5")
    clerk, first = await town.agent("商务", "second_business"), await town.agent("受理", "first_handler")
    await clerk.say("登记 安装师傅把卧室门装歪了")
    case = town.case()
    assert (case.department, case.owner_id, case.facts.held_for) == ("first_handler", clerk.member.id, "first_handler")
    asked = await first.heard()
    await first.press("我来处理", message=asked.messages[-1])
    assert (town.case().owner_id, town.case().facts.held_for) == (first.member.id, "")


async def test_a_case_that_is_handed_over_stays_with_its_owner_until_somebody_there_takes_it(ruled):  # noqa: F811
    clock = {"id": "take_over", "title": title("接手"), "start": "handover_asked", "stop": "claimed",
             "who": "department", "limit": {"amount": 2, "unit": "hour", "basis": "elapsed"}}  # fmt: skip
    town = await ruled(routing={"handover": True}, clocks=(clock,))
    lin, qian = await town.agent("林物流", "logistics"), await town.agent("钱质检", "qc")
    await (await town.customer()).file()
    number = town.case().number
    await shown(lin, number)
    await lin.all("!我来处理", "?更多…", "!转给部门", "!质量控制部门")
    case = town.case()
    assert (case.department, case.owner_id, case.facts.held_for) == ("qc", lin.member.id, "qc")
    asked = await qian.heard()
    assert "林物流把" in asked
    assert "我来处理" in asked.labels
    assert town.due("take_over") == "2025-03-03 12:15"
    await lin.heard()
    await lin.say(number)
    await lin.press(number)
    await lin.all("!回复客户", "我还在跟进")
    assert town.events("replied"), "until then it is still theirs"
    await lin.heard()
    await qian.press("我来处理", message=asked.messages[-1])
    case = town.case()
    assert (case.owner_id, case.facts.held_for) == (qian.member.id, "")
    assert f"{number} 已由钱质检从您这里接手" in await lin.heard()
    assert town.events("handed_over")[-1].facts == {"from": lin.member.id, "department": "qc"}
    assert case.facts.clocks["take_over"].stopped_at is not None
    assert "没有这个权限" in await lin.say(number)


async def test_without_a_hand_over_a_change_of_department_frees_the_case(town):
    lin = await town.agent("林物流", "logistics")
    await (await town.customer()).file()
    await shown(lin, town.case().number)
    done = await lin.all("!我来处理", "?更多…", "!转给部门", "!质量控制部门")
    assert done.toast == "好了。", "that they do not see it afterwards is no mistake of theirs"
    assert town.case().owner_id is None
    assert town.case().department == "qc"


LEASE = {"lease": {"amount": 2, "unit": "hour", "basis": "elapsed"}}


async def test_an_owner_who_does_nothing_loses_the_case_and_the_department_is_told(ruled):  # noqa: F811
    called = {"id": "again", "on": "lease_ended", "to": "leading_group", "say": "notice.human_called"}
    town = await ruled(routing=LEASE, notices=(called,))
    lin, sun = await town.agent("林物流", "logistics"), await town.agent("孙物流", "logistics")
    boss = await town.agent("李总", "leading_group")
    await (await town.customer()).file()
    await shown(lin, town.case().number)
    await lin.press("我来处理")
    for each in (sun, boss):
        await each.heard()
    await town.until("2025-03-03 12:10")
    assert town.case().owner_id == lin.member.id
    await town.until("2025-03-03 12:20")
    assert town.case().owner_id is None
    assert town.events("lease_ended")[-1].facts == {"owner": lin.member.id}
    assert "林物流太久没有处理" in await sun.heard()
    assert town.case().number in await boss.heard(), "notices may wait for it"


async def test_every_act_of_the_owner_renews_the_lease_and_those_of_others_do_not(ruled):  # noqa: F811
    town = await ruled(routing=LEASE)
    lin, sun = await town.agent("林物流", "logistics"), await town.agent("孙物流", "logistics")
    await (await town.customer()).file()
    number = town.case().number
    await shown(lin, number)
    await lin.press("我来处理")
    await town.until("2025-03-03 12:00")
    await lin.all("!备注", "打电话没人接")
    await town.until("2025-03-03 13:30")
    assert town.case().owner_id == lin.member.id
    await shown(sun, number)
    await sun.all("!备注", "我看了一下")
    await town.until("2025-03-03 14:10")
    assert town.case().owner_id is None
    assert town.trays().next_timer_at is not None


async def test_nobody_loses_a_case_that_is_done_or_was_given_back(ruled):  # noqa: F811
    town = await ruled(routing=LEASE)
    lin = await town.agent("林物流", "logistics")
    wang = await town.customer()
    await wang.file()
    await shown(lin, town.case().number)
    await lin.all("!我来处理", "!更多…", "!放回")
    await town.until("2025-03-03 12:30")
    assert not town.events("lease_ended")
    await shown(lin, town.case().number)
    await lin.all("!我来处理", "!提出方案", "免费补发")
    await wang.press("同意这个方案")
    await lin.all("!已办完", "已补发")
    assert town.case().facts.resolved_at is not None
    await town.until("2025-03-03 18:00")
    assert not town.events("lease_ended")
    assert town.case().owner_id == lin.member.id


# the roster


async def test_while_somebody_is_on_call_for_a_role_only_they_are_told(town):
    lin, sun = await town.agent("林物流", "logistics"), await town.agent("孙物流", "logistics")
    shift(town, sun, "2025-03-03 09:00", "2025-03-03 12:00", "logistics")
    await (await town.customer("王岚")).file()
    assert town.case().number in await sun.heard()
    assert not await lin.heard()
    await town.until("2025-03-03 12:05")
    for each in (lin, sun):
        await each.heard()
    await (await town.customer("李娜")).file()
    for each in (lin, sun):
        assert town.case().number in await each.heard(), "nobody is on call any more: everybody is told"


async def test_who_is_away_is_told_nothing_and_others_are_instead(town):
    lin, zhou = await town.agent("林物流", "logistics"), await town.agent("周敏", "reception")
    shift(town, lin, "2025-03-03 09:00", "2025-03-04 09:00")
    await (await town.customer()).file()
    await zhou.heard()
    number = town.case().number
    await shown(zhou, number)
    await zhou.press("我来处理")
    shift(town, zhou, "2025-03-03 09:00", "2025-03-04 09:00")
    await zhou.heard()
    await town.room.heard()
    await (await town.customer("李娜")).file()
    assert not await lin.heard()
    assert not await zhou.heard()
    assert town.case().number in await town.room.heard()


async def test_reception_hears_what_is_meant_for_a_role_of_which_all_are_away(found):
    town = await found(room=False)
    lin, zhou = await town.agent("林物流", "logistics"), await town.agent("周敏", "reception")
    shift(town, lin, "2025-03-03 09:00", "2025-03-04 09:00")
    await (await town.customer()).file()
    assert not await lin.heard()
    assert town.case().number in await zhou.heard()


async def test_somebody_is_always_told_though_all_are_away_and_there_is_no_group(found):
    town = await found(room=False)
    lin, zhou = await town.agent("林物流", "logistics"), await town.agent("周敏", "reception")
    for each in (lin, zhou):
        shift(town, each, "2025-03-03 09:00", "2025-03-04 09:00")
    await (await town.customer()).file()
    assert town.case().number in await lin.heard()
    assert town.case().number in await zhou.heard()


async def test_who_alone_can_handle_a_complaint_keeps_it_though_it_names_them(found):
    town = await found("2025-03-11 09:00", company="door_002_5")
    handler = await town.agent("邓敏", "employee_handler")
    zeng = await town.customer("小曾")
    await zeng.say("我要投诉邓敏 他打击报复我 处理结果不服")
    assert town.case().facts.concerned == []
    await town.agent("何静", "hr_admin")
    await zeng.say("/new")
    await handler.heard()
    await zeng.say("邓敏又扣我绩效 处理结果不服")
    assert town.cases()[-1].facts.concerned == [handler.member.id]
    assert town.cases()[-1].number not in await handler.heard()
