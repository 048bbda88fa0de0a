"""The worked stories of a trading company, each with its dates, in three languages."""


async def test_broken_lamps_on_a_friday_night_in_english(found):
    town = await found("2025-03-14 21:30")
    zhou = await town.agent("周敏", "reception", "qc", language="zh-Hans")
    head = await town.agent("Quinn", "dept_head", language="en")
    tom = await town.customer("Tom Price", "en")
    heard = await tom.say(
        "Hi, 12 of the 50 lamps in order PO-77120 came broken, and the plugs are the wrong size. Poor quality. "
        "I want replacements or a refund."
    )
    case = town.case()
    assert case.number in heard
    assert "Mon 17 Mar, 09:00" in heard
    assert heard.labels == ["I agree", "I don't agree"]
    assert (case.type, case.facts.flags) == ("product_quality", [])
    assert case.facts.grades["urgency"] == "normal"
    assert town.due("first_response") == "2025-03-17 10:00"
    asked = await tom.press(heard.labels[0])
    assert "What name" in asked

    await town.until("2025-03-17 09:20")
    heard = await tom.say("Tom Price, tom@price-lighting.example, Manchester. Model LX-7.")
    answers = town.case().words.answers
    assert answers["name"] == "Tom Price"
    assert answers["contact"] == "tom@price-lighting.example"
    assert answers["region"] == "Manchester"
    assert answers["model"] == "LX-7"
    assert answers["order_no"] == "PO-77120"
    for _ in range(3):
        if "Correct, send it" in heard.labels:
            break
        heard = await tom.say("replacement" if "What would you like" in heard else "skip")
    assert town.case().state == "received", "not accepted before it was read back"
    assert "Tom Price" in heard
    await town.until("2025-03-17 09:40")
    accepted = await tom.say("Yes that is all correct.")
    assert "Thu 20 Mar, 18:00" in accepted
    assert town.case().department == "qc"
    assert town.due("investigate_start") == "2025-03-17 10:40"
    assert town.due("propose") == "2025-03-20 18:00"
    assert "New complaint" in await head.heard(), "staff read their own language"
    assert "新投诉" in await zhou.heard()

    await zhou.all("!我来处理", "!提出方案", "12 new lamps by courier")
    assert "12 new lamps by courier" in await tom.heard()
    await tom.press("I agree")
    await town.until("2025-03-24 16:00")
    await zhou.all("!已办完", "Delivered and installed")
    await tom.heard()
    await town.until("2025-03-27 08:59")
    assert not await tom.heard()
    await town.until("2025-03-27 09:00")
    survey = await tom.heard()
    assert survey.labels == ["1", "2", "3", "4", "5"]
    assert "1 is very bad" in survey
    assert town.case().facts.surveys[0].expires_at == town.clock.of("2025-04-02 18:00")
    await tom.all("5", "5")
    assert "hank you" in await tom.press((await tom.phone.transcript()).last.buttons[0].text)
    transcript = "".join(message.text for message in (await tom.phone.transcript()).messages if message.from_bot)
    assert not any("一" <= sign <= "鿿" for sign in transcript), "not a word of Chinese"


async def test_a_parcel_is_stuck_two_proposals_are_refused_and_the_survey_finds_a_new_problem(found):
    town = await found("2025-03-03 10:15")
    zhou = await town.agent("周敏", "reception", "logistics")
    boss = await town.agent("李总", "leading_group")
    wang = await town.customer("王岚")
    heard = await wang.say("订单YX20250201-6 物流没更新都二十天了…呃…就是卡在里昂那边不动了 我客户天天催")
    assert town.case().type == "logistics_delay"
    assert town.due("first_response") == "2025-03-03 11:15"
    await wang.press("同意")
    heard = await wang.say("王岚 微信就行 人在马德里 要么赶紧到要么重发")
    assert "哪个型号" in heard, "the model is all that is missing"
    heard = await wang.all("跳过", "跳过")
    assert "请核对投诉" in heard
    await town.until("2025-03-03 11:00")
    await wang.say("没问题")
    assert town.due("propose") == "2025-03-06 18:00"
    await zhou.all("!我来处理", "!回复客户", "您好，我在和物流公司核实")
    await wang.heard()

    await town.until("2025-03-04 15:00")
    status = await wang.say("到哪了?")
    assert "正在调查" in status
    assert "3月6日（周四）18:00" in status

    await town.until("2025-03-05 10:00")
    await zhou.all("!提出方案", "补偿5%优惠券")
    await town.until("2025-03-05 10:30")
    await wang.heard()
    assert "新方案" in await wang.say("5%优惠券?不行")
    assert "请调整" in await zhou.heard()
    await zhou.all("!提出方案", "空运补发，运费各付一半")
    await town.until("2025-03-05 16:00")
    await wang.heard()
    assert "新方案" in await wang.say("空运还要我出一半运费 不接受")
    assert town.case().facts.rejections == 2
    assert town.case().state == "solution_drafted"
    await zhou.heard()
    await zhou.all("!提出方案", "免费空运补发")
    await town.until("2025-03-06 09:30")
    await wang.heard()
    assert "马上落实" in await wang.say("免费空运补发 可以")
    assert town.due("execute") == "2025-03-17 18:00"
    assert not await boss.heard(), "two refusals do not reach the leading group"
    await town.until("2025-03-12 17:00")
    await zhou.all("!已办完", "已送达")
    await wang.heard()
    await town.until("2025-03-17 10:10")
    assert (await wang.heard()).labels == ["1", "2", "3", "4", "5"]
    assert town.case().facts.surveys[0].due_at == town.clock.of("2025-03-17 09:00")
    assert town.case().facts.surveys[0].expires_at == town.clock.of("2025-03-21 18:00")
    heard = await wang.say("收到了 但是少了2件")
    new = town.case()
    assert len(town.cases()) == 2
    assert new.number in heard
    assert new.type == "wrong_goods"


async def test_children_are_hurt_a_journalist_calls_and_three_departments_are_involved(found):
    town = await found("2025-03-05 11:00")
    zhou = await town.agent("周敏", "reception")
    boss = await town.agent("李总", "leading_group")
    head = await town.agent("何经理", "dept_head")
    wang = await town.customer("陈先生")
    heard = await wang.say("你们那批儿童餐椅 质量问题 已经有3个孩子摔受伤了 当地记者联系我了")
    case = town.case()
    assert "已经立刻通知人工" in heard
    assert case.type == "product_quality"
    assert set(case.facts.flags) == {"safety", "media"}
    assert case.facts.grades["urgency"] == "urgent"
    alert = await boss.heard()
    assert case.number in alert
    assert "人身安全" in alert
    assert town.due("first_response") == "2025-03-05 12:00"
    assert town.due("urgent_call") == "2025-03-05 11:15"
    await wang.press("同意")
    heard = await wang.say("我损失几十万 订单CN-7741 洛杉矶 今天必须给说法 全部召回退货")
    assert set(town.case().facts.flags) == {"safety", "media", "big_loss"}
    assert town.case().facts.grades["gravity"] == "major"
    assert "重大利益损失" in await boss.heard()
    answers = town.case().words.answers
    assert answers["order_no"] == "CN-7741"
    assert answers["region"] == "洛杉矶"
    assert answers["expected_solution"] in ("return", "refund")
    await town.until("2025-03-05 11:09")
    await wang.all("陈先生", "13812345678", "跳过", "跳过")
    await town.until("2025-03-05 11:10")
    await wang.press("没问题，提交")
    assert town.case().state == "emergency"
    assert "紧急程序" in await boss.heard()
    assert "紧急程序" in await head.heard()
    listed = await zhou.say("/cases")
    assert town.case().number in listed
    await town.until("2025-03-05 11:16")
    assert "超时" in await boss.heard(), "fifteen minutes are over"
    number = town.case().number
    await boss.all(number, f"!{number}", "!更多…", "!转给部门", "!质量控制部门")
    assert town.case().state == "handed_over"


async def test_a_complaint_in_traditional_chinese_is_answered_in_traditional_chinese(found):
    town = await found("2025-03-03 10:15")
    zhou = await town.agent("周敏", "reception", "qc")
    lin = await town.customer("林小姐", "zh-hant")
    heard = await lin.say("這批杯子品質太差，打開就裂開了，還有異味")
    assert "您的投訴編號" in heard
    assert town.case().type == "product_quality"
    heard = await lin.press("同意")
    assert "怎麼稱呼您" in heard
    heard = await lin.all("林小姐", "0912345678", "台北", "PO-55120", "略過", "退款", "略過")
    assert "沒問題" in "".join(heard.labels)
    heard = await lin.press(heard.labels[0])
    assert "3月6日" in heard
    assert town.case().words.answers["contact"] in ("+886912345678", "0912345678")
    await zhou.all("!我来处理", "!提出方案", "全額退款")
    heard = await lin.heard()
    assert "全額退款" in heard
    await lin.press(heard.labels[0])
    await zhou.all("!已办完", "已退款")
    await lin.heard()
    await town.until("2025-03-06 09:00")
    assert "投訴" in await lin.heard()
    await lin.all("5", "5")
    said = "".join(message.text for message in (await lin.phone.transcript()).messages if message.from_bot)
    assert not set("诉编号问么联系经业务给谢这还") & set(said.replace("已退款", "")), "no simplified character"


async def test_the_language_follows_the_words_and_not_a_number(town):
    wang = await town.customer("Wang", "en")
    assert "Just" in await wang.say("/help")
    heard = await wang.say("灯坏了，用两天就坏，质量太差")
    assert "您的投诉编号" in heard
    await wang.press("同意")
    await wang.all("王岚", "13812345678", "马德里", "PO-88213", "LX-7", "退款", "跳过", "!没问题，提交")
    number = town.case().number
    assert "您的投诉" in await wang.say(number)
    assert "您的投诉" in await wang.say("/status")
