"""Everything that goes wrong with the real platform can go wrong here, on demand."""

import asyncio
from datetime import timedelta

import pytest
from telegram import Bot
from telegram.error import BadRequest, NetworkError, RetryAfter, TimedOut

from sandbox import Phone, Sandbox
from sandbox.faults import Limits, Pace
from tests.sandbox.conftest import Receiver, until


async def test_the_next_calls_are_throttled(bot: Bot, sandbox: Sandbox, li: Phone) -> None:
    await sandbox.client.add_fault("429", times=2, method="sendMessage", chat=li.id, seconds=7)

    assert await bot.get_me()
    for _ in range(2):
        with pytest.raises(RetryAfter) as error:
            await bot.send_message(li.id, "hello")
        assert error.value.retry_after == timedelta(seconds=7)
    assert await bot.send_message(li.id, "hello")


@pytest.mark.parametrize(("kind", "words"), [("500", "Internal Server Error"), ("502", "Parsing the server response")])
async def test_a_call_fails_on_the_server(bot: Bot, sandbox: Sandbox, kind: str, words: str) -> None:
    await sandbox.client.add_fault(kind)

    with pytest.raises(NetworkError, match=words):
        await bot.get_me()
    assert await bot.get_me()


async def test_a_dropped_call_is_not_served(bot: Bot, sandbox: Sandbox, li: Phone) -> None:
    await sandbox.client.add_fault("drop", method="sendmessage")

    with pytest.raises(NetworkError):
        await bot.send_message(li.id, "hello")
    assert (await li.transcript()).last.text == "/start"


async def test_a_call_is_served_though_nobody_can_tell(bot: Bot, sandbox: Sandbox, li: Phone) -> None:
    await sandbox.client.add_fault("drop_after")

    with pytest.raises(NetworkError):
        await bot.send_message(li.id, "hello")
    assert (await li.transcript()).last.text == "hello"


async def test_a_call_that_hangs_is_served_late(bot: Bot, sandbox: Sandbox, li: Phone) -> None:
    await sandbox.client.add_fault("hang", seconds=0.3)

    with pytest.raises(TimedOut):
        await bot.send_message(li.id, "hello", read_timeout=0.1)
    assert (await li.wait_for()).text == "hello"


async def test_an_outage_refuses_everything_and_loses_nothing(
    bot: Bot, sandbox: Sandbox, li: Phone, receiver: Receiver
) -> None:
    await bot.set_webhook(receiver.url, drop_pending_updates=True)
    await sandbox.client.set_outage("refuse")
    await li.say("anybody there?")
    await asyncio.sleep(0.05)
    with pytest.raises(NetworkError):
        await bot.get_me()
    assert receiver.updates == []

    await sandbox.client.set_outage("none")
    await until(lambda: receiver.updates)
    assert await bot.get_me()


async def test_an_outage_may_hang(bot: Bot, sandbox: Sandbox) -> None:
    await sandbox.client.set_outage("hang")
    with pytest.raises(TimedOut):
        await bot.get_me(read_timeout=0.1)

    await sandbox.client.clear_faults()
    assert await bot.get_me()


async def test_a_poll_that_an_outage_interrupts_confirms_nothing(bot: Bot, sandbox: Sandbox, li: Phone) -> None:
    await bot.get_updates(offset=-1)
    [start] = await bot.get_updates()
    poll = asyncio.create_task(bot.get_updates(offset=start.update_id + 1, timeout=5))
    await asyncio.sleep(0.05)
    await sandbox.client.set_outage("refuse")
    await li.say("hello")
    with pytest.raises(NetworkError):
        await poll

    await sandbox.client.set_outage("none")
    assert (await bot.get_updates())[-1].message.text == "hello"


async def test_limits_are_off_until_switched_on(bot: Bot, sandbox: Sandbox, li: Phone) -> None:
    for number in range(8):
        await bot.send_message(li.id, f"{number}")
    await sandbox.client.set_limits(burst=2)
    for number in range(2):
        await bot.send_message(li.id, f"more {number}")

    with pytest.raises(RetryAfter):
        await bot.send_message(li.id, "too much")
    assert (await li.transcript()).last.text == "more 1"


def test_each_limit_holds_and_gives_a_time_to_come_back() -> None:
    now = 0.0
    pace = Pace(Limits(per_chat=1, burst=3, per_group=20, overall=30), lambda: now)

    assert [pace.wait(bot="b", chat="1", group=False) for _ in range(4)] == [0, 0, 0, 1]
    now = 100.0
    assert [pace.wait(bot="b", chat=str(chat), group=False) for chat in range(31)] == [0] * 30 + [1]
    assert pace.wait(bot="other", chat="1", group=False) == 0
    now = 200.0
    group = Pace(Limits(per_chat=100, burst=100, per_group=20, overall=100), lambda: now)
    assert [group.wait(bot="b", chat="-1", group=True) for _ in range(21)] == [0] * 20 + [3]
    assert group.wait(bot="b", chat="1", group=False) == 0


async def test_what_arrived_is_counted(bot: Bot, sandbox: Sandbox, li: Phone) -> None:
    await bot.send_message(li.id, "hello")
    await bot.send_message(li.id, "hello")
    await bot.get_updates()
    with pytest.raises(BadRequest):
        await bot.send_message(42, "hello")

    counters = await sandbox.client.counters()
    assert counters["calls"] == {"getMe": 1, "sendMessage": 3, "getUpdates": 1}
    assert counters["statuses"] == {"200": 4, "400": 1}
    assert counters["sends"] == {str(li.id): 2}
    assert counters["duplicates"] == [{"chat": str(li.id), "text": "hello", "times": 2}]
    assert counters["updates"]["plaint_sandbox_bot"] == {"made": 1, "confirmed": 0, "attempts": 1, "pending": 1}
    calls = await sandbox.client.calls("sendmessage")
    assert [call["status"] for call in calls] == [200, 200, 400]
