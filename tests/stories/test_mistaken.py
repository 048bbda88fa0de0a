"""What is easily mistaken: a number for a decision, a code for a complaint, silence for news, one person for another."""

import re

import pytest

from bot.channels.wechat import account
from tests.conftest import Found

PROPOSAL = "免费补发一件"
COMPLAINT = "订单YX20250118-3 物流没更新都半个月了"


@pytest.fixture
async def town(found: Found):
    return await found(channels=("telegram", "wechat", "wecom"), room=False)


async def proposed(town, zhou, wang):
    """Let a customer file, and an agent propose something."""
    await wang.file()
    await zhou.press("我来处理")
    await zhou.all("!提出方案", PROPOSAL)
    return await wang.heard()


async def asked_how_it_went(town, zhou, wang):
    """Let a case be done, and the customer be asked about it when they write again."""
    await proposed(town, zhou, wang)
    await wang.press("同意这个方案")
    await zhou.heard()
    await zhou.all("!已办完", "已经补发")
    await town.until("2025-03-10 10:30")
    assert "几分" in await wang.say("在吗")


async def scan(town, person, scene):
    await account.qrcode(town.service.channels["wechat"].api, scene)
    return await person.scan(scene)


async def code_of(person) -> str:
    return re.search(r"\d{8}", await person.say("关联"))[0]


# numbers


async def test_a_number_in_a_form_is_an_answer_and_no_score_of_a_survey(town):
    zhou = await town.wecom_agent("周敏", "reception", "logistics")
    wang = await town.wechat_customer()
    await asked_how_it_went(town, zhou, wang)
    await wang.say("新投诉")
    await wang.finish(await wang.say("到货的灯有两盏是碎的"), model="5", submit=False)
    assert town.case(0).facts.surveys[0].scores == {}
    assert town.case().words.answers["model"] == "5"


async def test_a_number_after_the_scores_is_a_comment(town):
    zhou = await town.wecom_agent("周敏", "reception", "logistics")
    wang = await town.wechat_customer()
    await asked_how_it_went(town, zhou, wang)
    await wang.say("5")
    await wang.say("4")
    assert "谢谢" in await wang.say("5")
    assert [event.words["text"] for event in town.events("survey_answered") if event.words] == ["5"]
    assert "回访已经结束" not in await wang.say("5"), "nor is one that follows it another score"


async def test_an_ordinal_means_a_place_in_the_question_and_not_the_proposal_of_another_case(town):
    zhou = await town.wecom_agent("周敏", "reception", "logistics")
    wang = await town.wechat_customer()
    await proposed(town, zhou, wang)
    await wang.say("新投诉")
    await wang.finish(await wang.say("到货的灯有两盏是碎的"), type="第一个", expected_solution="第二个", submit=False)
    assert town.case(0).state == "proposed"
    field = town.service.book.current.form.field("expected_solution")
    assert town.case().words.answers["expected_solution"] == field.choices[1].id


async def test_a_number_after_an_agents_words_is_no_entry_of_an_old_menu(town):
    zhou = await town.wecom_agent("周敏", "reception", "logistics")
    wang = await town.wechat_customer()
    await wang.file()
    await zhou.press("我来处理")
    await wang.say("谢谢")
    await zhou.all("!回复客户", "您要哪种：1 红色，2 蓝色？")
    await wang.heard()
    assert "您的投诉：" not in await wang.say("2")


async def test_an_agents_words_show_again_what_a_number_would_decide(town):
    zhou = await town.wecom_agent("周敏", "reception", "logistics")
    wang = await town.wechat_customer()
    await proposed(town, zhou, wang)
    await zhou.all("!回复客户", "还在等您的答复")
    assert (await wang.heard()).labels == ["同意这个方案", "不同意，说说原因"]


async def test_who_agrees_after_all_is_not_asked_for_a_reason_any_more(town):
    zhou = await town.wecom_agent("周敏", "reception", "logistics")
    wang = await town.wechat_customer()
    await proposed(town, zhou, wang)
    await wang.press("不同意，说说原因")
    await wang.say("同意这个方案")
    assert town.case().state == "executing"
    assert "已经过去" not in await wang.say("什么时候发货")


async def test_a_form_goes_on_after_the_reason_for_which_it_was_put_aside(town):
    zhou = await town.wecom_agent("周敏", "reception", "logistics")
    wang = await town.wechat_customer()
    await proposed(town, zhou, wang)
    await wang.say("新投诉")
    await wang.say("另外还有一件事，我很不满意")
    await wang.press("不同意，说说原因")
    heard = await wang.say("太少了")
    assert town.case(0).state == "solution_drafted"
    assert f"先把 {town.case().number} 填完" in heard
    await wang.finish(heard)
    assert town.case().facts.complete


async def test_a_spoken_yes_accepts_the_proposal(town):
    zhou = await town.wecom_agent("周敏", "reception", "logistics")
    wang = await town.wechat_customer()
    await proposed(town, zhou, wang)
    await wang.send_voice("同意。")
    assert town.case().state == "executing"


# what waited


async def test_what_waited_comes_with_the_decision_that_still_stands_whatever_was_said_after_it(town):
    zhou = await town.wecom_agent("周敏", "reception", "logistics")
    wang = await town.wechat_customer()
    await wang.file()
    await town.jump("2025-03-06 10:15")
    await zhou.heard()
    await zhou.press("我来处理")
    await zhou.all("!提出方案", PROPOSAL)
    await zhou.all("!备注", "等答复")
    await zhou.all("!回复客户", "还在等您的答复")
    assert "同意这个方案" in (await wang.say("在吗")).labels


async def test_a_result_is_told_however_late_the_customer_comes_back_and_asks_nothing_any_more(town):
    zhou = await town.wecom_agent("周敏", "reception", "logistics")
    wang = await town.wechat_customer()
    await proposed(town, zhou, wang)
    await wang.press("同意这个方案")
    await town.jump("2025-03-06 10:15")
    await zhou.heard()
    await zhou.all("!已办完", "已经补发")
    await town.until("2025-05-20 10:15")
    heard = await wang.say("在吗")
    assert "已经补发" in heard
    assert "几分" not in heard
    assert "还有问题没解决" not in heard.labels


async def test_who_comes_back_hears_what_somebody_should_have_called_them_about(town):
    town.tolerated.add("dead")
    zhou = await town.wecom_agent("周敏", "reception", "logistics")
    wang = await town.wechat_customer()
    await wang.file()
    await zhou.press("我来处理")
    await wang.unfollow()
    await zhou.all("!提出方案", PROPOSAL)
    assert town.case().facts.call
    heard = await wang.follow()
    assert heard.count(PROPOSAL) == 1
    assert "同意这个方案" in heard.labels
    assert not town.case().facts.call
    assert PROPOSAL not in await wang.say("在吗")


async def test_a_decision_that_goes_to_another_chat_has_its_buttons_there(town):
    zhou = await town.wecom_agent("周敏", "reception", "logistics")
    wang = await town.wechat_customer()
    there = await town.customer()
    await there.say("/start")
    await there.say(await code_of(wang))
    await wang.file()
    await town.jump("2025-03-06 10:15")
    await zhou.heard()
    await there.heard()
    await zhou.press("我来处理")
    await zhou.all("!提出方案", PROPOSAL)
    await there.press("同意这个方案")
    assert town.case().state == "executing"


# codes


async def test_a_code_that_ran_out_is_no_complaint(town):
    wang = await town.wechat_customer()
    code = await code_of(wang)
    await town.pass_time(minutes=11)
    there = await town.customer()
    for words in (code, f"/link {code}", f"/start link-{code}"):
        assert "不对" in await there.say(words)
    assert not town.cases()


async def test_a_code_sent_in_the_chat_that_asked_for_it_is_no_answer_to_the_form(town):
    wang = await town.wechat_customer()
    await wang.say(COMPLAINT)
    await wang.press("同意")
    code = await code_of(wang)
    assert "另一个聊天" in await wang.say(code)
    assert "name" not in town.case().words.answers


async def test_eight_digits_in_a_form_are_an_order_number(town):
    wang = await town.wechat_customer()
    heard = await wang.say("到货的灯有两盏是碎的")
    await wang.finish(heard, order_no="20250118", submit=False)
    assert town.case().words.answers["order_no"] == "20250118"


async def test_every_other_chat_hears_of_a_new_one(town):
    wang = await town.wechat_customer()
    await wang.file()
    second = await town.customer("王岚", "zh-hans")
    await second.say(await code_of(wang))
    third = await town.customer("别人", "zh-hans")
    await wang.heard()
    await third.say(await code_of(second))
    for person in (wang, second):
        assert "如果不是您本人操作" in await person.heard()


async def test_two_forms_that_were_open_are_finished_one_after_the_other(town):
    here, there = await town.wechat_customer(), await town.customer()
    await here.say(COMPLAINT)
    await here.press("同意")
    await there.say("到货的灯有两盏是碎的")
    code = await code_of(here)
    await there.say(code)  # asked whether they mean it
    heard = await there.finish(await there.say(code))
    assert f"先把 {town.case(1).number} 填完" in heard
    await there.finish(heard)
    assert [case.facts.complete for case in town.cases()] == [True, True]


async def test_in_the_middle_of_a_form_nobody_is_asked_where_to_write(town):
    wang = await town.wechat_customer()
    await wang.say(COMPLAINT)
    await wang.press("同意")
    there = await town.customer()
    await there.say(await code_of(wang))
    heard = await there.say("/link")
    assert "发到哪里" not in heard
    assert "怎么称呼您" in heard


async def test_one_blocked_chat_of_two_on_one_platform_leaves_the_other(town):
    zhou = await town.wecom_agent("周敏", "reception", "logistics")
    one = await town.wechat_customer()
    await one.file()
    two = await town.wechat_customer("王岚二")
    await two.say(await code_of(one))
    await two.unfollow()
    await zhou.press("我来处理")
    await zhou.all("!提出方案", PROPOSAL)
    assert PROPOSAL in await one.heard()


# scanned codes


async def test_a_scanned_code_never_tells_who_the_customer_is(town):
    wang = await town.wechat_customer()
    await scan(town, wang, "order_no--YX20250118-3--contact--13800138000")
    await wang.say("到货的灯有两盏是碎的")
    assert town.case().words.answers == {"order_no": "YX20250118-3"}


async def test_a_code_scanned_within_a_form_asks_for_no_other_story(town):
    wang = await town.wechat_customer()
    await wang.say(COMPLAINT)
    await wang.press("同意")
    heard = await scan(town, wang, "model--LX200")
    assert "说说发生了什么" not in heard
    assert "怎么称呼您" in heard
    assert town.case().words.answers["model"] == "LX200"


async def test_words_that_wait_for_a_case_are_not_lost_when_a_code_is_scanned(town):
    wang = await town.wechat_customer()
    await wang.file()
    await wang.say("快递员还把门口的花盆撞碎了")
    await scan(town, wang, "model--LX200")
    assert "花盆" in str([said.text for said in town.case(0).words.said])


# registering


@pytest.mark.parametrize("words", ["登记表在哪里", "登记处说不清楚", "Registers are full"])
async def test_a_word_that_only_begins_like_it_registers_nothing(town, words):
    zhou = await town.wecom_agent("周敏", "reception", "logistics")
    await zhou.say(words)
    assert not town.cases()


@pytest.mark.parametrize("words", ["登记：灯碎了", "代客登记\n灯碎了", "register: the lamp broke", "登記 燈碎了"])
async def test_a_complaint_is_registered_in_any_language_of_the_desk(town, words):
    zhou = await town.wecom_agent("周敏", "reception", "logistics")
    await zhou.say(words)
    assert len(town.cases()) == 1


async def test_what_is_registered_while_a_reply_was_to_be_written_goes_to_no_other_customer(town):
    zhou = await town.wecom_agent("周敏", "reception", "logistics")
    wang = await town.wechat_customer()
    await wang.file()
    await zhou.press("我来处理")
    await wang.heard()
    await zhou.press("回复客户")
    await zhou.say("登记 客户李强，电话13912345678，灯碎了")
    await zhou.say("你好")
    assert await wang.heard() == ""
    assert len(town.cases()) == 2


async def test_who_can_only_be_called_decides_by_telephone(town):
    zhou = await town.wecom_agent("周敏", "reception", "logistics")
    await zhou.say("登记 客户李强，电话13912345678，订单YX20250118-3物流半个月没更新，要求补发")
    await zhou.press("我来处理")
    await zhou.all("!问客户", "地址没变吧？")
    assert town.case().facts.call
    await zhou.all("!已电话告知", "没变")
    assert not town.case().facts.asked
    assert all(run.paused_at is None for run in town.case().facts.clocks.values())
    await zhou.all("!提出方案", PROPOSAL)
    await zhou.all("!已电话告知", "客户同意")
    await zhou.press("客户：同意这个方案")
    assert town.case().state == "executing"
    assert [event.actor for event in town.events("accepted")] == [f"staff:{zhou.member.id}"]


async def test_nobody_decides_for_a_customer_who_can_write(town):
    zhou = await town.wecom_agent("周敏", "reception", "logistics")
    wang = await town.wechat_customer()
    await proposed(town, zhou, wang)
    assert "同意这个方案" not in await zhou.everything()


# cards


async def test_what_stands_in_place_of_buttons_is_said_in_the_language_of_whoever_reads_it(town):
    zhou = await town.wecom_agent("周敏", "reception", "logistics")
    tom = await town.wecom_agent("Tom", "reception", "logistics", language="en")
    wang = await town.wechat_customer()
    await wang.file()
    await zhou.press("我来处理")
    buttons = [button.text for each in (await tom.phone.transcript()).messages for button in each.buttons]
    assert "周敏已认领" not in buttons
    assert any("周敏" in each for each in buttons)


async def test_who_claims_a_case_in_the_room_has_it_in_their_own_chat(found):
    town = await found()
    zhou = await town.agent("周敏", "reception", "logistics")
    wang = await town.customer()
    await wang.file()
    await zhou.heard()
    await town.in_room(zhou).press("我来处理")
    assert "提出方案" in (await zhou.heard()).labels
