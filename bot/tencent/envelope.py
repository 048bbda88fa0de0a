"""Proves that a delivery came from WeChat or WeCom, takes it out of its envelope, and puts answers into one.

Source: https://developers.weixin.qq.com/doc/oplatform/Third-party_Platforms/2.0/api/Before_Develop/Technical_Plan.html
"""

import base64
import binascii
import hashlib
import hmac
import re
import secrets
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC

from bot.channel import Delivery
from bot.tencent import xml
from complaints.errors import Malformed, NotGenuine


def fits(aes_key: str) -> bool:
    """Tell whether this can be an EncodingAESKey: 43 characters that are base64."""
    return re.fullmatch(r"[A-Za-z0-9+/]{43}", aes_key) is not None


class Envelope:
    """The envelope of one account: an Official Account, or an app of WeCom.

    `token` proves the sender; `aes_key` is the EncodingAESKey (`fits`) or empty for an account in plain mode;
    `receiver` is the app id or corp id that must stand inside. With a key, what is not encrypted is refused, unless
    `aes_only` is false.
    """

    def __init__(
        self, *, token: str, aes_key: str, receiver: str, clock: Callable[[], datetime], aes_only: bool = True
    ) -> None:
        """Raise `ValueError` for a key that does not fit."""
        if aes_key and not fits(aes_key):
            raise ValueError("not an EncodingAESKey")
        self._token = token
        self._key = base64.b64decode(aes_key + "=") if aes_key else b""
        self._receiver = receiver.encode()
        self._clock = clock
        self._aes_only = aes_only and bool(aes_key)

    def __repr__(self) -> str:
        """Name the receiver and no secret."""
        return f"<Envelope of {self._receiver.decode()}>"

    def signed(self, query: Mapping[str, str]) -> None:
        """Raise `NotGenuine` where `signature` is not the account's, or the post is older or newer than 15 minutes."""
        self._prove(query, "signature")

    def echo(self, query: Mapping[str, str]) -> bytes:
        """Return what WeChat wants to read at its GET: the `echostr`, which it never encrypts."""
        self.signed(query)
        return query.get("echostr", "").encode()

    def sealed_echo(self, query: Mapping[str, str]) -> bytes:
        """Return what WeCom wants to read at its GET: the `echostr` without its encryption."""
        sealed = query.get("echostr", "")
        self._prove(query, "msg_signature", sealed)
        return self._opened(sealed)

    def open(self, delivery: Delivery) -> xml.Fields:
        """Return the fields of a genuine delivery, in whatever mode the account is.

        In the compatible mode a body holds both: then the encrypted part is read, which is the one that is signed.
        """
        if not self._key:
            self.signed(delivery.query)
            fields = xml.read(delivery.body)
            if "Encrypt" in fields and "MsgType" not in fields:
                raise Malformed("the account encrypts, and no AES key is set here")
            return fields
        fields = xml.read(delivery.body)
        sealed = fields.get("Encrypt")
        if isinstance(sealed, str):
            self._prove(delivery.query, "msg_signature", sealed)
            return xml.read(self._opened(sealed))
        if self._aes_only:
            raise NotGenuine
        self.signed(delivery.query)
        return fields

    def seal(self, content: bytes, timestamp: str, nonce: str) -> bytes:
        """Return the envelope around the XML of an answer."""
        plain = secrets.token_bytes(_SALT) + len(content).to_bytes(_LENGTH, "big") + content + self._receiver
        surplus = _BLOCK - len(plain) % _BLOCK
        encryptor = self._cipher().encryptor()
        sealed = encryptor.update(plain + bytes([surplus]) * surplus) + encryptor.finalize()
        encrypted = base64.b64encode(sealed).decode()
        return xml.write(
            {
                "Encrypt": encrypted,
                "MsgSignature": self._signature(timestamp, nonce, encrypted),
                "TimeStamp": timestamp,
                "Nonce": nonce,
            }
        )

    def _prove(self, query: Mapping[str, str], name: str, *content: str) -> None:
        timestamp = query.get("timestamp", "")
        expected = self._signature(timestamp, query.get("nonce", ""), *content)
        given = query.get(name, "").encode("utf-8", "surrogateescape")
        if not hmac.compare_digest(expected.encode(), given):
            raise NotGenuine
        if not re.fullmatch(r"[0-9]{1,12}", timestamp):
            raise NotGenuine
        if abs(self._clock().timestamp() - int(timestamp)) > FRESH:
            raise NotGenuine

    def _signature(self, *parts: str) -> str:
        joined = "".join(sorted([self._token, *parts]))
        return hashlib.sha1(joined.encode("utf-8", "surrogateescape"), usedforsecurity=False).hexdigest()

    def _opened(self, sealed: str) -> bytes:
        """Return the content of an envelope whose signature is proved; so what is wrong here is a wrong key."""
        try:
            encrypted = base64.b64decode(sealed, validate=True)
        except binascii.Error:
            raise Malformed("an envelope that is not base64") from None
        if not encrypted or len(encrypted) % _CIPHER_BLOCK:
            raise Malformed("an envelope of a wrong length")
        decryptor = self._cipher().decryptor()
        plain = decryptor.update(encrypted) + decryptor.finalize()
        surplus = plain[-1]
        if not 1 <= surplus <= _BLOCK or plain[-surplus:] != bytes([surplus]) * surplus:
            raise Malformed("an envelope that the AES key does not open")
        plain = plain[:-surplus]
        start = _SALT + _LENGTH
        end = start + int.from_bytes(plain[_SALT:start], "big")
        if len(plain) < start or end > len(plain):
            raise Malformed("an envelope that the AES key does not open")
        if not hmac.compare_digest(plain[end:], self._receiver):
            raise NotGenuine
        return plain[start:end]

    def _cipher(self) -> Cipher[CBC]:
        return Cipher(AES(self._key), CBC(self._key[:_CIPHER_BLOCK]))


FRESH: Final = 15 * 60
"""The seconds by which the platform's clock and ours may differ."""
_BLOCK: Final = 32
_CIPHER_BLOCK: Final = 16
_SALT: Final = 16
_LENGTH: Final = 4
