"""The delivery loop: takes letters straight from a commit or from the outbox, and tells what became of each.

`Postman` is the whole of it for the rest of the bot. Per channel there is a `_Line` with a pool of senders and one for
errands (files to fetch); per chat of a line a `_Recipient`, whose letters go one at a time, in order within a priority.

Where a letter is held: waits of up to `HOLD` seconds are sat out here, longer ones go back to the outbox, so that an
outage of a day fills no memory and no lease runs out. The outbox remains the truth: what is here may be forgotten at
any moment, and a letter whose outcome was not settled goes out again.
"""

import asyncio
import contextlib
import itertools
from bisect import insort
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePath
from typing import Final

import structlog

from bot.channel import Carrier, Deferred, Limits, Outcome, Pace, Refused, Retry, Sent
from complaints.errors import Unavailable
from complaints.messages import Choice, Fetch, OutgoingMessage, PressAnswer
from complaints.ports import Letter

HOLD: Final = 5.0
"""Seconds that a letter may wait here before it goes back to the outbox instead."""

Claim = Callable[[str, int], list[Letter]]
"""Takes due letters of a channel out of the outbox, at most so many, in order; blocks, so it runs in a thread.

It must never return a letter while an earlier one of its recipient and priority is unsettled and not returned with it.
"""
Settle = Callable[[list[tuple[Letter, Outcome]]], Awaitable[None]]
"""Writes outcomes down. Until it returns, no letter in it is taken again; if it raises, it is asked again."""
Errand = Callable[[Carrier, Letter], Awaitable[Outcome]]
"""Does a `Fetch`: opens a place for the file, lets the channel fill it, and keeps it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Toll:
    """One gate on the way of a letter: its key, and how fast it may be passed."""

    key: str
    pace: Pace


Gate = Callable[[Sequence[Toll]], Awaitable[float]]
"""Reserves a passage through all gates and returns the seconds until it. Nobody asks twice for one passage."""


def passage(due: float, now: float, pace: Pace) -> tuple[float, float]:
    """Return the moment of the next passage and the new `due`, by the generic cell rate algorithm. Units: seconds."""
    due = max(due, now)
    return max(now, due - pace.every * (pace.burst - 1)), due + pace.every


class LocalGates:
    """Gates of one process, for a desk that runs as one process."""

    def __init__(self) -> None:
        """Begin with every gate open."""
        self._due: dict[str, float] = {}

    async def __call__(self, tolls: Sequence[Toll]) -> float:
        """Reserve a passage through all gates and return the seconds until it."""
        now = at = asyncio.get_running_loop().time()
        if len(self._due) > _MANY_GATES:
            self._due = {key: due for key, due in self._due.items() if due > now}
        for toll in tolls:
            moment, self._due[toll.key] = passage(self._due.get(toll.key, now), now, toll.pace)
            at = max(at, moment)
        return at - now


class Postman:
    """Delivers letters over all channels, and lets no channel or recipient wait for another.

    `fetch` does the errands, `gate` paces what nobody asked for, `jitter` returns numbers from 0 to 1, and for `lease`
    seconds a claimed or handed-over letter is this process's own. After `tries` failures of its own a letter is given
    up; they are counted here and start anew with the process. `Letter.attempts` is left alone: the outbox knows by it
    whether a letter is still the one that it handed out.
    """

    def __init__(
        self,
        channels: Mapping[str, Carrier],
        *,
        claim: Claim,
        settle: Settle,
        fetch: Errand,
        gate: Gate,
        jitter: Callable[[], float],
        lease: float = 60.0,
        tries: int = 20,
    ) -> None:
        """Take everything needed; nothing runs before `start`."""
        self._claim = claim
        self._settle = settle
        self._fetch = fetch
        self._channels = dict(channels)
        self._desk = _Desk(gate=gate, jitter=jitter, patience=max(lease / 4, lease - _LONGEST_CALL), tries=tries)
        self._lines: dict[tuple[str, bool], _Line] = {}
        self._nudges: dict[str, asyncio.Event] = {}
        self._looked: dict[str, float] = {}
        self._expected: set[str] = set()
        self._claims: list[asyncio.Task[None]] = []
        self._settling: asyncio.Task[None] | None = None
        self._stopping = False
        self._loop: asyncio.AbstractEventLoop | None = None

    async def start(self) -> None:
        """Begin to deliver."""
        self._loop = asyncio.get_running_loop()
        for name, channel in self._channels.items():
            self._lines[name, False] = _Line(
                channel, channel.send, self._desk, senders=channel.limits.concurrent, capacity=_CAPACITY
            )
            self._lines[name, True] = _Line(
                channel, self._errand(channel), self._desk, senders=_ERRANDS, capacity=_ERRANDS * 4
            )
            self._nudges[name] = asyncio.Event()
            self._looked[name] = 0.0
            self._claims.append(asyncio.create_task(self._claiming(name)))
        for line in self._lines.values():
            line.start()
        self._settling = asyncio.create_task(self._settle_all())

    def post(self, letters: Iterable[Letter]) -> None:
        """Take letters straight from a commit that made this process their holder; only from the loop's own thread.

        They must be due. From another thread: `loop.call_soon_threadsafe(postman.post, letters)`.
        """
        self._take(letters, claimed=False)

    def carried(self, letters: Iterable[Letter]) -> None:
        """Settle as sent what reached its reader in another way, as in the answer to a post; on the loop's own thread.

        They are letters that a commit made this process the holder of, and that were not posted.
        """
        for letter in letters:
            if letter.id not in self._desk.held:
                self._desk.held[letter.id] = letter
                self._desk.settle(letter, Sent())

    def expect(self, channel: str) -> None:
        """Look into the outbox of a channel soon: a commit has put something there; on the loop's own thread.

        On a busy desk that is every commit, so it is at most one look in a fifth of a second.
        """
        nudge = self._nudges.get(channel)
        if nudge is None or channel in self._expected:
            return
        loop = asyncio.get_running_loop()
        at = self._looked[channel] + _SOON
        if at <= loop.time():
            nudge.set()
        else:
            self._expected.add(channel)
            loop.call_at(at, self._look, channel)

    def _look(self, channel: str) -> None:
        self._expected.discard(channel)
        self._nudges[channel].set()

    def nudge(self, channel: str | None = None) -> None:
        """Look into the outbox now, for this channel or for all; from any thread."""
        for name, nudge in self._nudges.items():
            if self._loop is not None and channel in (None, name):
                self._loop.call_soon_threadsafe(nudge.set)

    async def stop(self, within: float = 10.0) -> None:
        """Finish what is in flight, give everything else back, settle; after so many seconds, give up waiting."""
        self._stopping = True
        for nudge in self._nudges.values():
            nudge.set()
        async with _patience(within):
            await asyncio.gather(*self._claims)  # a claim that is under way takes letters: they are given back
        for line in self._lines.values():
            line.shut()
        await asyncio.gather(*(line.ended(within) for line in self._lines.values()))
        self._desk.close()
        if self._settling is not None:
            async with _patience(within):
                await self._settling

    def _errand(self, channel: Carrier) -> Callable[[Letter], Awaitable[Outcome]]:
        async def fetch(letter: Letter) -> Outcome:
            return await self._fetch(channel, letter)

        return fetch

    def _take(self, letters: Iterable[Letter], *, claimed: bool) -> None:
        for letter in letters:
            held = self._desk.held.get(letter.id)
            if held is not None:
                if claimed:  # its lease ran out before it was settled; it is held by the new one
                    held.attempts = letter.attempts
                continue
            self._desk.held[letter.id] = letter
            line = self._lines.get((letter.address.channel, isinstance(letter.body, Fetch)))
            if line is None:
                self._desk.settle(letter, Refused(error=f"there is no channel {letter.address.channel}"))
            elif self._stopping:
                self._desk.settle(letter, Deferred(after=0.0))
            else:
                line.take(letter, claimed=claimed)

    async def _claiming(self, name: str) -> None:
        """Look into the outbox of one channel: at once when nudged, soon while something waits, else now and then."""
        nudge, line = self._nudges[name], self._lines[name, False]
        pause = _SOON
        while not self._stopping:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await nudge.wait()
            nudge.clear()
            room = line.room()
            if room <= 0 or self._stopping:
                pause = _SOON
                continue
            self._looked[name] = asyncio.get_running_loop().time()
            try:
                letters = await asyncio.to_thread(self._claim, name, room)
            except Exception as problem:  # noqa: BLE001 - the database is away; nothing else here depends on it
                pause = min(pause * 2, _LONGEST_PAUSE)
                structlog.get_logger().warning("claim_failed", channel=name, error=_named(problem))
                continue
            line.hungry = bool(letters)
            self._take(letters, claimed=True)
            pause = _SOON if letters else min(pause * 2, _RARELY)

    async def _settle_all(self) -> None:
        """Hand in outcomes as they come: none waits until others are written, or what a reader answers goes first."""
        async with asyncio.TaskGroup() as batches:
            while await self._desk.something():
                batch = self._desk.outcomes
                self._desk.outcomes = []
                batches.create_task(self._settle_batch(batch))

    async def _settle_batch(self, batch: list[tuple[Letter, Outcome]]) -> None:
        pause = _SOON
        while True:
            try:
                await self._settle(batch)
                break
            except Exception as problem:  # noqa: BLE001 - what was sent stays known here until it can be written
                structlog.get_logger().warning("settle_failed", letters=len(batch), error=_named(problem))
                await asyncio.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)
        for letter, _ in batch:
            self._desk.held.pop(letter.id, None)
        for (name, _), line in self._lines.items():
            if line.hungry and not line.count:
                self._nudges[name].set()


class _Desk:
    """What all lines share: the letters in hand, and the outcomes that wait to be settled."""

    def __init__(self, *, gate: Gate, jitter: Callable[[], float], patience: float, tries: int) -> None:
        self.tries = tries
        self.failures: OrderedDict[int, int] = OrderedDict()
        self.gate = gate
        self.jitter = jitter
        self.patience = patience
        self.held: dict[int, Letter] = {}
        self.outcomes: list[tuple[Letter, Outcome]] = []
        self._news = asyncio.Event()
        self._closed = False

    def fail(self, letter: Letter) -> int:
        """Count a failure of a letter and return how many there were."""
        count = self.failures.pop(letter.id, 0) + 1
        self.failures[letter.id] = count
        if len(self.failures) > _MANY_GATES:
            self.failures.popitem(last=False)
        return count

    def backoff(self, failures: int) -> float:
        """Return how long to wait after so many failures: 1 s, 2 s, … 10 min, a quarter more or less."""
        return min(2.0 ** min(failures - 1, 10), 600.0) * (0.75 + self.jitter() / 2)

    def settle(self, letter: Letter, outcome: Outcome) -> None:
        if self.failures and not isinstance(outcome, Retry | Deferred):
            self.failures.pop(letter.id, None)
        self.outcomes.append((letter, outcome))
        self._news.set()

    def close(self) -> None:
        self._closed = True
        self._news.set()

    async def something(self) -> bool:
        """Wait for outcomes; False once there are none and there will be none."""
        while not self.outcomes:
            if self._closed:
                return False
            self._news.clear()
            await self._news.wait()
        return True


@dataclass(slots=True, kw_only=True, order=True)
class _Item:
    """A letter in hand, in the order of ids: they rise with time, also where two commits hand over at once."""

    id: int
    letter: Letter = field(compare=False)
    taken_at: float = field(compare=False)


class _Lane:
    """The letters of one priority to one recipient. `slot` is the passage that was reserved for the first of them."""

    __slots__ = ("items", "not_before", "slot")

    def __init__(self) -> None:
        self.items: deque[_Item] = deque()
        self.not_before = 0.0
        self.slot: float | None = None


class _Recipient:
    """One chat in one line."""

    __slots__ = ("busy", "chat", "lanes", "not_before", "queued", "wake_at")

    def __init__(self, chat: str) -> None:
        self.chat = chat
        self.lanes: dict[int, _Lane] = {}
        self.not_before = 0.0
        self.wake_at = 0.0
        self.busy = False
        self.queued = _NOT_QUEUED

    def add(self, rank: int, item: _Item) -> None:
        lane = self.lanes.get(rank)
        if lane is None:
            lane = self.lanes[rank] = _Lane()
        if lane.items and item.id < lane.items[-1].id:
            insort(lane.items, item)
        else:
            lane.items.append(item)

    def next(self, now: float) -> tuple[int, _Lane] | float | None:
        """Return what may go now, or the moment from which something may, or None where nothing waits."""
        soonest: float | None = None
        for rank in sorted(self.lanes) if len(self.lanes) > 1 else self.lanes:
            lane = self.lanes[rank]
            if lane.items:
                # the end of a press is no message: a chat that must rest may have it
                at = lane.not_before if rank == _PRESS else max(lane.not_before, self.not_before)
                if at <= now:
                    return rank, lane
                soonest = at if soonest is None else min(soonest, at)
        return soonest


class _Line:
    """The letters of one channel on their way, and the senders that carry them."""

    def __init__(
        self,
        channel: Carrier,
        carry: Callable[[Letter], Awaitable[Outcome]],
        desk: _Desk,
        *,
        senders: int,
        capacity: int,
    ) -> None:
        self._channel = channel
        self._carry = carry
        self._desk = desk
        self._senders = senders
        self._capacity = capacity
        self._limits = channel.limits
        self._now = asyncio.get_running_loop().time
        self._recipients: dict[str, _Recipient] = {}
        self._ready: asyncio.PriorityQueue[tuple[int, int, _Recipient | None]] = asyncio.PriorityQueue()
        self._sequence = itertools.count()
        self._open = asyncio.Event()
        self._open.set()
        self._paused_until = 0.0
        self._paced_until = 0.0
        self._paced: dict[str, float] = {}
        self._behind: dict[tuple[str, int], tuple[int, float]] = {}
        self._failures = 0
        self._recovery: asyncio.Task[None] | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._shut = False
        self.count = 0
        self.hungry = False

    def start(self) -> None:
        self._tasks = [asyncio.create_task(self._deliver_all()) for _ in range(self._senders)]

    def shut(self) -> None:
        """Give back what has not begun, and let the senders go home."""
        self._shut = True
        if self._recovery is not None:
            self._recovery.cancel()
        for recipient in self._recipients.values():
            self._give_back(recipient, after=0.0)
        self._open.set()
        for _ in self._tasks:
            self._ready.put_nowait((_LAST, next(self._sequence), None))

    async def ended(self, within: float) -> None:
        """Wait until the senders have gone home, so many seconds; then send them."""
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=within)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    def room(self) -> int:
        """Return how many letters may be claimed: few while it is not sure that the platform is there."""
        if self._rest() > 0:
            return 0
        return min(self._capacity - self.count, _FEW if self._failures else _CLAIM)

    def take(self, letter: Letter, *, claimed: bool) -> None:
        rank = _PRESS if isinstance(letter.body, PressAnswer) else int(letter.priority)
        chat = letter.address.chat
        now = self._now()
        recipient = self._recipients.get(chat)
        after = self._postponed(recipient, letter, rank, now, claimed=claimed)
        if after is not None:
            self._note_behind(letter, rank, after)
            self._desk.settle(letter, Deferred(after=after))
            return
        if recipient is None:
            recipient = self._recipients[chat] = _Recipient(chat)
        recipient.add(rank, _Item(id=letter.id, letter=letter, taken_at=now))
        self.count += 1
        if not recipient.busy:
            self._queue(recipient, rank)

    def _postponed(
        self, recipient: _Recipient | None, letter: Letter, rank: int, now: float, *, claimed: bool
    ) -> float | None:
        """Return in how many seconds the outbox shall offer a letter again, or None to take it now."""
        wait = self._rest()
        if recipient is not None and rank != _PRESS:
            wait = max(wait, recipient.not_before - now)
        after = wait if wait > HOLD else None
        if self._behind and (behind := self._behind.get((letter.address.chat, rank))):
            if claimed and letter.id >= behind[0]:
                del self._behind[letter.address.chat, rank]
            elif not claimed and behind[1] + _FORGET > now:  # those before it are in the outbox: it joins them there
                after = max(after or 0.0, behind[1] - now)
                self.hungry = True
        if self.count >= self._capacity:
            after = max(after or 0.0, _FULL)
        return after

    def _queue(self, recipient: _Recipient, rank: int) -> None:
        if rank < recipient.queued:  # a letter of a higher priority than those it is queued for: queued once more
            recipient.queued = rank
            self._ready.put_nowait((rank, next(self._sequence), recipient))

    async def _deliver_all(self) -> None:
        """Carry one letter after the other: the life of a sender."""
        while True:
            _, _, recipient = await self._ready.get()
            if recipient is None:
                return
            if not self._open.is_set():
                await self._open.wait()
            if recipient.busy:
                continue
            recipient.queued = _NOT_QUEUED
            found = recipient.next(self._now())
            if isinstance(found, tuple):
                recipient.busy = True
                try:
                    await self._deliver(recipient, *found)
                finally:
                    recipient.busy = False
                found = recipient.next(self._now())
            if isinstance(found, tuple):
                self._queue(recipient, found[0])
            elif found is not None:
                self._wake(recipient, found)
            elif recipient.not_before > self._now():  # nothing waits, but what comes must
                self._wake(recipient, recipient.not_before)
            elif self._recipients.get(recipient.chat) is recipient:
                del self._recipients[recipient.chat]

    def _wake(self, recipient: _Recipient, at: float) -> None:
        if not self._now() < recipient.wake_at <= at:
            recipient.wake_at = at
            asyncio.get_running_loop().call_at(at, self._queue, recipient, _LAST - 1)

    async def _deliver(self, recipient: _Recipient, rank: int, lane: _Lane) -> None:
        now = self._now()
        if now - lane.items[0].taken_at > self._desk.patience:  # its lease is running out: another may take it
            self._give_back_lane(rank, lane, after=0.0)
            self.hungry = True
            return
        letter = lane.items[0].letter
        tolls = self._tolls(letter, rank, now)
        if tolls and (lane.slot is None or now - lane.slot > _SLOT):
            wait = await self._reserve(tolls)
            if wait > 0:
                lane.slot = lane.not_before = self._now() + wait
                return
            if not lane.items:  # given back while the gate was asked
                return
        waited, lane.slot = lane.slot is not None, None
        item = lane.items.popleft()
        letter, along = item.letter, self._along(item, lane, waited=waited)
        if along:
            letter = _folded([item.letter, *(each.letter for each in along)], self._limits)
        try:
            outcome = await self._carry(letter)
        except asyncio.CancelledError:
            for each in (item, *along):
                self._leave(each.letter, Retry(reason="stopped", after=self._desk.backoff(1)))
            raise
        except Unavailable:  # it could not be counted or no token be had: nothing is wrong with the letter
            outcome = Retry(reason="the database is away", after=_AWAY, pause="chat")
        except Exception as problem:  # noqa: BLE001 - a mistake in one letter's way must stop no other
            # not the traceback: a formatter that shows variables would show the customer's words
            structlog.get_logger().error("letter_failed", letter=letter.id, error=_named(problem))
            outcome = Retry(reason=type(problem).__name__)
        if isinstance(outcome, Retry):
            for each in along:  # only the first of them has failed; the others go with it, or after it
                if self._shut:
                    self._leave(each.letter, Deferred(after=0.0))
                else:
                    recipient.add(rank, each)
            self._retry(recipient, rank, lane, item, outcome)
        else:
            self._failures = 0
            if along and isinstance(outcome, Sent):
                outcome = Sent()  # nobody's buttons can be taken away in a message that is several
            for each in (item, *along):
                self._leave(each.letter, outcome)

    def _along(self, first: _Item, lane: _Lane, *, waited: bool) -> list[_Item]:
        """Take those letters of the lane out that go out with the first, as one message.

        Where there are buttons only what the gate has made wait goes together: it costs each reader some of them.
        """
        limits, body = self._limits, first.letter.body
        if not limits.folds or not isinstance(body, OutgoingMessage) or (limits.buttons and not waited):
            return []
        bodies, along = [body], []
        while lane.items:
            body = lane.items[0].letter.body
            if not isinstance(body, OutgoingMessage):
                break
            bodies.append(body)
            if len(_fold(bodies, limits).plain.encode()) > limits.text:
                break
            along.append(lane.items.popleft())
        return along

    def _retry(self, recipient: _Recipient, rank: int, lane: _Lane, item: _Item, outcome: Retry) -> None:
        """Decide who waits how long: the letter's lane, its chat or the whole line; here, or in the outbox."""
        letter, now = item.letter, self._now()
        after = outcome.after or 0.0
        if outcome.pause is None:
            failures = self._desk.fail(letter)
            self._failures += 1
            if failures >= (_TRIES_OF_PRESS if rank == _PRESS else self._desk.tries):
                self._leave(letter, Refused(error=f"given up after {failures} attempts: {outcome.reason}"))
                return
            after = outcome.after or self._desk.backoff(failures)
            if self._failures >= _ILL:
                self._recover()
        elif outcome.pause == "chat":
            recipient.not_before = now + after
            self._note_pace(recipient.chat, now + after + _PACED)
        else:
            self._paced_until = now + after + _PACED
            self._failures = max(self._failures, 1)
            self._pause(after)
        rest = max(after, self._rest())
        if rest <= HOLD and not self._shut:
            lane.not_before = now + after
            recipient.add(rank, item)
            return
        counted = (
            Retry(reason=outcome.reason, after=rest)
            if outcome.pause is None
            else Deferred(after=rest, pause=outcome.pause)
        )
        self._note_behind(letter, rank, rest)
        self._leave(letter, counted)
        if outcome.pause == "chat":
            self._give_back(recipient, after=rest)
        else:
            self._give_back_lane(rank, lane, after=rest)

    # --- pace ---

    def _tolls(self, letter: Letter, rank: int, now: float) -> list[Toll]:
        """Return the gates on a letter's way: all for what nobody asked for, none for an answer in quiet times."""
        if rank == _PRESS or isinstance(letter.body, Fetch):
            return []
        name, chat = self._channel.name, letter.address.chat
        tolls = []
        if letter.unasked or (self._paced and self._paced.get(chat, 0.0) > now):
            pace = self._limits.group if letter.address.group else self._limits.chat
            tolls.append(Toll(key=f"{name}:{chat}", pace=pace))
        if letter.unasked or self._paced_until > now:
            tolls.append(Toll(key=name, pace=self._limits.overall))
        return tolls

    async def _reserve(self, tolls: Sequence[Toll]) -> float:
        try:
            return await self._desk.gate(tolls)
        except Exception as problem:  # noqa: BLE001 - the database is away: what nobody asked for can wait
            structlog.get_logger().warning("gate_failed", channel=self._channel.name, error=_named(problem))
            return _SLOT * 2

    def _note_pace(self, chat: str, until: float) -> None:
        if len(self._paced) > _MANY_GATES:
            now = self._now()
            self._paced = {key: end for key, end in self._paced.items() if end > now}
        self._paced[chat] = until

    # --- pauses and outages ---

    def _rest(self) -> float:
        """Return for how many seconds the line still rests, as far as is known."""
        if not self._paused_until:
            return 0.0
        return max(0.0 if self._recovery is None else _SOON, self._paused_until - self._now())

    def _pause(self, seconds: float) -> None:
        until = self._now() + seconds
        if until <= self._paused_until:
            return
        self._paused_until = until
        self._open.clear()
        asyncio.get_running_loop().call_at(until, self._resume)
        if seconds > HOLD:
            for recipient in self._recipients.values():
                self._give_back(recipient, after=seconds)

    def _resume(self) -> None:
        if self._paused_until <= self._now() + _TICK and self._recovery is None:
            self._paused_until = 0.0
            self._open.set()

    def _recover(self) -> None:
        """Rest until the platform answers again. What waits meanwhile costs no letter an attempt."""
        if self._recovery is None and not self._shut:
            self._recovery = asyncio.create_task(self._recovering())

    async def _recovering(self) -> None:
        log = structlog.get_logger().bind(channel=self._channel.name)
        log.warning("channel_resting", failures=self._failures)
        for attempt in itertools.count(1):
            wait = min(self._desk.backoff(attempt), _LONGEST_REST)
            self._pause(wait)
            await asyncio.sleep(wait)
            try:
                outcome = await self._channel.ping()
            except Exception as problem:  # noqa: BLE001 - whatever is wrong with it, the line goes on resting
                outcome = Retry(reason=type(problem).__name__)
            if isinstance(outcome, Sent):
                break
        self._recovery = None
        self._paused_until = 0.0
        self._failures = _ILL - 1  # one more failure and it rests again; the first success ends the suspicion
        self._open.set()
        log.info("channel_back")

    # --- leaving ---

    def _leave(self, letter: Letter, outcome: Outcome) -> None:
        self.count -= 1
        self._desk.settle(letter, outcome)

    def _note_behind(self, letter: Letter, rank: int, after: float) -> None:
        """Remember that a letter went back, so that no younger one handed over directly overtakes it."""
        now = self._now()
        if len(self._behind) > _MANY_GATES:
            self._behind = {key: value for key, value in self._behind.items() if value[1] + _FORGET > now}
        key = (letter.address.chat, rank)
        known, due = self._behind.get(key, (letter.id, 0.0))
        self._behind[key] = (max(known, letter.id), max(due, now + after))

    def _give_back(self, recipient: _Recipient, *, after: float) -> None:
        for rank, lane in recipient.lanes.items():
            self._give_back_lane(rank, lane, after=after)

    def _give_back_lane(self, rank: int, lane: _Lane, *, after: float) -> None:
        while lane.items:
            letter = lane.items.popleft().letter
            self._note_behind(letter, rank, after)
            self._leave(letter, Deferred(after=after))


def _named(problem: BaseException) -> str:
    """Return an exception's type and where it was raised, without its text, which may hold anything."""
    trace = problem.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    where = f" at {PurePath(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace else ""
    return f"{type(problem).__name__}{where}"


def _folded(letters: Sequence[Letter], limits: Limits) -> Letter:
    """Return several messages to one reader as one letter, in their order."""
    bodies = [letter.body for letter in letters if isinstance(letter.body, OutgoingMessage)]
    cases = {letter.case_id for letter in letters}
    about = {body.about for body in bodies}
    return replace(
        letters[0],
        body=replace(_fold(bodies, limits), about=about.pop() if len(about) == 1 else ""),
        case_id=cases.pop() if len(cases) == 1 else None,
        card=False,
    )


def _fold(bodies: Sequence[OutgoingMessage], limits: Limits) -> OutgoingMessage:
    if len(bodies) == 1:
        return bodies[0]
    return _folded_by_button(bodies) if limits.buttons else _folded_by_number(bodies)


def _folded_by_number(bodies: Sequence[OutgoingMessage]) -> OutgoingMessage:
    """Fold where choices are typed: those of each message stay below its words, pages to open stay to be opened."""
    *earlier, last = bodies
    pages = tuple(
        row for body in earlier for choices in body.choices if (row := tuple(each for each in choices if each.url))
    )
    return OutgoingMessage(
        text=_RULE.join([*(body.plain for body in earlier), last.text]), choices=pages + last.choices, hint=last.hint
    )


def _folded_by_button(bodies: Sequence[OutgoingMessage]) -> OutgoingMessage:
    """Fold where there are buttons: they stay if it is plain what they belong to."""
    choosing = [body for body in bodies if body.choices]
    choices: tuple[tuple[Choice, ...], ...] = choosing[0].choices if len(choosing) == 1 else ()
    return OutgoingMessage(text=_RULE.join(body.text for body in bodies), choices=choices)


@contextlib.asynccontextmanager
async def _patience(within: float) -> AsyncIterator[None]:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(within):
            yield


_PRESS: Final = 0
"""The rank of the end of a press: before everything else, since a press that waits looks like a dead button."""
_LAST: Final = 100
_NOT_QUEUED: Final = 1000
_CAPACITY: Final = 500
"""Letters of one channel in hand at once: at 30 a second, what nobody asked for is out before its lease ends."""
_ERRANDS: Final = 4
_CLAIM: Final = 200
_FEW: Final = 4
_TRIES_OF_PRESS: Final = 3
_ILL: Final = 3
"""So many failures in a row, and the line rests until the platform answers a ping."""
_PACED: Final = 60.0
"""Seconds for which even answers are paced after the platform complained."""
_SLOT: Final = 1.0
_AWAY: Final = 2.0
_RULE: Final = "\n\n" + "\u2500" * 10 + "\n\n"
_LONGEST_CALL: Final = 25.0
"""Seconds that must be left of a lease when a letter is sent."""
_FULL: Final = 1.0
_FORGET: Final = 60.0
_SOON: Final = 0.2
_RARELY: Final = 1.0
_LONGEST_PAUSE: Final = 10.0
_LONGEST_REST: Final = 60.0
_TICK: Final = 0.01
_MANY_GATES: Final = 10_000
