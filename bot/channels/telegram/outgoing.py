"""Writes what the core says as calls of the Bot API, and reads what came of them. Pure: no network, no clock.

Sources: https://core.telegram.org/bots/api#sendmessage, #answercallbackquery, #responseparameters
"""

import mimetypes
import re
from collections.abc import Iterable
from typing import Any, Final

from bot import text as writing
from bot.channel import Limits, Moved, Outcome, Pace, Refused, Retry, Sent, Unreachable
from bot.channels.telegram.api import Answer
from bot.text import clean, units
from complaints.messages import AttachmentKind, Choice, Enclosure, OutgoingMessage, PressAnswer, Revision

Json = dict[str, Any]  # the arguments of a call
Call = tuple[str, Json]
"""A method of the Bot API and its arguments."""

LIMITS: Final = Limits(
    text=4096,
    token=64,
    file=20 * 1024 * 1024,
    overall=Pace(every=1 / 30, burst=5),
    chat=Pace(every=1.0),
    group=Pace(every=3.0),
)
"""What Telegram publishes: https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this"""


def calls(chat: str, body: OutgoingMessage | Enclosure) -> list[Call] | Refused:
    """Return the calls that say it, in order: a long text takes several, and the buttons are on the last."""
    return _messages(chat, body) if isinstance(body, OutgoingMessage) else _enclosure(chat, body)


def _messages(chat: str, message: OutgoingMessage) -> list[Call] | Refused:
    for choice in (choice for row in message.choices for choice in row):
        if not choice.url and not 0 < len(choice.token.encode()) <= LIMITS.token:
            return Refused(error=f"a button whose token has {len(choice.token.encode())} bytes")
    told = [_text(_chat(chat), part) for part in split(clean(message.text), LIMITS.text) if part.strip()]
    if not told:
        return Refused(error="a message without a word")
    if message.reply_to.isdecimal():
        told[0][1]["reply_parameters"] = {"message_id": int(message.reply_to), "allow_sending_without_reply": True}
    if message.choices:
        rows = [list(_buttons(row[at : at + _ROW])) for row in message.choices for at in range(0, len(row), _ROW)]
        told[-1][1]["reply_markup"] = {"inline_keyboard": rows}
    return told


def _enclosure(chat: str, enclosure: Enclosure) -> list[Call]:
    method, field = _METHODS[enclosure.kind if enclosure.ref else kept_as(enclosure)]
    file: Json = {"chat_id": _chat(chat)} | ({field: enclosure.ref} if enclosure.ref else {})
    caption, *more = split(clean(enclosure.caption), _CAPTION)
    if field in _WITHOUT_CAPTION:
        more = [caption, *more]
    elif caption.strip():
        file["caption"] = caption
    return [(method, file), *(_text(_chat(chat), part) for part in more if part.strip())]


def kept_as(enclosure: Enclosure) -> AttachmentKind:
    """Return as what a file from another platform can be shown here; what Telegram would not play is a document.

    Source: https://core.telegram.org/bots/api#sendvoice
    """
    mimes = _SHOWN.get(enclosure.kind, frozenset())
    return enclosure.kind if enclosure.mime.casefold() in mimes else "document"


def uploads(call: Call) -> list[tuple[Call, str]]:
    """Return the calls that upload a file, each with the field that takes it: the one meant, then as a document."""
    field = next(field for method, field in _METHODS.values() if method == call[0])
    plain = _METHODS["document"]
    return [(call, field)] + ([((plain[0], call[1]), plain[1])] if call[0] != plain[0] else [])


def file_name(enclosure: Enclosure) -> tuple[str, str]:
    """Return the name of a file to upload, and its media type."""
    mime = enclosure.mime.casefold() or _USUAL.get(enclosure.kind, "application/octet-stream")
    return f"{enclosure.evidence_id}{mimetypes.guess_extension(mime, strict=False) or ''}", mime


def bare(chat: str, revision: Revision) -> Call:
    """Return the call that takes the buttons of a message away."""
    return "editMessageReplyMarkup", {
        "chat_id": _chat(chat),
        "message_id": int(revision.ref),
        "reply_markup": {"inline_keyboard": []},
    }


def bare_outcome(answer: Answer) -> Outcome:
    """Return what an answer means for a change of a message: one that is gone, or bare already, is as was wanted."""
    words = answer.description.casefold()
    done = answer.code == _BAD_REQUEST and any(part in words for part in _BARE)
    return Sent() if done else outcome(answer)


def as_it_is(call: Call, answer: Answer) -> list[Call]:
    """Return the calls that send a file as what it is, where Telegram refused it as something else.

    The core knows fewer kinds of files than Telegram, which wants a round video to be sent as one again.
    """
    found = _FILE_TYPE.search(answer.description) if answer.code == _BAD_REQUEST else None
    method, field = _PROPER.get(found[1].casefold(), ("", "")) if found else ("", "")
    if method in ("", call[0]):
        return []
    given = next(call[1][name] for name in _FIELDS if name in call[1])
    file: Json = {"chat_id": call[1]["chat_id"], field: given}
    caption = call[1].get("caption")
    if caption and field in _WITHOUT_CAPTION:
        return [(method, file), _text(call[1]["chat_id"], caption)]
    return [(method, file | ({"caption": caption} if caption else {}))]


def _text(chat: int | str, part: str) -> Call:
    return "sendMessage", {"chat_id": chat, "text": part, "link_preview_options": {"is_disabled": True}}


def _chat(chat: str) -> int | str:
    return int(chat) if chat.lstrip("-").isdecimal() else chat


def press(answer: PressAnswer) -> Json:
    """Return the arguments of `answerCallbackQuery`."""
    arguments: Json = {"callback_query_id": answer.ref}
    if answer.text:
        arguments["text"] = split(clean(answer.text), _TOAST)[0]
        arguments["show_alert"] = answer.alert
    return arguments


def passive(answer: PressAnswer) -> Json:
    """Return the body that ends a press in the answer to the very webhook that brought it, at no cost.

    Source: https://core.telegram.org/bots/api#making-requests-when-getting-updates
    """
    return {"method": "answerCallbackQuery", **press(answer)}


def outcome(answer: Answer) -> Outcome:
    """Return what a call's answer means for the letter. A 429 rests its chat; `Telegram` sees whether more."""
    if answer.ok:
        result = answer.result
        number = result.get("message_id") if isinstance(result, dict) else None
        return Sent(ref=str(number) if type(number) is int else "")
    if answer.trouble:
        return Retry(reason=answer.trouble)
    words = answer.description.casefold()
    if (chat := answer.number("migrate_to_chat_id")) is not None:
        return Moved(new_chat=str(chat))
    match answer.code:
        case 429:
            after = answer.number("retry_after")
            return Retry(reason="throttled", after=float(max(after or 1, 1)), pause="chat")
        case 401 | 404:
            return Retry(reason=f"misconfigured: {answer.description}", after=_MISCONFIGURED, pause="channel")
        case 403:
            return Unreachable(reason=_first(_FORBIDDEN, words) or "forbidden")
        case code if code >= _SERVER_ERROR:
            return Retry(reason=f"HTTP {code}")
        case code:
            if reason := _first(_NOWHERE, words):
                return Unreachable(reason=reason)
            return Refused(error=f"{code} {answer.description}")


def press_outcome(answer: Answer) -> Outcome:
    """Return what an answer means for a press. One that is too old has ended by itself, as was wanted."""
    return Sent() if answer.code == _BAD_REQUEST and "query" in answer.description.casefold() else outcome(answer)


def split(text: str, most: int) -> list[str]:
    """Return the text in parts of at most `most` UTF-16 units, which is how Telegram counts."""
    return writing.split(text, most, units)


def _buttons(row: Iterable[Choice]) -> Iterable[Json]:
    for choice in row:
        yield {"text": clean(choice.label)} | ({"url": choice.url} if choice.url else {"callback_data": choice.token})


def _first(reasons: dict[str, str], words: str) -> str:
    return next((reason for part, reason in reasons.items() if part in words), "")


_BAD_REQUEST: Final = 400
_SERVER_ERROR: Final = 500
_MISCONFIGURED: Final = 60.0
_ROW: Final = 8
_TOAST: Final = 200
_CAPTION: Final = 1024
_METHODS: Final = {
    "photo": ("sendPhoto", "photo"),
    "document": ("sendDocument", "document"),
    "voice": ("sendVoice", "voice"),
    "audio": ("sendAudio", "audio"),
    "video": ("sendVideo", "video"),
    "other": ("sendSticker", "sticker"),
}
_PROPER: Final = {
    **{field: (method, field) for method, field in _METHODS.values()},
    "animation": ("sendAnimation", "animation"),
    "videonote": ("sendVideoNote", "video_note"),
}
_FIELDS: Final = tuple(field for _, field in _PROPER.values())
_WITHOUT_CAPTION: Final = frozenset({"sticker", "video_note"})
_SHOWN: Final[dict[AttachmentKind, frozenset[str]]] = {
    "photo": frozenset({"", "image/jpeg", "image/png", "image/webp"}),
    "voice": frozenset({"audio/ogg", "audio/mpeg", "audio/mp4"}),
    "audio": frozenset({"audio/mpeg", "audio/mp4"}),
    "video": frozenset({"video/mp4"}),
}
_USUAL: Final = {"photo": "image/jpeg"}
_BARE: Final = ("message is not modified", "message to edit not found", "message can't be edited", "message_id_invalid")
_FILE_TYPE: Final = re.compile(r"can't use file of type (\w+) as")
_FORBIDDEN: Final = {
    "blocked by the user": "blocked",
    "deactivated": "deactivated",
    "kicked": "kicked",
    "not a member": "kicked",
    "initiate conversation": "never_started",
}
_NOWHERE: Final = {
    "chat not found": "not_found",
    "user not found": "not_found",
    "peer_id_invalid": "not_found",
    "group chat was deactivated": "deactivated",
    "user_is_deactivated": "deactivated",
    "input_user_deactivated": "deactivated",
    "user_is_blocked": "blocked",
    "not enough rights": "forbidden",
    "no rights to send": "forbidden",
    "chat_write_forbidden": "forbidden",
    "chat_restricted": "forbidden",
    "need administrator rights": "forbidden",
}
