"""The customer's own time goes before a limit, and a person may pause what may wait."""

import pytest

from complaints.errors import NotAllowed
from tests.stories.conftest import title
from tests.stories.test_decisions import act

WISH = {
    "requested_time": {
        "kind": "moment", "required": False, "slots": ["moment"], "title": title("希望几点回复"),
        "ask": title("希望几点回复您？"), "hint": title("写一个时间，比如今天18:30"),
    }
}  # fmt: skip
REPLY = {"answer_customer": {"title": title("回复客户"), "start": "noted", "stop": "replied", "wish": "requested_time",
                             "limit": {"amount": 10, "unit": "minute", "basis": "elapsed"}}}  # fmt: skip


async def test_the_time_that_a_customer_asks_for_goes_before_the_ten_minutes(shaped):
    town = await shaped(fields=WISH, clocks=REPLY, at="2025-03-10 10:03")
    zhou = await town.agent("周敏", "reception", "logistics")
    wang = await town.customer()
    heard = await wang.file("订单YX20250118-3 物流没更新都半个月了 我上班 晚上七点半给我回话")
    assert "希望几点回复您" not in heard
    assert town.case().words.answers["requested_time"] == "19:30"
    await town.jump("2025-03-10 10:48")
    act(town, zhou.member, "note", text="安装师傅会上门")
    assert town.due("answer_customer") == "2025-03-10 19:30"


async def test_tomorrow_is_the_day_after_it_was_said(shaped):
    town = await shaped(fields=WISH, clocks=REPLY, at="2025-03-10 10:03")
    zhou = await town.agent("周敏", "reception", "logistics")
    wang = await town.customer()
    await wang.file("订单YX20250118-3 物流没更新都半个月了，明天下午4点给我回电话")
    assert town.case().words.answers["requested_time"] == "2025-03-11 16:00"
    await town.jump("2025-03-11 09:00")
    act(town, zhou.member, "note", text="查到了")
    assert town.due("answer_customer") == "2025-03-11 16:00"


async def test_the_form_takes_a_time_alone_and_asks_again_for_nonsense(shaped):
    town = await shaped(fields=WISH, clocks=REPLY, at="2025-03-10 10:03")
    wang = await town.customer()
    heard = await wang.say("订单YX20250118-3 物流没更新都半个月了")
    for _ in range(12):
        if "希望几点回复您" in heard:
            break
        heard = await (wang.press("同意") if "同意" in heard.labels else wang.say(_answer(heard)))
    for nonsense in ("25点", "下午99点", "随便什么时候都行啦", "7点半", "2020-01-01 10:00"):
        assert "写一个时间" in await wang.say(nonsense), nonsense
    await wang.say("明天上午十点")
    assert town.case().words.answers["requested_time"] == "2025-03-11 10:00"


def _answer(heard):
    asked = {"怎么称呼您": "王岚", "怎么联系您": "13812345678", "哪个城市": "马德里", "怎么解决": "退款"}
    return next((answer for part, answer in asked.items() if part in heard), "跳过")


async def test_a_new_wish_takes_the_place_of_the_old_one(shaped):
    town = await shaped(fields=WISH, clocks=REPLY, at="2025-03-10 10:03")
    zhou = await town.agent("周敏", "reception", "logistics")
    wang = await town.customer()
    await wang.file("订单YX20250118-3 物流没更新都半个月了 晚上七点半给我回话")
    act(town, zhou.member, "note", text="查到了")
    number = town.case().number
    await zhou.all(number, f"!{number}", "!我来处理", "!问客户", "什么时候方便？")
    await wang.say("改成晚上九点给我打电话")
    assert town.case().words.answers["requested_time"] == "21:00"
    assert town.due("answer_customer") == "2025-03-10 21:00"


PAUSES = {"propose": {"pauses": ["customer", "desk"], "pause": {
    "nudge": {"amount": 1, "unit": "workday"}, "most": {"amount": 2, "unit": "workday"}}}}  # fmt: skip


async def paused(shaped, **more):
    town = await shaped(clocks={"propose": {**PAUSES["propose"], **more}})
    zhou = await town.agent("周敏", "reception", "logistics")
    wang = await town.customer()
    await wang.file()
    number = town.case().number
    await zhou.all(number, f"!{number}", "!我来处理", "!更多…", "!暂停计时", "等检测报告")
    return town, zhou, wang, number


async def test_a_person_pauses_what_may_wait_and_it_runs_on_with_the_time_it_had_left(shaped):
    town, zhou, wang, number = await paused(shaped)
    run = town.case().facts.clocks["propose"]
    assert run.paused_for == ["desk"]
    assert town.events("clock_paused")[0].words == {"reason": "等检测报告"}
    await town.until("2025-03-04 10:15")
    assert "我们只能" not in await wang.heard()
    await zhou.all(number, f"!{number}", "!恢复计时")
    assert town.case().facts.clocks["propose"].paused_at is None
    assert town.due("propose")[:10] == "2025-03-07"
    assert "超时" not in await zhou.heard()


async def test_a_pause_ends_by_itself_and_says_so(shaped):
    town, zhou, wang, _ = await paused(shaped)
    await wang.heard()
    await zhou.heard()
    await town.until("2025-03-05 18:01")
    assert "暂停时间到了" in await zhou.heard()
    assert town.case().facts.clocks["propose"].paused_at is None
    assert town.events("reminded") == [], "the customer was asked nothing"


async def test_a_customers_answer_does_not_end_a_pause_of_the_desk(shaped):
    town, zhou, wang, number = await paused(shaped)
    await zhou.all(number, f"!{number}", "!问客户", "是哪个仓库？")
    assert town.case().facts.clocks["propose"].paused_for == ["desk", "customer"]
    await wang.say("莱比锡")
    assert town.case().facts.clocks["propose"].paused_for == ["desk"]
    act(town, zhou.member, "resume")
    assert town.case().facts.clocks["propose"].paused_at is None


async def test_all_pauses_together_last_no_longer_than_their_total(shaped):
    pause = {**PAUSES["propose"]["pause"], "total": {"amount": 4, "unit": "hour", "basis": "working"}}
    town, zhou, _, _ = await paused(shaped, pause=pause)
    await town.until("2025-03-03 13:15")
    act(town, zhou.member, "resume")
    act(town, zhou.member, "pause", text="再等一下")
    await town.until("2025-03-03 14:16")
    run = town.case().facts.clocks["propose"]
    assert run.paused_at is None
    with pytest.raises(NotAllowed) as refused:
        act(town, zhou.member, "pause", text="还要等")
    assert refused.value.key == "error.pause_over"


async def test_what_may_not_wait_is_not_paused(shaped):
    town = await shaped()
    zhou = await town.agent("周敏", "reception", "logistics")
    await (await town.customer()).file()
    number = town.case().number
    shown = await zhou.all(number, f"!{number}", "!我来处理")
    assert "暂停计时" not in [*shown.labels, *(await zhou.press("更多…")).labels]
    with pytest.raises(NotAllowed):
        act(town, zhou.member, "pause", text="等一下")
