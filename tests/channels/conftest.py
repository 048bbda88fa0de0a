"""A Bot API that says what a test tells it to, over real HTTP."""

import asyncio
import json
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import web

from bot.channels.telegram import Telegram
from complaints.messages import Address, OutgoingMessage
from complaints.ports import Letter, Priority

TOKEN = "123:SECRET-token_x"
NOW = datetime(2026, 3, 6, 6, 30, tzinfo=UTC)


@dataclass
class Platform:
    """What was called, and what shall be answered: JSON, a (status, text) pair, or "drop" or "hang"."""

    url: str = ""
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    answers: dict[str, deque[Any]] = field(default_factory=lambda: defaultdict(deque))
    files: dict[str, bytes] = field(default_factory=dict)
    ids: int = 0
    over: asyncio.Event = field(default_factory=asyncio.Event)

    def next(self, method: str, *answers: Any) -> None:
        """Answer the next calls of a method so."""
        self.answers[method].extend(answers)

    def error(self, code: int, description: str, **parameters: int) -> tuple[int, str]:
        """Return an error as the Bot API writes it."""
        told = {"ok": False, "error_code": code, "description": description, "parameters": parameters}
        return code, json.dumps(told)

    def called(self, method: str) -> list[dict[str, Any]]:
        """Return the arguments of all calls of a method."""
        return [arguments for name, arguments in self.calls if name == method]

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Answer one call."""
        method = request.match_info["method"]
        self.calls.append((method, await request.json()))
        if request.match_info["token"] != TOKEN:
            return web.json_response({"ok": False, "error_code": 401, "description": "Unauthorized"}, status=401)
        answer = self.answers[method].popleft() if self.answers[method] else None
        if answer == "drop":
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        if answer == "hang":
            await self.over.wait()
        if isinstance(answer, tuple):
            return web.Response(status=answer[0], text=answer[1])
        self.ids += method == "sendMessage"
        results = {"sendMessage": {"message_id": self.ids}, "getMe": {"id": 123, "username": "plaint_bot"}}
        return web.json_response({"ok": True, "result": answer if answer is not None else results.get(method, True)})

    async def download(self, request: web.Request) -> web.StreamResponse:
        """Serve a file."""
        content = self.files.get(request.match_info["path"])
        return web.Response(status=404) if content is None else web.Response(body=content)


@pytest.fixture
async def platform() -> AsyncIterator[Platform]:
    """A fake Bot API on a free port."""
    platform = Platform()
    app = web.Application()
    app.router.add_post("/bot{token}/{method}", platform.serve)
    app.router.add_get("/file/bot{token}/{path:.+}", platform.download)
    runner = web.AppRunner(app, shutdown_timeout=1, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    platform.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield platform
    platform.over.set()
    await runner.cleanup()


Opener = Callable[..., Awaitable[Telegram]]


@pytest.fixture
async def open_telegram(platform: Platform) -> AsyncIterator[Opener]:
    """Open a channel to the fake Bot API; it is closed after the test."""
    opened: list[Telegram] = []

    async def open_it(**settings: Any) -> Telegram:
        telegram = Telegram(**{"token": TOKEN, "api_url": platform.url, "clock": lambda: NOW} | settings)
        await telegram.start()
        opened.append(telegram)
        return telegram

    yield open_it
    for telegram in opened:
        await telegram.stop()


@pytest.fixture
async def telegram(open_telegram: Opener) -> Telegram:
    """A channel that is open and introduced."""
    telegram = await open_telegram()
    await telegram.introduced()
    return telegram


@pytest.fixture
def letter() -> Callable[..., Letter]:
    """Build a letter; an answer to chat 5001 unless told otherwise."""

    def build(body: Any = None, *, chat: str = "5001", number: int = 1, **rest: Any) -> Letter:
        return Letter(
            id=number,
            address=Address(channel="telegram", chat=chat, group=chat.startswith("-")),
            body=OutgoingMessage(text="hello") if body is None else body,
            priority=rest.pop("priority", Priority.ANSWER),
            due_at=NOW,
            **rest,
        )

    return build
