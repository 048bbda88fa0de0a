"""What WeChat posts, and what the core understands of it."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wechatpy import parse_message

from bot.channels.wechat import incoming
from bot.tencent import xml
from complaints.errors import Malformed
from complaints.messages import Address, Attachment, Credit, IncomingMessage

DATA = os.environ.get("PLAINT_TEST_DATA", "")
NOW = datetime(2026, 3, 6, 6, 30, tzinfo=UTC)
SENT = datetime(2012, 5, 28, 11, 31, tzinfo=UTC)
NOTICE = Credit(name="notice", count=1, seconds=2_592_000)
MESSAGE = (Credit(name="message", count=5, seconds=172_800), NOTICE)
MOMENT = (Credit(name="moment", count=3, seconds=60), NOTICE)


def read(**fields: Any) -> IncomingMessage:
    given = {
        "ToUserName": "gh_1",
        "FromUserName": "o_1",
        "CreateTime": "1338204660",
        "MsgType": "text",
        "MsgId": "77",
    } | fields
    return incoming.read(
        xml.read(xml.write({name: value for name, value in given.items() if value is not None})), lambda: NOW
    )


def event(name: str, **fields: Any) -> IncomingMessage:
    return read(MsgType="event", MsgId=None, Event=name, **fields)


def test_a_text_is_heard_with_all_that_it_lets_us_send() -> None:
    assert read(Content="门坏了") == IncomingMessage(
        key="wechat:77",
        kind="text",
        address=Address(channel="wechat", chat="o_1"),
        sender="o_1",
        sent_at=SENT,
        text="门坏了",
        ref="77",
        credits=MESSAGE,
    )


@pytest.mark.parametrize(
    ("text", "command", "argument"),
    [
        ("/link 12345678", "link", "12345678"),
        ("／help", "help", ""),
        ("/Start  a b \n", "start", "a b"),
        ("／link\n123", "link", "123"),
        ("关联 123", "", ""),
        ("help", "", ""),
        ("/:8-)", "", ""),
        ("/::)", "", ""),
        ("/微笑", "", ""),
        ("1/2", "", ""),
        ("/ help", "", ""),
    ],
)
def test_only_a_slash_of_either_width_makes_a_command(text: str, command: str, argument: str) -> None:
    heard = read(Content=text)

    assert (heard.command, heard.argument, heard.text) == (command, argument, text.strip())


def test_a_tap_on_a_choice_is_a_press_and_counts_as_a_click() -> None:
    heard = read(Content="1. 质量", bizmsgmenuid="q.1.2.yes")

    assert (heard.kind, heard.press, heard.text, heard.press_ref) == ("press", "q.1.2.yes", "1. 质量", "")
    assert heard.credits == MOMENT


@pytest.mark.parametrize("token", ["", "x" * 200, "a\nb"])
def test_a_tap_with_an_id_that_is_no_token_is_only_text(token: str) -> None:
    heard = read(Content="是", bizmsgmenuid=token)

    assert (heard.kind, heard.text) == ("text", "是")


@pytest.mark.parametrize(
    ("form", "kind"), [("image", "photo"), ("voice", "voice"), ("video", "video"), ("shortvideo", "video")]
)
def test_files_are_announced_by_their_media_id(form: str, kind: str) -> None:
    heard = read(MsgType=form, MediaId="m-1", PicUrl="https://x.example", Format="amr", ThumbMediaId="t")

    assert heard.attachments == (Attachment(kind=kind, ref="m-1"),)  # type: ignore[arg-type]
    assert (heard.kind, heard.text, heard.credits) == ("text", "", MESSAGE)


@pytest.mark.parametrize(
    ("recognised", "text"),
    [
        ("退款。", "退款"),
        ("门坏了。要退款。", "门坏了。要退款。"),
        ("好", "好"),
        ("", ""),
        ("真的吗？", "真的吗？"),
        ("。", ""),
    ],
)
def test_what_was_recognised_stands_beside_the_voice_without_a_lone_full_stop(recognised: str, text: str) -> None:
    heard = read(MsgType="voice", MediaId="m", Format="amr", Recognition=recognised)

    assert heard.text == text
    assert [each.kind for each in heard.attachments] == ["voice"]


def test_a_document_is_announced_with_its_name() -> None:
    assert read(MsgType="file", MediaId="m", Title="发票.pdf").attachments == (
        Attachment(kind="document", ref="m", name="发票.pdf"),
    )


@pytest.mark.parametrize("form", ["file", "image", "voice", "miniprogrampage", "notsure"])
def test_what_cannot_be_fetched_is_still_something_that_came(form: str) -> None:
    heard = read(MsgType=form)

    assert (heard.kind, heard.text) == ("text", "")
    assert [(each.kind, each.ref) for each in heard.attachments] == [("other", "")]


def test_a_place_is_its_name_and_where_it_lies() -> None:
    fields = {"MsgType": "location", "Location_X": "30.28", "Location_Y": "120.06", "Scale": "15"}

    assert read(**fields, Label="上海市静安区").text == "上海市静安区 (30.28, 120.06)"
    assert read(**fields, Label="").text == "(30.28, 120.06)"


def test_a_link_is_its_title_its_description_and_its_address() -> None:
    heard = read(MsgType="link", Title="坏门", Description="", Url="https://x.example/1")

    assert heard.text == "坏门\nhttps://x.example/1"


@pytest.mark.parametrize(
    ("name", "detail", "argument"),
    [
        ("subscribe", None, ""),
        ("subscribe", "qrscene_order-1", "order-1"),
        ("subscribe", "scanbarcode|x|y", ""),
        ("SCAN", "link-12345678", "link-12345678"),
    ],
)
def test_following_and_scanning_are_starts_with_the_scene(name: str, detail: str | None, argument: str) -> None:
    heard = event(name, EventKey=detail, Ticket="t")

    assert (heard.kind, heard.command, heard.argument, heard.text) == ("text", "start", argument, "")
    assert heard.credits == MOMENT
    assert heard.key == f"wechat:o_1:1338204660:{name}:{detail or ''}"


def test_who_stops_following_has_blocked_us() -> None:
    heard = event("unsubscribe")

    assert (heard.kind, heard.sender, heard.credits) == ("blocked", "o_1", ())


@pytest.mark.parametrize(
    ("key", "command"), [("NEW_CASE", "new"), ("MY_CASES", "status"), ("HUMAN", "human"), ("HELP", "help")]
)
def test_our_menu_speaks_commands(key: str, command: str) -> None:
    heard = event("CLICK", EventKey=key)

    assert (heard.kind, heard.command, heard.credits) == ("text", command, MOMENT)


@pytest.mark.parametrize(
    ("name", "detail", "given"),
    [
        ("CLICK", "THEIRS", MOMENT),
        ("scancode_push", "x", MOMENT),
        ("VIEW", "https://x.example", ()),
        ("LOCATION", None, ()),
        ("something_new", None, ()),
    ],
)
def test_other_things_a_person_does_are_unknown_but_theirs(name: str, detail: str | None, given: Any) -> None:
    heard = event(name, EventKey=detail)

    assert (heard.kind, heard.sender, heard.credits) == ("unknown", "o_1", given)


@pytest.mark.parametrize(
    "name", ["TEMPLATESENDJOBFINISH", "MASSSENDJOBFINISH", "subscribe_msg_sent_event", "verify_expired"]
)
def test_what_the_platform_does_is_nobodys(name: str) -> None:
    heard = event(name, Status="success", MsgID="5")

    assert (heard.kind, heard.sender, heard.credits) == ("unknown", "", ())


def test_each_yes_to_a_notice_is_good_for_one() -> None:
    answers = [("t1", "accept"), ("t2", "reject"), ("t1", "accept"), ("", "accept")]
    listed = [{"TemplateId": name, "SubscribeStatusString": said, "PopupScene": 1} for name, said in answers]

    heard = event("subscribe_msg_popup_event", SubscribeMsgPopupEvent={"List": listed})

    assert heard.credits == (Credit(name="template:t1", count=1, seconds=31_536_000, adds=True),) * 2
    assert (heard.kind, heard.sender) == ("unknown", "o_1")


@pytest.mark.parametrize("popup", ["", {"List": "x"}, {"Other": "x"}])
def test_a_popup_without_answers_gives_nothing(popup: Any) -> None:
    assert event("subscribe_msg_popup_event", SubscribeMsgPopupEvent=popup).credits == ()


@pytest.mark.parametrize("moment", [None, "", "x", "0", "-5", "99999999999", "9" * 40, "１２３"])
def test_a_moment_that_cannot_be_is_now(moment: str | None) -> None:
    assert read(Content="x", CreateTime=moment).sent_at == NOW


@pytest.mark.parametrize(
    "fields", [{"FromUserName": None}, {"FromUserName": "x" * 200}, {"MsgType": None}, {"MsgType": ""}]
)
def test_what_has_no_sender_or_no_type_is_malformed(fields: dict[str, Any]) -> None:
    with pytest.raises(Malformed):
        read(Content="x", **fields)


def test_the_same_message_has_the_same_key_and_another_event_another() -> None:
    assert read(Content="a").key == read(Content="a").key
    assert event("CLICK", EventKey="A").key != event("CLICK", EventKey="B").key
    assert read(Content="a", MsgId=None).key == "wechat:o_1:1338204660:text:"


@settings(max_examples=200, deadline=None)
@given(
    fields=st.dictionaries(
        st.sampled_from(
            [
                "MsgType",
                "Event",
                "EventKey",
                "Content",
                "MediaId",
                "CreateTime",
                "MsgId",
                "SubscribeMsgPopupEvent",
                "Label",
                "Recognition",
            ]
        ),
        st.text(max_size=20)
        | st.sampled_from(["text", "event", "voice", "CLICK", "subscribe"])
        | st.just([])
        | st.just({"List": [1, {}]}),
    )
)
def test_no_delivery_makes_the_reading_fail(fields: dict[str, Any]) -> None:
    try:
        heard = incoming.read({"FromUserName": "o_1", "MsgType": "text"} | fields, lambda: NOW)
    except Malformed:
        return
    assert heard.key.startswith("wechat:")
    assert "\x00" not in heard.text


def samples() -> list[Any]:
    if not DATA:
        return [pytest.param({}, marks=pytest.mark.skip("PLAINT_TEST_DATA is not set"))]
    lines = [
        json.loads(line) for line in (Path(DATA) / "channels/wechat_xml_samples.jsonl").read_text("utf-8").splitlines()
    ]
    mine = [line for line in lines if (line["kind"], line["direction"]) == ("mp", "inbound")]
    assert len(mine) > 50
    return [pytest.param(line, id=f"{number}-{line['msgtype']}-{line['event']}") for number, line in enumerate(mine)]


@pytest.mark.parametrize("sample", samples())
def test_samples_mean_what_another_library_reads(sample: dict[str, Any]) -> None:
    try:
        heard = incoming.read(xml.read(sample["xml"].encode()), lambda: NOW)
    except Malformed:
        assert (sample["msgtype"], sample["event"]) == ("text", "subscribe")  # one with every element there is
        return
    theirs = parse_message(sample["xml"])

    assert heard.sender in ((theirs.source,) if heard.kind != "unknown" else (theirs.source, ""))
    assert heard.address == Address(channel="wechat", chat=heard.sender)
    assert heard.sent_at == theirs.create_time.astimezone(UTC)
    match sample["msgtype"]:
        case "text":
            assert heard.text == theirs.content
            assert heard.key == f"wechat:{theirs.id}"
        case "image" | "voice" | "video" | "shortvideo":
            assert [each.ref for each in heard.attachments] == [theirs.media_id or ""]
            assert heard.text == (getattr(theirs, "recognition", "") or "")
        case "location":
            x, y = heard.text.rpartition("(")[2].rstrip(")").split(", ")
            assert (x, y) == theirs.location
            assert heard.text.startswith(theirs.label or "(")
        case "link":
            assert heard.text == f"{theirs.title}\n{theirs.description}\n{theirs.url}"
        case "event":
            assert heard.kind == {"unsubscribe": "blocked", "subscribe": "text", "SCAN": "text"}.get(
                sample["event"], "unknown"
            )
            if sample["event"] == "SCAN":
                assert heard.argument == theirs.scene_id
        case _:
            assert heard.attachments[0].kind == "other"
