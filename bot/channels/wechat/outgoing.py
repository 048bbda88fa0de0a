"""Writes what the core says as WeChat's messages, and reads what came of them. Pure: no network, no clock.

Sources: https://developers.weixin.qq.com/doc/service/api/customer/message/api_sendcustommessage,
https://developers.weixin.qq.com/doc/oplatform/developers/errCode/errCode.html
"""

from typing import Any, Final
from urllib.parse import quote

from bot import text as writing
from bot.channel import Limits, Outcome, Pace, Refused, Retry, Sent, Unreachable
from bot.tencent.api import Answer
from complaints.messages import Choice, OutgoingMessage

Json = dict[str, Any]  # the body of a call

LIMITS: Final = Limits(
    text=2048,
    token=64,
    file=20 * 1024 * 1024,
    overall=Pace(every=1 / 20, burst=10),
    chat=Pace(every=1.0, burst=3),
    group=Pace(every=3.0),
    buttons=0,
    folds=True,
    carries=True,
    patience=4.5,
)
"""What WeChat allows. `text` in bytes. It gives up after 5 seconds, and publishes no pace: this one is polite."""


def words(message: OutgoingMessage) -> str:
    """Return the message as one text: pages to open are links below it."""
    links = [_link(choice) for row in message.choices for choice in row if choice.url]
    return "\n".join([_plain(message.plain), *links])


def parts(text: str, most: int = LIMITS.text) -> list[str]:
    """Return a text in parts that WeChat takes, without those that say nothing."""
    return [part for part in writing.split(text, most, writing.octets) if part.strip()]


def said(openid: str, part: str) -> Json:
    """Return the body that says a text."""
    return {"touser": openid, "msgtype": "text", "text": {"content": part}}


def choosing(openid: str, message: OutgoingMessage) -> Json | None:
    """Return the body that says a message whose choices can be tapped, or None where it does not fit into one.

    Its text holds all that `words` would say, so that an answer can be typed as well.
    """
    choices = [choice for row in message.choices for choice in row]
    if not _FEWEST <= len(choices) <= _MOST or writing.octets(words(message)) > LIMITS.text - _ROOM:
        return None
    if any(choice.url or not choice.number or not 0 < len(choice.token.encode()) <= LIMITS.token for choice in choices):
        return None
    return {
        "touser": openid,
        "msgtype": "msgmenu",
        "msgmenu": {
            "head_content": _plain(message.text),
            "list": [{"id": choice.token, "content": _numbered(choice)} for choice in choices],
            "tail_content": _plain(message.hint),
        },
    }


def outcome(answer: Answer) -> Outcome:
    """Return what a call's answer means for the letter. Of a window that has closed `WeChat` knows more to do."""
    if answer.ok:
        return Sent()
    if answer.trouble:
        return Retry(reason=answer.trouble)
    told = f"{answer.code} {answer.text}".strip()
    match answer.code:
        case -1:
            return Retry(reason="busy")
        case 40001 | 40014 | 42001:  # a fresh one was refused too, see `Api`
            return Retry(reason="misconfigured: no access token is taken", after=_MISCONFIGURED, pause="channel")
        case 40013 | 40125 | 40164 | 40243 | 41002 | 41004 | 48001 | 50002:
            return Retry(reason=f"misconfigured: {told}", after=_MISCONFIGURED, pause="channel")
        case 40003:
            return Refused(error="nobody of that id follows the account")
        case 40007 | 46001:
            return Refused(error="gone")
        case 40200:
            return Refused(error="not for this kind of account")
        case 43004 | 43019:
            return Unreachable(reason="blocked")
        case 43101:
            return Unreachable(reason="forbidden")
        case 45001 | 45002:
            return Refused(error="too long, even in parts")
        case 45009:
            return Retry(reason="the quota of the day is used up", after=_QUOTA, pause="channel")
        case 45011:
            return Retry(reason="throttled", after=_MINUTE, pause="channel")
        case 45015 | 45047:
            return Refused(error="the window is closed")
        case 47001 | 47003:
            return Refused(error=f"the platform cannot read it: {told}")
        case _:
            return Refused(error=told)


def _plain(text: str) -> str:
    return writing.inert(writing.clean(text))


def _numbered(choice: Choice) -> str:
    label = _plain(choice.label)
    return label if label == str(choice.number) else f"{choice.number}. {label}"


def _link(choice: Choice) -> str:
    label = writing.clean(choice.label).replace("<", "\u2039").replace(">", "\u203a")
    return f'<a href="{quote(choice.url, safe=_KEPT)}">{label}</a>'


TOO_LONG: Final = frozenset({45001, 45002})
CLOSED: Final = frozenset({45015, 45047})
"""The person has not written for too long, or we have said too much since."""
NO_CHOOSING: Final = 40200
"""The account may not send choices to tap."""
_FEWEST: Final = 2
_MOST: Final = 10
_ROOM: Final = 128  # for what the platform writes around the choices
_MISCONFIGURED: Final = 60.0
_MINUTE: Final = 60.0
_QUOTA: Final = 3600.0
_KEPT: Final = "!#$%&'()*+,/:;=?@[]~"
