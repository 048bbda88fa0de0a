"""The connections over which Telegram posts updates to a bot's webhook."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import cast

from typing_extensions import override

from benchmarks.wire import HttpReader

MAX_CONNECTIONS = 100  # Telegram's maximum for one webhook
_AGAIN_S = 0.1
_STATUS = slice(9, 12)  # of b"HTTP/1.1 200 OK"

Answer = Callable[[int, bytes], None]
"""What to do with a status (0: the connection broke) and a body."""


class Webhook:
    """Posts updates over a fixed number of kept connections; what finds none free waits its turn."""

    def __init__(self, *, port: int, path: str, secret: str) -> None:
        self._port = port
        self._head = (
            f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n"
            f"X-Telegram-Bot-Api-Secret-Token: {secret}\r\nContent-Length: %d\r\n\r\n%b"
        ).encode()
        self._idle: list[_Connection] = []
        self._waiting: deque[tuple[bytes, Answer]] = deque()
        self._all: set[asyncio.Transport] = set()
        self._opening: set[asyncio.Task[None]] = set()
        self._closed = False

    async def open(self, connections: int) -> None:
        """Open that many connections, or raise OSError."""
        for _ in range(min(connections, MAX_CONNECTIONS)):
            await self._connect()

    def close(self) -> None:
        """Hang up all of them."""
        self._closed = True
        for transport in list(self._all):
            transport.close()
        for task in self._opening:
            task.cancel()

    def post(self, body: bytes, answer: Answer) -> None:
        """Post one update; `answer` is called once with what came back."""
        request = self._head % (len(body), body)
        if self._idle:
            self._idle.pop().send(request, answer)
        else:
            self._waiting.append((request, answer))

    async def _connect(self) -> None:
        await asyncio.get_running_loop().create_connection(lambda: _Connection(self), "127.0.0.1", self._port)

    async def _reconnect(self) -> None:
        while not self._closed:
            await asyncio.sleep(_AGAIN_S)
            try:
                await self._connect()
            except OSError:
                continue
            return

    def made(self, connection: "_Connection") -> None:
        """Count a connection in."""
        self._all.add(connection.transport)
        self.free(connection)

    def free(self, connection: "_Connection") -> None:
        """Give a connection its next update, or keep it."""
        if self._waiting:
            connection.send(*self._waiting.popleft())
        else:
            self._idle.append(connection)

    def lost(self, connection: "_Connection") -> None:
        """Count a connection out and open another in its place."""
        self._all.discard(connection.transport)
        if connection in self._idle:
            self._idle.remove(connection)
        if not self._closed:
            task = asyncio.create_task(self._reconnect())
            self._opening.add(task)
            task.add_done_callback(self._opening.discard)


class _Connection(asyncio.Protocol):
    def __init__(self, webhook: Webhook) -> None:
        self.transport: asyncio.Transport
        self._webhook = webhook
        self._reader = HttpReader()
        self._answer: Answer | None = None

    def send(self, request: bytes, answer: Answer) -> None:
        self._answer = answer
        self.transport.write(request)

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self._webhook.made(self)

    @override
    def data_received(self, data: bytes) -> None:
        for head, body in self._reader.feed(data):
            answer, self._answer = self._answer, None
            if b"\r\nconnection: close" in head.lower():
                self.transport.close()
            else:
                self._webhook.free(self)
            if answer is not None:
                answer(int(head[_STATUS]), body)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        answer, self._answer = self._answer, None
        self._webhook.lost(self)
        if answer is not None:
            answer(0, b"")
