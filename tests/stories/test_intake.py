"""The form: what was said is not asked again, every way out is open, and nothing said is lost."""

import re

import pytest

QUESTIONS = {
    "name": "怎么称呼您",
    "contact": "怎么联系您",
    "region": "哪个城市",
    "order_no": "订单号是多少",
    "model": "哪个型号",
    "expected_solution": "希望我们怎么解决",
    "evidence": "有照片、视频或单据吗",
}


async def _at(person, field):
    """Complain, and answer until the form asks for this field (or shows the review card)."""
    heard = await person.all("灯坏了，用两天就坏，质量太差", "!同意")
    for each, answer in zip(
        QUESTIONS, ("王岚", "13812345678", "马德里", "PO-88213", "跳过", "退款", "跳过"), strict=True
    ):
        if each == field:
            assert QUESTIONS[each] in heard
            return heard
        heard = await person.say(answer)
    assert "请核对投诉" in heard
    return heard


async def _walk(person):
    """Complain, and stop at every question of the form and at the review card, which is told."""
    await person.all("灯坏了，用两天就坏，质量太差", "!同意")
    answers = ("王岚", "13812345678", "马德里", "PO-88213", "跳过", "退款", "跳过")
    for question, answer in zip(QUESTIONS.values(), answers, strict=True):
        yield question
        await person.say(answer)
    yield "请核对投诉"


async def test_the_first_answer_has_the_number_and_the_next_step_and_the_hours(found):
    town = await found("2025-03-14 21:30")
    wang = await town.customer()
    heard = await wang.say("你们发的灯有质量问题，用两天就坏了")
    assert re.search(r"TR25-\d{5}-\d", heard)
    assert heard.many == 1, "one message, not three"
    assert "3月17日（周一）09:00" in heard, "off hours: when somebody is there"
    assert town.due("first_response") == "2025-03-17 10:00"


async def test_what_the_first_message_says_is_not_asked(town):
    wang = await town.customer()
    heard = await wang.file(
        "我叫王岚，电话13812345678，人在马德里，订单PO-88213的LX-7台灯质量太差，用两天就坏了，我要退款"
    )
    assert "已受理" in heard
    asked = await wang.everything()
    for question in ("怎么称呼您", "怎么联系您", "哪个城市", "订单号是多少", "哪个型号", "希望我们怎么解决"):
        assert question not in asked
    answers = town.case().words.answers
    assert (answers["order_no"], answers["model"], answers["expected_solution"]) == ("PO-88213", "LX-7", "refund")
    assert {"王岚", "+8613812345678", "马德里"} <= set(answers.values())


async def test_several_answers_in_one_message_are_all_taken(town):
    wang = await town.customer()
    await wang.all("订单YX20250118-3 物流没更新都半个月了", "!同意")
    heard = await wang.say("王岚 微信就行 人在马德里 要么赶紧到要么重发")
    assert "哪个型号" in heard
    answers = town.case().words.answers
    assert answers["name"] == "王岚"
    assert answers["contact"] == "微信就行"
    assert answers["region"] == "马德里"
    assert answers["expected_solution"] == "resend"
    assert "照片" in await wang.say("跳过")


async def test_a_choice_may_be_typed(town):
    wang = await town.customer()
    await _at(wang, "expected_solution")
    for typed, chosen in {
        "2": "replace",
        "３": "resend",
        "第二个": "replace",
        "退款": "refund",
        "换新": "replace",
        "我要退钱": "refund",
        "Replacement": "replace",
        "退款吧，谢谢": "refund",
        "最后一个": "other",
    }.items():
        assert "照片" in await wang.say(typed), typed
        assert town.case().words.answers["expected_solution"] == chosen, typed
        await wang.say("上一题")


async def test_own_words_are_taken_where_the_question_offers_them(town):
    """The hint says: choose one, or say it in your own words."""
    wang = await town.customer()
    await _at(wang, "expected_solution")
    heard = await wang.say("派个人上门当面解释清楚")
    assert "照片" in heard
    assert "派个人上门当面解释清楚" in str(town.case().words)


async def test_somebody_without_the_order_number_says_so_and_goes_on(town):
    """The question says: if you don't have it at hand, just say none."""
    wang = await town.customer()
    await _at(wang, "order_no")
    assert "哪个型号" in await wang.say("没有")


async def test_every_contact_that_the_hint_names_is_taken(town):
    wang = await town.customer()
    await _at(wang, "contact")
    for contact in ("13812345678", "13800001234", "name@example.com", "微信就行", "就在这里联系我"):
        assert "哪个城市" in await wang.say(contact), contact
        assert town.case().words.answers["contact"].removeprefix("+86") in contact
        await wang.say("上一题")


async def test_a_shared_contact_is_a_contact(town):
    wang = await town.customer(phone="34600111222")
    await _at(wang, "contact")
    await wang.phone.share_contact()
    assert "哪个城市" in await wang._after()
    assert town.case().words.answers["contact"] == "+34600111222"


async def test_from_every_question_one_can_get_help_or_a_human_and_is_asked_again(town):
    wang = await town.customer()
    async for question in _walk(wang):
        helped = await wang.say("/help")
        assert "/human" in helped
        assert question in helped
        called = await wang.say("人工")
        assert "已经通知人工" in called
        assert question in called
        status = await wang.say("我的投诉")
        assert "还差几个问题" in status
        assert question in status
        town.clock.push(seconds=10)
    assert "要找人工" in await town.room.heard()


async def test_from_every_question_one_can_cancel_and_change_ones_mind(town):
    wang = await town.customer()
    async for question in _walk(wang):
        asked = await wang.say("/cancel")
        assert asked.labels == ["确定撤回", "不撤回，继续"]
        assert question in await wang.press("不撤回，继续")
        assert "确定要撤回" in await wang.say("撤回")
        assert question in await wang.say("不撤回")
        town.clock.push(seconds=10)
        assert town.case().open
    await wang.say("撤回")
    assert "已撤回" in await wang.press("确定撤回")
    assert town.case().state == "withdrawn"
    assert not town.case().open
    assert town.timers() == [], "nothing more will happen"


async def test_at_every_question_other_words_than_the_known_ones_help_and_are_no_answer(town):
    wang = await town.customer()
    async for question in _walk(wang):
        kept = dict(town.case().words.answers)
        assert "已经通知人工" in await wang.say("帮我叫个真人过来聊")
        assert question in await wang.say("这一步怎么弄啊")
        asked = await wang.say("莫搞了，我不告了")
        assert asked.labels == ["确定撤回", "不撤回，继续"], "what cannot be undone is asked back"
        assert question in await wang.press("不撤回，继续")
        assert town.case().words.answers == kept
        town.clock.push(seconds=10)


@pytest.mark.parametrize(
    ("text", "answered"),
    [("我想看看我的投诉处理到哪一步了", "目前没有投诉"), ("能不能给我转个人工啊", "已经通知人工")],
)
async def test_who_asks_in_other_than_the_known_words_is_answered_at_any_time(town, text, answered):
    wang = await town.customer()
    assert answered in await wang.say(text)


async def test_a_complaint_that_ends_in_such_words_is_a_complaint(town):
    wang = await town.customer()
    await wang.say("复核结果跟没复核一样")
    await wang.say("你们客服骂人，态度恶劣，我要投诉")
    assert [case.words.said[0].text for case in town.cases()][:1] == ["复核结果跟没复核一样"]


async def test_from_every_question_one_can_go_back_and_keep_what_was_said(town):
    wang = await town.customer()
    before = ""
    async for question in _walk(wang):
        if before:
            kept = dict(town.case().words.answers)
            back = await wang.say("上一题")
            assert before in back
            if "不改，继续" in back.labels:
                assert question in await wang.press("不改，继续")
            else:  # it was skipped
                assert question in await wang.say("跳过")
            assert town.case().words.answers == kept
        before = question


async def test_consent_and_the_type_can_be_cancelled_helped_and_left_to_a_human_too(town):
    wang = await town.customer()
    await wang.say("我有话要说，对你们不满意")
    assert "同意吗" in await wang.say("帮助")
    assert "同意吗" in await wang.say("/human")
    assert "最接近" in await wang.press("同意")
    assert "最接近" in await wang.say("/help")
    assert "最接近" in await wang.say("人工")
    assert "确定要撤回" in await wang.say("/cancel")
    assert "最接近" in await wang.say("不撤回")
    await wang.say("/cancel")
    await wang.press("确定撤回")
    assert town.case().state == "withdrawn"


async def test_what_is_required_is_not_skipped_and_what_is_optional_is(town):
    wang = await town.customer()
    heard = await _at(wang, "name")
    assert "跳过" not in heard.labels
    assert "需要填" in await wang.say("/skip")
    heard = await wang.all("王岚", "13812345678", "马德里", "PO-88213")
    assert "跳过" in heard.labels
    assert "怎么解决" in await wang.press("跳过")


async def test_an_answer_is_edited_on_the_review_card(town):
    wang = await town.customer()
    await _at(wang, "review")
    which = await wang.press("修改")
    assert "所在地区" in which.labels
    asked = await wang.press("所在地区")
    assert "您填的是：马德里" in asked
    review = await wang.say("巴塞罗那")
    assert "请核对投诉" in review
    assert "所在地区：巴塞罗那" in review
    asked = await wang.all("!修改", "!投诉类型")
    await wang.press("都不是")
    review = await wang.press("物流延误问题")
    assert "类型：物流延误问题" in review
    assert town.case().type == "logistics_delay"
    await wang.press("修改")
    assert "请核对投诉" in await wang.press("◀ 上一题")


async def test_more_words_on_the_review_card_are_added(town):
    wang = await town.customer()
    await _at(wang, "review")
    review = await wang.say("还有一件事，灯罩上也有裂纹")
    assert "已经补充" in review
    assert "灯罩上也有裂纹" in review
    assert "已受理" in await wang.say("没问题")


async def test_wrong_answers_get_the_hint_of_the_field_and_after_three_a_human_is_offered(town):
    wang = await town.customer()
    await _at(wang, "contact")
    for attempt in (1, 2, 3):
        heard = await wang.say("随便你们")
        assert "比如 13800001234" in heard
        assert ("找人工" in heard.labels) is (attempt == 3)
    assert "已经通知人工" in await wang.press("找人工")
    assert [event.actor for event in town.events("human_called")] == ["customer"]
    assert "哪个城市" in await wang.say("13812345678"), "and the form goes on"


async def test_consent_refused_leaves_nothing_readable_and_offers_another_way(town):
    wang = await town.customer("独特的名字")
    await wang.say("我叫欧阳特别，电话13912344321，紫色的灯坏得离谱")
    heard = await wang.press("不同意")
    assert "400-000-0003" in heard
    assert "complaints@trade.example" in heard
    case = town.case()
    assert not case.open
    assert case.words.said == []
    assert case.words.answers == {}
    assert all(not event.words for event in town.journal())
    await town.stop()
    for path in town.folder.rglob("*"):
        if path.is_file():
            raw = path.read_bytes()
            for word in ("欧阳特别", "独特的名字", "13912344321", "紫色的灯", "8613912344321"):
                assert word.encode() not in raw, f"{word} is readable in {path.name}"
                assert word.encode("utf-16-le") not in raw
                assert word.encode("unicode-escape") not in raw
    await town.start()
    assert all(not event.words for event in town.journal())


async def test_who_refused_consent_can_complain_again_and_is_asked_again(town):
    wang = await town.customer()
    await wang.all("灯坏了，质量太差", "不同意")
    heard = await wang.say("好吧，灯坏了，质量太差，还是要投诉")
    assert town.case().number in heard
    assert "同意" in heard.labels
    assert len(town.cases()) == 2
    assert "怎么称呼您" in await wang.press("同意")


async def test_words_instead_of_a_consent_are_noted_and_consent_is_asked_again(town):
    wang = await town.customer()
    await wang.say("灯坏了，质量太差")
    heard = await wang.say("而且客服电话一直打不通")
    assert "也记到" in heard
    assert "同意" in heard.labels
    assert len(town.case().words.said) == 2


async def test_consent_is_recorded_with_version_language_and_the_hash_of_its_words(town):
    wang = await town.customer()
    await wang.all("灯坏了，质量太差", "同意")
    [event] = town.events("consented")
    assert event.facts["version"] == "2026-1"
    assert event.facts["language"] == "zh-Hans"
    assert len(event.facts["text_sha256"]) == 64


async def test_where_the_rule_book_wants_it_twice_nothing_is_asked_before_the_second_consent(found):
    town = await found(company="crm_001")
    wang = await town.customer()
    await wang.say("我那个1.8万的退款到底什么时候退，你们客服转来转去")
    heard = await wang.say("同意")
    assert "再确认一次" in heard
    assert heard.labels == ["再次同意", "不同意"]
    assert [event.name for event in town.journal() if "consent" in event.name] == ["consented_once"]
    assert "也记到" in await wang.say("等了一周了")
    heard = await wang.say("再次同意 手机13812345678")
    assert "怎么称呼" in heard, "the number was said along with it, and is not asked for"
    assert town.case().words.answers["contact"] == "13812345678"
    assert len(town.events("consented")) == 1


async def test_who_refuses_the_second_consent_has_not_consented(found):
    town = await found(company="crm_001")
    wang = await town.customer()
    await wang.all("退款到底什么时候到，等了一周了", "!同意", "!不同意")
    assert town.events("consented") == []
    assert not town.case().open
    assert "同意吗" in await wang.say("退款还是没到"), "and begins with the first one again"


async def test_below_the_threshold_the_customer_chooses_from_the_top_three_and_other(town):
    wang = await town.customer()
    await wang.say("你们太差劲了，我要投诉")
    asked = await wang.press("同意")
    assert "最接近" in asked
    assert town.case().type == ""
    assert 2 <= len(asked.labels) <= 4
    assert asked.labels[-1] == "都不是"
    wide = await wang.press("都不是")
    assert len(wide.labels) == 8, "all types, and other"
    assert "怎么称呼您" in await wang.press("清关与单证")
    assert town.case().type == "customs_documents"
    assert town.events("typed")[-1].actor == "customer"


async def test_a_customer_may_choose_other_or_say_more_until_the_type_is_clear(town):
    wang = await town.customer()
    await wang.all("我有话要说，对你们很不满意", "!同意")
    heard = await wang.say("收到的灯用两天就坏了，质量问题")
    assert "怎么称呼您" in heard
    assert town.case().type == "product_quality"
    li = await town.customer("李娜")
    heard = await li.all("我有话要说，对你们很不满意", "!同意")
    heard = await li.say("都不是")
    assert "怎么称呼您" in (heard if "怎么称呼您" in heard else await li.say("都不是"))
    assert town.case().type == "other"


async def test_danger_words_call_people_before_any_question(town):
    boss = await town.agent("李总", "leading_group")
    wang = await town.customer()
    await wang.phone.say("充电器起火了，人被烫伤送医院，记者都来了")
    heard = await wang._after()
    assert "已经立刻通知人工" in heard
    assert "急救电话" in heard
    alert = await boss.heard()
    assert "人身安全" in alert
    assert "可能引发媒体关注" in alert
    room = await town.room.heard()
    assert "紧急" in room
    case = town.case()
    assert case.urgent
    assert set(case.facts.flags) == {"safety", "media"}
    assert town.due("urgent_call") == "2025-03-03 10:30"
    journal = [event.name for event in town.journal()]
    assert journal.index("flagged") < journal.index("clock_started")


async def test_danger_words_in_a_later_answer_call_people_too(town):
    boss = await town.agent("李总", "leading_group")
    wang = await town.customer()
    await _at(wang, "model")
    await wang.say("LX-7，昨天它漏电把我儿子电到了，现在在医院")
    assert "人身安全" in await boss.heard()
    assert town.case().facts.flags == ["safety"]


async def test_a_negated_danger_calls_nobody(town):
    boss = await town.agent("李总", "leading_group")
    wang = await town.customer()
    await wang.say("灯坏了，幸好没人受伤，质量太差")
    assert not await boss.heard()
    assert town.case().facts.flags == []


async def test_the_form_survives_a_restart_and_days(town):
    wang = await town.customer()
    await _at(wang, "region")
    await town.restart()
    heard = await wang.say("马德里")
    assert "订单号是多少" in heard
    await town.stop()
    town.clock.push(hours=1)
    await town.start()
    heard = await wang.say("PO-88213")
    assert "哪个型号" in heard
    assert town.case().words.answers["region"] == "马德里"


async def test_a_silent_customer_is_nudged_once_and_reception_finishes_the_case(town):
    zhou = await town.agent("周敏", "reception")
    wang = await town.customer()
    await _at(wang, "region")
    await town.until("2025-03-03 12:10")
    assert not await wang.heard()
    await town.until("2025-03-03 12:20")
    nudge = await wang.heard()
    assert "还差几个问题" in nudge
    assert "哪个城市" in nudge
    await town.until("2025-03-06 10:10")
    assert not await wang.heard(), "one nudge, no more"
    await zhou.heard()
    await town.until("2025-03-06 10:20")
    assert "先按已有的内容处理" in await wang.heard()
    assert "没有填完" in await zhou.heard()
    case = town.case()
    assert case.state == "handed_over"
    assert not case.facts.complete
    assert case.facts.clocks["propose"].running
    assert len(town.events("nudged")) == 1
    assert len(town.events("abandoned")) == 1


async def test_nobody_is_nudged_at_night(found):
    town = await found("2025-03-03 21:00")
    wang = await town.customer()
    await _at(wang, "region")
    await town.until("2025-03-04 07:59")
    assert not await wang.heard()
    await town.until("2025-03-04 08:00")
    assert "还差几个问题" in await wang.heard()


async def test_an_abandoned_case_without_a_type_goes_to_somebody(town):
    zhou = await town.agent("周敏", "reception")
    wang = await town.customer()
    await wang.say("我有话要说，对你们很不满意")
    await town.until("2025-03-06 10:20")
    assert town.case().state == "handed_over"
    assert "没有填完" in await zhou.heard()


async def test_answers_of_an_earlier_complaint_are_remembered(town):
    wang = await town.customer()
    await wang.file()
    heard = await wang.all("/new", "客服态度恶劣，还骂人")
    assert "同意吗" not in heard, "consent was given"
    assert "哪个城市" in heard, "name and contact are known"
    assert town.case().words.answers["name"] == "王岚"
    assert "order_no" not in town.case().words.answers


async def test_two_people_talk_at_once_and_never_get_each_others_questions(town):
    wang, li = await town.customer("王岚"), await town.customer("李娜")
    await _at(wang, "region")
    heard = await li.all("物流没更新都半个月了", "!同意")
    assert "怎么称呼您" in heard
    assert "订单号是多少" in await wang.say("马德里")
    assert town.cases()[0].words.answers["region"] == "马德里"
    assert "region" not in town.cases()[1].words.answers


async def test_a_greeting_opens_no_case(town):
    wang = await town.customer()
    heard = await wang.phone.start()
    heard = await wang._after()
    assert "自己的话" in heard
    await wang.say("你好")
    await wang.say("谢谢")
    assert town.cases() == []
    heard = await wang.press("新投诉")
    assert "发生了什么" in heard


async def test_stale_buttons_are_answered_politely_and_the_present_question_stands(town):
    wang = await town.customer()
    first = (await wang.say("灯坏了，质量太差")).messages[-1]
    await wang.press("同意")
    again = await wang.press("不同意", message=first)
    assert "已经过去" in again.toast
    assert "怎么称呼您" in again
    assert town.case().open, "the old refusal does nothing"
    strange = await wang.press("q.0.0.o3.zzz!", message=first.id)
    assert "已经过去" in strange.toast
