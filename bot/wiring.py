"""The composition root: where ports meet adapters. Read it from top to bottom."""

import asyncio
import contextlib
import functools
import gc
import random
import secrets
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import structlog
from aiohttp import ClientSession, web

import policies
from bot import clock, evidence
from bot.callout import PLACE, CallOuts
from bot.channel import (
    Carrier,
    Channel,
    Deferred,
    Moved,
    Outcome,
    Parked,
    Purse,
    Refused,
    Retry,
    Sent,
    Shelf,
    Unreachable,
)
from bot.channels.telegram import Telegram
from bot.channels.wechat import WeChat
from bot.channels.wecom import WeCom
from bot.delivery import LocalGates, Postman
from bot.desk import Desk
from bot.metrics import Metrics
from bot.orders import OrderFile
from bot.page import Pages, Uploads, link
from bot.purse import StorePurse
from bot.reading import open_reader
from bot.settings import Settings
from bot.shelf import StoreShelf
from bot.trays import Trays
from bot.web import Late, build, forwarder, press_letters
from complaints.commands import Hear, Miss
from complaints.conversation import DESK
from complaints.errors import Unavailable
from complaints.messages import Address, IncomingMessage, OutgoingMessage
from complaints.ports import Changes, Letter, Timer
from complaints.reading import Language
from handlers import duties
from handlers.turn import Book
from policies.calendars import work_calendar
from policies.loader import chosen, parse, read
from policies.phrasebook import Phrasebook
from storage import KeyRing, Settled, Store, Want
from storage.spool import Spool

log = structlog.get_logger("bot.wiring")

_DUTIES: Final = Address(channel=DESK, chat="duties")
_THREADS_ON_POSTGRES: Final = 2
_POLLING_LEASE: Final = 40.0
_LEASE: Final = 30.0
#: A busy desk makes thousands of short-lived objects a batch, nearly none of them in cycles.
_COLLECT: Final = (50_000, 20, 50)
_COMMANDS: Final = ("new", "status", "back", "skip", "cancel", "human", "link", "help")
_TELEGRAM_LANGUAGES: Final[dict[str, Language]] = {"en": "en", "zh": "zh-Hans"}  # Telegram knows two letters only


def policies_dir(settings: Settings) -> Path:
    """Return the folder of policies, calendars and wording: the one that is set, or the one that ships with Plaint."""
    return settings.policies_dir or Path(policies.__file__).parent


def open_store(settings: Settings, *, exclusive: bool = False) -> Store:
    """Open the database with the key ring. Misconfigured or Unavailable say what is wrong."""
    return Store.open(
        settings.database_url,
        ring=KeyRing.from_setting(settings.keys.get_secret_value()),
        node=f"{socket.gethostname()}-{secrets.token_hex(4)}",
        exclusive=exclusive,
    )


def open_spool(settings: Settings, store: Store) -> Spool:
    """Return where messages lie that were acknowledged and are not served yet."""
    return store.spool(settings.data_dir / "spool")


def open_book(settings: Settings, store: Store) -> Book:
    """Load the rules, the words and the reader; keep the policy's text; load every version that a case is pinned to.

    The readings that the settings choose are part of the text that is kept, and so of its version.
    """
    folder = policies_dir(settings)
    text = chosen(read(settings.company, folder), settings.chosen_readings)
    current = parse(text, settings.company)
    store.keep_policy(current.version, current.id, text, clock.now())
    older = (each for each in store.policy_texts().items() if each[0] != current.version)
    reader = open_reader(current, folder)
    if reader.version not in {version for version, _ in store.lexicons(current.id)}:
        store.keep_lexicon(reader.version, current.id, reader.content, clock.now())
    return Book(
        current=current,
        policies={current.version: current} | {version: parse(kept) for version, kept in older},
        calendar=work_calendar(current.hours, folder / "calendars"),
        calendars={id_: work_calendar(hours, folder / "calendars") for id_, hours in current.calendars.items()},
        reader=reader,
        wording=Phrasebook.load(folder / "wording"),
        ids=store.ids,
        orders=None if settings.orders is None else OrderFile(settings.orders, settings.order_columns),
        rooms=_rooms(settings),
        alarm=PLACE if settings.alarm_url.get_secret_value() else None,
        shared=frozenset({"wechat"} if settings.wechat_forward_url else ()),
    )


def _rooms(settings: Settings) -> list[Address]:
    rooms = []
    if settings.telegram_agent_chat:
        rooms.append(Address(channel="telegram", chat=settings.telegram_agent_chat, group=True))
    if settings.wecom_robot_url.get_secret_value():
        rooms.append(Address(channel="wecom", chat="robot", group=True))
    return rooms


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """What channels need of the house: where credits and tokens are, files and pages, and the desk's clock."""

    purse: Purse
    shelf: Shelf
    files: Callable[[int], Awaitable[bytes]]
    page: Callable[[int], str]
    now: Callable[[], datetime]


def open_outside(settings: Settings, store: Store, now: Callable[[], datetime]) -> Outside:
    """Say where channels find what they need."""
    base = settings.public_url.rstrip("/")
    return Outside(
        purse=StorePurse(store, now),
        shelf=StoreShelf(store, now),
        files=functools.partial(_file, store, _evidence(settings)),
        page=lambda conversation_id: link.address(base, conversation_id, now(), store.sign),
        now=now,
    )


def _evidence(settings: Settings) -> Path:
    return settings.data_dir / "evidence"


def open_channels(settings: Settings, book: Book, outside: Outside) -> dict[str, Channel]:
    """Make a channel for every platform that is switched on, by the path that it posts to; tell the book of them."""
    channels: dict[str, Channel] = {}
    if settings.telegram_token.get_secret_value():
        channels["/telegram/webhook"] = open_telegram(settings, book, outside)
    if settings.wechat_app_id:
        channels["/wechat/callback"] = WeChat(
            app_id=settings.wechat_app_id,
            secret=settings.wechat_secret.get_secret_value(),
            token=settings.wechat_token.get_secret_value(),
            aes_key=settings.wechat_aes_key.get_secret_value(),
            kind=settings.wechat_kind,
            api_url=settings.wechat_api_url,
            templates=settings.templates,
            clock=outside.now,
            purse=outside.purse,
            shelf=outside.shelf,
            page=outside.page,
        )
    if settings.wecom_corp_id:
        channels["/wecom/callback"] = WeCom(
            corp_id=settings.wecom_corp_id,
            agent_id=settings.wecom_agent_id,
            secret=settings.wecom_secret.get_secret_value(),
            token=settings.wecom_token.get_secret_value(),
            aes_key=settings.wecom_aes_key.get_secret_value(),
            api_url=settings.wecom_api_url,
            robot_url=settings.wecom_robot_url.get_secret_value(),
            clock=outside.now,
            shelf=outside.shelf,
            files=outside.files,
        )
    book.buttons = {channel.name: channel.limits.buttons for channel in channels.values()}
    book.page = outside.page if settings.public_url else None
    return channels


def _call_outs(settings: Settings, now: Callable[[], datetime]) -> dict[str, Carrier]:
    """Return what posts call-outs, where there is an address for it."""
    url, secret = settings.alarm_url.get_secret_value(), settings.alarm_secret.get_secret_value()
    return {PLACE.channel: CallOuts(url=url, secret=secret, clock=now)} if url else {}


def open_telegram(settings: Settings, book: Book, outside: Outside) -> Telegram:
    """Make the channel to Telegram."""
    webhook = settings.telegram_mode == "webhook"
    return Telegram(
        token=settings.telegram_token.get_secret_value(),
        clock=outside.now,
        files=outside.files,
        api_url=settings.telegram_api_url,
        webhook=settings.public_url.rstrip("/") + "/telegram/webhook" if webhook else "",
        secret=settings.telegram_webhook_secret.get_secret_value(),
        proxy=settings.telegram_proxy,
        commands={
            code: {name: book.wording.say(language, f"command.{name}") for name in _COMMANDS}
            for code, language in {"": book.current.languages[0], **_TELEGRAM_LANGUAGES}.items()
        },
    )


@asynccontextmanager
async def calling(settings: Settings) -> AsyncIterator[dict[str, Channel]]:
    """Open the channels for a question to the platforms, beside a service that may run."""
    store = open_store(settings)
    async with contextlib.AsyncExitStack() as doors:
        doors.callback(store.close)
        outside = open_outside(settings, store, clock.now)
        channels = open_channels(settings, open_book(settings, store), outside)
        for channel in channels.values():
            await channel.start()
            doors.push_async_callback(channel.stop)
        yield channels


def warm(book: Book, at: datetime) -> None:
    """Make what is made at its first use, patterns and the days of a year, so that no first customer waits for it."""
    reader, policy = book.reader, book.current
    titles, examples = (policy.title[each] for each in policy.languages), (each.text for each in policy.examples)
    for text in [*titles, *examples]:
        for hear in (reader.read, reader.intent, reader.wish, reader.consent, reader.correction):
            hear(text)
    book.calendar.next_opening(at)


@dataclass(slots=True, kw_only=True)
class Service:
    """Everything that runs, while it runs. `port` is where it listens."""

    store: Store
    book: Book
    desk: Desk
    postman: Postman
    channels: dict[str, Channel]
    port: int


@asynccontextmanager
async def running(
    settings: Settings,
    *,
    now: Callable[[], datetime] = clock.now,
    timers_every: float = 1.0,
    routes: Sequence[web.RouteDef] = (),
    rehearse: Callable[[Store, Book], Awaitable[None]] | None = None,
) -> AsyncIterator[Service]:
    """Run the whole service: doors last to open and first to close, so that nothing said falls between.

    `now` is the desk's clock; `timers_every` seconds the timers are looked at (a story that moves its own clock is
    impatient). `routes` are served beside the service's own; `rehearse` has the store to itself before anything runs.
    """
    store = open_store(settings, exclusive=True)
    metrics = Metrics()
    book = open_book(settings, store)
    warm(book, now())
    gc.collect()
    gc.freeze()  # rules, words and lexicon live as long as the process: the collector need not walk them again
    gc.set_threshold(*_COLLECT)
    if rehearse is not None:
        await rehearse(store, book)
    moved: dict[tuple[str, str], str] = {}
    postman: Postman

    desk = Desk(
        store=store,
        book=book,
        clock=now,
        post=lambda letters: postman.post(letters),  # noqa: PLW0108 # the postman needs the desk, and comes later
        nudge=lambda channel: postman.expect(channel),  # noqa: PLW0108
        threads=1 if store.single_writer else _THREADS_ON_POSTGRES,
        observe=metrics.batch.observe,
    )
    uploads = Uploads(store.node)
    by_path = open_channels(settings, book, open_outside(settings, store, now))
    channels = {channel.name: channel for channel in by_path.values()}
    carriers: dict[str, Carrier] = {**channels, **_call_outs(settings, now)}
    telegram = next((each for each in channels.values() if isinstance(each, Telegram)), None)

    def claim(channel: str, most: int) -> list[Letter]:
        letters = store.claim(channel, now(), most, fold=carriers[channel].limits.folds)
        for letter in letters:
            chat = moved.get((letter.address.channel, letter.address.chat))
            if chat is not None:
                letter.address = replace(letter.address, chat=chat)
        return letters

    async def settle(outcomes: list[tuple[Letter, Outcome]]) -> None:
        settled = []
        for letter, outcome in outcomes:
            metrics.sent.labels(type(outcome).__name__.lower()).inc()
            if isinstance(outcome, Moved):
                moved[letter.address.channel, letter.address.chat] = outcome.new_chat
                if letter.address in book.rooms:
                    book.rooms = [
                        replace(room, chat=outcome.new_chat) if room == letter.address else room for room in book.rooms
                    ]
                    log.warning("room_moved", setting="PLAINT_TELEGRAM_AGENT_CHAT", new_chat=outcome.new_chat)
            settled.append(_settled(letter, outcome, now()))
            if isinstance(outcome, Unreachable | Refused):
                await _missed(desk, letter, outcome)
        await desk.settle(settled)
        for letter, outcome in outcomes:
            if isinstance(outcome, Parked):  # only what lies there already can be said in another way
                await _missed(desk, letter, outcome)

    postman = Postman(
        carriers,
        claim=claim,
        settle=settle,
        fetch=evidence.errand(
            store=store, desk=desk, folder=_evidence(settings), papers=settings.data_dir / "papers", uploads=uploads
        ),
        gate=LocalGates(),  # each process paces its own; where several share a bot, the 429 is the judge
        jitter=random.random,  # spreads retries; nothing secret hangs on it
        lease=_LEASE,
    )
    trays = Trays(store=store, desk=desk, clock=now, metrics=metrics, every=timers_every)
    if book.current.duties:
        await asyncio.to_thread(_look_after_duties, store, now())

    async def ready() -> dict[str, bool]:
        reachable = await asyncio.to_thread(_alive, store)
        return {"database": reachable} | ({"telegram": bool(telegram.username)} if telegram is not None else {})

    pages = Pages(
        store=store,
        desk=desk,
        postman=postman,
        uploads=uploads,
        public_url=settings.public_url,
        domain_code=settings.wechat_domain_code,
    )
    forwarding = ClientSession() if settings.wechat_forward_url else None
    forwards = {} if forwarding is None else {"wechat": forwarder(settings.wechat_forward_url, forwarding)}
    late = Late(desk, open_spool(settings, store))
    runner = web.AppRunner(
        build(
            desk=desk,
            channels=by_path,
            metrics=metrics,
            ready=ready,
            late=late,
            postman=postman,
            sorry=book.wording.say(book.current.languages[0], "hear.unrecorded"),
            forwards=forwards,
            routes=[*routes, *pages.routes()],
        ),
        access_log=None,
        handle_signals=False,
    )
    async with contextlib.AsyncExitStack() as doors:
        doors.callback(store.close)
        if forwarding is not None:
            doors.push_async_callback(forwarding.close)
        desk.start()
        doors.push_async_callback(asyncio.to_thread, desk.stop)
        doors.push_async_callback(pages.stop)
        for carrier in carriers.values():
            await carrier.start()
            doors.push_async_callback(carrier.stop)
        await postman.start()
        doors.push_async_callback(postman.stop)
        trays.start()
        doors.push_async_callback(trays.stop)
        await late.start()
        doors.push_async_callback(late.stop)
        if telegram is not None:
            known = asyncio.create_task(_link(book, telegram))
            doors.push_async_callback(_cancel, known)
        if telegram is not None and settings.telegram_mode == "polling":
            polling = asyncio.create_task(_poll(telegram, desk, postman, store, now))
            doors.push_async_callback(_cancel, polling)
        await runner.setup()
        doors.push_async_callback(runner.cleanup)
        site = web.TCPSite(runner, settings.host, settings.port, reuse_address=True)
        await site.start()
        port = int(runner.addresses[0][1])
        log.info("serving", host=settings.host, port=port, company=book.current.id, channels=sorted(channels))
        yield Service(store=store, book=book, desk=desk, postman=postman, channels=channels, port=port)


def _settled(letter: Letter, outcome: Outcome, now: datetime) -> Settled:
    match outcome:
        case Sent(ref=ref):
            return Settled(letter=letter, outcome="sent", ref=ref)
        case Parked(reason=reason, counters=counters, keep=keep):
            return Settled(letter=letter, outcome="parked", error=reason, counters=counters, keep=keep)
        case Retry(reason=reason, after=after, pause=pause):
            due_at = now + timedelta(seconds=after or 0.0)
            return Settled(letter=letter, outcome="retry", due_at=due_at, error=reason, pause=pause)
        case Deferred(after=after, pause=pause):
            return Settled(letter=letter, outcome="retry", due_at=now + timedelta(seconds=after), pause=pause)
        case Moved():
            return Settled(letter=letter, outcome="retry", due_at=now)
        case Unreachable(reason=reason):
            return Settled(letter=letter, outcome="dead", error=reason)
        case Refused(error=error):
            return Settled(letter=letter, outcome="dead", error=error)


async def _file(store: Store, folder: Path, evidence_id: int) -> bytes:
    """Return the content of a sealed file."""
    return await asyncio.to_thread(lambda: b"".join(store.open_file(evidence_id, folder / f"{evidence_id}.sealed")))


async def _missed(desk: Desk, letter: Letter, outcome: Unreachable | Refused | Parked) -> None:
    if letter.conversation_id is None:
        log.warning("letter_dead", letter=letter.id, outcome=type(outcome).__name__)
        return
    reason = "refused" if isinstance(outcome, Refused) else outcome.reason
    text = letter.body.text if isinstance(letter.body, OutgoingMessage) else ""
    miss = Miss(
        conversation_id=letter.conversation_id,
        case_id=letter.case_id,
        reason=reason,
        text=text,
        channel=letter.address.channel,
        priority=int(letter.priority),
        noticed=isinstance(outcome, Parked) and outcome.noticed,
        letter_id=letter.id,
        key=f"miss:{letter.id}:{letter.attempts}",
    )
    await desk.submit(miss)


def _look_after_duties(store: Store, now: datetime) -> None:
    """Set the timer behind all duties: the rules may have changed since it was set. One that is late stays late."""
    with store.unit(now) as unit:
        scene = unit.load([Want(address=_DUTIES, timer=(duties.SUBJECT, duties.LOOK))])
        due_at = min(now, scene.timers.get((duties.SUBJECT, duties.LOOK), now))
        own = scene.by_address(_DUTIES).id
        timer = Timer(subject=duties.SUBJECT, name=duties.LOOK, conversation_id=own, due_at=due_at)
        unit.flush(Changes(timers=[timer]))


def _alive(store: Store) -> bool:
    try:
        with store.read() as ledger:
            ledger.trays()
    except Unavailable:
        return False
    return True


async def _link(book: Book, telegram: Telegram) -> None:
    await telegram.introduced()
    book.bot_link = f"https://t.me/{telegram.username}"


async def _poll(telegram: Telegram, desk: Desk, postman: Postman, store: Store, now: Callable[[], datetime]) -> None:
    async def handle(messages: list[IncomingMessage]) -> None:
        served = await asyncio.gather(*(desk.submit(Hear(message=message)) for message in messages))
        postman.post(press_letters(desk, telegram.name, list(served)))

    async def lease() -> bool:
        try:
            return await asyncio.to_thread(store.take_lease, "telegram-polling", store.node, now(), _POLLING_LEASE)
        except Unavailable:
            return False

    await telegram.poll(handle, lease=lease)


async def _cancel(task: "asyncio.Task[None]") -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
