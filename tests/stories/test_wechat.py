"""A customer on WeChat: no buttons, five messages in two days, and the answer within the post."""

import hashlib
import json

import pytest
from aiohttp import ClientSession, FormData

from bot.channels.wechat import account
from sandbox import Attachment, SandboxError
from tests.conftest import Found


@pytest.fixture
async def town(found: Found):
    return await found(channels=("wechat", "wecom"))


async def sends(town) -> dict:
    return (await town.sandbox.client.counters("wechat"))["sent"]


PROPOSAL = "免费补发一件"


async def test_a_whole_complaint_is_filed_by_typing_numbers_and_costs_nothing(town):
    await town.wecom_agent("周敏", "reception", "logistics")
    wang = await town.wechat_customer()
    first = await wang.say("订单YX20250118-3 物流没更新都半个月了")
    for words in ("TR25-00001-4", "微信", "1. 同意"):
        assert words in first
    assert "已受理" in await wang.finish(first)
    assert town.case().state == "handed_over"
    counters = await town.sandbox.client.counters("wechat")
    assert set(counters["sent"]) == {"passive"}
    assert counters["unavailable"] == 0
    assert counters["callbacks"]["attempts"] == counters["callbacks"]["made"]


async def test_the_whole_story_from_the_complaint_to_the_survey(town):
    zhou = await town.wecom_agent("周敏", "reception", "logistics")
    wang = await town.wechat_customer()
    await wang.file()
    await zhou.press("我来处理")
    assert town.case().owner_id == zhou.member.id
    await zhou.all("!提出方案", PROPOSAL)
    heard = await wang.heard()
    assert PROPOSAL in heard
    assert len(heard.labels) == 2, heard
    assert "落实" in await wang.press(heard.labels[0])
    await zhou.heard()
    await zhou.all("!已办完", "已经补发，单号 SF123")
    assert "SF123" in await wang.heard()
    await town.until("2025-03-10 10:30")
    assert town.case().state == "completed"
    # the window is long closed: the survey waits, and comes with the next word
    digest = await wang.say("在吗")
    assert "您打几分" in digest
    await wang.say("5")
    await wang.say("4")
    assert "谢谢" in await wang.say("没有了")
    scores = town.case().facts.surveys[0].scores
    assert scores == {"handling": 5, "result": 4, "comment": 0}


async def test_a_survey_that_is_over_is_not_asked_with_what_waited(town):
    zhou = await town.wecom_agent("周敏", "reception", "logistics")
    wang = await town.wechat_customer()
    await wang.file()
    await zhou.press("我来处理")
    await zhou.all("!提出方案", PROPOSAL)
    await wang.press("同意这个方案")
    await zhou.heard()
    await zhou.all("!已办完", "已经补发")
    await town.until("2025-04-01 10:30")
    assert town.trays().outbox_parked
    heard = await wang.say("在吗")
    assert "几分" not in heard
    assert town.trays().outbox_parked == 0


async def test_a_voice_that_was_recognised_answers_a_question_and_opens_a_case(town):
    wang = await town.wechat_customer()
    first = await wang.send_voice("订单YX20250118-3 物流没更新都半个月了。")
    assert "TR25-00001-4" in first
    await wang.press("同意")
    assert town.case().words.answers["order_no"] == "YX20250118-3"
    assert not town.case().facts.listen
    await wang.send_voice("王岚")
    assert town.case().words.answers["name"] == "王岚"
    assert town.case().facts.files == 1, "the story is kept as it was spoken, the short answer is not"
    [file] = town.files()
    assert file.state == "kept"


async def test_a_voice_without_recognition_is_a_complaint_with_a_task_to_listen(town):
    zhou = await town.wecom_agent("周敏", "reception", "logistics")
    wang = await town.wechat_customer()
    assert "TR25-00001-4" in await wang.send_voice("")
    assert town.case().facts.listen
    assert "语音" in await zhou.heard()


async def test_a_scanned_code_tells_the_order_before_anything_is_said(town):
    wang = await town.wechat_customer(follows=False)
    scene = "order_no--YX20250118-3--model--LX200"
    await account.qrcode(town.service.channels["wechat"].api, scene)
    heard = await wang.scan(scene)
    assert "YX20250118-3" in heard
    assert "LX200" in heard
    await wang.say("到货的灯有两盏是碎的")
    assert town.case().words.answers == {"order_no": "YX20250118-3", "model": "LX200"}


async def test_eight_events_to_a_silent_customer_cost_five_sends_at_most_with_the_decision_among_them(town):
    zhou = await town.wecom_agent("周敏", "reception", "logistics")
    wang = await town.wechat_customer()
    await wang.file()
    before = len((await wang.phone.transcript()).messages)
    await zhou.press("我来处理")
    for number in range(6):
        await town.pass_time(hours=1)
        await zhou.all("!回复客户", f"进展第{number}次")
    await town.pass_time(hours=1)
    await zhou.all("!提出方案", PROPOSAL)
    said = [each.text for each in (await wang.phone.transcript()).messages[before:] if each.from_bot]
    assert len(said) <= 5
    assert sum(PROPOSAL in text for text in said) == 1
    missing = [f"进展第{number}次" for number in range(6) if not any(f"进展第{number}次" in text for text in said)]
    assert missing
    await wang.heard()
    digest = await wang.say("怎么样了")
    assert digest.many == 1
    for words in missing:
        assert digest.count(words) == 1
    assert (await sends(town)).get("custom", {}).get("refused", 0) == 0
    assert town.trays().outbox_parked == 0


async def test_with_the_window_closed_from_the_start_nothing_is_sent_and_all_comes_with_the_next_word(town):
    zhou = await town.wecom_agent("周敏", "reception", "logistics")
    wang = await town.wechat_customer()
    await wang.file()
    await town.jump("2025-03-06 10:15")
    await zhou.heard()
    await zhou.press("我来处理")
    before = len((await wang.phone.transcript()).messages)
    for number in range(7):
        await zhou.all("!回复客户", f"进展第{number}次")
    await zhou.all("!提出方案", PROPOSAL)
    assert len((await wang.phone.transcript()).messages) == before
    assert town.case().facts.call
    assert PROPOSAL in await zhou.everything()
    digest = await wang.say("怎么样了")
    for number in range(7):
        assert digest.count(f"进展第{number}次") == 1
    assert digest.count(PROPOSAL) == 1
    assert not town.case().facts.call
    assert "落实" in await wang.press(digest.labels[0])


async def test_unfollowing_is_no_way_to_be_forgotten_somebody_calls(town):
    town.tolerated.add("dead")
    zhou = await town.wecom_agent("周敏", "reception", "logistics")
    wang = await town.wechat_customer()
    await wang.file()
    await zhou.press("我来处理")
    await wang.unfollow()
    await zhou.all("!提出方案", PROPOSAL)
    assert town.case().facts.call
    assert "电话" in await zhou.everything()


async def test_a_claimed_card_loses_its_buttons_on_every_phone(town):
    zhou = await town.wecom_agent("周敏", "reception", "logistics")
    chen = await town.wecom_agent("陈立", "reception", "logistics")
    wang = await town.wechat_customer()
    await wang.file()
    await zhou.press("我来处理")
    for phone in (zhou.phone, chen.phone):
        buttons = [button for each in (await phone.transcript()).messages for button in each.buttons]
        assert "我来处理" not in {button.text for button in buttons}
        assert any(button.text == "周敏已认领" and button.dead for button in buttons)
    with pytest.raises(SandboxError):
        await chen.press("我来处理")


async def test_a_member_who_leaves_the_company_loses_everything_and_their_cases_go_back(town):
    zhou = await town.wecom_agent("周敏", "reception", "logistics")
    chen = await town.wecom_agent("陈立", "reception", "logistics")
    wang = await town.wechat_customer()
    await wang.file()
    await zhou.press("我来处理")
    await chen.heard()
    await zhou.phone.leave()
    await town.settle()
    assert town.case().owner_id is None
    heard = await chen.heard()
    assert "周敏已离职" in heard
    with town.store.read() as ledger:
        member = next(each for each in ledger.staff() if each.id == zhou.member.id)
    assert (member.active, member.chat, member.conversation_id) == (False, "", None)


async def test_a_complaint_by_telephone_is_entered_in_one_message(town):
    zhou = await town.wecom_agent("周敏", "reception", "logistics")
    await town.wecom_agent("陈立", "reception", "logistics")
    heard = await zhou.say("登记 客户李强，电话13912345678，订单YX20250118-3物流半个月没更新，要求补发")
    assert "已登记 TR25-00001-4" in heard
    case = town.case()
    assert case.channel == "desk"
    assert case.state == "handed_over"
    assert case.words.answers["contact"] == "+8613912345678"
    assert case.words.answers["order_no"] == "YX20250118-3"
    assert "李强" in heard
    await zhou.press("我来处理")
    await zhou.all("!提出方案", PROPOSAL)
    assert town.case().facts.call
    await zhou.all("!已电话告知", "客户同意")
    assert not town.case().facts.call


async def test_what_waited_is_told_once_to_somebody_who_sends_two_messages_at_once(town):
    zhou = await town.wecom_agent("周敏", "reception", "logistics")
    wang = await town.wechat_customer()
    await wang.file()
    await town.jump("2025-03-06 10:15")
    await zhou.heard()
    await zhou.press("我来处理")
    await zhou.all("!回复客户", "进展如下")
    await wang.heard()
    for words in ("怎么样了", "在吗", "你好"):
        await wang.phone.say(words)
    await town.settle()
    assert (await wang.heard()).count("进展如下") == 1


async def test_a_case_that_waits_for_a_call_says_so_on_its_card_and_not_in_the_room(town):
    town.tolerated.add("dead")
    zhou = await town.wecom_agent("周敏", "reception", "logistics")
    wang = await town.wechat_customer()
    await wang.file()
    await zhou.press("我来处理")
    await wang.unfollow()
    await zhou.heard()
    await zhou.all("!回复客户", "请把照片寄到仓库")
    told = await zhou.everything()
    assert "电话里告知：“关于 TR25-00001-4：\n请把照片寄到仓库”" in told


async def test_the_page_of_a_customer_goes_on_with_the_same_form(town):
    wang = await town.wechat_customer()
    await wang.say("订单YX20250118-3 物流没更新都半个月了")
    await wang.press("同意")
    heard = await wang.say("我的投诉")
    assert "TR25-00001-4" in heard
    [url] = [link["url"] for each in heard.messages for link in each.raw["links"]]
    async with ClientSession() as browser:
        async with browser.get(url) as page:
            assert page.status == 200
            assert "TR25-00001-4" in await page.text()
        origin = url.partition("/p/")[0]
        form = FormData(default_to_multipart=True)
        said = {"nonce": "n" * 22, "text": "王岚"}
        form.add_field("said", json.dumps(said), content_type="application/json")
        async with browser.post(url, data=form, headers={"Origin": origin, "X-Plaint-Page": "1"}) as answer:
            assert answer.status == 200, await answer.text()
            told = await answer.json()
    await town.settle()
    assert "怎么联系您" in str(told)
    assert town.case().words.answers["name"] == "王岚"
    assert "怎么联系您" not in await wang.heard(), "what the page showed is not said again in the chat"
    await wang.say("13812345678")
    assert town.case().words.answers["contact"] == "+8613812345678"


async def test_photos_and_videos_from_wechat_are_brought_home_sealed_and_sent_on_to_the_agent(town):
    zhou = await town.wecom_agent("周敏", "reception", "logistics")
    wang = await town.wechat_customer()
    await wang.file(submit=False)
    photo = b"\xff\xd8\xff\xe0 a lamp in pieces \xff\xd9" * 40
    await wang.send(Attachment(kind="photo", data=photo))
    await wang.phone.send_video()
    await town.settle()
    await wang.finish(await wang.say("就这些"))
    kept = town.files()
    assert [(file.kind, file.state) for file in kept] == [("photo", "kept"), ("video", "kept")]
    assert kept[0].sha256 == hashlib.sha256(photo).hexdigest()
    sealed = (town.folder / "evidence" / kept[0].path).read_bytes()
    assert photo[:20] not in sealed
    await zhou.press("我来处理")
    await zhou.press("看文件")
    shown = [each.raw["media"]["kind"] for each in (await zhou.phone.transcript()).messages if each.raw["media"]]
    assert "photo" in shown, "what came by WeChat is uploaded to WeCom"
