"""Reads a message or event of WeChat into what the core understands. Pure: no network, no clock but the one given.

Fields are taken one by one, each only if it is a text of a sensible length, so that no delivery can make the reading
fail. What cannot be read is `unknown` but keeps its key: it is acknowledged, and shown to nobody.
Sources: https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Receiving_standard_messages.html,
https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Receiving_event_pushes.html
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

from bot import text as writing
from bot.tencent.xml import Fields
from complaints.errors import Malformed
from complaints.messages import Address, Attachment, AttachmentKind, Credit, IncomingMessage, MessageKind

CHANNEL: Final = "wechat"


def read(fields: Fields, clock: Callable[[], datetime]) -> IncomingMessage:
    """Return what was said or done; raise `Malformed` for fields that belong to no message and no event."""
    sender, form = _word(fields, "FromUserName"), _word(fields, "MsgType")
    if not sender or not form:
        raise Malformed("a delivery without a sender or a type")
    return _event(fields, sender, clock) if form == "event" else _message(fields, sender, form, clock)


def _message(fields: Fields, sender: str, form: str, clock: Callable[[], datetime]) -> IncomingMessage:
    number = _word(fields, "MsgId")
    key = f"{CHANNEL}:{number}" if number else _key(fields, sender, form, "")
    text, attachments = _content(fields, form)
    if not text and not attachments:
        return _heard(fields, sender, clock, key=key, kind="unknown", credits=MESSAGE)
    tapped = _word(fields, "bizmsgmenuid") if form == "text" else ""
    if tapped:
        return _heard(fields, sender, clock, key=key, kind="press", text=text, press=tapped, credits=MOMENT)
    found = _COMMAND.match(text) if form == "text" else None
    return _heard(
        fields,
        sender,
        clock,
        key=key,
        kind="text",
        text=text,
        command=found[1].lower() if found else "",
        argument=(found[2] or "").strip() if found else "",
        ref=number,
        attachments=attachments,
        credits=MESSAGE,
    )


def _content(fields: Fields, form: str) -> tuple[str, tuple[Attachment, ...]]:
    """Return the words of a message, and its file."""
    match form:
        case "text":
            return _text(fields, "Content"), ()
        case "location":
            place = f"({_word(fields, 'Location_X')}, {_word(fields, 'Location_Y')})"
            return f"{_text(fields, 'Label')} {place}".strip(), ()
        case "link":
            parts = (_text(fields, name) for name in ("Title", "Description", "Url"))
            return "\n".join(part for part in parts if part), ()
        case "file":
            ref = _word(fields, "MediaId", _REF)
            name = _text(fields, "Title")[:_NAME] or form
            return "", (Attachment(kind="document" if ref else "other", ref=ref, name=name),)
        case _ if kind := _FILES.get(form):
            ref = _word(fields, "MediaId", _REF)
            if ref:
                return _recognised(fields) if form == "voice" else "", (Attachment(kind=kind, ref=ref),)
    return "", (Attachment(kind="other", ref="", name=form),)  # a card, a game: nothing that we could keep


def _recognised(fields: Fields) -> str:
    """Return what the platform heard, without the one full stop that it sets behind everything."""
    text = _text(fields, "Recognition")
    return text[:-1] if text.endswith(_FULL_STOP) and text.count(_FULL_STOP) == 1 else text


def _event(fields: Fields, sender: str, clock: Callable[[], datetime]) -> IncomingMessage:
    event, detail = _word(fields, "Event"), _word(fields, "EventKey")
    key = _key(fields, sender, event, detail)
    match event:
        case "subscribe":
            argument = detail.removeprefix(_SCENE) if detail.startswith(_SCENE) else ""
            return _heard(
                fields, sender, clock, key=key, kind="text", command="start", argument=argument, credits=MOMENT
            )
        case "SCAN":
            return _heard(fields, sender, clock, key=key, kind="text", command="start", argument=detail, credits=MOMENT)
        case "unsubscribe":
            return _heard(fields, sender, clock, key=key, kind="blocked")
        case "CLICK" if command := MENU.get(detail):
            return _heard(fields, sender, clock, key=key, kind="text", command=command, credits=MOMENT)
        case _ if event in _CLICKS:
            return _heard(fields, sender, clock, key=key, kind="unknown", credits=MOMENT)
        case "subscribe_msg_popup_event":
            return _heard(fields, sender, clock, key=key, kind="unknown", credits=_consents(fields))
        case _:
            whose = "" if event in _NOBODYS or not event else sender
            return _heard(fields, whose, clock, key=key, kind="unknown")


def _consents(fields: Fields) -> tuple[Credit, ...]:
    """Return a credit for every notice that the person said yes to: each yes is good for one."""
    popup = fields.get("SubscribeMsgPopupEvent")
    listed = popup.get("List") if isinstance(popup, dict) else None
    return tuple(
        Credit(name=f"template:{template}", count=1, seconds=_YEAR, adds=True)
        for each in (listed if isinstance(listed, list) else [])[:_MOST_CONSENTS]
        if isinstance(each, dict)
        and (template := _word(each, "TemplateId"))
        and _word(each, "SubscribeStatusString") == "accept"
    )


def _heard(
    fields: Fields, sender: str, clock: Callable[[], datetime], *, key: str, kind: MessageKind, **rest: Any
) -> IncomingMessage:  # Any: the remaining fields of IncomingMessage, which mypy has seen at every call above
    return IncomingMessage(
        key=key,
        kind=kind,
        address=Address(channel=CHANNEL, chat=sender),
        sender=sender,
        sent_at=_moment(_word(fields, "CreateTime")) or clock(),
        **rest,
    )


def _key(fields: Fields, sender: str, event: str, detail: str) -> str:
    return f"{CHANNEL}:{sender}:{_word(fields, 'CreateTime')}:{event}:{detail}"


def _word(fields: Fields, name: str, most: int = 128) -> str:
    """Return a field that is no prose: an id, a number, a name of something. Empty if it is too long to be one."""
    value = fields.get(name)
    return value if isinstance(value, str) and len(value) <= most and value.isprintable() else ""


def _text(fields: Fields, name: str) -> str:
    value = fields.get(name)
    return writing.clean(value)[:TEXT] if isinstance(value, str) else ""


def _moment(value: str) -> datetime | None:
    number = int(value) if re.fullmatch(r"[0-9]{1,12}", value) else 0
    return datetime.fromtimestamp(number, UTC) if 0 < number < _YEAR_3000 else None


TEXT: Final = 8192
"""The most characters of a text: more than WeChat lets a person write in one message."""
NOTICE: Final = Credit(name="notice", count=1, seconds=30 * 24 * 3600)
MESSAGE: Final = (Credit(name="message", count=5, seconds=48 * 3600), NOTICE)
"""What a message lets us send: https://developers.weixin.qq.com/doc/service/api/customer/message/api_sendcustommessage"""
MOMENT: Final = (Credit(name="moment", count=3, seconds=60), NOTICE)
"""What a tap on the menu, a scan or following lets us send. A tap on a choice is taken for one of them."""
MENU: Final = {"NEW_CASE": "new", "MY_CASES": "status", "HUMAN": "human", "HELP": "help"}
"""The keys of our menu, and the command that each stands for."""
_CLICKS: Final = frozenset({"CLICK", "scancode_push", "scancode_waitmsg"})
_NOBODYS: Final = frozenset(
    {
        "TEMPLATESENDJOBFINISH",
        "MASSSENDJOBFINISH",
        "PUBLISHJOBFINISH",
        "subscribe_msg_sent_event",
        "qualification_verify_success",
        "qualification_verify_fail",
        "naming_verify_success",
        "naming_verify_fail",
        "annual_renew",
        "verify_expired",
        "card_pass_check",
        "card_not_pass_check",
        "card_sku_remind",
        "card_pay_order",
    }
)
_FILES: Final[dict[str, AttachmentKind]] = {
    "image": "photo",
    "voice": "voice",
    "video": "video",
    "shortvideo": "video",
}
_SCENE: Final = "qrscene_"
_FULL_STOP: Final = "\u3002"
_COMMAND: Final = re.compile(r"[/\uff0f]([A-Za-z0-9_]{1,32})(?:\s+(.*))?\s*\Z", re.DOTALL)
_NAME: Final = 255
_REF: Final = 512
_YEAR: Final = 31_536_000
_YEAR_3000: Final = 32_503_680_000
_MOST_CONSENTS: Final = 10
