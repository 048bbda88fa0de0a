"""The loops behind the trays: timers that fall due, and messages that wait in the inbox for another try."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Final

import structlog

from bot.desk import Desk
from bot.metrics import Metrics
from complaints.commands import Command
from complaints.errors import Unavailable
from handlers import routing
from storage import Store

log = structlog.get_logger("bot.trays")

_MOST: Final = 200
#: Seconds between looks at the timers when none is nearer; another node may have set one.
_TIMERS_EVERY: Final = 1.0
_INBOX_EVERY: Final = 2.0
_PURGE_EVERY: Final = 3600.0


class Trays:
    """Feeds the desk with what is due. Every loop goes on after an error: the database may be away for a while."""

    def __init__(
        self,
        *,
        store: Store,
        desk: Desk,
        clock: Callable[[], datetime],
        metrics: Metrics,
        every: float = _TIMERS_EVERY,
    ) -> None:
        self._every = every
        self._store = store
        self._desk = desk
        self._clock = clock
        self._metrics = metrics
        self._late = True  # until it is known that the desk has caught up
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin to look into the trays."""
        self._tasks = [
            asyncio.create_task(self._forever(self._timers, self._every), name="timers"),
            asyncio.create_task(self._forever(self._inbox, _INBOX_EVERY), name="inbox"),
            asyncio.create_task(self._forever(self._purge, _PURGE_EVERY), name="purge"),
        ]

    async def stop(self) -> None:
        """Stop looking."""
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with suppress(asyncio.CancelledError):
                await task

    async def _forever(self, look: Callable[[], Awaitable[bool]], every: float) -> None:
        while True:
            try:
                found = await look()
            except Unavailable as error:
                log.warning("tray_unavailable", tray=getattr(look, "__name__", ""), reason=str(error))
                found = False
            if not found:
                await asyncio.sleep(every)

    async def _timers(self) -> bool:
        now = self._clock()
        due = await asyncio.to_thread(self._store.due_timers, now, _MOST)
        if due:
            self._metrics.timer_lag.set((now - due[0].due_at).total_seconds())
            await self._serve(due)
        await self._tell_late(any(routing.late(each, now) for each in due))
        return len(due) == _MOST

    async def _tell_late(self, late: bool) -> None:
        """Let the news of what happened late go, once a look has found nothing that is late."""
        if self._late and not late:
            await asyncio.to_thread(self._store.free_news, self._clock())
        self._late = late

    async def _inbox(self) -> bool:
        waiting = await asyncio.to_thread(self._store.unserved, self._clock(), _MOST)
        await self._serve(waiting)
        return len(waiting) == _MOST

    async def _purge(self) -> bool:
        await asyncio.to_thread(self._store.purge, self._clock())
        return False

    async def _serve(self, commands: Sequence[Command]) -> None:
        served = await asyncio.gather(*(self._desk.submit(each) for each in commands), return_exceptions=True)
        for each in served:
            if isinstance(each, BaseException):
                raise each
            self._metrics.failed.inc(int(each.failed))
