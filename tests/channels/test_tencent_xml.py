"""The XML of WeChat and WeCom: no text becomes an element, and whatever is not their XML is refused."""

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import fromstring

import pytest
import xmltodict
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.tencent import xml
from complaints.errors import Malformed

DATA = os.environ.get("PLAINT_TEST_DATA", "")
VICTIM = "x]]></Content><FromUserName><![CDATA[o_victim]]></FromUserName><Content><![CDATA[y"


def message(content: str, **fields: str) -> bytes:
    """A text message as the platform writes it: with the words put between the brackets as they are."""
    said = "".join(f"<{name}><![CDATA[{value}]]></{name}>" for name, value in fields.items())
    return (
        "<xml><ToUserName><![CDATA[gh_1]]></ToUserName><FromUserName><![CDATA[o_real]]></FromUserName>"
        "<CreateTime>1348831860</CreateTime><MsgType><![CDATA[text]]></MsgType>"
        f"<Content><![CDATA[{content}]]></Content>{said}<MsgId>1</MsgId></xml>"
    ).encode()


def expected(content: str, **fields: str) -> dict[str, str]:
    return {
        "ToUserName": "gh_1",
        "FromUserName": "o_real",
        "CreateTime": "1348831860",
        "MsgType": "text",
        "Content": content,
        **fields,
        "MsgId": "1",
    }


MARKUP = [
    "]]>",
    "</Content>",
    "<Content>",
    "<![CDATA[",
    "</Content >",
    "<!--",
    "-->",
    "&amp;",
    "<",
    ">",
    "]",
    "x",
    "门",
    "\U0001f600",
]


@pytest.mark.parametrize(
    "content",
    [
        VICTIM,
        "x]]></Content><MsgType><![CDATA[event]]></MsgType><Content><![CDATA[y",
        "x]]></Content><bizmsgmenuid>c:1:2</bizmsgmenuid><Content><![CDATA[y",
        "x]]></Content ><FromUserName>o_victim</FromUserName><Content\n><![CDATA[y",
        "a]]>b",
        "]]>",
        "]]]]>",
        "<xml><FromUserName>o_victim</FromUserName></xml>",
        "<!DOCTYPE x [<!ENTITY a 'b'>]>&a;",
        "&lt;&#65;",
    ],
)
def test_whatever_a_customer_types_is_only_text(content: str) -> None:
    assert xml.read(message(content)) == expected(content)


@settings(max_examples=300, deadline=None)
@given(
    content=st.lists(
        st.sampled_from([*MARKUP, "<FromUserName>", "</FromUserName>"]) | st.characters(categories=["L"]), max_size=20
    ).map("".join)
)
@example("]]]]]><![CDATA[>></Content>")
def test_no_words_reach_another_element(content: str) -> None:
    fields = xml.read(message(content))

    assert {**fields, "Content": ""} == expected("")
    if "]]]]><![CDATA[>" not in content:  # what an escaping platform would write: both readings are only text
        assert fields["Content"] == content


@settings(max_examples=200, deadline=None)
@given(
    texts=st.lists(
        st.lists(
            st.sampled_from(
                [
                    *MARKUP,
                    "</Title>",
                    "<Title>",
                    "<MsgType>",
                    "</MsgType>",
                    "</Description>",
                    "<A>",
                    "</A>",
                    "<Description>",
                ]
            ),
            max_size=12,
        ).map("".join),
        min_size=2,
        max_size=2,
    )
)
def test_two_texts_of_one_message_cannot_make_an_element_together(texts: list[str]) -> None:
    body = (
        "<xml><FromUserName><![CDATA[o_real]]></FromUserName><MsgType><![CDATA[link]]></MsgType>"
        f"<Title><![CDATA[{texts[0]}]]></Title><Description><![CDATA[{texts[1]}]]></Description><MsgId>1</MsgId></xml>"
    )

    try:
        fields = xml.read(body.encode())
    except Malformed:  # words that close another element's: where they end cannot be told
        assert any("]]>" in text for text in texts)
        return
    assert set(fields) <= {"FromUserName", "MsgType", "Title", "Description", "MsgId"}
    assert (fields["FromUserName"], fields["MsgType"], fields["MsgId"]) == ("o_real", "link", "1")


def test_words_that_the_platform_has_escaped_are_read_as_they_were_typed() -> None:
    assert xml.read(message("a]]]]><![CDATA[>b"))["Content"] == "a]]>b"


def test_control_characters_are_taken_out_before_reading() -> None:
    assert xml.read(message("a\x02b\x1dc\x00d\ufffee\nf"))["Content"] == "abcde\nf"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"hello",
        b"<xml/>",
        b"<xml></xml>",
        b"<xml>text</xml>",
        b"<html><a>1</a></html>",
        b"<xml><a>1</a><a>2</a></xml>",
        b"<xml><a><b>1</b><b>2</b></a></xml>",
        b"<xml><a>1</a>",
        b"<xml><a>1</a></xml><xml/>",
        b"<xml><a>&#2;</a></xml>",
        b"<xml><MsgType>text<Content><![CDATA[</xml>",
        b'<!DOCTYPE xml [<!ENTITY a "b">]><xml><a>&a;</a></xml>',
        b'<!DOCTYPE xml SYSTEM "file:///etc/passwd"><xml><a>1</a></xml>',
        b"<xml><a>&undefined;</a></xml>",
        "<xml><a>1</a></xml>".encode("utf-16"),
        b"<xml>" + b"<a>" * 14 + b"1" + b"</a>" * 14 + b"</xml>",
        b"<xml>" + b"<a>" * 20000 + b"</a>" * 20000 + b"</xml>",
        b"<xml><a>" + b"x" * xml.LARGEST + b"</a></xml>",
        b"\xff\xfe\x00",
    ],
)
def test_what_is_not_the_platforms_xml_is_malformed(body: bytes) -> None:
    with pytest.raises(Malformed):
        xml.read(body)


@settings(max_examples=200, deadline=None)
@given(
    body=st.binary(max_size=200)
    | st.text(max_size=100).map(str.encode)
    | st.lists(st.sampled_from(["<xml>", "</xml>", "<a>", "</a>", *MARKUP])).map(lambda parts: "".join(parts).encode())
)
def test_reading_ends_in_fields_or_in_malformed(body: bytes) -> None:
    with suppress(Malformed):
        assert isinstance(xml.read(body), dict)


def test_elements_within_elements_are_fields_and_repeated_ones_lists() -> None:
    body = (
        b"<xml><Event>subscribe_msg_popup_event</Event><SubscribeMsgPopupEvent>"
        b"<List><TemplateId>t1</TemplateId></List></SubscribeMsgPopupEvent>"
        b"<PicList><item><a>1</a></item><item><a/></item></PicList></xml>"
    )

    assert xml.read(body) == {
        "Event": "subscribe_msg_popup_event",
        "SubscribeMsgPopupEvent": {"List": [{"TemplateId": "t1"}]},
        "PicList": {"item": [{"a": "1"}, {"a": ""}]},
    }


@settings(max_examples=200, deadline=None)
@given(
    content=st.lists(
        st.sampled_from(MARKUP) | st.characters(exclude_categories=["Cs", "Cc", "Cn", "Co"]), max_size=20
    ).map("".join)
)
def test_what_is_written_is_read_again_by_anybody(content: str) -> None:
    written = xml.write(
        {"Content": content, "CreateTime": 5, "Articles": {"item": [{"Title": content}, {"Title": "2"}]}}
    )

    root = fromstring(written)

    assert [element.tag for element in root] == ["Content", "CreateTime", "Articles"]
    assert root.findtext("Content") == content
    assert [each.findtext("Title") for each in root.iter("item")] == [content, "2"]


def test_what_xml_has_no_place_for_is_not_written() -> None:
    assert fromstring(xml.write({"Content": "a\x00\x0b\ud800\uffffb"})).findtext("Content") == "ab"


def test_a_written_text_is_read_back_here_as_it_was() -> None:
    assert xml.read(xml.write({"Content": VICTIM, "MsgId": 1})) == {"Content": VICTIM, "MsgId": "1"}


def samples() -> list[Any]:
    if not DATA:
        return [pytest.param({}, marks=pytest.mark.skip("PLAINT_TEST_DATA is not set"))]
    lines = (Path(DATA) / "channels/wechat_xml_samples.jsonl").read_text("utf-8").splitlines()
    return [pytest.param(json.loads(line), id=str(number)) for number, line in enumerate(lines)]


def plain(value: Any) -> Any:
    """Another reader's fields, with its None for "" and single elements of lists out of their lists."""
    match value:
        case None:
            return ""
        case dict():
            return {name: plain(each) for name, each in value.items()}
        case [one]:
            return plain(one)
        case list():
            return [plain(each) for each in value]
        case _:
            return value


@pytest.mark.parametrize("sample", samples())
def test_samples_from_the_wild_are_read_as_another_reader_does(sample: dict[str, Any]) -> None:
    body = sample["xml"].encode()
    try:
        fields = xml.read(body)
    except Malformed:
        assert sample["msgtype"] == "text"  # one that holds every element of every message at once
        assert sample["event"] == "subscribe"
        return
    theirs = dict(xmltodict.parse(sample["xml"])["xml"])
    theirs.pop("#text", None)  # what stands between elements is nobody's
    assert plain(fields) == plain(theirs)
