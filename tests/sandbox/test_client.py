"""A script can play people."""

import asyncio
import sys

import aiohttp
import pytest
from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup

from sandbox import Phone, Sandbox, SandboxClient, SandboxError


async def test_a_wait_looks_only_at_what_came_after_the_last_act(bot: Bot, li: Phone) -> None:
    await bot.send_message(li.id, "old")
    await li.say("and?")
    waiting = asyncio.create_task(li.wait_for())
    await asyncio.sleep(0.05)
    await bot.send_message(li.id, "new")

    assert (await waiting).text == "new"


async def test_a_wait_sees_an_edited_message(bot: Bot, li: Phone) -> None:
    keys = InlineKeyboardMarkup([[InlineKeyboardButton("Yes", callback_data="yes")]])
    sent = await bot.send_message(li.id, "Sure?", reply_markup=keys)
    await li.press("Yes")
    await bot.edit_message_text("Sure!", li.id, sent.message_id)

    assert (await li.wait_for()).text == "Sure!"


async def test_a_wait_in_vain_shows_the_chat(li: Phone) -> None:
    await li.send_photo(caption="look")

    with pytest.raises(TimeoutError, match=r"(?s)waited 0.05 s in vain.*Li Na: <photo> look"):
        await li.wait_for(timeout=0.05)


async def test_a_transcript_keeps_earlier_versions_and_deletions(li: Phone) -> None:
    said = await li.say("one")
    await li.edit(said, "two")
    await li.delete(await li.say("three"))

    told = (await li.transcript()).messages
    assert [(message.text, message.edited, message.deleted) for message in told[1:]] == [
        ("two", True, False),
        ("three", False, True),
    ]
    assert told[1].raw["versions"][0]["text"] == "one"


async def test_a_cleared_chat_is_empty_and_goes_on(bot: Bot, li: Phone) -> None:
    await li.delete_chat()
    assert all(message.deleted for message in (await li.transcript()).messages)

    assert (await bot.send_message(li.id, "still here")).message_id == 2


async def test_nonsense_is_refused_with_a_reason(sandbox: Sandbox, li: Phone) -> None:
    for act, words in (
        (lambda: sandbox.client.transcript("12"), "no such chat 12"),
        (lambda: li.press("No"), 'no button "No"'),
        (lambda: li.edit(99, "x"), "no such message 99"),
        (lambda: sandbox.client.replay(5), "KeyError: 5"),
        (lambda: li.say(""), "nothing to say"),
        (lambda: sandbox.client.add_fault("boredom"), "boredom"),
        (lambda: sandbox.client.add_group("Nobody", []), "needs a member"),
        (lambda: sandbox.client.ask("POST", "/people", {}), "KeyError"),
    ):
        with pytest.raises(SandboxError, match=words):
            await act()


async def test_browsers_are_told_live(bot: Bot, sandbox: Sandbox, li: Phone) -> None:
    async with aiohttp.ClientSession() as http, http.ws_connect(f"{sandbox.url}/sandbox/live") as socket:
        await li.say("hello")
        await bot.send_chat_action(li.id, "typing")

        said, typing = await socket.receive_json(timeout=2), await socket.receive_json(timeout=2)
        assert (said["kind"], said["message"]["text"]) == ("message", "hello")
        assert (typing["kind"], typing["action"]) == ("typing", "typing")


async def test_the_sandbox_runs_as_a_process_of_its_own() -> None:
    command = [sys.executable, "-m", "sandbox", "--port", "0", "--bot", "7:seven=seven_bot"]
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    assert process.stdout
    try:
        line = (await asyncio.wait_for(process.stdout.readline(), 10)).decode()
        async with SandboxClient(line.split()[-1]) as client:
            assert [bot["username"] for bot in await client.bots()] == ["seven_bot"]
            assert (await client.add_person("Li Na")).name == "Li Na"
            assert [phone.name for phone in await client.people()] == ["Li Na"]
    finally:
        process.terminate()
    assert await asyncio.wait_for(process.wait(), 5) == 0
