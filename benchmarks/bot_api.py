"""A Telegram Bot API that says yes to everything and shows each message to the customers."""

import asyncio
import itertools
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from email import message_from_bytes
from typing import Any, cast
from urllib.parse import parse_qsl

from typing_extensions import override

from benchmarks.wire import HttpReader

TOKEN = "4242:benchmark"
_ME = {"id": 4242, "is_bot": True, "first_name": "Desk", "username": "benchmark_bot", "can_join_groups": True}
_SPEAKING = frozenset({"sendmessage", "sendphoto", "senddocument", "editmessagetext", "editmessagecaption"})
_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"
_MESSAGE = (
    b'{"ok":true,"result":{"message_id":%d,"from":{"id":4242,"is_bot":true,"first_name":"Desk",'
    b'"username":"benchmark_bot"},"chat":{"id":%d,"type":"private","first_name":"Customer"},"date":%d,"text":%b}}'
)
_FIXED: dict[str, object] = {
    "getme": _ME,
    "getupdates": [],
    "getwebhookinfo": {"url": "", "has_custom_certificate": False, "pending_update_count": 0},
    "getmycommands": [],
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Spoken:
    """One message of a bot, as it reaches a chat."""

    chat: int
    text: str
    message_id: int
    markup: Any  # whatever the bot sent as reply_markup: an object, or JSON in a string


class FakeBotApi:
    """Answers every call after `delay_s` seconds and reports each message to `listener` at that moment."""

    def __init__(self, *, listener: Callable[[Spoken], None], delay_s: float = 0.0) -> None:
        self.port = 0
        self.message_ids = itertools.count(1)
        self._listener = listener
        self._delay_s = delay_s
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Transport] = set()

    async def start(self) -> None:
        """Listen on a free port of this machine; the port is in `port` afterwards."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Connection(self, self._connections), "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Stop listening and hang up."""
        for transport in list(self._connections):
            transport.close()
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    def request(self, head: bytes, body: bytes, transport: asyncio.Transport) -> None:
        """Serve one HTTP request, now or after the delay."""
        if self._delay_s:
            asyncio.get_running_loop().call_later(self._delay_s, self._serve, head, body, transport)
        else:
            self._serve(head, body, transport)

    def _serve(self, head: bytes, body: bytes, transport: asyncio.Transport) -> None:
        path, _, query = head.split(b" ", 2)[1].decode().partition("?")
        parameters = _parameters(head, body)
        parameters.update(parse_qsl(query))
        answer = self.call(path.rpartition("/")[2], parameters)
        if not transport.is_closing():
            transport.write(_HEAD % (len(answer), answer))

    def call(self, method: str, parameters: dict[str, Any]) -> bytes:  # Any: JSON
        """Serve one Bot API call and return the JSON that answers it; also used for calls in a webhook's answer."""
        method = method.lower()
        if method not in _SPEAKING:
            return json.dumps({"ok": True, "result": _FIXED.get(method, True)}).encode()
        chat = _number(parameters.get("chat_id"))
        text = parameters.get("text") or parameters.get("caption") or ""
        edited = _number(parameters.get("message_id"))
        spoken = Spoken(
            chat=chat,
            text=text,
            message_id=edited or next(self.message_ids),
            markup=parameters.get("reply_markup"),
        )
        self._listener(spoken)
        return _MESSAGE % (spoken.message_id, chat, int(time.time()), json.dumps(text).encode())


class _Connection(asyncio.Protocol):
    def __init__(self, api: FakeBotApi, connections: set[asyncio.Transport]) -> None:
        self._api = api
        self._reader = HttpReader()
        self._connections = connections
        self._transport: asyncio.Transport

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._connections.add(self._transport)

    @override
    def data_received(self, data: bytes) -> None:
        for head, body in self._reader.feed(data):
            self._api.request(head, body, self._transport)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._connections.discard(self._transport)


def _parameters(head: bytes, body: bytes) -> dict[str, Any]:
    """Read a body in any of the three encodings that Telegram takes."""
    if not body:
        return {}
    if body[:1] == b"{":
        content: dict[str, Any] = json.loads(body)
        return content
    if b"multipart/form-data" not in head:
        return dict(parse_qsl(body.decode()))
    message = message_from_bytes(head.partition(b"\r\n")[2] + b"\r\n\r\n" + body)
    return {
        str(part.get_param("name", header="content-disposition")): cast("bytes", part.get_payload(decode=True)).decode()
        for part in message.walk()
        if not part.is_multipart() and not part.get_filename()
    }


def _number(value: object) -> int:
    return int(text) if (text := str(value)).lstrip("-").isdecimal() else 0
