"""When WeChat's window has closed: one notice, the customer's own page, a consent counted, and in the end a call."""

import pytest
from aiohttp import web

from complaints.commands import Miss
from complaints.ports import Priority

PROGRESS = "TM_progress_0000000000000000000000000000000"
SUBSCRIBE = "SUB_progress_00000000000000000000000000000"
PROPOSAL = "免费补发一件"


async def closed(town):
    """Let a customer file, and two days and more pass: nothing may be sent to them any more."""
    zhou = await town.wecom_agent("周敏", "reception", "logistics")
    wang = await town.wechat_customer()
    await wang.file()
    await town.jump("2025-03-06 10:15")
    await zhou.heard()
    await zhou.press("我来处理")
    return zhou, wang


async def test_a_notice_tells_that_something_waits_and_opens_the_page(found):
    town = await found(channels=("wechat", "wecom"), wechat_templates=f"progress={PROGRESS}")
    zhou, wang = await closed(town)
    for number in range(3):
        await zhou.all("!回复客户", f"进展第{number}次")
    heard = await wang.heard()
    assert heard.many == 1, "one notice until the customer writes"
    assert "TR25-00001-4" in str(heard.messages[0].raw)
    assert "已经有人在调查" in str(heard.messages[0].raw)
    assert "/p/" in str(heard.messages[0].raw)
    assert town.trays().outbox_parked == 4
    await zhou.all("!提出方案", PROPOSAL)
    assert (await wang.heard()).many == 1, "a decision always gets one"
    assert not town.case().facts.call, "who was told that something waits has a day to look"
    await town.pass_time(hours=25)
    assert town.case().facts.call
    assert PROPOSAL in await zhou.everything()
    digest = await wang.say("好的")
    assert digest.count(PROPOSAL) == 1
    assert town.trays().outbox_parked == 0


async def test_a_customer_who_wrote_while_a_letter_was_being_parked_is_not_called(found):
    town = await found(channels=("wechat", "wecom"))
    zhou, wang = await closed(town)
    await zhou.all("!提出方案", PROPOSAL)
    assert town.case().facts.call
    assert PROPOSAL in await wang.say("怎么样了")
    missed = len(town.events("undelivered"))
    case = town.case()
    await town.service.desk.submit(
        Miss(
            conversation_id=case.conversation_id,
            case_id=case.id,
            reason="window",
            text=PROPOSAL,
            channel="wechat",
            priority=int(Priority.DECISION),
            letter_id=1,
        )
    )
    assert not town.case().facts.call
    assert len(town.events("undelivered")) == missed, "it is parked no more: it was told"


async def test_a_customer_who_reacts_to_a_notice_is_not_called(found):
    town = await found(channels=("wechat", "wecom"), wechat_templates=f"progress={PROGRESS}")
    zhou, wang = await closed(town)
    await zhou.all("!提出方案", PROPOSAL)
    digest = await wang.say("怎么样了")
    assert PROPOSAL in digest
    await town.pass_time(hours=25)
    assert not town.case().facts.call
    assert "电话" not in await zhou.heard()


async def test_a_subscription_notice_costs_one_consent(found):
    town = await found(channels=("wechat", "wecom"), wechat_templates=f"subscribe={SUBSCRIBE}")
    zhou, wang = await closed(town)
    await wang.phone.consent(SUBSCRIBE)
    await town.settle()
    await wang.heard()
    await town.pass_time(hours=1)
    await zhou.all("!提出方案", PROPOSAL)
    assert (await wang.heard()).many == 1
    await wang.say("不同意")
    await town.jump("2025-03-11 10:15")
    await wang.heard()
    await zhou.heard()
    await zhou.all("!提出方案", "退一半")
    assert (await wang.heard()).many == 0, "the consent was used up"
    assert town.case().facts.call


@pytest.fixture
async def neighbour():
    """Another system that shares the callback: it answers everything with one sentence."""
    heard: list[bytes] = []

    async def callback(request: web.Request) -> web.Response:
        heard.append(await request.read())
        return web.Response(text="success")

    application = web.Application()
    application.router.add_post("/callback", callback)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}/callback", heard
    await runner.cleanup()


async def test_what_is_no_complaint_goes_to_the_other_system_and_a_complaint_does_not(found, neighbour):
    url, heard = neighbour
    town = await found(channels=("wechat",), wechat_forward_url=url)
    wang = await town.wechat_customer()
    heard.clear()
    for words in ("你们几点开门", "你好"):
        assert await wang.say(words) == ""
    assert len(heard) == 2
    assert "TR25-00001-4" in await wang.say("订单YX20250118-3 物流没更新都半个月了")
    await wang.press("同意")
    assert "怎么联系您" in await wang.say("王岚"), "an answer belongs to the form, whatever it says"
    assert len(heard) == 2
    assert len(town.cases()) == 1


@pytest.mark.parametrize(
    "words", ["快递丢了怎么办", "发错货了怎么处理？", "少了一件，请问怎么补？", "这个灯不亮，怎么回事"]
)
async def test_a_complaint_that_is_asked_as_a_question_is_kept_from_the_other_system(found, neighbour, words):
    url, heard = neighbour
    town = await found(channels=("wechat",), wechat_forward_url=url)
    wang = await town.wechat_customer()
    heard.clear()
    await wang.say(words)
    assert heard == []
    assert len(town.cases()) == 1
