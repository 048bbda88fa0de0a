"""The real channel to the sandbox's Telegram, and an outbox in a list."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.channel import Channel, Deferred, Outcome, Retry, Sent
from bot.channels.telegram import Telegram
from bot.delivery import LocalGates, Postman
from complaints.messages import Address, OutgoingMessage
from complaints.ports import Letter, Priority
from sandbox import Sandbox, running

NOW = datetime(2026, 3, 6, 6, 30, tzinfo=UTC)


@dataclass
class Outbox:
    """Letters and what became of them: claims like the real one, in order, the head of a lane before the rest."""

    now: Callable[[], float]
    waiting: dict[int, tuple[float, Letter]] = field(default_factory=dict)
    taken: set[int] = field(default_factory=set)
    settled: list[tuple[Letter, Outcome, float]] = field(default_factory=list)
    claims: int = 0
    broken: bool = False
    unwritable: bool = False
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def put(self, *letters: Letter) -> None:
        """Write letters down, due now."""
        for letter in letters:
            self.waiting[letter.id] = (self.now(), letter)

    def claim(self, channel: str, limit: int) -> list[Letter]:
        """Take what is due."""
        self.claims += 1
        if self.broken:
            raise ConnectionError("no database")
        found: list[Letter] = []
        blocked = set()
        for number, (due, letter) in sorted(self.waiting.items()):
            lane = (letter.address.chat, letter.priority)
            if letter.address.channel != channel or lane in blocked:
                continue
            if number in self.taken or due > self.now() or len(found) >= limit:
                blocked.add(lane)
                continue
            found.append(letter)
            self.taken.add(number)
        return found

    async def settle(self, batch: list[tuple[Letter, Outcome]]) -> None:
        """Write down what became of letters."""
        if self.broken or self.unwritable:
            raise ConnectionError("no database")
        for letter, outcome in batch:
            self.settled.append((letter, outcome, self.now()))
            self.taken.discard(letter.id)
            if isinstance(outcome, Deferred | Retry):
                assert outcome.after is not None
                self.waiting[letter.id] = (self.now() + outcome.after, letter)
            else:
                self.waiting.pop(letter.id, None)
        self.news.set()

    def of(self, kind: type = Sent) -> list[Letter]:
        """List the letters with this outcome, in the order in which they were settled."""
        return [letter for letter, outcome, _ in self.settled if isinstance(outcome, kind)]

    async def until(self, condition: Callable[[], object], within: float = 8.0) -> None:
        """Wait until the outcomes fulfil a condition."""
        async with asyncio.timeout(within):
            while not condition():
                self.news.clear()
                await self.news.wait()


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    """A fake Telegram."""
    async with running() as sandbox:
        yield sandbox


@pytest.fixture
async def telegram(sandbox: Sandbox) -> AsyncIterator[Telegram]:
    """The channel to it."""
    telegram = Telegram(token=sandbox.token, api_url=sandbox.url, clock=lambda: NOW)
    await telegram.start()
    await telegram.introduced()
    yield telegram
    await telegram.stop()


@pytest.fixture
async def outbox() -> Outbox:
    """An empty outbox."""
    return Outbox(now=asyncio.get_running_loop().time)


Hire = Callable[..., Awaitable[Postman]]


@pytest.fixture
async def hire(telegram: Telegram, outbox: Outbox) -> AsyncIterator[Hire]:
    """Start a postman; it is stopped after the test."""
    hired: list[Postman] = []

    async def fetch(channel: Channel, letter: Letter) -> Outcome:
        raise AssertionError(letter)

    async def start(**other: Any) -> Postman:
        given = {"claim": outbox.claim, "settle": outbox.settle, "fetch": fetch, "gate": LocalGates()}
        postman = Postman(other.pop("channels", {"telegram": telegram}), **{**given, "jitter": lambda: 0.0, **other})
        await postman.start()
        hired.append(postman)
        return postman

    yield start
    for postman in hired:
        await postman.stop(within=2.0)


@pytest.fixture
def letter() -> Callable[..., Letter]:
    """Build a letter, each with a higher id than the one before."""
    ids = itertools.count(1)

    def build(chat: int | str, text: str = "hello", **rest: Any) -> Letter:
        number = rest.pop("id", None) or next(ids)
        return Letter(
            **{
                "id": number,
                "address": Address(channel="telegram", chat=str(chat), group=str(chat).startswith("-")),
                "body": OutgoingMessage(text=text),
                "priority": Priority.ANSWER,
                "due_at": NOW,
                **rest,
            }
        )

    return build
