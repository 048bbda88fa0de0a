"""Reads what WeCom posts into what the core understands. Pure: no network, no clock.

Fields are taken one by one, each only if it is a text, so that no delivery can make the reading fail. What cannot be
read is `unknown` but keeps its key: it is acknowledged, and shown to nobody.
Sources: https://developer.work.weixin.qq.com/document/path/90239 (messages), 90240 (events), 90970 (members)
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from bot.tencent.xml import Fields
from bot.text import clean
from complaints.messages import Address, Attachment, AttachmentKind, IncomingMessage, MessageKind

CHANNEL: Final = "wecom"
PRESSES: Final = frozenset({"template_card_event", "template_card_menu_event"})
"""The events of a press on a card; the answer to one may change its buttons."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Reads what one app is told."""

    clock: Callable[[], datetime]

    def read(self, fields: Fields) -> IncomingMessage:
        """Return what a delivery means."""
        kind = word(fields, "MsgType").lower()
        if kind == "event":
            return self._event(fields)
        if kind in _FILES:
            attachment = _file(_FILES[kind], kind, fields)
            return self._said(fields, attachments=(attachment,)) if attachment else self._of(fields, "unknown")
        match kind:
            case "text":
                text = word(fields, "Content", TEXT)
                found = _COMMAND.match(text)
                if found:
                    return self._said(fields, text=text, command=found[1].lower(), argument=(found[2] or "").strip())
                return self._said(fields, text=text)
            case "location":
                place = ", ".join(filter(None, (word(fields, "Location_X"), word(fields, "Location_Y"))))
                return self._said(fields, text=_lines(word(fields, "Label", TEXT), place))
            case "link":
                return self._said(fields, text=_lines(*(word(fields, name, TEXT) for name in _LINK)))
            case _:
                return self._of(fields, "unknown")

    def _event(self, fields: Fields) -> IncomingMessage:
        event = word(fields, "Event").lower()
        key = word(fields, "EventKey")
        if event in PRESSES and key and _sender(fields):
            press_ref = word(fields, "ResponseCode", _REF)
            return self._of(fields, "press", press=key, press_ref=press_ref, ref=word(fields, "TaskId"))
        if event == "click" and key.lower() in _MENU and _sender(fields):
            return self._of(fields, "text", command=key.lower())
        if event == "unsubscribe" and _sender(fields):
            return self._of(fields, "blocked")
        if event == "change_contact":
            return self._member(fields)
        return self._of(fields, "unknown")

    def _member(self, fields: Fields) -> IncomingMessage:
        """Read what the address book tells of a member. Of those who came, or only changed their name: nothing."""
        change, member, successor = (word(fields, name) for name in ("ChangeType", "UserID", "NewUserID"))
        gone = change == "delete_user" or (change == "update_user" and word(fields, "Status") in _GONE)
        if member and gone:
            return self._of(fields, "left", member=member)
        if member and change == "update_user" and successor not in ("", member):
            return self._of(fields, "moved", member=member, argument=successor)
        return self._of(fields, "unknown")

    def _said(
        self,
        fields: Fields,
        *,
        text: str = "",
        command: str = "",
        argument: str = "",
        attachments: tuple[Attachment, ...] = (),
    ) -> IncomingMessage:
        if not _sender(fields) or not (text.strip() or attachments):
            return self._of(fields, "unknown")
        ref = word(fields, "MsgId")
        return self._of(fields, "text", text=text, command=command, argument=argument, attachments=attachments, ref=ref)

    def _of(self, fields: Fields, kind: MessageKind, *, member: str = "", **rest: Any) -> IncomingMessage:
        # Any: the remaining fields of IncomingMessage, which every call above names
        member = member or _sender(fields)
        return IncomingMessage(
            key=_key(fields),
            kind=kind,
            address=Address(channel=CHANNEL, chat=member),
            sender=member,
            sent_at=_moment(word(fields, "CreateTime")) or self.clock(),
            **rest,
        )


def word(fields: Mapping[str, Any], name: str, most: int = 128) -> str:
    """Return at most so many characters of a field that is a text, without what a database or a reader chokes on."""
    value = fields.get(name)
    return clean(value[:most]) if isinstance(value, str) else ""


def _sender(fields: Fields) -> str:
    """Return the member who did it; nobody where WeCom itself did."""
    member = word(fields, "FromUserName")
    return "" if member == _SYSTEM else member


def _key(fields: Fields) -> str:
    """Return what is the same when WeCom repeats a delivery, and else differs."""
    number = word(fields, "MsgId")
    if number.strip("0"):
        return f"{CHANNEL}:{number}"
    return ":".join((CHANNEL, *(word(fields, name) for name in _KEY)))


def _file(kind: AttachmentKind, form: str, fields: Fields) -> Attachment | None:
    ref = word(fields, "MediaId", _REF)
    if not ref:
        return None
    spoken = word(fields, "Format").lower()
    mime = {"voice": f"audio/{spoken if spoken.isalnum() else 'amr'}", "video": "video/mp4"}.get(form)
    return Attachment(kind=kind, ref=ref, mime=mime, name=word(fields, "FileName") or word(fields, "Title") or None)


def _lines(*parts: str) -> str:
    return "\n".join(part for part in parts if part)


def _moment(seconds: str) -> datetime | None:
    if not re.fullmatch(r"[0-9]{1,11}", seconds) or not 0 < int(seconds) < _YEAR_3000:
        return None
    return datetime.fromtimestamp(int(seconds), UTC)


TEXT: Final = 8192
"""The most characters of a text: four times what WeCom lets a person write in one message."""
_REF: Final = 1024
_YEAR_3000: Final = 32_503_680_000
_SYSTEM: Final = "sys"
_GONE: Final = frozenset({"2", "5"})  # disabled, and gone from the address book
_MENU: Final = frozenset({"cases", "register", "help"})
_LINK: Final = ("Title", "Description", "Url")
_KEY: Final = ("FromUserName", "CreateTime", "Event", "ChangeType", "EventKey", "TaskId", "UserID")
_COMMAND: Final = re.compile("[/\uff0f]([A-Za-z0-9_]{1,32})(?:\\s+(.*))?\\s*\\Z", re.DOTALL)
_FILES: Final[dict[str, AttachmentKind]] = {
    "image": "photo",
    "voice": "voice",
    "video": "video",
    "shortvideo": "video",
    "file": "document",
}
