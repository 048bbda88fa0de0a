"""The web server: where platforms post what was said, and where one looks whether all is well.

A channel that carries answers its platform with the answer to the person, if that is there in time; `Answers` sees to
it that a post which comes again gets the same answer, and that letters which nobody took go out by the postman. What
is not served in time is written down by `Late` before the platform gets its OK.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import islice, takewhile
from typing import Final, TypeVar

import structlog
from aiohttp import ClientError, ClientSession, ClientTimeout, web
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from bot.channel import Channel, Delivery, Reply
from bot.delivery import Postman
from bot.desk import Desk, Served
from bot.metrics import Metrics
from complaints.commands import Hear
from complaints.errors import Malformed, NotGenuine, Unavailable
from complaints.messages import Address, IncomingMessage, OutgoingMessage
from complaints.ports import Letter, Priority
from storage.spool import Spool

log = structlog.get_logger("bot.web")

_LARGEST_BODY: Final = 2 * 1024 * 1024
#: A platform waits so many seconds at most; then it is told to come again.
_PATIENCE: Final = 20.0
_AGAIN: Final = {"Retry-After": "5"}
#: Seconds for which an answer is kept for a post that comes again.
_KEPT: Final = 15.0
#: Seconds between two tries to write something down, and how many must be left for another.
_PAUSE: Final = 0.2
_ENOUGH: Final = 0.5
_INSISTING: Final = 1.0
#: How many late messages are handed in together, and how many are written to disk at a time.
_TOGETHER: Final = 64
_WRITERS: Final = 4
#: Seconds between two lines of the log about posts that nobody can vouch for.
_SELDOM: Final = 60.0
_LARGEST_FORWARDED: Final = 64 * 1024
_LONGEST_FORWARDING: Final = 20.0

Ready = Callable[[], Awaitable[dict[str, bool]]]
_T = TypeVar("_T")
Forward = Callable[[Delivery], Awaitable[Reply | None]]
"""Gives a delivery to another system and returns its answer, or None where it has none."""


def build(
    *,
    desk: Desk,
    postman: Postman,
    channels: dict[str, Channel],
    metrics: Metrics,
    ready: Ready,
    late: "Late",
    sorry: str = "",
    forwards: Mapping[str, Forward] | None = None,
    routes: Sequence[web.RouteDef] = (),
) -> web.Application:
    """Build the application. `channels` maps a path to the channel whose platform posts there; `routes` come on top.

    `late` has what a channel that carries answers for before it is served; `sorry` is what its customers read where
    their words could not be written down; `forwards` maps its name to what gets the deliveries that are no complaints.
    """
    application = web.Application(client_max_size=_LARGEST_BODY)
    for path, channel in channels.items():
        door = _Door(channel, metrics)
        application.router.add_get(path, _verify(channel, door))
        if not channel.limits.carries:
            application.router.add_post(path, _webhook(desk, channel, door, metrics))
            continue
        carrying = _Carrying(desk, postman, channel, door, metrics, late, sorry, (forwards or {}).get(channel.name))
        application.router.add_post(path, carrying.post)
        application.on_cleanup.append(carrying.close)
    application.router.add_get("/healthz", _healthz)
    application.router.add_get("/readyz", _readyz(ready))
    application.router.add_get("/metrics", _metrics(metrics.registry))
    application.router.add_routes(routes)
    return application


def forwarder(url: str, session: ClientSession) -> Forward:
    """Return what posts a delivery on to another address: the same query, body and content type.

    Its answer is of 64 KB at most with the status 200; whatever else comes, or nothing, counts as none.
    """

    async def forward(delivery: Delivery) -> Reply | None:
        headers = {"Content-Type": delivery.headers.get("content-type", "text/plain")}
        try:
            async with session.post(
                url,
                params=[(name, value) for name, value in delivery.query.items()],
                data=delivery.body,
                headers=headers,
                allow_redirects=False,
                timeout=ClientTimeout(total=_LONGEST_FORWARDING),
            ) as answer:
                body = await answer.content.read(_LARGEST_FORWARDED + 1)
                while body and len(body) <= _LARGEST_FORWARDED and (piece := await answer.content.readany()):
                    body += piece
                if answer.status != web.HTTPOk.status_code or len(body) > _LARGEST_FORWARDED:
                    log.warning("forwarding_refused", status=answer.status, size=len(body))
                    return None
                return Reply(body=body, content_type=answer.headers.get("Content-Type", "text/plain"))
        except (ClientError, TimeoutError) as error:
            log.warning("forwarding_failed", error=type(error).__name__)  # the text would tell the address
            return None

    return forward


class _Door:
    """Turns away what a channel cannot vouch for, and says so in the log once in a while."""

    def __init__(self, channel: Channel, metrics: Metrics) -> None:
        self._channel = channel.name
        self._metrics = metrics
        self._say_at = 0.0

    def refuse(self, error: NotGenuine | Malformed) -> web.Response:
        """Answer what cannot be let in: a wrong token or clock looks like a stranger who tries the door."""
        if isinstance(error, Malformed):
            self._metrics.refused.labels("malformed").inc()
            log.warning("malformed", channel=self._channel, detail=str(error))
            return web.Response(status=400)
        self._metrics.refused.labels("not_genuine").inc()
        now = asyncio.get_running_loop().time()
        if now >= self._say_at:
            self._say_at = now + _SELDOM
            log.warning("not_genuine", channel=self._channel, cure="look at its token, its AES key, and the clock here")
        return web.Response(status=403)


def _verify(channel: Channel, door: _Door) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def get(request: web.Request) -> web.StreamResponse:
        """Prove to a platform that the address is ours."""
        try:
            return _response(channel.verify(Delivery(headers=request.headers, query=request.query, body=b"")))
        except (NotGenuine, Malformed) as error:
            return door.refuse(error)

    return get


async def _read(request: web.Request, channel: Channel) -> tuple[Delivery, list[IncomingMessage]]:
    """Prove and understand what was posted."""
    delivery = Delivery(headers=request.headers, query=request.query, body=await request.read())
    return delivery, channel.understand(delivery)


def _response(reply: Reply, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    return web.Response(status=status, body=reply.body, headers={**(headers or {}), "Content-Type": reply.content_type})


def _webhook(
    desk: Desk, channel: Channel, door: _Door, metrics: Metrics
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def post(request: web.Request) -> web.StreamResponse:
        """Prove, understand, serve, and only after the commit say OK."""
        try:
            delivery, messages = await _read(request, channel)
        except (NotGenuine, Malformed) as error:
            return door.refuse(error)
        try:
            async with asyncio.timeout(_PATIENCE):
                served = [await desk.submit(Hear(message=message)) for message in messages]
        except (Unavailable, TimeoutError):
            served = [Served(lost=True)]
        if any(each.lost for each in served):  # it is not even written down
            metrics.refused.labels("unavailable").inc()
            return web.Response(status=503, headers=_AGAIN)
        metrics.heard.inc(len(messages))
        letters = press_letters(desk, channel.name, served)
        reply = channel.passive(delivery, letters) if letters else None
        return web.Response() if reply is None else _response(reply)

    return post


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a post is answered with. `blank` says no more than OK: for when the letters have gone another way.

    One that does not `last` is forgotten at once, so that the next post is served anew.
    """

    reply: Reply
    blank: Reply
    status: int = 200
    last: bool = True


class Answers:
    """Answers posts with letters, the same post always with the same; what nobody took, the postman gets."""

    def __init__(self, postman: Postman, *, seconds: float = _KEPT) -> None:
        """Keep each answer for so many seconds."""
        self._postman = postman
        self._seconds = seconds
        self._known: dict[str, _Post] = {}
        self._tasks: set[asyncio.Task[Answer]] = set()

    async def give(
        self,
        request: web.Request,
        key: str,
        serve: Callable[[], Awaitable[Answer]],
        headers: Mapping[str, str] | None = None,
    ) -> web.StreamResponse:
        """Answer a post with what `serve` returns, served once for all posts of that key; an empty key is unique."""
        post = self._known.get(key) or self._begin(key, serve)
        post.waiting += 1
        try:
            answer = await asyncio.shield(post.task)
            response = _response(answer.blank if post.returned else answer.reply, answer.status, headers)
            if await _written(request, response) and not (post.written or post.returned):
                post.written = True
                self._postman.carried(answer.reply.carried)
            return response
        finally:
            post.waiting -= 1
            if post.task.done():
                self._give_back(post)
            else:
                post.task.add_done_callback(lambda _: self._give_back(post))

    async def close(self) -> None:
        """Give up what is being served."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _begin(self, key: str, serve: Callable[[], Awaitable[Answer]]) -> "_Post":
        async def served() -> Answer:
            return await serve()

        task = asyncio.create_task(served())  # a post that is hung up is served to its end all the same
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        post = _Post(task)
        if key:
            self._known[key] = post
            task.add_done_callback(lambda _: self._keep(key, post))
        return post

    def _keep(self, key: str, post: "_Post") -> None:
        if post.answer is None or not post.answer.last:
            del self._known[key]
        else:
            asyncio.get_running_loop().call_later(self._seconds, self._known.pop, key)

    def _give_back(self, post: "_Post") -> None:
        """Hand the letters to the postman if nobody took them and nobody waits any more."""
        if post.answer is not None and not (post.waiting or post.written or post.returned):
            post.returned = True
            self._postman.post(post.answer.reply.carried)


@dataclass(slots=True, eq=False)
class _Post:
    """A post that is being served, or was: how many connections wait for its answer, and what became of its letters."""

    task: asyncio.Task[Answer]
    waiting: int = 0
    written: bool = False
    returned: bool = False

    @property
    def answer(self) -> Answer | None:
        return None if self.task.cancelled() or self.task.exception() is not None else self.task.result()


async def _written(request: web.Request, response: web.Response) -> bool:
    """Write the answer down the line; False if nobody is at the other end any more."""
    try:
        await response.prepare(request)
        await response.write_eof()
    except ConnectionError:
        return False
    return True


class Late:
    """Messages whose platform was told OK before they were served: on disk, and handed in until they are."""

    def __init__(self, desk: Desk, spool: Spool) -> None:
        self._desk = desk
        self._spool = spool
        self._waiting: dict[str, IncomingMessage] = {}
        self._chats: dict[tuple[str, str], dict[str, IncomingMessage]] = {}
        self._news = asyncio.Event()
        # Threads of its own: those of the event loop may all hang in the database.
        self._disk = ThreadPoolExecutor(_WRITERS, "spool")
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Hand in what an earlier process did not come to. Raises `Misconfigured` where the spool cannot be used."""
        messages, aside = await self._on_disk(self._spool.take)
        for name in aside:
            log.error("spooled_message_unreadable", file=name)
        if messages:
            log.info("spooled_messages_found", count=len(messages))
        self._expect(messages)
        self._task = asyncio.create_task(self._forever(), name="late")

    async def stop(self) -> None:
        """Stop handing in: what was not served lies there for the next start."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        await asyncio.to_thread(self._disk.shutdown)

    async def keep(self, message: IncomingMessage) -> bool:
        """Write a message down, and see to it that it is served; False if it cannot be written."""
        if not message.key:
            return False  # nothing would tell that it was served
        try:
            await self._on_disk(lambda: self._spool.put(message))
        except OSError as error:
            log.error("spool_failed", reason=error.strerror)  # noqa: TRY400 # the trace would tell no more
            return False
        self._expect([message])
        return True

    def hasten(self, message: IncomingMessage) -> None:
        """Hand in what was said in this chat before this message and waits: the order of what is said is kept."""
        for each in takewhile(lambda each: each.key != message.key, self._of(message).values()):
            self._desk.submit(Hear(message=each)).add_done_callback(_noticed)

    def _of(self, message: IncomingMessage) -> dict[str, IncomingMessage]:
        """Return what waits of the same chat."""
        return self._chats.get((message.address.channel, message.address.chat), {})

    def _expect(self, messages: Sequence[IncomingMessage]) -> None:
        for message in messages:
            self._waiting[message.key] = message
            self._chats.setdefault((message.address.channel, message.address.chat), {})[message.key] = message
        self._news.set()

    def _forget(self, message: IncomingMessage) -> None:
        self._waiting.pop(message.key, None)
        chat = self._of(message)
        chat.pop(message.key, None)
        if not chat:
            self._chats.pop((message.address.channel, message.address.chat), None)

    async def _forever(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            while self._waiting:
                await self._hand_in(list(islice(self._waiting.values(), _TOGETHER)))

    async def _hand_in(self, messages: Sequence[IncomingMessage]) -> None:
        """Have messages served, and forget those that were: their words are in the database, or their failure is."""
        ends = await asyncio.gather(
            *(self._desk.submit(Hear(message=message)) for message in messages), return_exceptions=True
        )
        known = [(message, end) for message, end in zip(messages, ends, strict=True) if isinstance(end, Served)]
        served, lost = ([message for message, end in known if end.lost is it] for it in (False, True))
        for message in served + lost:  # before the file goes: one that comes again meanwhile is looked after once more
            self._forget(message)
        try:
            await self._on_disk(lambda: self._spool.drop(served))
            for message in lost:  # it would fail again: it lies there for a person, and for the next start
                log.error("spooled_message_lost")
                await self._on_disk(partial(self._spool.set_aside, message))
        except OSError as error:
            log.error("spool_failed", reason=error.strerror)  # noqa: TRY400 # the trace would tell no more
            self._expect(served + lost)
            known = []
        if len(known) < len(messages):
            await asyncio.sleep(_INSISTING)

    async def _on_disk(self, act: Callable[[], _T]) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._disk, act)


def _noticed(future: "asyncio.Future[Served]") -> None:
    """Look at the end of what nobody waits for: it is handed in again if it was none."""
    if not future.cancelled():
        future.exception()


class _Carrying:
    """The door of a channel that carries: the answer to a person travels in the answer to the platform's post."""

    def __init__(
        self,
        desk: Desk,
        postman: Postman,
        channel: Channel,
        door: _Door,
        metrics: Metrics,
        late: "Late",
        sorry: str,
        forward: Forward | None,
    ) -> None:
        self._desk = desk
        self._postman = postman
        self._channel = channel
        self._metrics = metrics
        self._door = door
        self._late = late
        self._sorry = sorry
        self._forward = forward
        self._answers = Answers(postman)

    async def post(self, request: web.Request) -> web.StreamResponse:
        """Prove, understand, serve; within the platform's patience it is answered, with the letters or without."""
        until = asyncio.get_running_loop().time() + self._channel.limits.patience
        try:
            async with asyncio.timeout_at(until):
                delivery, messages = await _read(request, self._channel)
        except (NotGenuine, Malformed) as error:
            return self._door.refuse(error)
        except TimeoutError:
            return web.Response(status=408)
        keys = [message.key for message in messages]
        key = "\n".join(keys) if all(keys) else ""
        return await self._answers.give(request, key, lambda: self._serve(delivery, messages, until))

    async def close(self, _: web.Application) -> None:
        """Stop what still runs."""
        await self._answers.close()

    async def _serve(self, delivery: Delivery, messages: Sequence[IncomingMessage], until: float) -> Answer:
        heard = await asyncio.gather(*(self._hear(message, until) for message in messages))
        served = [each for each in heard if isinstance(each, Served)]
        self._metrics.heard.inc(len(served))
        blank = self._channel.passive(delivery, ())
        letters = press_letters(self._desk, self._channel.name, served)
        letters += [letter for each in served for letter in each.letters]
        lost = [message for message, each in zip(messages, heard, strict=True) if isinstance(each, Unavailable)]
        if lost:
            return self._apology(delivery, lost[0], letters, blank)
        if self._forward is not None and len(served) == len(messages) and all(each.unclaimed for each in served):
            self._postman.post(letters)
            return Answer(reply=await self._forwarded(delivery, until) or blank, blank=blank)
        return Answer(reply=self._passive(delivery, letters), blank=blank)

    async def _hear(self, message: IncomingMessage, until: float) -> Served | Unavailable | None:
        """Return what became of a message: None if it is safe on disk, Unavailable if it is written nowhere."""
        now = asyncio.get_running_loop().time
        while True:
            self._late.hasten(message)
            future = self._desk.submit(Hear(message=message), carry=True)
            try:
                await asyncio.wait([future], timeout=max(0.0, until - now()))
            finally:
                late = future.cancel()
            if late:
                break
            error = future.exception()
            if error is None:
                return Unavailable() if future.result().lost else future.result()
            if not isinstance(error, Unavailable):
                raise error
            if now() + _ENOUGH > until:
                break
            await asyncio.sleep(_PAUSE)
        # A disk that hangs here keeps the platform without its OK: then it comes again, and waits for this same answer.
        return None if await self._late.keep(message) else Unavailable()

    def _passive(self, delivery: Delivery, letters: Sequence[Letter]) -> Reply:
        """Return the answer that carries what it can; the postman has the rest."""
        reply = self._channel.passive(delivery, letters)
        carried = {letter.id for letter in reply.carried}
        self._postman.post([letter for letter in letters if letter.id not in carried])
        return reply

    def _apology(self, delivery: Delivery, message: IncomingMessage, letters: Sequence[Letter], blank: Reply) -> Answer:
        """Return the answer that tells a person that their words are lost: an OK would be a lie.

        An error would have the platform say that the whole account is out of order; it is left for where nothing else
        can be said.
        """
        self._metrics.refused.labels("unavailable").inc()
        sorry = Letter(
            id=0,
            address=message.address,
            body=OutgoingMessage(text=self._sorry),
            priority=Priority.ANSWER,
            due_at=self._desk.now(),
        )
        reply = self._channel.passive(delivery, [sorry]) if self._sorry else blank
        self._postman.post(letters)
        if sorry not in reply.carried:
            return Answer(reply=Reply(), blank=Reply(), status=503, last=False)
        return Answer(reply=Reply(body=reply.body, content_type=reply.content_type), blank=blank, last=False)

    async def _forwarded(self, delivery: Delivery, until: float) -> Reply | None:
        if self._forward is None:
            return None
        try:
            async with asyncio.timeout_at(until):
                return await self._forward(delivery)
        except TimeoutError:
            log.warning("forwarding_late", channel=self._channel.name)
            return None


def press_letters(desk: Desk, channel: str, served: list[Served]) -> list[Letter]:
    """Return the answers to presses as letters: they are worth nothing later, so the outbox never sees them."""
    ids = desk.book.ids
    return [
        Letter(
            id=ids.next(),
            address=Address(channel=channel, chat=each.press.ref),
            body=each.press,
            priority=Priority.ANSWER,
            due_at=desk.now(),
        )
        for each in served
        if each.press is not None
    ]


async def _healthz(_: web.Request) -> web.Response:
    return web.json_response({"alive": True})


def _readyz(ready: Ready) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    asking: asyncio.Task[dict[str, bool]] | None = None

    async def answer(_: web.Request) -> web.Response:
        """Answer all who ask meanwhile with one look: anybody may ask, and a dead database holds a thread for each."""
        nonlocal asking
        if asking is None or asking.done():
            asking = asyncio.ensure_future(ready())
        checks = await asyncio.shield(asking)
        return web.json_response(checks, status=200 if checks.get("database") else 503)

    return answer


def _metrics(registry: CollectorRegistry) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

    return answer
