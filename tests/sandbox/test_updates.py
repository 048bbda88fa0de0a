"""Updates reach a bot at least once, by long poll or by webhook, and may be lost by neither."""

import asyncio

import pytest
from telegram import Bot, Update
from telegram.error import BadRequest, Conflict

from sandbox import Phone, Sandbox
from tests.sandbox.conftest import Receiver, until


async def test_a_long_poll_waits_for_a_message(bot: Bot, li: Phone) -> None:
    [start] = await bot.get_updates()
    poll = asyncio.create_task(bot.get_updates(offset=start.update_id + 1, timeout=5))
    await asyncio.sleep(0.05)
    await li.say("hello")

    assert [update.message.text for update in await poll] == ["hello"]


async def test_a_long_poll_ends_empty(bot: Bot) -> None:
    assert await bot.get_updates(timeout=1) == ()


async def test_what_is_not_confirmed_comes_again(bot: Bot, li: Phone) -> None:
    said = await li.say("hello")
    first, second = await bot.get_updates()
    assert len(await bot.get_updates()) == 2
    assert [update.update_id for update in await bot.get_updates(offset=second.update_id, limit=1)] == [
        second.update_id
    ]

    assert first.update_id + 1 == second.update_id
    assert not (await li.transcript()).messages[said.id - 1].delivered
    assert await bot.get_updates(offset=second.update_id + 1) == ()
    assert (await li.transcript()).messages[said.id - 1].delivered


async def test_a_negative_offset_forgets_all_but_the_last(bot: Bot, li: Phone) -> None:
    await li.say("one")
    await li.say("two")

    assert [update.message.text for update in await bot.get_updates(offset=-1)] == ["two"]


async def test_a_second_poller_ends_the_first(bot: Bot) -> None:
    first = asyncio.create_task(bot.get_updates(timeout=5))
    await asyncio.sleep(0.05)
    await bot.get_updates()

    with pytest.raises(Conflict, match="terminated by other getUpdates request"):
        await first


async def test_polling_conflicts_with_a_webhook(bot: Bot, receiver: Receiver) -> None:
    await bot.set_webhook(receiver.url)

    with pytest.raises(Conflict, match="can't use getUpdates method while webhook is active"):
        await bot.get_updates()
    assert await bot.delete_webhook()
    assert await bot.get_updates() == ()


async def test_kinds_that_are_not_asked_for_do_not_come(bot: Bot, li: Phone) -> None:
    await bot.get_updates(offset=-1, allowed_updates=["message"])
    await li.block()
    await li.unblock()
    await li.say("hello")

    assert [update.message.text for update in await bot.get_updates()][1:] == ["hello"]


async def test_a_webhook_gets_what_waited_with_the_secret(bot: Bot, li: Phone, receiver: Receiver) -> None:
    await bot.set_webhook(receiver.url, secret_token="a-Secret_1", max_connections=7, allowed_updates=["message"])
    await until(lambda: receiver.updates)

    assert receiver.headers[0]["X-Telegram-Bot-Api-Secret-Token"] == "a-Secret_1"
    assert Update.de_json(receiver.updates[0], bot).message.text == "/start"
    info = await bot.get_webhook_info()
    assert (info.url, info.max_connections, info.allowed_updates) == (receiver.url, 7, ("message",))
    await until(lambda: receiver.in_flight == 0)
    assert (await li.transcript()).messages[0].delivered


async def test_a_webhook_that_fails_is_tried_until_it_succeeds(bot: Bot, li: Phone, receiver: Receiver) -> None:
    receiver.statuses = [500, 302, 404]
    await bot.set_webhook(receiver.url)
    await until(lambda: len(receiver.updates) == 4)

    assert len(set(receiver.ids())) == 1
    info = await bot.get_webhook_info()
    assert info.last_error_message == "Wrong response from the webhook: 404 Not Found"
    assert info.pending_update_count == 0
    assert (await li.transcript()).messages[0].delivered


async def test_a_webhook_that_is_too_slow_is_tried_again(bot: Bot, li: Phone, receiver: Receiver) -> None:
    receiver.slow = asyncio.Event()
    await bot.set_webhook(receiver.url)
    await until(lambda: len(receiver.updates) == 1)
    assert (await bot.get_webhook_info()).pending_update_count == 1
    await until(lambda: len(receiver.updates) == 2)

    assert (await bot.get_webhook_info()).last_error_message == "Read timeout expired"
    assert not (await li.transcript()).messages[0].delivered


async def test_nobody_at_the_webhook_keeps_updates_waiting(bot: Bot, li: Phone, sandbox: Sandbox) -> None:
    await bot.set_webhook("http://127.0.0.1:9/hook")
    await until(lambda: sandbox.telegram.world.default_bot.updates.webhook.last_error)

    info = await bot.get_webhook_info()
    assert (info.pending_update_count, info.last_error_message) == (1, "Connection refused")
    await bot.delete_webhook()
    assert [update.message.text for update in await bot.get_updates()] == ["/start"]
    assert (await li.transcript()).messages[0].text == "/start"


@pytest.mark.parametrize("most", [1, 3])
async def test_no_more_connections_than_agreed(bot: Bot, li: Phone, receiver: Receiver, most: int) -> None:
    receiver.slow = asyncio.Event()
    await bot.set_webhook(receiver.url, max_connections=most, drop_pending_updates=True)
    for number in range(6):
        await li.say(str(number))
    await until(lambda: receiver.in_flight == most)
    await asyncio.sleep(0.05)
    assert receiver.most_in_flight == most

    receiver.slow.set()
    await until(lambda: len(set(receiver.ids())) == 6)
    assert receiver.most_in_flight == most


async def test_a_webhook_may_answer_with_a_method(bot: Bot, li: Phone, receiver: Receiver) -> None:
    receiver.answers = [{"method": "sendMessage", "chat_id": li.id, "text": "by return"}]
    await bot.set_webhook(receiver.url)

    assert (await li.wait_for()).text == "by return"


@pytest.mark.parametrize(
    ("url", "secret", "words"),
    [("nonsense", "", "Bad webhook"), ("http://h/x", "not allowed!", "Secret token contains unallowed characters")],
)
async def test_a_bad_webhook_is_refused(bot: Bot, url: str, secret: str, words: str) -> None:
    with pytest.raises(BadRequest, match=words):
        await bot.set_webhook(url, secret_token=secret)


async def test_an_update_is_replayed_in_parallel(bot: Bot, li: Phone, receiver: Receiver, sandbox: Sandbox) -> None:
    await bot.set_webhook(receiver.url)
    await until(lambda: receiver.updates and not receiver.in_flight)
    receiver.statuses = [200, 200, 503]

    assert sorted(await sandbox.client.replay(receiver.ids()[0], times=3)) == [200, 200, 503]
    assert len(receiver.updates) == 4
    assert len(set(receiver.ids())) == 1
    assert (await li.transcript()).last.text == "/start"


async def test_a_poller_can_be_told_again(bot: Bot, li: Phone, sandbox: Sandbox) -> None:
    [update] = await bot.get_updates()
    await bot.get_updates(offset=update.update_id + 1)
    await sandbox.client.replay(update.update_id)

    assert await bot.get_updates(offset=update.update_id + 1) == (update,)
    assert (await li.transcript()).messages[0].delivered


async def test_any_update_can_be_injected(bot: Bot, sandbox: Sandbox) -> None:
    number = await sandbox.client.inject({"message_reaction": {"chat": {"id": 1, "type": "private"}, "message_id": 3}})
    await sandbox.client.inject({"update_id": 5, "poll_answer": {"poll_id": "7", "option_ids": []}})

    assert [update["update"]["update_id"] for update in await sandbox.client.updates()] == [number, 5]


async def test_a_group_tells_the_bot_only_what_is_meant_for_it(bot: Bot, sandbox: Sandbox, li: Phone) -> None:
    group = await sandbox.client.add_group("Desk", [li])
    inside = li.in_group(group)
    sent = await bot.send_message(group.id, "A new case")
    await inside.say("among ourselves")
    await inside.say("/take@another_bot 7")
    await inside.say("/take 7")
    await inside.say("I have it", reply_to=sent.message_id)
    await inside.say("@plaint_sandbox_bot help")

    texts = [update.message.text for update in await bot.get_updates() if update.message]
    assert texts == ["/start", None, "/take 7", "I have it", "@plaint_sandbox_bot help"]


async def test_an_administrator_hears_everything(bot: Bot, sandbox: Sandbox, li: Phone) -> None:
    group = await sandbox.client.add_group("Desk", [li], status="administrator")
    wang = await sandbox.client.add_person("Wang Qiang")
    await group.add_member(wang)
    await wang.in_group(group).say("among ourselves")
    await group.remove_member(wang)

    _, added, promoted, joined, said, left = await bot.get_updates()
    assert added.my_chat_member.new_chat_member.status == "administrator"
    assert promoted.message.new_chat_members[0].id == 100001
    assert joined.message.new_chat_members[0].id == wang.id
    assert (said.message.text, said.effective_chat.type) == ("among ourselves", "supergroup")
    assert left.message.left_chat_member.id == wang.id
