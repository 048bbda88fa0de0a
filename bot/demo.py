"""The demo: the real service on a fresh SQLite file, sandbox messengers beside it, and customers who complain.

The desk's clock can be moved on a page of its own, so that a survey which is due in three working days can be seen now.
Before the desk opens, a made-up month of cases passes at it, so that lists and deadlines are not empty.
"""

import asyncio
import contextlib
import hashlib
import heapq
import os
import secrets
import signal
import socket
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from importlib import resources
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from aiohttp import ClientError, ClientSession, web
from rich.console import Console

from bot import clock, logs, settings, wiring
from bot.desk import Desk
from complaints.commands import Act, Command, Hear
from complaints.conversation import DESK, Staff
from complaints.errors import Misconfigured
from complaints.messages import Address, IncomingMessage
from complaints.ports import Changes, Letter
from complaints.tokens import Token
from handlers.turn import Book
from policies import yaml12
from storage import KeyRing, Settled, Store
from storage.migrations import migrate

_TOKEN: Final = "100001:sandbox"  # noqa: S105 # the sandbox's own bot, which exists nowhere else
_STEPS: Final = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(days=7)}
_START: Final = 200
#: The accounts that the sandbox has; they open nothing else.
_WECHAT: Final = {
    "app_id": "wx0000000000sandbox",
    "secret": "sandbox00000000000000000000secret",
    "token": "sandboxtoken",
    "aes_key": "sandboxsandboxsandboxsandboxsandboxsandbox0",
}
_WECOM: Final = {
    "corp_id": "ww0000000000sandbox",
    "agent_id": "1000002",
    "secret": "sandbox-wecom-app-secret",
    "token": "sandboxtoken",
    "aes_key": "sandboxsandboxsandboxsandboxsandboxsandbox0",
}
#: Settings that lead out of the demo, or belong to an account that it does not have.
_OUTSIDE: Final = ("wechat_templates", "wechat_forward_url", "wechat_domain_code", "wecom_robot_url")
_ANY: Final = frozenset({"", "0.0.0.0", "::"})  # noqa: S104 # compared, not bound
_MONTH: Final = timedelta(days=30)
_MOST_QUESTIONS: Final = 20
_MOST_LETTERS: Final = 1000
_MORNING: Final = timedelta(minutes=20)

Json = dict[str, Any]  # Any: JSON, and the script of the demo


class MovingClock:
    """The desk's clock in the demo: the real one, and however far it was moved ahead."""

    def __init__(self, behind: timedelta) -> None:
        self.ahead = -behind
        self.zone = "UTC"

    def __call__(self) -> datetime:
        """Return the present moment of the demo."""
        return clock.now() + self.ahead

    def move(self, span: timedelta) -> None:
        """Move ahead; a clock never goes back."""
        self.ahead += max(span, timedelta(0))

    def move_to(self, moment: datetime) -> None:
        """Move ahead to a moment, unless it has passed."""
        self.move(moment - self())


async def run() -> None:
    """Run the demo until it is stopped; PLAINT_HOST and PLAINT_PORT say where (the phone page has the next port)."""
    host, port = _place()
    near = "127.0.0.1" if host in _ANY else host
    script = _script()
    console = Console()
    moving = MovingClock(_MONTH)
    stop = asyncio.Event()
    for wish in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(wish, stop.set)
    with tempfile.TemporaryDirectory(prefix="plaint-demo-") as folder:
        async with _sandbox(host, near, port + 1) as sandbox, ClientSession(sandbox) as phones:
            people = await _people(phones, script)
            given = settings.load(
                database_url=f"sqlite:///{folder}/demo.sqlite3",
                data_dir=Path(folder),
                keys=KeyRing.generate().to_setting(),
                host=host,
                port=port,
                public_url=f"http://{near}:{port}",
                telegram_token=_TOKEN,
                telegram_api_url=sandbox,
                telegram_mode="webhook",
                telegram_webhook_secret=secrets.token_urlsafe(24),
                telegram_agent_chat=str(people["room"]),
                telegram_proxy="",
                **dict.fromkeys(_OUTSIDE, ""),  # what a real `.env` names must hear nothing of the demo
                wechat_kind="service",
                wechat_api_url=sandbox,
                wecom_api_url=f"{sandbox}/wecom",
                **{f"wechat_{name}": value for name, value in _WECHAT.items()},
                **{f"wecom_{name}": value for name, value in _WECOM.items()},
            )
            logs.set_up(secrets=given.secrets, lines=True)
            migrate(given.database_url)
            codes: dict[int, str] = {}

            async def rehearse(store: Store, book: Book) -> None:
                opening = book.calendar.next_opening(clock.now())
                today = clock.now() if book.calendar.is_working(clock.now()) else opening + _MORNING
                staff = _enlist(store, script, codes, moving)
                if book.current.id == script["company"]:
                    await _Month(store, book, moving, staff).play(script["month"], until=today)
                moving.move_to(today)
                moving.zone = book.current.hours.zone

            async def keep_step() -> None:
                """Let the phones show the time of the desk."""
                async with phones.get("/sandbox/clock") as answer:
                    behind = moving() - datetime.fromisoformat((await answer.json())["now"])
                if behind > timedelta(0):
                    await phones.post("/sandbox/clock", json={"forward": behind.total_seconds()})

            routes = _routes(moving, keep_step)
            async with wiring.running(given, now=moving, timers_every=0.2, routes=routes, rehearse=rehearse):
                await keep_step()
                for platform in ("wechat", "wecom"):
                    url = f"http://{near}:{port}/{platform}/callback"
                    await phones.put(f"/sandbox/{platform}/callback", json={"url": url})
                for (platform, person), code in zip(people["agents"], codes.values(), strict=True):
                    await _ask(phones, f"people/{person}/say", {"text": f"/start staff-{code}"}, platform)
                await _ask(phones, f"people/{people['wechat']}/follow", {}, "wechat")
                (_, first), (_, last) = people["agents"][0], people["agents"][-1]
                for what, about in (
                    ("Phone page", f"{sandbox}/#{people['customer']},{first}"),
                    ("WeChat", f"{sandbox}/#{people['wechat']},{last} (a customer on WeChat, an agent on WeCom)"),
                    (
                        "Clock page",
                        f"http://{near}:{port}/demo (moves the desk's clock ahead)",
                    ),
                    ("Health", f"http://{near}:{port}/readyz"),
                    ("Stop", "Ctrl-C; nothing is kept"),
                ):
                    console.print(f"{what:12}{about}", highlight=False, markup=False, soft_wrap=True)
                await _complain(phones, people["customer"], script["complaint"], stop)
                await stop.wait()
    console.print("The demo has stopped.")


def _place() -> tuple[str, int]:
    """Return where the demo shall run; Misconfigured says why it cannot."""
    host, given = os.environ.get("PLAINT_HOST", "127.0.0.1"), os.environ.get("PLAINT_PORT", "8080")
    if not given.isdigit() or not 0 < int(given) < 65535:  # noqa: PLR2004 # the last port has no next one
        raise Misconfigured(f"PLAINT_PORT is {given}. It must be a number from 1 to 65534.")
    for port in (int(given), int(given) + 1):
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with socket.socket(family) as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                trial.bind((host, port))
            except OSError as error:
                raise Misconfigured(
                    f"Port {port} of {host or 'this machine'} cannot be had: {os.strerror(error.errno or 0)}. "
                    "The demo needs PLAINT_PORT and the one after it: set PLAINT_PORT (and PLAINT_HOST) to free ones."
                ) from None
    return host, int(given)


@contextlib.asynccontextmanager
async def _sandbox(host: str, near: str, port: int) -> AsyncIterator[str]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "sandbox", "--host", host, "--port", str(port)),
        stdout=asyncio.subprocess.DEVNULL,
        process_group=0,  # Ctrl-C is for the desk, which stops the sandbox when it has finished
    )
    url = f"http://{near}:{port}"
    try:
        async with ClientSession() as session:
            for _ in range(_START):
                with contextlib.suppress(ClientError):
                    async with session.get(f"{url}/sandbox"):
                        break
                if process.returncode is not None:
                    raise Misconfigured(f"The sandbox did not start on port {port}. Set PLAINT_PORT to another.")
                await asyncio.sleep(0.05)
        yield url
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


async def _ask(phones: ClientSession, path: str, body: Json, platform: str = "telegram") -> Json:
    async with phones.post(f"/sandbox/{platform}/{path}", json=body) as response:
        answer: Json = await response.json()
        return answer


def _script() -> Json:
    script: Json = yaml12.load(resources.files("bot").joinpath("demo.yaml").read_text("utf-8"))
    return script


async def _people(phones: ClientSession, script: Json) -> Json:
    customer = await _ask(phones, "people", script["customer"])
    follower = await _ask(phones, "people", script["wechat"], "wechat")
    agents = []
    for each in script["agents"]:
        platform = each.get("platform", "telegram")
        about = {"name": each["name"]} | ({"language": each["language"]} if "language" in each else {})
        agents.append((platform, (await _ask(phones, "people", about, platform))["id"]))
    members = [person for platform, person in agents if platform == "telegram"]
    room = await _ask(phones, "groups", {"title": script["room"], "members": members, "status": "administrator"})
    return {"customer": customer["id"], "wechat": follower["id"], "agents": agents, "room": room["id"]}


def _enlist(store: Store, script: Json, codes: dict[int, str], moving: MovingClock) -> list[int]:
    """Take the agents on, each with a code that binds their phone; note the codes by agent, and return the ids."""
    members = []
    for each in script["agents"]:
        code = secrets.token_urlsafe(12)
        member = Staff(
            id=store.ids.next(),
            name=each["name"],
            roles=each["roles"],
            code_hash=hashlib.sha256(code.encode()).hexdigest(),
            code_until=clock.now() + 2 * _MONTH,
        )
        codes[member.id] = code
        members.append(member)
    with store.unit(moving()) as unit:
        unit.load([])
        unit.flush(Changes(staff=members))
    return list(codes)


async def _complain(phones: ClientSession, customer: int, complaint: str, stop: asyncio.Event) -> None:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), 1.0)
        return
    await _ask(phones, f"people/{customer}/say", {"text": complaint})


class _Month:
    """A made-up month: its customers and agents talk at the real desk, on the moving clock, by phone so to speak."""

    def __init__(self, store: Store, book: Book, moving: MovingClock, staff: list[int]) -> None:
        self._store = store
        self._calendar = book.calendar
        self._now = moving
        self._staff = staff
        self._letters: list[Letter] = []
        self._desk = Desk(store=store, book=replace(book, rooms=[]), clock=moving, post=self._letters.extend)

    async def play(self, stories: list[Json], until: datetime) -> None:
        """Let each story go on whenever its next moment has come, and every timer in between fall due."""
        told = [self._tell(number, story) for number, story in enumerate(stories)]
        plan = [(await anext(each), number) for number, each in enumerate(told)]
        heapq.heapify(plan)
        self._desk.start()
        try:
            while plan:
                moment, number = heapq.heappop(plan)
                await self._wait(min(moment, until))
                after = await anext(told[number], None) if moment < until else None
                if after is not None:
                    heapq.heappush(plan, (after, number))
            while self._letters:
                await self._desk.settle([Settled(letter=letter, outcome="sent") for letter in self._letters])
                self._letters[:] = self._store.claim(DESK, self._now(), _MOST_LETTERS)
        finally:
            await asyncio.to_thread(self._desk.stop)

    async def _wait(self, until: datetime) -> None:
        while (at := self._store.next_timer_at()) is not None and at <= until:
            self._now.move_to(at)
            await asyncio.gather(*map(self._desk.submit, self._store.due_timers(self._now(), 200)))
        self._now.move_to(until)

    async def _tell(self, number: int, story: Json) -> AsyncIterator[datetime]:
        chat, agent = f"+{number}", self._staff[story.get("agent", 0)]
        day, hour = divmod(story["day"], 1)
        yield self._calendar.next_opening(self._now() + timedelta(days=day)) + timedelta(hours=10 * hour)
        case = await self._complain(chat, story)
        yield self._later(story.get("wait", 0.3))
        if "agent" in story:
            await self._serve(Act(staff_id=agent, case_id=case, act="claim"))
        for act, words, *answer in story.get("acts", ()):
            yield self._later(6)
            await self._serve(Act(staff_id=agent, case_id=case, act=act, values={"text": words}))
            for each in answer:
                yield self._later(3)
                if each.startswith("!"):
                    await self._say(chat, story, press=self._button(case, each[1:]))
                else:
                    await self._say(chat, story, text=each)
        if "survey" in story:
            yield self._calendar.opening_of_workday(self._now(), 3) + timedelta(hours=2)
            for each in story["survey"]:
                await self._say(chat, story, text=str(each))

    def _later(self, hours: float) -> datetime:
        return self._calendar.add_working(self._now(), timedelta(hours=hours))

    async def _complain(self, chat: str, story: Json) -> int:
        """Say what happened, answer whatever is asked, and return the case."""
        await self._say(chat, story, text=story["says"])
        letter = self._letters[-1]
        for _ in range(_MOST_QUESTIONS):
            with self._store.read() as ledger:
                asked = ledger.conversation(letter.conversation_id or 0)
            if asked is None or asked.state == "idle" or (asked.state == "filling" and story.get("leaves")):
                break
            answers = {"name": story["name"], **story.get("fills", {})}
            press = {"consenting": "yes", "choosing_type": "t0", "reviewing": "submit"}.get(asked.state, "skip")
            if asked.words.field in answers:
                await self._say(chat, story, text=str(answers[asked.words.field]))
            else:
                press = "o1" if asked.words.field == "expected_solution" else press
                await self._say(chat, story, press=str(Token(scope="q", value=press, stamp=asked.turn)))
        return letter.case_id or 0

    def _button(self, case_id: int, move: str) -> str:
        with self._store.read() as ledger:
            case = ledger.case(case_id)
        return str(Token(scope="c", case_id=case_id, stamp=case.round if case else 0, value=move))

    async def _say(self, chat: str, story: Json, *, text: str = "", press: str = "") -> None:
        message = IncomingMessage(
            key="",
            kind="press" if press else "text",
            address=Address(channel=DESK, chat=chat),
            sender=chat,
            sent_at=self._now(),
            name=story["name"],
            language=story.get("language", "zh-hans"),
            text=text,
            press=press,
        )
        await self._serve(Hear(message=message))

    async def _serve(self, command: Command) -> None:
        await self._desk.submit(command)


def _routes(moving: MovingClock, keep_step: Callable[[], Awaitable[None]]) -> list[web.RouteDef]:
    async def page(_: web.Request) -> web.Response:
        buttons = "".join(f"<button name='by' value='{name}'>+1 {name}</button> " for name in _STEPS)
        html = (
            "<!doctype html><html lang='en'><meta charset='utf-8'><title>Clock of the demo</title>"
            "<meta name='viewport' content='width=device-width'><link rel='icon' href='data:,'>"
            "<style>body{font:18px system-ui;margin:3rem auto;max-width:36rem;padding:0 1rem}"
            "button{font:inherit;padding:.5rem 1rem}</style>"
            f"<h1>{moving().astimezone(ZoneInfo(moving.zone)):%a %d %b %Y, %H:%M}</h1>"
            f"<form method='post'>{buttons}</form>"
            "<p>The clock of the desk and of the phones, by the time of the company. Moved ahead, deadlines, reminders"
            " and surveys fall due.</p>"
        )
        return web.Response(text=html, content_type="text/html")

    async def move(request: web.Request) -> web.StreamResponse:
        data = await request.post()
        span = _STEPS.get(str(data.get("by", "")))
        if span is None:
            raise web.HTTPBadRequest(text="by: hour, day or week")
        moving.move(span)
        await keep_step()
        raise web.HTTPSeeOther("/demo")

    return [web.get("/demo", page), web.post("/demo", move)]
