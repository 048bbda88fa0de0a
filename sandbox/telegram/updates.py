"""The one way an update reaches a bot: it waits here until a long poll confirms it or a webhook answers 2xx.

Source: https://core.telegram.org/bots/api#getting-updates
"""

import asyncio
import contextlib
import itertools
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import aiohttp

from sandbox.telegram.text import Json

OPTIONAL_KINDS: Final = frozenset({"chat_member", "message_reaction", "message_reaction_count"})
"""What a bot gets only if it asks for it by name."""


class ConflictError(Exception):
    """Somebody else fetches the updates of this bot."""


@dataclass(kw_only=True, slots=True, frozen=True)
class Timing:
    """Says how patient the platform is with a webhook."""

    timeout: float = 30.0
    backoff: float = 1.0
    """Seconds before the first redelivery; each later one waits twice as long."""
    longest: float = 60.0

    def pause(self, attempts: int) -> float:
        """Return the seconds to wait after so many failed attempts."""
        return min(self.backoff * 2.0 ** (min(attempts, 30) - 1), self.longest)


@dataclass(kw_only=True, slots=True)
class Update:
    """One thing that happened, and how often the bot was told."""

    id: int
    body: Json
    taken: Callable[[], None]
    attempts: int = 0


@dataclass(kw_only=True, slots=True)
class Webhook:
    """Where the updates of a bot are posted to."""

    url: str
    secret: str = ""
    max_connections: int = 40
    last_error: tuple[int, str] | None = None
    couriers: list[asyncio.Task[None]] = field(default_factory=list)
    ready: asyncio.Queue[Update] = field(default_factory=asyncio.Queue)


class Updates:
    """Keeps the updates of one bot in order and delivers them at least once."""

    def __init__(
        self, *, clock: Callable[[], datetime], timing: Timing, obey: Callable[[Json], Awaitable[None]]
    ) -> None:
        """Begin empty; `obey` runs a method that a webhook names in its answer."""
        self._clock = clock
        self._timing = timing
        self._obey = obey
        self._ids = itertools.count(700_000_001)
        self._pending: dict[int, Update] = {}
        self._again: deque[Update] = deque()
        self._past: deque[Update] = deque(maxlen=10_000)
        self._arrived = asyncio.Event()
        self._poller: asyncio.Future[None] | None = None
        self._client: aiohttp.ClientSession | None = None
        self._flowing = asyncio.Event()
        self._flowing.set()
        self.allowed: list[str] = []
        self.webhook: Webhook | None = None
        self.made = self.delivered = self.attempts = 0

    @property
    def pending_count(self) -> int:
        """How many updates the bot has not confirmed."""
        return len(self._pending)

    def put(self, kind: str, payload: Json, taken: Callable[[], None] = lambda: None) -> int | None:
        """Queue an update and return its id, or nothing if the bot did not ask for this kind."""
        if kind not in self.allowed if self.allowed else kind in OPTIONAL_KINDS:
            return None
        return self.inject({kind: payload}, taken)

    def inject(self, body: Json, taken: Callable[[], None] = lambda: None) -> int:
        """Queue an update as it is, under its own id if it has one."""
        number = int(body.get("update_id") or next(self._ids))
        update = Update(id=number, body={**body, "update_id": number}, taken=taken)
        self.made += 1
        self._pending[number] = update
        self._past.append(update)
        if self.webhook:
            self.webhook.ready.put_nowait(update)
        self._arrived.set()
        return number

    # --- long polling ---

    async def poll(self, *, offset: int = 0, limit: int = 100, patience: float = 0) -> list[Json]:
        """Return what waits, or wait for something; everything below `offset` is confirmed by asking."""
        if self.webhook:
            raise ConflictError(_WEBHOOK_ACTIVE)
        self._turn_away(_OTHER_POLLER)
        if offset < 0:
            offset = next(iter(list(self._pending)[offset:]), 0)
        for number in [number for number in self._pending if number < offset]:
            self._confirm(self._pending[number])
        if not self._waiting() and patience > 0:
            await self._wait(patience)
        batch = [*self._again, *self._pending.values()][:limit]
        for update in batch:
            update.attempts += 1
            self.attempts += 1
        self._again.clear()
        return [update.body for update in batch]

    async def _wait(self, patience: float) -> None:
        self._poller = poller = asyncio.get_running_loop().create_future()
        self._arrived.clear()
        arrival = asyncio.ensure_future(self._arrived.wait())
        try:
            await asyncio.wait({poller, arrival}, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
        finally:
            arrival.cancel()
            if self._poller is poller:
                self._poller = None
        if poller.done():
            poller.result()

    def _waiting(self) -> bool:
        return bool(self._again or self._pending)

    def _turn_away(self, reason: str) -> None:
        if self._poller and not self._poller.done():
            self._poller.set_exception(ConflictError(reason))

    # --- webhook ---

    def set_webhook(self, webhook: Webhook, *, drop_pending: bool = False) -> None:
        """Post updates from now on, those that wait first."""
        self._turn_away(_SET_WEBHOOK)
        self.delete_webhook(drop_pending=drop_pending)
        self.webhook = webhook
        for update in self._pending.values():
            webhook.ready.put_nowait(update)
        webhook.couriers = [asyncio.create_task(self._carry(webhook)) for _ in range(webhook.max_connections)]

    def delete_webhook(self, *, drop_pending: bool = False) -> None:
        """Stop posting; what waits goes on waiting unless it is to be dropped."""
        if self.webhook:
            for courier in self.webhook.couriers:
                courier.cancel()
            self.webhook = None
        if drop_pending:
            self._pending.clear()

    async def _carry(self, webhook: Webhook) -> None:
        while True:
            update = await webhook.ready.get()
            await self._flowing.wait()
            if update.id not in self._pending:
                continue
            if await self._post(webhook, update) in _GOOD:
                self._confirm(update)
            else:
                pause = self._timing.pause(update.attempts)
                asyncio.get_running_loop().call_later(pause, webhook.ready.put_nowait, update)

    async def _post(self, webhook: Webhook, update: Update) -> int:
        """Post once and return the status, 0 if there was no answer."""
        update.attempts += 1
        self.attempts += 1
        self._client = self._client or aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0), cookie_jar=aiohttp.DummyCookieJar()
        )
        headers = {"X-Telegram-Bot-Api-Secret-Token": webhook.secret} if webhook.secret else {}
        timeout = aiohttp.ClientTimeout(total=self._timing.timeout)
        try:
            async with self._client.post(
                webhook.url, json=update.body, headers=headers, timeout=timeout, allow_redirects=False
            ) as answer:
                if answer.status not in _GOOD:
                    problem = f"Wrong response from the webhook: {answer.status} {answer.reason}"
                elif answer.content_type == "application/json" and "method" in (order := await _json(answer)):
                    await self._obey(order)
                    return answer.status
                else:
                    return answer.status
                status = answer.status
        except TimeoutError:
            problem, status = "Read timeout expired", 0
        except aiohttp.ClientConnectorError:
            problem, status = "Connection refused", 0
        except aiohttp.ClientError as error:
            problem, status = f"Connection failed: {type(error).__name__}", 0
        webhook.last_error = (int(self._clock().timestamp()), problem)
        return status

    # --- what tests do to it ---

    async def replay(self, number: int, times: int) -> list[int]:
        """Tell the bot again, `times` times at once, and return the webhook's answers; a poller gets it once more."""
        update = {update.id: update for update in self._past}[number]
        if self.webhook:
            webhook = self.webhook
            return list(await asyncio.gather(*(self._post(webhook, update) for _ in range(times))))
        self._again.extend([update] * times)
        self._arrived.set()
        return []

    def recent(self) -> list[Json]:
        """List the latest updates with the number of times each was delivered."""
        return [
            {"update": update.body, "attempts": update.attempts, "confirmed": update.id not in self._pending}
            for update in self._past
        ]

    def stop_flow(self, *, stopped: bool) -> None:
        """Hold the webhook's updates back during an outage."""
        if stopped:
            self._flowing.clear()
        else:
            self._flowing.set()

    async def close(self) -> None:
        """Let pollers and couriers go."""
        self._turn_away(_SET_WEBHOOK)
        couriers = self.webhook.couriers if self.webhook else []
        self.delete_webhook()
        await asyncio.gather(*couriers, return_exceptions=True)
        if self._client:
            await self._client.close()

    def _confirm(self, update: Update) -> None:
        if self._pending.pop(update.id, None):
            self.delivered += 1
            update.taken()


async def _json(answer: aiohttp.ClientResponse) -> Json:
    with contextlib.suppress(ValueError):
        body = await answer.json()
        if isinstance(body, dict):
            return body
    return {}


_GOOD: Final = range(200, 300)
_WEBHOOK_ACTIVE: Final = (
    "can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"
)
_OTHER_POLLER: Final = "terminated by other getUpdates request; make sure that only one bot instance is running"
_SET_WEBHOOK: Final = "terminated by setWebhook request"
