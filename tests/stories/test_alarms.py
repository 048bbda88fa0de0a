"""What must be seen goes on from person to person until somebody says so, and calls out to a telephone meanwhile."""

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.stories.people import role, ruled, shift, shown  # noqa: F401 # a fixture

FIRE = "充电器起火了，孩子被烫伤，电话13812345678"
SECRET = "a secret that the telephone knows too"
TEN = {"amount": 10, "unit": "minute", "basis": "elapsed"}
DANGER = {"id": "danger", "on": "flagged", "to": "night_watch", "say": "notice.flagged", "alarm": True}
SEEN = "我已看到"


@dataclass
class Telephone:
    """Whoever telephones for the company: a server that takes call-outs, or, with another `status`, does not."""

    url: str = ""
    status: int = 200
    calls: list[dict[str, Any]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    refused: int = 0

    async def take(self, request: web.Request) -> web.Response:
        body = await request.read()
        proof = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
        assert request.headers["X-Plaint-Signature"] == f"sha256={proof}"
        assert request.content_type == "application/json"
        if self.status != 200:
            self.refused += 1
            return web.Response(status=self.status)
        self.bodies.append(body)
        self.calls.append(json.loads(body))
        return web.Response()

    def settings(self) -> dict[str, str]:
        return {"alarm_url": self.url, "alarm_secret": SECRET}


@pytest.fixture
async def telephone() -> AsyncIterator[Telephone]:
    phone = Telephone()
    async with AsyncExitStack() as doors:
        app = web.Application()
        app.router.add_post("/call", phone.take)
        server = TestServer(app)
        await server.start_server()
        doors.push_async_callback(server.close)
        phone.url = str(server.make_url("/call"))
        yield phone


@pytest.fixture
def watched(ruled: Any, telephone: Telephone) -> Callable[..., Awaitable[Any]]:  # noqa: F811
    """Return a function that founds a town where a danger alarms the night watch, then heads, then the leading group."""

    async def town(**given: Any) -> Any:
        routing = {"alarm": {"acknowledge": TEN, "then": ["dept_head", "leading_group"]}, **given.pop("routing", {})}
        return await ruled(role("night_watch"), routing=routing, notices=(DANGER, *given.pop("more", ())),
                           **telephone.settings(), **given)  # fmt: skip

    return town


def rounds(town: Any) -> list[tuple[int, list[int]]]:
    return [(event.facts["round"], event.facts["told"]) for event in town.events("alarmed")]


async def test_an_alarm_is_told_with_a_button_until_one_has_seen_it_and_all_hear_who(watched, telephone):
    town = await watched()
    one, two = await town.agent("夜班甲", "night_watch"), await town.agent("夜班乙", "night_watch")
    await (await town.customer()).say(FIRE)
    number = town.case().number
    for each in (one, two):
        heard = await each.heard()
        assert "告警（第 1 次）" in heard
        assert number in heard
        assert SEEN in heard.labels
        alarm = heard.messages[-1]
    done = await two.press(SEEN, message=alarm)
    assert done.toast == "好了。"
    assert f"{number}：夜班乙已看到告警" in await one.heard()
    run = town.case().facts.alarms["danger"]
    assert (run.seen_by, run.rounds) == (two.member.id, 0)
    assert town.events("acknowledged")[-1].actor == f"staff:{two.member.id}"
    again = await one.press(SEEN)
    assert "不能这样操作" in again.toast, "somebody has it already"
    await town.pass_time(hours=1)
    assert len(rounds(town)) == 1
    assert telephone.calls == []


async def test_whoever_does_something_with_the_case_has_seen_its_alarm(watched, telephone):
    town = await watched()
    watch, zhou = await town.agent("夜班甲", "night_watch"), await town.agent("周敏", "reception")
    await (await town.customer()).say(FIRE)
    number = town.case().number
    await watch.heard()
    await zhou.all(number, f"!{number}", "!我来处理")
    assert town.case().facts.alarms["danger"].seen_by == zhou.member.id
    assert f"{number}：周敏已看到告警" in await watch.heard()
    await town.pass_time(hours=1)
    assert len(rounds(town)) == 1
    assert telephone.calls == []


async def test_an_alarm_that_an_act_itself_raises_goes_on(watched):
    worse = {"id": "worse", "on": "claimed", "to": "night_watch", "say": "notice.flagged", "alarm": True}
    town = await watched(more=(worse,))
    watch, zhou = await town.agent("夜班甲", "night_watch"), await town.agent("周敏", "reception")
    await (await town.customer()).say(FIRE)
    number = town.case().number
    await zhou.all(number, f"!{number}", "!我来处理")
    alarms = town.case().facts.alarms
    assert (alarms["danger"].seen_by, alarms["worse"].seen_by) == (zhou.member.id, None)
    await town.pass_time(minutes=10)
    assert town.events("alarmed")[-1].facts["alarm"] == "worse", "it is new, and nobody has seen it"
    assert await watch.heard()


async def test_an_alarm_that_nobody_sees_goes_to_the_next_person_then_on_by_role_and_calls_out(watched, telephone):
    town = await watched()
    one, two = await town.agent("夜班甲", "night_watch"), await town.agent("夜班乙", "night_watch")
    head, boss = await town.agent("何经理", "dept_head"), await town.agent("李总", "leading_group")
    shift(town, one, "2025-03-03 08:00", "2025-03-03 20:00", "night_watch")
    await (await town.customer()).say(FIRE)
    case = town.case()
    people = [each.member.id for each in (one, two, head, boss)]
    assert rounds(town) == [(0, people[:1])], "who is on call is told first"
    await town.pass_time(minutes=9)
    assert telephone.calls == []
    for count, told in enumerate(([people[1]], [people[2]], [people[3]]), 1):
        await town.pass_time(minutes=10)
        assert rounds(town)[-1] == (count, told)
        assert telephone.calls[-1]["round"] == count
    assert "告警（第 4 次）" in await boss.heard()
    await town.pass_time(minutes=10)
    number, again = rounds(town)[-1]
    assert number == 4
    assert set(again) == {people[0], people[2], people[3]}, "then all of those roles once more"
    assert [each["round"] for each in telephone.calls] == [1, 2, 3, 4]
    call = telephone.calls[0]
    assert {**call, "at": ""} == {
        "number": case.number,
        "company": "trade_003",
        "round": 1,
        "title": "人身安全 · 产品质量问题",
        "at": "",
    }
    for body in telephone.bodies:
        assert "13812345678" not in body.decode()
        assert "起火" not in body.decode()


async def test_an_alarm_ends_with_its_case(watched, telephone):
    town = await watched()
    await town.agent("夜班甲", "night_watch")
    wang = await town.customer()
    await wang.say(FIRE)
    await wang.say("撤诉")
    await wang.all("?确定撤回")
    if town.case().open:
        await wang.finish(await wang.say("继续"))
        await wang.say("撤诉")
        await wang.press("确定撤回")
    assert not town.case().open
    count = len(rounds(town))
    await town.pass_time(hours=2)
    assert len(rounds(town)) == count
    assert town.timers() == []


async def test_a_service_that_was_down_goes_on_with_one_round_and_one_call(watched, telephone):
    town = await watched()
    await town.agent("夜班甲", "night_watch")
    head = await town.agent("何经理", "dept_head")
    await (await town.customer()).say(FIRE)
    await town.stop()
    town.clock.push(hours=5)
    await town.start()
    assert [number for number, _ in rounds(town)] == [0, 1]
    assert [each["round"] for each in telephone.calls] == [1]
    assert (await head.heard()).count("告警（") == 1
    await town.pass_time(minutes=11)
    assert [number for number, _ in rounds(town)] == [0, 1, 2]


async def test_a_call_that_is_not_taken_is_tried_again(watched, telephone):
    town = await watched()
    await town.agent("夜班甲", "night_watch")
    await (await town.customer()).say(FIRE)
    telephone.status = 503
    town.clock.push(minutes=10, seconds=5)
    while not telephone.refused:
        await _a_moment()
    telephone.status = 200
    await town.settle()
    assert [each["round"] for each in telephone.calls] == [1]


async def test_a_telephone_that_was_away_is_not_flooded_with_the_rounds_it_missed(watched, telephone):
    town = await watched()
    await town.agent("夜班甲", "night_watch")
    await (await town.customer()).say(FIRE)
    telephone.status = 503
    for count, gap in ((1, 10), (2, 20), (3, 40)):  # nobody else is there to be told
        town.clock.push(minutes=gap, seconds=5)
        while len(rounds(town)) <= count or not telephone.refused:
            await _a_moment()
    telephone.status = 200
    await town.settle()
    assert [each["round"] for each in telephone.calls] == [3], "the others are over: this one calls for all of them"


async def test_a_call_that_is_refused_for_good_is_shown_among_what_is_dead(watched, telephone):
    town = await watched()
    town.tolerated.add("dead")
    await town.agent("夜班甲", "night_watch")
    await (await town.customer()).say(FIRE)
    telephone.status = 401
    await town.pass_time(minutes=11)
    assert town.trays().outbox_dead == 1
    with town.store.read() as ledger:
        assert ledger.dead_letters(10)[0].error == "HTTP 401"


async def test_the_title_of_a_hidden_case_is_not_called_out(watched, telephone):
    town = await watched(routing={"hidden": [{"when": {"flags": "safety"}, "only": ["night_watch"]}]})
    one, head = await town.agent("夜班甲", "night_watch"), await town.agent("何经理", "dept_head")
    await (await town.customer()).say(FIRE)
    await town.pass_time(minutes=11)
    assert telephone.calls[-1]["title"] == ""
    assert SEEN in (await one.heard()).labels
    assert not await head.heard(), "an alarm goes to nobody from whom the case is kept"


async def test_an_alarm_that_sounds_already_is_not_raised_again(watched, telephone):
    town = await watched()
    one = await town.agent("夜班甲", "night_watch")
    wang = await town.customer()
    await wang.say(FIRE)
    await wang.press("同意")
    await wang.say("我要找记者曝光你们")
    assert len(rounds(town)) == 1
    assert len(town.events("flagged")) > 1
    await shown(one, town.case().number)
    await one.press(SEEN)
    assert town.case().facts.alarms["danger"].seen_by == one.member.id


async def test_an_alarm_in_the_group_is_acknowledged_there_and_the_group_hears_who(watched, telephone):
    loud = {"id": "loud", "on": "flagged", "to": "agents", "say": "notice.flagged", "alarm": True}
    town = await watched(more=(loud,))
    zhou = await town.agent("周敏", "reception")
    await town.room.heard()
    await (await town.customer()).say(FIRE)
    assert SEEN in (await town.room.heard()).labels
    done = await town.in_room(zhou).press(SEEN)
    assert done.toast == "好了。"
    assert "周敏已看到告警" in await town.room.heard()
    assert all(run.seen_by == zhou.member.id for run in town.case().facts.alarms.values())


async def test_without_an_address_to_call_out_to_an_alarm_goes_on_all_the_same(ruled):  # noqa: F811
    town = await ruled(role("night_watch"), routing={"alarm": {"acknowledge": TEN, "then": "dept_head"}},
                       notices=(DANGER,))  # fmt: skip
    head = await town.agent("何经理", "dept_head")
    await town.agent("夜班甲", "night_watch")
    await (await town.customer()).say(FIRE)
    await town.pass_time(minutes=11)
    assert "告警（第 2 次）" in await head.heard()
    assert town.trays().outbox_waiting == 0


async def test_an_alarm_for_a_role_that_nobody_has_reaches_reception(watched, telephone):
    town = await watched()
    zhou = await town.agent("周敏", "reception")
    await (await town.customer()).say(FIRE)
    heard = await zhou.heard()
    assert "告警（第 1 次）" in heard
    assert SEEN in heard.labels


async def _a_moment() -> None:
    await asyncio.sleep(0.01)
