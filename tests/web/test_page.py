"""The page behind a signed link: whose it is, what it shows, and that one goes on with the very same dialogue."""

import asyncio
import io
import json
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from playwright.async_api import Page, async_playwright, expect

from bot.page import Uploads
from complaints.conversation import Staff
from complaints.ports import Changes
from storage import Want

CHROMIUM = Path("/usr/bin/chromium")
COMPLAINT = "灯坏了，用两天就坏，质量太差"
PROOF = {"X-Plaint-Page": "1"}
#: What is asked for between the first words and the card on which all is read back.
ANSWERS = ["1", "王岚", "13812345678", "马德里", "PO-88213", "跳过", "退款", "跳过"]


async def link_of(house: Any, who: str = "wang") -> str:
    """Complain, and return the address of the customer's page."""
    await house.say(f"{who}:1", COMPLAINT, who)
    return house.pages.link(house.conversation(who))


async def put(house: Any, link: str, *, files: Any = (), headers: Any = PROOF, **said: Any) -> tuple[int, Any]:
    """Post what the page's script would post; return the status and the answer."""
    form = aiohttp.FormData(default_to_multipart=True)
    form.add_field("say", json.dumps({"nonce": "n" * 32, **said}))
    for name, content in files:
        form.add_field("file", io.BytesIO(content), filename=name, content_type="image/jpeg")
    async with house.http.post(link, data=form, headers=headers) as answer:
        return answer.status, json.loads(await answer.read() or b"{}")


# --- who may see it ---


async def test_the_page_shows_the_cases_and_tells_the_browser_to_keep_nothing(house: Any) -> None:
    link = await link_of(house)

    async with house.http.get(link) as answer:
        page, headers = await answer.text(), answer.headers
    assert answer.status == 200
    assert house.cases()[0].number in page
    assert (headers["Referrer-Policy"], headers["Cache-Control"]) == ("no-referrer", "no-store")
    assert headers["X-Robots-Tag"] == "noindex, nofollow"
    policy = headers["Content-Security-Policy"]
    nonce = re.search(r"script-src 'nonce-([\w-]{20,})'", policy)
    assert nonce
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    assert all(f'nonce="{nonce[1]}"' in tag for tag in re.findall(r"<(?:style|script)(?! type=)[^>]*>", page))
    assert not re.findall(r"(?:src|href)=[\"'](?!$)", page)
    async with house.http.get(link) as again:
        assert nonce[1] not in again.headers["Content-Security-Policy"]


async def test_looking_at_the_page_changes_nothing(house: Any) -> None:
    link = await link_of(house)
    await house.until(lambda: not house.waiting)
    before = house.metrics.registry.get_sample_value("plaint_messages_heard_total")

    async with house.http.get(link):
        pass
    async with house.http.head(link):
        pass

    assert house.metrics.registry.get_sample_value("plaint_messages_heard_total") == before
    assert len(house.settled) == 1


async def test_whatever_is_wrong_with_an_address_looks_the_same(house: Any) -> None:
    link = await link_of(house)
    head, _, token = link.rpartition("/")
    other = house.pages.link(1234)
    wrong = [token[:-4] + "AAAA", token[::-1], "A" * 38, token + "A", token[:-1], "x", "%00", other.rpartition("/")[2]]
    pages = set()

    for each in wrong:
        async with house.http.get(f"{head}/{each}") as answer:
            assert answer.status == 404, each
            pages.add(re.sub(r"nonce-?=?\"?[\w-]+", "", await answer.text()))
        assert (await put(house, f"{head}/{each}", text="你好"))[0] == 404
    house.moment += timedelta(days=30, seconds=1)
    async with house.http.get(link) as answer:
        assert answer.status == 404
        pages.add(re.sub(r"nonce-?=?\"?[\w-]+", "", await answer.text()))

    assert len(pages) == 1


async def test_every_bit_of_an_address_is_signed(house: Any) -> None:
    link = await link_of(house)
    head, _, token = link.rpartition("/")
    house.pages._limits.passed = lambda _: True  # this is not about how often one may ask

    for place in range(0, 37, 3):  # the last character has bits that mean nothing
        other = "A" if token[place] != "A" else "B"
        async with house.http.get(f"{head}/{token[:place]}{other}{token[place + 1 :]}") as answer:
            assert answer.status == 404, place


async def test_the_staff_have_no_page(house: Any) -> None:
    link = await link_of(house)
    here = house.conversation()
    with house.store.unit(house.moment) as unit:
        conversation = unit.load([Want(conversation_id=here)]).conversations[here]
        member = Staff(id=house.store.ids.next(), name="李", roles=["agent"])
        conversation.staff_id = member.id
        unit.flush(Changes(staff=[member], conversations=[conversation]))

    async with house.http.get(link) as answer:
        assert answer.status == 404


@pytest.mark.parametrize(
    "headers", [{}, {**PROOF, "Origin": "https://evil.example"}, {**PROOF, "Sec-Fetch-Site": "cross-site"}]
)
async def test_only_our_own_page_may_post(house: Any, headers: Any) -> None:
    link = await link_of(house)

    assert (await put(house, link, text="你好", headers=headers))[0] == 403


@pytest.mark.parametrize(
    "said",
    [
        {"nonce": "short", "text": "你好"},
        {"nonce": "../../../../../../../etc", "text": "你好"},
        {"text": ""},
        {"text": "你好", "press": "q:1:submit"},
        {"text": ["你好"]},
        {"open": "yes"},
        {"text": "长" * 4001},
        {"press": "q" * 65},
    ],
)
async def test_what_is_no_saying_is_refused(house: Any, said: Any) -> None:
    link = await link_of(house)

    assert (await put(house, link, **said))[0] in (400, 413)
    async with house.http.post(link, data=b"{}", headers=PROOF) as answer:
        assert answer.status == 415


async def test_somebody_who_asks_too_often_must_wait_and_nobody_else(house: Any) -> None:
    link, other = await link_of(house), await link_of(house, "li")

    statuses = [(await put(house, link, open=True, nonce=f"{number:032}"))[0] for number in range(30)]

    assert statuses[:15] == [200] * 15
    assert statuses[-1] == 429
    assert (await put(house, other, open=True))[0] == 200


# --- what is said on it ---


async def test_the_dialogue_goes_on_where_it_was_and_the_answer_is_shown_instead_of_sent(house: Any) -> None:
    link = await link_of(house)

    status, told = await put(house, link, text="1")
    assert status == 200
    assert [each["text"] for each in told["letters"]] == ["请问怎么称呼您？"]
    assert not told["elsewhere"]
    assert (await house.say("2", "王岚"))["text"].startswith("怎么联系您")
    await house.until(lambda: not house.waiting)
    assert house.pigeon.sent == []


async def test_a_choice_is_a_button_and_can_be_pressed(house: Any) -> None:
    link = await link_of(house)
    for number, answer in enumerate(ANSWERS):
        _, told = await put(house, link, text=answer, nonce=f"{number:032}")

    choice = told["letters"][0]["choices"][0][0]
    assert choice["label"] == "没问题，提交"
    _, told = await put(house, link, press=choice["token"], nonce="p" * 32)

    assert "已受理" in told["letters"][0]["text"]
    assert house.cases()[0].facts.complete
    assert house.cases()[0].number in told["cases"]


async def test_the_page_offers_no_way_to_itself(house: Any) -> None:
    house.book.buttons, house.book.page = {"wechat": 0}, house.pages.link
    link = await link_of(house)
    for number, answer in enumerate(ANSWERS[:-1]):
        _, told = await put(house, link, text=answer, nonce=f"{number:032}")

    assert "照片" in told["letters"][0]["text"]
    offered = [choice for row in told["letters"][0]["choices"] for choice in row]
    assert all(choice["token"] and not choice["url"] for choice in offered)
    assert all(told["letters"][0]["choices"])
    assert len(offered) == 2


async def test_what_is_sent_twice_is_served_once_and_answered_alike(house: Any) -> None:
    link = await link_of(house)

    first = await put(house, link, text="1")
    again = await put(house, link, text="1")

    assert again == first
    assert (await put(house, link, text="王岚", nonce="m" * 32))[1]["letters"][0]["text"].startswith("怎么联系您")


async def test_the_words_of_a_customer_are_never_markup(house: Any) -> None:
    link = await link_of(house)
    here = house.conversation()
    with house.store.unit(house.moment) as unit:
        case = unit.load([Want(conversation_id=here)]).cases_of(here)[0]
        case.facts.asked, case.words.question = True, "<img src=x onerror=alert(1)>"
        unit.flush(Changes(cases=[case]))

    async with house.http.get(link) as answer:
        page = await answer.text()
    assert "<img src=x" not in page
    assert "&lt;img src=x" in page


async def test_an_answer_that_nobody_waited_for_goes_to_the_chat(house: Any) -> None:
    link = await link_of(house)
    async with house.held():
        asked = asyncio.create_task(put(house, link, text="1"))
        await asyncio.sleep(0.3)
        asked.cancel()
        await asyncio.sleep(0.1)
    await house.until(lambda: house.pigeon.sent)

    assert house.pigeon.sent[0].body.text == "请问怎么称呼您？"
    status, told = await put(house, link, text="1")
    assert (status, told["letters"], told["elsewhere"]) == (200, [], True)


async def test_files_are_sealed_before_the_page_says_so(house: Any) -> None:
    link = await link_of(house)

    status, told = await put(house, link, text="照片", files=[("a.jpg", b"one" * 1000), ("b.jpg", b"two")])

    assert (status, told["files"]) == (200, "saved")
    with house.store.read() as ledger:
        kept = ledger.evidence_of(house.cases()[0].id)
    assert [(file.state, file.size, file.kind, file.words["name"]) for file in kept] == [
        ("kept", 3000, "photo", "a.jpg"),
        ("kept", 3, "photo", "b.jpg"),
    ]
    content = house.store.open_file(kept[1].id, house.folder / "evidence" / kept[1].path)
    assert b"".join(content) == b"two"
    assert b"one" not in (house.folder / "evidence" / kept[0].path).read_bytes()


async def test_a_file_that_cannot_be_sealed_is_said_to_be_lost(house: Any) -> None:
    link = await link_of(house)
    (house.folder / "evidence").write_text("in the way")

    from bot.page import pages

    pages_sealing, pages._SEALING = pages._SEALING, 1.0
    try:
        status, told = await put(house, link, files=[("a.jpg", b"one")])
    finally:
        pages._SEALING = pages_sealing

    assert (status, told["files"]) == (200, "unsaved")


async def test_files_from_the_platform_still_come_from_there(house: Any) -> None:
    await link_of(house)
    body = json.dumps([{"id": "f", "from": "wang", "text": "", "files": ["ref7"]}]).encode()
    async with house.http.post(house.url, data=body):
        pass
    case = house.cases()[0].id

    def kept() -> list[Any]:
        with house.store.read() as ledger:
            return [file for file in ledger.evidence_of(case) if file.state == "kept"]

    await house.until(kept)
    content = house.store.open_file(kept()[0].id, house.folder / "evidence" / kept()[0].path)
    assert b"".join(content) == b"from the platform: ref7"


async def test_files_that_are_too_much_are_refused(house: Any) -> None:
    link = await link_of(house)
    megabytes = b"x" * (1 << 20)

    assert (await put(house, link, files=[("a.jpg", megabytes * 20 + b"x")]))[0] == 413
    assert (await put(house, link, files=[(f"{n}.jpg", b"x") for n in range(7)], nonce="m" * 32))[0] == 413
    assert house.pages._uploads.room(house.conversation()) > 20 << 20


async def raw(house: Any, link: str, saying: bytes, kind: bytes = b"image/jpeg") -> int:
    """Post a form written by hand, as no browser would; return the status."""
    body = b"--x\r\nContent-Disposition: form-data; name=say\r\n\r\n" + saying + b"\r\n--x\r\n"
    body += (
        b"Content-Disposition: form-data; name=file; filename=a\r\nContent-Type: " + kind + b"\r\n\r\nabc\r\n--x--\r\n"
    )
    headers = {**PROOF, "Content-Type": "multipart/form-data; boundary=x"}
    async with house.http.post(link, data=body, headers=headers) as answer:
        return int(answer.status)


async def test_json_without_end_is_refused_and_no_failure(house: Any) -> None:
    link = await link_of(house)

    assert await raw(house, link, b"[" * 60_000) == 400


async def test_a_file_whose_type_is_no_text_is_kept_like_any_other(house: Any) -> None:
    link = await link_of(house)

    assert await raw(house, link, b'{"nonce": "' + b"m" * 32 + b'"}', kind=b"image/\xff") == 200
    with house.store.read() as ledger:
        assert len(ledger.evidence_of(house.cases()[0].id)) == 1


async def test_many_posts_begun_at_once_hold_no_more_than_one_customer_may(house: Any) -> None:
    link = await link_of(house)
    file = b"x" * (20 << 20)
    ready, go = asyncio.Semaphore(0), [asyncio.Event() for _ in range(5)]

    async def post(number: int) -> int:
        async def body() -> AsyncIterator[bytes]:
            saying = json.dumps({"nonce": f"{number}" * 32})
            yield f"--x\r\nContent-Disposition: form-data; name=say\r\n\r\n{saying}\r\n--x\r\n".encode()
            await asyncio.sleep(0.1)
            yield b"Content-Disposition: form-data; "  # and that a file will come
            ready.release()
            await go[number].wait()
            yield b"name=file; filename=a.jpg\r\n\r\n" + file + b"\r\n--x--\r\n"

        headers = {**PROOF, "Content-Type": "multipart/form-data; boundary=x"}
        async with house.http.post(link, data=body(), headers=headers) as answer:
            return int(answer.status)

    async with house.held():  # nothing is served, so everything that comes is held
        posts = [asyncio.create_task(post(number)) for number in range(5)]
        for _ in posts:
            await ready.acquire()
        await asyncio.sleep(0.2)
        for event, task in zip(go, posts, strict=True):
            event.set()
            await asyncio.wait([task], timeout=1.5)
        held = sum(len(each.content) for each in house.pages._uploads._held.values())
        assert held <= 60 << 20
        assert [task.result() for task in posts if task.done()] == [413, 413]
        for task in posts:
            task.cancel()


async def test_the_domain_is_shown_to_be_ours(house: Any) -> None:
    async with house.http.get(f"{house.public}/MP_verify_abc123.txt") as answer:
        assert await answer.text() == "abc123"


# --- what is held in memory ---


async def test_a_file_is_held_until_it_is_sealed_and_only_by_the_process_that_has_it() -> None:
    uploads, elsewhere = Uploads("here"), Uploads("there")
    ref = uploads.hold(1, b"content")
    pieces: list[bytes] = []

    async def sink(piece: bytes) -> None:
        pieces.append(piece)

    before = uploads.room(1)
    assert type(await elsewhere.fetch(ref, sink, attempts=1)).__name__ == "Retry"
    assert type(await elsewhere.fetch(ref, sink, attempts=10)).__name__ == "Refused"
    assert type(await uploads.fetch(ref, sink, attempts=1)).__name__ == "Sent"
    uploads.end(ref, kept=True)

    assert pieces == [b"content"]
    assert type(await uploads.fetch(ref, sink, attempts=1)).__name__ == "Refused"
    assert uploads.room(1) == before + 7
    assert await uploads.sealed([ref], 1.0)
    assert not await uploads.sealed([ref], 0.1)


async def test_a_file_that_is_not_sealed_in_time_is_given_up() -> None:
    uploads = Uploads("here")
    ref = uploads.hold(1, b"content")

    assert not await uploads.sealed([ref], 0.05)
    assert uploads.room(1) == Uploads("here").room(1)


# --- on a phone ---

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
browsers = pytest.mark.skipif(not CHROMIUM.exists(), reason="needs Debian's chromium at /usr/bin/chromium")


@pytest.fixture
async def phone() -> AsyncIterator[Page]:
    """A browser on a phone; in the end there were no problems, and nothing was asked of anybody else."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        context = await browser.new_context(viewport={"width": 390, "height": 844}, reduced_motion="reduce")
        page = await context.new_page()
        page.set_default_timeout(5000)
        problems: list[str] = []
        page.on("console", lambda said: problems.append(said.text) if said.type in {"error", "warning"} else None)
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("request", lambda asked: None if "//127.0.0.1:" in asked.url else problems.append(asked.url))
        yield page
        assert [each for each in problems if not each.startswith("blob:")] == []
        await browser.close()


@browsers
@pytest.mark.xdist_group("browser")
async def test_a_customer_goes_on_with_a_phone(house: Any, phone: Page) -> None:
    link = await link_of(house)
    number = house.cases()[0].number
    await phone.goto(link)
    await expect(phone.locator("#cases")).to_contain_text(number)
    await expect(phone.locator(".said:not(.own)").last).to_contain_text("同意")
    await phone.locator(".choices button").first.click()
    await expect(phone.locator(".said:not(.own)").last).to_contain_text("怎么称呼您")

    await phone.set_input_files("#picker", [{"name": "箱子.png", "mimeType": "image/png", "buffer": b"picture"}])
    await expect(phone.locator("#chosen")).to_contain_text("箱子.png")
    await phone.locator("#send").click()
    await expect(phone.locator(".note")).to_have_text("文件已安全保存。")
    for answer in ANSWERS[1:]:
        asked = await phone.locator(".said:not(.own)").count()
        await phone.locator("#field").fill(answer)
        await phone.locator("#send").click()
        await expect(phone.locator(".said:not(.own)")).to_have_count(asked + 1)
    await phone.get_by_role("button", name="没问题，提交").click()

    await expect(phone.locator(".said:not(.own)").last).to_contain_text("已受理")
    await expect(phone.locator("#cases")).to_contain_text("最迟")
    assert await phone.locator(".choices button:enabled").count() == 0
    assert await phone.evaluate("document.documentElement.scrollWidth") == 390
    assert house.cases()[0].facts.files == 1
    assert house.pigeon.sent == []


@browsers
@pytest.mark.xdist_group("browser")
async def test_what_could_not_be_sent_stays_and_is_sent_again_by_a_button(house: Any, phone: Page) -> None:
    await phone.goto(await link_of(house))
    await expect(phone.locator(".said:not(.own)")).to_have_count(1)
    await phone.evaluate("() => { window.whole = window.fetch; window.fetch = () => Promise.reject(new TypeError()); }")
    await phone.locator("#field").fill("同意")
    await phone.locator("#send").click()
    await expect(phone.locator(".again")).to_contain_text("没有发出去")
    await phone.evaluate("() => { window.fetch = window.whole; }")
    await phone.get_by_role("button", name="再试一次").click()

    await expect(phone.locator(".said:not(.own)").last).to_contain_text("怎么称呼您")
    await expect(phone.locator(".again")).to_have_count(0)
    await expect(phone.locator(".said.own")).to_have_count(1)
