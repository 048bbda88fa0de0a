"""Some days after the work is done the customer is asked how it went: once, politely, and with consequences."""


async def _done(town, agent, person, at="2025-03-12 17:00"):
    """Bring a case to its end."""
    await person.file()
    number = town.case().number
    await agent.all(number, f"!{number}", "!我来处理", "!提出方案", "免费补发")
    await person.press("同意这个方案")
    await town.until(at)
    await agent.all("!已办完", "补发已签收")
    await person.heard()
    await agent.heard()


async def test_a_bad_score_reopens_the_handling_and_alerts(town):
    zhou = await town.agent("周敏", "reception", "logistics")
    head = await town.agent("何经理", "dept_head")
    wang = await town.customer()
    await _done(town, zhou, wang)
    await head.heard()
    number = town.case().number
    await town.until("2025-03-17 09:00")
    await wang.heard()
    await wang.all("!1", "2")
    heard = await wang.press("没有了")
    assert "很抱歉" in heard
    assert "重新开始处理" in heard
    case = town.case()
    assert (case.state, case.cycle, case.facts.reopenings) == ("investigating", 2, 1)
    assert town.due("rework") == "2025-03-20 18:00"
    assert "回访评分低" in await head.heard()
    told = await zhou.heard()
    assert number in told
    assert "1 分" in told
    await zhou.all("!提出方案", "上门道歉并退款")
    await wang.press("同意这个方案")
    await zhou.all("!已办完", "已退款")
    await wang.heard()
    await town.until("2025-03-20 09:00")
    survey = await wang.heard()
    assert survey.labels == ["1", "2", "3", "4", "5"], "a new cycle, a new survey"
    await wang.all("5", "5", "没有了")
    assert [event.facts["cycle"] for event in town.events("survey_sent")] == [1, 2]
    assert town.case().state == "completed"


async def test_at_most_two_reminders_and_then_it_ends(town):
    zhou = await town.agent("周敏", "reception")
    wang = await town.customer()
    await _done(town, zhou, wang)
    await town.until("2025-03-17 09:30")
    assert (await wang.heard()).many == 1
    await town.until("2025-04-10 12:00")
    reminders = await wang.heard()
    assert reminders.many == 2
    assert "再打扰一下" in reminders
    assert len(town.events("survey_reminded")) == 2
    assert len(town.events("survey_expired")) == 1
    late = await wang.press("5")
    assert "结束" in late.toast
    assert town.events("survey_answered") == []


async def test_a_survey_never_comes_into_an_open_form(town):
    zhou = await town.agent("周敏", "reception")
    wang = await town.customer()
    await _done(town, zhou, wang)
    await town.until("2025-03-17 08:50")
    asked = await wang.all("/new", "客服态度恶劣，还骂人")
    await town.until("2025-03-17 09:10")
    assert "投诉" not in await wang.heard()
    assert town.events("survey_sent", town.cases()[0]) == []
    await wang.finish(asked)
    await town.until("2025-03-17 10:00")
    survey = await wang.heard()
    assert town.cases()[0].number in survey
    assert survey.labels == ["1", "2", "3", "4", "5"]


async def test_a_score_may_be_typed_and_a_story_is_no_score(town):
    zhou = await town.agent("周敏", "reception")
    wang = await town.customer()
    await _done(town, zhou, wang)
    await town.until("2025-03-17 09:00")
    await wang.heard()
    assert "结果" in await wang.say("5分")
    heard = await wang.say("物流又没更新了")
    assert [event.facts["score"] for event in town.events("survey_answered")] == [5]
    assert "哪一件" in heard
    heard = await wang.press("新的投诉")
    assert town.case().type == "logistics_delay"
    assert len(town.cases()) == 2


async def test_no_survey_at_night_or_on_a_day_off(found):
    town = await found("2025-03-03 10:15")
    zhou = await town.agent("周敏", "reception")
    wang = await town.customer()
    await _done(town, zhou, wang, at="2025-03-28 17:00")
    await town.stop()
    town.clock.set("2025-04-02 23:30")
    await town.start()
    assert not await wang.heard(), "it was due at 09:00, and it is night"
    await town.until("2025-04-03 07:59")
    assert not await wang.heard()
    await town.until("2025-04-03 08:00")
    assert (await wang.heard()).labels == ["1", "2", "3", "4", "5"]


async def test_scores_are_asked_once_per_resolution(town):
    zhou = await town.agent("周敏", "reception")
    wang = await town.customer()
    await _done(town, zhou, wang)
    await town.until("2025-03-17 09:00")
    first = await wang.heard()
    await wang.all("5", "4", "没有了")
    again = await wang.press("1", message=first.messages[-1])
    assert "结束" in again.toast
    await town.until("2025-04-10 12:00")
    assert len(town.events("survey_sent")) == 1
    assert [event.facts["score"] for event in town.events("survey_answered")] == [5, 4, 0]


async def test_another_trouble_that_is_named_in_a_survey_is_a_complaint_of_its_own(town):
    zhou = await town.agent("周敏", "reception")
    wang = await town.customer()
    await _done(town, zhou, wang)
    first = town.case()
    await town.until("2025-03-17 09:00")
    await wang.heard()
    heard = await wang.say("收到了 但是少了2件")
    assert [case.type for case in town.cases()] == ["logistics_delay", "wrong_goods"]
    assert town.case().number in heard
    assert town.case(0).state == "completed"
    assert first.customer_id == town.case().customer_id


async def test_a_comment_that_names_a_danger_calls_people(town):
    zhou = await town.agent("周敏", "reception")
    boss = await town.agent("李总", "leading_group")
    wang = await town.customer()
    await _done(town, zhou, wang)
    await town.until("2025-03-17 09:00")
    await wang.heard()
    await boss.heard()
    await wang.all("4", "4", "新寄来的灯昨天漏电，孩子触电送医院了")
    assert "人身安全" in await boss.heard()


async def test_a_customer_who_says_it_is_not_done_is_reopened_and_not_surveyed(town):
    zhou = await town.agent("周敏", "reception")
    wang = await town.customer()
    await _done(town, zhou, wang)
    asked = await wang.press("还有问题没解决")
    assert "还有什么没有解决" in asked
    heard = await wang.say("少了两件")
    assert "重新开始处理" in heard
    assert town.case().state == "investigating"
    assert town.case().cycle == 2
    assert "说还没解决" in await zhou.heard()
    await town.until("2025-03-20 12:00")
    assert town.events("survey_sent") == []


async def test_after_the_reopen_window_the_button_is_stale(town):
    zhou = await town.agent("周敏", "reception")
    wang = await town.customer()
    await _done(town, zhou, wang)
    await town.until("2025-03-25 10:00")
    heard = await wang.press("还有问题没解决")
    assert "已经过去" in heard.toast
    assert town.case().state == "completed"
