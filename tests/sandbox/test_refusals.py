"""The fake Bot API says no in the words of the real one."""

import aiohttp
import pytest
from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup
from telegram.error import BadRequest, ChatMigrated, Forbidden, InvalidToken, NetworkError

from sandbox import Phone, Sandbox
from sandbox.telegram.text import TextError, read_html
from tests.sandbox.conftest import Clock, api


def button(data: str) -> InlineKeyboardMarkup:
    return InlineKeyboardMarkup([[InlineKeyboardButton("Yes", callback_data=data)]])


async def test_a_wrong_token_is_unauthorized(sandbox: Sandbox) -> None:
    with pytest.raises(InvalidToken):
        async with api(sandbox, "100001:wrong"):
            pass


async def test_an_unknown_method_is_not_implemented(bot: Bot) -> None:
    with pytest.raises(NetworkError, match="no method sendTelepathy"):
        await bot.do_api_request("sendTelepathy", {"chat_id": 1})


async def test_an_unknown_chat_is_not_found(bot: Bot) -> None:
    with pytest.raises(BadRequest, match="Chat not found"):
        await bot.send_message(42, "hello")


async def test_a_bot_cannot_begin_a_conversation(bot: Bot, sandbox: Sandbox) -> None:
    silent = await sandbox.client.add_person("Wang Qiang")

    with pytest.raises(Forbidden, match="bot can't initiate conversation with a user"):
        await bot.send_message(silent.id, "hello")


async def test_a_blocked_bot_is_told_and_refused_until_unblocked(bot: Bot, li: Phone) -> None:
    await li.block()

    change = (await bot.get_updates())[-1].my_chat_member
    assert (change.old_chat_member.status, change.new_chat_member.status) == ("member", "kicked")
    with pytest.raises(Forbidden, match="bot was blocked by the user"):
        await bot.send_message(li.id, "hello")
    await li.unblock()
    assert (await bot.get_updates())[-1].my_chat_member.new_chat_member.status == "member"
    assert await bot.send_message(li.id, "hello")


async def test_a_deleted_account_cannot_be_written_to(bot: Bot, li: Phone) -> None:
    await li.delete_account()

    with pytest.raises(Forbidden, match="user is deactivated"):
        await bot.send_message(li.id, "hello")


@pytest.mark.parametrize(
    ("status", "words"),
    [("kicked", "bot was kicked from the supergroup chat"), ("left", "bot is not a member of the supergroup chat")],
)
async def test_a_bot_outside_a_group_cannot_write(
    bot: Bot, sandbox: Sandbox, li: Phone, status: str, words: str
) -> None:
    group = await sandbox.client.add_group("Desk", [li])
    await group.set_bot(status)

    assert (await bot.get_updates())[-1].my_chat_member.new_chat_member.status == status
    with pytest.raises(Forbidden, match=words):
        await bot.send_message(group.id, "hello")


async def test_a_migrated_group_names_its_new_id(bot: Bot, sandbox: Sandbox, li: Phone) -> None:
    group = await sandbox.client.add_group("Desk", [li], kind="group")
    new = await group.migrate()

    with pytest.raises(ChatMigrated) as error:
        await bot.send_message(group.id, "hello")
    assert error.value.new_chat_id == new.id
    leaving, arriving = [update.message for update in await bot.get_updates()][-2:]
    assert (leaving.migrate_to_chat_id, arriving.migrate_from_chat_id) == (new.id, group.id)
    assert await bot.send_message(new.id, "hello")


@pytest.mark.parametrize("text", ["", "  \n"])
async def test_an_empty_message_is_refused(bot: Bot, li: Phone, text: str) -> None:
    with pytest.raises(BadRequest, match="Message text is empty"):
        await bot.send_message(li.id, text)


async def test_length_counts_in_utf16_units_after_the_markup(bot: Bot, li: Phone) -> None:
    assert await bot.send_message(li.id, "<b>" + "x" * 4096 + "</b>", parse_mode="HTML")

    for text in ("x" * 4097, "😀" * 2049):
        with pytest.raises(BadRequest, match="Message is too long"):
            await bot.send_message(li.id, text)


async def test_a_long_caption_is_refused(bot: Bot, li: Phone) -> None:
    with pytest.raises(BadRequest, match="Message caption is too long"):
        await bot.send_document(li.id, b"words", caption="x" * 1025)


async def test_button_data_counts_in_bytes(bot: Bot, li: Phone) -> None:
    assert await bot.send_message(li.id, "hello", reply_markup=button("x" * 64))

    with pytest.raises(BadRequest, match="Button_data_invalid"):
        await bot.send_message(li.id, "hello", reply_markup=button("诉" * 22))


async def test_an_edit_that_changes_nothing_is_refused(bot: Bot, li: Phone) -> None:
    sent = await bot.send_message(li.id, "<b>hello</b>", parse_mode="HTML", reply_markup=button("a"))

    with pytest.raises(BadRequest, match="Message is not modified: specified new message content"):
        await bot.edit_message_text("<b>hello</b>", li.id, sent.message_id, parse_mode="HTML", reply_markup=button("a"))
    with pytest.raises(BadRequest, match="Message is not modified"):
        await bot.edit_message_reply_markup(li.id, sent.message_id, reply_markup=button("a"))
    assert await bot.edit_message_text("hello", li.id, sent.message_id, reply_markup=button("a"))


async def test_only_own_messages_that_exist_can_be_edited(bot: Bot, li: Phone) -> None:
    said = await li.say("mine")

    with pytest.raises(BadRequest, match="Message can't be edited"):
        await bot.edit_message_text("yours", li.id, said.id)
    with pytest.raises(BadRequest, match="Message to edit not found"):
        await bot.edit_message_text("hello", li.id, 999)


async def test_a_reply_to_nothing_is_refused_unless_allowed(bot: Bot, li: Phone) -> None:
    with pytest.raises(BadRequest, match="Message to be replied not found"):
        await bot.send_message(li.id, "hello", reply_to_message_id=999)

    assert await bot.send_message(li.id, "hello", reply_to_message_id=999, allow_sending_without_reply=True)


async def test_an_old_message_stays(bot: Bot, li: Phone, clock: Clock) -> None:
    sent = await bot.send_message(li.id, "hello")
    clock.move(hours=49)

    with pytest.raises(BadRequest, match="Message can't be deleted for everyone"):
        await bot.delete_message(li.id, sent.message_id)
    with pytest.raises(BadRequest, match="Message to delete not found"):
        await bot.delete_message(li.id, 999)


@pytest.mark.parametrize("case", ["late", "twice", "invented"])
async def test_a_query_is_answered_once_and_in_time(bot: Bot, li: Phone, clock: Clock, case: str) -> None:
    await bot.send_message(li.id, "hello", reply_markup=button("a"))
    query = await li.press("Yes")
    if case == "late":
        clock.move(seconds=31)
    elif case == "twice":
        await bot.answer_callback_query(query)

    with pytest.raises(BadRequest, match="Query is too old and response timeout expired or query id is invalid"):
        await bot.answer_callback_query("7" if case == "invented" else query)


async def test_a_big_file_can_be_received_but_not_downloaded(bot: Bot, li: Phone) -> None:
    await li.send_document("film.mp4", size=20 * 1024 * 1024 + 1)

    document = (await bot.get_updates())[-1].message.document
    with pytest.raises(BadRequest, match="File is too big"):
        await bot.get_file(document.file_id)


async def test_a_file_of_just_the_limit_can_be_downloaded(bot: Bot, li: Phone) -> None:
    await li.send_document("film.mp4", size=20 * 1024 * 1024)

    file = await bot.get_file((await bot.get_updates())[-1].message.document.file_id)
    assert len(await file.download_as_bytearray()) == file.file_size == 20 * 1024 * 1024


async def test_files_that_cannot_be_sent(bot: Bot, li: Phone) -> None:
    with pytest.raises(BadRequest, match="Wrong file identifier"):
        await bot.send_photo(li.id, "no-such-id")
    with pytest.raises(BadRequest, match="Failed to get http url content"):
        await bot.send_photo(li.id, "https://example.org/a.png")
    with pytest.raises(BadRequest, match="is too big for a photo"):
        await bot.send_photo(li.id, bytes(10 * 1024 * 1024 + 1))
    with pytest.raises(BadRequest, match="Invalid file_id"):
        await bot.get_file("no-such-id")


async def test_an_upload_above_the_limit_is_cut_off(bot: Bot, li: Phone) -> None:
    with pytest.raises(NetworkError, match="Request Entity Too Large"):
        await bot.send_document(li.id, bytes(51 * 1024 * 1024))


@pytest.mark.parametrize(
    ("marked", "words"),
    [
        ("a < b", "Unsupported start tag"),
        ("<div>a</div>", 'Unsupported start tag "div" at byte offset 0'),
        ("<b>a", 'find end tag corresponding to start tag "b"'),
        ("a</b>", "Unexpected end tag"),
    ],
)
def test_html_that_is_none_is_refused(marked: str, words: str) -> None:
    with pytest.raises(TextError, match=words):
        read_html(marked)


def test_html_is_read_into_text_and_entities() -> None:
    text, spans = read_html('😀 <b>bold <i>both</i></b> &lt;<a href="https://e.org/?a=1&amp;b=2">link</a>')

    assert text == "😀 bold both <link"
    assert spans == [
        {"type": "bold", "offset": 3, "length": 9},
        {"type": "italic", "offset": 8, "length": 4},
        {"type": "text_link", "offset": 14, "length": 4, "url": "https://e.org/?a=1&b=2"},
    ]


async def test_json_that_is_none_is_refused(sandbox: Sandbox) -> None:
    async with aiohttp.ClientSession() as http:
        answer = await http.post(
            f"{sandbox.bot_url}{sandbox.token}/getMe", data=b"{", headers={"Content-Type": "application/json"}
        )

        assert (answer.status, (await answer.json())["ok"]) == (400, False)
