"""An account that somebody else wrote hears what the sandbox tells, and its answers reach the sandbox's phones."""

import asyncio
import base64
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from sandbox import Sandbox, SandboxError, running
from sandbox.client import WeChatPhone
from sandbox.wechat import WeChatSettings
from sandbox.wecom import WeComSettings
from tests.peers.node import Peer

KEY = base64.b64encode(bytes(range(7, 39))).decode().rstrip("=")
APP, TOKEN = "wx5823bf96d3bd56c7", "sesame"
MENU = [
    {"type": "click", "name": "Cases", "key": "MY_CASES"},
    {"type": "view", "name": "Rules", "url": "http://r.example"},
]


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A sandbox, the account behind it, and somebody who writes to it."""

    sandbox: Sandbox
    account: Peer
    li: WeChatPhone

    async def heard(self) -> dict[str, str]:
        """What the account understood next."""
        told = await asyncio.to_thread(self.account.hear)
        message: dict[str, str] = told["heard"]
        assert (message["FromUserName"], message["ToUserName"]) == (self.li.openid, "gh_0000sandbox")
        return message

    async def said(self, text: str) -> None:
        """Wait until the phone shows an answer."""
        await self.li.wait_for(lambda message: message.text == text and message.raw["way"] == "passive", since=0)


@pytest.fixture(params=["plain", "aes", "compatible"])
async def stage(request: pytest.FixtureRequest) -> AsyncIterator[Stage]:
    about = WeChatSettings(token=TOKEN, aes_key=KEY, app_id=APP, mode=request.param)
    sealed = {} if request.param == "plain" else {"appid": APP, "encodingAESKey": KEY}
    async with running(wechat=about) as sandbox:
        with Peer("callback.js", token=TOKEN, **sealed) as account:
            port = account.hear()["port"]
            await sandbox.client.set_callback(f"http://127.0.0.1:{port}/", platform="wechat")
            li = await sandbox.client.add_wechat_person("Li Na")
            stage = Stage(sandbox=sandbox, account=account, li=li)
            await li.follow()
            assert (await stage.heard())["Event"] == "subscribe"
            await stage.said("You said: subscribe")
            yield stage


@pytest.mark.parametrize("words", ["你好", "😀👨‍👩‍👧‍👦", "投诉" * 340 + "😀ab,.", "a & b <c>\nd"])
async def test_words_come_and_go(stage: Stage, words: str) -> None:
    said = await stage.li.say(words)
    message = await stage.heard()

    assert (message["MsgType"], message["Content"], message["MsgId"]) == ("text", words, said.raw["msg_id"])


async def test_words_are_answered(stage: Stage) -> None:
    await stage.li.say("a & b <c> 😀")

    await stage.said("You said: a & b <c> 😀")


async def test_files_and_places_come(stage: Stage) -> None:
    await stage.li.send_photo()
    photo = await stage.heard()
    await stage.li.send_voice(recognition="it smells")
    voice = await stage.heard()
    await stage.li.send_location(31.2304, 121.4737)
    place = await stage.heard()
    await stage.li.send_link("A page", "http://p.example/?a=1&b=2")
    link = await stage.heard()

    assert [photo["MsgType"], voice["MsgType"], place["MsgType"], link["MsgType"]] == [
        "image",
        "voice",
        "location",
        "link",
    ]
    assert photo["MediaId"]
    assert photo["MediaId"] in photo["PicUrl"]
    assert (voice["Format"], voice["Recognition"]) == ("amr", "it smells")
    assert (place["Location_X"], place["Location_Y"]) == ("31.230400", "121.473700")
    assert (link["Title"], link["Url"]) == ("A page", "http://p.example/?a=1&b=2")


async def test_taps_on_the_menu_come(stage: Stage) -> None:
    stage.sandbox.wechat.account.set_menu(MENU)
    await stage.li.click("Cases")
    click = await stage.heard()
    await stage.li.click("Rules")
    view = await stage.heard()

    assert (click["Event"], click["EventKey"]) == ("CLICK", "MY_CASES")
    assert (view["Event"], view["EventKey"]) == ("VIEW", "http://r.example")
    await stage.said("You said: CLICK")


async def test_who_unfollows_is_noticed_and_hears_no_more(stage: Stage) -> None:
    await stage.li.unfollow()
    message = await stage.heard()
    await stage.sandbox.client.settled()

    assert message["Event"] == "unsubscribe"
    assert [shown.text for shown in (await stage.li.transcript()).messages] == ["You said: subscribe"]


async def test_every_kind_of_answer_is_shown(stage: Stage) -> None:
    for words in ("silence", "human", "news"):
        await stage.li.say(words)
        await stage.heard()
    await stage.sandbox.client.settled()
    shown = [message for message in (await stage.li.transcript()).messages if message.from_bot]

    assert [message.text for message in shown] == ["You said: subscribe", "Your case"]
    assert shown[-1].raw["link"]["url"] == "http://127.0.0.1/c"
    assert [callback["outcome"] for callback in await stage.sandbox.client.callbacks()] == ["answered"] * 4


async def test_an_account_with_another_token_is_not_accepted(stage: Stage) -> None:
    with Peer("callback.js", token="another") as other:
        port = other.hear()["port"]
        with pytest.raises(SandboxError, match="status 401"):
            await stage.sandbox.client.set_callback(f"http://127.0.0.1:{port}/", platform="wechat")
        await stage.sandbox.client.set_callback(f"http://127.0.0.1:{port}/", platform="wechat", verify=False)
        await stage.li.say("hello?")
        shown = await stage.li.wait_for(lambda message: message.raw["service"] == "unavailable")

    assert shown.text


async def test_what_wecom_tells_is_opened_by_the_library_of_another(crypto: Peer, parser: Peer) -> None:
    corporation = "ww1436e0e65a779aee"
    account = {"token": TOKEN, "key": KEY, "id": corporation}
    posts: asyncio.Queue[tuple[Mapping[str, str], str]] = asyncio.Queue()

    async def serve(request: web.Request) -> web.Response:
        await posts.put((request.query, await request.text()))
        return web.Response()

    def ask(verb: str, *given: str) -> Any:
        return crypto.ask(peer="wecom", account=account, verb=verb, given=given)

    app = web.Application()
    app.router.add_post("/", serve)
    async with TestServer(app) as server:
        about = WeComSettings(token=TOKEN, aes_key=KEY, corp_id=corporation, callback=str(server.make_url("/")))
        async with running(wecom=about) as sandbox:
            chen = await sandbox.client.add_wecom_member("Chen Jie", account="chen")
            await chen.say("a & b <c> 😀")
            told = []
            while not told or told[-1]["MsgType"] != "text":
                query, body = await posts.get()
                sealed = parser.ask(xml=body)["xml"]["Encrypt"]
                assert ask("sign", query["timestamp"], query["nonce"], sealed) == query["msg_signature"]
                opened = ask("open", sealed)
                assert opened["id"] == corporation
                told.append(parser.ask(xml=opened["message"])["xml"])

    assert (told[-1]["FromUserName"], told[-1]["Content"]) == ("chen", "a & b <c> 😀")
