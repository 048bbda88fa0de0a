"""What a platform does when it is not at its best, and what happens then: later, in order, and never twice."""

import asyncio


async def _tick(town, until, seconds=30.0):
    """Let the clock run quickly until something is so."""
    end = asyncio.get_running_loop().time() + seconds
    while not await until():
        assert asyncio.get_running_loop().time() < end, "it does not happen"
        town.clock.push(seconds=1)
        town.service.postman.nudge()
        await asyncio.sleep(0.05)


async def test_a_customer_who_blocked_the_bot_is_called_by_a_person(town):
    town.tolerated.add("dead")
    zhou = await town.agent("周敏", "reception", "logistics")
    wang = await town.customer()
    await wang.file()
    await zhou.press("我来处理")
    await zhou.heard()
    await wang.block()
    await zhou.all("!提出方案", "免费补发")
    assert not town.conversation().reachable
    told = await zhou.everything()
    assert "没有收到我们的消息" in told
    assert "免费补发" in told
    await zhou.all("!已电话告知", "电话里说了，客户同意")
    assert town.events("called")
    assert not town.case().facts.call
    assert [event.name for event in town.journal() if event.name in ("blocked", "undelivered")][:1] == ["blocked"]
    await wang.unblock()
    await wang.say("我回来了，方案是什么？")
    assert town.conversation().reachable


async def test_a_block_that_the_platform_never_told_is_found_at_the_next_message(town):
    town.tolerated.add("dead")
    zhou = await town.agent("周敏", "reception", "logistics")
    wang = await town.customer()
    await wang.file()
    await zhou.press("我来处理")
    await zhou.heard()
    await town.sandbox.client.ask("DELETE", f"/people/{wang.phone.id}")
    await town.settle()
    await zhou.all("!提出方案", "免费补发")
    assert "没有收到我们的消息" in await zhou.everything()
    assert [event.words["text"] for event in town.events("undelivered") if "免费补发" in str(event.words)]
    assert not town.conversation().reachable


async def test_an_outage_of_a_day_delivers_everything_afterwards_in_order(found):
    town = await found("2025-03-03 10:15", mode="polling")
    zhou = await town.agent("周敏", "reception", "logistics")
    wang = await town.customer()
    await wang.file()
    await zhou.press("我来处理")
    await wang.heard()
    await zhou.heard()
    await town.sandbox.client.set_outage("refuse")
    number = town.case().number
    from complaints.commands import Act

    case = town.case()
    for text in ("第一条", "第二条", "第三条"):
        await town.service.desk.submit(
            Act(staff_id=zhou.member.id, case_id=case.id, act="reply", values={"text": text})
        )
        town.clock.push(hours=4)
        await asyncio.sleep(0.05)
    town.clock.set("2025-03-04 10:15")
    await asyncio.sleep(0.2)
    assert not await wang.heard()
    await town.sandbox.client.clear_faults()

    async def all_there():
        return "第三条" in await wang.everything() and not town.trays().outbox_waiting

    await _tick(town, all_there)
    heard = await wang.heard()
    assert heard.index("第一条") < heard.index("第二条") < heard.index("第三条")
    assert len([message for message in heard.messages if "第一条" in message.text]) == 1
    town.tolerated.add("claim_failed")
    await _tick(town, lambda: _quiet(town))
    heard = await wang.say("我的投诉")
    assert number in heard


async def _quiet(town):
    return not town.sandbox.telegram.world.default_bot.updates.pending_count


async def test_an_outage_at_the_start_stops_nothing_else(found):
    town = await found("2025-03-03 10:15", mode="polling")
    wang = await town.customer()
    await wang.file()
    await town.stop()
    await town.sandbox.client.set_outage("refuse")
    await town.start(quiet=False)
    from complaints.commands import Act

    zhou, _ = await town.code("周敏", "reception", "logistics")
    await town.service.desk.submit(Act(staff_id=zhou.id, case_id=town.case().id, act="claim"))
    assert town.case().owner_id == zhou.id
    await town.sandbox.client.clear_faults()

    async def told():
        return "已经有人在调查" in await wang.everything()

    await _tick(town, told)
    await _tick(town, lambda: _introduced(town))


async def _introduced(town):
    return bool(town.service.book.bot_link)


async def test_too_many_requests_delay_and_lose_nothing(town):
    wang = await town.customer()
    await wang.file()
    await wang.heard()
    await town.sandbox.client.add_fault("429", times=2, method="sendMessage", seconds=1)
    await wang.phone.say("我的投诉")

    async def told():
        return (await wang.everything()).count("您的投诉：") == 1 and not town.trays().outbox_waiting

    await _tick(town, told)
    assert (await wang.everything()).count("您的投诉：") == 1


async def test_an_answer_that_may_have_arrived_is_repeated_at_most_once(town):
    wang = await town.customer()
    await town.sandbox.client.add_fault("drop_after", method="sendMessage")
    await wang.phone.say("灯坏了，用两天就坏，质量太差")

    async def told():
        return not town.trays().outbox_waiting and not await _pending(town)

    await _tick(town, told)
    number = town.case().number
    assert 1 <= (await wang.everything()).count(number) <= 2
    assert len(town.cases()) == 1


async def _pending(town):
    return town.sandbox.telegram.world.default_bot.updates.pending_count


async def test_the_staff_group_becomes_a_supergroup_and_alerts_follow_it(found):
    town = await found()
    plain = await town.sandbox.client.add_group("旧群", [(await town.customer("群主")).phone], kind="group")
    await town.stop()
    town.group = plain
    town.room = type(town.room)(town, town.room.phone)
    await town.start()
    moved = await plain.migrate()
    await town.settle()
    wang = await town.customer()
    await wang.file()
    assert town.case().number in str(await moved.transcript())


async def test_a_file_comes_home_after_the_platform_is_back(town):
    from sandbox import Attachment

    wang = await town.customer()
    await wang.all("灯坏了，用两天就坏，质量太差", "!同意")
    await town.sandbox.client.add_fault("500", times=2, method="getFile")
    await wang.phone.send(Attachment(kind="photo", size=3000))

    async def kept():
        return [file.state for file in town.files()] == ["kept"]

    await _tick(town, kept)
