"""The composition root: where ports meet adapters. Read it from top to bottom."""

import asyncio
import contextlib
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
from aiohttp import web

import policies
from bot import clock, evidence
from bot.channel import Channel, Deferred, Moved, Outcome, Refused, Retry, Sent, Unreachable
from bot.channels.telegram import Telegram
from bot.delivery import LocalGates, Postman
from bot.desk import Desk
from bot.metrics import Metrics
from bot.settings import Settings
from bot.trays import Trays
from bot.web import build, press_letters
from complaints.commands import Hear, Miss
from complaints.errors import Unavailable
from complaints.messages import Address, IncomingMessage, OutgoingMessage
from complaints.ports import Letter
from complaints.reading import Language
from handlers.turn import Book
from nlp.reader import KeywordReader
from policies.calendars import work_calendar
from policies.loader import parse, read
from policies.phrasebook import Phrasebook
from storage import KeyRing, Settled, Store

log = structlog.get_logger("bot.wiring")

_THREADS_ON_POSTGRES: Final = 2
_POLLING_LEASE: Final = 40.0
_LEASE: Final = 30.0
#: A busy desk makes thousands of short-lived objects a batch, nearly none of them in cycles.
_COLLECT: Final = (50_000, 20, 50)
_COMMANDS: Final = ("new", "status", "back", "skip", "cancel", "human", "help")
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


def open_book(settings: Settings, store: Store) -> Book:
    """Load the rules, the words and the reader; keep the policy's text; load every version that a case is pinned to."""
    folder = policies_dir(settings)
    text = read(settings.company, folder)
    current = parse(text, settings.company)
    store.keep_policy(current.version, current.id, text, clock.now())
    older = (each for each in store.policy_texts().items() if each[0] != current.version)
    reader = KeywordReader(current.taxonomy)
    return Book(
        current=current,
        policies={current.version: current} | {version: parse(kept) for version, kept in older},
        calendar=work_calendar(current.hours, folder / "calendars"),
        reader=reader,
        wording=Phrasebook.load(folder / "wording"),
        ids=store.ids,
        room=_room(settings),
    )


def _room(settings: Settings) -> Address | None:
    if not settings.telegram_agent_chat:
        return None
    return Address(channel="telegram", chat=settings.telegram_agent_chat, group=True)


def open_telegram(settings: Settings, book: Book, now: Callable[[], datetime]) -> Telegram:
    """Make the channel to Telegram."""
    webhook = settings.telegram_mode == "webhook"
    return Telegram(
        token=settings.telegram_token.get_secret_value(),
        clock=now,
        api_url=settings.telegram_api_url,
        webhook=settings.public_url.rstrip("/") + "/telegram/webhook" if webhook else "",
        secret=settings.telegram_webhook_secret.get_secret_value(),
        proxy=settings.telegram_proxy,
        commands={
            code: {name: book.wording.say(language, f"command.{name}") for name in _COMMANDS}
            for code, language in {"": book.current.languages[0], **_TELEGRAM_LANGUAGES}.items()
        },
    )


@dataclass(slots=True, kw_only=True)
class Service:
    """Everything that runs, while it runs. `port` is where it listens."""

    store: Store
    book: Book
    desk: Desk
    postman: Postman
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
    gc.collect()
    gc.freeze()  # rules, words and lexicon live as long as the process: the collector need not walk them again
    gc.set_threshold(*_COLLECT)
    if rehearse is not None:
        await rehearse(store, book)
    telegram = open_telegram(settings, book, now)
    channels: dict[str, Channel] = {telegram.name: telegram}
    moved: dict[tuple[str, str], str] = {}
    postman: Postman

    desk = Desk(
        store=store,
        book=book,
        clock=now,
        post=lambda letters: postman.post(letters),  # noqa: PLW0108 # the postman needs the desk, and comes later
        threads=1 if store.single_writer else _THREADS_ON_POSTGRES,
        observe=metrics.batch.observe,
    )

    def claim(channel: str, most: int) -> list[Letter]:
        letters = store.claim(channel, now(), most)
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
                if book.room is not None and book.room.chat == letter.address.chat:
                    book.room = replace(book.room, chat=outcome.new_chat)
                    log.warning("room_moved", setting="PLAINT_TELEGRAM_AGENT_CHAT", new_chat=outcome.new_chat)
            settled.append(_settled(letter, outcome, now()))
            if isinstance(outcome, Unreachable | Refused):
                await _missed(desk, letter, outcome)
        await desk.settle(settled)

    postman = Postman(
        channels,
        claim=claim,
        settle=settle,
        fetch=evidence.errand(store=store, desk=desk, folder=settings.data_dir / "evidence"),
        gate=LocalGates(),  # each process paces its own; where several share a bot, the 429 is the judge
        jitter=random.random,  # spreads retries; nothing secret hangs on it
        lease=_LEASE,
    )
    trays = Trays(store=store, desk=desk, clock=now, metrics=metrics, every=timers_every)

    async def ready() -> dict[str, bool]:
        reachable = await asyncio.to_thread(_alive, store)
        return {"database": reachable, "telegram": bool(telegram.username)}

    runner = web.AppRunner(
        build(desk=desk, channels={"/telegram/webhook": telegram}, metrics=metrics, ready=ready, routes=routes),
        access_log=None,
        handle_signals=False,
    )
    async with contextlib.AsyncExitStack() as doors:
        doors.callback(store.close)
        desk.start()
        doors.push_async_callback(asyncio.to_thread, desk.stop)
        await telegram.start()
        doors.push_async_callback(telegram.stop)
        await postman.start()
        doors.push_async_callback(postman.stop)
        trays.start()
        doors.push_async_callback(trays.stop)
        known = asyncio.create_task(_link(book, telegram))
        doors.push_async_callback(_cancel, known)
        if settings.telegram_mode == "polling":
            polling = asyncio.create_task(_poll(telegram, desk, postman, store, now))
            doors.push_async_callback(_cancel, polling)
        await runner.setup()
        doors.push_async_callback(runner.cleanup)
        site = web.TCPSite(runner, settings.host, settings.port, reuse_address=True)
        await site.start()
        port = int(runner.addresses[0][1])
        log.info("serving", host=settings.host, port=port, company=book.current.id, mode=settings.telegram_mode)
        yield Service(store=store, book=book, desk=desk, postman=postman, port=port)


def _settled(letter: Letter, outcome: Outcome, now: datetime) -> Settled:
    match outcome:
        case Sent():
            return Settled(letter=letter, outcome="sent")
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


async def _missed(desk: Desk, letter: Letter, outcome: Unreachable | Refused) -> None:
    if letter.conversation_id is None:
        log.warning("letter_dead", letter=letter.id, outcome=type(outcome).__name__)
        return
    reason = outcome.reason if isinstance(outcome, Unreachable) else "refused"
    text = letter.body.text if isinstance(letter.body, OutgoingMessage) else ""
    miss = Miss(
        conversation_id=letter.conversation_id,
        case_id=letter.case_id,
        reason=reason,
        text=text,
        key=f"miss:{letter.id}",
    )
    await desk.submit(miss)


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
