"""Two processes, one PostgreSQL and one WeChat: whichever a post lands on, it happens once, and is answered once."""

import asyncio
from contextlib import AsyncExitStack

from bot import wiring
from bot.channel import Sent
from complaints.messages import Address, Credit
from complaints.ports import Changes
from tests.conftest import free_port
from tests.durability.test_replays import rows
from tests.durability.test_wechat_replays import ANSWERS, WORDS


async def open_another(town, doors):
    """Start a second service on the same database; return it and the address where its platform posts."""
    port = free_port()
    settings = town.settings().model_copy(update={"port": port})
    service = await doors.enter_async_context(wiring.running(settings, now=town.clock, timers_every=0.02))
    return service, f"http://127.0.0.1:{port}/wechat/callback"


async def quiet(town, other):
    while True:
        await town.settle()
        if not other.postman._desk.held:
            return
        await asyncio.sleep(0.01)


async def test_posts_and_their_repetitions_may_land_on_either_node(found):
    town = await found(database="postgres", channels=("wechat",))
    here = f"http://127.0.0.1:{town.port}/wechat/callback"
    client = town.sandbox.client
    async with AsyncExitStack() as doors:
        other, there = await open_another(town, doors)
        wang = await town.wechat_customer()
        for number, words in enumerate((WORDS, *ANSWERS)):
            await client.set_callback((here, there)[number % 2], platform="wechat")
            heard = await wang.say(words)
            assert heard.many == 1, words
        await quiet(town, other)
        assert town.case().state == "handed_over"
        before, chat = rows(town), await wang.everything()
        for url in (here, there):
            await client.set_callback(url, platform="wechat")
            for told in await client.callbacks("wechat"):
                assert set(await client.replay_callback(told["id"], 2)) == {200}
        await quiet(town, other)
        assert rows(town) == before
        assert await wang.everything() == chat
        assert set((await client.counters("wechat"))["sent"]) == {"passive"}


async def test_one_post_on_both_nodes_at_once_is_served_by_one_of_them(found):
    town = await found(database="postgres", channels=("wechat",))
    here = f"http://127.0.0.1:{town.port}/wechat/callback"
    client = town.sandbox.client
    async with AsyncExitStack() as doors:
        other, there = await open_another(town, doors)
        wang = await town.wechat_customer()
        await client.set_callback(there, platform="wechat")
        await client.add_fault("drop_after", method="callback", platform="wechat")
        await wang.phone.say(WORDS)  # its answer is lost, and it comes again
        await client.set_callback(here, platform="wechat")
        numbers = [told["id"] for told in await client.callbacks("wechat")]
        assert numbers
        for _ in range(3):
            await asyncio.gather(*(client.replay_callback(number, 2) for number in numbers))
        await quiet(town, other)
        assert len(town.cases()) == 1
        assert (await wang.heard()).many <= 1


async def test_both_nodes_share_one_token_and_one_purse(found):
    town = await found(database="postgres", channels=("wechat",))
    client = town.sandbox.client
    async with AsyncExitStack() as doors:
        other, _ = await open_another(town, doors)
        address = Address(channel="wechat", chat="o_wang")
        credit = Credit(name="message", count=5, seconds=48 * 3600)
        with town.store.unit(town.clock()) as unit:
            unit.flush(Changes(credits=[(address, credit)]))
        channels = [service.channels["wechat"] for service in (town.service, other)]

        pings = await asyncio.gather(*(channel.ping() for channel in channels * 5))
        spent = await asyncio.gather(
            *(channel._purse.spend(address, ("message",)) for channel in channels * 10), return_exceptions=True
        )

        assert {type(outcome) for outcome in pings} == {Sent}
        assert (await client.counters("wechat"))["tokens"] == {"stable": 1}
        assert sorted(spent) == [False] * 15 + [True] * 5
