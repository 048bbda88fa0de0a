"""Makes and measures files, so that a test can send a photo without having one."""

import struct
import zlib
from collections.abc import Iterator
from typing import Final

BLOCK: Final = 1 << 16


def picture(width: int = 320, height: int = 200, *, hue: int = 0) -> bytes:
    """Paint a small PNG of slanting stripes; `hue` makes one differ from the next."""
    tints = [((hue * 67 + 90) % 200 + 30, (hue * 41 + 140) % 200 + 30, (hue * 97 + 170) % 200 + 30)]
    tints.append((tints[0][0] * 3 // 4, tints[0][1] * 3 // 4, tints[0][2] * 3 // 4))
    period = b"".join(bytes(tints[x // 20 % 2]) for x in range(40))
    stripes = period * (width // 40 + 2)
    rows = b"".join(b"\0" + stripes[y % 40 * 3 : (y % 40 + width) * 3] for y in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return _PNG + _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(rows)) + _chunk(b"IEND", b"")


def dimensions(data: bytes) -> tuple[int, int]:
    """Read width and height out of a PNG or JPEG; anything else counts as 800 x 600."""
    if data.startswith(_PNG) and len(data) >= 24:  # noqa: PLR2004 # signature, length, name, two numbers
        return struct.unpack(">II", data[16:24])
    at = 2
    while data.startswith(b"\xff\xd8") and at + 9 < len(data) and data[at] == _MARKER:
        if data[at + 1] in _FRAMES:
            height, width = struct.unpack(">HH", data[at + 5 : at + 9])
            return width, height
        at += 2 + int.from_bytes(data[at + 2 : at + 4])
    return 800, 600


def filled(start: bytes, size: int) -> Iterator[bytes]:
    """Yield `start` and then zeros, `size` bytes together, without ever holding them all."""
    yield start[:size]
    left = size - len(start)
    while left > 0:
        yield bytes(min(left, BLOCK))
        left -= BLOCK


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


_PNG: Final = b"\x89PNG\r\n\x1a\n"
_MARKER: Final = 0xFF
_FRAMES: Final = frozenset({0xC0, 0xC1, 0xC2, 0xC3})
