"""The demo: the real service on a fresh SQLite file, a sandbox Telegram beside it, and a customer who complains.

The desk's clock can be moved on a page of its own, so that a survey which is due in three working days can be seen now.
"""

import asyncio
import contextlib
import hashlib
import os
import secrets
import signal
import sys
import tempfile
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from importlib import resources
from pathlib import Path
from typing import Any, Final

from aiohttp import ClientError, ClientSession, web
from rich.console import Console
from rich.panel import Panel
from ruamel.yaml import YAML

from bot import clock, logs, settings, wiring
from complaints.conversation import Staff
from complaints.ports import Changes
from storage import KeyRing
from storage.migrations import migrate

_TOKEN: Final = "100001:sandbox"  # noqa: S105 # the sandbox's own bot, which exists nowhere else
_STEPS: Final = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(days=7)}
_START: Final = 200

Json = dict[str, Any]


class MovingClock:
    """The desk's clock in the demo: the real one, and however far it was moved ahead."""

    def __init__(self) -> None:
        self._ahead = timedelta(0)

    def __call__(self) -> datetime:
        """Return the present moment of the demo."""
        return clock.now() + self._ahead

    def move(self, span: timedelta) -> None:
        """Move ahead; a clock never goes back."""
        self._ahead += span


async def run() -> None:
    """Run the demo until it is stopped; PLAINT_HOST and PLAINT_PORT say where (the phone page has the next port)."""
    host = os.environ.get("PLAINT_HOST", "127.0.0.1")
    port = int(os.environ.get("PLAINT_PORT", "8080"))
    console = Console()
    moving = MovingClock()
    stop = asyncio.Event()
    for wish in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(wish, stop.set)
    with tempfile.TemporaryDirectory(prefix="plaint-demo-") as folder:
        async with _sandbox(host, port + 1) as sandbox, ClientSession(sandbox) as phones:
            people = await _people(phones)
            given = settings.load(
                database_url=f"sqlite:///{folder}/demo.sqlite3",
                data_dir=Path(folder),
                keys=KeyRing.generate().to_setting(),
                host=host,
                port=port,
                public_url=f"http://127.0.0.1:{port}",
                telegram_token=_TOKEN,
                telegram_api_url=sandbox,
                telegram_mode="webhook",
                telegram_webhook_secret=secrets.token_urlsafe(24),
                telegram_agent_chat=str(people["room"]),
            )
            logs.set_up(secrets=given.secrets, lines=True)
            migrate(given.database_url)
            async with wiring.running(given, now=moving, timers_every=0.2, routes=_routes(moving)) as service:
                await _bind(phones, service, people)
                page = f"{sandbox}/#{people['customer']},{people['agents'][0]},{people['room']}"
                console.print(
                    Panel(
                        f"Phones      [link]{page}[/link]\n"
                        f"Clock       [link]http://{host}:{port}/demo[/link]   (move it ahead to see surveys and deadlines)\n"
                        f"Health      http://{host}:{port}/readyz\n"
                        f"Log in      no login: the people of the demo are on the phone page\n"
                        f"Stop        Ctrl-C",
                        title="Plaint demo",
                    ),
                    soft_wrap=True,
                )
                await _complain(phones, people["customer"])
                await stop.wait()


@contextlib.asynccontextmanager
async def _sandbox(host: str, port: int) -> AsyncIterator[str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "sandbox", "--host", host, "--port", str(port), stdout=asyncio.subprocess.DEVNULL
    )
    url = f"http://{host}:{port}"
    try:
        async with ClientSession() as session:
            for _ in range(_START):
                with contextlib.suppress(ClientError):
                    async with session.get(f"{url}/sandbox"):
                        break
                if process.returncode is not None:
                    raise SystemExit(f"The sandbox did not start: is port {port} taken? Set PLAINT_PORT to another.")
                await asyncio.sleep(0.05)
        yield url
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


async def _ask(phones: ClientSession, path: str, body: Json) -> Json:
    async with phones.post(f"/sandbox/telegram/{path}", json=body) as response:
        answer: Json = await response.json()
        return answer


def _script() -> Json:
    with resources.files("bot").joinpath("demo.yaml").open("rb") as file:
        script: Json = YAML(typ="safe", pure=True).load(file)
        return script


async def _people(phones: ClientSession) -> Json:
    script = _script()
    customer = await _ask(phones, "people", script["customer"])
    agents = [
        (await _ask(phones, "people", {k: each[k] for k in ("name", "language")}))["id"] for each in script["agents"]
    ]
    room = await _ask(phones, "groups", {"title": script["room"], "members": agents, "status": "administrator"})
    return {"customer": customer["id"], "agents": agents, "room": room["id"], "script": script}


async def _bind(phones: ClientSession, service: wiring.Service, people: Json) -> None:
    for person, each in zip(people["agents"], people["script"]["agents"], strict=True):
        code = secrets.token_urlsafe(12)
        member = Staff(
            id=service.store.ids.next(),
            name=each["name"],
            roles=each["roles"],
            code_hash=hashlib.sha256(code.encode()).hexdigest(),
            code_until=service.desk.now() + timedelta(hours=1),
        )
        with service.store.unit(service.desk.now()) as unit:
            unit.load([])
            unit.flush(Changes(staff=[member]))
        await _ask(phones, f"people/{person}/say", {"text": f"/start staff-{code}"})


async def _complain(phones: ClientSession, customer: int) -> None:
    await asyncio.sleep(1.0)
    await _ask(phones, f"people/{customer}/say", {"text": _script()["complaint"]})


def _routes(moving: MovingClock) -> list[web.RouteDef]:
    async def page(_: web.Request) -> web.Response:
        buttons = "".join(f"<button name='by' value='{name}'>+1 {name}</button> " for name in _STEPS)
        html = (
            "<!doctype html><meta charset='utf-8'><title>Clock of the demo</title>"
            "<style>body{font:18px system-ui;margin:3rem auto;max-width:36rem}button{font:inherit;padding:.5rem 1rem}</style>"
            f"<h1>{moving():%a %d %b %Y, %H:%M} UTC</h1><form method='post'>{buttons}</form>"
            "<p>Moves the desk's clock ahead: deadlines, reminders and surveys fall due.</p>"
        )
        return web.Response(text=html, content_type="text/html")

    async def move(request: web.Request) -> web.StreamResponse:
        data = await request.post()
        span = _STEPS.get(str(data.get("by", "")))
        if span is None:
            raise web.HTTPBadRequest(text="by: hour, day or week")
        moving.move(span)
        raise web.HTTPSeeOther("/demo")

    return [web.get("/demo", page), web.post("/demo", move)]
