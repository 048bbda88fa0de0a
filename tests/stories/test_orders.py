"""What is on file about an order helps those who work on the case, and is never told to whoever named its number."""

import pytest

from complaints.errors import NotAllowed
from tests.stories.conftest import title
from tests.stories.test_decisions import act, proposed

SECRETS = ("恒泰胶业", "32000", "LX-900", "0571-88886666", "刘总")
FILE = (
    "order_no,organisation,product,model,amount,region,vip,account_manager,contacts,warehouse\n"
    'YX20250118-3,浙江恒泰胶业,灯,LX-900,"32,000",华东,yes,钱经理,刘总;0571-88886666,莱比锡\n'
    "PO-88213,,灯,LX-7,120.5,,no,,,\n"
)  # fmt: skip


def field(id_, **more):
    words = {"title": title(id_), "ask": title(f"请填{id_}"), "hint": title(f"{id_}不对")}
    return {id_: {"required": False, **words, **more}}


FIELDS = {**field("contract_amount", kind="amount", slots=["amount"]), "model": {"slots": ["model"]}}


@pytest.fixture
def filed(shaped, tmp_path):
    """Return a function that founds a town with orders on file."""

    async def town(*, grades=None, **more):
        path = tmp_path / "orders.csv"
        path.write_text(FILE, "utf-8")
        form = {"amount": "contract_amount"}
        return await shaped(fields=FIELDS, form=form, grades=grades, more={"orders": path}, **more)

    return town


async def test_an_order_on_file_fills_what_is_not_asked_any_more_and_its_facts_count(filed):
    grades = {
        "standing": [
            {"id": "usual", "title": title("普通")},
            {"id": "key", "title": title("重要"), "when": {"vip": True}},
        ]
    }
    town = await filed(grades=grades)
    wang = await town.customer()
    await wang.file("订单YX20250118-3 物流没更新都半个月了")
    case = town.case()
    assert case.facts.order["organisation"] is True
    assert case.facts.order["vip"] is True
    assert case.facts.order["region"] == "华东"
    assert case.facts.grades["standing"] == "key"
    assert "contract_amount" not in case.words.answers
    assert "model" not in case.words.answers
    assert "请填contract_amount" not in await wang.everything(), "what is on file is not asked"
    [event] = town.events("ordered")
    assert event.facts["organisation"] is True
    assert event.words == {}
    assert not any(secret in str(event.facts) for secret in SECRETS)


BORDER = {
    "border": [
        {"id": "home", "title": title("境内")},
        {"id": "abroad", "title": title("境外"), "when": {"region": ["马德里", "Madrid"]}},
    ]
}


async def test_the_region_of_a_case_is_what_the_customer_answered(shaped):
    town = await shaped(grades=BORDER)
    wang = await town.customer()
    await wang.file()
    case = town.case()
    assert case.words.answers["region"] == "马德里"
    assert case.facts.grades["border"] == "abroad"


async def test_the_region_of_the_order_on_file_goes_before_what_the_customer_answered(filed):
    town = await filed(grades=BORDER)
    wang = await town.customer()
    await wang.file("订单YX20250118-3 物流没更新都半个月了 人在马德里")
    assert town.case().facts.grades["border"] == "home"


async def test_nothing_of_it_is_said_to_whoever_names_the_number(filed):
    town = await filed()
    zhou = await town.agent("周敏", "reception", "logistics")
    stranger = await town.customer("路人")
    review = await stranger.file("订单YX20250118-3 物流没更新都半个月了", submit=False)
    assert "以我们的记录为准" in review
    await stranger.all("!没问题，提交", "/status")
    number = town.case().number
    shown = await zhou.all(number, f"!{number}")
    said = await stranger.everything()
    room = await town.room.everything()
    for secret in SECRETS:
        assert secret not in said
        assert secret not in room
        assert secret in shown
    assert "★ VIP" in shown
    assert "warehouse：莱比锡" in shown, "the company's own columns are shown as they are"


async def test_an_order_that_is_not_on_file_changes_nothing(filed):
    town = await filed()
    wang = await town.customer()
    heard = await wang.say("订单PO-99999 物流没更新都半个月了")
    assert "TR25-00001" in heard
    assert town.case().facts.order == {}
    assert town.case().words.answers["order_no"] == "PO-99999"
    assert town.events("ordered") == []


async def test_a_corrected_number_takes_the_other_orders_data_away(filed):
    town = await filed()
    wang = await town.customer()
    await wang.file("订单YX20250118-3 物流没更新都半个月了", submit=False)
    assert town.case().facts.order["vip"] is True
    await wang.all("修改", "订单号", "po 88213")
    case = town.case()
    assert case.facts.order["organisation"] is False
    assert case.facts.order["vip"] is False
    assert "恒泰" not in str(case.words.order)


async def test_the_account_manager_is_told_and_has_a_part_in_the_case(filed):
    town = await filed()
    manager = await town.agent("钱经理", "purchasing")
    other = await town.agent("孙工", "purchasing")
    wang = await town.customer()
    await wang.file("订单YX20250118-3 物流没更新都半个月了")
    number = town.case().number
    assert f"{number} 涉及您负责的客户的订单" in await manager.heard()
    assert number not in await other.heard()
    assert town.case().facts.parts["account_manager"] == [f"staff:{manager.member.id}"]
    assert "恒泰胶业" in await manager.all(number, f"!{number}")


async def test_a_changed_file_is_read_again_and_a_broken_one_is_not_taken(filed, tmp_path):
    town = await filed()
    (tmp_path / "orders.csv").write_text(FILE.replace("PO-88213", "PO-55555"), "utf-8")
    await (await town.customer("王岚")).say("订单PO-55555 物流没更新都半个月了")
    assert town.case().facts.order["vip"] is False
    assert town.events("ordered")
    (tmp_path / "orders.csv").write_text("order_no,amount\nPO-1,many\n", "utf-8")
    await (await town.customer("李雷")).say("订单PO-55555 物流没更新都半个月了")
    assert town.events("ordered"), "what was read before still counts"
    [line] = [each for each in town.logs if each["event"] == "orders_not_taken"]
    assert "line 2, column amount" in str(line["problems"])
    assert "many" not in str(line)


async def test_for_an_organisation_only_a_confirmed_contact_accepts(filed):
    town = await filed()
    zhou, wang, _ = await proposed(town, "免费补发")
    heard = await wang.heard()
    refused = await wang.press(heard.labels[0])
    assert "授权联系人" in refused
    assert "恒泰" not in refused
    assert town.case().state == "proposed"
    assert town.events("accepted") == []
    assert "回电授权联系人核实" in await zhou.heard()
    assert "授权联系人" in await wang.say("可以")
    assert "回电授权联系人" not in await zhou.heard(), "once for each proposal"
    number = town.case().number
    await zhou.all(number, f"!{number}", "!联系人已核实", "回电 0571-88886666，刘总本人")
    assert town.events("authorised")[0].words == {"text": "回电 0571-88886666，刘总本人"}
    told = await wang.heard()
    assert "已经核实" in told
    await wang.press(told.labels[0])
    assert town.case().state == "executing"


async def test_anybody_may_refuse_and_a_private_customer_accepts_alone(filed):
    town = await filed()
    zhou, wang, _ = await proposed(town, "免费补发")
    await wang.all(f"!{(await wang.heard()).labels[1]}", "太慢")
    assert town.case().facts.rejections == 1
    private = await town.customer("李雷")
    await private.file("订单PO-88213 物流没更新都半个月了")
    number = town.case().number
    await zhou.all(number, f"!{number}", "!我来处理", "!提出方案", "免费补发")
    await private.press((await private.heard()).labels[0])
    assert town.case().state == "executing"
    with pytest.raises(NotAllowed):
        act(town, zhou.member, "authorise", text="不需要")


async def test_the_next_complaint_without_a_number_is_of_the_same_organisation_and_tells_nobody_of_its_goods(filed):
    town = await filed()
    zhou = await town.agent("周敏", "reception")
    qian = await town.agent("钱经理", "logistics")
    wang = await town.customer()
    await wang.file("订单YX20250118-3 物流没更新都半个月了")
    await wang.say("/new")
    await qian.heard()
    told = await wang.say("你们客服骂人，态度恶劣，我要投诉")
    case = town.cases()[1]
    assert case.facts.order == {"organisation": True, "vip": True, "account_manager": f"staff:{qian.member.id}"}
    assert case.number in await qian.heard()
    for secret in SECRETS:
        assert secret not in told
    shown = await zhou.all(case.number, f"!{case.number}")
    assert "恒泰胶业" in shown
    assert "LX-900" not in shown, "it is not known whether this is about the goods of that order"


async def test_a_number_that_was_a_mistake_makes_nobody_a_customer_of_that_organisation(filed):
    town = await filed()
    wang = await town.customer()
    await wang.file("订单YX20250118-3 物流没更新都半个月了", submit=False)
    await wang.all("修改", "订单号", "PO-99999", "!没问题，提交", "/new")
    assert town.case().facts.order == {}
    await wang.say("你们客服骂人，态度恶劣，我要投诉")
    assert town.cases()[1].facts.order == {}
