"""One complaint from the first word to the last."""

import asyncio

import pytest


@pytest.mark.parametrize(("database", "mode"), [("sqlite", "polling"), ("postgres", "webhook")])
async def test_a_complaint_lives_from_the_first_word_to_the_survey(found, database, mode):
    town = await found("2025-03-03 10:15", mode=mode, database=database)
    zhou = await town.agent("周敏", "reception", "logistics")
    qian = await town.agent("钱进", "reception", "logistics")
    wang = await town.customer("王岚")

    heard = await wang.say("订单YX20250118-3 物流没更新都半个月了 就是卡在莱比锡那边不动了")
    number = town.case().number
    assert number in heard
    assert heard.labels == ["同意", "不同意"]
    assert town.due("first_response") == "2025-03-03 11:15"

    asked = await wang.press("同意")
    assert "怎么称呼您" in asked
    asked = await wang.say("王岚")
    assert "怎么联系您" in asked
    asked = await wang.say("微信就行")
    assert "哪个城市" in asked
    asked = await wang.say("马德里")
    assert "型号" in asked, "the order number was given and is not asked"
    asked = await wang.say("跳过")
    assert "怎么解决" in asked
    asked = await wang.press("补发或重发")
    assert "照片" in asked
    review = await wang.say("没有")
    assert all(word in review for word in (number, "物流延误", "王岚", "马德里", "YX20250118-3", "补发或重发"))

    await town.until("2025-03-03 11:00")
    accepted = await wang.press("没问题，提交")
    assert number in accepted
    assert "3月6日（周四）18:00" in accepted
    assert town.due("propose") == "2025-03-06 18:00"
    assert town.case().state == "handed_over"

    alert = await town.room.heard()
    assert number in alert
    assert "我来处理" in alert.labels
    assert "王岚" not in alert
    assert number in await zhou.heard()
    assert number in await qian.heard()

    one, two = town.in_room(zhou), town.in_room(qian)
    queries = await asyncio.gather(one.phone.press("我来处理"), two.phone.press("我来处理"))
    await town.settle()
    answers = {each.query_id: each.text for each in (await one.phone.transcript()).answers}
    owner = next(agent for agent in (zhou, qian) if agent.member.id == town.case().owner_id)
    loser = qian if owner is zhou else zhou
    told = answers[queries[0 if loser is zhou else 1]]
    assert told == f"{number} 已由{owner.name}负责。"
    assert len(town.events("claimed")) == 1
    assert town.case().state == "investigating"
    assert "已经有人在调查" in await wang.heard()

    await owner.heard()
    await owner.say(number)
    await owner.press(number)
    await town.until("2025-03-03 14:00")
    await owner.press("问客户")
    await owner.say("外包装上的运单号是多少？")
    assert "运单号是多少" in await wang.heard()
    assert town.case().facts.clocks["propose"].paused_at is not None
    await town.until("2025-03-03 16:00")
    assert "转给同事" in await wang.say("上面写着 LB-889")
    assert town.case().facts.clocks["propose"].paused_at is None
    assert town.due("propose") == "2025-03-07 11:00", "two working hours were spent waiting for the customer"
    assert "有新消息" in await owner.heard()

    await town.until("2025-03-05 10:00")
    await owner.press("提出方案")
    await owner.say("给您一张5%的优惠券")
    offer = await wang.heard()
    assert "5%的优惠券" in offer
    assert "同意这个方案" in offer.labels
    asked = await wang.press("不同意，说说原因")
    assert "哪里不合适" in asked
    assert "新方案" in await wang.say("5%优惠券？不行，要货")
    assert town.case().state == "solution_drafted"
    assert town.due("rework") == "2025-03-10 18:00"
    assert "没有接受" in await owner.heard()

    await owner.press("提出方案")
    await owner.say("免费空运补发")
    await wang.heard()
    await town.until("2025-03-06 09:30")
    agreed = await wang.press("同意这个方案")
    assert "3月17日（周一）18:00" in agreed
    assert town.due("execute") == "2025-03-17 18:00"
    assert "接受了" in await owner.heard()
    await town.until("2025-03-12 17:00")
    await owner.press("已办完")
    await owner.say("空运件已签收")
    done = await wang.heard()
    assert "空运件已签收" in done
    assert done.labels == ["还有问题没解决"]

    await town.until("2025-03-17 08:59")
    assert not await wang.heard()
    await town.until("2025-03-17 09:00")
    survey = await wang.heard()
    assert number in survey
    assert survey.labels == ["1", "2", "3", "4", "5"]
    assert "结果" in await wang.press("4")
    asked = await wang.press("5")
    assert "没有了" in asked.labels
    assert "谢谢" in await wang.say("就是慢了点，人挺好")
    [comment] = [event for event in town.events("survey_answered") if event.words]
    assert comment.words == {"text": "就是慢了点，人挺好"}
    assert [event.facts["score"] for event in town.events("survey_answered")] == [4, 5, 0]
    assert town.case().state == "completed"

    await town.until("2025-04-20 10:00")
    assert town.case().state == "closed"
    assert not town.case().active
    assert len(town.events("survey_sent")) == 1
