"""A trivial bot: no framework, a dict for state, the reply in the webhook's answer. It shows the generator's limit."""

import asyncio
import json
import os
from typing import cast

from typing_extensions import override

from benchmarks.wire import HttpReader

_TEXTS = [reply["text"] for reply in json.loads(os.environ["BENCH_REPLIES"])]
_BUTTONS = [reply["buttons"] for reply in json.loads(os.environ["BENCH_REPLIES"])]
_STEPS: dict[int, int] = {}
_ANSWERS = [
    json.dumps(
        {
            "method": "sendMessage",
            "text": text.format(summary="PO-1", number=1),
            "reply_markup": {"keyboard": [[{"text": label}] for label in buttons]} if buttons else None,
        }
    ).encode()
    for text, buttons in zip(_TEXTS, _BUTTONS, strict=True)
]


class _Connection(asyncio.Protocol):
    def __init__(self) -> None:
        self._reader = HttpReader()
        self._transport: asyncio.Transport

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    @override
    def data_received(self, data: bytes) -> None:
        for _, body in self._reader.feed(data):
            at = body.find(b'"chat":{"id":') + len(b'"chat":{"id":')
            chat = int(body[at : body.find(b",", at)]) if body else 0
            step = _STEPS.get(chat, 0)
            _STEPS[chat] = (step + 1) % len(_ANSWERS)
            answer = b'{"chat_id":%d,%b' % (chat, _ANSWERS[step][1:])
            head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(answer)
            self._transport.write(head + answer)


async def _serve() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(_Connection, "127.0.0.1", int(os.environ["BENCH_PORT"]))
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve())
