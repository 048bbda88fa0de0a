"""The token of a page's address: whose page it is, until when, and the proof that it came from us.

Whoever has the address sees the page; there is nothing else to know. So it is signed, and it ends.
"""

import hmac
import re
import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

HOLDS: Final = timedelta(days=30)
"""How long an address works."""

Sign = Callable[[str, bytes], bytes]
"""Returns a keyed hash of a content for a place."""

_PLACE: Final = "page"
_SIGNATURE: Final = 16
_CONTENT: Final = struct.Struct(">QI")
_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{38}")


def token(conversation_id: int, now: datetime, sign: Sign) -> str:
    """Return the token of a conversation's page, good from now on for `HOLDS`."""
    content = _CONTENT.pack(conversation_id, int((now + HOLDS).timestamp()))
    return urlsafe_b64encode(content + sign(_PLACE, content)[:_SIGNATURE]).rstrip(b"=").decode()


def address(base: str, conversation_id: int, now: datetime, sign: Sign) -> str:
    """Return a fresh address of a conversation's page below `base`, the public address of the service."""
    return f"{base}/p/{token(conversation_id, now, sign)}"


def read(given: str, now: datetime, sign: Sign) -> tuple[int, datetime] | None:
    """Return whose page it is and until when; None for whatever is not ours, not whole or not good any more."""
    if not _TOKEN.fullmatch(given):
        return None
    raw = urlsafe_b64decode(given + "==")
    content, signature = raw[: _CONTENT.size], raw[_CONTENT.size :]
    if not hmac.compare_digest(signature, sign(_PLACE, content)[:_SIGNATURE]):
        return None
    conversation_id, seconds = _CONTENT.unpack(content)
    until = datetime.fromtimestamp(seconds, UTC)
    return (conversation_id, until) if now < until else None
