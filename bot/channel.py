"""What a channel is: the one shape that every messenger has for the rest of the bot. Values and a protocol, no I/O."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from complaints.messages import Address, IncomingMessage
from complaints.ports import Letter


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What a platform posted to us, as plain values. Header names are in lower case, or the mapping ignores case."""

    headers: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What to answer a platform's post with. `carried` are the letters that travel in it and need no sending."""

    body: bytes = b""
    content_type: str = "text/plain"
    carried: tuple[Letter, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How fast one may send: a message every so many seconds, and how many of them may come at once."""

    every: float
    burst: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a platform allows.

    `text` is the longest message in the platform's own units; `token` in bytes a button, `buttons` the most buttons of
    a message (more choices than that are numbered); `file` in bytes.
    `overall`, `chat` and `group` pace what nobody asked for, and everything for a while after the platform complained.
    `folds`: letters that wait for one recipient go out as one. `carries`: the answer to a post carries letters, if it
    goes out within `patience` seconds; after those the platform gives up.
    """

    text: int
    token: int
    file: int
    overall: Pace
    chat: Pace
    group: Pace
    concurrent: int = 64
    buttons: int = 100
    folds: bool = False
    carries: bool = False
    patience: float = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """The platform took it. `ref` is its id of the message, where it gives one."""

    ref: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """It may work later: after so many seconds, or None for the sender to choose.

    `pause` names what rests until then, because the platform said so: nothing but this letter, its chat, or the whole
    channel. A pause costs the letter no attempt.
    """

    reason: str
    after: float | None = None
    pause: Literal["chat", "channel"] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Deferred:
    """It goes back to the outbox, due after so many seconds. That costs no attempt.

    `pause` is what the platform wants to rest until then: other processes should know it too.
    """

    after: float
    pause: Literal["chat", "channel"] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreachable:
    """Nobody can be reached there: blocked, deactivated, kicked, never_started, not_found or forbidden."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The letter will never be taken, or was tried too often. `error` is for a person to read."""

    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """The chat has another id now, and the letter must go there."""

    new_chat: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Parked:
    """There is no way to the person now: the letter waits until they write. `noticed`: they know that one waits.

    None of `counters` had more than `keep` left. If one has when this is settled, they have written meanwhile.
    """

    reason: str
    noticed: bool = False
    counters: tuple[str, ...] = field(default=(), compare=False)
    keep: int = field(default=0, compare=False)


Outcome = Sent | Retry | Deferred | Unreachable | Refused | Moved | Parked
Sink = Callable[[bytes], Awaitable[None]]
"""Takes one piece of a file after the other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at for the doctor: whether it is well, and what to know of it or how to cure it."""

    name: str
    ok: bool
    detail: str


class Purse(Protocol):
    """Counts what a platform still lets us send to somebody, over all processes."""

    async def spend(self, address: Address, names: Sequence[str], *, keep: int = 0) -> bool:
        """Take one from each of these counters that still holds; False if none has more than `keep` left."""
        ...

    async def close(self, address: Address, names: Sequence[str]) -> None:
        """Set these counters to nothing: the platform knows better than we do."""
        ...


class Shelf(Protocol):
    """Keeps the access tokens of platforms where all processes find them."""

    async def token(self, name: str, fetch: Callable[[], Awaitable[tuple[str, float]]], *, stale: str = "") -> str:
        """Return the token of that name. Where there is none, or only the `stale` one, one process fetches it for all.

        `fetch` returns a token and the seconds for which it holds; what it raises is raised to everyone who waits.
        """
        ...


class Carrier(Protocol):
    """Takes letters out of the house: a channel does, and so does the call-out."""

    @property
    def name(self) -> str:
        """The carrier's name, as it stands in every `Address`."""
        ...

    @property
    def limits(self) -> Limits:
        """What the platform allows."""
        ...

    async def send(self, letter: Letter) -> Outcome:
        """Hand a message or the answer to a press over. Errors of the network are outcomes, not exceptions."""
        ...

    async def fetch(self, ref: str, sink: Sink) -> Outcome:
        """Bring a file home, piece by piece. After `Retry` the next try begins at the first piece."""
        ...

    async def ping(self) -> Outcome:
        """Ask the platform whether it is there; `Sent` means yes."""
        ...

    async def start(self) -> None:
        """Open the connection and introduce the bot in the background; never waits for the platform."""
        ...

    async def stop(self) -> None:
        """Close the connection."""
        ...


class Channel(Carrier, Protocol):
    """Translates between a platform and the desk, and knows nothing but the core."""

    def verify(self, delivery: Delivery) -> Reply:
        """Return what proves to the platform that the address is ours (its GET); raise `NotGenuine` or `Malformed`."""
        ...

    def understand(self, delivery: Delivery) -> list[IncomingMessage]:
        """Return what was said; raise `NotGenuine` or `Malformed`."""
        ...

    def passive(self, delivery: Delivery, letters: Sequence[Letter]) -> Reply:
        """Return the answer to a delivery, which may carry some of the letters that it caused."""
        ...
