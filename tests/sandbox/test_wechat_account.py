"""Notices, files, menus, codes and people of an Official Account, and what is strict about it."""

import asyncio
import sys
from datetime import timedelta

import pytest

from sandbox import Sandbox, SandboxClient, SandboxError, Template, WeChatPhone, WeChatSettings, running
from sandbox.tencent.gateway import Refusal
from tests.sandbox.conftest import Clock
from tests.sandbox.tencent import Caller, Listener

TEMPLATE, NOTICE = "cgi-bin/message/template/send", "cgi-bin/message/subscribe/bizsend"


def data(**values: str) -> dict[str, dict[str, str]]:
    return {name: {"value": value} for name, value in values.items()}


GOOD = data(character_string1="TS-1", thing2="sent on", time3="2026-03-02 17:00")


async def template_of(official: Caller) -> str:
    listed = (await official.get("cgi-bin/template/get_all_private_template"))["template_list"]
    return str(listed[0]["template_id"])


async def subscription_of(official: Caller) -> str:
    return str((await official.get("wxaapi/newtmpl/gettemplate"))["data"][0]["priTmplId"])


# --- notices ---


async def test_a_template_message_needs_no_word_from_the_person_and_is_confirmed(
    official: Caller, sandbox: Sandbox, wang: WeChatPhone, account: Listener, clock: Clock
) -> None:
    clock.move(days=30)
    url = "https://plaint.example/c"
    body = {"touser": wang.openid, "template_id": await template_of(official), "url": url, "data": GOOD}
    told = await official.post(TEMPLATE, body)
    await sandbox.client.settled()

    assert (told["errcode"], account.told[0]["Event"]) == (0, "TEMPLATESENDJOBFINISH")
    assert (account.told[0]["MsgID"], account.told[0]["Status"]) == (str(told["msgid"]), "success")
    shown = (await wang.transcript()).last
    assert (shown.raw["way"], shown.raw["link"]["url"]) == ("template", "https://plaint.example/c")
    assert shown.text.endswith("投诉编号: TS-1\n处理进度: sent on\n更新时间: 2026-03-02 17:00")


async def test_a_template_message_that_does_not_arrive_says_so_afterwards(
    official: Caller, sandbox: Sandbox, wang: WeChatPhone, account: Listener
) -> None:
    body = {"touser": wang.openid, "template_id": await template_of(official), "data": GOOD}
    await wang.block_templates()
    assert await official.code(TEMPLATE, body) == 0
    await wang.block_templates(blocked=False)
    await sandbox.client.set_account(broken_templates=True)
    assert await official.code(TEMPLATE, body) == 0
    await sandbox.client.settled()

    assert [told["Status"] for told in account.told] == ["failed:user block", "failed: system failed"]
    assert all(message.raw["way"] != "template" for message in (await wang.transcript()).messages)


async def test_the_same_job_is_done_once_in_ten_minutes(official: Caller, wang: WeChatPhone, clock: Clock) -> None:
    template = await template_of(official)
    body = {"touser": wang.openid, "template_id": template, "data": GOOD, "client_msg_id": "job-1"}
    first, again = [(await official.post(TEMPLATE, body))["msgid"] for _ in range(2)]
    clock.move(minutes=10)

    assert first == again
    assert (await official.post(TEMPLATE, body))["msgid"] != first
    assert [message.raw["way"] for message in (await wang.transcript()).messages].count("template") == 2


@pytest.mark.parametrize(
    "wrong",
    [
        {"thing2": {"value": "x" * 21}},
        {"thing2": {"value": "two\nlines"}},
        {"thing2": {"value": " "}},
        {"thing2": {}},
        {"character_string1": {"value": "编号"}},
        {"character_string1": {"value": "1" * 33}},
        {"time3": {"value": "tomorrow"}},
    ],
)
async def test_a_bad_value_is_refused(official: Caller, wang: WeChatPhone, wrong: dict[str, object]) -> None:
    body = {"touser": wang.openid, "template_id": await template_of(official), "data": GOOD | wrong}
    told = await official.post(TEMPLATE, body)

    assert told["errcode"] == 47003
    assert f"data.{next(iter(wrong))}.value" in told["errmsg"]


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        ("number", "12.5", "12a"),
        ("letter", "ABC", "A1"),
        ("phrase", "处理中", "处理中处理中"),
        ("amount", "¥12.50", "much"),
        ("phone_number", "+86-13800138000", "call me"),
        ("date", "2026年3月2日 17:00", "17:00"),
        ("time", "17:00", "5 pm"),
        ("const", "yes", "no"),
        ("short_thing", "short", "much too long"),
    ],
)
def test_each_kind_of_field_has_its_own_rule(kind: str, good: str, bad: str) -> None:
    template = Template(id="t", title="T", fields={f"{kind}1": "label"}, constants={"const1": ["yes"]})

    assert template.fill({f"{kind}1": {"value": good}}) == f"T\nlabel: {good}"
    with pytest.raises(Refusal):
        template.fill({f"{kind}1": {"value": bad}})


async def test_who_does_not_follow_gets_no_template_message(
    official: Caller, sandbox: Sandbox, wang: WeChatPhone
) -> None:
    template = await template_of(official)
    await wang.unfollow()
    assert await official.code(TEMPLATE, {"touser": wang.openid, "template_id": template, "data": GOOD}) == 43004
    assert await official.code(TEMPLATE, {"touser": "o_no", "template_id": template, "data": GOOD}) == 40003
    assert await official.code(TEMPLATE, {"touser": wang.openid, "template_id": "no", "data": GOOD}) == 40037
    await sandbox.client.set_account(kind="subscription")
    assert await official.code(TEMPLATE, {"touser": wang.openid, "template_id": template, "data": GOOD}) == 48001


async def test_a_notice_needs_a_consent_for_each(
    official: Caller, sandbox: Sandbox, wang: WeChatPhone, account: Listener
) -> None:
    template = await subscription_of(official)
    body = {"touser": wang.openid, "template_id": template, "page": "https://plaint.example", "data": GOOD}
    assert await official.code(NOTICE, body) == 43101
    await wang.consent(template, accept=False)
    assert await official.code(NOTICE, body) == 43101
    await wang.consent(template, scene=2)
    await wang.consent(template)
    assert await official.code(NOTICE, body | {"data": {}}) == 47003
    assert [await official.code(NOTICE, body) for _ in range(3)] == [0, 0, 43101]
    await wang.consent(template)
    await wang.withdraw_consent(template)
    assert await official.code(NOTICE, body) == 43101
    await sandbox.client.settled()

    popups = [told["SubscribeMsgPopupEvent"]["List"] for told in account.told if "SubscribeMsgPopupEvent" in told]
    assert [(popup["SubscribeStatusString"], popup["PopupScene"]) for popup in popups] == [
        ("reject", "1"),
        ("accept", "2"),
        ("accept", "1"),
        ("accept", "1"),
    ]
    sent = [told["SubscribeMsgSentEvent"]["List"] for told in account.told if "SubscribeMsgSentEvent" in told]
    assert [(each["ErrorCode"], each["ErrorStatus"]) for each in sent] == [("0", "success")] * 2
    assert account.told[-1]["SubscribeMsgChangeEvent"]["List"] == {
        "TemplateId": template,
        "SubscribeStatusString": "reject",
    }
    with pytest.raises(SandboxError, match="no subscription template"):
        await wang.consent("other")


async def test_templates_can_be_given() -> None:
    own = Template(id="T1", title="Progress", fields={"thing1": "What"})
    async with running(wechat=WeChatSettings(templates=[own], subscriptions=[])) as sandbox:
        assert list(sandbox.wechat.account.templates) == ["T1"]
        assert list(sandbox.wechat.account.subscriptions) == []
        assert own.body() == "What:{{thing1.DATA}}"


# --- files ---


async def test_a_file_is_kept_for_three_days(official: Caller, sandbox: Sandbox, clock: Clock) -> None:
    told = await official.upload("cgi-bin/media/upload", "a.png", b"\x89PNG...", type="image")
    number = told["media_id"]
    assert (told["type"], told["created_at"]) == ("image", int(clock.now.timestamp()))
    assert await official.download("cgi-bin/media/get", media_id=number) == ("application/octet-stream", b"\x89PNG...")

    await sandbox.client.forward(days=3)
    official.token = ""
    assert (await official.get("cgi-bin/media/get", media_id=number))["errcode"] == 40007


@pytest.mark.parametrize(
    ("kind", "name", "size", "code"),
    [
        ("smoke", "a.png", 1, 40004),
        ("image", "a.exe", 1, 40005),
        ("image", "a.png", 0, 44001),
        ("image", "a.png", (10 << 20) + 1, 40009),
        ("voice", "a.amr", (2 << 20) + 1, 40010),
        ("video", "a.mp4", (10 << 20) + 1, 40011),
        ("thumb", "a.jpg", (64 << 10) + 1, 40012),
    ],
)
async def test_a_file_with_something_wrong_is_refused(
    official: Caller, kind: str, name: str, size: int, code: int
) -> None:
    assert (await official.upload("cgi-bin/media/upload", name, bytes(size), type=kind))["errcode"] == code


async def test_a_file_goes_by_its_name_on_the_wire(official: Caller) -> None:
    told = await official.upload("cgi-bin/media/upload", "a.png", b"png", field="file", type="image")
    assert told["errcode"] == 41005
    assert "thumb_media_id" in await official.upload("cgi-bin/media/upload", "a.jpg", b"jpg", type="thumb")
    assert (await official.get("cgi-bin/media/get"))["errcode"] == 41006


# --- menu, codes, people ---


async def test_a_menu_is_made_read_and_deleted(official: Caller, sandbox: Sandbox, wang: WeChatPhone) -> None:
    assert (await official.get("cgi-bin/menu/get"))["errcode"] == 46003
    page = {"type": "view", "name": "Page", "url": "https://plaint.example"}
    buttons = [{"type": "click", "name": "New", "key": "NEW"}, {"name": "More", "sub_button": [page]}]
    assert await official.code("cgi-bin/menu/create", {"button": buttons}) == 0

    assert (await official.get("cgi-bin/menu/get"))["menu"]["button"] == [{**buttons[0], "sub_button": []}, buttons[1]]
    info = await official.get("cgi-bin/get_current_selfmenu_info")
    assert info["is_menu_open"] == 1
    assert info["selfmenu_info"]["button"] == [buttons[0], {"name": "More", "sub_button": {"list": [page]}}]
    assert (await wang.transcript()).chat["menu"] == buttons
    assert (await official.get("cgi-bin/menu/delete"))["errcode"] == 0
    assert (await wang.transcript()).chat["menu"] == []
    assert (await official.get("cgi-bin/get_current_selfmenu_info"))["is_menu_open"] == 0


CLICK = {"type": "click", "name": "New", "key": "NEW"}


@pytest.mark.parametrize(
    ("buttons", "code"),
    [
        ([], 40016),
        ([CLICK] * 4, 40016),
        ([{"name": "More", "sub_button": [CLICK] * 6}], 40023),
        ([CLICK | {"name": "x" * 17}], 40018),
        ([CLICK | {"type": "shout"}], 40017),
        ([CLICK | {"key": "x" * 129}], 40019),
        ([{"type": "view", "name": "Page"}], 40020),
    ],
)
async def test_a_menu_with_something_wrong_is_refused(official: Caller, buttons: object, code: int) -> None:
    assert await official.code("cgi-bin/menu/create", {"button": buttons}) == code


async def test_a_code_for_a_while_ends(official: Caller, sandbox: Sandbox, wang: WeChatPhone, clock: Clock) -> None:
    body = {"expire_seconds": 60, "action_name": "QR_SCENE", "action_info": {"scene": {"scene_id": 7}}}
    told = await official.post("cgi-bin/qrcode/create", body)
    assert (set(told), told["expire_seconds"]) == ({"ticket", "url", "expire_seconds"}, 60)
    assert (await official.download("cgi-bin/showqrcode", ticket=told["ticket"]))[0] == "image/png"
    await wang.scan(7)
    clock.move(seconds=60)
    with pytest.raises(SandboxError, match="no QR code"):
        await wang.scan(7)

    assert await official.code("cgi-bin/qrcode/create", body | {"action_name": "QR"}) == 40052
    assert await official.code("cgi-bin/qrcode/create", body | {"action_info": {}}) == 40053


async def test_people_are_known_by_their_openid(official: Caller, sandbox: Sandbox, wang: WeChatPhone) -> None:
    told = await official.get("cgi-bin/user/info", openid=wang.openid)
    assert (told["subscribe"], told["openid"], len(wang.openid)) == (1, wang.openid, 28)
    assert (await official.get("cgi-bin/user/get"))["data"]["openid"] == [wang.openid]
    await wang.unfollow()
    assert (await official.get("cgi-bin/user/info", openid=wang.openid))["subscribe"] == 0
    assert (await official.get("cgi-bin/user/info", openid="no"))["errcode"] == 40003
    assert (await sandbox.client.add_wechat_person("Li", account="o_li")).openid == "o_li"
    with pytest.raises(SandboxError, match="o_li is taken"):
        await sandbox.client.add_wechat_person("Li", account="o_li")


async def test_the_way_to_the_callback_is_checked(official: Caller, account: Listener, sandbox: Sandbox) -> None:
    path, body = "cgi-bin/callback/check", {"action": "all", "check_operator": "DEFAULT"}
    told = await official.post(path, body)
    assert (told["dns"][0]["ip"], told["ping"][0]["package_loss"]) == ("127.0.0.1", "0%")
    assert "ping" not in await official.post(path, body | {"action": "dns"})
    assert await official.code(path, body | {"action": "smell"}) == 40202
    assert await official.code(path, body | {"check_operator": "MINE"}) == 40203
    await sandbox.client.set_callback("", platform="wechat")
    assert await official.code(path, body) == 40201


async def test_what_is_not_there_and_the_wrong_verb_are_errors(official: Caller) -> None:
    assert (await official.get("cgi-bin/wonder"))["errcode"] == 40066
    assert (await official.get("cgi-bin/menu/create"))["errcode"] == 43002
    assert await official.code("cgi-bin/menu/get") == 43001


async def test_time_moves_forward_for_all_platforms_and_never_back(sandbox: Sandbox, clock: Clock) -> None:
    before = clock.now
    await sandbox.client.forward(days=1, hours=2)

    assert sandbox.wechat.phones.clock() - before == timedelta(days=1, hours=2)
    assert sandbox.telegram.world.clock() == sandbox.wecom.phones.clock() == sandbox.wechat.phones.clock()
    for wrong in ({"forward": -1}, {"forward": "much"}, {"forward": True}, {"forward": 1e30}):
        with pytest.raises(SandboxError, match="not negative"):
            await sandbox.client.ask("POST", "", wrong, platform="clock")


async def test_the_settings_of_a_process_of_its_own_can_be_given() -> None:
    command = [sys.executable, "-m", "sandbox", "--port", "0", "--wechat", "kind=test", "--wecom", "agent_id=7"]
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    assert process.stdout
    try:
        line = (await asyncio.wait_for(process.stdout.readline(), 10)).decode()
        async with SandboxClient(line.split()[-1]) as client:
            assert (await client.ask("GET", "/account", platform="wechat"))["kind"] == "test"
            assert (await client.ask("GET", "/bots", platform="wecom"))["bots"][0]["id"] == 7
    finally:
        process.terminate()
    await process.wait()
