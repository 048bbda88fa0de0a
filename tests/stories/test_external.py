"""A case that somebody outside passed on has a number and a deadline of theirs, and is not closed before they know."""

import pytest

from complaints.errors import BadInput, NotAllowed
from tests.stories.conftest import title
from tests.stories.test_decisions import act

OUTSIDE = {
    "kinds": [{"id": "miit", "title": title("工信部")}, {"id": "press", "title": title("媒体")}],
    "limit": {"amount": 5, "unit": "workday"},
    "to": "leading_group",
    "evidence": [title("通话录音"), title("合同")],
}


async def opened(town, words="GX-2025-118 2025-03-17 18:00", **more):
    zhou = await town.agent("周敏", "reception", "logistics")
    wang = await town.customer()
    await wang.file(**more)
    number = town.case().number
    await zhou.all(number, f"!{number}", "!我来处理")
    await zhou.all("!更多…", "!外部转来", "!工信部", words)
    return zhou, wang, number


async def test_a_case_from_outside_has_the_deadline_they_named_and_people_know_what_to_gather(shaped):
    town = await shaped(external=OUTSIDE)
    boss = await town.agent("李总", "leading_group")
    zhou, wang, number = await opened(town)
    case = town.case()
    assert town.due("external_reply") == "2025-03-17 18:00"
    assert case.words.external_number == "GX-2025-118"
    assert case.facts.external.kind == "miit"
    told = await boss.heard()
    assert "工信部" in told
    assert "通话录音，合同" in told.replace("、", "，")
    assert "3月17日" in told
    [event] = town.events("external_opened")
    assert event.words == {"number": "GX-2025-118"}
    assert "对方编号 GX-2025-118" in await zhou.all(number, f"!{number}")
    assert "GX-2025-118" not in await wang.everything(), "their number is none of the chat's"
    assert "GX-2025-118" not in await town.room.everything()


@pytest.mark.parametrize(
    ("words", "due"),
    [
        ("GX-1", "2025-03-10 18:00"),
        ("GX-1 2025-03-05", "2025-03-06 00:00"),
        ("2025-3-5 9:30 (2025)12号", "2025-03-05 09:30"),
        ("GX-2025-03-11-7", "2025-03-10 18:00"),
    ],
)
async def test_the_deadline_is_theirs_and_else_the_policys(shaped, words, due):
    town = await shaped(external=OUTSIDE)
    await opened(town, words)
    assert town.due("external_reply") == due


@pytest.mark.parametrize(
    ("values", "key"),
    [
        ({"text": "2025-03-17 18:00"}, "error.external_number"),
        ({"text": "GX-1 2025-02-30 10:00"}, "error.moment"),
        ({"text": "GX-1 2025-03-17 25:00"}, "error.moment"),
        ({"text": "GX-1 2024-03-17 10:00"}, "error.moment"),
        ({"number": "GX-1", "due": "soon"}, "error.external_number"),
        ({"text": "x" * 500}, "error.external_number"),
        ({"text": ""}, "error.text_missing"),
    ],
)
async def test_nonsense_opens_nothing(shaped, values, key):
    town = await shaped(external=OUTSIDE)
    zhou = await town.agent("周敏", "reception", "logistics")
    await (await town.customer()).file()
    with pytest.raises(BadInput) as refusal:
        act(town, zhou.member, "external", detail="miit", **values)
    assert refusal.value.key == key
    assert town.case().facts.external is None
    assert "external_reply" not in town.case().facts.clocks


async def test_the_command_line_gives_number_and_deadline_by_name(shaped):
    town = await shaped(external=OUTSIDE)
    zhou = await town.agent("周敏", "reception", "logistics")
    await (await town.customer()).file()
    act(town, zhou.member, "external", detail="press", number="R 7", due="2025-03-04 12:00")
    assert (town.case().words.external_number, town.due("external_reply")) == ("R 7", "2025-03-04 12:00")


async def test_its_clock_never_pauses_and_climbs_its_ladder(shaped):
    rungs = [
        {"clocks": ["external_reply"], "rungs": [{"percent": 100, "to": "who"}]},
        {"rungs": [{"percent": 100, "to": "owner"}]},
    ]
    town = await shaped(external=OUTSIDE, escalation=rungs)
    boss = await town.agent("李总", "leading_group")
    zhou, _, number = await opened(town, "GX-1 2025-03-05 12:00")
    await zhou.all(number, f"!{number}", "!问客户", "哪个仓库？")
    await boss.heard()
    await town.until("2025-03-05 11:59")
    assert "超时" not in await boss.heard()
    await town.until("2025-03-05 12:01")
    told = await boss.heard()
    assert f"超时 {number}" in told
    assert "工信部" in told


async def done(town, zhou, wang):
    number = town.case().number
    await zhou.all(number, f"!{number}", "!提出方案", "免费补发")
    await wang.press((await wang.heard()).labels[0])
    await zhou.all(number, f"!{number}", "!已办完", "已补发")
    assert town.case().state == "completed"


async def test_it_is_not_closed_before_the_reply_is_recorded_and_is_closed_with_it(shaped):
    town = await shaped(external=OUTSIDE, surveys=[])
    zhou, wang, _ = await opened(town)
    await done(town, zhou, wang)
    await town.until("2025-04-10 10:00")
    case = town.case()
    assert case.state == "completed", "the archive waits"
    assert case.open
    assert case.active
    assert [event.facts["move"] for event in town.events("deferred")] == ["archive"]
    act(town, zhou.member, "reply_outside", text="关于 GX-2025-118 的答复函")
    case = town.case()
    assert case.state == "closed"
    assert not case.open
    assert not case.active
    assert case.facts.clocks["external_reply"].stopped_at is not None
    assert town.events("external_replied")[0].facts["late"]


async def test_once_replied_the_case_goes_its_usual_way(shaped):
    town = await shaped(external=OUTSIDE, surveys=[])
    zhou, wang, number = await opened(town)
    await zhou.all(number, f"!{number}", "!已答复外部", "答复函")
    assert "已答复" in await zhou.all(number, f"!{number}")
    await done(town, zhou, wang)
    await town.until("2025-04-10 10:00")
    assert town.case().state == "closed"
    assert town.events("deferred") == []
    with pytest.raises(NotAllowed):
        act(town, zhou.member, "reply_outside", text="再答复一次")


async def test_a_customer_who_takes_it_back_does_not_answer_for_us(shaped):
    town = await shaped(external=OUTSIDE)
    zhou, wang, _ = await opened(town, "GX-1 2025-03-05 12:00")
    await wang.all("/cancel", "确定撤回")
    case = town.case()
    assert case.state == "withdrawn"
    assert case.facts.clocks["external_reply"].running
    act(town, zhou.member, "reply_outside", text="客户已撤回")
    assert not town.case().facts.clocks["external_reply"].running


async def test_only_who_is_named_records_the_reply(shaped):
    town = await shaped(external={**OUTSIDE, "replied_by": "leading_group"})
    boss = await town.agent("李总", "leading_group")
    zhou, _, _ = await opened(town)
    with pytest.raises(NotAllowed):
        act(town, zhou.member, "reply_outside", text="答复函")
    act(town, boss.member, "reply_outside", text="答复函")
    assert town.case().facts.external.replied_at is not None


async def test_a_customer_whose_yes_would_close_the_case_is_thanked_and_it_closes_with_the_reply(shaped):
    moves = {
        "customer_accepts": {"to": "closed", "tells": ""},
        "carry_out": {"from": "investigating", "to": "executing", "by": "owner"},
    }
    town = await shaped(external=OUTSIDE, moves=moves, clocks={"execute": {"start": "carry_out"}}, surveys=[])
    zhou, wang, number = await opened(town)
    await zhou.all(number, f"!{number}", "!提出方案", "以后发货前先打电话")
    heard = await wang.press((await wang.heard()).labels[0])
    assert "已经记下了" in heard
    assert town.case().state == "proposed"
    assert len(town.events("accepted")) == 1
    act(town, zhou.member, "reply_outside", text="答复函")
    assert town.case().state == "closed"


async def test_a_case_entered_for_a_customer_may_come_from_outside(shaped):
    town = await shaped(external=OUTSIDE)
    zhou = await town.agent("周敏", "reception", "logistics")
    await zhou.say("登记 订单YX20250118-3 物流没更新都半个月了 王岚 13812345678")
    await zhou.all("!更多…", "!外部转来", "!媒体", "早报 2025-03-04 12:00")
    assert town.case().facts.external.kind == "press"
    assert town.due("external_reply") == "2025-03-04 12:00"


async def test_who_enters_a_complaint_is_told_what_to_ask_the_customer(shaped):
    town = await shaped(external=OUTSIDE)
    zhou = await town.agent("周敏", "reception", "logistics")
    heard = await zhou.say("登记 订单YX20250118-3 物流没更新都半个月了 我叫王岚 电话13812345678")
    asked = next(line for line in str(heard).splitlines() if "请再向客户问清" in line)
    assert "所在地区" in asked
    assert "联系方式" not in asked
    assert "订单号" not in asked


async def test_a_slip_in_number_or_deadline_is_set_right_and_the_clock_goes_by_it(shaped):
    town = await shaped(external=OUTSIDE)
    boss = await town.agent("李总", "leading_group")
    zhou, _, _ = await opened(town)
    started = town.case().facts.clocks["external_reply"].started_at
    await boss.heard()
    await zhou.all("!更多…", "!外部转来", "!工信部", "2025-03-07 18:00")
    case = town.case()
    assert (case.words.external_number, town.due("external_reply")) == ("GX-2025-118", "2025-03-07 18:00")
    assert case.facts.clocks["external_reply"].started_at == started
    assert "3月7日" in await boss.heard()
    act(town, zhou.member, "external", detail="miit", number="GX-2025-119")
    case = town.case()
    assert (case.words.external_number, town.due("external_reply")) == ("GX-2025-119", "2025-03-07 18:00")
    first, second = town.events("external_corrected")
    assert first.facts["due_at"] < first.facts["before"]
    assert second.words == {"before": "GX-2025-118", "number": "GX-2025-119"}
    assert len(town.events("external_opened")) == 1
    act(town, zhou.member, "external", detail="miit", text="2025-03-20 18:00")
    assert town.due("external_reply") == "2025-03-20 18:00"


async def test_nobody_else_takes_the_place_of_whoever_still_expects_a_reply(shaped):
    town = await shaped(external=OUTSIDE)
    zhou, _, _ = await opened(town)
    with pytest.raises(BadInput):
        act(town, zhou.member, "external", detail="press", number="R 7", due="2025-03-10 12:00")
    assert town.case().facts.external.kind == "miit"
    act(town, zhou.member, "reply_outside", text="答复函")
    act(town, zhou.member, "external", detail="press", number="R 7", due="2025-03-10 12:00")
    assert town.case().facts.external.kind == "press"
