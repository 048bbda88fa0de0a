"""What WeCom tells us, proved and read."""

import base64
import contextlib
import json
import os
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wechatpy.work.crypto import WeChatCrypto

import bot.channels.wecom
from bot.channel import Delivery, Reply
from bot.channels.wecom import WeCom
from bot.channels.wecom.incoming import Reader
from bot.tencent import xml
from complaints.errors import Malformed, Misconfigured, NotGenuine
from complaints.messages import Address, Attachment, IncomingMessage, OutgoingMessage, PressAnswer
from complaints.ports import Letter, Priority

NOW = datetime(2026, 3, 6, 6, 30, 2, tzinfo=UTC)
CORP, TOKEN = "ww1234567890abcdef", "QDG6eK"
AES_KEY = base64.b64encode(bytes(range(32))).decode().rstrip("=")
SETTINGS: dict[str, Any] = {
    "corp_id": CORP,
    "agent_id": "1000002",
    "secret": "s3cret-SECRET",
    "token": TOKEN,
    "aes_key": AES_KEY,
    "clock": lambda: NOW,
    "shelf": None,
    "files": None,
}
READER = Reader(clock=lambda: NOW)
SAMPLES = sorted((Path(bot.channels.wecom.__file__).parent / "samples").glob("*.json"))


def meant(fields: dict[str, Any]) -> IncomingMessage:
    return IncomingMessage(
        **fields
        | {
            "address": Address(**fields["address"]),
            "sent_at": datetime.fromisoformat(fields["sent_at"]),
            "attachments": tuple(Attachment(**attachment) for attachment in fields.get("attachments", [])),
        }
    )


def sealed(content: str, *, token: str = TOKEN, corp: str = CORP, at: datetime = NOW) -> Delivery:
    """A delivery as an independent implementation of the envelope writes it."""
    stamp = str(int(at.timestamp()))
    body = WeChatCrypto(token, AES_KEY, corp).encrypt_message(content, "n0nce", stamp)
    query = {"msg_signature": xml.read(body.encode())["MsgSignature"], "timestamp": stamp, "nonce": "n0nce"}
    return Delivery(headers={}, query=query, body=body.encode())


def sample(name: str) -> str:
    return str(json.loads(next(path for path in SAMPLES if path.stem == name).read_text())["xml"])


@pytest.fixture(scope="module")
def wecom() -> WeCom:
    return WeCom(**SETTINGS)


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_every_sample_is_read_as_what_stands_beside_it(wecom: WeCom, path: Path) -> None:
    sample = json.loads(path.read_text())

    assert wecom.understand(sealed(sample["xml"])) == [meant(sample["means"])]


def test_a_repeated_delivery_has_the_same_key_and_another_has_not(wecom: WeCom) -> None:
    (first,) = wecom.understand(sealed(sample("press")))
    (again,) = wecom.understand(sealed(sample("press"), at=NOW + timedelta(seconds=5)))
    others = [path for path in SAMPLES if path.stem.startswith(("menu", "press", "enter", "sub", "unsub", "member_n"))]
    keys = {wecom.understand(sealed(json.loads(path.read_text())["xml"]))[0].key for path in others}

    assert first.key == again.key
    assert len(keys) == len(others)


def test_the_address_of_the_callback_is_proved_by_opening_what_was_sealed(wecom: WeCom) -> None:
    crypto = WeChatCrypto(TOKEN, AES_KEY, CORP)
    stamp = str(int(NOW.timestamp()))
    fields = xml.read(crypto.encrypt_message("1234567890", "n", stamp).encode())
    query = {"msg_signature": fields["MsgSignature"], "timestamp": stamp, "nonce": "n", "echostr": fields["Encrypt"]}

    assert wecom.verify(Delivery(headers={}, query=query, body=b"")) == Reply(body=b"1234567890")
    with pytest.raises(NotGenuine):
        wecom.verify(Delivery(headers={}, query={**query, "nonce": "m"}, body=b""))


@pytest.mark.parametrize(
    "delivery",
    [
        sealed(sample("text"), token="other"),
        sealed(sample("text"), corp="wwother"),
        sealed(sample("text"), at=NOW - timedelta(hours=1)),
        replace(sealed(sample("text")), query={}),
        Delivery(headers={}, query={}, body=sample("text").encode()),
    ],
    ids=["token", "corporation", "old", "unsigned", "plain"],
)
def test_what_is_not_proved_is_not_genuine(wecom: WeCom, delivery: Delivery) -> None:
    with pytest.raises(NotGenuine):
        wecom.understand(delivery)


@settings(max_examples=200, deadline=None)
@given(
    fields=st.dictionaries(
        st.sampled_from(
            [
                *[
                    "MsgType",
                    "Event",
                    "EventKey",
                    "ChangeType",
                    "UserID",
                    "NewUserID",
                    "Status",
                    "FromUserName",
                    "CreateTime",
                    "MsgId",
                ],
                "Content",
            ]
        ),
        st.sampled_from(["event", "text", "click", "CASES", "change_contact", "update_user", "2", "sys", "", "9" * 30])
        | st.text(max_size=20)
        | st.just({"a": "b"})
        | st.just(["x"]),
    )
)
def test_whatever_fields_there_are_they_can_be_read(fields: dict[str, Any]) -> None:
    heard = READER.read(fields)

    assert heard.key.startswith("wecom:")
    assert heard.kind == "unknown" or heard.sender
    assert heard.sender != "sys"


def test_the_answer_to_a_press_changes_the_buttons_that_were_pressed(
    wecom: WeCom, letter: Callable[..., Letter]
) -> None:
    told, ended = letter(OutgoingMessage(text="x")), letter(PressAnswer(ref="RC-1", text="张三 已认领"))

    reply = wecom.passive(sealed(sample("press")), [told, ended])

    assert reply.carried == (ended,)
    assert reply.content_type == "text/xml"
    assert read_reply(reply) == {
        "ToUserName": "zhangsan",
        "FromUserName": CORP,
        "CreateTime": str(int(NOW.timestamp())),
        "MsgType": "update_button",
        "Button": {"ReplaceName": "张三 已认领"},
    }


@pytest.mark.parametrize(
    ("text", "button"), [("", "✓"), (" \n", "✓"), ("一\n二", "一 二"), ("长" * 200, "长" * 19 + "…")]
)
def test_a_button_is_never_left_without_a_word_nor_with_too_many(
    wecom: WeCom, letter: Callable[..., Letter], text: str, button: str
) -> None:
    reply = wecom.passive(sealed(sample("press")), [letter(PressAnswer(ref="RC-1", text=text))])

    assert read_reply(reply)["Button"]["ReplaceName"] == button


def test_everything_else_is_answered_with_nothing(wecom: WeCom, letter: Callable[..., Letter]) -> None:
    assert wecom.passive(sealed(sample("press")), [letter(OutgoingMessage(text="x"))]) == Reply()
    assert wecom.passive(sealed(sample("text")), [letter(PressAnswer(ref="RC-1"))]) == Reply()


def test_a_proof_that_has_run_out_meanwhile_costs_no_press(letter: Callable[..., Letter]) -> None:
    moments = iter([NOW, NOW + timedelta(minutes=16)])
    wecom = WeCom(**SETTINGS | {"clock": lambda: next(moments)})
    delivery = sealed(sample("press"))
    wecom.understand(delivery)

    assert wecom.passive(delivery, [letter(PressAnswer(ref="RC-1", text="x"))]) == Reply()


def read_reply(reply: Reply) -> dict[str, Any]:
    """Open an answer as WeCom would."""
    fields = xml.read(reply.body)
    crypto = WeChatCrypto(TOKEN, AES_KEY, CORP)
    content = crypto.decrypt_message(reply.body.decode(), fields["MsgSignature"], fields["TimeStamp"], fields["Nonce"])
    return xml.read(content if isinstance(content, bytes) else content.encode())


@pytest.fixture
def letter() -> Callable[..., Letter]:
    """Build a letter to a member."""
    ids = iter(range(1, 100))

    def build(body: Any) -> Letter:
        address = Address(channel="wecom", chat="zhangsan")
        return Letter(id=next(ids), address=address, body=body, priority=Priority.ANSWER, due_at=NOW)

    return build


DATA = os.environ.get("PLAINT_TEST_DATA", "")


@pytest.mark.skipif(not DATA, reason="PLAINT_TEST_DATA names no folder with deliveries of other people")
def test_deliveries_that_other_people_have_published_are_read_or_refused(wecom: WeCom) -> None:
    lines = (Path(DATA) / "channels" / "wechat_xml_samples.jsonl").read_text().splitlines()
    rows = [row for row in map(json.loads, lines) if row["direction"] == "inbound"]
    ours = [row["xml"] for row in rows if row["kind"] == "wecom"]
    kinds = {heard.kind for content in ours for heard in wecom.understand(sealed(content))}

    assert len(ours) >= 30
    assert kinds >= {"text", "press", "moved", "unknown"}
    for row in rows:  # those of the other platform
        with contextlib.suppress(Malformed):
            wecom.understand(sealed(row["xml"]))


# --- settings ---

WRONG = {
    "corp_id": ["", "corp id"],
    "agent_id": ["", "agent"],
    "secret": ["", "with blank"],
    "token": ["", "a-b"],
    "aes_key": ["", "short"],
    "api_url": ["", "ftp://x"],
    "robot_url": ["ftp://x", "https://qyapi.weixin.qq.com/cgi-bin/webhook/send"],
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in WRONG.items() for value in values])
def test_a_setting_that_cannot_work_is_named_without_its_value(name: str, value: str) -> None:
    with pytest.raises(Misconfigured) as refused:
        WeCom(**SETTINGS | {"api_url": "https://x.example", name: value})

    (problem,) = refused.value.problems
    assert problem.startswith(f"PLAINT_WECOM_{name.upper()} ")
    assert not value or value not in problem
