"""The demo as somebody sees it: the program in a process of its own, and its phone page in a browser."""

import asyncio
import os
import re
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import aiohttp
from playwright.async_api import Page, async_playwright, expect

ROOT: Final = Path(__file__).parents[2]
CHROMIUM: Final = Path("/usr/bin/chromium")
_FLAGS: Final = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
]
_START: Final = 60.0
_SOON: Final = 25.0
_NUMBERED: Final = re.compile(r"^(\d+)\. (.+)$", re.MULTILINE)


@dataclass
class Demo:
    """A demo that runs. `log` holds all it writes."""

    port: int
    log: Path
    process: asyncio.subprocess.Process
    people: dict[str, int] = field(default_factory=dict)

    @property
    def service(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def phones(self) -> str:
        return f"http://127.0.0.1:{self.port + 1}"

    @property
    def written(self) -> str:
        return self.log.read_text(encoding="utf-8")

    async def stop(self, wish: signal.Signals = signal.SIGINT) -> int:
        """Press Ctrl-C, and return the exit code."""
        if self.process.returncode is None:
            self.process.send_signal(wish)
        try:
            async with asyncio.timeout(15):
                return await self.process.wait()
        except TimeoutError:
            self.process.kill()
            raise


async def start(folder: Path, port: int) -> Demo:
    """Start the demo, without waiting for anything."""
    log = folder / "demo.log"
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PLAINT_")}
    environment |= {"PLAINT_HOST": "127.0.0.1", "PLAINT_PORT": str(port), "COLUMNS": "80", "NO_COLOR": "1"}
    with log.open("wb") as file:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "bot",
            "demo",
            cwd=ROOT,
            env=environment,
            stdout=file,
            stderr=asyncio.subprocess.STDOUT,
        )
    return Demo(port, log, process)


@asynccontextmanager
async def running(folder: Path) -> AsyncIterator[Demo]:
    """Run the demo until it is ready, and stop it in the end."""
    demo = await start(folder, free_ports())
    try:
        async with aiohttp.ClientSession() as http, asyncio.timeout(_START):
            while not await _ready(http, demo):
                assert demo.process.returncode is None, demo.written
                await asyncio.sleep(0.05)
            for platform in ("telegram", "wechat", "wecom"):
                async with http.get(f"{demo.phones}/sandbox/{platform}/people") as answer:
                    demo.people |= {each["name"]: each["id"] for each in (await answer.json())["people"]}
        yield demo
    finally:
        if demo.process.returncode is None:
            await demo.stop(signal.SIGTERM)


async def _ready(http: aiohttp.ClientSession, demo: Demo) -> bool:
    try:
        async with http.get(f"{demo.service}/readyz") as answer:
            return answer.status == 200 and "Ctrl-C" in demo.written
    except aiohttp.ClientError:
        return False


def free_ports() -> int:
    """Find a port that is free, and whose next is free too."""
    for _ in range(100):
        with socket.socket() as one, socket.socket() as other:
            one.bind(("127.0.0.1", 0))
            port = int(one.getsockname()[1])
            try:
                other.bind(("127.0.0.1", port + 1))
            except (OSError, OverflowError):
                continue
            return port
    raise AssertionError("no two free ports")


@asynccontextmanager
async def browsing(*, width: int = 1280, height: int = 800, scale: float = 1) -> AsyncIterator["Browser"]:
    """Open a browser that notes what goes wrong in it."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=str(CHROMIUM), args=_FLAGS)
        context = await browser.new_context(
            locale="zh-CN",
            timezone_id="Asia/Shanghai",
            reduced_motion="reduce",
            viewport={"width": width, "height": height},
            device_scale_factor=scale,
        )
        context.set_default_timeout(_SOON * 1000)
        yield Browser(context)
        await browser.close()


class Browser:
    """A browser with its tabs, what they complained of, and the addresses they asked for."""

    def __init__(self, context: Any) -> None:
        self._context = context
        self.problems: list[str] = []
        self.asked: list[str] = []

    async def tab(self, url: str) -> Page:
        page: Page = await self._context.new_page()
        page.on("console", lambda said: self.problems.append(said.text) if said.type in {"error", "warning"} else None)
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("requestfailed", lambda asked: self.problems.append(f"{asked.url}: {asked.failure}"))
        page.on("request", lambda asked: self.asked.append(asked.url))
        await page.goto(url)
        return page


class Handset:
    """One phone on the page, and the person who looks at it."""

    def __init__(self, page: Page, person: int) -> None:
        self.page = page
        self.root = page.locator(f'.phone[data-person="{person}"]')
        self._seen = 0

    async def say(self, words: str) -> None:
        await self._look()
        await self.root.locator("textarea").fill(words)
        await self.root.locator("textarea").press("Enter")

    async def press(self, label: str) -> None:
        """Press the newest button with this label."""
        await self._look()
        await self.root.locator(".keyboard button").get_by_text(label, exact=True).last.click()

    async def attach(self, item: str) -> None:
        await self._look()
        await self.root.locator(".field .round").first.click()
        await self.root.get_by_role("menuitem", name=item, exact=True).click()

    async def show(self, chat: str) -> None:
        """Show another chat on this phone: the desk, or a group."""
        await self.root.locator(".tabs button").get_by_text(chat, exact=True).click()
        await expect(self.root.locator(".title b")).to_have_text(chat)
        self._seen = 0

    async def hears(self, *words: str, within: float = _SOON) -> "Said":
        """Wait for a message with all these words that came since the last act, and return it with its buttons."""
        said = await self.heard(*words, within=within)
        if said is None:
            heard = "\n---\n".join(each.text for each in await self.messages() if each.id > self._seen)
            raise AssertionError(f"waited in vain for {words}; heard:\n{heard}")
        return said

    async def heard(self, *words: str, within: float) -> "Said | None":
        """Wait so long for a message with all these words; None if none comes."""
        end = asyncio.get_running_loop().time() + within
        while True:
            for each in await self.messages():
                if each.id > self._seen and not each.own and all(word in each.text for word in words):
                    return each
            if asyncio.get_running_loop().time() >= end:
                return None
            await asyncio.sleep(0.1)

    async def messages(self) -> list["Said"]:
        found = await self.root.locator(".message").evaluate_all(
            """all => all.map(each => [Number(each.dataset.id), each.classList.contains("own"),
                 each.querySelector(".words")?.innerText ?? "",
                 [...each.querySelectorAll(".keyboard button")].map(button => button.innerText)])"""
        )
        return [Said(*each) for each in found]

    async def _look(self) -> None:
        await expect(self.root.locator(".composer textarea")).to_be_visible()
        self._seen = max((each.id for each in await self.messages()), default=0)


class Typing(Handset):
    """A phone on which a choice is typed by its number."""

    async def choose(self, label: str) -> None:
        said = "\n".join(each.text for each in await self.messages() if not each.own)
        offered = {name: number for number, name in _NUMBERED.findall(said)}
        await self.say(offered[label])


@dataclass
class Said:
    """A message as it stands on a phone."""

    id: int
    own: bool
    text: str
    buttons: list[str]


async def move_clock(page: Page, label: str, times: int = 1) -> None:
    """Move the desk's clock on the page that is for it."""
    for _ in range(times):
        before = await page.locator("h1").inner_text()
        await page.get_by_role("button", name=label).click()
        await expect(page.locator("h1")).not_to_have_text(before)


def number_in(text: str) -> str:
    """Find the case number in a text."""
    found = re.search(r"TR\d\d-[\d-]+", text)
    assert found, text
    return found[0]
