"""Updates made up from the Bot API's own specification, read by us and by python-telegram-bot: both must agree.

Needs `PLAINT_TEST_DATA`, a folder with `channels/telegram_bot_api_spec.min.json`.
"""

import json
import os
import random
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import telegram

from bot.channels.telegram.incoming import Reader
from complaints.messages import IncomingMessage

DATA = os.environ.get("PLAINT_TEST_DATA", "")
NOW = datetime(2026, 3, 6, 7, 0, tzinfo=UTC)
UPDATES = 1500
DEPTH = 4
PLAIN = {"document": "document", "voice": "voice", "audio": "audio", "video": "video", "video_note": "video"}
PLAIN |= {"animation": "video", "sticker": "other"}
MEDIA = frozenset({*PLAIN, "photo", "live_photo"})
WORDS = ["退货", "order 12", "/start x", "门 😡", "a\u0000b", "x" * 5000, "+86 138", "zh-hans"]


class Spec:
    """Makes up objects of the Bot API."""

    def __init__(self, types: dict[str, Any], seed: int) -> None:
        self.types = types
        self.random = random.Random(seed)

    def object(self, name: str, depth: int = 0, **given: Any) -> Any:
        about = self.types[name]
        if about.get("subtypes"):
            plain = [kind for kind in about["subtypes"] if kind == "String"] if depth > DEPTH else []
            return self.value({"name": name, "types": plain or about["subtypes"]}, depth)
        made = {}
        for field in about.get("fields", []):
            wanted = field["required"] or self.random.random() < (0.15 if depth < DEPTH else 0.0)
            if field["name"] in given or wanted:
                made[field["name"]] = given.get(field["name"], self.value(field, depth))
        return made

    def value(self, field: dict[str, Any], depth: int) -> Any:
        kind = self.random.choice(field["types"])
        if kind.startswith("Array of "):
            return [self.value({**field, "types": [kind[9:]]}, depth) for _ in range(self.random.randint(1, 2))]
        name, says = field["name"], field.get("description", "")
        if kind == "Integer":
            moment = "date" in name or "nix" in says
            return 1_700_000_000 + self.random.randint(0, 10**8) if moment else self.random.randint(1, 2**40)
        if kind == "String":
            quoted = says.partition('always "')[2].partition('"')[0]
            return quoted or self.random.choice(WORDS[:3] if name.endswith("_id") else WORDS)
        if kind in ("Boolean", "True"):
            return self.random.random() < 0.5 if kind == "Boolean" else True
        return self.random.random() * 90 if kind.startswith("Float") else self.object(kind, depth + 1)


def updates(path: Path) -> list[dict[str, Any]]:
    """Make up updates of every kind, most of them messages with every kind of content in turn."""
    types = json.loads(path.read_text())["types"]
    spec = Spec(types, seed=20260306)
    kinds = [field for field in types["Update"]["fields"] if field["name"] != "update_id"]
    fields = {field["name"]: field for field in types["Message"]["fields"]}
    contents = [*fields, *["text", "caption", "photo", "contact", *PLAIN] * 10]
    heard = [field for field in kinds if field["name"] in ("message", "edited_message", "callback_query")]
    made = []
    for number in range(UPDATES):
        field = heard[number % 3] if number % 2 else kinds[number // 2 % len(kinds)]
        content = spec.object(field["types"][0], 1)
        if field["types"] == ["Message"]:
            for name in (spec.random.choice(contents), "from"):
                content[name] = spec.value(fields[name], 2)
            content["from"]["is_bot"] = number % 9 == 0
            content["chat"]["type"] = spec.random.choice(["private", "private", "group", "supergroup", "channel"])
        made.append({"update_id": number + 1, field["name"]: content})
    return made


@pytest.fixture(scope="module")
def made() -> list[dict[str, Any]]:
    path = Path(DATA) / "channels" / "telegram_bot_api_spec.min.json"
    if not DATA or not path.exists():
        pytest.skip("PLAINT_TEST_DATA names no folder with channels/telegram_bot_api_spec.min.json")
    return updates(path)


@pytest.mark.filterwarnings("ignore::telegram.warnings.PTBDeprecationWarning")
def test_updates_made_up_from_the_specification_are_read_as_the_library_reads_them(made: list[dict[str, Any]]) -> None:
    reader = Reader(bot="123", username="plaint_bot", clock=lambda: NOW)
    kinds: Counter[str] = Counter()
    for update in made:
        ours = reader.read(json.loads(json.dumps(update)))
        theirs = telegram.Update.de_json(update, None)
        assert theirs is not None
        kinds[ours.kind] += 1
        assert ours.key == f"telegram:123:{theirs.update_id}"
        agree(ours, theirs)

    assert kinds.total() == UPDATES
    assert min(kinds[kind] for kind in ("text", "edit", "press", "blocked", "unblocked", "moved", "unknown")) > 0
    assert kinds["text"] > 100


def agree(ours: IncomingMessage, theirs: telegram.Update) -> None:
    """Compare what both read."""
    if theirs.callback_query:
        query = theirs.callback_query
        assert (ours.press, ours.press_ref) == (cut(query.data, 128), cut(query.id, 128))
        assert ours.sender == str(query.from_user.id)
        if query.message:
            assert (ours.address.chat, ours.ref) == (str(query.message.chat.id), str(query.message.message_id))
        assert (ours.kind == "press") == bool(query.data)
    elif theirs.my_chat_member:
        member = theirs.my_chat_member
        assert (ours.address.chat, ours.sender) == (str(member.chat.id), str(member.from_user.id))
        assert ours.sent_at == member.date
    elif theirs.message or theirs.edited_message:
        message = theirs.message or theirs.edited_message
        assert message is not None
        agree_on_message(ours, message)
    else:
        assert ours.kind == "unknown"


def agree_on_message(ours: IncomingMessage, message: telegram.Message) -> None:
    assert (ours.address.chat, ours.ref) == (str(message.chat.id), str(message.message_id))
    assert ours.address.group == (message.chat.type != "private")
    assert ours.sender == (str(message.from_user.id) if message.from_user else "")
    if ours.kind == "moved":
        assert ours.argument == str(message.migrate_to_chat_id)
    elif ours.kind == "unknown":
        foreign = not message.from_user or message.from_user.is_bot or message.chat.type == "channel"
        silent = not (message.text or message.caption or any(getattr(message, kind, None) for kind in MEDIA))
        assert foreign or silent
    else:
        assert ours.sent_at == (message.edit_date if ours.kind == "edit" and message.edit_date else message.date)
        assert ours.text == cut(message.text or message.caption)
        assert ours.album == cut(message.media_group_id, 128)
        assert ours.language == cut(message.from_user.language_code if message.from_user else "", 35)
        agree_on_files(ours, message)


def agree_on_files(ours: IncomingMessage, message: telegram.Message) -> None:
    found = {(file.kind, file.ref, file.size, file.mime, file.name) for file in ours.attachments if file.ref}
    known = set()
    for name, kind in PLAIN.items():
        file = getattr(message, name)
        if file and len(file.file_id) <= 1024 and not (name == "document" and message.animation):
            mime, title = getattr(file, "mime_type", None), getattr(file, "file_name", None)
            known.add((kind, cut(file.file_id), file.file_size, cut(mime, 255) or None, cut(title, 255) or None))
    sizes = [size for size in message.photo if len(size.file_id) <= 1024]
    if sizes:
        best = max(sizes, key=lambda size: (size.width * size.height, size.file_size or 0))
        known.add(("photo", cut(best.file_id), best.file_size, None, None))
    assert known <= found
    assert len(found) - len(known) <= 1  # a live photo, which the library does not know yet


def cut(text: str | None, most: int = 8192) -> str:
    return (text or "")[:most].replace("\u0000", "")
