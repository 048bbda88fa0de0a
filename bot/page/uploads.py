"""Files that came by the page, held in memory until the errand has sealed them: on disk they are only sealed."""

import asyncio
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from bot.channel import Outcome, Refused, Retry, Sent, Sink

LARGEST: Final = 20 * 1024 * 1024
"""Bytes of one file: what messengers take too."""

_MARK: Final = "page:"
_MOST_OF_ONE: Final = 3 * LARGEST
_MOST: Final = 12 * LARGEST
#: Seconds after which a file is given up that the customer never said what it belongs to.
_HELD: Final = 900.0
_ELSEWHERE: Final = 2.0
_ENOUGH: Final = 10


def is_upload(ref: str) -> bool:
    """Tell whether a file came by the page, and not by the platform of its chat."""
    return ref.startswith(_MARK)


@dataclass(slots=True)
class _Upload:
    owner: int
    content: bytes
    kept: "asyncio.Future[bool]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Uploads:
    """Holds files for a while, by a ref that nobody can guess. Only on the event loop."""

    def __init__(self, node: str) -> None:
        """`node` names this process: it is the only one that has them."""
        self._mine = f"{_MARK}{node}:"
        self._held: dict[str, _Upload] = {}

    def room(self, owner: int) -> int:
        """Return how many more bytes this conversation may send now."""
        held = [(each.owner, len(each.content)) for each in self._held.values()]
        return min(
            _MOST_OF_ONE - sum(size for whose, size in held if whose == owner), _MOST - sum(size for _, size in held)
        )

    def hold(self, owner: int, content: bytes) -> str:
        """Take a file of a conversation and return its ref."""
        ref = self._mine + secrets.token_urlsafe(16)
        self._held[ref] = _Upload(owner, content)
        asyncio.get_running_loop().call_later(_HELD, self.drop, [ref])
        return ref

    async def fetch(self, ref: str, sink: Sink, *, attempts: int) -> Outcome:
        """Give a file to the errand. One that another process holds is for that process to fetch."""
        upload = self._held.get(ref)
        if upload is not None and not upload.kept.done():
            await sink(upload.content)
            return Sent()
        if ref.startswith(self._mine) or attempts >= _ENOUGH:
            return Refused(error="the file that came by the page is not held any more")
        return Retry(reason="another process holds the file", after=_ELSEWHERE)

    def end(self, ref: str, *, kept: bool = False) -> None:
        """Forget the content of a file: it is sealed (`kept`), or lost."""
        upload = self._held.get(ref)
        if upload is not None and not upload.kept.done():
            upload.content = b""
            upload.kept.set_result(kept)

    async def sealed(self, refs: Sequence[str], within: float) -> bool:
        """Wait until these files are sealed or lost; what is neither after so many seconds is given up."""
        held = [self._held[ref].kept for ref in refs if ref in self._held]
        if held:
            await asyncio.wait(held, timeout=within)
        self.drop(refs)
        return len(held) == len(refs) and all(kept.result() for kept in held)

    def drop(self, refs: Sequence[str]) -> None:
        """Forget files altogether; what was not sealed is lost."""
        for ref in refs:
            self.end(ref)
            self._held.pop(ref, None)
