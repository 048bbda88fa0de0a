"""Builds one web application out of the fake platforms and the phone page."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import resources
from typing import Final, Protocol

from aiohttp import web

from sandbox.client import SandboxClient
from sandbox.live import Live
from sandbox.telegram import DEFAULT_TOKEN, Telegram, TelegramSettings

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Platform(Protocol):
    """A fake messenger. A new one is a sibling of `sandbox.telegram` and one line in `build`."""

    @property
    def name(self) -> str:
        """Name it in the control routes."""

    def routes(self) -> list[web.RouteDef]:
        """List its own API and its control routes under `/sandbox/<name>`."""

    async def close(self) -> None:
        """Let everyone who waits go."""


@dataclass(kw_only=True, slots=True, frozen=True)
class Sandbox:
    """A sandbox that runs in this process."""

    url: str
    client: SandboxClient
    telegram: Telegram
    live: Live

    @property
    def token(self) -> str:
        """The token of the default bot."""
        return self.telegram.world.default_bot.token

    @property
    def bot_url(self) -> str:
        """What a Bot API client takes as base address, to which it adds the token."""
        return f"{self.url}/bot"

    @property
    def file_url(self) -> str:
        """What a Bot API client takes as base address of files."""
        return f"{self.url}/file/bot"


def wall_clock() -> datetime:
    """Tell the time where no other clock is given."""
    return datetime.now(UTC)  # noqa: TID251 the sandbox is a program of its own, and the one clock it has


def build(platforms: list[Platform], live: Live) -> web.Application:
    """Build the application: every platform's routes, the live socket and the page."""
    app = web.Application(client_max_size=_LARGEST, middlewares=[_guard])
    for platform in platforms:
        app.add_routes(platform.routes())
    app.router.add_get("/sandbox", _tell([platform.name for platform in platforms]))
    app.router.add_get("/sandbox/live", live.serve)
    app.router.add_get("/", _page)
    app.router.add_get("/page/{file}", _page)

    async def close(_: web.Application) -> None:
        live.close()
        for platform in platforms:
            await platform.close()

    app.on_shutdown.append(close)
    return app


@asynccontextmanager
async def running(
    *,
    settings: TelegramSettings | None = None,
    host: str = "127.0.0.1",
    port: int = 0,
    clock: Callable[[], datetime] = wall_clock,
) -> AsyncIterator[Sandbox]:
    """Run a sandbox in this process for as long as the context lasts; port 0 takes any free one."""
    live = Live()
    telegram = Telegram(settings or TelegramSettings(), clock=clock, live=live)
    runner = web.AppRunner(build([telegram], live), access_log=None, shutdown_timeout=_FAREWELL)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        port = runner.addresses[0][1]
        url = f"http://{'127.0.0.1' if host in _ANY else host}:{port}"
        async with SandboxClient(url) as client:
            yield Sandbox(url=url, client=client, telegram=telegram, live=live)
    finally:
        await runner.cleanup()


@web.middleware
async def _guard(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Forbid the page everything that does not come from here."""
    response = await handler(request)
    if not response.prepared:
        response.headers.setdefault("Content-Security-Policy", _CSP)
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        response.headers.setdefault("Referrer-Policy", "no-referrer")
    return response


def _tell(platforms: list[str]) -> Handler:
    async def serve(_: web.Request) -> web.Response:
        return web.json_response({"platforms": platforms})

    return serve


async def _page(request: web.Request) -> web.Response:
    name = request.match_info.get("file", "phone.html")
    kind = _TYPES.get(name.rpartition(".")[2])
    file = resources.files("sandbox") / "page" / name
    if kind is None or not file.is_file():
        raise web.HTTPNotFound
    return web.Response(
        body=file.read_bytes(), content_type=kind, charset="utf-8", headers={"Cache-Control": "no-cache"}
    )


_LARGEST: Final = 60 << 20
_FAREWELL: Final = 0.2
_ANY: Final = frozenset({"", "0.0.0.0", "::"})  # noqa: S104 compared, not bound
_CSP: Final = (
    "default-src 'self'; img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; frame-ancestors 'self'"
)
_TYPES: Final = {"html": "text/html", "js": "text/javascript", "css": "text/css", "svg": "image/svg+xml"}
__all__ = ["DEFAULT_TOKEN", "Platform", "Sandbox", "build", "running", "wall_clock"]
