"""What Telegram tells us, read."""

import contextlib
import json
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import bot.channels.telegram
from bot.channel import Delivery
from bot.channels.telegram import Telegram
from bot.channels.telegram.incoming import Reader, parse
from complaints.errors import Malformed, Misconfigured, NotGenuine
from complaints.messages import Address, Attachment, IncomingMessage

NOW = datetime(2026, 3, 6, 7, 0, tzinfo=UTC)
READER = Reader(bot="123", username="plaint_bot", clock=lambda: NOW)
SAMPLES = sorted((Path(bot.channels.telegram.__file__).parent / "samples").glob("*.json"))
SECRET = "s3cret"


def meant(fields: dict[str, Any]) -> IncomingMessage:
    return IncomingMessage(
        **fields
        | {
            "address": Address(**fields["address"]),
            "sent_at": NOW if fields["sent_at"] == "now" else datetime.fromisoformat(fields["sent_at"]),
            "attachments": tuple(Attachment(**attachment) for attachment in fields.get("attachments", [])),
        }
    )


def message(**fields: Any) -> dict[str, Any]:
    return {
        "update_id": 1,
        "message": {
            "message_id": 4,
            "from": {"id": 7, "is_bot": False, "first_name": "A"},
            "chat": {"id": 7, "type": "private"},
            "date": 1_772_778_600,
            **fields,
        },
    }


@pytest.fixture(scope="module")
def receiver() -> Telegram:
    return Telegram(token="123:x", clock=lambda: NOW, secret=SECRET, webhook="https://desk.example/telegram/webhook")


def delivery(body: bytes, secret: str = SECRET) -> Delivery:
    return Delivery(headers={"x-telegram-bot-api-secret-token": secret}, query={}, body=body)


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_every_sample_is_read_as_what_stands_beside_it(path: Path) -> None:
    sample = json.loads(path.read_text())

    assert READER.read(sample["update"]) == meant(sample["means"])


def test_a_genuine_delivery_is_read(receiver: Telegram) -> None:
    (heard,) = receiver.understand(delivery(json.dumps(message(text="hello")).encode()))

    assert (heard.key, heard.text) == ("telegram:123:1", "hello")


@pytest.mark.parametrize("secret", ["", "wrong", "s3cre", SECRET + "x", "\u0663\udcff", SECRET.upper()])
def test_a_delivery_without_the_secret_is_not_genuine(receiver: Telegram, secret: str) -> None:
    with pytest.raises(NotGenuine):
        receiver.understand(delivery(b"{}", secret))


def test_a_channel_without_a_secret_believes_nobody() -> None:
    unguarded = Telegram(token="123:x", clock=lambda: NOW)

    with pytest.raises(NotGenuine):
        unguarded.understand(Delivery(headers={}, query={}, body=b"{}"))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xfe",
        b"[]",
        b"null",
        b"{}",
        b'{"update_id": "7"}',
        b'{"update_id": true}',
        b'{"update_id": 1.5}',
        b'{"update_id": 99999999999999999999}',
        b'{"update_id": 1, "x": NaN}',
        b'{"update_id": 1, "x": -Infinity}',
        b'{"update_id": ' + b"9" * 5000 + b"}",
        b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
        b"[" * 1_000_000,
    ],
    ids=lambda body: repr(body[:24]),
)
def test_what_is_no_update_is_malformed(receiver: Telegram, body: bytes) -> None:
    with pytest.raises(Malformed):
        receiver.understand(delivery(body))


def test_a_megabyte_of_text_is_cut_and_not_refused() -> None:
    heard = READER.read(message(text="长" * 1_000_000))

    assert (heard.kind, len(heard.text)) == ("text", 8192)


@pytest.mark.parametrize(
    "fields",
    [
        {"text": 5},
        {"text": ["a"]},
        {"text": None},
        {"photo": {}},
        {"photo": [None, 5, {}, {"file_id": 7}, {"file_id": ""}]},
        {"document": {"file_id": None}},
        {"from": None, "text": "a"},
        {"from": {"id": "7"}, "text": "a"},
        {"chat": {"id": 1.0}, "text": "a"},
        {"chat": [], "text": "a"},
    ],
    ids=str,
)
def test_fields_of_the_wrong_type_make_an_update_unknown_and_keep_its_key(fields: dict[str, Any]) -> None:
    heard = READER.read(message(**fields))

    assert (heard.kind, heard.key) == ("unknown", "telegram:123:1")


@pytest.mark.parametrize("date", [0, -1, None, "1772778600", True, 1e9, 10**18, 10**30])
def test_a_date_that_is_none_is_replaced_by_the_moment_of_receipt(date: object) -> None:
    assert READER.read(message(text="a", date=date)).sent_at == NOW


@pytest.mark.parametrize(
    ("text", "command", "argument"),
    [
        ("/start", "start", ""),
        ("/START  a b ", "start", "a b"),
        ("/case@plaint_bot\nC-1", "case", "C-1"),
        ("/usr/bin/x", "", ""),
        ("/ start", "", ""),
        ("say /start", "", ""),
        ("/help@another_bot", "", ""),
        ("/" + "a" * 33, "", ""),
    ],
)
def test_commands_are_told_from_text_that_only_looks_like_one(text: str, command: str, argument: str) -> None:
    heard = READER.read(message(text=text))

    assert (heard.kind, heard.command, heard.argument, heard.text) == ("text", command, argument, text)


def test_before_its_name_is_known_a_bot_takes_every_command_for_its_own() -> None:
    nameless = Reader(bot="123", username="", clock=lambda: NOW)

    heard = nameless.read(message(text="/take@plaint_bot 1", chat={"id": -5, "type": "group"}))

    assert heard.command == "take"


def test_an_edited_command_is_not_a_command_again() -> None:
    content = message(text="/start")["message"]

    heard = READER.read({"update_id": 1, "edited_message": content})

    assert (heard.kind, heard.command) == ("edit", "")


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        ({"status": "left"}, "blocked"),
        ({"status": "kicked"}, "blocked"),
        ({"status": "restricted", "is_member": False}, "blocked"),
        ({"status": "restricted", "is_member": True}, "unblocked"),
        ({"status": "administrator"}, "unblocked"),
        ({"status": "sleeping"}, "unknown"),
        ({}, "unknown"),
    ],
)
def test_what_becomes_of_the_bot_in_a_group_says_whether_the_group_can_be_reached(
    status: dict[str, Any], kind: str
) -> None:
    change = {"chat": {"id": -5, "type": "group"}, "from": {"id": 7}, "date": 1, "new_chat_member": status}

    assert READER.read({"update_id": 1, "my_chat_member": change}).kind == kind


def test_every_kind_of_update_we_do_not_know_keeps_its_key() -> None:
    heard = READER.read({"update_id": 9, "hologram": {"chat": {"id": 3}, "from": {"id": 4}, "date": 1_772_778_600}})

    assert (heard.kind, heard.key, heard.address.chat, heard.sender) == ("unknown", "telegram:123:9", "3", "4")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=5,
)
FIELDS = st.sampled_from(
    [
        "message_id",
        "from",
        "chat",
        "date",
        "text",
        "caption",
        "photo",
        "document",
        "contact",
        "data",
        "id",
        "type",
        "new_chat_member",
        "reply_to_message",
        "migrate_to_chat_id",
        "media_group_id",
        "location",
        "message",
        "is_bot",
    ]
)
OBJECTS = st.recursive(
    st.dictionaries(FIELDS, JSON, max_size=5),
    lambda inner: st.dictionaries(FIELDS, inner | JSON | st.lists(inner, max_size=3), max_size=5),
    max_leaves=4,
)
KINDS = st.sampled_from(["message", "edited_message", "callback_query", "my_chat_member", "channel_post", "poll"])


@settings(max_examples=80, deadline=None)
@given(kind=KINDS, content=OBJECTS | JSON)
def test_no_update_whatsoever_makes_the_reading_fail(kind: str, content: object) -> None:
    heard = READER.read({"update_id": 1, kind: content})

    assert storable(heard)


@settings(max_examples=100, deadline=None)
@given(body=st.binary(max_size=60) | JSON.map(lambda value: json.dumps(value).encode()))
def test_every_body_is_read_or_malformed(body: bytes) -> None:
    with contextlib.suppress(Malformed):
        READER.read(parse(body))


def storable(heard: IncomingMessage) -> bool:
    """Whether a database takes it: no NUL, no half of a surrogate pair, nothing without an end."""
    told = json.dumps(asdict(heard), default=str, ensure_ascii=False)
    return "\\u0000" not in told and len(told.encode()) < 100_000


def check(problem: Callable[[], object], name: str) -> None:
    with pytest.raises(Misconfigured) as caught:
        problem()
    assert name in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_settings_that_cannot_work_are_named_and_not_told() -> None:
    good = {"token": "123:x", "clock": lambda: NOW}

    check(lambda: Telegram(**good | {"token": "hunter2"}), "PLAINT_TELEGRAM_TOKEN")
    check(lambda: Telegram(**good | {"api_url": "ftp://hunter2"}), "PLAINT_TELEGRAM_API_URL")
    check(lambda: Telegram(**good | {"proxy": "socks5://u:hunter2@h:1"}), "PLAINT_TELEGRAM_PROXY")
    check(lambda: Telegram(**good | {"webhook": "https://x.example"}), "PLAINT_TELEGRAM_WEBHOOK_SECRET")
    check(lambda: Telegram(**good | {"secret": "hunter2 ünsafe"}), "PLAINT_TELEGRAM_WEBHOOK_SECRET")
