"""WeChat asks three times, loses answers, and has days on which it is away: what was said happens once, and is answered."""

import asyncio

import pytest

from tests.durability.test_replays import rows

ANSWERS = ["1", "王岚", "13812345678", "马德里", "PO-88213", "LX-7", "退款", "跳过", "1"]
WORDS = "灯坏了，用两天就坏，质量太差"


@pytest.mark.parametrize("database", ["sqlite", "postgres"])
async def test_every_delivery_three_times_in_parallel_gives_the_same_rows_and_one_reply(found, database):
    town = await found(database=database, channels=("wechat",))
    wang = await town.wechat_customer()
    await wang.say(WORDS)
    for answer in ANSWERS:
        await wang.say(answer)
    assert town.case().state == "handed_over"
    before, chat = rows(town), await wang.everything()
    for told in await town.sandbox.client.callbacks("wechat"):
        assert set(await town.sandbox.client.replay_callback(told["id"], 3)) == {200}
    await town.settle()
    assert rows(town) == before
    assert await wang.everything() == chat


async def test_an_answer_that_gets_lost_is_given_again_and_shown_once(found):
    town = await found(channels=("wechat",))
    wang = await town.wechat_customer()
    await wang.heard()
    for words in (WORDS, *ANSWERS):
        await town.sandbox.client.add_fault("drop_after", method="callback", platform="wechat")
        heard = await wang.say(words)
        assert heard.many == 1, words
    counters = await town.sandbox.client.counters("wechat")
    assert counters["unavailable"] == 0
    assert set(counters["sent"]) == {"passive"}, "the stored answer is free, a second message would not be"
    assert town.case().state == "handed_over"


@pytest.mark.parametrize("away", ["telegram", "wechat"])
async def test_a_day_without_one_platform_leaves_the_other_untouched(found, away):
    town = await found(channels=("telegram", "wechat"))
    zhou = await town.agent("周敏", "reception", "logistics", "quality")
    people = {"telegram": await town.customer("甲"), "wechat": await town.wechat_customer("乙")}
    await people[away].file()
    for platform in ("telegram", "wechat"):
        if platform == away:
            await town.sandbox.client.set_outage("refuse", platform=platform)
    there = next(name for name in people if name != away)
    if there == "telegram":
        assert "已受理" in await people[there].file()
        await zhou.heard()
    else:
        first = await people[there].phone.say("订单YX20250118-3 物流没更新都半个月了")
        assert first
        await people[there].phone.wait_for(lambda message: "同意" in message.text, timeout=20)
        for words in ("1", "王岚", "13812345678", "马德里", "跳过", "退款", "跳过"):
            await people[there].phone.say(words)
            await people[there].phone.wait_for(timeout=20)
        await people[there].phone.say("1")
        await people[there].phone.wait_for(lambda message: "已受理" in message.text, timeout=20)
    assert len(town.cases()) == 2
    assert town.case().state == "handed_over"
    town.clock.push(hours=23)
    await town.sandbox.client.clear_faults(away)
    await asyncio.sleep(0.1)
    await town.settle()
    heard = await people[away].say("我的投诉")
    assert town.case(0).number in heard
    town.tolerated |= {"claim_failed"}
