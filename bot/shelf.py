"""The shelf over the database: access tokens of platforms, fetched by one process for all of them."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog

from storage import Store

Fetch = Callable[[], Awaitable[tuple[str, float]]]

#: Seconds for which one process may be fetching before another tries, and between two looks of those who wait.
_FETCHING: Final = 10.0
_LOOK: Final = 0.1
#: A token is renewed this long before it ends, or in the last tenth of its life; and no longer used just before that.
_EARLY: Final = timedelta(minutes=5)
_LAST: Final = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class _Token:
    """An access token, and from when it may, and must, be renewed."""

    value: str
    renew_at: datetime
    until: datetime


class StoreShelf:
    """Keeps access tokens in the database, sealed, and at hand; a `Shelf` of `bot.channel`.

    In one process all callers share one fetch; between processes there is a lease: who does not get it waits, and
    reads what the other one has fetched. A token that is about to end is renewed while it still serves.
    """

    def __init__(self, store: Store, clock: Callable[[], datetime]) -> None:
        """Take the database, and the clock by which tokens end."""
        self._store = store
        self._clock = clock
        self._known: dict[str, _Token] = {}
        self._flights: dict[str, asyncio.Task[_Token]] = {}

    async def token(self, name: str, fetch: Fetch, *, stale: str = "") -> str:
        """Return the token of that name. Where there is none, or only the `stale` one, one process fetches it for all.

        `fetch` returns a token and the seconds for which it holds; what it raises is raised to everyone who waits.
        Raises `Unavailable` where a token is needed and the database is away.
        """
        while True:
            known = self._known.get(name)
            if known is not None and known.value != stale and known.until > self._clock():
                if known.renew_at <= self._clock():
                    self._flight(name, fetch, known.value).add_done_callback(_heed)
                return known.value
            found = await asyncio.shield(self._flight(name, fetch, stale))
            if found.value != stale:
                return found.value

    def _flight(self, name: str, fetch: Fetch, stale: str) -> "asyncio.Task[_Token]":
        """Return the fetch that is under way, or begin one."""
        task = self._flights.get(name)
        if task is None:
            task = self._flights[name] = asyncio.create_task(self._obtain(name, fetch, stale))
            task.add_done_callback(lambda _: self._flights.pop(name))
        return task

    async def _obtain(self, name: str, fetch: Fetch, stale: str) -> _Token:
        lease = f"token:{name}"
        while True:
            found = await self._read(name, stale)
            if found is not None:
                return found
            if await asyncio.to_thread(self._store.take_lease, lease, self._store.node, self._clock(), _FETCHING):
                break
            await asyncio.sleep(_LOOK)
        try:
            found = await self._read(name, stale)  # another may have put it there just before it gave the lease back
            return found or await self._fetch(name, fetch)
        finally:
            await asyncio.to_thread(self._store.release_lease, lease, self._store.node)

    async def _fetch(self, name: str, fetch: Fetch) -> _Token:
        value, seconds = await fetch()
        now, life = self._clock(), timedelta(seconds=seconds)
        until = now + max(life - _LAST, life / 2)
        renew_at = until - min(_EARLY, life / 10)
        token = self._known[name] = _Token(value, renew_at, until)
        written = f"{renew_at.timestamp():.3f} {until.timestamp():.3f} {value}"
        await asyncio.to_thread(self._store.share, name, written, now, (until - now).total_seconds())
        return token

    async def _read(self, name: str, stale: str) -> _Token | None:
        """Return what another process has put there, unless it is the stale one."""
        written = await asyncio.to_thread(self._store.shared, name, self._clock())
        if written is None:
            return None
        renew_at, until, value = written.split(" ", 2)
        if value == stale:
            return None
        moments = (datetime.fromtimestamp(float(each), UTC) for each in (renew_at, until))
        token = self._known[name] = _Token(value, *moments)
        return token


def _heed(task: "asyncio.Task[_Token]") -> None:
    """Note that a renewal failed: the old token still serves, and the next caller tries again."""
    if not task.cancelled() and (error := task.exception()) is not None:
        structlog.get_logger("bot.shelf").warning("token_not_renewed", error=type(error).__name__)
