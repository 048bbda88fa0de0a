"""The XML of WeChat and WeCom, signed and sealed as the platforms do it.

Sources: https://developers.weixin.qq.com/doc/oplatform/Third-party_Platforms/2.0/api/Before_Develop/Technical_Plan.html
and https://developer.work.weixin.qq.com/document/path/90968
"""

import base64
import binascii
import hashlib
import hmac
import secrets
import struct
from collections.abc import Mapping
from typing import Any, Final, Literal
from xml.etree import ElementTree as ET

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

Json = dict[str, Any]  # one object of the wire: XML or JSON
Mode = Literal["plain", "compatible", "aes"]


class EnvelopeError(Exception):
    """What was answered is not what the platform understands."""


def signature(*parts: str) -> str:
    """Sign as the platforms do: SHA-1 over the sorted parts."""
    return hashlib.sha1("".join(sorted(parts)).encode()).hexdigest()  # noqa: S324 the platform's choice


class Crypt:
    """Seals texts with the key an account shares with the platform, and its own id behind each text."""

    def __init__(self, aes_key: str, identity: str) -> None:
        """Take the 43 characters of an EncodingAESKey, and an AppID or CorpID."""
        self._key = base64.b64decode(aes_key + "=")
        self._identity = identity.encode()

    def encrypt(self, text: bytes) -> str:
        """Seal a text."""
        whole = secrets.token_bytes(16) + struct.pack(">I", len(text)) + text + self._identity
        padding = _BLOCK - len(whole) % _BLOCK
        encryptor = self._cipher().encryptor()
        return base64.b64encode(encryptor.update(whole + bytes([padding]) * padding) + encryptor.finalize()).decode()

    def decrypt(self, sealed: str) -> bytes:
        """Open a text that was sealed for this account."""
        try:
            decryptor = self._cipher().decryptor()
            whole = decryptor.update(base64.b64decode(sealed, validate=True)) + decryptor.finalize()
            padding = whole[-1]
            (size,) = struct.unpack(">I", whole[16:20])
        except (binascii.Error, ValueError, IndexError, struct.error) as broken:
            raise EnvelopeError("the sealed text is broken") from broken
        text, identity = whole[20 : 20 + size], whole[20 + size : len(whole) - padding]
        if not 1 <= padding <= _BLOCK or identity != self._identity:
            raise EnvelopeError("the sealed text is for another account")
        return text

    def _cipher(self) -> Cipher[modes.CBC]:
        return Cipher(algorithms.AES(self._key), modes.CBC(self._key[:16]))


class Envelope:
    """Wraps what the Official Account platform posts, and unwraps what is answered."""

    def __init__(self, *, token: str, aes_key: str, identity: str, mode: Mode) -> None:
        """Sign with a token; seal with a key for an AppID, unless the mode is plain."""
        self.token = token
        self.mode = mode
        self.crypt = Crypt(aes_key, identity)

    def wrap(self, xml: str, *, to: str, sender: str, now: int) -> tuple[dict[str, str], str]:
        """Return the query and the body that carry these fields, which are sealed unless the mode is plain."""
        stamp, nonce = str(now), self.nonce()
        query = {"signature": signature(self.token, stamp, nonce), "timestamp": stamp, "nonce": nonce, "openid": sender}
        if self.mode == "plain":
            return query, xml
        sealed = self.crypt.encrypt(xml.encode())
        query |= {"encrypt_type": "aes", "msg_signature": signature(self.token, stamp, nonce, sealed)}
        if self.mode == "compatible":
            return query, f"{xml.removesuffix('</xml>')}\n<Encrypt><![CDATA[{sealed}]]></Encrypt></xml>"
        return query, write({"ToUserName": to, "Encrypt": sealed})

    def challenge(self, now: int) -> tuple[dict[str, str], str]:
        """Return the query that verifies a new callback, and what must be answered; here the echo is never sealed."""
        stamp, nonce, echo = str(now), self.nonce(), str(secrets.randbelow(10**19))
        asked = {"signature": signature(self.token, stamp, nonce), "timestamp": stamp, "nonce": nonce, "echostr": echo}
        return asked, echo

    def unwrap(self, body: bytes) -> Json:
        """Read an answer, which is sealed in AES mode, may be in compatible mode, and is not in plain mode."""
        fields = read(body)
        if "Encrypt" not in fields:
            if self.mode == "aes":
                raise EnvelopeError("the answer is not sealed")
            return fields
        if self.mode == "plain":
            raise EnvelopeError("the answer is sealed, though the account does not want it")
        return self._open(fields)

    @staticmethod
    def nonce() -> str:
        """Make up a number to sign with."""
        return str(secrets.randbelow(10**10))

    def _open(self, fields: Json) -> Json:
        told = [fields.get(name) for name in ("TimeStamp", "Nonce", "Encrypt", "MsgSignature")]
        stamp, nonce, sealed, signed = (text if isinstance(text, str) else "" for text in told)
        if not hmac.compare_digest(signature(self.token, stamp, nonce, sealed).encode(), signed.encode()):
            raise EnvelopeError("the signature of the answer is wrong")
        return read(self.crypt.decrypt(sealed))


def write(fields: Mapping[str, object], root: str = "xml") -> str:
    """Write XML as WeChat does: texts in CDATA as they came.

    Neither `]]>` nor control characters are escaped, so that a person can write what is no XML any more.
    """
    return f"<{root}>" + "\n".join(_element(name, value) for name, value in fields.items()) + f"</{root}>"


def read(body: bytes) -> Json:
    """Read XML strictly: one root `xml`, no document type, and nothing twice on the first level."""
    parser = ET.XMLParser(target=_Builder())  # noqa: S314 a document type is refused before it can do harm
    try:
        parser.feed(body)
        root = parser.close()
    except (ET.ParseError, ValueError) as broken:
        raise EnvelopeError("the answer is no XML") from broken
    names = [child.tag for child in root]
    if root.tag != "xml" or not names or len(set(names)) < len(names):
        raise EnvelopeError("the answer is not what was asked for")
    return {child.tag: _value(child) for child in root}


class _Builder(ET.TreeBuilder):
    """Builds no document that declares a type, and so no entities."""

    def doctype(self, name: str, pubid: str | None, system: str | None) -> None:
        """Refuse."""
        raise EnvelopeError("a document type is refused")


def _element(name: str, value: object) -> str:
    if isinstance(value, list):
        return "\n".join(_element(name, item) for item in value)
    if isinstance(value, Mapping):
        return write(value, name)
    return f"<{name}><![CDATA[{value}]]></{name}>" if isinstance(value, str) else f"<{name}>{value}</{name}>"


def _value(element: ET.Element) -> str | Json:
    """Read an element as its text, or as an object in which what stands more than once is a list."""
    if not len(element):
        return element.text or ""
    told: Json = {}
    for child in element:
        value = _value(child)
        if child.tag not in told:
            told[child.tag] = value
        elif isinstance(told[child.tag], list):
            told[child.tag].append(value)
        else:
            told[child.tag] = [told[child.tag], value]
    return told


_BLOCK: Final = 32
