"""WeCom: an app for the staff, and the robot of their group.

Read `incoming` for what we hear, `outgoing` for what we say, `cards` for messages with buttons, `meter` for how much
one member may get, `doctor` for what can be wrong with the app. `samples` holds deliveries, each beside what it means.
"""

import asyncio
import re
import secrets
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Final, TypeVar

import structlog
from yarl import URL

from bot.channel import Delivery, Finding, Limits, Outcome, Refused, Reply, Retry, Sent, Shelf, Sink
from bot.channels.wecom import doctor, incoming, outgoing
from bot.channels.wecom.meter import Meter
from bot.channels.wecom.outgoing import Json
from bot.tencent import xml
from bot.tencent.api import Answer, Api, NoToken, SessionFactory, open_session
from bot.tencent.envelope import Envelope, fits
from complaints.errors import Misconfigured, NotGenuine, PlaintError, Unavailable
from complaints.messages import CallOut, Enclosure, Fetch, IncomingMessage, OutgoingMessage, PressAnswer, Revision
from complaints.ports import Letter

OFFICIAL: Final = "https://qyapi.weixin.qq.com"
_Part = TypeVar("_Part")


class WeCom:
    """The channel to WeCom for one app.

    `corp_id`, `agent_id` and `secret` name the app; `token` and `aes_key` prove its callback. `robot_url` is the
    webhook of a group robot, a secret, or empty. The `shelf` keeps the access token; `files` returns a customer's file
    by the id of its evidence.
    """

    def __init__(
        self,
        *,
        corp_id: str,
        agent_id: str,
        secret: str,
        token: str,
        aes_key: str,
        clock: Callable[[], datetime],
        shelf: Shelf,
        files: Callable[[int], Awaitable[bytes]],
        api_url: str = OFFICIAL,
        robot_url: str = "",
        session: SessionFactory = open_session,
    ) -> None:
        """Raise `Misconfigured` for what cannot work; nothing is opened before `start`."""
        problems = _problems(
            corp_id=corp_id,
            agent_id=agent_id,
            secret=secret,
            token=token,
            aes_key=aes_key,
            api_url=api_url,
            robot_url=robot_url,
        )
        if problems:
            raise Misconfigured(*problems)
        self._corp = corp_id
        self._agent = int(agent_id)
        self._secret = secret
        self._clock = clock
        self._files = files
        self._envelope = Envelope(token=token, aes_key=aes_key, receiver=corp_id, clock=clock)
        self._reader = incoming.Reader(clock=clock)
        name = f"wecom:{corp_id}:{agent_id}"
        self._api = Api(url=api_url, name=name, shelf=shelf, fetch_token=self._fetch_token, session=session)
        self._robot_url = URL(robot_url)
        # the robot's calls bear its key and no access token
        origin = str(self._robot_url.origin()) if robot_url else api_url
        self._robot = Api(url=origin, name=name, shelf=shelf, fetch_token=self._fetch_token, session=session)
        self._meter = Meter()
        self._done: OrderedDict[int, tuple[str, ...]] = OrderedDict()
        self._complain_at = 0.0

    def __repr__(self) -> str:
        """Name the app and no secret."""
        return f"<WeCom {self._corp} {self._agent}>"

    @property
    def name(self) -> str:
        """The channel's name, as it stands in every `Address`."""
        return incoming.CHANNEL

    @property
    def limits(self) -> Limits:
        """What WeCom allows."""
        return outgoing.LIMITS

    def verify(self, delivery: Delivery) -> Reply:
        """Return the word that WeCom sealed, to show that we can open it."""
        return Reply(body=self._envelope.sealed_echo(delivery.query))

    def understand(self, delivery: Delivery) -> list[IncomingMessage]:
        """Return what was said; raise `NotGenuine` or `Malformed`."""
        return [self._reader.read(self._envelope.open(delivery))]

    def passive(self, delivery: Delivery, letters: Sequence[Letter]) -> Reply:
        """Return the answer to a delivery: that to a press puts a short text in the place of the card's buttons.

        Source: https://developer.work.weixin.qq.com/document/path/90241
        """
        pressed = next((letter for letter in letters if isinstance(letter.body, PressAnswer)), None)
        if pressed is None or not isinstance(pressed.body, PressAnswer):
            return Reply()
        try:
            fields = self._envelope.open(delivery)
        except NotGenuine:  # it was when it came; so its time has run out meanwhile, and the answer goes by itself
            return Reply()
        if incoming.word(fields, "Event").lower() not in incoming.PRESSES:
            return Reply()
        now = int(self._clock().timestamp())
        content = {
            "ToUserName": incoming.word(fields, "FromUserName"),
            "FromUserName": self._corp,
            "CreateTime": now,
            "MsgType": "update_button",
            "Button": {"ReplaceName": outgoing.replaced(pressed.body.text)},
        }
        sealed = self._envelope.seal(xml.write(content), str(now), secrets.token_hex(8))
        return Reply(body=sealed, content_type="text/xml", carried=(pressed,))

    async def send(self, letter: Letter) -> Outcome:
        """Hand a message, a file or a change of a card to WeCom. Errors of the network are outcomes, not exceptions."""
        address = letter.address
        if isinstance(letter.body, Fetch | CallOut):  # `Postman` and the desk know better
            return Refused(error="this is not sent by a messenger")
        if address.group and address.chat == outgoing.ROBOT:
            told = await self._announce(letter, letter.body)
        elif isinstance(letter.body, PressAnswer | Revision):
            told = await self._revise(letter.body)
        else:
            told = await self._tell(letter, letter.body)
        return self._noted(told)

    async def fetch(self, ref: str, sink: Sink) -> Outcome:
        """Bring a file home, piece by piece; errors of the sink itself are raised.

        Source: https://developer.work.weixin.qq.com/document/path/90254
        """
        answer = await self._api.download(_MEDIA, {"media_id": ref}, sink, self.limits.file)
        if not answer.ok:
            return self._noted(outgoing.outcome(answer))
        if type(answer.result) is not int:
            return Refused(error="the platform sends no file")
        return Refused(error="the file is too big to be fetched") if answer.result > self.limits.file else Sent(ref=ref)

    async def ping(self) -> Outcome:
        """Ask WeCom whether it is there, and knows the app; `Sent` means yes."""
        answer = await self._api.call(doctor.AGENT, query={"agentid": str(self._agent)}, within=_PING)
        return outgoing.outcome(answer)

    async def diagnose(self, callback: str) -> list[Finding]:
        """Return what is well with the app and what is not; `callback` is the address where WeCom shall post."""
        return await doctor.diagnose(self._api, agent=self._agent, callback=callback, robot=bool(self._robot_url.host))

    async def start(self) -> None:
        """Open the connections; never waits for WeCom."""
        await self._api.open()
        await self._robot.open()

    async def stop(self) -> None:
        """Close the connections."""
        await self._api.close()
        await self._robot.close()

    async def _fetch_token(self) -> tuple[str, float]:
        """Ask for an access token. Source: https://developer.work.weixin.qq.com/document/path/91039 ."""
        answer = await self._api.ask(_TOKEN, query={"corpid": self._corp, "corpsecret": self._secret})
        result = answer.result if isinstance(answer.result, dict) else {}
        token, seconds = result.get("access_token"), result.get("expires_in")
        if not isinstance(token, str) or not token or type(seconds) is not int:
            raise NoToken(answer if not answer.ok else Answer(trouble="an answer without a token"))
        return token, float(seconds)

    async def _tell(self, letter: Letter, body: OutgoingMessage | Enclosure) -> Outcome:
        chat = letter.address.chat
        if not _MEMBER.fullmatch(chat) or chat.lower() == "@all":
            return Refused(error="an address that is not one member")
        if isinstance(body, OutgoingMessage):
            said = outgoing.said(letter.id, body, unasked=letter.unasked)
            return said if isinstance(said, Refused) else await self._all(letter, said, partial(self._message, chat))

        async def show(part: Json | None) -> Outcome:
            return await (self._show(chat, body) if part is None else self._message(chat, part))

        return await self._all(letter, [None, *outgoing.texts(body.caption, {})], show)

    async def _announce(self, letter: Letter, body: OutgoingMessage | Enclosure | PressAnswer | Revision) -> Outcome:
        """Say it by the robot. Source: https://developer.work.weixin.qq.com/document/path/91770 ."""
        if not self._robot_url.host:
            return Refused(error="PLAINT_WECOM_ROBOT_URL is empty")
        if isinstance(body, PressAnswer | Revision):  # a robot's messages have no buttons
            return Sent()
        # what came as a file stays with those who handle the case
        text = outgoing.announced(body) if isinstance(body, OutgoingMessage) else body.caption
        return await self._all(letter, outgoing.texts(text, {}), self._ask_robot)

    async def _revise(self, change: PressAnswer | Revision) -> Outcome:
        """Put a text in the place of buttons. Source: https://developer.work.weixin.qq.com/document/path/94888 ."""
        for code in change.ref.split():
            answer = await self._api.call(_CHANGE, outgoing.revised(code, change.text, self._agent))
            told = outgoing.revised_outcome(answer)
            if not isinstance(told, Sent):
                return told
        return Sent()

    async def _all(
        self, letter: Letter, parts: Sequence[_Part], send: Callable[[_Part], Awaitable[Outcome]]
    ) -> Outcome:
        """Send what a letter takes, one after the other. A retry goes on where the try before it ended."""
        if not parts:
            return Refused(error="a message without a word")
        refs = self._done.pop(letter.id, ())
        for part in parts[len(refs) :]:
            told = await send(part)
            if not isinstance(told, Sent):
                if isinstance(told, Retry) and refs:
                    self._done[letter.id] = refs
                    if len(self._done) > _REMEMBERED:
                        self._done.popitem(last=False)
                return told
            refs = (*refs, told.ref)
        return Sent(ref=" ".join(filter(None, refs)))

    async def _message(self, chat: str, part: Json) -> Outcome:
        now = asyncio.get_running_loop().time()
        wait = self._meter.wait(chat, now)
        if wait:
            return Retry(reason="WeCom takes no more for this member now", after=wait, pause="chat")
        self._meter.count(chat, now)
        return outgoing.outcome(await self._api.call(_SEND, {"touser": chat, "agentid": self._agent, **part}))

    async def _show(self, chat: str, enclosure: Enclosure) -> Outcome:
        """Show a file: by its id at WeCom, which holds for three days, or else by an upload of what is kept here."""
        told: Outcome
        if enclosure.ref:
            told = await self._message(chat, outgoing.media(outgoing.form(enclosure), enclosure.ref))
            if not isinstance(told, Refused) or not enclosure.evidence_id:
                return told
        try:
            content = await self._files(enclosure.evidence_id)
        except Unavailable:
            return Retry(reason="the file cannot be read now")
        except PlaintError:
            return Refused(error="the file can no longer be read")
        if len(content) > self.limits.file:
            return Refused(error="the file is too big to be shown")
        kind = outgoing.form(enclosure, len(content))
        told = await self._upload(chat, enclosure, kind, content)
        if isinstance(told, Refused) and kind != "file":  # not what it seemed to be, or longer than a minute
            return await self._upload(chat, enclosure, "file", content)
        return told

    async def _upload(self, chat: str, enclosure: Enclosure, kind: str, content: bytes) -> Outcome:
        name, mime = outgoing.named(enclosure)
        answer = await self._api.upload(_UPLOAD, "media", name, mime, content, {"type": kind})
        if not answer.ok:
            return outgoing.outcome(answer)
        media_id = answer.result.get("media_id") if isinstance(answer.result, dict) else None
        if not isinstance(media_id, str) or not media_id:
            return Retry(reason="an upload without an id")
        return await self._message(chat, outgoing.media(kind, media_id))

    async def _ask_robot(self, part: Json) -> Outcome:
        answer = await self._robot.ask(self._robot_url.path, part, dict(self._robot_url.query))
        return outgoing.robot_outcome(answer)

    def _noted(self, outcome: Outcome) -> Outcome:
        """Return the outcome. What is set up wrongly concerns somebody: one line in thirty seconds."""
        now = asyncio.get_running_loop().time()
        misconfigured = isinstance(outcome, Retry) and outcome.reason.startswith("misconfigured")
        if misconfigured and isinstance(outcome, Retry) and now >= self._complain_at:
            self._complain_at = now + _COMPLAIN_EVERY
            structlog.get_logger().error("wecom_misconfigured", app=self._agent, error=outcome.reason)
        return outcome


def _problems(
    *, corp_id: str, agent_id: str, secret: str, token: str, aes_key: str, api_url: str, robot_url: str
) -> list[str]:
    """Return what is wrong with the settings, without their values: they are secrets."""
    checks = {
        "PLAINT_WECOM_CORP_ID is not the id of a corporation, such as ww1234567890abcdef": re.fullmatch(
            r"[A-Za-z0-9_-]{4,64}", corp_id
        ),
        "PLAINT_WECOM_AGENT_ID is no number; it stands beside the app's secret": re.fullmatch(r"[0-9]{1,12}", agent_id),
        "PLAINT_WECOM_SECRET is missing, or has blanks in it": re.fullmatch(r"[!-~]+", secret),
        "PLAINT_WECOM_TOKEN must be 1 to 32 of the characters A-Z a-z 0-9": re.fullmatch(r"[A-Za-z0-9]{1,32}", token),
        "PLAINT_WECOM_AES_KEY must be the 43 characters of the EncodingAESKey": fits(aes_key),
        "PLAINT_WECOM_API_URL is no http or https address": re.fullmatch(r"https?://[^\s/?#@]+(/[^\s?#]*)?", api_url),
        "PLAINT_WECOM_ROBOT_URL is no webhook: it is an https address that ends in ?key=...": not robot_url
        or re.fullmatch(r"https?://[^\s/?#@]+/[^\s?#]*\?key=[^\s&#]+", robot_url),
    }
    return [problem for problem, well in checks.items() if not well]


_TOKEN: Final = "/cgi-bin/gettoken"  # noqa: S105 - a path
_SEND: Final = "/cgi-bin/message/send"
_CHANGE: Final = "/cgi-bin/message/update_template_card"
_UPLOAD: Final = "/cgi-bin/media/upload"
_MEDIA: Final = "/cgi-bin/media/get"
_PING: Final = 10.0
_REMEMBERED: Final = 1000
_COMPLAIN_EVERY: Final = 30.0
_MEMBER: Final = re.compile(r"[^\s|]{1,64}")
