"""A sandbox, a real client library that talks to it, and a place for webhooks."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest
from aiohttp import web
from telegram import Bot
from telegram.request import HTTPXRequest

from sandbox import (
    Phone,
    Sandbox,
    TelegramSettings,
    WeChatPhone,
    WeComPhone,
    running,
)
from sandbox.telegram.updates import Timing
from tests.sandbox.tencent import Caller, Json, Listener


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def move(self, **gap: float) -> None:
        self.now += timedelta(**gap)


class Receiver:
    """A webhook that answers what a test tells it to, 200 if nothing."""

    def __init__(self) -> None:
        self.url = ""
        self.updates: list[dict] = []
        self.headers: list[dict[str, str]] = []
        self.statuses: list[int] = []
        self.answers: list[dict] = []
        self.slow: asyncio.Event | None = None
        self.in_flight = self.most_in_flight = 0

    async def serve(self, request: web.Request) -> web.Response:
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        self.updates.append(await request.json())
        self.headers.append(dict(request.headers))
        if self.slow:
            await self.slow.wait()
        self.in_flight -= 1
        status = self.statuses.pop(0) if self.statuses else 200
        return web.json_response(self.answers.pop(0), status=status) if self.answers else web.Response(status=status)

    def ids(self) -> list[int]:
        return [update["update_id"] for update in self.updates]


async def until(condition: Callable[[], object], seconds: float = 3) -> None:
    """Wait for something that happens soon."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.005)


def api(sandbox: Sandbox, token: str) -> Bot:
    """Make a client of the Bot API; without certificates to load, since nothing here is encrypted."""
    return Bot(
        token,
        base_url=sandbox.bot_url,
        base_file_url=sandbox.file_url,
        request=HTTPXRequest(connection_pool_size=8, httpx_kwargs={"verify": False}),
        get_updates_request=HTTPXRequest(connection_pool_size=4, httpx_kwargs={"verify": False}),
    )


@pytest.fixture(autouse=True)
def _time_to_come_back_is_a_timedelta(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PTB_TIMEDELTA", "1")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def sandbox(clock: Clock) -> AsyncIterator[Sandbox]:
    settings = TelegramSettings(
        bots={"100001:sandbox": "plaint_sandbox_bot", "100002:second": "second_bot"},
        timing=Timing(timeout=0.5, backoff=0.01, longest=0.05),
    )
    async with running(settings=settings, clock=clock) as sandbox:
        yield sandbox


@pytest.fixture
async def bot(sandbox: Sandbox) -> AsyncIterator[Bot]:
    async with api(sandbox, sandbox.token) as bot:
        yield bot


@pytest.fixture
async def li(sandbox: Sandbox) -> Phone:
    """Somebody who has started the bot."""
    phone = await sandbox.client.add_person("Li Na", username="lina_88")
    await phone.start()
    return phone


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    app = web.Application()
    app.router.add_post("/hook", receiver.serve)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    yield receiver
    if receiver.slow:
        receiver.slow.set()
    await runner.cleanup()


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
def official(sandbox: Sandbox, http: aiohttp.ClientSession) -> Caller:
    """The Official Account as a client of the platform."""
    about = sandbox.wechat.settings

    async def fetch(caller: Caller) -> Json:
        body = {"grant_type": "client_credential", "appid": about.app_id, "secret": about.secret}
        return await caller.post("cgi-bin/stable_token", body)

    return Caller(sandbox.url, http, fetch)


@pytest.fixture
def app(sandbox: Sandbox, http: aiohttp.ClientSession) -> Caller:
    """The app of the company as a client of WeCom."""
    about = sandbox.wecom.settings
    known = {"corpid": about.corp_id, "corpsecret": about.secret}
    return Caller(f"{sandbox.url}/wecom", http, lambda caller: caller.get("cgi-bin/gettoken", **known))


@asynccontextmanager
async def listening(listener: Listener) -> AsyncIterator[Listener]:
    server = web.Application()
    server.router.add_route("*", "/callback", listener.serve)
    runner = web.AppRunner(server, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    listener.url = f"http://127.0.0.1:{runner.addresses[0][1]}/callback"
    yield listener
    if listener.slow:
        listener.slow.set()
    await runner.cleanup()


@pytest.fixture
async def account(sandbox: Sandbox) -> AsyncIterator[Listener]:
    """The callback of the Official Account."""
    about = sandbox.wechat.settings
    async with listening(Listener(token=about.token, key=about.aes_key, identity=about.app_id)) as listener:
        await sandbox.client.set_callback(listener.url, platform="wechat")
        yield listener


@pytest.fixture
async def desk(sandbox: Sandbox) -> AsyncIterator[Listener]:
    """The callback of the app."""
    about = sandbox.wecom.settings
    async with listening(Listener(token=about.token, key=about.aes_key, identity=about.corp_id)) as listener:
        await sandbox.client.set_callback(listener.url, platform="wecom")
        yield listener


@pytest.fixture
async def wang(sandbox: Sandbox) -> WeChatPhone:
    """Somebody who follows the Official Account, which does not hear of it yet."""
    phone = await sandbox.client.add_wechat_person("Wang Wei", follows=True)
    await sandbox.client.settled("wechat")
    return phone


@pytest.fixture
async def chen(sandbox: Sandbox) -> WeComPhone:
    """A member of the company."""
    return await sandbox.client.add_wecom_member("Chen Jie", account="chenjie")
