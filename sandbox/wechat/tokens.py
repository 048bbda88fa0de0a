"""The access tokens of an Official Account, of both kinds, which know nothing of each other.

Sources: https://developers.weixin.qq.com/doc/service/api/base/api_getstableaccesstoken and …/api_getaccesstoken
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sandbox.tencent.gateway import Refusal


@dataclass(kw_only=True, slots=True)
class Token:
    """A token that was given out."""

    text: str
    until: datetime
    replaced: bool = False
    """Whether a newer one has taken its place."""


class Tokens:
    """Gives out tokens and knows the good ones."""

    def __init__(self, *, clock: Callable[[], datetime], make: Callable[[str], str]) -> None:
        """Begin with none; `make` turns a name into something that looks like a token."""
        self._clock = clock
        self._make = make
        self._made = 0
        self._stable: Token | None = None
        self._classic: Token | None = None
        self._known: dict[str, Token] = {}
        self._forced: list[datetime] = []

    def stable(self, *, force: bool = False) -> tuple[str, int]:
        """Give the stable token and the seconds it holds: the same for two hours, less the five minutes of an overlap.

        A forced refresh is good 20 times a day; within 30 seconds of the last one nothing is refreshed.
        """
        now = self._clock()
        current = self._stable
        if force:
            self._forced = [moment for moment in self._forced if now - moment < timedelta(days=1)]
            if len(self._forced) >= _FORCED_A_DAY:
                raise Refusal(45009, "reach max api daily quota limit")
            if current is None or not self._forced or now - self._forced[-1] >= _APART:
                self._forced.append(now)
                if current:
                    current.replaced = True
                current = None
        if current is None or current.replaced or current.until - now < _OVERLAP:
            current = self._stable = self._new(now)
        return current.text, int((current.until - now).total_seconds())

    def classic(self) -> tuple[str, int]:
        """Give a new classic token, which ends the one before."""
        if self._classic:
            self._classic.replaced = True
        self._classic = self._new(self._clock())
        return self._classic.text, int(_LIFE.total_seconds())

    def check(self, text: str) -> None:
        """Refuse what is no token, what was replaced, and what is too old."""
        token = self._known.get(text)
        if not text:
            raise Refusal(41001, "access_token missing")
        if token is None or token.replaced:
            raise Refusal(40001, "invalid credential, access_token is invalid or not latest")
        if self._clock() >= token.until:
            raise Refusal(42001, "access_token expired")

    def spoil(self, *, replaced: bool) -> None:
        """End every token at once, as replaced or as expired."""
        for token in self._known.values():
            token.until = min(token.until, self._clock())
            token.replaced = token.replaced or replaced

    def _new(self, now: datetime) -> Token:
        self._made += 1
        token = Token(text=self._make(f"token {self._made}"), until=now + _LIFE)
        self._known[token.text] = token
        return token


_LIFE: Final = timedelta(seconds=7200)
_OVERLAP: Final = timedelta(minutes=5)
_APART: Final = timedelta(seconds=30)
_FORCED_A_DAY: Final = 20
