"""What the fake Bot API answers can be read by python-telegram-bot, method by method."""

import json

import aiohttp
import pytest
from telegram import (
    Bot,
    BotCommand,
    ForceReply,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputMediaPhoto,
    ReplyKeyboardRemove,
    ReplyParameters,
)

from sandbox import Attachment, Phone, Sandbox
from sandbox.media import picture
from tests.sandbox.conftest import api

KEYS = InlineKeyboardMarkup(
    [[InlineKeyboardButton("Yes", callback_data="yes"), InlineKeyboardButton("Page", url="https://example.org/1")]]
)


async def test_a_bot_knows_itself(bot: Bot) -> None:
    me = await bot.get_me()

    assert (me.id, me.username, me.is_bot) == (100001, "plaint_sandbox_bot", True)


async def test_a_start_arrives_as_a_command(bot: Bot, li: Phone) -> None:
    await li.start("case_7")

    [_, update] = await bot.get_updates()
    assert update.message.text == "/start case_7"
    assert update.message.parse_entities() == {update.message.entities[0]: "/start"}
    assert (update.effective_user.full_name, update.effective_user.language_code) == ("Li Na", "zh-hans")


async def test_a_message_with_a_keyboard_is_sent_and_shown(bot: Bot, li: Phone) -> None:
    sent = await bot.send_message(li.id, "Is it <b>this</b> one?", parse_mode="HTML", reply_markup=KEYS)

    assert sent.text == "Is it this one?"
    assert sent.parse_entities() == {sent.entities[0]: "this"}
    assert sent.reply_markup == KEYS
    assert sent.chat.username == "lina_88"
    shown = await li.wait_for()
    assert [button.text for button in shown.buttons] == ["Yes", "Page"]


async def test_every_option_of_a_message_is_accepted(bot: Bot, li: Phone) -> None:
    asked = await li.say("Where is my parcel?")
    sent = await bot.send_message(
        li.id,
        "Which one?",
        reply_markup=ForceReply(input_field_placeholder="number"),
        reply_parameters=ReplyParameters(asked.id),
        protect_content=True,
        disable_notification=True,
        message_thread_id=5,
    )
    last = await bot.send_message(li.id, "Thanks", reply_markup=ReplyKeyboardRemove())

    assert sent.reply_to_message.text == "Where is my parcel?"
    assert (sent.has_protected_content, sent.message_thread_id) == (True, 5)
    assert last.message_id == sent.message_id + 1


async def test_a_press_is_a_callback_query_that_can_be_answered(bot: Bot, li: Phone) -> None:
    await bot.send_message(li.id, "Is it this one?", reply_markup=KEYS)
    query_id = await li.press("Yes")

    update = (await bot.get_updates())[-1]
    query = update.callback_query
    assert (query.id, query.data, query.from_user.id) == (query_id, "yes", li.id)
    assert query.message.text == "Is it this one?"
    assert await bot.answer_callback_query(query.id, text="Noted", show_alert=True)
    answer = await li.wait_for_answer(query_id)
    assert (answer.text, answer.alert) == ("Noted", True)


async def test_a_press_under_a_deleted_message_has_an_inaccessible_message(bot: Bot, li: Phone) -> None:
    sent = await bot.send_message(li.id, "Is it this one?", reply_markup=KEYS)
    await bot.delete_message(li.id, sent.message_id)
    await li.press("yes", message=sent.message_id)

    query = (await bot.get_updates())[-1].callback_query
    assert not query.message.is_accessible


async def test_a_message_is_edited_and_deleted(bot: Bot, li: Phone) -> None:
    sent = await bot.send_message(li.id, "Wait", reply_markup=KEYS)
    edited = await bot.edit_message_text("Done", li.id, sent.message_id)
    await bot.edit_message_reply_markup(li.id, sent.message_id, reply_markup=KEYS)

    assert (edited.text, edited.reply_markup) == ("Done", None)
    assert edited.edit_date
    shown = (await li.transcript()).last
    assert (shown.text, shown.edited, len(shown.buttons)) == ("Done", True, 2)
    assert await bot.delete_message(li.id, sent.message_id)
    assert (await li.transcript()).messages[-1].deleted


async def test_an_edit_by_a_person_is_an_edited_message(bot: Bot, li: Phone) -> None:
    said = await li.say("Order 8842")
    await li.edit(said, "Order 8824")

    update = (await bot.get_updates())[-1]
    assert update.edited_message.text == "Order 8824"
    assert update.edited_message.edit_date


async def test_a_photo_comes_in_sizes_and_can_be_downloaded(bot: Bot, li: Phone) -> None:
    data = picture(900, 600)
    await li.send_photo(data, caption="broken here")

    message = (await bot.get_updates())[-1].message
    file = await bot.get_file(message.photo[-1].file_id)
    assert [size.width for size in message.photo] == [90, 320, 800, 900]
    assert message.caption == "broken here"
    assert not file.file_path.startswith("/")
    assert bytes(await file.download_as_bytearray()) == data


async def test_every_kind_of_attachment_arrives(bot: Bot, li: Phone) -> None:
    await li.send_document("bill.pdf", b"%PDF-", mime="application/pdf")
    await li.send_voice()
    await li.send(Attachment(kind="video", size=300_000))
    await li.send_sticker("!")
    await li.send_location(31.2, 121.5)
    await li.share_contact()

    document, voice, video, sticker, place, contact = [update.message for update in await bot.get_updates()][1:]
    assert (document.document.file_name, document.document.mime_type) == ("bill.pdf", "application/pdf")
    assert voice.voice.mime_type == "audio/ogg"
    assert video.video.file_size == 300_000
    assert sticker.sticker.emoji == "!"
    assert place.location.latitude == 31.2
    assert contact.contact.user_id == li.id


async def test_an_album_is_several_updates_with_one_caption(bot: Bot, li: Phone) -> None:
    await li.send_album(3, caption="all of it")

    messages = [update.message for update in await bot.get_updates()][1:]
    assert len({message.media_group_id for message in messages}) == 1
    assert [message.caption for message in messages] == ["all of it", None, None]


async def test_a_bot_sends_files_by_upload_and_by_id(bot: Bot, li: Phone) -> None:
    photo = await bot.send_photo(li.id, picture(), caption="see here", reply_markup=KEYS)
    again = await bot.send_photo(li.id, photo.photo[-1].file_id)
    document = await bot.send_document(li.id, b"words", filename="letter.txt")
    album = await bot.send_media_group(li.id, [InputMediaPhoto(picture(hue=n), caption=f"{n}") for n in range(2)])
    edited = await bot.edit_message_caption(li.id, photo.message_id, caption="or here")

    assert again.photo[-1].file_id == photo.photo[-1].file_id
    assert document.document.file_name == "letter.txt"
    assert [part.caption for part in album] == ["0", "1"]
    assert (edited.caption, edited.photo) == ("or here", photo.photo)
    assert bytes(await (await bot.get_file(document.document.file_id)).download_as_bytearray()) == b"words"


async def test_messages_are_copied_and_forwarded(bot: Bot, li: Phone) -> None:
    said = await li.say("It leaks")

    copy = await bot.copy_message(li.id, li.id, said.id)
    forwarded = await bot.forward_message(li.id, li.id, said.id)
    assert copy.message_id == forwarded.message_id - 1
    assert forwarded.forward_origin.sender_user.id == li.id


async def test_a_bot_looks_chats_up(bot: Bot, sandbox: Sandbox, li: Phone) -> None:
    group = await sandbox.client.add_group("Desk", [li])

    chat = await bot.get_chat(group.id)
    assert (chat.title, chat.type) == ("Desk", "supergroup")
    assert (await bot.get_chat_member(group.id, li.id)).status == "member"
    assert await bot.get_chat_member_count(group.id) == 2
    assert (await bot.get_chat_administrators(group.id))[0].user.id == li.id
    assert await bot.send_chat_action(group.id, "typing")
    assert await bot.leave_chat(group.id)


async def test_a_bot_says_who_it_is(bot: Bot) -> None:
    commands = [BotCommand("new", "Complain"), BotCommand("status", "Where is my case?")]

    assert await bot.set_my_commands(commands)
    assert list(await bot.get_my_commands()) == commands
    assert await bot.set_my_description("A desk", language_code="en")
    assert (await bot.get_my_description(language_code="en")).description == "A desk"
    assert await bot.set_my_short_description("Desk")
    assert (await bot.get_my_short_description()).short_description == "Desk"
    assert await bot.set_my_name("Desk")
    assert (await bot.get_my_name()).name == "Desk"
    assert await bot.delete_my_commands()
    assert await bot.get_my_commands() == ()
    assert await bot.set_chat_menu_button()
    assert await bot.set_message_reaction(5, 1)


@pytest.mark.parametrize("way", ["json", "form", "query"])
async def test_a_call_may_be_json_a_form_or_an_address(sandbox: Sandbox, li: Phone, way: str) -> None:
    call = {"chat_id": str(li.id), "text": "hello", "reply_markup": json.dumps({"force_reply": True})}
    async with aiohttp.ClientSession() as http:
        url = f"{sandbox.bot_url}{sandbox.token}/sendMessage"
        if way == "query":
            answer = await http.get(url, params=call)
        else:
            answer = await http.post(url, **({"json": call} if way == "json" else {"data": call}))

        assert (await answer.json())["result"]["text"] == "hello"


async def test_entities_count_in_utf16_units(bot: Bot, li: Phone) -> None:
    await li.say("😀 see https://t.me/plaint_sandbox_bot?start=x, thanks")

    message = (await bot.get_updates())[-1].message
    assert list(message.parse_entities().values()) == ["https://t.me/plaint_sandbox_bot?start=x"]


async def test_two_bots_have_chats_of_their_own(bot: Bot, sandbox: Sandbox, li: Phone) -> None:
    async with api(sandbox, "100002:second") as second:
        await li.with_bot("second_bot").start()
        await second.send_message(li.id, "from the second")

        assert (await li.with_bot("second_bot").transcript()).last.text == "from the second"
    assert (await li.transcript()).last.text == "/start"
    assert len(await bot.get_updates()) == 1
