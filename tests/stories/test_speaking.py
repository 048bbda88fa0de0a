"""What customers say outside a form: it always belongs to something, and always has an answer."""


async def _open_cases(town, person, count):
    await person.file()
    for _ in range(count - 1):
        await person.say("/new")
        await person.file("客服态度恶劣，还骂人")


async def _asked(town, agent, case, question="是哪个仓库？"):
    """Let an agent claim a case and ask its customer something."""
    await agent.say(case.number)
    await agent.press(case.number)
    if town.case(town.cases().index(next(each for each in town.cases() if each.id == case.id))).owner_id is None:
        await agent.press("我来处理")
    await agent.press("问客户")
    await agent.say(question)


async def test_two_complaints_one_after_another_in_one_chat(town):
    wang = await town.customer()
    first = await wang.file()
    heard = await wang.press("新投诉") if "新投诉" in first.labels else await wang.say("/new")
    assert "发生了什么" in heard
    second = await wang.file("客服态度恶劣，还骂人")
    one, two = town.cases()
    assert one.number in first
    assert two.number in second
    assert (one.type, two.type) == ("logistics_delay", "service_attitude")
    assert (one.department, two.department) == ("logistics", "sales")
    status = await wang.say("我的投诉")
    assert status.index(two.number) < status.index(one.number), "the newest first"
    assert status.count("最迟3月6日（周四）18:00") == 2


async def test_a_second_complaint_waits_until_the_first_form_is_done(town):
    wang = await town.customer()
    await wang.all("灯坏了，质量太差", "!同意")
    heard = await wang.say("/new")
    assert "先把" in heard
    assert "怎么称呼您" in heard
    assert len(town.cases()) == 1


async def test_free_text_without_a_case_opens_one(town):
    wang = await town.customer()
    heard = await wang.say("灯坏了，质量太差")
    assert town.case().number in heard


async def test_free_text_with_one_two_or_five_open_cases_goes_where_it_belongs(town):
    zhou = await town.agent("周敏", "reception")
    wang = await town.customer()
    for count in (1, 2, 5):
        while len(town.cases()) < count:
            await wang.say("/new")
            await wang.file("物流没更新都半个月了" if not town.cases() else "客服态度恶劣，还骂人")
        case = town.cases()[0]
        heard = await wang.say(f"包裹到现在一点动静都没有，第{count}次说了")
        assert "哪一件" in heard
        assert len(heard.labels) == count + 1
        assert heard.labels[-1] == "新的投诉"
        assert case.number in heard.labels[0]
        assert "已经记到" in await wang.press(heard.labels[0])
        assert town.cases()[0].words.said[-1].text == f"包裹到现在一点动静都没有，第{count}次说了"

        await _asked(town, zhou, case)
        assert "是哪个仓库" in await wang.heard()
        heard = await wang.say(f"莱比锡{count}号仓库")
        assert "转给同事" in heard
        assert case.number in heard
        assert town.cases()[0].words.said[-1].text == f"莱比锡{count}号仓库"
        assert not town.cases()[0].facts.asked
        assert len(town.cases()) == count


async def test_the_picked_case_may_be_typed_and_more_words_are_kept_too(town):
    wang = await town.customer()
    await _open_cases(town, wang, 2)
    await wang.say("包裹到现在一点动静都没有")
    heard = await wang.say("而且外面的箱子也是烂的")
    assert "哪一件" in heard
    await wang.say("第一个")
    text = town.cases()[0].words.said[-1].text
    assert "一点动静都没有" in text
    assert "箱子也是烂的" in text


async def test_free_text_may_open_another_case_from_the_picker(town):
    wang = await town.customer()
    await _open_cases(town, wang, 1)
    await wang.say("你们客服还挂我电话，态度恶劣")
    heard = await wang.press("新的投诉")
    assert len(town.cases()) == 2
    assert town.case().number in heard
    assert town.case().type == "service_attitude"


async def test_of_two_cases_that_ask_the_last_question_is_answered_first(town):
    zhou = await town.agent("周敏", "reception")
    wang = await town.customer()
    await _open_cases(town, wang, 2)
    one, two = town.cases()
    await _asked(town, zhou, one, "是哪个仓库？")
    await _asked(town, zhou, two, "是哪位客服？")
    assert "是哪位客服" in await wang.heard()
    heard = await wang.say("姓刘的那位")
    assert two.number in heard
    heard = await wang.say("莱比锡那个仓库")
    assert one.number in heard
    assert [case.words.said[-1].text for case in town.cases()] == ["莱比锡那个仓库", "姓刘的那位"]


async def test_a_question_that_comes_into_an_open_form_is_answered_after_it(town):
    zhou = await town.agent("周敏", "reception")
    wang = await town.customer()
    await wang.file()
    case = town.case()
    await wang.all("/new", "客服态度恶劣，还骂人")
    await _asked(town, zhou, case)
    heard = await wang.heard()
    assert "是哪个仓库" in heard
    heard = await wang.say("马德里")
    assert town.cases()[0].facts.asked, "it was the answer to the form"
    await wang.finish(heard)
    heard = await wang.say("莱比锡那个仓库")
    assert "转给同事" in heard
    assert town.cases()[0].words.said[-1].text == "莱比锡那个仓库"


async def test_status_says_state_and_next_date_in_plain_words(town):
    zhou = await town.agent("周敏", "reception")
    wang = await town.customer()
    assert "没有投诉" in await wang.say("/status")
    await wang.file()
    case = town.case()
    status = await wang.say("到哪了?")
    assert case.number in status
    assert "物流延误" in status
    assert "已转交责任部门" in status
    assert "最迟3月6日（周四）18:00" in status
    await _asked(town, zhou, case)
    await wang.heard()
    assert "在等您回答：是哪个仓库" in await wang.say("我的投诉")
    await wang.say("莱比锡")
    await town.until("2025-03-04 09:00")
    assert "正在调查" in await wang.say("/status")
    assert "正在调查" in await wang.say(case.number)


async def test_a_number_that_was_read_out_is_understood(town):
    wang = await town.customer()
    await wang.file()
    number = town.case().number
    status = await wang.say(number.lower().replace("-", " "))
    assert number in status


async def test_an_edited_message_replaces_the_words_and_the_journal_keeps_both(town):
    wang = await town.customer()
    heard = await wang.say("灯坏了，质量太差，坏了3个")
    said = wang.said
    heard = await wang.edit(said, "灯坏了，质量太差，坏了30个")
    assert "按您的修改更新" in heard
    assert town.case().words.said[0].text == "灯坏了，质量太差，坏了30个"
    [event] = town.events("edited")
    assert event.words == {"before": "灯坏了，质量太差，坏了3个", "text": "灯坏了，质量太差，坏了30个"}


async def test_an_edit_that_names_a_danger_calls_people(town):
    boss = await town.agent("李总", "leading_group")
    wang = await town.customer()
    await wang.say("灯坏了，质量太差")
    await wang.edit(wang.said, "灯坏了，质量太差，孩子触电受伤了")
    assert "人身安全" in await boss.heard()


async def test_a_group_is_told_the_private_link_and_nothing_else(town):
    wang = await town.customer()
    group = await town.sandbox.client.add_group("业主群", [wang.phone])
    here = type(wang)(town, wang.phone.in_group(group))
    heard = await here.say("/start@plaint_sandbox_bot")
    assert "https://t.me/plaint_sandbox_bot" in heard
    assert heard.labels == []
    heard = await here.say("/status@plaint_sandbox_bot")
    assert "私密" in heard
    await here.say("@plaint_sandbox_bot 灯坏了，质量太差")
    assert town.cases() == []


async def test_a_complaint_by_command_to_a_human_is_a_case_with_a_promise(town):
    wang = await town.customer()
    heard = await wang.say("人工")
    case = town.case()
    assert case.number in heard
    assert "要找人工" in await town.room.heard()
    assert case.facts.clocks["first_response"].running


async def test_what_follows_a_call_for_a_human_belongs_to_that_case(town):
    wang = await town.customer()
    await wang.say("人工")
    heard = await wang.say("灯坏了，用两天就坏，质量太差")
    if "哪一件" in heard:  # asked at worst, never lost and never a second case by itself
        await wang.press(heard.labels[0])
    assert len(town.cases()) == 1
    assert town.case().words.said[-1].text == "灯坏了，用两天就坏，质量太差"
    assert town.case().facts.clocks["first_response"].running, "and somebody must answer"


async def test_thanks_and_greetings_are_answered_and_change_nothing(town):
    wang = await town.customer()
    await wang.file()
    before = len(town.journal())
    assert "不客气" in await wang.say("谢谢")
    assert "您好" in await wang.say("你好")
    assert len(town.journal()) == before


async def test_a_sticker_or_a_place_gets_an_answer(town):
    wang = await town.customer()
    await wang.file()
    await wang.phone.send_sticker("😡")
    assert await wang._after()
    await wang.phone.send_location(51.34, 12.37)
    assert await wang._after()


async def test_a_yes_in_words_accepts_the_only_proposal_and_a_no_brings_its_reason(town):
    zhou = await town.agent("周敏", "reception")
    wang = await town.customer()
    await wang.file()
    number = town.case().number
    await zhou.all(number, f"!{number}", "!我来处理", "!提出方案", "5%优惠券")
    await wang.heard()
    heard = await wang.say("5%优惠券?不行")
    assert "新方案" in heard
    assert town.case().state == "solution_drafted"
    assert town.case().facts.rejections == 1
    await zhou.heard()
    await zhou.all("!提出方案", "免费空运补发")
    await wang.heard()
    assert "马上落实" in await wang.say("免费空运补发 可以")
    assert town.case().state == "executing"


async def test_words_whose_case_is_never_named_reach_somebody_all_the_same(town):
    zhou = await town.agent("周敏", "reception", "logistics", "sales")
    wang = await town.customer()
    await _open_cases(town, wang, 2)
    await zhou.all(town.case().number, f"!{town.case().number}", "!我来处理")
    await zhou.heard()
    assert "哪一件" in await wang.say("包裹到现在一点动静都没有")
    await town.pass_time(hours=2, minutes=5)
    assert "已经记到" in await wang.heard()
    assert town.case().words.said[-1].text == "包裹到现在一点动静都没有"
    assert "新消息" in await zhou.heard()


async def test_words_are_kept_though_an_agent_asks_something_meanwhile(town):
    zhou = await town.agent("周敏", "reception")
    wang = await town.customer()
    await _open_cases(town, wang, 2)
    assert "哪一件" in await wang.say("包裹到现在一点动静都没有")
    await _asked(town, zhou, town.cases()[0])
    await wang.heard()
    assert "转给同事" in await wang.say("莱比锡那个仓库")
    await town.pass_time(hours=2, minutes=5)
    said = [each.text for case in town.cases() for each in case.words.said]
    assert "莱比锡那个仓库" in said
    assert "包裹到现在一点动静都没有" in said


async def test_who_comes_back_after_reception_took_over_is_heard(town):
    zhou = await town.agent("周敏", "reception", "qc")
    wang = await town.customer()
    await wang.all("灯坏了，用两天就坏，质量太差", "!同意", "王岚")
    await town.until("2025-03-07 10:00")
    assert town.case().state == "handed_over"
    await zhou.heard()
    await wang.heard()
    heard = await wang.say("我在马德里，电话13812345678")
    assert "订单号是多少" in await wang.press(heard.labels[0])
    assert "哪个型号" in await wang.say("PO-88213"), "the form goes on where it was left"
    heard = await wang.all("跳过", "退款", "跳过", "!没问题，提交")
    assert "已经记到" in heard
    assert town.case().words.answers["contact"] == "+8613812345678"
    assert "新消息" in await zhou.heard()


async def test_every_button_may_be_typed_in_every_language(found):
    """What stands on a button means what it says, also where somebody types it."""
    from handlers.intake import _BUTTONS

    town = await found(room=False)
    wording, reader = town.service.book.wording, town.service.book.reader
    meant = {
        "form.back": "back", "form.skip": "skip", "form.human": "human", "consent.yes": "yes", "consent.no": "no",
        "menu.new": "new", "menu.status": "status", "menu.help": "help", "review.edit": "edit", "review.cancel": "cancel",
    }  # fmt: skip
    for language in ("zh-Hans", "zh-Hant", "en"):
        for key, wish in meant.items():
            label = wording.say(language, key)
            assert reader.intent(label) == wish, (language, key, label)
    assert set(_BUTTONS) == {"consenting", "filling", "reviewing", "cancelling"}
