"""An Official Account is told everything in order, three times if need be, and its answers are read with care."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox import CallbackTiming, Sandbox, SandboxError, WeChatPhone, WeChatSettings, running
from sandbox.tencent.envelope import Crypt, Envelope, EnvelopeError, read, signature, write
from tests.sandbox.conftest import listening, until
from tests.sandbox.tencent import Caller, Listener, parsed, saying

LINE = "该公众号暂时无法提供服务，请稍后再试"


async def lines(phone: WeChatPhone) -> list[str]:
    return [message.text for message in (await phone.transcript()).messages if message.from_bot]


@asynccontextmanager
async def meeting(settings: WeChatSettings) -> AsyncIterator[tuple[Sandbox, WeChatPhone, Listener]]:
    """Open another sandbox with somebody in it, and an account that hears what they do from now on."""
    about = Listener(token=settings.token, key=settings.aes_key, identity=settings.app_id)
    async with running(wechat=settings) as sandbox, listening(about) as account:
        wang = await sandbox.client.add_wechat_person("Wang Wei", follows=True)
        await sandbox.client.set_callback(account.url, platform="wechat", verify=False)
        yield sandbox, wang, account


async def unavailable(sandbox: Sandbox) -> int:
    return int((await sandbox.client.counters("wechat"))["unavailable"])


def test_what_is_sealed_and_signed_is_what_the_platform_publishes_as_its_example() -> None:
    sealed = "P9nAzCzyDtyTWESHep1vC5X9xho/qYX3Zpb4yKa9SKld1DsH3Iyt3tP3zNdtp+4RPcs8TgAE7OaBO+FZXvnaqQ=="
    crypt = Crypt("jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C", "wx5823bf96d3bd56c7")

    assert signature("QDG6eK", "1409659589", "263014780", sealed) == "5c45ff5e21c57e6ad56bac8758b79b1d9ac89fd3"
    assert crypt.decrypt(sealed) == b"1616140317555161061"
    assert crypt.decrypt(crypt.encrypt("你好".encode())).decode() == "你好"


@given(st.binary(max_size=200), st.text(alphabet="abcdef0123", min_size=1))
def test_whatever_is_sealed_can_be_opened_by_nobody_else(text: bytes, identity: str) -> None:
    crypt = Crypt("jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C", identity)

    assert crypt.decrypt(crypt.encrypt(text)) == text
    with pytest.raises(EnvelopeError):
        crypt.decrypt(Crypt("jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C", identity + "x").encrypt(text))


@pytest.mark.parametrize("body", [b"", b"{}", b"<xml/>", b"<a><b>1</b></a>", b"<xml><a>1</a><a>2</a></xml>", b"\xff"])
def test_what_is_no_answer_is_not_read(body: bytes) -> None:
    with pytest.raises(EnvelopeError):
        read(body)


def test_an_answer_with_a_document_type_is_not_read() -> None:
    with pytest.raises(EnvelopeError, match="document type"):
        read(b'<!DOCTYPE x [<!ENTITY a "b">]><xml><a>&a;</a></xml>')


def test_a_text_can_break_out_of_the_xml_as_it_can_on_the_real_platform() -> None:
    written = write({"Content": "x]]></Content><FromUserName><![CDATA[o_victim]]></FromUserName><Content><![CDATA[y"})

    assert "<FromUserName><![CDATA[o_victim]]></FromUserName>" in written
    with pytest.raises(EnvelopeError):
        Envelope(token="t", aes_key="a" * 42 + "A", identity="i", mode="plain").unwrap(written.encode())


async def test_a_message_is_told_as_the_platform_writes_it(
    sandbox: Sandbox, wang: WeChatPhone, account: Listener
) -> None:
    said = await wang.say("快递坏了")
    await until(lambda: account.told)

    assert account.told[0] == {
        "ToUserName": sandbox.wechat.settings.original_id,
        "FromUserName": wang.openid,
        "CreateTime": str(said.date),
        "MsgType": "text",
        "Content": "快递坏了",
        "MsgId": said.raw["msg_id"],
    }
    query = account.queries[0]
    assert set(query) == {"signature", "timestamp", "nonce", "openid", "encrypt_type", "msg_signature"}
    assert (query["openid"], query["encrypt_type"]) == (wang.openid, "aes")
    assert set(parsed(account.bodies[0])) == {"ToUserName", "Encrypt"}
    await sandbox.client.settled()
    assert (await wang.transcript()).last.delivered


@pytest.mark.parametrize("mode", ["plain", "compatible"])
async def test_other_modes_tell_in_the_clear(mode: str) -> None:
    async with meeting(WeChatSettings(mode=mode)) as (sandbox, wang, account):
        account.answers += ["", saying("明文"), account.says("密文")]
        await wang.say("一")
        await wang.say("二")
        await wang.say("三")
        await sandbox.client.settled()

        clear = parsed(account.bodies[0])
        assert (clear["Content"], "Encrypt" in clear) == ("一", mode == "compatible")
        assert ("encrypt_type" in account.queries[0]) is (mode == "compatible")
        assert await lines(wang) == ["明文", "密文" if mode == "compatible" else LINE]


async def test_every_doing_of_a_person_has_its_message(
    official: Caller, sandbox: Sandbox, wang: WeChatPhone, account: Listener
) -> None:
    await wang.send_photo()
    await wang.send_voice(recognition="包裹坏了")
    await wang.send_video()
    await wang.send_location(31.23, 121.47)
    await wang.send_link("证据", "https://example.org/e", description="截图")
    await sandbox.client.settled()

    image, voice, video, place, link = account.told
    assert [told["MsgType"] for told in account.told] == ["image", "voice", "video", "location", "link"]
    assert {"PicUrl", "MediaId", "MsgId"} < set(image)
    assert (voice["Format"], voice["Recognition"]) == ("amr", "包裹坏了")
    assert {"MediaId", "ThumbMediaId"} < set(video)
    assert (place["Location_X"], place["Location_Y"], place["Scale"]) == ("31.230000", "121.470000", "15")
    assert (link["Title"], link["Description"], link["Url"]) == ("证据", "截图", "https://example.org/e")
    await official.get("cgi-bin/getcallbackip")
    kind, body = await official.download("cgi-bin/media/get", media_id=image["MediaId"])
    assert (kind, body[:4]) == ("image/png", b"\x89PNG")
    told = await official.get("cgi-bin/media/get", media_id=video["MediaId"])
    async with official.http.get(told["video_url"]) as answer:
        assert len(await answer.read()) == 40_000


async def test_voices_come_without_words_where_the_account_does_not_ask_for_them(
    sandbox: Sandbox, wang: WeChatPhone, account: Listener
) -> None:
    await sandbox.client.set_account(recognition=False)
    await wang.send_voice(recognition="包裹坏了")
    await sandbox.client.settled()

    assert "Recognition" not in account.told[0]


async def test_following_scanning_tapping_and_turning_away_are_events(
    official: Caller, sandbox: Sandbox, account: Listener
) -> None:
    scene = {"action_name": "QR_LIMIT_STR_SCENE", "action_info": {"scene": {"scene_str": "shop-7"}}}
    ticket = (await official.post("cgi-bin/qrcode/create", scene))["ticket"]
    menu = [
        {"type": "click", "name": "Complain", "key": "NEW_CASE"},
        {"name": "More", "sub_button": [{"type": "view", "name": "Page", "url": "https://plaint.example"}]},
    ]
    assert await official.code("cgi-bin/menu/create", {"button": menu}) == 0
    li = await sandbox.client.add_wechat_person("Li")
    await li.scan("shop-7")
    await li.scan("shop-7")
    assert await li.click("Complain") == ""
    assert await li.click("Page") == "https://plaint.example"
    await li.unfollow()
    await li.follow()
    with pytest.raises(SandboxError, match="no QR code"):
        await li.scan("nowhere")
    with pytest.raises(SandboxError, match="no menu entry"):
        await li.click("Nothing")
    await sandbox.client.settled()

    told = [(told["Event"], told["EventKey"], told.get("Ticket")) for told in account.told]
    assert told == [
        ("subscribe", "qrscene_shop-7", ticket),
        ("SCAN", "shop-7", ticket),
        ("CLICK", "NEW_CASE", None),
        ("VIEW", "https://plaint.example", None),
        ("unsubscribe", "", None),
        ("subscribe", "", None),
    ]
    assert all("MsgId" not in each and each["MsgType"] == "event" for each in account.told)


async def test_a_tap_on_a_menu_message_comes_as_its_label_with_its_id(
    official: Caller, sandbox: Sandbox, wang: WeChatPhone, account: Listener
) -> None:
    items = [{"id": "f7:yes", "content": "Yes"}]
    menu = {"touser": wang.openid, "msgtype": "msgmenu", "msgmenu": {"head_content": "Sure?", "list": items}}
    assert await official.code("cgi-bin/message/custom/send", menu) == 0
    number = await wang.press("Yes")
    await sandbox.client.settled()

    assert (account.told[0]["MsgType"], account.told[0]["Content"]) == ("text", "Yes")
    assert (account.told[0]["bizmsgmenuid"], account.told[0]["MsgId"]) == ("f7:yes", number)
    assert (await wang.transcript()).last.text == "Yes"


async def test_an_answer_is_shown_and_silence_is_not(sandbox: Sandbox, wang: WeChatPhone, account: Listener) -> None:
    account.answers += [account.says("收到"), "", "success"]
    for word in ("一", "二", "三"):
        await wang.say(word)
    await sandbox.client.settled()

    assert await lines(wang) == ["收到"]
    counters = await sandbox.client.counters("wechat")
    assert counters["sent"] == {"passive": {"text": 1}}
    assert counters["callbacks"] | {"replied": 1, "silent": 2, "attempts": 3} == counters["callbacks"]


async def test_pictures_and_articles_can_be_answers(
    official: Caller, sandbox: Sandbox, wang: WeChatPhone, account: Listener
) -> None:
    number = (await official.upload("cgi-bin/media/upload", "a.png", b"png", type="image"))["media_id"]
    item = (
        "<item><Title>t</Title><Description>d</Description><PicUrl>p</PicUrl><Url>https://plaint.example</Url></item>"
    )
    account.answers += [
        account.reply(f"<MsgType>image</MsgType><Image><MediaId>{number}</MediaId></Image>"),
        account.reply(f"<MsgType>news</MsgType><ArticleCount>1</ArticleCount><Articles>{item}</Articles>"),
        account.reply("<MsgType>transfer_customer_service</MsgType>"),
    ]
    for word in ("一", "二", "三"):
        await wang.say(word)
    await sandbox.client.settled()

    shown = [message.raw["kind"] for message in (await wang.transcript()).messages if message.from_bot]
    assert shown == ["image", "news"]
    assert await wang.open("t") == "https://plaint.example"


NONSENSE = {
    "json": '{"errcode":0}',
    "words": "SUCCESS!",
    "broken": "<xml><a>",
    "in the clear": saying("您好"),
    "nobody's": "<xml><ToUserName>o</ToUserName></xml>",
}


@pytest.mark.parametrize("kind", NONSENSE)
async def test_nonsense_shows_the_line_of_the_platform_at_once(
    sandbox: Sandbox, wang: WeChatPhone, account: Listener, kind: str
) -> None:
    account.answers += [NONSENSE[kind]]
    await wang.say("在吗")
    await sandbox.client.settled()

    assert await lines(wang) == [LINE]
    assert (await unavailable(sandbox), len(account.told)) == (1, 1)


@pytest.mark.parametrize(
    "inside",
    [
        "<MsgType>text</MsgType><Content></Content>",
        "<MsgType>text</MsgType>",
        "<MsgType>smoke</MsgType>",
        "<MsgType>image</MsgType><Image><MediaId>gone</MediaId></Image>",
        "<MsgType>text</MsgType><Content><![CDATA[a]]>b]]></Content>",
        f"<MsgType>text</MsgType><Content>{'字' * 683}</Content>",
    ],
)
async def test_an_answer_that_cannot_be_shown_shows_the_line(
    sandbox: Sandbox, wang: WeChatPhone, account: Listener, inside: str
) -> None:
    account.answers += [account.reply(inside)]
    await wang.say("在吗")
    await sandbox.client.settled()

    assert await lines(wang) == [LINE]


async def test_the_longest_answer_is_2048_bytes(sandbox: Sandbox, wang: WeChatPhone, account: Listener) -> None:
    account.answers += [account.says("字" * 682 + "ab"), account.says("字" * 682 + "abc")]
    await wang.say("一")
    await wang.say("二")
    await sandbox.client.settled()

    assert await lines(wang) == ["字" * 682 + "ab", LINE]


async def test_a_wrong_seal_or_signature_shows_the_line(sandbox: Sandbox, wang: WeChatPhone, account: Listener) -> None:
    forged = account.says("您好")
    stranger = Listener(token=account.token, key=account.key, identity="wx_another")
    account.answers += [
        lambda told: forged(told).replace("<Nonce><![CDATA[99]", "<Nonce><![CDATA[98]"),
        stranger.says("x"),
    ]
    await wang.say("一")
    await wang.say("二")
    await sandbox.client.settled()

    assert await lines(wang) == [LINE, LINE]


async def test_who_is_slow_is_told_three_times_and_then_the_person_is_told() -> None:
    async with meeting(WeChatSettings(timing=CallbackTiming(timeout=0.3))) as (sandbox, wang, account):
        account.slow = asyncio.Event()
        await wang.say("在吗")
        await sandbox.client.settled()

        assert await lines(wang) == [LINE]
        [callback] = (await sandbox.client.callbacks())[-1:]
        assert (callback["attempts"], callback["outcome"], callback["answers"]) == (3, "failed", ["no answer"] * 3)
        assert len({told["MsgId"] for told in account.told}) == 1


async def test_an_answer_to_a_retry_is_shown() -> None:
    async with meeting(WeChatSettings(timing=CallbackTiming(timeout=1))) as (sandbox, wang, account):
        account.delays, account.answers = [1.5], ["never read", 502, account.says("终于")]
        await wang.say("在吗")
        await sandbox.client.settled()

        assert await lines(wang) == ["终于"]
        assert await unavailable(sandbox) == 0


async def test_a_lost_answer_brings_the_message_again(sandbox: Sandbox, wang: WeChatPhone, account: Listener) -> None:
    await sandbox.client.add_fault("drop_after", method="callback", chat=wang.id, platform="wechat")
    await sandbox.client.add_fault("drop", method="callback", platform="wechat")
    account.answers += [account.says("丢了"), account.says("到了")]
    await wang.say("在吗")
    await sandbox.client.settled()

    assert await lines(wang) == ["到了"]
    assert [told["Content"] for told in account.told] == ["在吗", "在吗"]
    assert (await sandbox.client.callbacks())[-1]["attempts"] == 3


async def test_what_one_person_does_is_told_in_order_and_others_do_not_wait(
    sandbox: Sandbox, wang: WeChatPhone, account: Listener
) -> None:
    other = await sandbox.client.add_wechat_person("Li", follows=True)
    await sandbox.client.settled()
    account.told.clear()
    account.delays = [0.2]
    for number in range(5):
        await wang.say(f"{number}")
    await other.say("quick")
    await sandbox.client.settled()

    words = [told["Content"] for told in account.told]
    mine = [word for word in words if word != "quick"]
    assert all(int(one) < int(two) for one, two in pairwise(mine))
    assert words.index("quick") < 2


async def test_the_platform_tells_of_no_trouble_where_nobody_waits(
    sandbox: Sandbox, wang: WeChatPhone, account: Listener
) -> None:
    account.answers += ["nonsense"]
    await wang.unfollow()
    await sandbox.client.settled()

    assert await lines(wang) == []
    assert await unavailable(sandbox) == 0


async def test_a_callback_that_does_not_echo_is_not_taken(sandbox: Sandbox, account: Listener) -> None:
    account.echo = False
    with pytest.raises(SandboxError, match="the echo is wrong"):
        await sandbox.client.set_callback(account.url, platform="wechat")
    with pytest.raises(SandboxError, match="no answer"):
        await sandbox.client.set_callback("http://127.0.0.1:1/callback", platform="wechat")


async def test_an_outage_holds_back_what_happens_or_only_the_api(
    official: Caller, sandbox: Sandbox, wang: WeChatPhone, account: Listener
) -> None:
    await official.get("cgi-bin/getcallbackip")
    await sandbox.client.set_outage("refuse", platform="wechat")
    await wang.say("一")
    with pytest.raises(aiohttp.ClientError):
        await official.get("cgi-bin/getcallbackip")
    await asyncio.sleep(0.05)
    assert account.told == []

    await sandbox.client.set_outage("fail", platform="wechat", callbacks=True)
    await sandbox.client.settled()
    assert [told["Content"] for told in account.told] == ["一"]
    async with official.http.get(f"{official.url}/cgi-bin/getcallbackip") as answer:
        assert answer.status == 500
    assert (await sandbox.client.add_wecom_member("Chen")).name == "Chen"
    await sandbox.client.clear_faults("wechat")
    assert "ip_list" in await official.get("cgi-bin/getcallbackip")


async def test_calls_fail_on_demand(official: Caller, sandbox: Sandbox, wang: WeChatPhone) -> None:
    body = {"touser": wang.openid, "msgtype": "text", "text": {"content": "hello"}}
    path = "cgi-bin/message/custom/send"
    await official.get("cgi-bin/getcallbackip")
    await sandbox.client.add_fault("error", method=path, platform="wechat")
    await sandbox.client.add_fault("error", code=50002, chat=wang.id, platform="wechat")
    await sandbox.client.add_fault("429", platform="wechat")
    assert [await official.code(path, body) for _ in range(3)] == [-1, 50002, 45011]
    await sandbox.client.add_fault("drop_after", platform="wechat")
    with pytest.raises(aiohttp.ClientError):
        await official.post(path, body)

    assert await lines(wang) == ["hello"]
    calls = await sandbox.client.calls(path, platform="wechat")
    assert [call["code"] for call in calls] == [-1, 50002, 45011, 0]


async def test_everything_can_be_slow(official: Caller, sandbox: Sandbox) -> None:
    await official.get("cgi-bin/getcallbackip")
    await sandbox.client.set_delay(0.15, platform="wechat")
    began = asyncio.get_running_loop().time()
    await official.get("cgi-bin/getcallbackip")

    assert asyncio.get_running_loop().time() - began > 0.1


async def test_anything_can_be_told_again_and_as_it_is(sandbox: Sandbox, wang: WeChatPhone, account: Listener) -> None:
    await wang.say("在吗")
    await sandbox.client.settled()
    number = (await sandbox.client.callbacks())[-1]["id"]
    assert await sandbox.client.replay_callback(number, 3) == [200, 200, 200]
    assert [told["Content"] for told in account.told] == ["在吗"] * 4

    await sandbox.client.inject_callback(wang, {"MsgType": "smoke", "FromUserName": wang.openid})
    await sandbox.client.settled()
    assert account.told[-1]["MsgType"] == "smoke"


async def test_what_browsers_are_told_names_its_platform(sandbox: Sandbox, wang: WeChatPhone) -> None:
    async with aiohttp.ClientSession() as http, http.ws_connect(f"{sandbox.url}/sandbox/live") as socket:
        await wang.say("在吗")
        await wang.unfollow()
        events = [await socket.receive_json(timeout=2) for _ in range(3)]

    assert {event["platform"] for event in events} == {"wechat"}
    assert [event["kind"] for event in events] == ["message", "person", "chat"]
    assert (events[0]["chat_key"], events[0]["message"]["sender"]["id"]) == (str(wang.id), wang.id)
    assert (events[1]["person"]["present"], events[2]["chat"]["started"]) == (False, False)


async def test_plain_answers_keep_their_line_breaks(sandbox: Sandbox, wang: WeChatPhone, account: Listener) -> None:
    account.answers += [account.reply("<MsgType>text</MsgType><Content><![CDATA[1 质量\n2 物流]]></Content>")]
    await wang.say("投诉")

    assert (await wang.wait_for()).text == "1 质量\n2 物流"
