"""Builds one web application out of the fake platforms and the phone page."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib import resources
from typing import Final, Protocol

from aiohttp import web

from sandbox.client import SandboxClient
from sandbox.live import Live
from sandbox.telegram import DEFAULT_TOKEN, Telegram, TelegramSettings
from sandbox.wechat import WeChat, WeChatSettings
from sandbox.wecom import WeCom, WeComSettings

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Platform(Protocol):
    """A fake messenger. A new one is a sibling of `sandbox.telegram` and one line in `running`."""

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
    wechat: WeChat
    wecom: WeCom
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

    @property
    def wecom_url(self) -> str:
        """What a client of WeCom takes as base address; a client of WeChat takes `url`."""
        return f"{self.url}/wecom"


class Clock:
    """The time of all platforms, which can be moved forward and never back."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        """Begin with the time as it is."""
        self._clock = clock
        self._ahead = timedelta()

    def __call__(self) -> datetime:
        """Tell the time."""
        return self._clock() + self._ahead

    async def serve(self, request: web.Request) -> web.Response:
        """Tell the time, after moving it by `forward` seconds if a body asks for that."""
        given = await request.json() if request.can_read_body else {}
        forward = given.get("forward", 0) if isinstance(given, dict) else None
        if isinstance(forward, bool) or not isinstance(forward, int | float) or not 0 <= forward <= _FURTHEST:
            return web.json_response({"error": "forward: seconds, not negative"}, status=400)
        self._ahead += timedelta(seconds=forward)
        return web.json_response({"now": self().isoformat(), "ahead": self._ahead.total_seconds()})


def wall_clock() -> datetime:
    """Tell the time where no other clock is given."""
    return datetime.now(UTC)  # noqa: TID251 the sandbox is a program of its own, and the one clock it has


def build(platforms: list[Platform], live: Live, clock: Clock) -> web.Application:
    """Build the application: every platform's routes, the clock, the live socket and the page."""
    app = web.Application(client_max_size=_LARGEST, middlewares=[_guard])
    for platform in platforms:
        app.add_routes(platform.routes())
    app.router.add_get("/sandbox", _tell([platform.name for platform in platforms]))
    app.router.add_get("/sandbox/live", live.serve)
    app.router.add_get("/sandbox/clock", clock.serve)
    app.router.add_post("/sandbox/clock", clock.serve)
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
    wechat: WeChatSettings | None = None,
    wecom: WeComSettings | None = None,
    host: str = "127.0.0.1",
    port: int = 0,
    clock: Callable[[], datetime] = wall_clock,
) -> AsyncIterator[Sandbox]:
    """Run a sandbox in this process for as long as the context lasts; port 0 takes any free one."""
    live, time = Live(), Clock(clock)
    telegram = Telegram(settings or TelegramSettings(), clock=time, live=live)
    official = WeChat(wechat or WeChatSettings(), clock=time, live=live)
    company = WeCom(wecom or WeComSettings(), clock=time, live=live)
    app = build([telegram, official, company], live, time)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=_FAREWELL)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        port = runner.addresses[0][1]
        url = f"http://{'127.0.0.1' if host in _ANY else host}:{port}"
        async with SandboxClient(url) as client:
            yield Sandbox(url=url, client=client, telegram=telegram, wechat=official, wecom=company, live=live)
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
_FURTHEST: Final = 10 * 366 * 24 * 3600
_ANY: Final = frozenset({"", "0.0.0.0", "::"})  # noqa: S104 compared, not bound
_CSP: Final = (
    "default-src 'self'; img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; frame-ancestors 'self'"
)
_TYPES: Final = {"html": "text/html", "js": "text/javascript", "css": "text/css", "svg": "image/svg+xml"}
__all__ = ["DEFAULT_TOKEN", "Clock", "Platform", "Sandbox", "build", "running", "wall_clock"]
