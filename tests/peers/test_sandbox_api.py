"""A client that somebody else wrote gets along with the sandbox's API."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from sandbox import Sandbox, running
from sandbox.client import WeChatPhone
from sandbox.media import picture
from tests.peers.node import Peer, PeerError

MENU = {
    "button": [
        {"name": "Cases", "sub_button": [{"type": "click", "name": "My cases", "key": "MY_CASES", "sub_button": []}]},
        {"type": "view", "name": "Rules", "url": "http://r.example/?a=1", "sub_button": []},
    ]
}


class Api:
    """The peer, called by the names of its methods."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer

    async def __call__(self, method: str, *given: object) -> Any:
        return await asyncio.to_thread(self._peer.ask, method=method, given=given)


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with running() as sandbox:
        yield sandbox


@pytest.fixture
async def api(sandbox: Sandbox) -> AsyncIterator[Api]:
    about = sandbox.wechat.settings
    with Peer("client.js", appid=about.app_id, secret=about.secret, prefix=f"{sandbox.url}/cgi-bin/") as peer:
        yield Api(peer)


@pytest.fixture
async def li(sandbox: Sandbox) -> WeChatPhone:
    """Somebody who has just written to the account."""
    phone = await sandbox.client.add_wechat_person("Li Na", follows=True)
    await phone.say("It smells")
    return phone


async def test_one_token_serves_many_calls(api: Api, sandbox: Sandbox, li: WeChatPhone) -> None:
    for words in ("one", "two", "three"):
        await api("sendText", li.openid, words)

    assert (await sandbox.client.counters("wechat"))["tokens"] == {"classic": 1}


@pytest.mark.parametrize("replaced", [False, True])
async def test_a_token_that_has_ended_is_fetched_anew(
    api: Api, sandbox: Sandbox, li: WeChatPhone, replaced: bool
) -> None:
    await api("sendText", li.openid, "before")
    await sandbox.client.expire_tokens(replaced=replaced)
    await api("sendText", li.openid, "after")
    counted = await sandbox.client.counters("wechat")

    assert counted["tokens"] == {"classic": 2}
    assert counted["errors"] == {"40001" if replaced else "42001": 1}
    assert [message.text for message in (await li.transcript()).messages if message.from_bot] == ["before", "after"]


@pytest.mark.parametrize("words", ["你好，😀", '<a href="http://c.example/?a=1&b=2">case</a>\n"quoted" \\ %'])
async def test_words_are_shown_as_they_were_sent(api: Api, li: WeChatPhone, words: str) -> None:
    assert (await api("sendText", li.openid, words))["errcode"] == 0
    shown = await li.wait_for()

    assert (shown.text, shown.raw["way"]) == (words, "custom")


async def test_a_picture_is_uploaded_shown_and_brought_back(api: Api, li: WeChatPhone, tmp_path: Path) -> None:
    data = picture(60, 40)
    (tmp_path / "leak.png").write_bytes(data)
    told = await api("uploadImageMedia", str(tmp_path / "leak.png"))
    await api("sendImage", li.openid, told["media_id"])
    shown = await li.wait_for()
    back = await api("getMedia", told["media_id"])

    assert told["type"] == "image"
    assert (shown.raw["media"]["kind"], shown.raw["media"]["size"]) == ("photo", len(data))
    assert bytes(back["data"]) == data


async def test_a_menu_is_made_read_and_taken_away(api: Api, sandbox: Sandbox) -> None:
    assert (await api("createMenu", MENU))["errmsg"] == "ok"
    assert (await api("getMenu"))["menu"] == MENU
    li = await sandbox.client.add_wechat_person("Li Na", follows=True)
    assert await li.click("Rules") == "http://r.example/?a=1"
    await api("removeMenu")

    with pytest.raises(PeerError, match="menu no exist") as refused:
        await api("getMenu")
    assert refused.value.code == 46003


async def test_a_template_message_is_listed_and_shown(api: Api, li: WeChatPhone) -> None:
    listed = (await api("getAllPrivateTemplate"))["template_list"][0]
    data = {
        "character_string1": {"value": "TS-2026-00017-4"},
        "thing2": {"value": "已派专人调查"},
        "time3": {"value": "2026-03-06 14:30"},
    }
    sent = await api("sendTemplate", li.openid, listed["template_id"], "http://c.example/17", "#173177", data)
    shown = await li.wait_for()

    assert sent["msgid"]
    assert shown.text.splitlines()[0] == listed["title"]
    assert all(field["value"] in shown.text for field in data.values())
    assert shown.raw["link"]["url"] == "http://c.example/17"


async def test_a_news_card_is_shown(api: Api, li: WeChatPhone) -> None:
    await api(
        "sendNews", li.openid, [{"title": "Your case", "description": "", "url": "http://c.example", "picurl": ""}]
    )

    assert (await li.wait_for()).raw["link"]["url"] == "http://c.example"


async def test_what_the_platform_refuses_has_its_number(api: Api, sandbox: Sandbox, li: WeChatPhone) -> None:
    codes = []
    for _ in range(6):
        codes += await refusal(api, "sendText", li.openid, "again")
    await sandbox.client.forward(hours=49)
    codes += await refusal(api, "sendText", li.openid, "too late")
    codes += await refusal(api, "sendText", "onobody", "to nobody")
    codes += await refusal(api, "sendImage", li.openid, "no-such-file")

    assert codes == [45047, 45015, 40003, 40007]


async def refusal(api: Api, method: str, *given: object) -> list[object]:
    try:
        await api(method, *given)
    except PeerError as refused:
        return [refused.code]
    return []


async def test_a_wrong_secret_gets_no_token(sandbox: Sandbox) -> None:
    about = sandbox.wechat.settings
    with Peer("client.js", appid=about.app_id, secret="wrong", prefix=f"{sandbox.url}/cgi-bin/") as peer:
        assert await refusal(Api(peer), "getMenu") == [40125]
