"""The channel beside the sandbox's Telegram: two readings of the same Bot API, written apart."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.channel import Sent
from bot.channels.telegram import Telegram
from complaints.messages import Address, Choice, IncomingMessage, OutgoingMessage, PressAnswer
from complaints.ports import Letter, Priority
from sandbox import Sandbox, running

NOW = datetime(2026, 3, 6, 6, 30, tzinfo=UTC)


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with running() as sandbox:
        yield sandbox


@pytest.fixture
async def telegram(sandbox: Sandbox) -> AsyncIterator[Telegram]:
    telegram = Telegram(token=sandbox.token, api_url=sandbox.url, clock=lambda: NOW)
    await telegram.start()
    await telegram.introduced()
    yield telegram
    await telegram.stop()


@pytest.fixture
async def heard(telegram: Telegram) -> AsyncIterator["asyncio.Queue[IncomingMessage]"]:
    """What the channel hears by polling, in order."""
    queue: asyncio.Queue[IncomingMessage] = asyncio.Queue()

    async def hear(messages: list[IncomingMessage]) -> None:
        for message in messages:
            queue.put_nowait(message)

    async def lease() -> bool:
        return True

    task = asyncio.create_task(telegram.poll(hear, lease=lease))
    yield queue
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def test_a_whole_talk_is_heard_and_answered(telegram: Telegram, heard: Any, sandbox: Sandbox) -> None:
    phone = await sandbox.client.add_person("李 雷", phone="+8613800138000")
    content = b"\x89PNG" + bytes(5000)
    kept = bytearray()

    async def keep(piece: bytes) -> None:
        kept.extend(piece)

    def letter(body: Any) -> Letter:
        address = Address(channel="telegram", chat=str(phone.id))
        return Letter(id=1, address=address, body=body, priority=Priority.ANSWER, due_at=NOW)

    await phone.start("K7")
    start = await heard.get()
    assert (start.kind, start.command, start.argument, start.sender) == ("text", "start", "K7", str(phone.id))
    assert start.name == "李 雷"

    asked = await telegram.send(
        letter(OutgoingMessage(text="哪类？", choices=((Choice(label="门", token="t:1:door"),),)))
    )
    assert isinstance(asked, Sent)
    query = await phone.press("门")
    press = await heard.get()
    assert (press.kind, press.press, press.ref, press.press_ref) == ("press", "t:1:door", asked.ref, query)
    assert await telegram.send(letter(PressAnswer(ref=query, text="好"))) == Sent()
    assert (await phone.wait_for_answer(query)).answered
    assert await telegram.send(letter(PressAnswer(ref="long ago"))) == Sent()

    await phone.send_document("door.png", content, mime="image/png", caption="看")
    file = await heard.get()
    (attachment,) = file.attachments
    assert (file.text, attachment.kind, attachment.name, attachment.size) == (
        "看",
        "document",
        "door.png",
        len(content),
    )
    assert isinstance(await telegram.fetch(attachment.ref, keep), Sent)
    assert bytes(kept) == content

    said = await phone.say("裂了")
    first = await heard.get()
    await phone.edit(said, "裂开了")
    edit = await heard.get()
    assert (edit.kind, edit.text, edit.ref) == ("edit", "裂开了", first.ref)

    await phone.send_album(3)
    parts = [await heard.get() for _ in range(3)]
    assert len({part.album for part in parts}) == 1
    await phone.share_contact()
    assert (await heard.get()).phone == "+8613800138000"
    await phone.block()
    assert (await heard.get()).kind == "blocked"
    await phone.unblock()
    assert (await heard.get()).kind == "unblocked"


async def test_a_group_that_moves_says_where(heard: Any, sandbox: Sandbox) -> None:
    phone = await sandbox.client.add_person("Ann")
    group = await sandbox.client.add_group("Desk", [phone], kind="group")
    assert (await heard.get()).kind == "unblocked"

    moved = await group.migrate()

    while (message := await heard.get()).kind == "unknown":  # a group says a lot about itself
        pass
    assert (message.kind, message.address.chat, message.argument) == ("moved", str(group.id), str(moved.id))
