"""How updates come without a webhook."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from bot.channels.telegram import Telegram, polling
from complaints.messages import IncomingMessage

Handle = Callable[[list[IncomingMessage]], Awaitable[None]]


def update(number: int) -> dict[str, Any]:
    person = {"id": 7, "is_bot": False, "first_name": "A"}
    content = {
        "message_id": number,
        "from": person,
        "chat": {"id": 7, "type": "private"},
        "date": 1,
        "text": str(number),
    }
    return {"update_id": number, "message": content}


@contextlib.asynccontextmanager
async def polling_by(telegram: Telegram, handle: Handle, lease: Callable[[], Awaitable[bool]]) -> AsyncIterator[None]:
    task = asyncio.create_task(telegram.poll(handle, lease=lease))
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def always() -> bool:
    return True


async def until(condition: Callable[[], object], within: float = 5.0) -> None:
    async with asyncio.timeout(within):
        while not condition():
            await asyncio.sleep(0.005)


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait milliseconds where the service waits seconds."""
    monkeypatch.setattr(polling, "_SHORTEST", 0.02)
    monkeypatch.setattr(polling, "_WITHOUT_LEASE", 0.02)


async def test_updates_are_confirmed_only_after_they_are_stored(telegram: Telegram, platform: Any) -> None:
    platform.next("getUpdates", [update(5), update(6)], [update(5), update(6)], "hang")
    tries: list[list[str]] = []

    async def fails_once(messages: list[IncomingMessage]) -> None:
        tries.append([message.text for message in messages])
        if len(tries) == 1:
            raise RuntimeError("the disk is full")

    async with polling_by(telegram, fails_once, always):
        await until(lambda: len(platform.called("getUpdates")) == 3)

    assert tries == [["5", "6"], ["5", "6"]]
    assert [call.get("offset") for call in platform.called("getUpdates")] == [None, None, 7]


async def test_trouble_of_every_kind_is_waited_out(telegram: Telegram, platform: Any) -> None:
    conflict = platform.error(409, "Conflict: terminated by other getUpdates request")
    platform.next(
        "getUpdates", conflict, "drop", (502, "<html>"), {"no": "list"}, [update(1), {"strange": 1}, 5], "hang"
    )
    heard: list[IncomingMessage] = []

    async def hear(messages: list[IncomingMessage]) -> None:
        heard.extend(messages)

    async with polling_by(telegram, hear, always):
        await until(lambda: heard)

    assert [message.text for message in heard] == ["1"]


async def test_nobody_polls_without_the_lease(telegram: Telegram, platform: Any) -> None:
    platform.next("getUpdates", [update(1)], [update(2)], "hang")
    leases = iter([False, False, True, False, True])
    asked = 0

    async def lease() -> bool:
        nonlocal asked
        asked += 1
        return next(leases, True)

    heard: list[str] = []

    async def hear(messages: list[IncomingMessage]) -> None:
        heard.extend(message.text for message in messages)

    async with polling_by(telegram, hear, lease):
        await until(lambda: len(platform.called("getUpdates")) == 3)

    assert asked == 6
    assert heard == ["1", "2"]
    # after a lease that was lost, only Telegram knows what was confirmed meanwhile
    assert [call.get("offset") for call in platform.called("getUpdates")] == [None, None, 3]


async def test_a_lease_that_cannot_be_asked_for_is_waited_out(telegram: Telegram, platform: Any) -> None:
    platform.next("getUpdates", [update(1)], "hang")
    asked = 0

    async def lease() -> bool:
        nonlocal asked
        asked += 1
        if asked == 1:
            raise ConnectionError("no database")
        return True

    heard: list[IncomingMessage] = []

    async def hear(messages: list[IncomingMessage]) -> None:
        heard.extend(messages)

    async with polling_by(telegram, hear, lease):
        await until(lambda: heard)
