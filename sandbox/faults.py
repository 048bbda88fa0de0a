"""What goes wrong on demand: one-shot faults, outages and sending limits, the same for every fake platform.

A platform asks the `Switchboard` before it serves a call. Nothing here knows HTTP or a platform's wording.
"""

import asyncio
import contextlib
import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

Monotonic = Callable[[], float]
"""Seconds that only grow, for measuring gaps; never a time of day."""


class FaultKind(StrEnum):
    """Names how a call is to fail."""

    THROTTLED = "429"
    FAILED = "500"
    BAD_GATEWAY = "502"
    HANG = "hang"
    """Served, but only after the given seconds."""
    DROP = "drop"
    """The connection is cut and the call is not served."""
    DROP_AFTER = "drop_after"
    """The call is served and the connection is cut before the answer: nobody can tell from outside."""
    ERROR = "error"
    """Not served, but answered with the error `code` of the platform (WeChat and WeCom)."""


class Outage(StrEnum):
    """Names what a platform that is down does to every call."""

    NONE = "none"
    REFUSE = "refuse"
    HANG = "hang"
    FAIL = "fail"
    """Answered with HTTP 500 (WeChat and WeCom; Telegram refuses instead)."""


@dataclass(kw_only=True, slots=True)
class Fault:
    """Spoils the next `times` calls that match."""

    kind: FaultKind
    times: int = 1
    method: str | None = None
    chat: str | None = None
    seconds: float = 1.0
    """How long to hang, or what to name as the time to retry after."""
    code: int = -1
    """What `error` answers; -1 is "system busy"."""

    def matches(self, method: str, chat: str | None) -> bool:
        """Tell whether the fault is meant for this call; what it does not name it does not ask."""
        return (self.method is None or self.method.casefold() == method.casefold()) and (
            self.chat is None or self.chat == chat
        )


@dataclass(kw_only=True, slots=True, frozen=True)
class Limits:
    """Says how fast a platform lets a bot send.

    The defaults are what Telegram publishes: https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this
    """

    per_chat: float = 1.0
    """Messages a second into one chat."""
    burst: int = 3
    """How many of them may come at once."""
    per_group: float = 20.0
    """Messages a minute into one group."""
    overall: float = 30.0
    """Messages a second of one bot to everybody."""


class Pace:
    """Remembers when each sender may send next, by the generic cell rate algorithm."""

    def __init__(self, limits: Limits, now: Monotonic) -> None:
        """Begin with nothing sent."""
        self._limits = limits
        self._now = now
        self._due: dict[str, float] = {}

    def wait(self, *, bot: str, chat: str, group: bool) -> int:
        """Count a send and return 0, or return the whole seconds to wait and count nothing."""
        limits, now = self._limits, self._now()
        rules = [(bot, 1 / limits.overall, limits.overall), (f"{bot} {chat}", 1 / limits.per_chat, limits.burst)]
        if group:
            rules.append((f"{bot} {chat} group", 60 / limits.per_group, limits.per_group))
        due = {key: max(self._due.get(key, now), now) for key, _, _ in rules}
        gap = max(due[key] - now - gap * (burst - 1) for key, gap, burst in rules)
        if gap > _TOLERANCE:
            return math.ceil(gap)
        for key, step, _ in rules:
            self._due[key] = due[key] + step
        return 0


class Switchboard:
    """Holds everything that is wrong with a platform at the moment."""

    def __init__(self, now: Monotonic) -> None:
        """Begin with a platform that works."""
        self._now = now
        self.faults: list[Fault] = []
        self.outage = Outage.NONE
        self.delay = 0.0
        """Seconds that every call takes longer (WeChat and WeCom)."""
        self.limits: Limits | None = None
        self._pace: Pace | None = None
        self._lifted = asyncio.Event()

    def add(self, fault: Fault) -> None:
        """Arm a fault behind the ones already armed."""
        self.faults.append(fault)

    def take(self, method: str, chat: str | None, *, named: bool = False) -> Fault | None:
        """Use up one time of the first fault that matches; with `named`, of those that name the method."""
        fitting = (fault for fault in self.faults if fault.matches(method, chat))
        fault = next((fault for fault in fitting if fault.method or not named), None)
        if fault:
            fault.times -= 1
            if fault.times <= 0:
                self.faults.remove(fault)
        return fault

    def set_outage(self, outage: Outage) -> None:
        """Begin or end an outage; whoever hangs in one that ends is let go."""
        self.outage = outage
        self._let_go()

    def set_limits(self, limits: Limits | None) -> None:
        """Switch sending limits on, with nothing counted yet, or off."""
        self.limits = limits
        self._pace = Pace(limits, self._now) if limits else None

    def wait_for_send(self, *, bot: str, chat: str, group: bool) -> int:
        """Return the seconds the bot must wait before this send, which is counted if they are 0."""
        return self._pace.wait(bot=bot, chat=chat, group=group) if self._pace else 0

    async def hold(self, seconds: float | None = None) -> None:
        """Hang for so long, or without a limit until something is lifted."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._lifted.wait(), seconds)

    def clear(self) -> None:
        """Make the platform work again."""
        self.faults.clear()
        self.delay = 0.0
        self.set_limits(None)
        self.set_outage(Outage.NONE)

    def _let_go(self) -> None:
        self._lifted.set()
        self._lifted = asyncio.Event()


_TOLERANCE: Final = 1e-9
