"""The call-out: alarms that nobody has acknowledged are posted to whoever telephones for the company."""

import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import datetime
from typing import Final

from aiohttp import ClientError, ClientSession, ClientTimeout

from bot.channel import Limits, Outcome, Pace, Refused, Retry, Sent, Sink
from complaints.messages import Address, CallOut
from complaints.ports import Letter

#: Where letters to it are addressed to; all about one alarm after the other, since one may be slow to be taken.
PLACE: Final = Address(channel="alarm", chat="call")
#: The header that proves a call-out: `sha256=` and the HMAC-SHA256 of the body in hexadecimal digits.
SIGNATURE: Final = "X-Plaint-Signature"
_LIMITS: Final = Limits(
    text=2000,
    token=64,
    file=0,
    overall=Pace(every=0.1, burst=20),
    chat=Pace(every=0.1, burst=20),
    group=Pace(every=0.1, burst=20),
    concurrent=4,
)
_TIMEOUT: Final = ClientTimeout(total=15)
_TAKEN: Final = range(200, 300)
_LATER: Final = frozenset({408, 425, 429, *range(500, 600)})


class CallOuts:
    """Posts call-outs as JSON to one webhook, signed with the secret that it shares with us.

    The body holds `number`, `company`, `round`, `title` and `at` (the moment of the call-out, UTC), and nothing of the
    customer. `clock` tells whether a later round calls out already.
    """

    name = PLACE.channel
    limits = _LIMITS

    def __init__(self, *, url: str, secret: str, clock: Callable[[], datetime]) -> None:
        """Take the address of the webhook, which is a secret too; nothing is opened before `start`."""
        self._url = url
        self._secret = secret.encode()
        self._clock = clock
        self._session: ClientSession | None = None

    def __repr__(self) -> str:
        """Tell neither the address nor the secret."""
        return "<CallOuts>"

    async def start(self) -> None:
        """Open the connection."""
        self._session = ClientSession(timeout=_TIMEOUT)

    async def stop(self) -> None:
        """Close the connection."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def send(self, letter: Letter) -> Outcome:
        """Post a call-out. One that comes so late that the next round calls out itself is done without."""
        call = letter.body
        if not isinstance(call, CallOut):
            return Refused(error="this is no call-out")
        if call.until <= self._clock():
            return Sent()
        body = json.dumps(
            {
                "number": call.number,
                "company": call.company,
                "round": call.round,
                "title": call.title,
                "at": call.at.isoformat(),
            },
            ensure_ascii=False,
        ).encode()
        proof = hmac.new(self._secret, body, hashlib.sha256).hexdigest()
        status = await self._ask("POST", body, {"Content-Type": "application/json", SIGNATURE: f"sha256={proof}"})
        if isinstance(status, Retry) or status in _TAKEN:
            return status if isinstance(status, Retry) else Sent()
        return Retry(reason=f"HTTP {status}") if status in _LATER else Refused(error=f"HTTP {status}")

    async def fetch(self, ref: str, sink: Sink) -> Outcome:  # no file ever lies there
        """Refuse: nobody sends files by this way."""
        return Refused(error="no files come this way")

    async def ping(self) -> Outcome:
        """Ask whether there is an answer at all; any will do, since nothing but a call-out is expected there."""
        status = await self._ask("HEAD", None, {})
        return status if isinstance(status, Retry) else Sent()

    async def _ask(self, method: str, body: bytes | None, headers: dict[str, str]) -> int | Retry:
        if self._session is None:
            return Retry(reason="closed")
        try:
            async with self._session.request(
                method, self._url, data=body, headers=headers, allow_redirects=False
            ) as answer:
                return answer.status
        except (ClientError, TimeoutError, OSError, ValueError) as problem:  # texts of these may hold the address
            return Retry(reason=type(problem).__name__)
