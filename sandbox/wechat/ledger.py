"""How many messages an account may send somebody, and until when, after what that person did.

Counts do not add up: what a person did last grants anew, and of two grants the larger counts. Source:
https://developers.weixin.qq.com/doc/service/api/customer/message/api_sendcustommessage
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from typing import Final

from sandbox.tencent.gateway import Refusal


class Doing(Enum):
    """What a person can do that lets the account write, with how often and how long."""

    MESSAGE = (5, timedelta(hours=48))
    TOUCH = (3, timedelta(minutes=1))
    """Taps the menu, follows, or scans a code."""


@dataclass(slots=True)
class Grant:
    """What one doing has granted."""

    left: int
    until: datetime


@dataclass(slots=True)
class Ledger:
    """The grants of one person."""

    grants: dict[Doing, Grant] = field(default_factory=dict)

    def grant(self, doing: Doing, now: datetime) -> None:
        """Note what the person did."""
        count, window = doing.value
        self.grants[doing] = Grant(count, now + window)

    def left(self, now: datetime) -> int | None:
        """Tell how many messages may be sent; None if no window is open."""
        open_ones = [grant.left for grant in self.grants.values() if now < grant.until]
        return max(open_ones) if open_ones else None

    def spend(self, now: datetime) -> None:
        """Count one message, or refuse it."""
        left = self.left(now)
        if left is None:
            raise Refusal(45015, _LATE)
        if left <= 0:
            raise Refusal(45047, "out of response count limit")
        for grant in self.grants.values():
            grant.left = max(grant.left - 1, 0)


_LATE: Final = "response out of time limit or subscription is canceled"
