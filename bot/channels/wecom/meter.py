"""Counts what goes to each member: what is more than WeCom allows, it drops without a word."""

from collections import deque
from typing import Final


class Meter:
    """Knows whether another message may go to a member. One process counts its own; moments are seconds."""

    def __init__(self) -> None:
        """Begin with nothing sent."""
        self._sent: dict[str, deque[float]] = {}

    def wait(self, member: str, now: float) -> float:
        """Return in how many seconds another message may go to the member; 0: now."""
        sent = self._sent.get(member, ())
        waits = (sent[len(sent) - most] + seconds - now for most, seconds in LIMITS if len(sent) >= most)
        return max([0.0, *waits])

    def count(self, member: str, now: float) -> None:
        """Note that a message goes to the member."""
        if len(self._sent) > _MANY:
            self._sent = {each: sent for each, sent in self._sent.items() if sent[-1] > now - _LONGEST}
        self._sent.setdefault(member, deque(maxlen=_MOST)).append(now)


_SLACK: Final = 2.0  # what a message may be longer on its way than another
LIMITS: Final = ((30, 60 + _SLACK), (1000, 3600 + _SLACK))
"""So many messages of an app to one member within so many seconds.

Source: https://developer.work.weixin.qq.com/document/path/90236
"""
_MOST: Final = max(most for most, _ in LIMITS)
_LONGEST: Final = max(seconds for _, seconds in LIMITS)
_MANY: Final = 10_000
