"""An app of WeCom writes to members within the platform's limits, and robots to their groups."""

import base64
import hashlib

import pytest

from sandbox import Sandbox, SandboxError, WeComPhone
from tests.sandbox.conftest import Clock
from tests.sandbox.tencent import Caller, Json, Listener

SEND, ROBOT = "cgi-bin/message/send", "cgi-bin/webhook/send"
AGENT = 1_000_002


def text(to: str = "chenjie", content: object = "新投诉", **more: object) -> Json:
    return {"touser": to, "msgtype": "text", "agentid": AGENT, "text": {"content": content}, **more}


async def test_a_token_stays_until_it_ends(app: Caller, sandbox: Sandbox, clock: Clock) -> None:
    about = sandbox.wecom.settings
    known = {"corpid": about.corp_id, "corpsecret": about.secret}
    first = await app.get("cgi-bin/gettoken", **known)
    clock.move(hours=1)
    again = await app.get("cgi-bin/gettoken", **known)
    assert first["access_token"] == again["access_token"]
    assert (first["errcode"], first["expires_in"], again["expires_in"]) == (0, 7200, 3600)

    app.token = first["access_token"]
    clock.move(hours=1)
    assert await app.code(SEND, text()) == 42001
    app.token = (await app.get("cgi-bin/gettoken", **known))["access_token"]
    assert app.token != first["access_token"]
    assert await app.code(SEND, text()) == 81013


@pytest.mark.parametrize(
    ("wrong", "code"),
    [({"corpid": ""}, 41002), ({"corpsecret": ""}, 41004), ({"corpid": "ww1"}, 40013), ({"corpsecret": "x"}, 40001)],
)
async def test_who_is_nobody_gets_no_token(app: Caller, sandbox: Sandbox, wrong: dict[str, str], code: int) -> None:
    about = sandbox.wecom.settings
    told = await app.get("cgi-bin/gettoken", **({"corpid": about.corp_id, "corpsecret": about.secret} | wrong))

    assert told["errcode"] == code
    assert f"more info at https://open.work.weixin.qq.com/devtool/query?e={code}" in told["errmsg"]


async def test_a_call_needs_a_good_token_from_a_good_address(app: Caller, sandbox: Sandbox, chen: WeComPhone) -> None:
    assert await app.code(SEND, text(), access_token="") == 41001
    assert await app.code(SEND, text(), access_token="made up") == 40014
    assert await app.code(SEND, text()) == 0
    await sandbox.client.set_account("wecom", allowed_ips=["10.0.0.1"])
    assert await app.code(SEND, text()) == 60020
    await sandbox.client.set_account("wecom", allowed_ips=None)
    await sandbox.client.expire_tokens("wecom", replaced=True)
    assert await app.code(SEND, text()) == 40014


async def test_a_message_reaches_whom_it_can(app: Caller, sandbox: Sandbox, chen: WeComPhone) -> None:
    lin = await sandbox.client.add_wecom_member("Lin", departments=[2])
    told = await app.post(SEND, text(f"chenjie|nobody|{lin.userid}", toparty="2|9", totag="5"))

    assert (told["errcode"], told["invaliduser"], told["invalidparty"], told["invalidtag"]) == (0, "nobody", "9", "5")
    assert told["msgid"]
    for phone in (chen, lin):
        assert [message.text for message in (await phone.transcript()).messages] == ["新投诉"]
    await app.post(SEND, text("@all", "everyone"))
    assert (await chen.transcript()).last.text == (await lin.transcript()).last.text == "everyone"


async def test_a_message_can_be_taken_back(app: Caller, chen: WeComPhone) -> None:
    number = (await app.post(SEND, text()))["msgid"]
    assert await app.code("cgi-bin/message/recall", {"msgid": number}) == 0
    assert [message.deleted for message in (await chen.transcript()).messages] == [True]
    assert await app.code("cgi-bin/message/recall", {"msgid": "other"}) == 40058


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"touser": ""}, 82001),
        ({"touser": "nobody"}, 81013),
        ({"touser": "|".join(f"m{number}" for number in range(1001))}, 40032),
        ({"agentid": None}, 41011),
        ({"agentid": 7}, 301002),
        ({"msgtype": "smoke"}, 40008),
        ({"text": {"content": ""}}, 44004),
        ({"msgtype": "markdown", "markdown": {"content": "字" * 683}}, 45002),
        ({"msgtype": "file", "file": {"media_id": "gone"}}, 40007),
        ({"msgtype": "image"}, 41006),
        ({"msgtype": "textcard", "textcard": {"title": "t"}}, 44004),
    ],
)
async def test_a_message_with_something_wrong_is_refused(
    app: Caller, chen: WeComPhone, change: Json, code: int
) -> None:
    assert await app.code(SEND, text() | change) == code
    assert (await chen.transcript()).messages == ()


async def test_a_long_text_is_cut_without_a_word(app: Caller, sandbox: Sandbox, chen: WeComPhone) -> None:
    assert await app.code(SEND, text(content="字" * 683)) == 0

    assert (await chen.transcript()).last.text == "字" * 682
    assert (await sandbox.client.counters("wecom"))["dropped"] == {"cut": 1}


async def test_the_thirty_first_message_of_a_minute_vanishes(
    app: Caller, sandbox: Sandbox, chen: WeComPhone, clock: Clock
) -> None:
    lin = await sandbox.client.add_wecom_member("Lin")
    codes = {await app.code(SEND, text(content=f"{number}")) for number in range(32)}
    await app.code(SEND, text(f"chenjie|{lin.userid}", "both"))

    assert codes == {0}
    assert len((await chen.transcript()).messages) == 30
    assert (await lin.transcript()).last.text == "both"
    assert (await sandbox.client.counters("wecom"))["dropped"] == {"rate": 3}
    clock.move(seconds=60)
    await app.code(SEND, text(content="later"))
    assert (await chen.transcript()).last.text == "later"


async def test_the_same_message_vanishes_if_the_app_wishes(
    app: Caller, sandbox: Sandbox, chen: WeComPhone, clock: Clock
) -> None:
    body = text(enable_duplicate_check=1, duplicate_check_interval=60)
    for _ in range(2):
        assert await app.code(SEND, body) == 0
    clock.move(seconds=60)
    await app.code(SEND, body)

    assert len((await chen.transcript()).messages) == 2
    assert (await sandbox.client.counters("wecom"))["dropped"] == {"repeat": 1}


async def test_files_are_sent_and_kept_for_three_days(
    app: Caller, sandbox: Sandbox, chen: WeComPhone, clock: Clock
) -> None:
    for kind, name in (("image", "a.png"), ("voice", "a.amr"), ("video", "a.mp4"), ("file", "a.pdf")):
        told = await app.upload("cgi-bin/media/upload", name, b"contents", type=kind)
        assert (told["type"], told["created_at"]) == (kind, str(int(clock.now.timestamp())))
        body = {"touser": "chenjie", "msgtype": kind, "agentid": AGENT, kind: {"media_id": told["media_id"]}}
        assert await app.code(SEND, body) == 0
        assert (await app.download("cgi-bin/media/get", media_id=told["media_id"]))[1] == b"contents"
    kinds = [message.raw["media"]["kind"] for message in (await chen.transcript()).messages]
    assert kinds == ["photo", "voice", "video", "document"]

    clock.move(days=3)
    app.token = ""
    assert (await app.get("cgi-bin/media/get", media_id=told["media_id"]))["errcode"] == 40007


@pytest.mark.parametrize(
    ("kind", "name", "size", "code"),
    [
        ("smoke", "a", 9, 40004),
        ("image", "a.gif", 9, 40005),
        ("file", "a", 5, 40006),
        ("voice", "a.amr", 3 << 20, 45001),
    ],
)
async def test_a_file_with_something_wrong_is_refused(app: Caller, kind: str, name: str, size: int, code: int) -> None:
    assert (await app.upload("cgi-bin/media/upload", name, bytes(size), type=kind))["errcode"] == code


async def test_the_app_and_its_members_can_be_looked_up(app: Caller, chen: WeComPhone) -> None:
    told = await app.get("cgi-bin/agent/get", agentid=str(AGENT))
    assert told["allow_userinfos"] == {"user": [{"userid": "chenjie"}]}
    assert (await app.get("cgi-bin/agent/get", agentid="8"))["errcode"] == 301002
    assert (await app.get("cgi-bin/user/get", userid="chenjie"))["name"] == "Chen Jie"
    assert (await app.get("cgi-bin/user/get", userid="nobody"))["errcode"] == 60111


async def test_a_robot_speaks_in_its_group_twenty_times_a_minute(
    app: Caller, sandbox: Sandbox, chen: WeComPhone, clock: Clock
) -> None:
    body = {"msgtype": "text", "text": {"content": "overdue", "mentioned_list": ["chenjie"]}}
    codes = [await app.code(ROBOT, body, key="sandbox-robot") for _ in range(21)]
    assert codes == [0] * 20 + [45009]
    clock.move(seconds=60)
    assert await app.code(ROBOT, body, key="sandbox-robot") == 0

    shown = (await chen.in_group().transcript()).messages
    assert (len(shown), shown[0].text, shown[0].raw["mentions"]) == (21, "overdue", ["chenjie"])
    assert (await sandbox.client.counters("wecom"))["sent"] == {"robot": {"text": 21}}


async def test_a_robot_needs_its_key_and_its_limits(app: Caller, chen: WeComPhone) -> None:
    async def say(kind: str, about: object, key: str = "sandbox-robot") -> int:
        return await app.code(ROBOT, {"msgtype": kind, kind: about}, key=key)

    data = b"\x89PNG"
    picture = {"base64": base64.b64encode(data).decode(), "md5": hashlib.md5(data).hexdigest()}
    uploaded = await app.upload("cgi-bin/webhook/upload_media", "a.pdf", b"contents", type="file", key="sandbox-robot")
    assert await say("text", {"content": "hello"}, key="guess") == 93000
    assert await say("text", {"content": "字" * 683}) == 40058
    assert await say("markdown", {"content": "字" * 1365}) == 0
    assert await say("markdown", {"content": "字" * 1366}) == 40058
    assert await say("image", picture) == 0
    assert await say("image", picture | {"md5": "0"}) == 301019
    assert await say("file", {"media_id": uploaded["media_id"]}) == 0
    assert await say("smoke", {}) == 40008
    assert await say("text", {}) == 44004
    card = {"card_type": "text_notice", "main_title": {"title": "Overdue"}}
    assert await say("template_card", card) == 0
    assert await say("template_card", card | {"card_type": "button_interaction"}) == 40058


async def test_members_and_directory_speak_through_sealed_callbacks(
    sandbox: Sandbox, chen: WeComPhone, desk: Listener
) -> None:
    desk.answers += [desk.says("welcome")]
    await chen.enter()
    assert (await chen.wait_for()).text == "welcome"
    said = await chen.say("我的任务")
    await chen.send_photo()
    await chen.send_location(31.2, 121.4)
    await chen.leave()
    await sandbox.client.settled("wecom")

    enter, word, photo, place, gone = desk.told
    about = sandbox.wecom.settings
    assert (enter["Event"], enter["EventKey"], enter["AgentID"]) == ("enter_agent", "", str(about.agent_id))
    assert (word["Content"], word["MsgId"], word["AgentID"]) == ("我的任务", said.raw["msg_id"], str(about.agent_id))
    assert (word["ToUserName"], word["FromUserName"]) == (about.corp_id, "chenjie")
    assert (photo["MsgType"], place["AppType"]) == ("image", "wxwork")
    assert (gone["Event"], gone["ChangeType"], gone["UserID"]) == ("change_contact", "delete_user", "chenjie")
    assert gone["FromUserName"] == "sys"
    assert set(desk.queries[0]) == {"msg_signature", "timestamp", "nonce"}
    with pytest.raises(SandboxError, match="does not belong"):
        await chen.say("still here")


async def test_a_callback_must_open_the_sealed_echo(sandbox: Sandbox, desk: Listener) -> None:
    desk.echo = False
    with pytest.raises(SandboxError, match="the echo is wrong"):
        await sandbox.client.set_callback(desk.url, platform="wecom")


async def test_an_answer_in_the_clear_is_not_read_and_nobody_is_told(
    sandbox: Sandbox, chen: WeComPhone, desk: Listener
) -> None:
    desk.answers += ["<xml><MsgType>text</MsgType></xml>"]
    await chen.say("hello")
    await sandbox.client.settled("wecom")

    assert (await sandbox.client.callbacks("wecom"))[-1]["outcome"] == "refused"
    assert len((await chen.transcript()).messages) == 1


async def test_an_outage_of_one_platform_is_not_one_of_the_other(app: Caller, sandbox: Sandbox) -> None:
    await sandbox.client.set_outage("refuse", platform="wechat")

    assert (await app.get("cgi-bin/agent/get", agentid=str(AGENT)))["errcode"] == 0
