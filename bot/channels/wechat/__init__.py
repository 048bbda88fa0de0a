"""WeChat: an Official Account. What it lets us send is counted, so an answer goes out in the answer to the post.

Read `incoming` for what we hear, `outgoing` for what we say, `notices` for what may be said once the window is closed,
`account` for the menu, the codes to scan and the doctor's questions.
"""

import asyncio
import re
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlsplit

import structlog

from bot import text as writing
from bot.channel import Delivery, Limits, Outcome, Parked, Purse, Refused, Reply, Retry, Sent, Shelf, Sink, Unreachable
from bot.channels.wechat import incoming, notices, outgoing
from bot.channels.wechat.notices import Template
from bot.tencent import envelope, xml
from bot.tencent.api import Answer, Api, NoToken, SessionFactory, open_session
from bot.tencent.envelope import Envelope
from complaints.errors import Misconfigured, NotGenuine
from complaints.messages import IncomingMessage, OutgoingMessage
from complaints.ports import Letter, Priority

OFFICIAL: Final = "https://api.weixin.qq.com"
KINDS: Final = ("service", "subscription", "test")


@dataclass(slots=True)
class _Progress:
    """What was done for a letter that is not out yet, so that the next try does not do it again."""

    said: str = ""
    paid: bool = False
    notice: bool = False
    consent: bool = False


class WeChat:
    """The channel to WeChat for one Official Account.

    `token` and `aes_key` (EncodingAESKey, or empty in plain mode) prove and open its posts. `purse` counts what may be
    sent. `templates` are the notices for a closed window: `progress` a template message, `subscribe` a subscription
    notice; each is the template's id, or `ID:field+field` where the platform does not tell its fields. `page` tells the
    address of the customer's own page by the id of the conversation.
    """

    def __init__(
        self,
        *,
        app_id: str,
        secret: str,
        token: str,
        clock: Callable[[], datetime],
        purse: Purse,
        shelf: Shelf,
        aes_key: str = "",
        kind: str = "service",
        api_url: str = OFFICIAL,
        templates: Mapping[str, str] | None = None,
        page: Callable[[int], str] | None = None,
        session: SessionFactory = open_session,
    ) -> None:
        """Raise `Misconfigured` for what cannot work; nothing is opened before `start`."""
        self._templates = {name: notices.declared(setting) for name, setting in (templates or {}).items() if setting}
        problems = _problems(app_id, secret, token, aes_key, kind, api_url, self._templates)
        if problems:
            raise Misconfigured(*problems)
        self._app_id = app_id
        self._secret = secret
        self._kind = kind
        self._clock = clock
        self._purse = purse
        self._page = page
        self._envelope = Envelope(token=token, aes_key=aes_key, receiver=app_id, clock=clock)
        self._encrypts = bool(aes_key)
        self._api = Api(
            url=api_url, name=f"wechat:{app_id}", shelf=shelf, fetch_token=self._fetch_token, session=session
        )
        self._chooses = kind == "service"
        self._progress: OrderedDict[int, _Progress] = OrderedDict()
        self._complain_at = 0.0

    def __repr__(self) -> str:
        """Name the account and no secret."""
        return f"<WeChat {self._app_id}>"

    @property
    def name(self) -> str:
        """The channel's name, as it stands in every `Address`."""
        return incoming.CHANNEL

    @property
    def limits(self) -> Limits:
        """What WeChat allows."""
        return outgoing.LIMITS

    @property
    def api(self) -> Api:
        """The account's API, for what `account` asks of it."""
        return self._api

    @property
    def kind(self) -> str:
        """The kind of account: service, subscription or test."""
        return self._kind

    @property
    def templates(self) -> Mapping[str, Template]:
        """The notices of the settings by name."""
        return self._templates

    def verify(self, delivery: Delivery) -> Reply:
        """Return what proves that the address is ours; raise `NotGenuine`."""
        return Reply(body=self._envelope.echo(delivery.query))

    def understand(self, delivery: Delivery) -> list[IncomingMessage]:
        """Return what was said; raise `NotGenuine` or `Malformed`."""
        return [incoming.read(self._envelope.open(delivery), self._clock)]

    def passive(self, delivery: Delivery, letters: Sequence[Letter]) -> Reply:
        """Return the answer to a delivery: it costs no credit, and holds one text.

        So the letters to the sender are said in it together. What has no place is not `carried`, and if the first alone
        is too long, nothing is: with its beginning said here, it would be lost where nobody waits for this any more.
        Source: https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Passive_user_reply_message.html
        """
        try:
            fields = self._envelope.open(delivery)
        except NotGenuine:  # it was when it came; so its time has run out meanwhile, and the letters go by themselves
            return Reply(body=_TAKEN)
        chat = str(fields.get("FromUserName"))
        carried: list[Letter] = []
        told: list[str] = []
        for letter in letters:
            if (letter.address.channel, letter.address.chat) != (self.name, chat):
                continue
            if not isinstance(letter.body, OutgoingMessage):
                continue
            text = outgoing.words(letter.body)
            if not text.strip():
                continue
            if writing.octets("\n\n".join([*told, text])) > self.limits.text:
                break
            carried.append(letter)
            told.append(text)
        if not told:
            return Reply(body=_TAKEN)
        stamp = int(self._clock().timestamp())
        body = xml.write(
            {
                "ToUserName": chat,
                "FromUserName": str(fields.get("ToUserName", "")),
                "CreateTime": stamp,
                "MsgType": "text",
                "Content": "\n\n".join(told),
            }
        )
        if self._encrypts and delivery.query.get("encrypt_type") == "aes":
            body = self._envelope.seal(body, str(stamp), delivery.query.get("nonce", ""))
        return Reply(body=body, content_type="text/xml", carried=tuple(carried))

    async def send(self, letter: Letter) -> Outcome:
        """Hand a message over, or tell that one waits. Errors of the network are outcomes, not exceptions."""
        if not isinstance(letter.body, OutgoingMessage):
            return Refused(error=f"WeChat has no way to send what is a {type(letter.body).__name__}")
        outcome = await self._say(letter, letter.body)
        progress = self._of(letter)
        if not isinstance(outcome, Retry):
            progress.notice = progress.consent = False
        if not isinstance(outcome, Retry | Parked) or progress == _Progress():
            del self._progress[letter.id]
        return outcome

    async def fetch(self, ref: str, sink: Sink) -> Outcome:
        """Bring a file home, piece by piece; errors of the sink itself are raised.

        Source: https://developers.weixin.qq.com/doc/service/api/material/temporary/api_getmedia
        """
        most = self.limits.file
        answer = await self._api.download("/cgi-bin/media/get", {"media_id": ref}, sink, most)
        if answer.ok and isinstance(answer.result, dict):
            url = self._trusted(answer.result.get("video_url"))
            if not url:
                return Refused(error="the platform names no file that can be fetched")
            answer = await self._api.download_from(url, sink, most)
            if answer.ok and isinstance(answer.result, dict):
                return Refused(error="the platform names no file that can be fetched")
        if not answer.ok:
            outcome = self._outcome(answer)  # a quota is one path's: words still go out
            return replace(outcome, pause=None) if isinstance(outcome, Retry) and answer.code == _QUOTA else outcome
        return Refused(error="the file is too big to be fetched") if answer.result > most else Sent()

    async def ping(self) -> Outcome:
        """Ask WeChat whether it is there and knows us; `Sent` means yes."""
        return self._outcome(await self._api.call("/cgi-bin/getcallbackip", within=_PING))

    async def start(self) -> None:
        """Open the connection; WeChat wants no introduction."""
        await self._api.open()

    async def stop(self) -> None:
        """Close the connection."""
        await self._api.close()

    async def _fetch_token(self) -> tuple[str, float]:
        """Fetch the access token. It is the same for everybody who asks, and never forced to change.

        Source: https://developers.weixin.qq.com/doc/service/api/base/api_getstableaccesstoken
        """
        body = {
            "grant_type": "client_credential",
            "appid": self._app_id,
            "secret": self._secret,
            "force_refresh": False,
        }
        answer = await self._api.ask("/cgi-bin/stable_token", body)
        if not answer.ok:
            raise NoToken(answer)
        token, seconds = answer.result.get("access_token"), answer.result.get("expires_in")
        if not isinstance(token, str) or not token or type(seconds) is not int:
            raise NoToken(Answer(trouble="no token in the answer"))
        return token, max(seconds - _OVERLAP, _SHORTEST)

    async def _say(self, letter: Letter, message: OutgoingMessage) -> Outcome:
        progress = self._of(letter)
        openid = letter.address.chat
        keep = _KEEP.get(letter.priority, _KEEP_MOST)
        text = outgoing.words(message)
        if not text.startswith(progress.said):  # other letters have joined it, and it reads differently now
            progress.said = ""
        left = outgoing.parts(text.removeprefix(progress.said))
        if not left and not progress.said:
            return Refused(error="a message without a word")
        if not progress.said and self._chooses and (menu := outgoing.choosing(openid, message)):
            outcome = await self._send(letter, message, menu, keep)
            if outcome is not None:
                return outcome
        while left:
            part = left.pop(0)
            outcome = await self._send(letter, message, outgoing.said(openid, part), keep)
            if outcome is None:  # shorter than we thought
                most = writing.octets(part) // 2
                if most < _SHORTEST_PART:
                    return Refused(error="too long, even in parts")
                left = [*outgoing.parts(part, most), *left]
            elif not isinstance(outcome, Sent):
                return outcome
            else:
                progress.said = text[: text.index(part, len(progress.said)) + len(part)]
        return Sent()

    async def _send(self, letter: Letter, message: OutgoingMessage, body: dict[str, Any], keep: int) -> Outcome | None:
        """Send one message and pay for it; None where it must be said in another form."""
        progress = self._of(letter)
        if not progress.paid and not await self._purse.spend(letter.address, _WINDOW, keep=keep):
            return await self._tell_that_it_waits(letter, message, keep)
        progress.paid = True  # a try that fails costs nothing at the platform: the next one need not pay again
        answer = await self._api.call("/cgi-bin/message/custom/send", body)
        if answer.code == outgoing.NO_CHOOSING and body["msgtype"] == "msgmenu":
            self._chooses = False
            structlog.get_logger().info("wechat_cannot_choose", app_id=self._app_id, rid=answer.rid)
            return None
        if answer.code in outgoing.TOO_LONG:
            return None
        if answer.ok or answer.code in outgoing.CLOSED:
            progress.paid = False
        if answer.code in outgoing.CLOSED:
            await self._purse.close(letter.address, _WINDOW)
            return await self._tell_that_it_waits(letter, message, keep)
        return self._outcome(answer)

    async def _tell_that_it_waits(self, letter: Letter, message: OutgoingMessage, keep: int) -> Outcome:
        """Park a letter; tell once, until the person writes again, that something waits. A decision is always told."""
        waits = Parked(reason="window", counters=_WINDOW, keep=keep)
        template, consent = self._templates.get("progress"), self._templates.get("subscribe")
        progress = self._of(letter)
        if template is None and consent is None:
            return waits
        if not progress.notice:
            if not await self._purse.spend(letter.address, (incoming.NOTICE.name,)) and (
                letter.priority is not Priority.DECISION
            ):  # a template message went out before; whether a consent was left for a notice is not known
                return replace(waits, noticed=template is not None)
            progress.notice = True
        outcome: Outcome = Refused(error="no template message")
        if template is not None:
            outcome = await self._notify(letter, message, template, _PROGRESS)
        if isinstance(outcome, Refused) and consent is not None:
            counter = (f"template:{consent.id}",)
            progress.consent = progress.consent or await self._purse.spend(letter.address, counter)
            if progress.consent:
                outcome = await self._notify(letter, message, consent, _SUBSCRIBED)
            if outcome == Unreachable(reason="forbidden"):  # the yes was taken back
                await self._purse.close(letter.address, counter)
        match outcome:
            case Sent():
                return replace(waits, noticed=True)
            case Retry() | Unreachable(reason="blocked"):
                return outcome
        return waits

    async def _notify(self, letter: Letter, message: OutgoingMessage, template: Template, form: str) -> Outcome:
        """Send one notice. A template message with the id of another that went out is left out by the platform."""
        known = await self._known(template, form)
        if not isinstance(known, Template):
            return known
        data = notices.fill(known, text=message.text, about=message.about, at=self._clock())
        if data is None:
            structlog.get_logger().error("wechat_template_cannot_be_filled", template=known.id)
            return Refused(error="a template with fields that hold nothing of ours")
        body: dict[str, Any] = {"touser": letter.address.chat, "template_id": known.id, "data": data}
        url = self._page(letter.conversation_id) if self._page and letter.conversation_id is not None else ""
        if form == _PROGRESS:
            body |= {"client_msg_id": str(letter.id)} | ({"url": url} if url else {})
            return self._notified(await self._api.call("/cgi-bin/message/template/send", body))
        body |= {"page": url} if url else {}
        return self._notified(await self._api.call("/cgi-bin/message/subscribe/bizsend", body))

    def _notified(self, answer: Answer) -> Outcome:
        """Return what an answer means for a notice. That none may go out now is no reason for words to rest."""
        if answer.code not in _NO_NOTICES:
            return self._outcome(answer)
        error = f"{answer.code} {answer.text}"
        structlog.get_logger().error("wechat_may_not_notify", app_id=self._app_id, error=error, rid=answer.rid)
        return Refused(error=error)

    async def _known(self, template: Template, form: str) -> Template | Outcome:
        """Return the template with its fields, which the platform is asked for once."""
        if template.fields:
            return template
        path = "/cgi-bin/template/get_all_private_template" if form == _PROGRESS else "/wxaapi/newtmpl/gettemplate"
        answer = await self._api.call(path)
        if not answer.ok:
            return self._notified(answer)
        known = notices.listed(answer.result).get(template.id)
        if known is None or not known.fields:
            structlog.get_logger().error("wechat_template_unknown", template=template.id)
            return Refused(error="the platform does not list the template: name its fields in the settings")
        self._templates = {name: known if each.id == known.id else each for name, each in self._templates.items()}
        return known

    def _of(self, letter: Letter) -> _Progress:
        progress = self._progress.setdefault(letter.id, _Progress())
        if len(self._progress) > _REMEMBERED:
            self._progress.popitem(last=False)
        return progress

    def _outcome(self, answer: Answer) -> Outcome:
        outcome = outgoing.outcome(answer)
        if not answer.code:
            return outcome
        log = structlog.get_logger().bind(app_id=self._app_id, error=f"{answer.code} {answer.text}", rid=answer.rid)
        now = asyncio.get_running_loop().time()
        if not isinstance(outcome, Retry) or outcome.pause != "channel":
            log.warning("wechat_refused")
        elif now >= self._complain_at:  # everything fails: one line in a while is enough
            self._complain_at = now + _COMPLAIN_EVERY
            log.error("wechat_channel_rests", reason=outcome.reason)
        return outcome

    def _trusted(self, url: object) -> str:
        """Return the address of a film if it lies at the platform, and is fetched as safely as everything else."""
        if not isinstance(url, str) or not url.isprintable():
            return ""
        try:
            parts = urlsplit(url)
            host, port = parts.hostname or "", parts.port
        except ValueError:
            return ""
        if f"{parts.scheme}://{parts.netloc}" == self._api.url:
            return url
        if not host.endswith(_PLATFORM) or port not in (None, 80, 443) or parts.username is not None:
            return ""
        return parts._replace(scheme="https", netloc=host).geturl() if parts.scheme in ("http", "https") else ""


def _problems(
    app_id: str, secret: str, token: str, aes_key: str, kind: str, api_url: str, templates: Mapping[str, Template]
) -> list[str]:
    """Return what is wrong with the settings, without their values: some are secrets."""
    problems = []
    if not re.fullmatch(r"wx[0-9A-Za-z]{4,40}", app_id):
        problems.append(
            "PLAINT_WECHAT_APP_ID is not of the form wx0123456789abcdef; the account's page Basics shows it"
        )
    if not re.fullmatch(r"[0-9A-Za-z]{6,64}", secret):
        problems.append("PLAINT_WECHAT_SECRET is not letters and digits; the account's page Basics makes a new one")
    if not re.fullmatch(r"[0-9A-Za-z]{3,32}", token):
        problems.append("PLAINT_WECHAT_TOKEN must be 3 to 32 letters and digits, the same as on the account's page")
    if aes_key and not envelope.fits(aes_key):
        problems.append("PLAINT_WECHAT_AES_KEY must be the 43 characters of EncodingAESKey, or empty in plain mode")
    if kind not in KINDS:
        problems.append(f"PLAINT_WECHAT_KIND must be one of {', '.join(KINDS)}")
    if not re.fullmatch(r"https?://[^\s/?#@]+", api_url.rstrip("/")):
        problems.append("PLAINT_WECHAT_API_URL is no http or https address without a path")
    for name, template in templates.items():
        if name not in ("progress", "subscribe"):
            problems.append(f"PLAINT_WECHAT_TEMPLATES: there is no notice {name!r}, only progress and subscribe")
        if not re.fullmatch(r"[0-9A-Za-z_-]{8,64}", template.id):
            problems.append(f"PLAINT_WECHAT_TEMPLATES: what stands behind {name!r} is no template's id")
    if "progress" in templates and kind == "subscription":
        problems.append("PLAINT_WECHAT_TEMPLATES: a subscription account may not send template messages (progress)")
    return problems


_TAKEN: Final = b"success"
_WINDOW: Final = ("message", "moment")
_KEEP: Final = {Priority.DECISION: 0, Priority.ANSWER: 1}
_KEEP_MOST: Final = 2
_PROGRESS: Final = "progress"
_SUBSCRIBED: Final = "subscribe"
_PLATFORM: Final = (".qq.com", ".qpic.cn", ".wechat.com", ".weixin.com")
_QUOTA: Final = 45009
_NO_NOTICES: Final = frozenset({_QUOTA, 48001})
_PING: Final = 10.0
_OVERLAP: Final = 200.0  # for 5 minutes both the old token and the next are taken, and the next is told
_SHORTEST: Final = 60.0
_SHORTEST_PART: Final = 64
_REMEMBERED: Final = 1000
_COMPLAIN_EVERY: Final = 30.0
