"""Writes what the core says as messages of WeCom, and reads what came of them. Pure: no network, no clock.

Sources: https://developer.work.weixin.qq.com/document/path/90236 (messages), 94888 (changing a card),
91770 (group robot), 90253 (files), 90313 (errors)
"""

import mimetypes
import re
from typing import Any, Final

from bot.channel import Limits, Outcome, Pace, Refused, Retry, Sent, Unreachable
from bot.channels.wecom.cards import BUTTONS, cards, cut
from bot.tencent.api import TOKEN_CODES, Answer
from bot.text import clean, inert, octets, split
from complaints.messages import Enclosure, OutgoingMessage

Json = dict[str, Any]  # the body of a call
ROBOT: Final = "robot"
"""The chat of the group robot: it only speaks, to one group."""

LIMITS: Final = Limits(
    text=2048,
    token=64,
    file=20 * 1024 * 1024,
    overall=Pace(every=1 / 20, burst=20),
    chat=Pace(every=4.0, burst=10),
    group=Pace(every=4.0, burst=4),
    concurrent=16,
    buttons=BUTTONS,
    folds=True,
    carries=True,  # the end of a press; all else is sent
    patience=4.5,
)
"""What WeCom publishes, with room left for answers: 30 messages a minute and 1000 an hour to one member (`Meter`
holds that for certain), 20 a minute to the group of a robot. Text in bytes.
"""


def said(letter: int, message: OutgoingMessage, *, unasked: bool) -> list[Json] | Refused:
    """Return the messages that say it to a member, in order: without whom they go to.

    Up to six choices are buttons of a card, and so are more that bear no number; else the numbers stand in the text.
    A card is known by its id, and what nobody asked for by its words, so that neither comes twice within half an hour.
    """
    choices = [choice for row in message.choices for choice in row]
    for choice in choices:
        if not choice.url and not 0 < octets(choice.token) <= LIMITS.token:
            return Refused(error=f"a button whose token has {octets(choice.token)} bytes")
    if not clean(message.text).strip():
        return Refused(error="a message without a word")
    numbered = len(choices) > LIMITS.buttons and any(choice.number for choice in choices)
    once = _ONCE if unasked else {}  # whoever asks again shall be told again
    if numbered or all(choice.url for choice in choices):
        return texts("\n".join((message.plain, *_links(message))), once)
    before, written = cards(clean(message.text), choices, _base36(letter))
    asked = [{"msgtype": "template_card", "template_card": card, **_ONCE} for card in written]
    return [*texts(before, once), *asked]


def announced(message: OutgoingMessage) -> str:
    """Return what a robot says. It hears nothing, so of the choices only pages are named."""
    return "\n".join((message.text, *_links(message)))


def _links(message: OutgoingMessage) -> list[str]:
    return [f"{choice.label}: {choice.url}" for row in message.choices for choice in row if choice.url]


def texts(text: str, more: Json) -> list[Json]:
    """Return the messages that say a text of any length; none where there is nothing to say."""
    parts = split(inert(clean(text)), LIMITS.text, octets)
    return [{"msgtype": "text", "text": {"content": part}, **more} for part in parts if part.strip()]


def media(kind: str, media_id: str) -> Json:
    """Return the message that shows a file: an image, voice, video or file."""
    return {"msgtype": kind, kind: {"media_id": media_id}}


def form(enclosure: Enclosure, size: int | None = None) -> str:
    """Return as what a file can be shown: what WeCom would not show as itself is a file.

    `size` in bytes, where it is not WeCom's own already. Source: https://developer.work.weixin.qq.com/document/path/90253
    """
    proper, mimes, most = _FORMS.get(enclosure.kind, _FILE)
    if size is None:
        return proper
    return proper if size <= most and (not enclosure.mime or enclosure.mime.casefold() in mimes) else "file"


def named(enclosure: Enclosure) -> tuple[str, str]:
    """Return the name under which a file is uploaded, and its media type."""
    mime = enclosure.mime.casefold() if _MIME.fullmatch(enclosure.mime) else ""  # whoever sent the file chose it
    mime = mime or _USUAL.get(enclosure.kind, "application/octet-stream")
    return f"{enclosure.evidence_id}{_ENDINGS.get(mime) or mimetypes.guess_extension(mime) or ''}", mime


def revised(code: str, text: str, agent: int) -> Json:
    """Return the call that puts a short text in the place of a card's buttons, for all who have the card."""
    return {"atall": 1, "agentid": agent, "response_code": code, "button": {"replace_name": replaced(text)}}


def replaced(text: str) -> str:
    """Return what stands in the place of the buttons then: something must."""
    return cut(text, _REPLACED) or CHECK


def outcome(answer: Answer) -> Outcome:
    """Return what a call's answer means for the letter. A message may be taken for nobody: that is told in a field."""
    if answer.trouble:
        return Retry(reason=answer.trouble)
    told = f"{answer.code} {answer.text}"
    match answer.code:
        case 0:
            result = answer.result if isinstance(answer.result, dict) else {}
            for field, reason in _NOBODY.items():
                if result.get(field):
                    return Unreachable(reason=reason)
            code = result.get("response_code")
            return Sent(ref=code if isinstance(code, str) else "")
        case 42014:  # the task id has been: this very card was sent, and only the answer was lost
            return Sent()
        case code if code in _BUSY:
            return Retry(reason=told)
        case 45009:
            return Retry(reason="throttled", after=_MINUTE, pause="channel")
        case 45033:
            return Retry(reason="throttled", after=_MOMENT, pause="channel")
        case code if code in MISCONFIGURED:
            return Retry(reason=f"misconfigured: {told}", after=_MINUTE, pause="channel")
        case code:
            return Unreachable(reason=_AWAY[code]) if code in _AWAY else Refused(error=told)


def robot_outcome(answer: Answer) -> Outcome:
    """Return what the robot's answer means: whatever must rest, it is this group and not the app."""
    told = outcome(answer)
    if isinstance(told, Retry) and told.pause:
        return Retry(reason=told.reason, after=_MINUTE, pause="chat")
    return Sent() if isinstance(told, Sent) else told


def revised_outcome(answer: Answer) -> Outcome:
    """Return what an answer means for a change of a card. A code serves once, for 72 hours; then nothing is to be done.

    WeCom publishes no number for a code that has served, so the word in its answer decides where no number does.
    """
    told = outcome(answer)
    spent = answer.code in _SPENT or _CODE.search(answer.text)
    return Sent() if isinstance(told, Sent) or (spent and isinstance(told, Refused | Unreachable)) else told


def _base36(number: int) -> str:
    digits = ""
    while number:
        number, digit = divmod(number, 36)
        digits = _DIGITS[digit] + digits
    return digits or "0"


CHECK: Final = "\u2713"
_DIGITS: Final = "0123456789abcdefghijklmnopqrstuvwxyz"
_REPLACED: Final = 2 * 20
_MINUTE: Final = 60.0
_MOMENT: Final = 5.0
_ONCE: Final = {"enable_duplicate_check": 1, "duplicate_check_interval": 1800}
_CODE: Final = re.compile(r"response[ _]?code", re.IGNORECASE)
_NOBODY: Final = {"invaliduser": "not_found", "unlicenseduser": "unlicensed"}
_BUSY: Final = frozenset({-1, 6000})
# a task that is unknown, a code that has served
_SPENT: Final = frozenset({40029, 42016, 42022})
# the member is unknown, or out of the app's sight
_AWAY: Final = {
    40003: "not_found",
    40031: "not_found",
    46004: "not_found",
    60111: "not_found",
    81013: "not_found",
    82001: "not_found",
    50002: "forbidden",
    60011: "forbidden",
}
MISCONFIGURED: Final = TOKEN_CODES | {
    40013,  # corp id
    40056,  # agent id
    40091,  # secret of another corporation
    41001,
    41002,
    41004,
    41011,
    43012,  # cards need a callback, and the app has none
    48002,  # the app may not call this
    50003,  # the app is switched off
    60020,  # our address is not among the trusted ones
    93000,  # the robot's webhook
    301002,  # the agent id of another app
}
_FORMS: Final = {
    "photo": ("image", frozenset({"image/jpeg", "image/jpg", "image/png"}), 10 * 1024 * 1024),
    "voice": ("voice", frozenset({"audio/amr"}), 2 * 1024 * 1024),
    "video": ("video", frozenset({"video/mp4"}), 10 * 1024 * 1024),
}
_FILE: Final = ("file", frozenset[str](), LIMITS.file)
_MIME: Final = re.compile(r"[A-Za-z0-9!#$&^_.+-]{1,60}/[A-Za-z0-9!#$&^_.+-]{1,60}")
_USUAL: Final = {"photo": "image/jpeg", "voice": "audio/amr", "video": "video/mp4"}
_ENDINGS: Final = {"audio/amr": ".amr", "audio/ogg": ".ogg"}
