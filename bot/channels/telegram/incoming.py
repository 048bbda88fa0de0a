"""Reads an update of Telegram into what the core understands. Pure: no network, no clock.

Fields are taken from the JSON itself, each only if it has its type, so that no update can make the reading fail. What
cannot be read is `unknown` but keeps its key: it is acknowledged, and shown to nobody.
Source: https://core.telegram.org/bots/api#update
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from complaints.errors import Malformed
from complaints.messages import Address, Attachment, AttachmentKind, IncomingMessage, MessageKind

Json = dict[str, Any]  # an object of the Bot API, every field of which is checked where it is read
CHANNEL: Final = "telegram"
ALLOWED_UPDATES: Final = ("message", "edited_message", "callback_query", "my_chat_member")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Reads the updates of one bot. `username` is empty until Telegram has told it."""

    bot: str
    username: str
    clock: Callable[[], datetime]

    def read(self, update: object) -> IncomingMessage:
        """Return what an update means; raise `Malformed` if it is none."""
        number = _number(update.get("update_id")) if isinstance(update, dict) else None
        if number is None or not isinstance(update, dict):
            raise Malformed("update without an id")
        key = f"{CHANNEL}:{self.bot}:{number}"
        for kind, read in (
            ("message", self._message),
            ("callback_query", self._pressed),
            ("edited_message", self._edited),
            ("my_chat_member", self._membership),
        ):
            content = update.get(kind)
            if isinstance(content, dict):
                return read(key, content)
        content = next((value for value in update.values() if isinstance(value, dict)), {})
        return self._unknown(key, content)

    def _message(self, key: str, message: Json) -> IncomingMessage:
        return self._said(key, message, "text", _moment(message.get("date")))

    def _edited(self, key: str, message: Json) -> IncomingMessage:
        return self._said(key, message, "edit", _moment(message.get("edit_date")) or _moment(message.get("date")))

    def _said(self, key: str, message: Json, kind: MessageKind, sent_at: datetime | None) -> IncomingMessage:
        sender = _object(message.get("from"))
        chat = _object(message.get("chat"))
        successor = _number(message.get("migrate_to_chat_id"))
        if _number(chat.get("id")) is None or chat.get("type") == "channel":
            return self._unknown(key, message)
        if successor is not None:
            return self._message_of(
                key, "moved", chat, sender, sent_at=sent_at, argument=str(successor), ref=_id(message, "message_id")
            )
        if _number(sender.get("id")) is None or sender.get("is_bot") is True:
            return self._unknown(key, message)
        text = words(message.get("text"), TEXT) or words(message.get("caption"), TEXT)
        attachments = tuple(_attachments(message))
        phone = _own_phone(message, sender)
        if not (text or attachments or phone):
            return self._unknown(key, message)
        command, argument, mine = self._command(message) if kind == "text" else ("", "", True)
        if not mine and chat.get("type") != "private":
            return self._unknown(key, message)
        return self._message_of(
            key,
            kind,
            chat,
            sender,
            sent_at=sent_at,
            text=text,
            command=command,
            argument=argument,
            ref=_id(message, "message_id"),
            reply_to=_reply_to(message),
            album=words(message.get("media_group_id"), _SHORT),
            phone=phone,
            attachments=attachments,
        )

    def _pressed(self, key: str, query: Json) -> IncomingMessage:
        sender = _object(query.get("from"))
        message = _object(query.get("message"))
        chat = _object(message.get("chat"))
        if _number(chat.get("id")) is None:  # the platform forgot the message: a private chat has its person's id
            chat = {"id": sender.get("id"), "type": "private"}
        token = words(query.get("data"), _SHORT)
        known = token and _number(sender.get("id")) is not None and _number(chat.get("id")) is not None
        return self._message_of(
            key,
            "press" if known else "unknown",
            chat,
            sender,
            press=token,
            press_ref=words(query.get("id"), _SHORT),
            ref=_id(message, "message_id"),
        )

    def _membership(self, key: str, change: Json) -> IncomingMessage:
        chat = _object(change.get("chat"))
        member = _object(change.get("new_chat_member"))
        status = member.get("status")
        kind: MessageKind = "unknown"
        if _number(chat.get("id")) is not None and chat.get("type") != "channel":
            if status in ("kicked", "left") or (status == "restricted" and member.get("is_member") is not True):
                kind = "blocked"
            elif status in ("member", "administrator", "restricted", "creator"):
                kind = "unblocked"
        return self._message_of(key, kind, chat, _object(change.get("from")), sent_at=_moment(change.get("date")))

    def _unknown(self, key: str, content: Json) -> IncomingMessage:
        sender = _object(content.get("from")) or _object(content.get("user"))
        return self._message_of(
            key,
            "unknown",
            _object(content.get("chat")),
            sender,
            sent_at=_moment(content.get("date")),
            ref=_id(content, "message_id"),
        )

    def _message_of(
        self, key: str, kind: MessageKind, chat: Json, sender: Json, *, sent_at: datetime | None = None, **rest: Any
    ) -> IncomingMessage:  # Any: the remaining fields of IncomingMessage, which mypy has seen at every call above
        number = _number(chat.get("id"))
        form = chat.get("type")
        name = f"{words(sender.get('first_name'), _NAME)} {words(sender.get('last_name'), _NAME)}".strip()
        return IncomingMessage(
            key=key,
            kind=kind,
            address=Address(
                channel=CHANNEL,
                chat="" if number is None else str(number),
                group=form != "private" if isinstance(form, str) else number is not None and number < 0,
            ),
            sender=_id(sender, "id"),
            sent_at=sent_at or self.clock(),
            name=name,
            language=words(sender.get("language_code"), _LANGUAGE),
            **rest,
        )

    def _command(self, message: Json) -> tuple[str, str, bool]:
        """Return the command and its argument, and whether it is meant for this bot."""
        text = message.get("text")
        found = _COMMAND.match(text[:TEXT]) if isinstance(text, str) else None
        if not found:
            return "", "", True
        command, bot, argument = found.groups()
        if bot and self.username and bot.casefold() != self.username.casefold():
            return "", "", False
        return command.lower(), words(argument, TEXT).strip(), True


def parse(body: bytes) -> object:
    """Return the JSON of a body; raise `Malformed` for what is none, or is nested too deep to be one of Telegram's."""
    try:
        return _DECODER.decode(body.decode())
    except (ValueError, RecursionError) as problem:
        raise Malformed(f"not JSON: {type(problem).__name__}") from None


def words(value: object, most: int) -> str:
    """Return at most so many characters of a text, without what a database or a reader chokes on."""
    if not isinstance(value, str):
        return ""
    value = value[:most]
    return value if value.isprintable() else _CONTROL.sub("", value)


def _refuse_constant(name: str) -> None:
    raise ValueError(name)


def _object(value: object) -> Json:
    return value if isinstance(value, dict) else {}


def _number(value: object) -> int | None:
    """Return a whole number of at most 63 bits: `True`, 1.0 and "1" are none."""
    return value if type(value) is int and abs(value) <= _LARGEST else None


def _id(owner: Json, field: str) -> str:
    number = _number(owner.get(field))
    return "" if number is None else str(number)


def _moment(value: object) -> datetime | None:
    number = _number(value)
    return datetime.fromtimestamp(number, UTC) if number is not None and 0 < number < _YEAR_3000 else None


def _reply_to(message: Json) -> str:
    replied = _object(message.get("reply_to_message"))
    # in a topic every message "replies" to the one that opened the topic
    return "" if "forum_topic_created" in replied else _id(replied, "message_id")


def _own_phone(message: Json, sender: Json) -> str:
    """Return the number of a shared contact only if it is the sender's own: anybody can share anybody's."""
    contact = _object(message.get("contact"))
    if _number(contact.get("user_id")) is None or contact.get("user_id") != sender.get("id"):
        return ""
    digits = re.sub(r"[^0-9]", "", words(contact.get("phone_number"), _SHORT))[:_DIGITS]
    return f"+{digits}" if digits else ""


def _attachments(message: Json) -> list[Attachment]:
    if _CONTENTS.isdisjoint(message):  # nothing but words: most of what is said
        return []
    found = []
    sizes = message.get("photo")
    if isinstance(sizes, list):
        photos = [size for size in sizes if isinstance(size, dict) and _has_file(size)]
        if photos:
            found.append(_file("photo", max(photos, key=_area)))
    for field, kind in _FILES.items():
        content = message.get(field)
        if isinstance(content, dict) and _has_file(content) and not (field == "document" and "animation" in message):
            found.append(_file(kind, content))  # an animation comes as a document too, for older bots
    for field in _FILELESS:
        if isinstance(message.get(field), dict) and not (field == "contact" and _own_phone(message, _sender(message))):
            found.append(Attachment(kind="other", ref="", name=field))
            break  # a venue comes with its location: one thing, said twice
    return found


def _sender(message: Json) -> Json:
    return _object(message.get("from"))


def _has_file(content: Json) -> bool:
    return isinstance(content.get("file_id"), str) and 0 < len(content["file_id"]) <= _REF


def _area(size: Json) -> tuple[int, int]:
    width, height = _number(size.get("width")) or 0, _number(size.get("height")) or 0
    return width * height, _number(size.get("file_size")) or 0


def _file(kind: AttachmentKind, content: Json) -> Attachment:
    size = _number(content.get("file_size"))
    return Attachment(
        kind=kind,
        ref=words(content["file_id"], _REF),
        size=size if size is not None and size >= 0 else None,
        mime=words(content.get("mime_type"), _NAME) or None,
        name=words(content.get("file_name"), _NAME) or None,
    )


TEXT: Final = 8192
"""The most characters of a text: twice what Telegram lets a person write in one message."""
_NAME: Final = 255
_SHORT: Final = 128
_LANGUAGE: Final = 35
_REF: Final = 1024
_DIGITS: Final = 15
_LARGEST: Final = 2**63 - 1
_YEAR_3000: Final = 32_503_680_000
_COMMAND: Final = re.compile(r"/([A-Za-z0-9_]{1,32})(?:@([A-Za-z0-9_]{3,32}))?(?:\s+(.*))?\s*\Z", re.DOTALL)
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
_DECODER: Final = json.JSONDecoder(parse_constant=_refuse_constant)
_FILES: Final[dict[str, AttachmentKind]] = {
    "document": "document",
    "voice": "voice",
    "audio": "audio",
    "video": "video",
    "video_note": "video",
    "animation": "video",
    "live_photo": "video",
    "sticker": "other",
}
_FILELESS: Final = (
    "venue",
    "location",
    "contact",
    "poll",
    "dice",
    "story",
    "checklist",
    "paid_media",
    "rich_message",
    "game",
    "invoice",
    "giveaway",
)
_CONTENTS: Final = frozenset({"photo", *_FILES, *_FILELESS})
