"""The envelope: only what the account's token and key have made is opened, and what we seal others can open."""

import base64
import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any
from xml.etree.ElementTree import fromstring

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wechatpy.crypto import WeChatCrypto
from wechatpy.work.crypto import WeChatCrypto as WorkCrypto

from bot.channel import Delivery
from bot.tencent import envelope, xml
from bot.tencent.envelope import Envelope
from complaints.errors import Malformed, NotGenuine

NOW = datetime(2026, 3, 6, 6, 30, tzinfo=UTC)
STAMP = str(int(NOW.timestamp()))
TOKEN, KEY, APP = "callbacktoken", base64.b64encode(bytes(range(32))).decode()[:43], "wx0123456789abcdef"
MESSAGE = xml.write(
    {"ToUserName": "gh_1", "FromUserName": "o_1", "MsgType": "text", "Content": "门坏了 ]]> 😀", "MsgId": 1}
)


def build(**settings: Any) -> Envelope:
    return Envelope(**{"token": TOKEN, "aes_key": KEY, "receiver": APP, "clock": lambda: NOW} | settings)


def sign(*parts: str, token: str = TOKEN) -> str:
    return hashlib.sha1("".join(sorted([token, *parts])).encode()).hexdigest()


def plain(body: bytes = MESSAGE, stamp: str = STAMP, **query: str) -> Delivery:
    return Delivery(
        headers={}, query={"signature": sign(stamp, "n"), "timestamp": stamp, "nonce": "n"} | query, body=body
    )


def sealed(
    content: bytes = MESSAGE, *, receiver: str = APP, key: str = KEY, stamp: str = STAMP, **more: str
) -> Delivery:
    """A delivery that wechatpy has sealed, with the fields `more` beside the encrypted part."""
    made = fromstring(WeChatCrypto(TOKEN, key, receiver).encrypt_message(content.decode(), "n", stamp))
    query = {
        "msg_signature": made.findtext("MsgSignature", ""),
        "timestamp": stamp,
        "nonce": "n",
        "encrypt_type": "aes",
    }
    body = xml.write({"ToUserName": "gh_1", **more, "Encrypt": made.findtext("Encrypt", "")})
    return Delivery(headers={}, query=query, body=body)


def test_what_another_library_sealed_is_opened() -> None:
    assert build().open(sealed()) == xml.read(MESSAGE)


@settings(max_examples=60, deadline=None)
@given(content=st.binary(max_size=200), nonce=st.text(st.characters(categories=["Nd", "Ll"]), max_size=12))
def test_what_is_sealed_another_library_opens(content: bytes, nonce: str) -> None:
    text = xml.write({"Content": content.hex()}).decode()

    made = build().seal(text.encode(), STAMP, nonce)

    query = fromstring(made)
    assert query.findtext("TimeStamp") == STAMP
    opened = WeChatCrypto(TOKEN, KEY, APP).decrypt_message(made.decode(), query.findtext("MsgSignature"), STAMP, nonce)
    assert opened == text


def test_two_envelopes_of_the_same_words_differ() -> None:
    assert build().seal(MESSAGE, STAMP, "n") != build().seal(MESSAGE, STAMP, "n")


def test_wecom_reads_its_echo_without_the_encryption() -> None:
    crypto = WorkCrypto(TOKEN, KEY, APP)
    made = fromstring(crypto.encrypt_message("4711", "n1", STAMP)).findtext("Encrypt", "")
    query = {"msg_signature": sign(STAMP, "n1", made), "timestamp": STAMP, "nonce": "n1", "echostr": made}

    assert crypto.check_signature(query["msg_signature"], STAMP, "n1", made) == "4711"
    assert build().sealed_echo(query) == b"4711"
    for name in ("msg_signature", "timestamp", "nonce", "echostr"):
        with pytest.raises(NotGenuine):
            build().sealed_echo(query | {name: query[name][::-1]})


def test_wechat_reads_its_echo_as_it_is() -> None:
    assert build().echo(plain(echostr="4711").query) == b"4711"
    with pytest.raises(NotGenuine):
        build().echo(plain(echostr="4711", signature="0" * 40).query)


def test_a_plain_delivery_is_opened_where_no_key_is_set() -> None:
    assert build(aes_key="").open(plain())["Content"] == "门坏了 ]]> 😀"


def test_a_plain_delivery_is_refused_where_a_key_is_set_unless_it_is_allowed() -> None:
    with pytest.raises(NotGenuine):
        build().open(plain())
    assert build(aes_only=False).open(plain())["FromUserName"] == "o_1"
    with pytest.raises(NotGenuine):
        build(aes_only=False).open(plain(signature="0" * 40))


def test_where_a_body_holds_both_only_the_encrypted_part_counts() -> None:
    both = sealed(FromUserName="o_forged", MsgType="text", Content="forged")

    assert build().open(both)["FromUserName"] == "o_1"
    assert build(aes_only=False).open(both)["FromUserName"] == "o_1"


def test_the_plain_part_counts_where_no_key_is_set() -> None:
    both = sealed(FromUserName="o_1", MsgType="text", Content="plain").body

    assert build(aes_key="").open(plain(both))["Content"] == "plain"


def test_an_encrypted_body_without_a_key_says_what_is_missing() -> None:
    with pytest.raises(Malformed, match="AES key"):
        build(aes_key="").open(plain(sealed().body))


@pytest.mark.parametrize("minutes", [-16, 16, 60 * 24 * 365])
def test_an_old_proof_is_no_proof(minutes: int) -> None:
    stamp = str(int((NOW + timedelta(minutes=minutes)).timestamp()))

    for opens in (build(aes_key=""), build()):
        with pytest.raises(NotGenuine):
            opens.open(plain(stamp=stamp) if not opens._key else sealed(stamp=stamp))


@pytest.mark.parametrize("minutes", [-14, 14])
def test_clocks_may_differ_by_some_minutes(minutes: int) -> None:
    stamp = str(int((NOW + timedelta(minutes=minutes)).timestamp()))

    assert build().open(sealed(stamp=stamp))["FromUserName"] == "o_1"


@pytest.mark.parametrize("stamp", ["", "x", "１７７２７７８６００", "-1", "9" * 400])
def test_a_timestamp_that_is_no_number_proves_nothing(stamp: str) -> None:
    with pytest.raises(NotGenuine):
        build(aes_key="").open(plain(stamp=stamp))


def test_another_accounts_envelope_is_not_genuine() -> None:
    with pytest.raises(NotGenuine):
        build().open(sealed(receiver="wx_other"))


def test_without_its_signature_nothing_is_opened() -> None:
    good = sealed()
    for query in ({}, {**good.query, "msg_signature": "é"}, {**good.query, "nonce": "m"}, plain().query):
        with pytest.raises(NotGenuine):
            build().open(Delivery(headers={}, query=query, body=good.body))


def test_a_changed_letter_breaks_the_proof() -> None:
    good = sealed()
    with pytest.raises(NotGenuine):
        build().open(
            Delivery(headers={}, query=good.query, body=good.body.replace(b"Encrypt><![CDATA[", b"Encrypt><![CDATA[A"))
        )


def test_another_key_is_malformed_and_not_a_crash() -> None:
    for number in range(40):
        other = base64.b64encode(bytes([number]) * 32).decode()[:43]
        with pytest.raises((Malformed, NotGenuine)):
            build().open(sealed(key=other))


@pytest.mark.parametrize("inner", ["", "AAAA", "A" * 24, "!" * 32, "A" * 64])
def test_a_signed_envelope_of_rubbish_is_malformed(inner: str) -> None:
    query = {"msg_signature": sign(STAMP, "n", inner), "timestamp": STAMP, "nonce": "n"}

    with pytest.raises(Malformed):
        build().open(Delivery(headers={}, query=query, body=xml.write({"Encrypt": inner})))


def test_a_signed_envelope_of_words_that_are_no_xml_is_malformed() -> None:
    with pytest.raises(Malformed):
        build().open(sealed(b"hello"))


def test_a_key_that_does_not_fit_is_refused() -> None:
    assert envelope.fits(KEY)
    for wrong in ("", "x", KEY + "=", KEY[:-1] + "-"):
        assert not envelope.fits(wrong)
    with pytest.raises(ValueError, match="EncodingAESKey"):
        build(aes_key="short")


def test_an_envelope_shows_no_secret() -> None:
    assert TOKEN not in repr(build())
    assert KEY not in repr(build())
