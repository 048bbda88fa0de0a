"""What we tell Telegram, and what comes of it."""

import logging
import unicodedata
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import structlog
from aiohttp import ClientSession, web
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.channel import Delivery, Moved, Outcome, Refused, Retry, Sent, Unreachable
from bot.channels.telegram import Telegram
from bot.channels.telegram.outgoing import split, units
from complaints.messages import Choice, Enclosure, Fetch, OutgoingMessage, PressAnswer, Revision

Letters = Callable[..., Any]
TOKEN = "123:SECRET-token_x"


async def test_a_message_is_plain_text_without_previews(telegram: Telegram, platform: Any, letter: Letters) -> None:
    outcome = await telegram.send(letter(OutgoingMessage(text="<b>门</b> *x*", reply_to="40")))

    assert outcome == Sent(ref="1")
    assert platform.called("sendMessage") == [
        {
            "chat_id": 5001,
            "text": "<b>门</b> *x*",
            "link_preview_options": {"is_disabled": True},
            "reply_parameters": {"message_id": 40, "allow_sending_without_reply": True},
        }
    ]


async def test_buttons_carry_tokens_or_pages(telegram: Telegram, platform: Any, letter: Letters) -> None:
    rows = ((Choice(label="是", token="t:1:yes"), Choice(label="页", url="https://x.example/1")),)

    await telegram.send(letter(OutgoingMessage(text="?", choices=rows)))

    (call,) = platform.called("sendMessage")
    assert call["reply_markup"] == {
        "inline_keyboard": [[{"text": "是", "callback_data": "t:1:yes"}, {"text": "页", "url": "https://x.example/1"}]]
    }


async def test_a_row_has_at_most_eight_buttons(telegram: Telegram, platform: Any, letter: Letters) -> None:
    row = tuple(Choice(label=str(number), token=str(number)) for number in range(11))

    await telegram.send(letter(OutgoingMessage(text="?", choices=(row,))))

    (call,) = platform.called("sendMessage")
    assert [len(row) for row in call["reply_markup"]["inline_keyboard"]] == [8, 3]


@pytest.mark.parametrize(
    ("token", "fits"), [("a" * 64, True), ("门" * 21, True), ("a" * 65, False), ("门" * 22, False)]
)
async def test_a_token_may_have_64_bytes(
    telegram: Telegram, platform: Any, letter: Letters, token: str, fits: bool
) -> None:
    outcome = await telegram.send(letter(OutgoingMessage(text="?", choices=((Choice(label="x", token=token),),))))

    assert isinstance(outcome, Sent if fits else Refused)
    assert len(platform.called("sendMessage")) == fits


async def test_what_telegram_refuses_in_a_text_is_taken_out(telegram: Telegram, platform: Any, letter: Letters) -> None:
    await telegram.send(letter(OutgoingMessage(text="a\0b\x07c\ud83dd\ne")))

    assert platform.called("sendMessage")[0]["text"] == "abcd\ne"


@pytest.mark.parametrize("text", ["", " \n", "\0"])
async def test_a_message_without_a_word_is_refused_here(
    telegram: Telegram, platform: Any, letter: Letters, text: str
) -> None:
    assert isinstance(await telegram.send(letter(OutgoingMessage(text=text))), Refused)
    assert not platform.called("sendMessage")


async def test_a_long_message_comes_in_parts_with_the_buttons_on_the_last(
    telegram: Telegram, platform: Any, letter: Letters
) -> None:
    text = "\n\n".join(["段落。" * 300] * 10)
    message = OutgoingMessage(text=text, choices=((Choice(label="x", token="y"),),), reply_to="3")

    outcome = await telegram.send(letter(message))

    calls = platform.called("sendMessage")
    assert outcome == Sent(ref=str(len(calls)))
    assert "".join(call["text"] for call in calls) == text
    assert [("reply_parameters" in call, "reply_markup" in call) for call in calls] == [
        (True, False),
        (False, False),
        (False, True),
    ]


async def test_a_retry_does_not_say_again_what_was_said(telegram: Telegram, platform: Any, letter: Letters) -> None:
    platform.next("sendMessage", {"message_id": 7}, platform.error(500, "Internal Server Error"))
    told = letter(OutgoingMessage(text="a" * 4096 + "b" * 10))

    first, second = await telegram.send(told), await telegram.send(told)

    assert isinstance(first, Retry)
    assert isinstance(second, Sent)
    assert [call["text"][0] for call in platform.called("sendMessage")] == ["a", "b", "b"]


EMOJI = ["👍", "👍🏽", "👨‍👩‍👧‍👦", "🇨🇳", "e\u0301", "1\ufe0f\u20e3", "门", "。", "\n", "\n\n", " ", "a", ". ", "！"]


@settings(max_examples=150, deadline=None)
@given(
    text=st.lists(st.sampled_from(EMOJI) | st.characters(exclude_categories=["Cs"]), max_size=120).map("".join),
    most=st.integers(20, 60),
)
def test_the_parts_of_a_text_are_short_enough_and_together_the_text(text: str, most: int) -> None:
    parts = split(text, most)

    assert "".join(parts) == text
    assert all(units(part) <= most for part in parts)
    assert all(parts) or parts == [""]


@settings(max_examples=100, deadline=None)
@given(text=st.lists(st.sampled_from(EMOJI[:7]), min_size=30, max_size=120).map("".join))
def test_no_part_begins_inside_what_a_reader_sees_as_one_character(text: str) -> None:
    for part in split(text, 64)[1:]:
        assert not unicodedata.category(part[0]).startswith("M")
        assert part[0] not in "\u200d\U0001f3fd"
        assert len(part) == 1 or part[:2] != "🇳🇨"


@pytest.mark.parametrize(
    ("text", "ends"),
    [
        ("第一句。" * 5 + "\n\n" + "x" * 30, "\n\n"),
        ("一二三四五六七八九十" * 2 + "\n" + "x" * 30, "\n"),
        ("第一句话说完了。" * 8, "。"),
        ("word " * 20, " "),
    ],
)
def test_a_part_ends_where_something_ends(text: str, ends: str) -> None:
    assert split(text, 40)[0].endswith(ends)


ERRORS: list[tuple[int, str, dict[str, int], Outcome]] = [
    (403, "Forbidden: bot was blocked by the user", {}, Unreachable(reason="blocked")),
    (403, "Forbidden: user is deactivated", {}, Unreachable(reason="deactivated")),
    (403, "Forbidden: bot was kicked from the supergroup chat", {}, Unreachable(reason="kicked")),
    (403, "Forbidden: bot is not a member of the channel chat", {}, Unreachable(reason="kicked")),
    (403, "Forbidden: bot can't initiate conversation with a user", {}, Unreachable(reason="never_started")),
    (403, "Forbidden: something new", {}, Unreachable(reason="forbidden")),
    (400, "Bad Request: chat not found", {}, Unreachable(reason="not_found")),
    (400, "Bad Request: PEER_ID_INVALID", {}, Unreachable(reason="not_found")),
    (400, "Bad Request: not enough rights to send text messages to the chat", {}, Unreachable(reason="forbidden")),
    (400, "Bad Request: group chat was deactivated", {}, Unreachable(reason="deactivated")),
    (400, "Bad Request: message thread not found", {}, Refused(error="400 Bad Request: message thread not found")),
    (400, "Bad Request: BUTTON_DATA_INVALID", {}, Refused(error="400 Bad Request: BUTTON_DATA_INVALID")),
    (400, "Bad Request: group chat was upgraded", {"migrate_to_chat_id": -1009}, Moved(new_chat="-1009")),
    (413, "Request Entity Too Large", {}, Refused(error="413 Request Entity Too Large")),
    (429, "Too Many Requests: retry after 7", {"retry_after": 7}, Retry(reason="throttled", after=7.0, pause="chat")),
    (429, "Too Many Requests", {}, Retry(reason="throttled", after=1.0, pause="chat")),
    (401, "Unauthorized", {}, Retry(reason="misconfigured: Unauthorized", after=60.0, pause="channel")),
    (404, "Not Found", {}, Retry(reason="misconfigured: Not Found", after=60.0, pause="channel")),
    (500, "Internal Server Error", {}, Retry(reason="HTTP 500")),
]


@pytest.mark.parametrize(("code", "description", "parameters", "outcome"), ERRORS, ids=lambda value: str(value)[:40])
async def test_every_error_says_what_to_do_next(
    telegram: Telegram,
    platform: Any,
    letter: Letters,
    code: int,
    description: str,
    parameters: dict[str, int],
    outcome: Outcome,
) -> None:
    platform.next("sendMessage", platform.error(code, description, **parameters))

    assert await telegram.send(letter()) == outcome


@pytest.mark.parametrize(
    "answer",
    [
        "drop",
        (502, "<html>Bad Gateway</html>"),
        (403, "<html>the proxy forbids this</html>"),
        (404, "<html>no such page</html>"),
        (200, "<html>log in to the hotel's network</html>"),
        (200, "[]"),
        (200, "{}"),
        (302, ""),
        (200, "[" * 100_000),
    ],
    ids=lambda answer: str(answer)[:30],
)
async def test_whatever_is_not_telegram_speaking_is_tried_again(
    telegram: Telegram, platform: Any, letter: Letters, answer: Any
) -> None:
    platform.next("sendMessage", answer)

    outcome = await telegram.send(letter())

    assert isinstance(outcome, Retry)
    assert outcome.pause is None


async def test_one_throttled_chat_rests_alone_and_several_at_once_rest_the_bot(
    telegram: Telegram, platform: Any, letter: Letters
) -> None:
    slow = platform.error(429, "Too Many Requests: retry after 5", retry_after=5)
    platform.next("sendMessage", slow, slow, slow, slow)

    outcomes = [await telegram.send(letter(chat=chat)) for chat in ("1", "1", "2", "3")]

    assert [outcome.pause for outcome in outcomes if isinstance(outcome, Retry)] == ["chat", "chat", "chat", "channel"]


@pytest.mark.parametrize(
    "description",
    [
        "Bad Request: query is too old and response timeout expired or query ID is invalid",
        "Bad Request: QUERY_ID_INVALID",
    ],
)
async def test_a_press_that_is_too_old_has_ended_by_itself(
    telegram: Telegram, platform: Any, letter: Letters, description: str
) -> None:
    platform.next("answerCallbackQuery", platform.error(400, description))

    assert await telegram.send(letter(PressAnswer(ref="77", text="好" * 300, alert=True))) == Sent()

    (call,) = platform.called("answerCallbackQuery")
    assert call == {"callback_query_id": "77", "text": "好" * 200, "show_alert": True}


async def test_the_answer_to_a_webhook_carries_the_first_press_for_nothing(telegram: Telegram, letter: Letters) -> None:
    said, first, second = letter(), letter(PressAnswer(ref="7"), number=2), letter(PressAnswer(ref="8"), number=3)

    reply = telegram.passive(Delivery(headers={}, query={}, body=b""), [said, first, second])

    assert reply.body == b'{"method": "answerCallbackQuery", "callback_query_id": "7"}'
    assert (reply.content_type, reply.carried) == ("application/json", (first,))
    assert telegram.passive(Delivery(headers={}, query={}, body=b""), [said]).carried == ()


async def test_the_buttons_of_a_message_are_taken_away(telegram: Telegram, platform: Any, letter: Letters) -> None:
    assert isinstance(await telegram.send(letter(Revision(ref="40", text="已认领"), chat="-1007")), Sent)

    assert platform.called("editMessageReplyMarkup") == [
        {"chat_id": -1007, "message_id": 40, "reply_markup": {"inline_keyboard": []}}
    ]


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ((400, "Bad Request: message is not modified: specified new message content is the same"), Sent),
        ((400, "Bad Request: message to edit not found"), Sent),
        ((400, "Bad Request: MESSAGE_ID_INVALID"), Sent),
        ((400, "Bad Request: chat not found"), Unreachable),
        ((400, "Bad Request: something new"), Refused),
        ((500, "Internal Server Error"), Retry),
    ],
    ids=lambda value: str(value)[:40],
)
async def test_a_message_that_is_gone_or_bare_already_needs_no_change(
    telegram: Telegram, platform: Any, letter: Letters, answer: tuple[int, str], kind: type
) -> None:
    platform.next("editMessageReplyMarkup", platform.error(*answer))

    assert isinstance(await telegram.send(letter(Revision(ref="40", text="x"))), kind)


async def test_a_change_of_no_message_is_refused_here(telegram: Telegram, platform: Any, letter: Letters) -> None:
    platform.calls.clear()

    assert isinstance(await telegram.send(letter(Revision(ref="", text="x"))), Refused)
    assert platform.calls == []


@pytest.mark.parametrize(
    ("enclosure", "calls"),
    [
        (Enclosure(kind="photo", ref="P", caption="见图"), [("sendPhoto", {"photo": "P", "caption": "见图"})]),
        (Enclosure(kind="voice", ref="V"), [("sendVoice", {"voice": "V"})]),
        (
            Enclosure(kind="other", ref="S", caption="x"),
            [
                ("sendSticker", {"sticker": "S"}),
                ("sendMessage", {"text": "x", "link_preview_options": {"is_disabled": True}}),
            ],
        ),
    ],
)
async def test_a_file_is_sent_on_by_its_ref(
    telegram: Telegram, platform: Any, letter: Letters, enclosure: Enclosure, calls: list[tuple[str, dict[str, Any]]]
) -> None:
    platform.calls.clear()

    assert isinstance(await telegram.send(letter(enclosure)), Sent)

    assert platform.calls == [(method, {"chat_id": 5001, **arguments}) for method, arguments in calls]


async def test_a_round_video_is_sent_on_as_one(telegram: Telegram, platform: Any, letter: Letters) -> None:
    platform.next("sendVideo", platform.error(400, "Bad Request: can't use file of type VideoNote as Video"))
    platform.next("sendVideoNote", {"message_id": 5})

    outcome = await telegram.send(letter(Enclosure(kind="video", ref="N", caption="看")))

    assert isinstance(outcome, Sent)
    assert platform.called("sendVideoNote") == [{"chat_id": 5001, "video_note": "N"}]
    assert platform.called("sendMessage")[0]["text"] == "看"


# --- files ---


class Store:
    """Keeps what came."""

    def __init__(self) -> None:
        self.content = b""

    async def __call__(self, piece: bytes) -> None:
        self.content += piece


async def test_a_file_comes_piece_by_piece(telegram: Telegram, platform: Any) -> None:
    platform.files["photos/file 1.jpg"] = content = bytes(range(256)) * 1000
    platform.next("getFile", {"file_id": "P", "file_path": "photos/file 1.jpg", "file_size": len(content)})
    store = Store()

    assert await telegram.fetch("P", store) == Sent(ref="photos/file 1.jpg")
    assert store.content == content


@pytest.mark.parametrize(
    ("told", "kind"),
    [
        ({"file_path": "a", "file_size": 20 * 1024 * 1024 + 1}, Refused),
        ({"file_path": "/etc/passwd"}, Refused),
        ({"file_path": "../bot123/getMe"}, Refused),
        ({}, Refused),
        ({"file_path": "gone"}, Retry),
        ({"file_path": "short", "file_size": 9}, Retry),
    ],
)
async def test_a_file_that_cannot_come_is_refused_or_tried_again(
    telegram: Telegram, platform: Any, told: dict[str, Any], kind: type
) -> None:
    platform.files["short"] = b"12345"
    platform.next("getFile", told)

    assert isinstance(await telegram.fetch("P", Store()), kind)


async def test_a_file_larger_than_it_said_is_not_taken(telegram: Telegram, platform: Any) -> None:
    platform.files["big"] = bytes(21 * 1024 * 1024)
    platform.next("getFile", {"file_path": "big"})
    store = Store()

    assert isinstance(await telegram.fetch("P", store), Refused)
    assert len(store.content) <= 20 * 1024 * 1024


async def test_a_full_disk_is_the_sinks_own_error(telegram: Telegram, platform: Any) -> None:
    platform.files["a"] = b"12345"
    platform.next("getFile", {"file_path": "a"})

    async def full(_: bytes) -> None:
        raise OSError("no space left")

    with pytest.raises(OSError, match="no space left"):
        await telegram.fetch("P", full)


async def test_too_big_for_the_api_is_refused(telegram: Telegram, platform: Any) -> None:
    platform.next("getFile", platform.error(400, "Bad Request: file is too big"))

    assert isinstance(await telegram.fetch("P", Store()), Refused)


# --- introduction ---


async def test_the_bot_tells_telegram_its_webhook_and_its_menu(open_telegram: Any, platform: Any) -> None:
    platform.next("getMe", platform.error(429, "Too Many Requests", retry_after=1))
    commands = {"": {"help": "Help"}, "zh": {"help": "帮助"}}

    telegram = await open_telegram(webhook="https://desk.example/telegram/webhook", secret="s3", commands=commands)
    assert telegram.username == ""
    await telegram.introduced()

    assert telegram.username == "plaint_bot"
    (webhook,) = platform.called("setWebhook")
    assert (webhook["url"], webhook["secret_token"]) == ("https://desk.example/telegram/webhook", "s3")
    assert webhook["allowed_updates"] == ["message", "edited_message", "callback_query", "my_chat_member"]
    assert [call["language_code"] for call in platform.called("setMyCommands")] == ["", "zh"]


async def test_a_menu_that_telegram_refuses_stops_nothing(open_telegram: Any, platform: Any) -> None:
    platform.next("setMyCommands", platform.error(400, "Bad Request: BOT_COMMAND_INVALID"))

    telegram = await open_telegram(commands={"": {"Help!": "Help"}, "zh": {"help": "帮助"}})
    await telegram.introduced()

    assert platform.called("deleteWebhook") == [{"drop_pending_updates": False}]
    assert len(platform.called("setMyCommands")) == 2


async def test_start_does_not_wait_for_a_platform_that_is_away(open_telegram: Any, letter: Letters) -> None:
    telegram = await open_telegram(api_url="http://127.0.0.1:9")

    assert isinstance(await telegram.send(letter()), Retry)
    assert isinstance(await telegram.ping(), Retry)


# --- secrets and proxies ---


async def test_the_token_is_in_no_log_no_text_and_no_error(
    open_telegram: Any,
    platform: Any,
    letter: Letters,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    told: list[Any] = []
    with structlog.testing.capture_logs() as logs:
        telegram = await open_telegram()
        await telegram.introduced()
        away = await open_telegram(api_url="http://127.0.0.1:9")
        for answer in (
            "drop",
            platform.error(401, f"Unauthorized: {TOKEN}"),
            platform.error(404, f"no /bot{TOKEN}/x"),
            (500, TOKEN),
        ):
            platform.next("sendMessage", answer)
            told.append(await telegram.send(letter()))
        told += [await away.send(letter()), await away.ping(), await away.fetch("x", Store())]
        told += [repr(telegram), str(telegram), repr(telegram._api), repr(away._api)]
    everything = f"{told} {logs} {caplog.text} {capsys.readouterr()}"

    assert "SECRET" not in everything
    assert any(log["event"] == "telegram_misconfigured" for log in logs)


class Proxy:
    """The smallest HTTP proxy: passes on requests with an absolute URL and counts them."""

    def __init__(self) -> None:
        self.url = ""
        self.seen: list[str] = []

    async def serve(self, request: web.BaseRequest) -> web.StreamResponse:
        """Pass one request on."""
        self.seen.append(request.raw_path if hasattr(request, "raw_path") else str(request.rel_url))
        async with (
            ClientSession() as session,
            session.request(
                request.method,
                str(request.url),
                data=await request.read(),
                headers={"Content-Type": "application/json"},
            ) as answer,
        ):
            return web.Response(status=answer.status, body=await answer.read())


@pytest.fixture
async def proxy() -> AsyncIterator[Proxy]:
    """A proxy on a free port."""
    proxy = Proxy()
    runner = web.ServerRunner(web.Server(proxy.serve, access_log=None))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    proxy.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield proxy
    await runner.cleanup()


async def test_every_call_goes_through_the_proxy(
    open_telegram: Any, platform: Any, letter: Letters, proxy: Proxy
) -> None:
    telegram = await open_telegram(proxy=proxy.url)
    await telegram.introduced()
    platform.files["a"] = b"12345"
    platform.next("getFile", {"file_path": "a"})
    store = Store()

    assert isinstance(await telegram.send(letter()), Sent)
    assert isinstance(await telegram.fetch("P", store), Sent)

    assert store.content == b"12345"
    assert len(proxy.seen) == len(platform.calls) + 1


async def test_a_fetch_is_no_letter_to_send(telegram: Telegram, letter: Letters) -> None:
    assert isinstance(await telegram.send(letter(Fetch(evidence_id=1, ref="P"))), Refused)
