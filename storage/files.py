"""Sealed files: what customers send, encrypted as it comes in and readable as a stream.

`PL1 | salt (32) | chunks`, each chunk 64 KiB of plain text and a tag (AES-256-GCM). The key of a file is derived from
the customer's data key and the salt; a nonce is the chunk's number and whether it is the last one, so chunks cannot be
swapped, repeated or cut off unseen.
"""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from storage.sealing import Unreadable

_MARK: Final = b"PL1"
_SALT_BYTES: Final = 32
_CHUNK: Final = 64 * 1024
_TAG_BYTES: Final = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedFile:
    """What was sealed: the hash of the plain content in hex, and its size in bytes."""

    sha256: str
    size: int


def seal(path: Path, chunks: Iterable[bytes], *, key: bytes, name: int) -> SealedFile:
    """Write a sealed file, bound to `name`: whole and on disk when this returns, or not there at all."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    part = path.with_name(path.name + ".part")
    digest, size = sha256(), 0
    salt = os.urandom(_SALT_BYTES)
    aead = _cipher(key, salt, name)
    try:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(_MARK + salt)
            for number, (chunk, last) in enumerate(_even(chunks)):
                digest.update(chunk)
                size += len(chunk)
                file.write(aead.encrypt(_nonce(number, last=last), chunk, None))
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)
    return SealedFile(sha256=digest.hexdigest(), size=size)


def opened(path: Path, *, key: bytes, name: int) -> Iterator[bytes]:
    """Yield the plain content. Raises `Unreadable` as soon as a chunk is not what was sealed, or is missing."""
    with path.open("rb") as file:
        head = file.read(len(_MARK) + _SALT_BYTES)
        if len(head) != len(_MARK) + _SALT_BYTES or not head.startswith(_MARK):
            raise Unreadable
        aead = _cipher(key, head[len(_MARK) :], name)
        for number, (chunk, last) in enumerate(_sealed_chunks(file)):
            try:
                plain = aead.decrypt(_nonce(number, last=last), chunk, None)
            except InvalidTag:
                raise Unreadable from None
            if plain:
                yield plain


def _cipher(key: bytes, salt: bytes, name: int) -> AESGCM:
    return AESGCM(HKDF(algorithm=SHA256(), length=32, salt=salt, info=b"plaint file %d" % name).derive(key))


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(11) + bytes([last])


def _even(chunks: Iterable[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Yield the same bytes in chunks of one size, and whether each is the last; an empty file is one empty chunk."""
    waiting = bytearray()
    for chunk in chunks:
        waiting += chunk
        while len(waiting) > _CHUNK:
            yield bytes(waiting[:_CHUNK]), False
            del waiting[:_CHUNK]
    yield bytes(waiting), True


def _sealed_chunks(file: BinaryIO) -> Iterator[tuple[bytes, bool]]:
    chunk = file.read(_CHUNK + _TAG_BYTES)
    while True:
        following = file.read(_CHUNK + _TAG_BYTES)
        yield chunk, not following
        if not following:
            return
        chunk = following


def sync_folder(folder: Path) -> None:
    """Make sure that the new name is on disk too."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
