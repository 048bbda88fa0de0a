"""One person, two chats: joined by a code and by nothing else, and from then on one conversation."""

import re

import pytest

from tests.conftest import Found


@pytest.fixture
async def town(found: Found):
    return await found(channels=("telegram", "wechat"))


async def code_of(person) -> str:
    heard = await person.say("关联")
    return re.search(r"\d{8}", heard)[0]


async def test_half_the_story_on_wechat_and_half_on_telegram(town):
    zhou = await town.agent("周敏", "reception", "logistics")
    here = await town.wechat_customer()
    await here.say("订单YX20250118-3 物流没更新都半个月了")
    await here.press("同意")
    await here.say("王岚")
    code = await code_of(here)
    there = await town.customer()
    joined = await there.say(code)
    assert "已经关联好了" in joined
    assert "怎么联系您" in joined, "the form goes on where it stood"
    filed = await there.finish(await there.say("13812345678"))
    assert "已受理" in filed
    assert "您的另一个聊天关联了" in await here.heard()
    assert len(town.cases()) == 1
    assert town.case().words.answers["name"] == "王岚"
    await zhou.press("我来处理")
    await zhou.all("!提出方案", "免费补发")
    assert "免费补发" in await there.heard(), "who spoke last on Telegram is told on Telegram"
    assert "免费补发" not in await here.everything()
    status = await here.say("我的投诉")
    assert "TR25-00001-4" in status
    await zhou.all("!回复客户", "还在等您的答复")
    assert "还在等" in await here.heard(), "and who spoke last on WeChat there"
    assert town.case().state == "proposed"
    await there.press("同意这个方案")
    assert town.case().state == "executing"


async def test_what_was_told_on_one_channel_is_not_asked_on_the_other(town):
    here = await town.wechat_customer()
    await here.file()
    there = await town.customer()
    await there.say("/start")
    await there.say(await code_of(here))
    heard = await there.say("我还要投诉：上次的灯有两盏是碎的")
    assert "新的投诉" in heard.labels
    heard = await there.press("新的投诉")
    for words in ("怎么称呼您", "怎么联系您", "您同意吗"):
        assert words not in heard
    assert town.case().words.answers["name"] == "王岚"


async def test_cases_of_both_chats_stand_in_one_list_after_joining(town):
    here = await town.wechat_customer()
    there = await town.customer()
    await here.file()
    await there.file("你们客服态度恶劣，已读不回")
    assert len({case.conversation_id for case in town.cases()}) == 2
    code = await code_of(here)
    assert "别人让您发的" in await there.say(code), "who has something to lose is asked first"
    assert len({case.conversation_id for case in town.cases()}) == 2
    assert "关联好了" in await there.say(code)
    assert len({case.conversation_id for case in town.cases()}) == 1
    for person in (here, there):
        heard = await person.say("我的投诉")
        for case in town.cases():
            assert case.number in heard
    assert [event.facts["channel"] for event in town.events("linked", town.case(0))] == ["telegram"]


async def test_replies_go_to_the_channel_the_person_prefers(town):
    zhou = await town.agent("周敏", "reception", "logistics")
    here = await town.wechat_customer()
    await here.file()
    there = await town.customer()
    await there.say(await code_of(here))
    heard = await there.say("/link")
    assert "发到哪里" in heard
    await there.press("Telegram")
    await here.say("我的投诉")
    await zhou.press("我来处理")
    await zhou.all("!提出方案", "免费补发")
    assert "免费补发" in await there.heard()
    assert "免费补发" not in await here.everything()


async def test_a_closed_window_on_wechat_is_no_obstacle_for_a_person_with_telegram(town):
    zhou = await town.agent("周敏", "reception", "logistics")
    here = await town.wechat_customer()
    there = await town.customer()
    await there.say("/start")
    await there.say(await code_of(here))
    await here.file()
    await town.jump("2025-03-06 10:15")
    await zhou.heard()
    await there.heard()
    await zhou.press("我来处理")
    await zhou.all("!提出方案", "免费补发")
    assert "免费补发" in await there.heard()
    assert not town.case().facts.call
    assert town.trays().outbox_parked == 0
    assert "免费补发" not in await here.say("你好")


async def test_a_code_is_used_once_ends_after_ten_minutes_and_is_nobody_elses(town):
    here = await town.wechat_customer()
    await here.file()
    code = await code_of(here)
    there = await town.customer()
    await there.say(code)
    thief = await town.customer("别人")
    assert "关联好了" not in await thief.say(code)
    code = await code_of(here)
    await town.pass_time(minutes=11)
    assert "关联好了" not in await thief.say(code)
    assert "TR25-00001-4" not in await thief.say("我的投诉")


async def test_who_tries_many_numbers_is_not_believed_the_right_one(town):
    here = await town.wechat_customer()
    await here.file()
    code = await code_of(here)
    thief = await town.customer("别人")
    for number in range(5):
        await thief.phone.say(f"1000000{number}")
    await town.settle()
    assert "关联好了" not in await thief.say(code)


async def test_a_member_of_the_staff_is_never_joined_with_a_customer(town):
    zhou = await town.agent("周敏", "reception", "logistics")
    here = await town.wechat_customer()
    await here.file()
    assert "关联好了" not in await zhou.say(await code_of(here))
    assert len(town.cases()) == 1
    assert town.conversation().staff_id is None
