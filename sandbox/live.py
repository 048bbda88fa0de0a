"""Tells browsers what happens, as it happens: one WebSocket for all platforms."""

import asyncio
import contextlib
import json
from typing import Any, Final

from aiohttp import WSMsgType, web

Event = dict[str, Any]  # JSON: every platform adds its own fields to `platform` and `kind`


class Live:
    """Hands every published event to every open socket."""

    def __init__(self) -> None:
        """Begin with nobody listening."""
        self._listeners: set[asyncio.Queue[str | None]] = set()

    def publish(self, event: Event) -> None:
        """Send the event to all who listen; nobody is waited for."""
        if self._listeners:
            line = json.dumps(event, ensure_ascii=False)
            for listener in self._listeners:
                listener.put_nowait(line)

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        """Serve one socket until either side closes it."""
        socket = web.WebSocketResponse(heartbeat=_HEARTBEAT)
        await socket.prepare(request)
        listener: asyncio.Queue[str | None] = asyncio.Queue()
        self._listeners.add(listener)
        sending = asyncio.create_task(_send(socket, listener))
        try:
            async for message in socket:
                if message.type is WSMsgType.ERROR:
                    break
        finally:
            self._listeners.discard(listener)
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)
        return socket

    def close(self) -> None:
        """Let all listeners go."""
        for listener in self._listeners:
            listener.put_nowait(None)


async def _send(socket: web.WebSocketResponse, listener: asyncio.Queue[str | None]) -> None:
    with contextlib.suppress(ConnectionError):  # the browser went away, which is its right
        while (line := await listener.get()) is not None:
            await socket.send_str(line)
        await socket.close()


_HEARTBEAT: Final = 20.0
