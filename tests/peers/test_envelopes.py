"""What others sign and encrypt we understand, and what we encrypt they understand."""

import base64
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.channel import Delivery
from bot.channels.wechat import WeChat
from bot.channels.wecom import WeCom
from bot.text import inert
from complaints.errors import Malformed, NotGenuine
from complaints.messages import Address, OutgoingMessage, PressAnswer
from complaints.ports import Letter, Priority
from tests.peers.node import Peer

NOW = datetime(2026, 3, 6, 6, 30, tzinfo=UTC)
PERSON = "o6_bmjrPTlm6_2sgVt7hMZOPfL2M"
FULL = "投诉" * 340 + "😀ab,."  # 2,048 bytes, which is the most that either platform takes
WORDS = [
    "你好",
    "😀👨‍👩‍👧‍👦🇨🇳",
    FULL,
    "a]]>b",
    "]]>",
    "<b>&amp;&#x20;</b> \" ' \\ %00",
    "x]]></Content><FromUserName><![CDATA[o_victim]]></FromUserName><Content><![CDATA[y",
    "𠮷野家\n第二行\t栏",
]
prose = st.text(st.characters(exclude_categories=("Cc", "Cs", "Cn")), min_size=1, max_size=300)
lines = st.lists(prose, min_size=1, max_size=4).map("\n".join).map(str.strip).filter(bool)


@dataclass(frozen=True, kw_only=True)
class Account:
    """An account as a peer knows it: it asks `peer` to sign and to encrypt."""

    peer: str
    crypto: Peer
    token: str = "sesame"
    key: str = base64.b64encode(bytes(range(32))).decode().rstrip("=")
    id: str = "wx5823bf96d3bd56c7"

    def ask(self, verb: str, *given: str) -> Any:
        return self.crypto.ask(
            peer=self.peer, account={"token": self.token, "key": self.key, "id": self.id}, verb=verb, given=given
        )

    def sign(self, *parts: str) -> str:
        return str(self.ask("sign", *parts))

    def plain(self, xml: str, *, at: datetime = NOW) -> Delivery:
        """A post in plain mode."""
        stamp, nonce = str(int(at.timestamp())), "1320562132"
        query = {"signature": self.sign(stamp, nonce), "timestamp": stamp, "nonce": nonce, "openid": PERSON}
        return Delivery(headers={"content-type": "text/xml"}, query=query, body=xml.encode())

    def sealed(self, xml: str, *, at: datetime = NOW) -> Delivery:
        """A post in AES mode."""
        post, encrypted = self.plain("", at=at), str(self.ask("seal", xml))
        signature = self.sign(post.query["timestamp"], post.query["nonce"], encrypted)
        body = f"<xml><ToUserName><![CDATA[gh_1]]></ToUserName><Encrypt><![CDATA[{encrypted}]]></Encrypt></xml>"
        query = {**post.query, "encrypt_type": "aes", "msg_signature": signature}
        return replace(post, query=query, body=body.encode())

    def compatible(self, xml: str, *, beside: str) -> Delivery:
        """A post in compatible mode: what is encrypted stands beside words that nobody signed."""
        post = self.sealed(xml)
        encrypted = re.search(rb"<Encrypt>.*</Encrypt>", post.body)
        assert encrypted
        return replace(post, body=beside.encode().replace(b"</xml>", encrypted[0] + b"</xml>"))


def told(kind: str, **fields: object) -> str:
    """The XML of a message, in which the platform escapes nothing."""
    head = {"ToUserName": "gh_1", "FromUserName": PERSON, "CreateTime": int(NOW.timestamp()), "MsgType": kind}
    written = (
        f"<{name}><![CDATA[{value}]]></{name}>" if isinstance(value, str) else f"<{name}>{value}</{name}>"
        for name, value in (head | fields).items()
    )
    return f"<xml>{''.join(written)}</xml>"


def text(words: str) -> str:
    return told("text", Content=words, MsgId=7_321_654_987_321_654_987)


def letter(words: str) -> Letter:
    body = OutgoingMessage(text=words)
    return Letter(id=1, address=Address(channel="wechat", chat=PERSON), body=body, priority=Priority.ANSWER, due_at=NOW)


def wechat_for(account: Account, *, aes: bool = True) -> WeChat:
    key = account.key if aes else ""
    own: dict[str, Any] = {"purse": None, "shelf": None}  # which neither reading nor answering a post asks
    return WeChat(app_id=account.id, secret="s" * 32, token=account.token, aes_key=key, clock=lambda: NOW, **own)


def wecom_for(account: Account) -> WeCom:
    own: dict[str, Any] = {"shelf": None, "files": None}  # as above
    named = {"corp_id": account.id, "agent_id": "1000002", "secret": "s" * 32}
    return WeCom(**named, token=account.token, aes_key=account.key, clock=lambda: NOW, **own)


@pytest.fixture
def official(crypto: Peer) -> Account:
    return Account(peer="wechat", crypto=crypto)


@pytest.fixture
def corporate(crypto: Peer) -> Account:
    return Account(peer="wecom", crypto=crypto, id="ww1436e0e65a779aee")


@pytest.fixture
def wechat(official: Account) -> WeChat:
    return wechat_for(official)


@pytest.fixture
def wecom(corporate: Account) -> WeCom:
    return wecom_for(corporate)


# a peer is one process for all examples, and an example says nothing to another
playing = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


# --- what they send ---


@pytest.mark.parametrize("words", WORDS)
def test_wechat_is_understood_in_all_modes(official: Account, words: str) -> None:
    post = official.compatible(text(words), beside=text("not a word of that was signed"))
    heard = [
        wechat_for(official, aes=False).understand(official.plain(text(words))),
        wechat_for(official).understand(official.sealed(text(words))),
        wechat_for(official).understand(post),
    ]

    assert [(message.text, message.sender, message.kind) for [message] in heard] == [(words, PERSON, "text")] * 3
    assert {message.key for [message] in heard} == {"wechat:7321654987321654987"}


@pytest.mark.parametrize("words", WORDS)
def test_wecom_is_understood(corporate: Account, wecom: WeCom, words: str) -> None:
    [message] = wecom.understand(corporate.sealed(text(words)))

    assert (message.text, message.sender, message.kind) == (words, PERSON, "text")


def test_words_are_the_same_whether_the_platform_escapes_them_or_not(official: Account, wechat: WeChat) -> None:
    heard = [wechat.understand(official.sealed(text(words))) for words in ("a]]>b", "a]]]]><![CDATA[>b")]

    assert [message.text for [message] in heard] == ["a]]>b", "a]]>b"]


@playing
@given(words=lines)
def test_whatever_is_written_is_understood(official: Account, corporate: Account, words: str) -> None:
    [customer] = wechat_for(official).understand(official.sealed(text(words)))
    [member] = wecom_for(corporate).understand(corporate.sealed(text(words)))

    assert (customer.text, customer.sender) == (member.text, member.sender) == (words, PERSON)


def test_an_event_of_wechat_is_understood(official: Account, wechat: WeChat) -> None:
    scan = told("event", Event="subscribe", EventKey="qrscene_K7", Ticket="gQFj")
    [message] = wechat.understand(official.sealed(scan))

    assert (message.kind, message.command, message.argument) == ("text", "start", "K7")


def test_a_press_on_a_card_of_wecom_is_understood(corporate: Account, wecom: WeCom) -> None:
    [message] = wecom.understand(corporate.sealed(pressed()))

    assert (message.kind, message.press, message.press_ref) == ("press", "c:7:claim", "R-1")


def pressed() -> str:
    return told("event", Event="template_card_event", EventKey="c:7:claim", TaskId="9_0", ResponseCode="R-1", AgentID=1)


def test_the_echo_of_wechat_is_answered_as_it_came(official: Account, wechat: WeChat) -> None:
    asked = official.plain("")
    reply = wechat.verify(replace(asked, query={**asked.query, "echostr": "5928472918347"}))

    assert reply.body == b"5928472918347"


def test_the_echo_of_wecom_is_decrypted(corporate: Account, wecom: WeCom) -> None:
    reply = wecom.verify(echo(corporate, "1616140317555161061"))

    assert reply.body == b"1616140317555161061"


def echo(account: Account, words: str) -> Delivery:
    asked, encrypted = account.plain(""), str(account.ask("seal", words))
    signature = account.sign(asked.query["timestamp"], asked.query["nonce"], encrypted)
    return replace(asked, query={**asked.query, "echostr": encrypted, "msg_signature": signature})


# --- what they did not send ---

FORGERIES: dict[str, Callable[[Account], Delivery]] = {
    "signed with another token": lambda account: replace(account, token="other").sealed(text("x")),
    "for another account": lambda account: replace(account, id="wxffffffffffffffff").sealed(text("x")),
    "an hour old": lambda account: account.sealed(text("x"), at=NOW - timedelta(hours=1)),
    "from the future": lambda account: account.sealed(text("x"), at=NOW + timedelta(hours=1)),
    "with the signature of another": lambda account: with_query(
        account.sealed(text("x")), msg_signature=account.sealed(text("y")).query["msg_signature"]
    ),
    "with a letter of the signature changed": lambda account: misspelt(account.sealed(text("x"))),
    "with another nonce": lambda account: with_query(account.sealed(text("x")), nonce="1"),
    "without a signature": lambda account: with_query(account.sealed(text("x")), msg_signature=""),
    "in the clear": lambda account: account.plain(text("x")),
}


def with_query(post: Delivery, **query: str) -> Delivery:
    return replace(post, query={**post.query, **query})


def misspelt(post: Delivery) -> Delivery:
    signature = post.query["msg_signature"]
    return with_query(post, msg_signature=signature[:-1] + ("0" if signature[-1] != "0" else "1"))


@pytest.mark.parametrize("forgery", FORGERIES)
@pytest.mark.parametrize("peer", ["wechat", "wecom"])
def test_a_forgery_is_refused(crypto: Peer, peer: str, forgery: str) -> None:
    account = Account(peer=peer, crypto=crypto)
    channel = wechat_for(account) if peer == "wechat" else wecom_for(account)
    assert channel.understand(account.sealed(text("x")))

    with pytest.raises(NotGenuine):
        channel.understand(FORGERIES[forgery](account))


@pytest.mark.parametrize("peer", ["wechat", "wecom"])
def test_what_another_key_encrypted_is_refused(crypto: Peer, peer: str) -> None:
    account = Account(peer=peer, crypto=crypto)
    channel = wechat_for(account) if peer == "wechat" else wecom_for(account)

    with pytest.raises((Malformed, NotGenuine)):
        channel.understand(replace(account, key="A" * 43).sealed(text("x")))


def test_an_echo_with_a_wrong_signature_is_refused(official: Account, corporate: Account) -> None:
    asked = official.plain("")
    with pytest.raises(NotGenuine):
        wechat_for(official).verify(with_query(asked, echostr="1", signature="0" * 40))
    with pytest.raises(NotGenuine):
        wecom_for(corporate).verify(with_query(echo(corporate, "1"), msg_signature="0" * 40))


# --- what we answer ---


def opened(account: Account, parser: Peer, body: bytes) -> dict[str, Any]:
    """What the peer reads in an answer, with its signature proved and its receiver looked at."""
    envelope = parser.ask(xml=body.decode())["xml"]
    assert set(envelope) == {"Encrypt", "MsgSignature", "TimeStamp", "Nonce"}
    signed = account.sign(envelope["TimeStamp"], envelope["Nonce"], envelope["Encrypt"])
    assert signed == envelope["MsgSignature"]
    inner = account.ask("open", envelope["Encrypt"])
    assert inner["id"] == account.id
    read: dict[str, Any] = parser.ask(xml=inner["message"])["xml"]
    return read


def answered(account: Account, parser: Peer, words: str, *, aes: bool) -> dict[str, Any]:
    """What the peer reads in our answer to a post."""
    channel = wechat_for(account, aes=aes)
    reply = channel.passive(account.sealed(text("x")) if aes else account.plain(text("x")), [letter(words)])
    assert [carried.id for carried in reply.carried] == [1]
    if aes:
        return opened(account, parser, reply.body)
    read: dict[str, Any] = parser.ask(xml=reply.body.decode())["xml"]
    return read


@pytest.mark.parametrize("words", [*WORDS, "]]]]><![CDATA[>"])
@pytest.mark.parametrize("aes", [True, False], ids=["aes", "plain"])
def test_our_answer_on_wechat_is_read_word_for_word(official: Account, parser: Peer, words: str, aes: bool) -> None:
    read = answered(official, parser, words, aes=aes)

    assert read == {
        "ToUserName": PERSON,
        "FromUserName": "gh_1",
        "CreateTime": str(int(NOW.timestamp())),
        "MsgType": "text",
        "Content": words,
    }


@playing
@given(words=lines)
def test_whatever_we_answer_is_read(official: Account, parser: Peer, words: str) -> None:
    for aes in (True, False):
        assert answered(official, parser, words, aes=aes)["Content"] == inert(words)


@pytest.mark.parametrize("words", ["张伟 已认领", "😀", "a]]>b", "✓"])
def test_our_answer_to_a_press_on_wecom_is_read(corporate: Account, wecom: WeCom, parser: Peer, words: str) -> None:
    ends = replace(letter(""), address=Address(channel="wecom", chat=PERSON), body=PressAnswer(ref="R-1", text=words))
    reply = wecom.passive(corporate.sealed(pressed()), [ends])
    read = opened(corporate, parser, reply.body)

    assert (read["ToUserName"], read["FromUserName"], read["MsgType"]) == (PERSON, corporate.id, "update_button")
    assert read["Button"] == {"ReplaceName": words}
