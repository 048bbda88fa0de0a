"""A desk with a channel of its own that answers in the post: real store, real handlers, real sockets."""

import asyncio
import functools
import json
import random
import socket
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

import policies
from bot import evidence
from bot.channel import Deferred, Delivery, Limits, Outcome, Pace, Refused, Reply, Retry, Sent, Sink
from bot.delivery import LocalGates, Postman
from bot.desk import Desk
from bot.metrics import Metrics
from bot.page import Pages, Uploads
from bot.reading import open_reader
from bot.web import Late, build, forwarder
from complaints.errors import NotGenuine
from complaints.messages import Address, Attachment, Credit, IncomingMessage, OutgoingMessage
from complaints.ports import Letter
from handlers.turn import Book
from policies.calendars import work_calendar
from policies.loader import load
from policies.phrasebook import Phrasebook
from storage import KeyRing, Settled, Store, Want

HOME = Path(policies.__file__).parent
SECRET = "coo"
SORRY = "刚才的话没有记下来，请再发一次。"


@dataclass
class Pigeon:
    """A messenger that brings answers back in its post, as JSON. `sent` is what had to fly on its own."""

    patience: float = 5.0
    carries: bool = True
    name: str = "wechat"  # a name for which the desk has its words
    sent: list[Letter] = field(default_factory=list)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def limits(self) -> Limits:
        quick = Pace(every=0.001, burst=100)
        return Limits(
            text=2048, token=64, file=1 << 20, overall=quick, chat=quick, group=quick,
            carries=self.carries, patience=self.patience,
        )  # fmt: skip

    def verify(self, delivery: Delivery) -> Reply:
        if delivery.query.get("secret") != SECRET:
            raise NotGenuine
        return Reply(body=delivery.query.get("echo", "").encode())

    def understand(self, delivery: Delivery) -> list[IncomingMessage]:
        if delivery.query.get("secret") != SECRET:
            raise NotGenuine
        return [
            IncomingMessage(
                key=f"pigeon:{each['id']}",
                kind="text",
                address=Address(channel=self.name, chat=each["from"]),
                sender=each["from"],
                sent_at=datetime(2025, 3, 3, 2, 15, tzinfo=UTC),
                text=each["text"],
                attachments=tuple(Attachment(kind="photo", ref=ref) for ref in each.get("files", ())),
                credits=(Credit(name="replies", count=5, seconds=48 * 3600),),
            )
            for each in json.loads(delivery.body)
        ]

    def passive(self, delivery: Delivery, letters: Sequence[Letter]) -> Reply:
        for letter in letters:
            if isinstance(letter.body, OutgoingMessage):
                body = json.dumps({"to": letter.address.chat, "text": letter.body.text}).encode()
                return Reply(body=body, content_type="application/json", carried=(letter,))
        return Reply(body=b"success")

    async def send(self, letter: Letter) -> Outcome:
        self.sent.append(letter)
        self.news.set()
        return Sent(ref=str(letter.id))

    async def fetch(self, ref: str, sink: Sink) -> Outcome:
        await sink(b"from the platform: " + ref.encode())
        return Sent()

    async def ping(self) -> Outcome:
        return Sent()

    async def start(self) -> None: ...

    async def stop(self) -> None: ...


@dataclass
class House:
    """A running desk. `url` is where the pigeon's platform posts, `public` the address of everything."""

    store: Store
    book: Book
    desk: Desk
    postman: Postman
    pigeon: Pigeon
    pages: Pages
    metrics: Metrics
    public: str
    folder: Path
    http: aiohttp.ClientSession
    moment: datetime
    settled: list[tuple[Letter, Outcome]] = field(default_factory=list)

    def now(self) -> datetime:
        return self.moment

    @property
    def url(self) -> str:
        return f"{self.public}/pigeon?secret={SECRET}"

    def body(self, *said: tuple[str, str], who: str = "wang") -> bytes:
        return json.dumps([{"id": key, "from": who, "text": text} for key, text in said]).encode()

    async def say(self, key: str, text: str, who: str = "wang") -> dict[str, str] | None:
        """Post one message and return the answer that came with the post."""
        async with self.http.post(self.url, data=self.body((key, text), who=who)) as answer:
            assert answer.status == 200
            body = await answer.read()
        return None if body == b"success" else json.loads(body)

    @property
    def waiting(self) -> int:
        with self.store.read() as ledger:
            return ledger.trays().outbox_waiting

    @property
    def spooled(self) -> tuple[int, int]:
        """How many messages wait on disk, and how many files lie aside."""
        count = self.store.spool(self.folder / "spool").count()
        return count.waiting, count.aside

    def cases(self, who: str = "wang") -> list[Any]:
        with self.store.read() as ledger:
            return ledger.cases_of(self.conversation(who), 20)

    def conversation(self, who: str = "wang") -> int:
        address = Address(channel="wechat", chat=who)
        with self.store.unit(self.moment) as unit:
            return unit.load([Want(address=address)]).by_address(address).id

    async def until(self, condition: Callable[[], object], within: float = 8.0) -> None:
        """Wait for something to happen."""
        async with asyncio.timeout(within):
            while not condition():
                await asyncio.sleep(0.01)

    @asynccontextmanager
    async def held(self) -> AsyncIterator[None]:
        """Hold the database, so that nothing can be written; as another process does that takes its time."""
        connection = sqlite3.connect(self.folder / "plaint.sqlite3", check_same_thread=False)
        connection.execute("begin immediate")
        try:
            yield
        finally:
            connection.rollback()
            connection.close()

    def let(self, *, writes: bool) -> None:
        """Let the database refuse whatever is to be written, or take it again."""
        connection = self.store._write.raw_connection()
        connection.driver_connection.execute(f"pragma query_only={int(not writes)}")
        connection.close()

    def fill(self, *, full: bool) -> None:
        """Let the disk be full, or not any more."""
        with self.store._write.connect() as connection:
            pages = connection.exec_driver_sql("pragma page_count").scalar() if full else 1_000_000
            connection.exec_driver_sql(f"pragma max_page_count={pages}")


@functools.cache
def _rules() -> tuple[Any, ...]:
    policy = load(HOME / "companies" / "trade_003.yaml", HOME)
    calendar = work_calendar(policy.hours, HOME / "calendars")
    return policy, calendar, open_reader(policy, HOME), Phrasebook.load(HOME / "wording")


Open = Callable[..., Awaitable[House]]


@pytest.fixture
async def open_house(new_database: Callable[[str], str], keys: str, tmp_path: Path) -> AsyncIterator[Open]:
    """Return a function that opens a desk; its pigeon has the given patience."""
    async with AsyncExitStack() as doors:

        async def make(forward: str = "", **pigeon: Any) -> House:
            return await doors.enter_async_context(
                _running(new_database("sqlite"), keys, tmp_path, forward, Pigeon(**pigeon))
            )

        yield make


@pytest.fixture
async def house(open_house: Open) -> House:
    """A desk whose platform waits for five seconds."""
    return await open_house()


@asynccontextmanager
async def _running(url: str, keys: str, folder: Path, forward: str, pigeon: Pigeon) -> AsyncIterator[House]:
    store = Store.open(url, ring=KeyRing.from_setting(keys), node="house")
    policy, calendar, reader, wording = _rules()
    book = Book(
        current=policy, policies={policy.version: policy}, calendar=calendar, reader=reader, wording=wording,
        ids=store.ids, shared=frozenset({"wechat"} if forward else ()),
    )  # fmt: skip
    house: House

    def now() -> datetime:
        return house.moment

    postman: Postman
    desk = Desk(
        store=store,
        book=book,
        clock=now,
        post=lambda letters: postman.post(letters),  # noqa: PLW0108 # the postman needs the desk, and comes later
        nudge=lambda channel: postman.expect(channel),  # noqa: PLW0108
    )

    async def settle(outcomes: list[tuple[Letter, Outcome]]) -> None:
        house.settled += outcomes
        await desk.settle([_settled(letter, outcome, now()) for letter, outcome in outcomes])

    uploads = Uploads(store.node)
    postman = Postman(
        {"wechat": pigeon},
        claim=lambda channel, most: store.claim(channel, now(), most, fold=pigeon.limits.folds),
        settle=settle,
        fetch=evidence.errand(
            store=store, desk=desk, folder=folder / "evidence", papers=folder / "papers", uploads=uploads
        ),
        gate=LocalGates(),
        jitter=random.random,
    )
    metrics = Metrics()
    async with AsyncExitStack() as doors:
        doors.callback(store.close)
        http = await doors.enter_async_context(aiohttp.ClientSession())
        desk.start()
        doors.push_async_callback(asyncio.to_thread, desk.stop)
        await postman.start()
        doors.push_async_callback(postman.stop, 2.0)
        port = _free_port()
        public = f"http://127.0.0.1:{port}"
        pages = Pages(store=store, desk=desk, postman=postman, uploads=uploads, public_url=public, domain_code="abc123")
        doors.push_async_callback(pages.stop)
        late = Late(desk, store.spool(folder / "spool"))
        await late.start()
        doors.push_async_callback(late.stop)
        runner = web.AppRunner(
            build(
                desk=desk,
                channels={"/pigeon": pigeon},
                metrics=metrics,
                ready=_ready,
                late=late,
                postman=postman,
                sorry=SORRY,
                forwards={"wechat": forwarder(forward, http)} if forward else {},
                routes=pages.routes(),
            ),
            access_log=None,
            handle_signals=False,
            shutdown_timeout=0.5,
        )
        await runner.setup()
        doors.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", port).start()
        house = House(
            store=store, book=book, desk=desk, postman=postman, pigeon=pigeon, pages=pages, metrics=metrics,
            public=public, folder=folder, http=http, moment=datetime(2025, 3, 3, 2, 15, tzinfo=UTC),
        )  # fmt: skip
        yield house


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


async def _ready() -> dict[str, bool]:
    return {"database": True}


def _settled(letter: Letter, outcome: Outcome, now: datetime) -> Settled:
    match outcome:
        case Sent(ref=ref):
            return Settled(letter=letter, outcome="sent", ref=ref)
        case Retry(after=after) | Deferred(after=after):
            return Settled(letter=letter, outcome="retry", due_at=now + timedelta(seconds=after or 0.0))
        case Refused(error=error):
            return Settled(letter=letter, outcome="dead", error=error)
        case _:
            raise AssertionError(outcome)
