"""A platform that takes the answer in the answer to its post: in time, late, twice, and when nobody is there any more."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web
from structlog.testing import capture_logs

from bot.channel import Sent
from bot.web import Late, _readyz
from complaints.messages import Address, IncomingMessage
from storage.inbox import TRIES

COMPLAINT = "灯坏了，用两天就坏，质量太差"
LONG = "而且外面的箱子也是烂的，" * 3000
SORRY = "刚才的话没有记下来，请再发一次。"


async def test_the_answer_travels_in_the_answer_to_the_post_and_needs_no_sending(house: Any) -> None:
    answer = await house.say("1", COMPLAINT)

    assert answer["to"] == "wang"
    assert house.cases()[0].number in answer["text"]
    await house.until(lambda: not house.waiting)
    assert house.pigeon.sent == []
    assert [type(outcome) for _, outcome in house.settled] == [Sent]


async def test_what_the_answer_does_not_carry_goes_by_itself(house: Any) -> None:
    body = house.body(("1", COMPLAINT))[:-1] + b", " + house.body(("2", "你好"), who="li")[1:]

    async with house.http.post(house.url, data=body) as answer:
        assert (await answer.json())["to"] == "wang"
    await house.until(lambda: house.pigeon.sent)

    assert [letter.address.chat for letter in house.pigeon.sent] == ["li"]


async def test_a_late_answer_is_none_and_goes_by_itself(open_house: Any) -> None:
    house = await open_house(patience=0.4)

    async with house.held():
        assert await house.say("1", COMPLAINT) is None, "an answer, while nothing can be served"
        assert house.pigeon.sent == []
        assert house.spooled == (1, 0)
    await house.until(lambda: house.pigeon.sent)
    await house.until(lambda: house.spooled == (0, 0))

    assert len(house.cases()) == 1
    await house.until(lambda: not house.waiting)
    assert len(house.pigeon.sent) == 1


async def test_who_hung_up_is_written_to(house: Any) -> None:
    async with house.held():
        line = await hang_up_after_posting(house, "1")
    await house.until(lambda: house.pigeon.sent)

    assert line is None
    assert house.cases()[0].number in house.pigeon.sent[0].body.text


async def test_a_post_that_comes_again_gets_the_same_answer_and_is_served_once(house: Any) -> None:
    first = await house.say("1", COMPLAINT)
    again = await house.say("1", COMPLAINT)

    assert again == first
    assert len(house.cases()) == 1
    await asyncio.sleep(0.1)
    assert len(house.settled) == 1
    assert house.pigeon.sent == []


async def test_a_post_that_comes_again_meanwhile_waits_for_the_same_answer(house: Any) -> None:
    async with house.held():
        first = asyncio.create_task(house.say("1", COMPLAINT))
        await asyncio.sleep(0.1)
        again = asyncio.create_task(house.say("1", COMPLAINT))
        await asyncio.sleep(0.1)
        assert not first.done()
        assert not again.done()

    assert await first == await again is not None
    assert len(house.cases()) == 1
    await house.until(lambda: not house.waiting)
    assert house.pigeon.sent == []


async def test_the_second_post_gets_the_answer_that_the_first_did_not_wait_for(house: Any) -> None:
    async with house.held():
        await hang_up_after_posting(house, "1")
        again = asyncio.create_task(house.say("1", COMPLAINT))
        await asyncio.sleep(0.1)

    assert house.cases()[0].number in (await again)["text"]
    await house.until(lambda: not house.waiting)
    assert house.pigeon.sent == []


async def test_what_went_by_itself_is_not_told_again_to_a_post_that_comes_again(house: Any) -> None:
    async with house.held():
        await hang_up_after_posting(house, "1")
    await house.until(lambda: house.pigeon.sent)

    assert await house.say("1", COMPLAINT) is None
    assert len(house.pigeon.sent) == 1


async def test_words_that_can_be_written_nowhere_are_said_to_be_lost_and_may_be_said_again(open_house: Any) -> None:
    house = await open_house(patience=1.2)
    await house.say("1", COMPLAINT)
    house.fill(full=True)
    (house.folder / "spool").write_text("in the way")

    answer = await house.say("2", LONG)
    assert answer == {"to": "wang", "text": SORRY}
    house.fill(full=False)
    again = await house.say("2", LONG)

    assert again is not None
    assert again != answer
    assert house.pigeon.sent == []


async def test_a_late_message_that_can_be_written_nowhere_is_said_to_be_lost(open_house: Any) -> None:
    house = await open_house(patience=0.3)
    (house.folder / "spool").write_text("in the way")

    async with house.held():
        assert await house.say("1", COMPLAINT) == {"to": "wang", "text": SORRY}


async def test_words_that_the_database_does_not_take_wait_on_disk_and_are_answered_later_once(open_house: Any) -> None:
    house = await open_house(patience=1.2)
    await house.say("1", COMPLAINT)
    house.fill(full=True)

    assert await house.say("2", LONG) is None
    assert house.spooled == (1, 0)
    house.fill(full=False)
    await house.until(lambda: house.pigeon.sent)
    await house.until(lambda: house.spooled == (0, 0))

    assert len(house.pigeon.sent) == 1
    assert len(house.cases()) == 1
    assert "箱子也是烂的" in str(house.cases()[0].words)


async def test_what_is_said_next_does_not_overtake_what_waits_on_disk(open_house: Any) -> None:
    house = await open_house(patience=0.8)
    assert "1" in (await house.say("1", COMPLAINT))["text"]
    await house.say("2", "1")
    house.let(writes=False)
    assert await house.say("3", "王岚") is None
    await asyncio.sleep(0.5)  # it was handed in once more, in vain, and rests now
    house.let(writes=True)

    answer = await house.say("4", "13812345678")
    await house.until(lambda: house.spooled == (0, 0))

    assert house.cases()[0].words.answers == {"name": "王岚", "contact": "+8613812345678"}
    assert "哪个城市" in answer["text"], "the question after the next"


async def test_what_comes_again_while_it_waits_on_disk_lies_there_once_and_is_served_once(open_house: Any) -> None:
    house = await open_house(patience=0.3)
    both = house.body(("1", COMPLAINT))[:-1] + b", " + house.body(("2", "你好"), who="li")[1:]

    async with house.held():
        assert await house.say("1", COMPLAINT) is None
        assert house.spooled == (1, 0)
        assert await house.say("1", COMPLAINT) is None
        async with house.http.post(house.url, data=both) as answer:
            assert await answer.read() == b"success"
        assert house.spooled == (2, 0)
        assert house.pigeon.sent == []
    await house.until(lambda: house.spooled == (0, 0))
    await house.until(lambda: not house.waiting)

    assert await house.say("1", COMPLAINT) is None
    assert len(house.cases()) == 1
    assert sorted(letter.address.chat for letter in house.pigeon.sent) == ["li", "wang"]
    assert house.spooled == (0, 0)


async def test_what_is_answered_in_time_never_touches_the_spool(house: Any) -> None:
    await house.say("1", COMPLAINT)

    assert not (house.folder / "spool").exists()


async def test_a_short_outage_is_sat_out(house: Any) -> None:
    await house.say("1", COMPLAINT)
    house.fill(full=True)
    asked = asyncio.create_task(house.say("2", LONG))
    await asyncio.sleep(0.5)
    assert not asked.done()
    house.fill(full=False)

    answer = await asked
    assert answer is not None
    assert "没有记下来" not in answer["text"]


async def test_a_message_whose_post_was_answered_late_is_written_down_all_the_same(open_house: Any) -> None:
    house = await open_house(patience=0.3)
    await house.say("0", "你好")
    house.fill(full=True)
    async with house.held():
        assert await house.say("1", COMPLAINT + "，" + "箱子也烂，" * 4000) is None
    await asyncio.sleep(0.3)  # the disk is full still: the first try has failed
    house.fill(full=False)

    await house.until(house.cases)


async def test_an_address_is_proved_by_what_the_platform_asks(house: Any) -> None:
    async with house.http.get(house.url + "&echo=42") as answer:
        assert (answer.status, await answer.text()) == (200, "42")
    async with house.http.get(f"{house.public}/pigeon?echo=42") as answer:
        assert answer.status == 403
    async with house.http.post(f"{house.public}/pigeon", data=b"[]") as answer:
        assert answer.status == 403


async def test_a_channel_that_does_not_carry_answers_after_the_commit_and_sends(open_house: Any) -> None:
    house = await open_house(carries=False)
    async with house.http.post(house.url, data=house.body(("1", COMPLAINT))) as answer:
        assert (answer.status, await answer.read()) == (200, b"")
    await house.until(lambda: house.pigeon.sent)

    house.fill(full=True)
    async with house.http.post(house.url, data=house.body(("2", "而且箱子也烂，" * 4000))) as answer:
        assert answer.status == 503


# --- what is no complaint ---


@asynccontextmanager
async def other_system(answer: bytes = b"<xml/>", status: int = 200, wait: float = 0.0) -> AsyncIterator[Any]:
    """Another system that listens on the same channel."""
    heard: list[tuple[str, str, bytes]] = []

    async def take(request: web.Request) -> web.Response:
        heard.append((request.query_string, request.headers["Content-Type"], await request.read()))
        await asyncio.sleep(wait)
        return web.Response(status=status, body=answer, content_type="text/xml")

    application = web.Application()
    application.router.add_post("/callback", take)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/callback?app=shop", heard
    finally:
        await runner.cleanup()


async def test_what_is_no_complaint_goes_to_the_other_system_and_its_answer_comes_back(open_house: Any) -> None:
    async with other_system() as (url, heard):
        house = await open_house(forward=url)
        body = house.body(("1", "双十一满减什么时候开始呀"))
        async with house.http.post(house.url, data=body, headers={"Content-Type": "text/xml"}) as answer:
            assert (await answer.read(), answer.content_type) == (b"<xml/>", "text/xml")
        assert heard == [("app=shop&secret=coo", "text/xml", body)]

        async with house.http.post(house.url, data=body) as answer:
            assert await answer.read() == b"<xml/>"
        assert len(heard) == 1  # a post that comes again is not forwarded again
        answer = await house.say("2", COMPLAINT)
        assert house.cases()[0].number in answer["text"]
        assert len(heard) == 1
    assert house.pigeon.sent == []


@pytest.mark.parametrize("given", [{"status": 500}, {"answer": b"x" * 70_000}, {"wait": 3.0}])
async def test_another_system_that_fails_is_late_or_says_too_much_is_answered_for(open_house: Any, given: Any) -> None:
    async with other_system(**given) as (url, heard):
        house = await open_house(forward=url, patience=1.0)
        assert await house.say("1", "双十一满减什么时候开始呀") is None
        assert len(heard) == 1


async def test_another_system_that_is_away_is_answered_for(open_house: Any) -> None:
    house = await open_house(forward="http://127.0.0.1:9/callback")

    assert await house.say("1", "双十一满减什么时候开始呀") is None


async def hang_up_after_posting(house: Any, key: str) -> None:
    """Post, and hang up before there is an answer."""
    host, port = "127.0.0.1", int(house.public.rpartition(":")[2])
    _, writer = await asyncio.open_connection(host, port)
    body = house.body((key, COMPLAINT))
    head = f"POST /pigeon?secret=coo HTTP/1.1\r\nHost: {host}\r\nContent-Length: {len(body)}\r\n\r\n"
    writer.write(head.encode() + body)
    await writer.drain()
    await asyncio.sleep(0.2)
    writer.close()
    await writer.wait_closed()
    await asyncio.sleep(0.1)


REFUSING = (
    "create trigger no_case before insert on complaint_case begin select raise(abort, 'no'); end",
    "create trigger no_failure before insert on inbox when new.state = 'waiting' begin select raise(abort, 'no'); end",
)


@pytest.fixture
def logs() -> Iterator[list[Any]]:
    """What was logged, and not drawn on the screen: that takes seconds."""
    with capture_logs() as logs:
        yield logs


def refuse(house: Any, *triggers: str) -> None:
    """Let the database take nothing of a kind any more; without triggers, let it take everything again."""
    with house.store._write.begin() as connection:
        for name in ("no_case", "no_failure"):
            connection.exec_driver_sql(f"drop trigger if exists {name}")
        for trigger in triggers:
            connection.exec_driver_sql(trigger)


async def test_words_of_which_not_even_the_failure_can_be_written_down_are_said_to_be_lost(
    house: Any, logs: list[Any]
) -> None:
    refuse(house, *REFUSING)

    answer = await house.say("1", COMPLAINT)

    assert answer is not None
    assert answer["text"] == SORRY
    refuse(house)
    await house.say("1", COMPLAINT)
    assert len(house.cases()) == 1, "said again, it is served"
    assert {each["event"] for each in logs} >= {"batch_failed"}


async def test_spooled_words_of_which_not_even_the_failure_can_be_written_down_are_kept_aside(
    open_house: Any, logs: list[Any]
) -> None:
    house = await open_house(patience=0.4)
    refuse(house, *REFUSING)
    async with house.held():
        await house.say("1", COMPLAINT)
        assert house.spooled == (1, 0)
    await house.until(lambda: house.spooled != (1, 0))

    assert house.spooled == (0, 1)
    assert [each["event"] for each in logs].count("spooled_message_lost") == 1
    refuse(house)
    late = Late(house.desk, house.store.spool(house.folder / "spool"))  # the next start
    await late.start()
    await house.until(lambda: house.spooled == (0, 0))
    await late.stop()
    assert len(house.cases()) == 1


async def test_spooled_words_that_fail_at_every_try_end_in_the_inbox_and_not_on_disk(
    open_house: Any, logs: list[Any]
) -> None:
    house = await open_house(patience=0.4)
    refuse(house, REFUSING[0])
    async with house.held():
        await house.say("1", COMPLAINT)
        assert house.spooled == (1, 0)
    await house.until(lambda: house.spooled == (0, 0))

    with house.store.read() as ledger:
        assert ledger.trays().inbox_waiting == 1
    for _ in range(10):
        house.moment += timedelta(hours=2)
        for hear in house.store.unserved(house.moment, 10):
            await house.desk.submit(hear)
    with house.store.read() as ledger:
        assert (ledger.trays().inbox_waiting, ledger.trays().inbox_dead) == (0, 1)
    assert [each["event"] for each in logs].count("batch_failed") >= TRIES


async def test_whoever_asks_whether_all_is_well_a_thousand_times_asks_the_database_once() -> None:
    asked = 0
    answer = asyncio.Event()

    async def ready() -> dict[str, bool]:
        nonlocal asked
        asked += 1
        await answer.wait()
        return {"database": True}

    look = _readyz(ready)
    waiting = [asyncio.create_task(look(None)) for _ in range(1000)]
    await asyncio.sleep(0.01)
    waiting[0].cancel()
    answer.set()
    given = await asyncio.gather(*waiting[1:])
    assert {each.status for each in given} == {200}
    assert asked == 1
    assert (await look(None)).status == 200
    assert asked == 2


@pytest.mark.timeout(30)  # a walk over all of them, so often, would take minutes
async def test_a_hundred_thousand_late_messages_do_not_hold_up_the_next(house: Any, tmp_path: Any) -> None:
    late = Late(house.desk, house.store.spool(tmp_path / "elsewhere"))
    late._expect([said(number, f"chat {number}") for number in range(100_000)])

    for number in range(3_000):
        late.hasten(said(100_001, f"another {number}"))


def said(number: int, chat: str) -> IncomingMessage:
    here = Address(channel="wechat", chat=chat)
    at = datetime(2025, 3, 3, 2, 15, tzinfo=UTC)
    return IncomingMessage(key=f"pigeon:{number}", kind="text", address=here, sender=chat, sent_at=at, text="x")


async def test_posts_that_nobody_can_vouch_for_are_refused_and_named_once_in_a_while(house: Any) -> None:
    with capture_logs() as logs:
        for _ in range(3):
            async with house.http.post(f"{house.public}/pigeon", data=b"[]") as answer:
                assert answer.status == 403
    lines = [each for each in logs if each["event"] == "not_genuine"]
    assert len(lines) == 1
    assert "token" in lines[0]["cure"]
