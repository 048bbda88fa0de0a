"""Cards of WeCom: a press kills the buttons, and only an update within the rules says what became of it."""

from collections.abc import Awaitable, Callable

import pytest

from sandbox import Sandbox, SandboxError, WeComPhone
from tests.sandbox.conftest import Clock
from tests.sandbox.tencent import Caller, Json, Listener

SEND, UPDATE = "cgi-bin/message/send", "cgi-bin/message/update_template_card"
AGENT = 1_000_002
CARD: Json = {
    "card_type": "button_interaction",
    "task_id": "case-1_v1",
    "main_title": {"title": "New complaint", "desc": "quality"},
    "horizontal_content_list": [{"keyname": "Customer", "value": "Li*"}],
    "button_list": [{"text": "Claim", "style": 1, "key": "claim:1"}, {"text": "Escalate", "style": 2, "key": "esc:1"}],
}
Sender = Callable[..., Awaitable[Json]]


@pytest.fixture
def send(app: Caller, desk: Listener) -> Sender:
    """Send a card; buttons need a callback."""

    async def sending(to: str = "chenjie", **changes: object) -> Json:
        card = CARD | changes
        body = {"touser": to, "msgtype": "template_card", "agentid": AGENT, "template_card": card}
        return await app.post(SEND, body)

    return sending


def update(code: str, to: list[str], **more: object) -> Json:
    return {"userids": to, "agentid": AGENT, "response_code": code, **more}


async def test_a_press_is_told_with_a_fresh_code_and_kills_the_buttons(
    send: Sender, sandbox: Sandbox, chen: WeComPhone, desk: Listener
) -> None:
    sent = await send()
    card = (await chen.transcript()).last
    assert card.text == "New complaint\nquality\nCustomer: Li*"
    assert card.raw["card"]["task_id"] == "case-1_v1"
    code = await chen.press("Claim")
    await sandbox.client.settled("wecom")

    told = desk.told[0]
    assert (told["Event"], told["EventKey"], told["TaskId"]) == ("template_card_event", "claim:1", "case-1_v1")
    assert (told["CardType"], told["ResponseCode"], told["FromUserName"]) == ("button_interaction", code, "chenjie")
    assert code != sent["response_code"]
    assert [button.dead for button in (await chen.transcript()).last.buttons] == [True, True]
    with pytest.raises(SandboxError, match="no button"):
        await chen.press("Escalate")


async def test_a_press_that_nobody_answers_is_told_three_times(
    send: Sender, sandbox: Sandbox, chen: WeComPhone, desk: Listener
) -> None:
    await send()
    desk.answers += [500, 500, 500]
    await chen.press("Claim")
    await sandbox.client.settled("wecom")

    assert len({told["ResponseCode"] for told in desk.told}) == 1
    assert len(desk.told) == 3
    assert all(button.dead for button in (await chen.transcript()).last.buttons)


async def test_the_answer_can_replace_the_buttons_of_who_pressed(
    send: Sender, sandbox: Sandbox, chen: WeComPhone, desk: Listener
) -> None:
    lin = await sandbox.client.add_wecom_member("Lin", account="lin")
    await send("chenjie|lin")
    desk.answers += [
        desk.reply("<MsgType>update_button</MsgType><Button><ReplaceName><![CDATA[Claimed]]></ReplaceName></Button>")
    ]
    await chen.press("Claim")
    await sandbox.client.settled("wecom")

    assert [(button.text, button.dead) for button in (await chen.transcript()).last.buttons] == [("Claimed", True)]
    assert [button.dead for button in (await lin.transcript()).last.buttons] == [False, False]


async def test_the_answer_can_replace_the_card(
    send: Sender, sandbox: Sandbox, chen: WeComPhone, desk: Listener
) -> None:
    await send()
    desk.answers += [
        desk.reply(
            "<MsgType><![CDATA[update_template_card]]></MsgType><TemplateCard><CardType>button_interaction</CardType>"
            "<MainTitle><Title><![CDATA[Yours]]></Title></MainTitle>"
            "<HorizontalContentList><KeyName>State</KeyName><Value>open</Value></HorizontalContentList>"
            "<ButtonList><Text>Close</Text><Style>1</Style><Key>close:1</Key></ButtonList></TemplateCard>"
        )
    ]
    await chen.press("Claim")
    changed = await chen.wait_for(lambda message: message.text == "Yours\nState: open")

    assert [(button.text, button.data, button.dead) for button in changed.buttons] == [("Close", "close:1", False)]
    await chen.press("Close")
    await sandbox.client.settled("wecom")
    assert [(told["EventKey"], told["TaskId"]) for told in desk.told] == [
        ("claim:1", "case-1_v1"),
        ("close:1", "case-1_v1"),
    ]


async def test_a_code_updates_once_for_those_who_are_named(
    app: Caller, send: Sender, sandbox: Sandbox, chen: WeComPhone
) -> None:
    lin = await sandbox.client.add_wecom_member("Lin", account="lin")
    await sandbox.client.add_wecom_member("Wu", account="wu")
    code = (await send("chenjie|lin"))["response_code"]
    body = update(code, ["lin", "wu", "nobody"], button={"replace_name": "Taken"})
    told = await app.post(UPDATE, body)

    assert (told["errcode"], sorted(told["invaliduser"])) == (0, ["nobody", "wu"])
    assert [button.text for button in (await lin.transcript()).last.buttons] == ["Taken"]
    assert [button.text for button in (await chen.transcript()).last.buttons] == ["Claim", "Escalate"]
    assert await app.code(UPDATE, body) == 42022
    assert await app.code(UPDATE, body | {"response_code": "made up"}) == 40029


async def test_the_code_of_a_press_updates_everybody_with_another_card(
    app: Caller, send: Sender, sandbox: Sandbox, chen: WeComPhone
) -> None:
    lin = await sandbox.client.add_wecom_member("Lin", account="lin")
    await send("chenjie|lin")
    code = await chen.press("Claim")
    card = {**CARD, "main_title": {"title": "Claimed by Chen"}, "button_list": [{"text": "Release", "key": "rel:1"}]}
    assert await app.code(UPDATE, update(code, [], atall=1, template_card=card)) == 0

    for phone in (chen, lin):
        shown = (await phone.transcript()).last
        assert (shown.text.splitlines()[0], [button.text for button in shown.buttons]) == (
            "Claimed by Chen",
            ["Release"],
        )
    await lin.press("Release")


async def test_a_code_is_good_for_72_hours(app: Caller, send: Sender, chen: WeComPhone, clock: Clock) -> None:
    first = (await send())["response_code"]
    second = (await send(task_id="case-2"))["response_code"]
    button = {"replace_name": "Late"}
    clock.move(hours=71, minutes=59)
    app.token = ""
    assert await app.code(UPDATE, update(first, ["chenjie"], button=button)) == 0
    clock.move(minutes=1)
    assert await app.code(UPDATE, update(second, ["chenjie"], button=button)) == 40029


async def test_an_update_with_something_wrong_costs_no_code(app: Caller, send: Sender, chen: WeComPhone) -> None:
    code = (await send())["response_code"]
    button = {"replace_name": "Taken"}
    assert await app.code(UPDATE, update(code, ["chenjie"])) == 40035
    assert await app.code(UPDATE, update(code, ["nobody"], button=button)) == 81013
    assert await app.code(UPDATE, update(code, ["chenjie"], button=button) | {"agentid": 7}) == 301002
    assert await app.code(UPDATE, update(code, ["chenjie"], template_card={"card_type": "x"})) == 40035
    assert await app.code(UPDATE, update(code, ["chenjie"], button=button)) == 0


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"task_id": ""}, 42014),
        ({"task_id": "案件"}, 42014),
        ({"task_id": "x" * 129}, 42014),
        ({"card_type": "smoke"}, 40035),
        ({"main_title": None}, 40035),
        ({"button_list": []}, 42019),
        ({"button_list": [{"text": "a"}]}, 42019),
        ({"button_list": [{"key": "a"}]}, 42020),
        ({"button_list": [{"text": "a", "key": "x" * 1025}]}, 42018),
        ({"button_list": [{"text": "a", "key": "k"}, {"text": "b", "key": "k"}]}, 42018),
        ({"button_list": [{"text": f"{n}", "key": f"{n}"} for n in range(7)]}, 42018),
    ],
)
async def test_a_card_with_something_wrong_is_refused(send: Sender, chen: WeComPhone, changes: Json, code: int) -> None:
    assert (await send(**changes))["errcode"] == code
    assert (await chen.transcript()).messages == ()


async def test_a_task_is_never_used_twice(send: Sender, chen: WeComPhone) -> None:
    assert (await send())["errcode"] == 0
    assert (await send())["errcode"] == 42014


async def test_buttons_need_a_callback_but_news_do_not(app: Caller, chen: WeComPhone) -> None:
    body = {"touser": "chenjie", "msgtype": "template_card", "agentid": AGENT}
    notice = {"card_type": "text_notice", "main_title": {"title": "Overdue"}}

    assert await app.code(SEND, body | {"template_card": CARD}) == 43012
    told = await app.post(SEND, body | {"template_card": notice})
    assert (told["errcode"], "response_code" in told) == (0, False)


async def test_what_was_selected_is_told_with_the_press(
    send: Sender, sandbox: Sandbox, chen: WeComPhone, desk: Listener
) -> None:
    await send(card_type="multiple_interaction", button_list=None, submit_button={"text": "Send", "key": "send"})
    await chen.press("Send", selected={"why": ["quality", "delay"]})
    await sandbox.client.settled("wecom")

    item = desk.told[0]["SelectedItems"]["SelectedItem"]
    assert item["QuestionKey"] == "why"
    assert "<OptionId><![CDATA[quality]]></OptionId>" in (await sandbox.client.callbacks("wecom"))[-1]["xml"]


async def test_an_answer_that_updates_nothing_is_refused(
    send: Sender, sandbox: Sandbox, chen: WeComPhone, desk: Listener
) -> None:
    button = "<MsgType>update_button</MsgType><Button><ReplaceName>x</ReplaceName></Button>"
    desk.answers += [desk.reply(button), desk.reply("<MsgType>update_button</MsgType>")]
    await chen.say("no card")
    await send()
    await chen.press("Claim")
    await sandbox.client.settled("wecom")

    assert [callback["outcome"] for callback in await sandbox.client.callbacks("wecom")] == ["refused", "refused"]
