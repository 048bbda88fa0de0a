"""In a browser one can be a customer on WeChat and a member on WeCom, too."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestServer
from playwright.async_api import Page, expect

from sandbox import Sandbox, running
from sandbox.client import WeChatPhone, WeComPhone
from sandbox.media import picture
from sandbox.wechat import WeChatSettings
from sandbox.wecom import WeComSettings
from tests.demo.stage import CHROMIUM, Browser, Handset, browsing

pytestmark = [
    pytest.mark.skipif(not CHROMIUM.exists(), reason="needs Debian's chromium at /usr/bin/chromium"),
    pytest.mark.xdist_group("browser"),
    pytest.mark.asyncio(loop_scope="module"),  # one browser for all, and it stays with its loop
]
WIDE, NARROW = {"width": 1280, "height": 800}, {"width": 390, "height": 844}
MENU = [
    {
        "name": "投诉",
        "sub_button": [
            {"type": "click", "name": "我要投诉", "key": "NEW_CASE"},
            {"type": "view", "name": "投诉须知", "url": "about:blank"},
            *({"type": "click", "name": f"第{number}项", "key": f"K{number}"} for number in (3, 4, 5)),
        ],
    },
    {"type": "click", "name": "查进度", "key": "MY_CASES"},
    {"type": "click", "name": "找人工", "key": "HUMAN"},
]
CARD = {
    "card_type": "button_interaction",
    "main_title": {"title": "新投诉 TS-2026-00017-4"},
    "sub_title_text": "床垫有味道\n想要：退货",
    "horizontal_content_list": [{"keyname": "时限", "value": "今天 18:00"}],
    "button_list": [{"text": "我来处理", "key": "claim"}, {"text": "请人处理", "key": "pass"}],
}


class Accounts:
    """The account and the app behind the phones: they answer every message with its own words."""

    def __init__(self) -> None:
        self.heard: list[dict[str, str]] = []
        self.broken = False

    async def serve(self, request: web.Request) -> web.Response:
        if self.broken:
            raise web.HTTPInternalServerError
        told = dict(re.findall(r"<(\w+)>(?:<!\[CDATA\[)?([^<\]]*)", await request.text()))
        self.heard.append(told)
        if "Content" not in told:
            return web.Response()
        answer = "".join(
            f"<{name}>{escape(value)}</{name}>"
            for name, value in {
                "ToUserName": told["FromUserName"],
                "FromUserName": told["ToUserName"],
                "CreateTime": "1",
                "MsgType": "text",
                "Content": f"收到：{told['Content']}",
            }.items()
        )
        return web.Response(text=f"<xml>{answer}</xml>")

    async def hears(self, name: str) -> dict[str, str]:
        """Wait for something with this field, and forget what came until then."""
        async with asyncio.timeout(5):
            while not (self.heard and name in self.heard[-1]):
                await asyncio.sleep(0.01)
        return self.heard.pop()


class Apis:
    """The interfaces of both platforms, as those call them who own the account and the app."""

    def __init__(self, sandbox: Sandbox, http: aiohttp.ClientSession) -> None:
        self._sandbox = sandbox
        self._http = http
        self._tokens: dict[str, str] = {}

    async def wechat(self, path: str, **given: object) -> Any:
        about = self._sandbox.wechat.settings
        query = {"grant_type": "client_credential", "appid": about.app_id, "secret": about.secret}
        return await self._post(f"{self._sandbox.url}/cgi-bin/", "token", query, path, given)

    async def wecom(self, path: str, **given: object) -> Any:
        about = self._sandbox.wecom.settings
        query = {"corpid": about.corp_id, "corpsecret": about.secret}
        given = {"agentid": about.agent_id, **given}
        return await self._post(f"{self._sandbox.wecom_url}/cgi-bin/", "gettoken", query, path, given)

    async def robot(self, text: str) -> Any:
        body = {"msgtype": "text", "text": {"content": text}}
        url = f"{self._sandbox.wecom_url}/cgi-bin/webhook/send"
        return await (await self._http.post(url, params={"key": "sandbox-robot"}, json=body)).json()

    async def _post(self, root: str, method: str, query: dict[str, str], path: str, given: dict[str, object]) -> Any:
        if root not in self._tokens:
            told = await (await self._http.get(root + method, params=query)).json()
            self._tokens[root] = told["access_token"]
        body = json.dumps(given, ensure_ascii=False).encode()
        answer = await self._http.post(root + path, params={"access_token": self._tokens[root]}, data=body)
        told = await answer.json()
        assert told["errcode"] == 0, told
        return told


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def accounts() -> Accounts:
    return Accounts()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def sandbox(accounts: Accounts) -> AsyncIterator[Sandbox]:
    app = web.Application()
    app.router.add_post("/", accounts.serve)
    async with TestServer(app) as server:
        url = str(server.make_url("/"))
        about = WeChatSettings(mode="plain", callback=url)
        async with running(wechat=about, wecom=WeComSettings(callback=url)) as sandbox:
            yield sandbox


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def api(sandbox: Sandbox) -> AsyncIterator[Apis]:
    async with aiohttp.ClientSession() as http:
        yield Apis(sandbox, http)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with browsing() as browser:
        yield browser


@pytest_asyncio.fixture(loop_scope="module")
async def page(browser: Browser, sandbox: Sandbox, accounts: Accounts) -> AsyncIterator[Page]:
    """The page without a phone; in the end there were no problems, and nothing was fetched from elsewhere."""
    accounts.broken = False
    accounts.heard.clear()
    browser.problems.clear()
    browser.asked.clear()
    page = await browser.tab(sandbox.url)
    yield page
    await page.close()
    assert browser.problems == []
    assert {url for url in browser.asked if not url.startswith((sandbox.url, "about:"))} == set()


@pytest_asyncio.fixture(loop_scope="module")
async def li(sandbox: Sandbox, accounts: Accounts) -> WeChatPhone:
    """A customer who follows the account, and of whom the account has heard nothing since."""
    person = await sandbox.client.add_wechat_person("李娜", follows=True)
    await sandbox.client.settled()
    accounts.heard.clear()
    return person


@pytest_asyncio.fixture(loop_scope="module")
async def chen(sandbox: Sandbox) -> WeComPhone:
    """A member of the company."""
    return await sandbox.client.add_wecom_member("陈主管")


async def opened(page: Page, *people: WeChatPhone | WeComPhone) -> Handset:
    """Open the phones of these people, and return that of the last."""
    await page.evaluate("ids => { location.hash = ids }", ",".join(str(person.id) for person in people))
    phone = Handset(page, people[-1].id)
    await expect(phone.root.locator(".title b")).not_to_be_empty()
    return phone


# --- a customer on WeChat ---


async def test_a_stranger_follows_and_is_answered(page: Page, sandbox: Sandbox, accounts: Accounts) -> None:
    phone = await opened(page, await sandbox.client.add_wechat_person("王强"))
    await expect(phone.root).to_have_attribute("data-skin", "wechat")
    await phone.root.get_by_role("button", name="关注公众号").click()
    await phone.say("床垫有味道 <img src=x onerror=alert(1)>")
    said = await phone.hears("收到：床垫有味道")

    assert said.buttons == []
    await expect(phone.root.locator(".title")).to_contain_text("投诉服务")
    assert "subscribe" in [told.get("Event") for told in accounts.heard]


async def test_who_unfollows_can_write_no_more(page: Page, li: WeChatPhone, accounts: Accounts) -> None:
    phone = await opened(page, li)
    await phone.root.get_by_role("button", name="更多").click()
    await phone.root.get_by_role("menuitem", name="取消关注").click()

    await expect(phone.root.get_by_role("button", name="关注公众号")).to_be_visible()
    await expect(phone.root.locator("textarea")).to_have_count(0)
    assert (await accounts.hears("Event"))["Event"] == "unsubscribe"


async def test_links_are_tapped_and_scripts_are_words(page: Page, li: WeChatPhone, sandbox: Sandbox) -> None:
    phone = await opened(page, li)
    sandbox.wechat.phones.put(
        sandbox.wechat.phones.chat(str(li.id)),
        None,
        "text",
        text="看 <a href=\"http://127.0.0.1/c?a=1&b=2\">案件</a>、https://127.0.0.1/d。<a href='javascript:alert(1)'>坏</a><b>x</b>",
    )
    await phone.hears("看 案件、https://127.0.0.1/d。坏<b>x</b>")
    await li.send_link("一页", "javascript:alert(1)")
    await expect(phone.root.locator(".page")).to_have_text("一页")
    links = await phone.root.locator(".bubble a").evaluate_all("all => all.map(a => [a.innerText, a.href, a.rel])")

    assert links == [
        ["案件", "http://127.0.0.1/c?a=1&b=2", "noopener noreferrer"],
        ["https://127.0.0.1/d", "https://127.0.0.1/d", "noopener noreferrer"],
    ]


async def test_the_menu_of_the_account_lies_below_the_chat(
    page: Page, li: WeChatPhone, sandbox: Sandbox, api: Apis, accounts: Accounts
) -> None:
    menu = json.loads(json.dumps(MENU).replace("about:blank", f"{sandbox.url}/page/icon.svg"))
    phone = await opened(page, li)
    bar = phone.root.get_by_role("navigation", name="菜单")
    await expect(bar).to_be_hidden()
    await api.wechat("menu/create", button=menu)
    await expect(bar.get_by_role("button")).to_have_text(["投诉", "查进度", "找人工"])
    await bar.get_by_role("button", name="查进度").click()
    assert (await accounts.hears("EventKey"))["EventKey"] == "MY_CASES"

    await bar.get_by_role("button", name="投诉").click()
    await expect(phone.root.get_by_role("menuitem")).to_have_text(["我要投诉", "投诉须知", "第3项", "第4项", "第5项"])
    await phone.root.get_by_role("menuitem", name="我要投诉").click()
    assert (await accounts.hears("EventKey"))["EventKey"] == "NEW_CASE"

    await bar.get_by_role("button", name="投诉").click()
    async with page.expect_popup() as popup:
        await phone.root.get_by_role("menuitem", name="投诉须知").click()
    await (await popup.value).close()
    assert (await accounts.hears("EventKey"))["Event"] == "VIEW"
    sandbox.wechat.account.set_menu(None)
    await expect(bar).to_be_hidden()


async def test_choices_are_tapped_as_often_as_one_likes(
    page: Page, li: WeChatPhone, api: Apis, accounts: Accounts
) -> None:
    phone = await opened(page, li)
    items = [{"id": "f7:1", "content": "1. 退货"}, {"id": "f7:2", "content": "2. 换货"}]
    menu = {"head_content": "您希望？", "list": items, "tail_content": "也可以打字"}
    await api.wechat("message/custom/send", touser=li.openid, msgtype="msgmenu", msgmenu=menu)
    said = await phone.hears("您希望？")
    for label, number in (("2. 换货", "f7:2"), ("1. 退货", "f7:1")):
        await phone.press(label)
        told = await accounts.hears("bizmsgmenuid")
        assert (told["Content"], told["bizmsgmenuid"]) == (label, number)

    assert said.buttons == ["1. 退货", "2. 换货"]


async def test_pictures_voices_and_places_are_sent(page: Page, li: WeChatPhone, accounts: Accounts) -> None:
    phone = await opened(page, li)
    await phone.attach("示例照片")
    assert (await accounts.hears("PicUrl"))["MsgType"] == "image"
    await phone.root.locator("textarea").fill("味道很大")
    await phone.root.get_by_role("button", name="附件").click()
    await phone.root.get_by_role("menuitem", name="语音").click()
    assert (await accounts.hears("Recognition"))["Recognition"] == "味道很大"
    await phone.attach("位置")
    assert (await accounts.hears("Label"))["Location_X"] == "31.230400"

    await expect(phone.root.locator("textarea")).to_have_value("")
    await expect(phone.root.locator(".own .photo, .own .voice, .own .card")).to_have_count(3)


async def test_a_photo_of_ones_own_is_uploaded(page: Page, li: WeChatPhone, accounts: Accounts, tmp_path: Path) -> None:
    phone = await opened(page, li)
    (tmp_path / "leak.png").write_bytes(picture(60, 40))
    await phone.root.get_by_role("button", name="附件").click()
    async with page.expect_file_chooser() as chooser:
        await phone.root.get_by_role("menuitem", name="照片", exact=True).click()
    await (await chooser.value).set_files(tmp_path / "leak.png")

    assert (await accounts.hears("PicUrl"))["MsgType"] == "image"


async def test_an_account_that_does_not_answer_is_out_of_order(page: Page, li: WeChatPhone, accounts: Accounts) -> None:
    phone = await opened(page, li)
    accounts.broken = True
    await phone.say("在吗？")

    await expect(phone.root.locator(".service.unavailable")).to_have_text("该公众号暂时无法提供服务，请稍后再试")


async def test_a_template_message_is_a_sheet_that_leads_to_its_page(page: Page, li: WeChatPhone, api: Apis) -> None:
    phone = await opened(page, li)
    data = {"character_string1": "TS-2026-00017-4", "thing2": "已派专人", "time3": "2026-03-06 14:30"}
    await api.wechat(
        "message/template/send",
        touser=li.openid,
        template_id="TM_progress_0000000000000000000000000000000",
        url="http://127.0.0.1/c",
        data={name: {"value": value} for name, value in data.items()},
    )
    await phone.hears("投诉处理进度提醒", "TS-2026-00017-4", "已派专人")

    await expect(phone.root.get_by_role("link", name="查看详情")).to_have_attribute("href", "http://127.0.0.1/c")
    await expect(phone.root.locator(".facts dt")).to_have_text(["投诉编号", "处理进度", "更新时间"])


# --- a member on WeCom ---


async def test_a_card_waits_after_a_press_and_shows_what_became_of_it(
    page: Page, chen: WeComPhone, sandbox: Sandbox, api: Apis
) -> None:
    li = await sandbox.client.add_wecom_member("小李")
    phone = await opened(page, li, chen)
    other = Handset(page, li.id)
    sent = f"{li.userid}|{chen.userid}"
    task = f"case-{chen.id}"
    await api.wecom("message/send", touser=sent, msgtype="template_card", template_card=CARD | {"task_id": task})
    said = await phone.hears("新投诉 TS-2026-00017-4", "想要：退货", "今天 18:00")
    assert said.buttons == ["我来处理", "请人处理"]
    await phone.press("我来处理")
    await expect(phone.root.locator(".keyboard button:disabled")).to_have_text(["我来处理", "请人处理"])
    await expect(other.root.locator(".keyboard button:enabled")).to_have_text(["我来处理", "请人处理"])

    code = sandbox.wecom.company.codes.give(sandbox.wecom.company.cards[task])
    await api.wecom(
        "message/update_template_card", atall=1, response_code=code, button={"replace_name": "陈主管 已接手"}
    )
    for each in (phone, other):
        await expect(each.root.locator(".keyboard button")).to_have_text(["陈主管 已接手"])
        await expect(each.root.locator(".keyboard button")).to_be_disabled()


async def test_texts_come_and_go_on_wecom(page: Page, chen: WeComPhone, api: Apis, sandbox: Sandbox) -> None:
    phone = await opened(page, chen)
    await expect(phone.root).to_have_attribute("data-skin", "wecom")
    await api.wecom("message/send", touser=chen.userid, msgtype="text", text={"content": "转给您了"})
    await phone.hears("转给您了")
    await phone.say("/cases")
    await expect(phone.root.locator(".message.own .words")).to_have_text("/cases")

    assert [message.text for message in (await chen.transcript()).messages] == ["转给您了", "/cases"]


async def test_in_the_group_only_the_robot_speaks(page: Page, chen: WeComPhone, api: Apis) -> None:
    phone = await opened(page, chen)
    await api.robot("新投诉：质量")
    await phone.show("投诉处理群")
    await expect(phone.root.locator(".message .words").last).to_have_text("新投诉：质量")

    await expect(phone.root.locator(".composer")).to_be_hidden()
    await phone.show("投诉台")
    await expect(phone.root.locator(".composer")).to_be_visible()


# --- all of them together ---


async def test_three_phones_are_whole_on_a_screen_of_1280(
    page: Page, li: WeChatPhone, chen: WeComPhone, sandbox: Sandbox
) -> None:
    await page.set_viewport_size(WIDE)
    wang = await sandbox.client.add_person("王岚")
    await page.evaluate("ids => { location.hash = ids }", f"{wang.id},{li.id},{chen.id}")
    await expect(page.locator(".phone")).to_have_count(3)
    boxes = [await phone.bounding_box() for phone in await page.locator(".phone").all()]

    assert all(box and box["width"] >= 300 and box["x"] + box["width"] <= 1280 for box in boxes)
    assert await page.evaluate("document.querySelector('#phones').scrollWidth <= innerWidth")


@pytest.mark.parametrize("who", ["wechat", "wecom"])
async def test_a_narrow_screen_holds_the_whole_phone(
    page: Page, sandbox: Sandbox, li: WeChatPhone, chen: WeComPhone, who: str
) -> None:
    await page.set_viewport_size(NARROW)
    sandbox.wechat.account.set_menu(MENU)
    phone = await opened(page, chen if who == "wecom" else li)
    await phone.say("很长的一句话，" * 20)
    lowest = phone.root.locator(".entries") if who == "wechat" else phone.root.locator(".composer")
    box = await lowest.bounding_box()
    sandbox.wechat.account.set_menu(None)

    assert box
    assert box["y"] + box["height"] <= NARROW["height"]
    assert await page.evaluate("document.documentElement.scrollWidth") == NARROW["width"]
    assert await phone.root.locator(".log").evaluate("log => log.scrollWidth <= log.clientWidth")
