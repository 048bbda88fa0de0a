"""Telegram: the Bot API over one HTTP session, by webhook or by polling.

Read `incoming` for what we hear, `outgoing` for what we say, `polling` for how updates come without a webhook,
`introduction` for what the bot tells Telegram about itself, `api` for the calls. `samples` holds updates, each beside
what it means.
"""

import asyncio
import contextlib
import hmac
import json
import re
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Final

import structlog
from aiohttp import ClientResponse

from bot.channel import Delivery, Limits, Outcome, Refused, Reply, Retry, Sent, Sink
from bot.channels.telegram import incoming, introduction, outgoing, polling
from bot.channels.telegram.api import Api, File, SessionFactory, open_session
from complaints.errors import Misconfigured, NotGenuine, PlaintError, Unavailable
from complaints.messages import CallOut, Enclosure, Fetch, IncomingMessage, OutgoingMessage, PressAnswer, Revision
from complaints.ports import Letter

OFFICIAL: Final = "https://api.telegram.org"


class Telegram:
    """The channel to Telegram for one bot.

    `webhook` is the full public URL that Telegram shall post to, or empty for polling; `secret` proves its posts
    (without one every post is refused). `commands` are the menu, by Telegram's two-letter language code ("" for all
    others): command to description. `proxy` is an HTTP proxy for every call. `files` returns a customer's file by the
    id of its evidence: what came by another platform is uploaded.
    """

    def __init__(
        self,
        *,
        token: str,
        clock: Callable[[], datetime],
        api_url: str = OFFICIAL,
        webhook: str = "",
        secret: str = "",
        proxy: str = "",
        commands: Mapping[str, Mapping[str, str]] | None = None,
        files: Callable[[int], Awaitable[bytes]] | None = None,
        session: SessionFactory = open_session,
    ) -> None:
        """Raise `Misconfigured` for what cannot work; nothing is opened before `start`."""
        problems = _problems(token=token, api_url=api_url, webhook=webhook, secret=secret, proxy=proxy)
        if problems:
            raise Misconfigured(*problems)
        self._bot = token.partition(":")[0]
        self._api = Api(token=token, url=api_url, proxy=proxy, session=session)
        self._secret = secret.encode()
        self._webhook = webhook
        self._files = files
        self._commands = commands or {}
        self._reader = incoming.Reader(bot=self._bot, username="", clock=clock)
        self._introduction: asyncio.Task[None] | None = None
        self._said: OrderedDict[int, int] = OrderedDict()
        self._throttled: dict[str, float] = {}
        self._complain_at = 0.0

    def __repr__(self) -> str:
        """Name the bot and not its token."""
        return f"<Telegram {self.username or self._bot}>"

    @property
    def name(self) -> str:
        """The channel's name, as it stands in every `Address`."""
        return incoming.CHANNEL

    @property
    def limits(self) -> Limits:
        """What Telegram allows."""
        return outgoing.LIMITS

    @property
    def username(self) -> str:
        """The bot's name without the @; empty until Telegram has told it."""
        return self._reader.username

    def verify(self, delivery: Delivery) -> Reply:
        """Refuse: Telegram asks for no proof of an address."""
        raise NotGenuine

    def understand(self, delivery: Delivery) -> list[IncomingMessage]:
        """Return what was said; raise `NotGenuine` or `Malformed`."""
        proof = delivery.headers.get(_PROOF, "").encode("utf-8", "surrogateescape")
        if not hmac.compare_digest(proof, self._secret) or not self._secret:
            raise NotGenuine
        return [self._reader.read(incoming.parse(delivery.body))]

    def passive(self, delivery: Delivery, letters: Sequence[Letter]) -> Reply:
        """Return the answer to a delivery: it carries the first answer to a press, whose loss would harm nobody."""
        for letter in letters:
            if isinstance(letter.body, PressAnswer):
                body = json.dumps(outgoing.passive(letter.body)).encode()
                return Reply(body=body, content_type="application/json", carried=(letter,))
        return Reply()

    async def send(self, letter: Letter) -> Outcome:
        """Hand a message or the answer to a press to Telegram. Errors of the network are outcomes, not exceptions."""
        match letter.body:
            case OutgoingMessage() | Enclosure():
                return self._noted(letter.address.chat, await self._say(letter, letter.body))
            case PressAnswer():
                answer = await self._api.call("answerCallbackQuery", outgoing.press(letter.body), within=_PRESS)
                return self._noted("", outgoing.press_outcome(answer))
            case Revision() as revision if revision.ref.isdecimal():
                answer = await self._api.call(*outgoing.bare(letter.address.chat, revision))
                return self._noted(letter.address.chat, outgoing.bare_outcome(answer))
            case Revision():
                return Refused(error="a change of a message without its id")
            case Fetch() | CallOut():  # `Postman` and the desk know better
                return Refused(error="this is not sent by a messenger")

    async def fetch(self, ref: str, sink: Sink) -> Outcome:
        """Bring a file home, piece by piece; errors of the sink itself are raised.

        Source: https://core.telegram.org/bots/api#getfile
        """
        answer = await self._api.call("getFile", {"file_id": ref})
        if not answer.ok:
            return self._noted("", outgoing.outcome(answer))
        file = answer.result if isinstance(answer.result, dict) else {}
        path, size = file.get("file_path"), file.get("file_size")
        if not isinstance(path, str) or path.startswith("/") or ".." in path:
            return Refused(error="the platform names no file that can be fetched")
        if isinstance(size, int) and size > self.limits.file:
            return Refused(error=_TOO_BIG)

        async def read(response: ClientResponse) -> int:
            count = 0
            async for piece in response.content.iter_chunked(_PIECE):
                count += len(piece)
                if count > self.limits.file:
                    break
                await sink(piece)
            return count

        downloaded = await self._api.download(path, read)
        if downloaded.trouble:
            return Retry(reason=downloaded.trouble)
        if downloaded.result > self.limits.file:
            return Refused(error=_TOO_BIG)
        if isinstance(size, int) and downloaded.result != size:
            return Retry(reason=f"{downloaded.result} of {size} bytes came")
        return Sent(ref=path)

    async def ping(self) -> Outcome:
        """Ask Telegram whether it is there; `Sent` means yes."""
        return outgoing.outcome(await self._api.call("getMe", {}, within=_PING))

    async def poll(
        self,
        handle: Callable[[list[IncomingMessage]], Awaitable[None]],
        *,
        lease: Callable[[], Awaitable[bool]],
    ) -> None:
        """Ask for updates until cancelled, only while `lease` says yes; see `polling.poll`."""
        await polling.poll(self._api, self._read, handle, lease=lease)

    async def start(self) -> None:
        """Open the connection and introduce the bot in the background; never waits for Telegram."""
        await self._api.open()
        self._introduction = asyncio.create_task(self._introduce())

    async def stop(self) -> None:
        """Close the connection."""
        if self._introduction is not None:
            self._introduction.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._introduction
        await self._api.close()

    async def introduced(self) -> None:
        """Wait until Telegram knows the webhook and the menu."""
        if self._introduction is not None:
            await self._introduction

    async def _introduce(self) -> None:
        username = await introduction.introduce(
            self._api, webhook=self._webhook, secret=self._secret.decode(), commands=self._commands, known=self._know
        )
        structlog.get_logger().info("telegram_introduced", bot=self._bot, username=username)

    def _read(self, update: object) -> IncomingMessage:
        return self._reader.read(update)

    def _know(self, username: str) -> None:
        self._reader = incoming.Reader(bot=self._bot, username=username, clock=self._reader.clock)

    async def _say(self, letter: Letter, body: OutgoingMessage | Enclosure) -> Outcome:
        calls = outgoing.calls(letter.address.chat, body)
        if isinstance(calls, Refused):
            return calls
        told: Outcome = Sent()
        for part in range(self._said.get(letter.id, 0), len(calls)):
            if part == 0 and isinstance(body, Enclosure) and not body.ref:
                told = await self._upload(calls[part], body)
            else:
                answer = await self._api.call(*calls[part])
                for proper in outgoing.as_it_is(calls[part], answer):
                    answer = await self._api.call(*proper)
                told = outgoing.outcome(answer)
            if not isinstance(told, Sent):
                break
            if len(calls) > 1:  # a retry goes on where this try ended, instead of saying the beginning again
                self._said[letter.id] = part + 1
        if not isinstance(told, Retry):
            self._said.pop(letter.id, None)
        elif len(self._said) > _REMEMBERED:
            self._said.popitem(last=False)
        return told

    async def _upload(self, call: outgoing.Call, enclosure: Enclosure) -> Outcome:
        if self._files is None:
            return Refused(error="a file of another platform, and nothing here keeps files")
        try:
            content = await self._files(enclosure.evidence_id)
        except Unavailable:
            return Retry(reason="the file cannot be read now")
        except PlaintError:
            return Refused(error="the file can no longer be read")
        name, mime = outgoing.file_name(enclosure)
        told: Outcome = Sent()
        for (method, arguments), field in outgoing.uploads(call):
            file = File(name=name, mime=mime, content=content)
            told = outgoing.outcome(await self._api.upload(method, arguments, field, file))
            if not isinstance(told, Refused):
                break
        return told

    def _noted(self, chat: str, outcome: Outcome) -> Outcome:
        """Return the outcome; where a 429 is one of many, the whole channel rests.

        Telegram does not say whether a chat or the bot was too fast. One chat is; several at once mean the bot.
        """
        if not isinstance(outcome, Retry):
            return outcome
        now = asyncio.get_running_loop().time()
        if outcome.reason.startswith("misconfigured") and now >= self._complain_at:
            self._complain_at = now + _COMPLAIN_EVERY
            structlog.get_logger().error("telegram_misconfigured", bot=self._bot, error=outcome.reason)
        if outcome.pause != "chat" or outcome.after is None:
            return outcome
        self._throttled = {key: until for key, until in self._throttled.items() if until > now}
        self._throttled[chat] = now + outcome.after
        whole = len(self._throttled) >= _MANY or not chat
        return Retry(reason=outcome.reason, after=outcome.after, pause="channel" if whole else "chat")


def _problems(*, token: str, api_url: str, webhook: str, secret: str, proxy: str) -> list[str]:
    """Return what is wrong with the settings, without their values: they are secrets."""
    problems = []
    if not re.fullmatch(r"[0-9]+:[A-Za-z0-9_-]+", token):
        problems.append("PLAINT_TELEGRAM_TOKEN is not of the form 123456:AbC-dEf; @BotFather tells it")
    if not re.fullmatch(r"https?://[^\s/?#@]+(/[^\s?#]*)?", api_url):
        problems.append("PLAINT_TELEGRAM_API_URL is no http or https address")
    if proxy and not re.fullmatch(r"https?://\S+", proxy):
        problems.append("PLAINT_TELEGRAM_PROXY is no http or https address; other kinds of proxy are not supported")
    if (webhook or secret) and not re.fullmatch(r"[A-Za-z0-9_-]{1,256}", secret):
        problems.append("PLAINT_TELEGRAM_WEBHOOK_SECRET must be 1 to 256 of the characters A-Z a-z 0-9 _ -")
    return problems


_PROOF: Final = "x-telegram-bot-api-secret-token"
_TOO_BIG: Final = "the file is too big to be fetched"
_PRESS: Final = 10.0
_PING: Final = 10.0
_PIECE: Final = 64 * 1024
_REMEMBERED: Final = 1000
_MANY: Final = 3
_COMPLAIN_EVERY: Final = 30.0
