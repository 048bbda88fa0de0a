"""In a browser one can be several customers and agents at once."""

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web
from playwright.async_api import Locator, Page, async_playwright, expect

from sandbox import Phone, Sandbox, running
from sandbox.media import picture

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
]
pytestmark = [
    pytest.mark.skipif(not CHROMIUM.exists(), reason="needs Debian's chromium at /usr/bin/chromium"),
    pytest.mark.xdist_group("browser"),
    pytest.mark.asyncio(loop_scope="module"),  # one browser for all, and it stays with its loop
]
LINK = "https://t.me/plaint_sandbox_bot?start=case_7"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def sandbox() -> AsyncIterator[Sandbox]:
    async with running() as sandbox:
        yield sandbox


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def echo(sandbox: Sandbox) -> AsyncIterator[None]:
    """A bot that says everything again with buttons under it."""
    async with aiohttp.ClientSession() as http:

        async def call(method: str, **given: object) -> None:
            await http.post(f"{sandbox.bot_url}{sandbox.token}/{method}", json=given)

        async def serve(request: web.Request) -> web.Response:
            update = await request.json()
            if query := update.get("callback_query"):
                alert = query["data"] == "alert"
                await call("answerCallbackQuery", callback_query_id=query["id"], text="Noted", show_alert=alert)
            elif message := update.get("message"):
                text = message.get("text") or message.get("caption") or next(reversed(message))
                rows = [[{"text": "Toast", "callback_data": "toast"}, {"text": "Alert", "callback_data": "alert"}]]
                await call("sendChatAction", chat_id=message["chat"]["id"], action="typing")
                await call(
                    "sendMessage",
                    chat_id=message["chat"]["id"],
                    text=f"You said: {text}",
                    reply_markup={"inline_keyboard": rows},
                )
            return web.Response()

        app = web.Application()
        app.router.add_post("/hook", serve)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        await call("setMyCommands", commands=[{"command": "status", "description": "Where is my case?"}])
        await call("setWebhook", url=f"http://127.0.0.1:{runner.addresses[0][1]}/hook")
        yield
        await runner.cleanup()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def tab(sandbox: Sandbox, echo: None) -> AsyncIterator[tuple[Page, list[str]]]:
    """A tab of a browser, and what it complained of or fetched from elsewhere."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        context = await browser.new_context(locale="en-GB", reduced_motion="reduce")
        page = await context.new_page()
        page.set_default_timeout(5000)
        problems: list[str] = []
        page.on("console", lambda said: problems.append(said.text) if said.type in {"error", "warning"} else None)
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("request", lambda asked: None if asked.url.startswith(sandbox.url) else problems.append(asked.url))
        yield page, problems
        await browser.close()


@pytest_asyncio.fixture(loop_scope="module")
async def page(tab: tuple[Page, list[str]], sandbox: Sandbox) -> AsyncIterator[Page]:
    """The page on a wide screen with the phone of somebody new; in the end there were no problems."""
    page, problems = tab
    await page.set_viewport_size({"width": 1280, "height": 800})
    person = await sandbox.client.add_person("Li Na")
    await page.goto("about:blank")
    problems.clear()
    await page.goto(f"{sandbox.url}/#{person.id}")
    await expect(page.locator(".phone")).to_have_attribute("data-person", str(person.id))
    yield page
    assert problems == []


async def start(page: Page, name: str = "Li Na") -> Locator:
    """Start the bot on a phone that is open, and return the phone."""
    phone = page.get_by_label(name, exact=True)
    await phone.get_by_role("button", name="Start").click()
    await expect(said(phone)).to_contain_text("You said: /start")
    return phone


def said(phone: Locator) -> Locator:
    """The last that was said."""
    return phone.locator(".bubble").last


async def person(sandbox: Sandbox) -> Phone:
    """Who was added last."""
    return (await sandbox.client.people())[-1]


async def test_a_person_writes_and_presses(page: Page) -> None:
    phone = await start(page)
    await page.get_by_label("Message").fill("It leaks <img src=x onerror=alert(1)>")
    await page.keyboard.press("Enter")
    await expect(said(phone)).to_contain_text("You said: It leaks <img src=x onerror=alert(1)>")
    await page.get_by_role("button", name="Toast").last.click()
    await expect(page.get_by_role("status").filter(has_text="Noted")).to_be_visible()
    await page.get_by_role("button", name="Alert").last.click()
    await expect(page.get_by_role("alertdialog")).to_contain_text("Noted")
    await page.keyboard.press("Enter")

    await expect(page.get_by_role("alertdialog")).to_have_count(0)
    await expect(page.locator(".message.own .icon-checks")).to_have_count(2)


async def test_enter_that_picks_a_word_sends_nothing(page: Page) -> None:
    phone = await start(page)
    field = page.get_by_label("Message")
    await field.fill("tou su")
    await field.dispatch_event("keydown", {"key": "Enter", "isComposing": True, "bubbles": True})
    await field.press("Shift+Enter")
    await expect(field).to_have_value("tou su\n")
    await field.press("Enter")

    await expect(said(phone)).to_contain_text("You said: tou su")


async def test_files_are_attached(page: Page, sandbox: Sandbox, tmp_path: Path) -> None:
    await start(page)
    (tmp_path / "leak.png").write_bytes(picture(60, 40))
    (tmp_path / "bill.txt").write_text("42")
    for item, files in (("Photo", ["leak.png"]), ("File", ["bill.txt"]), ("Album", ["leak.png", "leak.png"])):
        await page.get_by_role("button", name="Attach").click()
        async with page.expect_file_chooser() as chooser:
            await page.get_by_role("menuitem", name=item, exact=True).click()
        await (await chooser.value).set_files([tmp_path / file for file in files])
        await expect(page.locator(".message.own .photo, .message.own .file").last).to_be_visible()
    for item in ("Voice", "My contact", "Location", "Sample photo"):
        await page.get_by_role("button", name="Attach").click()
        await page.get_by_role("menuitem", name=item, exact=True).click()
    await expect(page.locator(".message.own")).to_have_count(9)

    li = await person(sandbox)
    own = [message.raw for message in (await li.transcript()).messages if not message.from_bot][1:]
    assert [about["media"]["kind"] for about in own if about["media"]] == [
        *("photo", "document", "photo", "photo", "voice", "photo")
    ]
    assert own[2]["album"] == own[3]["album"] is not None
    await expect(page.locator(".album .photo")).to_have_count(2)


async def test_messages_are_edited_answered_and_deleted(page: Page) -> None:
    phone = await start(page)
    field = page.get_by_label("Message")
    await field.fill("Order 8842")
    await field.press("Enter")
    await expect(said(phone)).to_contain_text("You said: Order 8842")
    await field.press("ArrowUp")
    await expect(field).to_have_value("Order 8842")
    await field.fill("Order 8824")
    await field.press("Enter")
    await expect(page.locator(".message.own").last).to_contain_text("edited")
    await said(phone).locator(".words").click()
    await page.get_by_role("button", name="Reply").locator("visible=true").click()
    await field.fill("Yes")
    await field.press("Enter")
    await expect(page.locator(".message.own .quote")).to_contain_text("You said: Order 8842")
    await page.locator(".message.own .bubble .words").last.click()
    await page.get_by_role("button", name="Delete").locator("visible=true").click()

    await expect(page.locator(".service.deleted")).to_have_text("Message deleted")


async def test_a_bot_is_blocked_and_let_in_again(page: Page, sandbox: Sandbox) -> None:
    await start(page)
    await page.get_by_role("button", name="More").click()
    await page.get_by_role("menuitem", name="Stop and block").click()
    await page.get_by_role("button", name="Unblock").click()
    await expect(page.get_by_label("Message")).to_be_visible()

    li = await person(sandbox)
    changes = [update["update"].get("my_chat_member") for update in await sandbox.client.updates()]
    own = [change["new_chat_member"]["status"] for change in changes if change and change["chat"]["id"] == li.id]
    assert own == ["kicked", "member"]


async def test_two_people_talk_side_by_side_and_in_a_group(page: Page, sandbox: Sandbox) -> None:
    await start(page)
    await page.get_by_placeholder("Name").fill("Wang Qiang")
    await page.get_by_role("button", name="Add", exact=True).click()
    await start(page, "Wang Qiang")
    await page.get_by_text("New group").click()
    await page.get_by_placeholder("Title").fill("Desk")
    await page.get_by_role("button", name="Create").click()
    for name in ("Li Na", "Wang Qiang"):
        await expect(page.get_by_label(name, exact=True).locator(".title")).to_contain_text("Desk")
    await page.get_by_label("Li Na", exact=True).get_by_label("Message").fill("Who takes it?")
    await page.keyboard.press("Enter")

    other = page.get_by_label("Wang Qiang", exact=True)
    await expect(other.locator(".message.other", has_text="Who takes it?").first).to_contain_text("Li Na")
    await expect(other.get_by_text("You said: Who takes it?")).to_be_visible()
    await other.get_by_role("button", name="Plaint").click()
    await expect(other.locator(".log")).to_contain_text("You said: /start")


async def test_a_deep_link_starts_the_bot_with_its_payload(page: Page, sandbox: Sandbox) -> None:
    phone = await start(page)
    li = await person(sandbox)
    sandbox.telegram.world.put(
        sandbox.telegram.world.find_chat(li.chat),
        sandbox.telegram.world.default_bot,
        {"text": LINK, "entities": [{"type": "url", "offset": 0, "length": len(LINK)}]},
    )
    await page.get_by_role("link", name=LINK).click()

    await expect(said(phone)).to_contain_text("You said: /start case_7")


async def test_the_page_catches_up_after_the_connection_was_lost(page: Page, sandbox: Sandbox) -> None:
    phone = await start(page)
    sandbox.live.close()
    await expect(page.get_by_text("Connection lost")).to_be_visible()
    li = await person(sandbox)
    await li.say("said meanwhile")

    await expect(said(phone)).to_contain_text("You said: said meanwhile")
    await expect(page.get_by_text("Connection lost")).to_be_hidden()


async def test_a_narrow_screen_shows_one_phone_and_no_more(page: Page, sandbox: Sandbox) -> None:
    await page.set_viewport_size({"width": 375, "height": 740})
    phone = await start(page)
    await expect(page.get_by_role("button", name="Close")).to_be_hidden()
    await page.get_by_role("button", name="/", exact=True).or_(page.get_by_label("Commands")).first.click()
    await page.get_by_role("menuitem", name="/status").click()
    await expect(said(phone)).to_contain_text("You said: /status")
    assert await page.evaluate("document.documentElement.scrollWidth") == 375
    await page.get_by_role("button", name="Back").click()

    await expect(page.get_by_role("heading", name="People")).to_be_visible()
    await expect(page.locator(".phone")).to_have_count(0)
    await page.locator("#people button").last.click()
    await expect(said(phone)).to_contain_text("You said: /status")


async def test_the_page_allows_nothing_from_elsewhere(sandbox: Sandbox) -> None:
    async with aiohttp.ClientSession() as http, http.get(sandbox.url) as answer:
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'self';")
        assert "http" not in (await answer.text()).replace("https://t.me", "")
    async with aiohttp.ClientSession() as http, http.get(f"{sandbox.url}/page/../app.py") as answer:
        assert answer.status == 404
