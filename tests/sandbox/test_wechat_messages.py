"""What an Official Account says by itself is counted, measured and refused as on the real platform."""

import json

import pytest

from sandbox import Sandbox, SandboxError, WeChatPhone
from tests.sandbox.conftest import Clock
from tests.sandbox.tencent import Caller

SEND, TYPING = "cgi-bin/message/custom/send", "cgi-bin/message/custom/typing"
ITEMS = [{"id": "101", "content": "满意"}, {"id": "102", "content": "不满意"}]


def text(to: WeChatPhone, content: object = "您好") -> dict[str, object]:
    return {"touser": to.openid, "msgtype": "text", "text": {"content": content}}


async def posted(official: Caller, path: str, body: object) -> int:
    official.token = ""  # the last one may be too old
    await official.get("cgi-bin/getcallbackip")
    raw = json.dumps(body, ensure_ascii=False).encode()
    query = {"access_token": official.token}
    async with official.http.post(f"{official.url}/{path}", params=query, data=raw) as answer:
        return int((await answer.json())["errcode"])


async def test_a_message_grants_five_answers_in_two_days(official: Caller, wang: WeChatPhone, clock: Clock) -> None:
    clock.move(minutes=2)  # what following granted is over
    await wang.say("在吗")
    codes = [await posted(official, SEND, text(wang, f"{number}")) for number in range(6)]
    assert codes == [0, 0, 0, 0, 0, 45047]

    await wang.say("在吗？")
    clock.move(hours=48)
    assert await posted(official, SEND, text(wang)) == 45015


async def test_a_message_still_grants_just_before_two_days_are_over(
    official: Caller, sandbox: Sandbox, wang: WeChatPhone
) -> None:
    await wang.say("在吗")
    await sandbox.client.forward(hours=47, minutes=59)
    assert await posted(official, SEND, text(wang)) == 0

    await sandbox.client.forward(minutes=1)
    assert await posted(official, SEND, text(wang)) == 45015


async def test_following_grants_three_in_a_minute(official: Caller, wang: WeChatPhone, clock: Clock) -> None:
    codes = [await posted(official, SEND, text(wang, f"{number}")) for number in range(4)]
    assert codes == [0, 0, 0, 45047]

    clock.move(minutes=1)
    assert await posted(official, SEND, text(wang)) == 45015


async def test_a_touch_does_not_add_to_a_message(official: Caller, wang: WeChatPhone) -> None:
    await posted(official, "cgi-bin/menu/create", {"button": [{"type": "click", "name": "投诉", "key": "NEW"}]})
    await wang.say("在吗")
    await wang.click("NEW")

    codes = [await posted(official, SEND, text(wang, f"{number}")) for number in range(6)]
    assert codes == [0, 0, 0, 0, 0, 45047]


async def test_a_tap_on_a_menu_message_is_a_touch_and_not_a_message(
    official: Caller, wang: WeChatPhone, clock: Clock
) -> None:
    body = {"touser": wang.openid, "msgtype": "msgmenu", "msgmenu": {"head_content": "评价", "list": ITEMS}}
    assert await posted(official, SEND, body) == 0
    clock.move(minutes=2)
    await wang.press("满意")

    codes = [await posted(official, SEND, text(wang, f"{number}")) for number in range(4)]
    assert codes == [0, 0, 0, 45047]


async def test_who_turned_away_and_who_never_came_hear_nothing(
    official: Caller, sandbox: Sandbox, wang: WeChatPhone
) -> None:
    stranger = await sandbox.client.add_wechat_person("Zhao")
    await wang.say("在吗")
    await wang.unfollow()

    assert await posted(official, SEND, text(wang)) == 45015
    assert await posted(official, SEND, text(stranger)) == 43004
    with pytest.raises(SandboxError, match="does not follow"):
        await stranger.say("在吗")


async def test_every_kind_of_message_is_shown(official: Caller, sandbox: Sandbox, wang: WeChatPhone) -> None:
    await wang.say("在吗")
    picture = (await official.upload("cgi-bin/media/upload", "a.png", b"png", type="image"))["media_id"]
    article = {"title": "进度", "description": "看这里", "url": "https://plaint.example/s", "picurl": ""}
    menu = {"head_content": "满意吗？", "list": ITEMS, "tail_content": "谢谢"}
    for kind, about in (
        ("text", {"content": '点<a href="https://plaint.example/u">这里</a>'}),
        ("image", {"media_id": picture}),
        ("news", {"articles": [article]}),
        ("msgmenu", menu),
    ):
        assert await posted(official, SEND, {"touser": wang.openid, "msgtype": kind, kind: about}) == 0

    shown = (await wang.transcript()).messages[-4:]
    assert [message.raw["kind"] for message in shown] == ["text", "image", "news", "msgmenu"]
    assert shown[0].raw["links"] == [{"url": "https://plaint.example/u", "text": "这里"}]
    assert shown[1].raw["media"]["kind"] == "photo"
    assert [(button.text, button.data) for button in shown[3].buttons] == [("满意", "101"), ("不满意", "102")]
    assert (shown[3].text, shown[3].raw["tail"]) == ("满意吗？", "谢谢")
    assert await wang.open("进度") == "https://plaint.example/s"
    assert await wang.open("这里") == "https://plaint.example/u"
    assert (await sandbox.client.counters("wechat"))["sent"] == {
        "custom": {"text": 1, "image": 1, "news": 1, "msgmenu": 1}
    }


async def test_an_over_long_text_is_refused_and_costs_nothing(official: Caller, wang: WeChatPhone) -> None:
    assert await posted(official, SEND, text(wang, "字" * 682 + "ab")) == 0
    assert await posted(official, SEND, text(wang, "字" * 683)) == 45002
    assert [await posted(official, SEND, text(wang, f"{number}")) for number in range(3)] == [0, 0, 45047]


@pytest.mark.parametrize("kind", ["subscription", "test"])
async def test_menu_messages_and_typing_are_for_service_accounts(
    official: Caller, sandbox: Sandbox, wang: WeChatPhone, kind: str
) -> None:
    await sandbox.client.set_account(kind=kind)
    menu = {"touser": wang.openid, "msgtype": "msgmenu", "msgmenu": {"list": ITEMS}}

    assert await posted(official, SEND, menu) == 40200
    assert await posted(official, TYPING, {"touser": wang.openid, "command": "Typing"}) == 40200
    assert await posted(official, SEND, text(wang)) == 0


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"touser": "o_nobody"}, 40003),
        ({"touser": None}, 40003),
        ({"msgtype": "smoke"}, 40008),
        ({"msgtype": None}, 40008),
        ({"text": {"content": ""}}, 44004),
        ({"text": None}, 44004),
        ({"msgtype": "image"}, 41006),
        ({"msgtype": "image", "image": {"media_id": "gone"}}, 40007),
        ({"msgtype": "news", "news": {"articles": []}}, 44003),
        ({"msgtype": "news", "news": {"articles": [{"title": "a"}, {"title": "b"}]}}, 45008),
        ({"msgtype": "msgmenu", "msgmenu": {"list": []}}, 40035),
        ({"msgtype": "msgmenu", "msgmenu": {"list": [{"id": "1"}]}}, 40035),
    ],
)
async def test_a_message_with_something_wrong_is_refused(
    official: Caller, wang: WeChatPhone, change: dict[str, object], code: int
) -> None:
    assert await posted(official, SEND, text(wang) | change) == code
    assert [message.text for message in (await wang.transcript()).messages if message.from_bot] == []


async def test_escaped_letters_are_refused_but_escaped_controls_are_not(official: Caller, wang: WeChatPhone) -> None:
    await official.get("cgi-bin/getcallbackip")

    async def send(content: str) -> int:
        raw = f'{{"touser":"{wang.openid}","msgtype":"text","text":{{"content":"{content}"}}}}'
        query = {"access_token": official.token}
        async with official.http.post(f"{official.url}/{SEND}", params=query, data=raw) as answer:
            return int((await answer.json())["errcode"])

    assert await send(r"\u60a8\u597d") == 40033
    assert await send(r"a\u0009b") == 0
    assert await send(r"c:\\u60a8") == 0


async def test_what_is_no_json_object_is_refused(official: Caller) -> None:
    await official.get("cgi-bin/getcallbackip")
    for raw in (b"touser=1", b"[]", b'{"touser"'):
        query = {"access_token": official.token}
        async with official.http.post(f"{official.url}/{SEND}", params=query, data=raw) as answer:
            assert (await answer.json())["errcode"] == 47001


async def test_typing_needs_a_fresh_word_and_lasts_fifteen_seconds(
    official: Caller, wang: WeChatPhone, clock: Clock
) -> None:
    typing = {"touser": wang.openid, "command": "Typing"}
    assert await posted(official, TYPING, typing) == 45080
    await wang.say("在吗")
    assert [await posted(official, TYPING, typing) for _ in range(2)] == [0, 45081]
    clock.move(seconds=16)
    assert await posted(official, TYPING, typing) == 0
    assert await posted(official, TYPING, {**typing, "command": "CancelTyping"}) == 0
    assert await posted(official, TYPING, typing) == 0
    assert await posted(official, SEND, text(wang)) == 0  # which cancels it
    assert await posted(official, TYPING, typing) == 0
    clock.move(seconds=31)
    assert await posted(official, TYPING, typing) == 45080
    assert await posted(official, TYPING, {**typing, "command": "Snore"}) == 45072


async def test_the_day_has_a_quota_that_can_be_cleared_ten_times_a_month(
    official: Caller, sandbox: Sandbox, wang: WeChatPhone
) -> None:
    await sandbox.client.set_account(quotas={"message/custom/send": 1})
    about = {"appid": sandbox.wechat.settings.app_id}
    assert [await posted(official, SEND, text(wang, f"{number}")) for number in range(2)] == [0, 45009]
    asked = await official.post("cgi-bin/openapi/quota/get", {"cgi_path": "/cgi-bin/message/custom/send"})
    assert asked["quota"] == {"daily_limit": 1, "used": 1, "remain": 0}

    cleared = [await posted(official, "cgi-bin/clear_quota", about) for _ in range(11)]
    assert cleared == [0] * 10 + [48006]
    assert await posted(official, SEND, text(wang, "3")) == 0
