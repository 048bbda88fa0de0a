"""Sealing: what a person said or is, unreadable without the customer's key, and for good once that key is gone.

The key ring of the environment wraps two things: one data key per customer (destroying it erases the customer's
words), and one root secret per database, from which the desk's own key, the fingerprints of addresses, the digests of
one-time codes, the journal's key and those of signatures are derived. So a ring is rotated by wrapping again what it
wraps (`Store.rewrap`); no sealed column is touched.

A sealed column is `01 | nonce (12 bytes) | ciphertext and tag`, AES-256-GCM, bound to its place (table, row and
column): moved to another place it does not open.
"""

import base64
import binascii
import hmac
import re
import threading
from collections import OrderedDict
from collections.abc import Callable
from functools import lru_cache
from os import urandom
from typing import Final, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from complaints.errors import Misconfigured, PlaintError

_KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12
_VERSION: Final = b"\x01"
_KEY_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,32}")


class Unreadable(PlaintError):
    """Sealed words that this key does not open here: they were changed, moved, or sealed with another key."""


class Key:
    """One key, ready to seal and to open."""

    __slots__ = ("_decrypt", "_encrypt")

    def __init__(self, secret: bytes) -> None:
        aead = AESGCM(secret)
        self._encrypt, self._decrypt = aead.encrypt, aead.decrypt

    def seal(self, plain: bytes, place: bytes) -> bytes:
        """Return the words sealed for this place."""
        nonce = urandom(_NONCE_BYTES)
        return _VERSION + nonce + self._encrypt(nonce, plain, place)

    def open(self, sealed: bytes, place: bytes) -> bytes:
        """Return the words that were sealed for this place. Raises `Unreadable`."""
        if sealed[:1] != _VERSION:
            raise Unreadable
        try:
            return self._decrypt(sealed[1:13], sealed[13:], place)
        except InvalidTag:
            raise Unreadable from None


class KeyRing:
    """The keys of the setting `KEYS`. The first one wraps; all of them unwrap."""

    __slots__ = ("_keys", "_setting", "current")

    def __init__(self, keys: dict[str, bytes]) -> None:
        self._keys = {name: Key(secret) for name, secret in keys.items()}
        self._setting = ",".join(f"{name}:{base64.b64encode(secret).decode()}" for name, secret in keys.items())
        self.current = next(iter(keys))

    @classmethod
    def from_setting(cls, setting: str) -> Self:
        """Read `id:key,id:key`, each key 32 bytes in base64. Raises `Misconfigured`, which never shows a key."""
        keys: dict[str, bytes] = {}
        problems = []
        for place, entry in enumerate((each.strip() for each in setting.split(",")), start=1):
            name, colon, text = entry.partition(":")
            if not colon or not _KEY_ID.fullmatch(name):
                problems.append(f"KEYS: entry {place} must be id:key; the id has letters, digits, - and _, 32 at most")
                continue
            try:
                secret = base64.b64decode(text, altchars=b"-_" if {"-", "_"} & set(text) else None, validate=True)
            except (binascii.Error, ValueError):
                secret = b""
            if len(secret) != _KEY_BYTES:
                problems.append(f"KEYS: the key of entry {place} must be {_KEY_BYTES} random bytes in base64")
            elif name in keys:
                problems.append(f"KEYS: entry {place} has an id that another entry has too")
            else:
                keys[name] = secret
        if problems:
            raise Misconfigured(*problems)
        return cls(keys)

    @classmethod
    def generate(cls) -> Self:
        """Return a ring with one new key."""
        return cls({"k1": urandom(_KEY_BYTES)})

    def to_setting(self) -> str:
        """Return the ring as the setting it is read from: secret, for a file that only its owner may read."""
        return self._setting

    def __repr__(self) -> str:
        return f"KeyRing({', '.join(self._keys)})"

    def wrap(self, secret: bytes, place: bytes) -> bytes:
        """Return the secret sealed with the current key, whose id goes before it."""
        name = self.current.encode()
        return bytes([len(name)]) + name + self._keys[self.current].seal(secret, place)

    def unwrap(self, wrapped: bytes, place: bytes) -> bytes:
        """Return a wrapped secret. Raises `Unreadable`, also where the ring has no such key."""
        key = self._keys.get(self.key_id(wrapped))
        if key is None:
            raise Unreadable
        return key.open(wrapped[1 + wrapped[0] :], place)

    @staticmethod
    def key_id(wrapped: bytes) -> str:
        """Return the id of the key that wrapped this."""
        return wrapped[1 : 1 + wrapped[0]].decode("ascii", "replace") if wrapped else ""


class Vault:
    """All keys of one open database: the desk's own, and those of customers, unwrapped when needed."""

    ROOT_PLACE: Final = b"secret:root"
    _CAPACITY: Final = 20_000

    def __init__(self, ring: KeyRing, root: bytes) -> None:
        self._ring = ring
        self.desk = Key(_derived(root, b"plaint desk"))
        self.journal_secret = _derived(root, b"plaint journal")
        self._address_secret = _derived(root, b"plaint address")
        self._code_secret = _derived(root, b"plaint code")
        self._signing_secret = _derived(root, b"plaint sign")
        #: (channel, chat) -> what stands for an address in columns that are searched: 128 bits of a keyed hash, in hex.
        self.fingerprint: Callable[[str, str], str] = lru_cache(self._CAPACITY)(self._fingerprint)
        self._opened: OrderedDict[tuple[int, bytes], Key] = OrderedDict()
        self._lock = threading.Lock()

    def _fingerprint(self, channel: str, chat: str) -> str:
        return hmac.digest(self._address_secret, f"{channel}\0{chat}".encode(), "sha256")[:16].hex()

    def digest(self, code: str) -> str:
        """Return what stands for a one-time code in the database: without our key, trying all codes tells nothing."""
        return hmac.digest(self._code_secret, code.encode(), "sha256")[:16].hex()

    def sign(self, place: str, content: bytes) -> bytes:
        """Return the HMAC-SHA256 of the content with a key that is only for this place."""
        return hmac.digest(_derived(self._signing_secret, place.encode()), content, "sha256")

    def new_data_key(self, customer_id: int) -> bytes:
        """Return a fresh data key for a customer, wrapped."""
        secret = urandom(_KEY_BYTES)
        wrapped = self._ring.wrap(secret, b"customer:%d" % customer_id)
        self._keep(customer_id, wrapped, Key(secret))
        return wrapped

    def key_of(self, customer_id: int, wrapped: bytes | None) -> Key | None:
        """Return a customer's key, or None where it was destroyed. Raises `Unreadable`."""
        if not wrapped:
            return None
        key = self._opened.get((customer_id, wrapped))
        if key is None:
            key = Key(self._ring.unwrap(wrapped, b"customer:%d" % customer_id))
            self._keep(customer_id, wrapped, key)
        return key

    def file_key(self, customer_id: int, wrapped: bytes | None) -> bytes | None:
        """Return the secret from which the keys of a customer's files are derived, or None where it was destroyed."""
        if not wrapped:
            return None
        return _derived(self._ring.unwrap(wrapped, b"customer:%d" % customer_id), b"plaint file")

    def rewrapped(self, wrapped: bytes, place: bytes) -> bytes:
        """Return the same secret wrapped by the ring's current key."""
        return self._ring.wrap(self._ring.unwrap(wrapped, place), place)

    def forget(self, customer_id: int, wrapped: bytes) -> None:
        """Drop a destroyed key from memory."""
        with self._lock:
            self._opened.pop((customer_id, wrapped), None)

    def _keep(self, customer_id: int, wrapped: bytes, key: Key) -> None:
        with self._lock:
            self._opened[customer_id, wrapped] = key
            if len(self._opened) > self._CAPACITY:
                self._opened.popitem(last=False)


def _derived(root: bytes, purpose: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=_KEY_BYTES, salt=None, info=purpose).derive(root)
