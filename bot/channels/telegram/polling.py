"""Asks Telegram for updates where it cannot post them.

Source: https://core.telegram.org/bots/api#getupdates
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

import structlog

from bot.channels.telegram.api import Api
from bot.channels.telegram.incoming import ALLOWED_UPDATES
from complaints.errors import Malformed
from complaints.messages import IncomingMessage


class NoUpdates(Exception):
    """Telegram gave no updates, and not because there were none."""


async def poll(
    api: Api,
    read: Callable[[object], IncomingMessage],
    handle: Callable[[list[IncomingMessage]], Awaitable[None]],
    *,
    lease: Callable[[], Awaitable[bool]],
    wait: int = 25,
) -> None:
    """Hand every update to `handle` until cancelled; what it has not stored comes again.

    An update is confirmed, by asking for the next, only after `handle` returned. `lease` is asked before every call,
    which takes `wait` seconds and a little more: a lease must last longer than 30 seconds.
    """
    offset = 0
    pause = _SHORTEST
    while True:
        try:
            if not await lease():
                offset = 0  # another node polls now: only Telegram knows what that one will have confirmed
                await asyncio.sleep(_WITHOUT_LEASE)
                continue
            offset = await _round(api, read, handle, offset=offset, wait=wait)
        except NoUpdates as trouble:
            structlog.get_logger().warning("telegram_polling_failed", error=str(trouble), retry_in=pause)
        except Exception as problem:  # noqa: BLE001 - nothing was confirmed, so nothing is lost: it comes again
            structlog.get_logger().error("telegram_updates_not_stored", error=type(problem).__name__, retry_in=pause)
        else:
            pause = _SHORTEST
            continue
        await asyncio.sleep(pause)
        pause = min(pause * 2, _LONGEST)


async def _round(
    api: Api,
    read: Callable[[object], IncomingMessage],
    handle: Callable[[list[IncomingMessage]], Awaitable[None]],
    *,
    offset: int,
    wait: int,
) -> int:
    """Ask once and return the offset to ask with next."""
    arguments: dict[str, Any] = {"timeout": wait, "allowed_updates": list(ALLOWED_UPDATES)}
    if offset:
        arguments["offset"] = offset
    answer = await api.call("getUpdates", arguments, within=wait + _MARGIN)
    if not answer.ok or not isinstance(answer.result, list):
        raise NoUpdates(answer.trouble or answer.description or "no list of updates")
    messages = []
    for update in answer.result:
        number = update.get("update_id") if isinstance(update, dict) else None
        if type(number) is int:
            offset = max(offset, number + 1)
        try:
            messages.append(read(update))
        except Malformed as problem:
            structlog.get_logger().error("telegram_update_malformed", error=str(problem))
    if messages:
        await handle(messages)
    return offset


_SHORTEST: Final = 1.0
_LONGEST: Final = 30.0
_MARGIN: Final = 5.0
_WITHOUT_LEASE: Final = 2.0
