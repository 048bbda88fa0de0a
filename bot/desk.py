"""The desk: takes commands in batches, serves each batch in one transaction, and only then tells the world.

The one path of every change. A command's handler works on loaded objects; what it changed is written for the whole
batch in one commit. A handler that fails costs only its own command: the batch is served again without it, and its
message stays in the inbox, to be tried later and in the end shown to a person. A commit that fails is tried one command
at a time.
"""

import asyncio
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from queue import Empty, SimpleQueue
from zlib import crc32

import structlog

from complaints.commands import Act, Command, Fire, Hear, Keep, Miss
from complaints.errors import PlaintError, Unavailable
from complaints.messages import Address, Fetch, PressAnswer
from complaints.ports import Changes, Letter, Timer
from complaints.tokens import parse
from handlers import hearing, routing
from handlers.turn import Batch, Book, Turn
from storage import Again, Settled, Store, Unit, Want

log = structlog.get_logger("bot.desk")

#: The most commands in one transaction.
LARGEST_BATCH = 64
_FAILED_TIMER_AGAIN = timedelta(minutes=5)
#: Seconds that the outcomes of letters wait for a commit which is needed anyway.
_LINGER = 0.02


@dataclass(slots=True)
class Served:
    """What became of a command: served now, or before (`repeated`), or why not. `press` ends a press.

    `letters` are answers that whoever submitted the command carries to the speaker, instead of the postman; `fetches`
    the refs of files that are being brought home for it. `unclaimed`: it was no complaint, and nobody here took it.
    `lost`: it failed, and not even that could be written down, so whoever has its words must keep them.
    """

    repeated: bool = False
    press: PressAnswer | None = None
    refused: PlaintError | None = None
    failed: bool = False
    lost: bool = False
    unclaimed: bool = False
    letters: list[Letter] = field(default_factory=list)
    fetches: tuple[str, ...] = ()


@dataclass(slots=True, eq=False)
class _Job:
    """A command to serve, or what became of letters, with the future of whoever waits for the commit."""

    future: "asyncio.Future[Served]"
    command: Command | None = None
    settled: Sequence[Settled] = ()
    served: Served | None = None
    refused: PlaintError | None = None
    carry: bool = False
    wrote: Sequence[Letter] = ()


@dataclass(frozen=True, slots=True)
class _Mail:
    """The letters of one commit: those that may go at once, and the channels of those that wait in the outbox."""

    direct: Sequence[Letter] = ()
    waiting: frozenset[str] = frozenset()


class _Failed(Exception):
    """A handler failed: the transaction is given up, and the batch served again without this job."""

    def __init__(self, job: _Job) -> None:
        super().__init__()
        self.job = job


class Desk:
    """Serves commands on threads of its own: one on SQLite, several on PostgreSQL (one conversation, one thread)."""

    def __init__(
        self,
        *,
        store: Store,
        book: Book,
        clock: Callable[[], datetime],
        post: Callable[[list[Letter]], None],
        nudge: Callable[[str], None] = lambda _: None,
        threads: int = 1,
        observe: Callable[[int], None] = lambda _: None,
    ) -> None:
        """Take everything needed.

        After a commit `post` is called on the event loop with the letters that may go at once, and `nudge` with each
        channel for which others lie in the outbox.
        """
        self._observe = observe
        self._store = store
        self._book = book
        self._clock = clock
        self._post = post
        self._nudge = nudge
        self._counters = [_Counter(self, number) for number in range(threads)]
        self._closing = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def book(self) -> Book:
        """The rules, the words and the reader that the desk works with."""
        return self._book

    def now(self) -> datetime:
        """Return the present moment of the desk's clock."""
        return self._clock()

    def start(self) -> None:
        """Open the desk; call it on the running event loop."""
        self._loop = asyncio.get_running_loop()
        for counter in self._counters:
            counter.thread.start()

    def stop(self) -> None:
        """Serve what waits, and close."""
        self._closing.set()
        for counter in self._counters:
            counter.close()
        for counter in self._counters:
            if counter.thread.is_alive():
                counter.thread.join()

    def submit(self, command: Command, *, carry: bool = False) -> "asyncio.Future[Served]":
        """Hand in a command; the future ends after the commit, or with Unavailable when nothing can be written.

        With `carry` the answers to a `Hear` come in `Served.letters`, for the caller to hand over and to tell the
        postman; unless the future is cancelled first: then they are posted like all others.
        """
        future: asyncio.Future[Served] = asyncio.get_running_loop().create_future()
        self._counter(command).put(_Job(future, command, carry=carry))
        return future

    async def settle(self, outcomes: Sequence[Settled]) -> None:
        """Hand in what became of letters; it is written with the next commit, and this returns after it.

        A letter is settled on the thread that serves its chat: before what the person answers to it, so that a crash
        repeats one letter at most.
        """
        loop = asyncio.get_running_loop()
        shares: dict[_Counter, list[Settled]] = {}
        for each in outcomes:
            shares.setdefault(self._at(each.letter.address.chat), []).append(each)
        jobs = [(counter, _Job(loop.create_future(), settled=share)) for counter, share in shares.items()]
        for counter, job in jobs:
            counter.put(job)
        await asyncio.gather(*(job.future for _, job in jobs))

    def _counter(self, command: Command) -> "_Counter":
        if isinstance(command, Fire) and routing.late(command, self._clock()):
            return self._counters[0]  # what the service slept through is told in one letter, which one thread writes
        place = hearing.speaker(command.message).chat if isinstance(command, Hear) else str(_conversation(command))
        return self._at(place)

    def _at(self, place: str) -> "_Counter":
        return self._counters[crc32(place.encode()) % len(self._counters)]

    def _finish(self, jobs: Sequence[_Job], mail: _Mail) -> None:
        loop = self._loop
        if loop is None or loop.is_closed():
            return
        with suppress(RuntimeError):  # the loop closed in this very moment: the process ends, the inbox remembers
            loop.call_soon_threadsafe(self._announce, jobs, mail)

    def _announce(self, jobs: Sequence[_Job], mail: _Mail) -> None:
        if mail.direct:
            kept = {
                letter.id
                for job in jobs
                if job.carry and job.served is not None and not job.future.done()
                for letter in job.served.letters
            }
            self._post([letter for letter in mail.direct if letter.id not in kept] if kept else list(mail.direct))
        for channel in mail.waiting:
            self._nudge(channel)
        for job in jobs:
            if job.future.done():
                continue
            if job.served is None:
                job.future.set_exception(Unavailable())
            else:
                job.future.set_result(job.served)

    # on the desk's own threads from here on

    def rest(self) -> None:
        """Wait a little before the next try: the database is away."""
        self._closing.wait(0.2)

    def serve(self, jobs: list[_Job]) -> bool:
        """Serve a batch in one transaction; False if nothing can be written now."""
        failed: set[_Job] = set()
        while True:
            try:
                mail = self._transact(jobs, failed)
            except _Failed as failure:
                failed.add(failure.job)
            except Again:
                continue
            except Unavailable as error:
                log.warning("unavailable", jobs=len(jobs), reason=str(error))
                for job in jobs:
                    job.served = None
                self._finish(jobs, _Mail())
                return False
            except Exception:  # whatever the flush of a batch raised is one job's fault: find out whose
                log.exception("batch_failed", jobs=len(jobs))
                if len(jobs) > 1:
                    return all([self.serve([job]) for job in jobs])  # noqa: C419 # every job is served, whatever became of the others
                if jobs[0] in failed or jobs[0].command is None:
                    jobs[0].served = Served(failed=True, lost=True)
                    self._finish(jobs, _Mail())
                    return True
                failed.add(jobs[0])
            else:
                self._finish(jobs, mail)
                return True

    def _transact(self, jobs: list[_Job], failed: set[_Job]) -> _Mail:
        now = self._clock()
        self._observe(len(jobs))
        mail = _Mail()
        with self._store.unit(now) as unit:
            fresh = unit.record([job.command.key for job in jobs if job.command is not None and job.command.key])
            todo: list[tuple[_Job, Command]] = []
            for job in jobs:
                job.served = Served()
                if job.command is None:
                    continue
                key = job.command.key
                if not key or key in fresh:
                    fresh.discard(key)
                    todo.append((job, job.command))
                else:
                    job.served = Served(repeated=True)
            if todo:
                changes = self._serve_all(unit, todo, failed, now)
                direct = unit.flush(changes)
                mail = _Mail(direct, _waiting(changes.letters, direct, now))
                for job, _ in todo:
                    if job.carry and job.served is not None:
                        _give(job, job.served, direct)
            settled = [each for job in jobs for each in job.settled]
            if settled:
                unit.settle(settled)
        return mail

    def _serve_all(self, unit: Unit, todo: list[tuple[_Job, Command]], failed: set[_Job], now: datetime) -> Changes:
        scene = unit.load([wanted(command, now) for job, command in todo if job not in failed])
        batch = Batch()
        firing = any(isinstance(command, Fire) for _, command in todo)
        for job, command in todo:
            if job in failed:
                if isinstance(command, Hear):
                    unit.fail(command, "its handler failed; the log says why")
                elif isinstance(command, Fire):
                    batch.changes.timers.append(
                        Timer(
                            subject=command.subject,
                            name=command.name,
                            conversation_id=command.conversation_id,
                            due_at=now + _FAILED_TIMER_AGAIN,
                        )
                    )
                job.served = Served(failed=True, refused=job.refused)
                continue
            turn = Turn(self._book, scene, unit.ledger, batch, now)
            before = len(batch.changes.letters)
            try:
                routing.serve(command, turn)
            except Exception as error:  # one command's failure must not cost the others their answer
                if isinstance(error, Unavailable):
                    raise
                job.refused = error if isinstance(error, PlaintError) else None
                if isinstance(error, PlaintError):
                    log.info("refused", command=type(command).__name__, reason=error.key)
                else:
                    log.exception("command_failed", command=type(command).__name__, key=command.key)
                raise _Failed(job) from error
            job.served = Served(press=turn.press_answer, unclaimed=turn.unclaimed)
            job.wrote = batch.changes.letters[before:] if job.carry else ()
            if firing or turn.new is not None:
                scene.absorb(turn.new if turn.new is not None and not firing else batch.changes)
        return batch.changes


class _Counter:
    """One thread of the desk with its queue."""

    def __init__(self, desk: Desk, number: int) -> None:
        self._desk = desk
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()  # None: close when all before it is served
        self.put = self._jobs.put
        self.thread = threading.Thread(target=self._run, name=f"desk-{number}", daemon=True)

    def close(self) -> None:
        self._jobs.put(None)

    def _run(self) -> None:
        while (jobs := self._batch()) is not None:
            if jobs and not self._desk.serve(jobs):
                self._desk.rest()

    def _batch(self) -> list[_Job] | None:
        """Wait for work, and take all there is: None to close. Outcomes of letters wait a little for a command."""
        jobs: list[_Job] = []
        commands = 0
        with suppress(Empty):
            while len(jobs) < LARGEST_BATCH:
                if not jobs:
                    job = self._jobs.get()
                elif commands:
                    job = self._jobs.get_nowait()
                else:
                    job = self._jobs.get(timeout=_LINGER)
                if job is None:
                    if not jobs:
                        return None
                    self._jobs.put(None)
                    break
                jobs.append(job)
                commands += job.command is not None
        return jobs


def _conversation(command: Command) -> int:
    return command.case_id if isinstance(command, Act) else command.conversation_id  # type: ignore[union-attr] # Hear has been dealt with


def wanted(command: Command, now: datetime) -> Want:
    """Return what must be loaded and locked for a command."""
    match command:
        case Hear(message=message):
            token = parse(message.press) if message.press else None
            return Want(
                address=_address(command),
                case_id=token.case_id or None if token is not None and token.scope != "d" else None,
                parked=bool(message.credits) or message.command == "resume",
                code=hearing.brought_code(message),
            )
        case Fire():
            return Want(
                conversation_id=command.conversation_id,
                timer=(command.subject, command.name),
                late=routing.late(command, now),
            )
        case Act():
            return Want(case_id=command.case_id)
        case Keep():
            return Want(conversation_id=command.conversation_id)
        case Miss():
            return Want(conversation_id=command.conversation_id, case_id=command.case_id, parked=True)


def _address(command: Hear) -> Address:
    return hearing.speaker(command.message)


def _give(job: _Job, served: Served, direct: Sequence[Letter]) -> None:
    """Put what this command answers its own speaker into the hands of whoever submitted it."""
    if not isinstance(job.command, Hear):
        return
    here = job.command.message.address
    mine = {id(letter) for letter in job.wrote}
    served.letters = [
        letter
        for letter in direct
        if id(letter) in mine
        and not isinstance(letter.body, Fetch)
        and (letter.address.channel, letter.address.chat) == (here.channel, here.chat)
    ]
    served.fetches = tuple(letter.body.ref for letter in job.wrote if isinstance(letter.body, Fetch))


def _waiting(letters: Sequence[Letter], direct: Sequence[Letter], now: datetime) -> frozenset[str]:
    """Return the channels of the letters that are due and may not go at once."""
    if len(letters) == len(direct):
        return frozenset()
    gone = {letter.id for letter in direct}
    return frozenset(it.address.channel for it in letters if it.id not in gone and it.due_at <= now)
