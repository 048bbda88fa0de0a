"""The one way the platforms tell an account what happened: a post to its callback, and the answer in the same breath.

Who does not answer within five seconds is cut off and told again, three times in all, with the same ids. What one
person does is told in order. Source: https://developers.weixin.qq.com/doc/service/guide/product/message/
Passive_user_reply_message.html
"""

import asyncio
import itertools
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Protocol

import aiohttp
from yarl import URL

from sandbox.faults import FaultKind, Switchboard
from sandbox.tencent.envelope import EnvelopeError, Json, write
from sandbox.tencent.record import Record


@dataclass(kw_only=True, slots=True, frozen=True)
class CallbackTiming:
    """Says how patient the platform is with a callback."""

    timeout: float = 5.0
    """Seconds in which an answer must be there, whole."""
    tries: int = 3
    pause: float = 0.0
    """Seconds between two tries."""


@dataclass(kw_only=True, slots=True)
class Callback:
    """One thing that happened, as XML, and what came of telling it."""

    id: int
    person: str
    """The account of the person whose doing it is; it is told in their order."""
    to: str
    xml: str
    heard: "Callable[[Json | None], None]"
    """Is told the passive reply; None if there is nothing to show. Raises EnvelopeError for what it can't show."""
    failed: Callable[[], None]
    """Is told that the account answered nonsense, or not at all."""
    attempts: int = 0
    outcome: str = "waiting"
    """`waiting`, `answered`, `refused` (the answer was nonsense), `failed` (there was none) or `dropped`."""
    answers: list[str] = field(default_factory=list)
    """What came of each attempt: a status, or what went wrong."""

    def told(self) -> Json:
        """Write the callback for tests."""
        return {
            "id": self.id,
            "person": self.person,
            "xml": self.xml,
            "attempts": self.attempts,
            "outcome": self.outcome,
            "answers": self.answers,
        }


class Wrapping(Protocol):
    """How a platform signs and seals."""

    def wrap(self, xml: str, *, to: str, sender: str, now: int) -> tuple[dict[str, str], str]:
        """Return query and body of a post."""

    def challenge(self, now: int) -> tuple[dict[str, str], str]:
        """Return the query that verifies a callback, and the right answer."""

    def unwrap(self, body: bytes) -> Json:
        """Read an answer, or raise EnvelopeError."""


class Courier:
    """Posts what happened to the callback of an account."""

    def __init__(
        self,
        *,
        envelope: Wrapping,
        url: str,
        timing: CallbackTiming,
        clock: Callable[[], datetime],
        switchboard: Switchboard,
        record: Record,
    ) -> None:
        """Begin with nothing to tell; without a `url` nothing is ever told."""
        self.url = url
        self.envelope = envelope
        self._timing = timing
        self._clock = clock
        self._switchboard = switchboard
        self._record = record
        self._ids = itertools.count(1)
        self._waiting: dict[str, asyncio.Queue[Callback]] = {}
        self._workers: list[asyncio.Task[None]] = []
        self._past: deque[Callback] = deque(maxlen=10_000)
        self._open = 0
        self._client: aiohttp.ClientSession | None = None
        self._flowing = asyncio.Event()
        self._flowing.set()

    def put(
        self,
        fields: Mapping[str, object] | str,
        *,
        person: str,
        to: str,
        heard: Callable[[Json | None], None],
        failed: Callable[[], None] = lambda: None,
    ) -> int:
        """Tell something, as fields or as XML, when everything before it of the same person is told."""
        xml = fields if isinstance(fields, str) else write(fields)
        callback = Callback(id=next(self._ids), person=person, to=to, xml=xml, heard=heard, failed=failed)
        self._past.append(callback)
        self._record.callbacks["made"] += 1
        if not self.url:
            callback.outcome = "dropped"
            return callback.id
        self._open += 1
        if person not in self._waiting:
            self._waiting[person] = asyncio.Queue()
            self._workers.append(asyncio.create_task(self._carry(self._waiting[person])))
        self._waiting[person].put_nowait(callback)
        return callback.id

    @property
    def pending(self) -> int:
        """How many callbacks are not settled."""
        return self._open

    def recent(self) -> list[Json]:
        """List the latest callbacks."""
        return [callback.told() for callback in self._past]

    async def replay(self, number: int, times: int) -> list[int]:
        """Post a callback again, `times` times at once, and return the statuses; the answers are not looked at."""
        callback = {callback.id: callback for callback in self._past}[number]
        answers = await asyncio.gather(*(self._post(callback) for _ in range(times)))
        return [status for status, _ in answers]

    async def verify(self, url: str) -> str:
        """Ask a new callback for its echo, and return what is wrong with the answer; nothing if all is well."""
        query, echo = self.envelope.challenge(int(self._clock().timestamp()))
        timeout = aiohttp.ClientTimeout(total=self._timing.timeout)
        try:
            async with self._session().get(
                URL(url).update_query(query), timeout=timeout, allow_redirects=False
            ) as answer:
                said = await answer.read()
        except (TimeoutError, aiohttp.ClientError) as error:
            return f"no answer: {type(error).__name__}"
        if answer.status != _OK:
            return f"status {answer.status}"
        return "" if said == echo.encode() else "the echo is wrong"

    def stop_flow(self, *, stopped: bool) -> None:
        """Hold everything back during an outage."""
        if stopped:
            self._flowing.clear()
        else:
            self._flowing.set()

    async def close(self) -> None:
        """Let the couriers go."""
        for worker in self._workers:
            worker.cancel()
        await asyncio.gather(*self._workers, return_exceptions=True)
        if self._client:
            await self._client.close()

    # --- inside ---

    async def _carry(self, waiting: asyncio.Queue[Callback]) -> None:
        while True:
            callback = await waiting.get()
            try:
                await self._tell(callback)
            finally:
                self._open -= 1

    async def _tell(self, callback: Callback) -> None:
        while callback.attempts < self._timing.tries:
            if callback.attempts:
                await asyncio.sleep(self._timing.pause)
            await self._flowing.wait()
            body = await self._try(callback)
            if body is None:
                continue
            try:
                plain = body.strip() in _NOTHING
                callback.heard(None if plain else self.envelope.unwrap(body))
                callback.outcome = "answered"
                self._record.callbacks["silent" if plain else "replied"] += 1
            except EnvelopeError as nonsense:
                callback.answers[-1] += f" {nonsense}"
                self._fail(callback, "refused")
            return
        self._fail(callback, "failed")

    def _fail(self, callback: Callback, outcome: str) -> None:
        callback.outcome = outcome
        self._record.callbacks[outcome] += 1
        callback.failed()

    async def _try(self, callback: Callback) -> bytes | None:
        """Try once; what is lost on the way, either way, is an attempt too."""
        callback.attempts += 1
        self._record.callbacks["attempts"] += 1
        fault = self._switchboard.take("callback", callback.person, named=True)
        if fault and fault.kind is FaultKind.HANG:
            await self._switchboard.hold(fault.seconds)
        elif fault and fault.kind is not FaultKind.DROP_AFTER:
            callback.answers.append("lost on the way")
            return None
        status, body = await self._post(callback)
        lost = fault is not None and fault.kind is FaultKind.DROP_AFTER
        callback.answers.append(("lost " if lost else "") + (str(status) if status else "no answer"))
        return None if lost or status != _OK else body

    async def _post(self, callback: Callback) -> tuple[int, bytes]:
        """Post once and return status and body, a status of 0 if there was no answer in time."""
        query, body = self.envelope.wrap(
            callback.xml, to=callback.to, sender=callback.person, now=int(self._clock().timestamp())
        )
        timeout = aiohttp.ClientTimeout(total=self._timing.timeout)
        try:
            async with self._session().post(
                URL(self.url).update_query(query),
                data=body.encode(),
                headers={"Content-Type": "text/xml"},
                timeout=timeout,
                allow_redirects=False,
            ) as answer:
                return answer.status, await answer.read()
        except (TimeoutError, aiohttp.ClientError):
            return 0, b""

    def _session(self) -> aiohttp.ClientSession:
        self._client = self._client or aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0), cookie_jar=aiohttp.DummyCookieJar()
        )
        return self._client


_OK: Final = 200
_NOTHING: Final = frozenset({b"", b"success"})
