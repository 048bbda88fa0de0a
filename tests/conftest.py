"""A town to play whole stories in: the real service, a fake Telegram over HTTP, people with phones, and one clock."""

import asyncio
import contextlib
import functools
import hashlib
import re
import shutil
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text as sql
from structlog.testing import capture_logs

sys.path.insert(0, str(Path(__file__).parent))

from postgres import PostgresServer

from bot import settings as plaint_settings
from bot import wiring
from bot.channel import Pace
from bot.channels.telegram import outgoing as telegram
from bot.channels.wechat import outgoing as wechat
from bot.channels.wecom import meter
from bot.channels.wecom import outgoing as wecom
from complaints.case import Case
from complaints.conversation import Staff
from complaints.events import Event
from complaints.ports import Changes
from policies.phrasebook import Phrasebook
from sandbox import (
    Group,
    Message,
    Phone,
    Sandbox,
    TelegramSettings,
    WeChatSettings,
    WeComSettings,
)
from sandbox.app import running as sandbox_running
from sandbox.telegram.updates import Timing
from storage import KeyRing
from storage.migrations import migrate

ZONE = ZoneInfo("Asia/Shanghai")
SECRET = "only-for-tests"
#: What the log must never hold after a story that went well.
FAILURES = {"command_failed", "batch_failed", "letter_failed", "settle_failed", "claim_failed", "malformed"}
_PATIENCE = 20.0
#: Late news is as good as due: it goes as soon as nothing is late any more.
_OLDEST = sql(
    "select (select min(due_at) from timer), "
    "(select min(case when key like 'late:%' then 0 else due_at end) from outbox where state = 'waiting'), "
    "(select min(due_at) from inbox where state = 'waiting')"
)
_DUE = "letters are due"
NUMBERED = re.compile(r"^(\d+)\. (.+)$", re.MULTILINE)


#: Field, a part of its question, and what a customer answers who has nothing special to say.
_ANSWERS = [
    ("type", "最接近您的情况", "1"),
    ("name", "怎么称呼您", "王岚"),
    ("contact", "怎么联系您", "13812345678"),
    ("region", "哪个城市", "马德里"),
    ("order_no", "订单号是多少", "PO-88213"),
    ("model", "哪个型号", "跳过"),
    ("service_content", "哪项服务", "跳过"),
    ("expected_solution", "希望我们怎么解决", "退款"),
    ("evidence", "有照片、视频或单据吗", "跳过"),
    ("amount", "金额是多少", "跳过"),
]


class Clock:
    """The clock of a town, which stands still until somebody moves it."""

    def __init__(self, local: str) -> None:
        self.moment = self.of(local)

    def __call__(self) -> datetime:
        return self.moment

    @staticmethod
    def of(local: str) -> datetime:
        """Return the moment that the company's clocks show as `2025-03-03 10:15`."""
        return datetime.fromisoformat(local).replace(tzinfo=ZONE).astimezone(UTC)

    @staticmethod
    def show(moment: datetime) -> str:
        """Return a moment as the company's clocks show it, to the nearest minute: every act takes a second."""
        return (moment + timedelta(seconds=30)).astimezone(ZONE).strftime("%Y-%m-%d %H:%M")

    def set(self, local: str) -> None:
        self.moment = self.of(local)

    def push(self, **gap: float) -> None:
        self.moment += timedelta(**gap)


class Heard(str):
    """What somebody heard: the words of all messages, with the buttons under the last that had any, and the toast."""

    __slots__ = ("labels", "many", "messages", "toast")

    def __new__(cls, messages: Sequence[Message], toast: str = "") -> Self:
        heard = super().__new__(cls, "\n---\n".join(message.text for message in messages))
        heard.messages = tuple(messages)
        heard.many = len(messages)
        heard.labels = next(
            ([button.text for button in message.buttons] for message in reversed(messages) if message.buttons), []
        )
        heard.toast = toast
        return heard


@dataclass
class Person:
    """Somebody with a phone. Everything done ends when the town is quiet again, and returns what was heard since."""

    town: "Town"
    phone: Phone
    member: Staff | None = None
    _seen: int = 0

    @property
    def name(self) -> str:
        return self.phone.name

    async def say(self, words: str, **more: Any) -> Heard:
        self.said = await self.phone.say(words, **more)
        return await self._after()

    async def press(self, label: str, *, message: Message | int | None = None) -> Heard:
        query = await self.phone.press(label, message=message)
        return await self._after(query)

    async def send(self, *files: Any, caption: str = "") -> Heard:
        await self.phone.send(*files, caption=caption)
        return await self._after()

    async def edit(self, message: Message | int, words: str) -> Heard:
        await self.phone.edit(message, words)
        return await self._after()

    async def block(self) -> None:
        await self.phone.block()
        await self.town.settle()

    async def unblock(self) -> None:
        await self.phone.unblock()
        await self.town.settle()

    async def all(self, *answers: str) -> Heard:
        """Give several answers, one after the other: `!label` presses the button, `?label` presses it if it is there."""
        heard = Heard(())
        for answer in answers:
            if answer[0] == "?":
                heard = await self.press(answer[1:]) if answer[1:] in heard.labels else heard
            else:
                heard = await (self.press(answer[1:]) if answer[0] == "!" else self.say(answer))
        return heard

    async def file(
        self, words: str = "订单YX20250118-3 物流没更新都半个月了", *, submit: bool = True, **given: str
    ) -> Heard:
        """Complain, and answer whatever is asked, until the review card (and send it)."""
        return await self.finish(await self.say(words), submit=submit, **given)

    async def finish(self, heard: Heard, *, submit: bool = True, **given: str) -> Heard:
        """Answer whatever is asked from here on."""
        for _ in range(20):
            if "同意" in heard.labels:
                heard = await self.press("同意")
                continue
            answer = next((given.get(key, answer) for key, part, answer in _ANSWERS if part in heard), None)
            if answer is None:
                break
            heard = await self.say(answer)
        assert "没问题，提交" in heard.labels, heard
        return await self.press("没问题，提交") if submit else heard

    async def heard(self) -> Heard:
        """Return what was heard since the last look."""
        said = await self.phone.transcript()
        fresh = [each for each in said.messages if each.from_bot and each.id > self._seen and not each.deleted]
        self._seen = max([self._seen, *(each.id for each in said.messages)])
        return Heard(fresh)

    async def everything(self) -> str:
        return str(await self.phone.transcript())

    async def _after(self, query: str = "") -> Heard:
        await self.town.settle()
        self.town.clock.push(seconds=1)
        heard = await self.heard()
        if query:
            said = await self.phone.transcript()
            heard.toast = next(answer.text for answer in said.answers if answer.query_id == query)
        return heard


class WeChatPerson(Person):
    """Somebody on WeChat, who types numbers where others press buttons."""

    async def press(self, label: str, *, message: Message | int | None = None) -> Heard:
        said = (await self.phone.transcript()).messages
        offered = {name: number for each in said if each.from_bot for number, name in _offered(each)}
        return await self.say(offered.get(label, label.strip("◀ ")))

    async def heard(self) -> Heard:
        heard = await super().heard()
        heard.labels = [name for each in heard.messages for _, name in _offered(each)]
        return heard

    async def send_voice(self, recognition: str = "") -> Heard:
        await self.phone.send_voice(recognition=recognition)
        return await self._after()

    async def click(self, key: str) -> Heard:
        await self.phone.click(key)
        return await self._after()

    async def scan(self, scene: str) -> Heard:
        await self.phone.scan(scene)
        return await self._after()

    async def follow(self) -> Heard:
        await self.phone.follow()
        return await self._after()

    async def unfollow(self) -> None:
        await self.phone.unfollow()
        await self.town.settle()


def _offered(message: Message) -> list[tuple[str, str]]:
    """Return the numbers that a message offers to type, in its text or on the lines that may be tapped."""
    return NUMBERED.findall("\n".join([message.text, *(button.text for button in message.buttons)]))


class WeComPerson(Person):
    """A member of the company, with the cards of the WeCom app."""

    async def press(self, label: str, *, message: Message | int | None = None) -> Heard:
        await self.phone.press(label, message=message)
        return await self._after()


@dataclass
class Town:
    """A company with its desk, its staff and its customers. `service` runs; `stop` and `start` it at will."""

    clock: Clock
    sandbox: Sandbox
    folder: Path
    database_url: str
    keys: str
    mode: str
    logs: list[Any]
    room: Person | None = None
    group: Group | None = None
    company: str = "trade_003"
    port: int = 0
    channels: tuple[str, ...] = ("telegram",)
    more: dict[str, Any] = field(default_factory=dict)
    tolerated: set[str] = field(default_factory=set)
    service: wiring.Service | None = None
    _doors: AsyncExitStack = field(default_factory=AsyncExitStack)

    # the desk

    def settings(self) -> plaint_settings.Settings:
        platforms: dict[str, Any] = {}
        if "telegram" in self.channels:
            platforms |= {
                "telegram_token": self.sandbox.token,
                "telegram_api_url": self.sandbox.url,
                "telegram_mode": self.mode,
                "telegram_webhook_secret": SECRET,
                "telegram_agent_chat": str(self.group.id) if self.group else "",
            }
        if "wechat" in self.channels:
            account = self.sandbox.wechat.settings
            platforms |= {
                "wechat_app_id": account.app_id,
                "wechat_secret": account.secret,
                "wechat_token": account.token,
                "wechat_aes_key": account.aes_key,
                "wechat_api_url": self.sandbox.url,
                "wechat_kind": account.kind,
            }
        if "wecom" in self.channels:
            app = self.sandbox.wecom.settings
            platforms |= {
                "wecom_corp_id": app.corp_id,
                "wecom_agent_id": str(app.agent_id),
                "wecom_secret": app.secret,
                "wecom_token": app.token,
                "wecom_aes_key": app.aes_key,
                "wecom_api_url": self.sandbox.wecom_url,
            }
        return plaint_settings.load(
            _env_file=None,
            database_url=self.database_url,
            company=self.company,
            keys=self.keys,
            data_dir=self.folder,
            public_url=f"http://127.0.0.1:{self.port}",
            port=self.port,
            **platforms,
            **self.more,
        )

    async def start(self, *, quiet: bool = True) -> None:
        self.service = await self._doors.enter_async_context(
            wiring.running(self.settings(), now=self.clock, timers_every=0.02)
        )
        for platform in {"wechat", "wecom"}.intersection(self.channels):
            url = f"http://127.0.0.1:{self.port}/{platform}/callback"
            await self.sandbox.client.set_callback(url, platform=platform)
        if quiet:
            await asyncio.wait_for(self._introduced(), _PATIENCE)
            await self.settle()

    async def _introduced(self) -> None:
        while "telegram" in self.channels and not self.service.book.bot_link:
            await asyncio.sleep(0.005)

    async def stop(self) -> None:
        self.service = None
        doors, self._doors = self._doors, AsyncExitStack()
        await doors.aclose()

    async def restart(self) -> None:
        await self.stop()
        await self.start()

    @property
    def store(self) -> Any:
        return self.service.store

    async def settle(self) -> None:
        """Wait until nothing more happens at this moment of the clock."""
        end = asyncio.get_running_loop().time() + _PATIENCE
        while why := self._busy():
            if asyncio.get_running_loop().time() > end:
                raise AssertionError(f"the town does not come to rest: {why}")
            if why == _DUE:
                self.service.postman.nudge()
            await asyncio.sleep(0.004)

    def _busy(self) -> str:
        if self.sandbox.telegram.world.default_bot.updates.pending_count:
            return "updates wait"
        if self.sandbox.wechat.courier.pending or self.sandbox.wecom.courier.pending:
            return "callbacks wait"
        if self.service.postman._desk.held:
            return "letters are on their way"
        timer, letter, message = self._oldest()
        now = self.clock.moment.timestamp() * 1000
        if timer is not None and timer <= now:
            return "timers are due"
        if letter is not None and letter <= now:
            return _DUE
        return "messages wait in the inbox" if message is not None and message <= now else ""

    def _oldest(self) -> tuple[int | None, ...]:
        """Return when the oldest timer, letter and message are due, in this order: the one may bring the other."""
        with self.store._read.connect() as connection:
            return tuple(connection.execute(_OLDEST).one())

    async def until(self, local: str) -> None:
        """Let time pass until then, with everything that falls due on the way happening at its own moment."""
        target = self.clock.of(local)
        assert target >= self.clock(), f"it is {self.clock.show(self.clock())} already"
        while True:
            await self.settle()
            timer, letter, _ = self._oldest()
            coming = [at for at in (timer, letter) if at is not None and at <= target.timestamp() * 1000]
            if not coming:
                break
            self.clock.moment = max(self.clock(), datetime.fromtimestamp(min(coming) / 1000, UTC))
        self.clock.moment = target
        await self.settle()

    async def jump(self, local: str) -> None:
        """Be at that moment at once; what fell due in between happens late, together."""
        self.clock.set(local)
        await self.settle()

    async def pass_time(self, **gap: float) -> None:
        await self.until((self.clock() + timedelta(**gap)).astimezone(ZONE).isoformat()[:19])

    # people

    async def customer(self, name: str = "王岚", language: str = "zh-hans", **more: Any) -> Person:
        return Person(self, await self.sandbox.client.add_person(name, language=language, **more))

    async def wechat_customer(self, name: str = "王岚", *, follows: bool = True, **more: Any) -> WeChatPerson:
        person = WeChatPerson(self, await self.sandbox.client.add_wechat_person(name, follows=follows, **more))
        await self.settle()
        await person.heard()
        return person

    async def wecom_agent(self, name: str, *roles: str, language: str = "zh-Hans") -> WeComPerson:
        """Add a member of the staff whose chat with the WeCom app is bound."""
        member, code = await self.code(name, *roles, language=language)
        agent = WeComPerson(self, await self.sandbox.client.add_wecom_member(name), member)
        await agent.say(f"/start staff-{code}")
        return agent

    async def code(self, name: str, *roles: str, language: str = "zh-Hans", hours: float = 48) -> tuple[Staff, str]:
        """Add a member of the staff and return the one-time code of their chat."""
        word = f"code-{name}-{self.clock().timestamp():.0f}"
        member = Staff(id=self.store.ids.next(), name=name, roles=list(roles), language=language)
        member.code_hash = hashlib.sha256(word.encode()).hexdigest()
        member.code_until = self.clock() + timedelta(hours=hours)
        with self.store.unit(self.clock()) as unit:
            unit.load([])
            unit.flush(Changes(staff=[member]))
        return member, word

    async def agent(self, name: str, *roles: str, language: str = "zh-Hans", phone: Phone | None = None) -> Person:
        """Add a member of the staff whose chat is bound."""
        member, code = await self.code(name, *roles, language=language)
        agent = Person(self, phone or await self.sandbox.client.add_person(name), member)
        if self.group is not None:
            await self.group.add_member(agent.phone)
        await agent.say(f"/start staff-{code}")
        return agent

    def in_room(self, agent: Person) -> Person:
        return Person(self, agent.phone.in_group(self.group), agent.member)

    # the books

    def cases(self) -> list[Case]:
        """Return all cases, the oldest first."""
        with self.store.read() as ledger:
            ids = ledger._connection.execute(sql("select id from complaint_case order by id")).scalars().all()
            return [ledger.case(id_) for id_ in ids]

    def case(self, index: int = -1) -> Case:
        return self.cases()[index]

    def journal(self, case: Case | None = None) -> list[Event]:
        with self.store.read() as ledger:
            return ledger.journal((case or self.case()).id)

    def events(self, name: str, case: Case | None = None) -> list[Event]:
        return [event for event in self.journal(case) if event.name == name]

    def conversation(self, case: Case | None = None) -> Any:
        with self.store.read() as ledger:
            return ledger.conversation((case or self.case()).conversation_id)

    def files(self, case: Case | None = None) -> list[Any]:
        with self.store.read() as ledger:
            return ledger.evidence_of((case or self.case()).id)

    def due(self, clock: str, case: Case | None = None) -> str:
        """Return when a clock of a case runs out."""
        return Clock.show((case or self.case()).facts.clocks[clock].due_at)

    def timers(self) -> list[str]:
        """Return the names of what is still to happen to cases; duties come round for ever."""
        with self.store._read.connect() as connection:
            return list(connection.execute(sql("select name from timer where subject like 'case:%'")).scalars())

    def trays(self) -> Any:
        with self.store.read() as ledger:
            return ledger.trays()

    def check(self) -> None:
        """Every story ends in order: chains whole, nothing dead, nothing failed on the way."""
        trays, report = self.trays(), self.store.verify_journal()
        assert not report.broken
        bad = [each for each in self.logs if each["event"] in FAILURES - self.tolerated]
        assert not bad, bad
        if "dead" not in self.tolerated:
            assert (trays.inbox_dead, trays.outbox_dead, trays.inbox_waiting) == (0, 0, 0)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@pytest.fixture(scope="session")
def keys() -> str:
    return KeyRing.generate().to_setting()


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    server = PostgresServer()
    yield server
    server.remove()


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty SQLite database of the newest schema, to be copied."""
    path = tmp_path_factory.mktemp("migrated") / "plaint.sqlite3"
    migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def _once_each() -> None:
    """Read every policy, lexicon, calendar and wording once for all tests: they are the same in each."""
    wiring.parse = functools.cache(wiring.parse)
    wiring.open_reader = _kept(wiring.open_reader)
    wiring.work_calendar = _kept(wiring.work_calendar)
    Phrasebook.load = functools.cache(Phrasebook.load)


def _kept(make: Callable[..., Any]) -> Callable[..., Any]:
    kept: dict[str, Any] = {}

    def made(about: Any, *more: Any) -> Any:
        files = [f"{each}: {each.read_text('utf-8')}" for folder in more for each in sorted(folder.glob("*.yaml"))]
        key = f"{about.model_dump_json()} {more} {files}"
        if key not in kept:
            kept[key] = make(about, *more)
        return kept[key]

    return made


Found = Callable[..., Awaitable[Town]]


@pytest.fixture
def new_database(tmp_path: Path, migrated: Path, request: pytest.FixtureRequest) -> Callable[[str], str]:
    """Return a function that makes an empty database of the newest schema: `sqlite` or `postgres`."""

    def make(kind: str) -> str:
        if kind == "postgres":
            url = request.getfixturevalue("postgres").fresh_database()
            migrate(url)
            return url
        shutil.copy(migrated, tmp_path / "plaint.sqlite3")
        return f"sqlite:///{tmp_path / 'plaint.sqlite3'}"

    return make


@pytest.fixture
async def found(
    new_database: Callable[[str], str], keys: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, _once_each: None
) -> AsyncIterator[Found]:
    """Return a function that founds a town."""
    quick = Pace(every=0.0001, burst=1000)  # the pace of a real Telegram would make every story minutes long
    for outgoing in (telegram, wechat, wecom):
        monkeypatch.setattr(outgoing, "LIMITS", replace(outgoing.LIMITS, overall=quick, chat=quick, group=quick))
    monkeypatch.setattr(meter, "LIMITS", ((10_000, 60.0),))
    async with AsyncExitStack() as stack:

        @asynccontextmanager
        async def town(
            at: str,
            mode: str,
            database: str,
            company: str,
            *,
            room: bool,
            channels: tuple[str, ...],
            account: dict[str, Any],
            more: dict[str, Any],
        ) -> AsyncIterator[Town]:
            clock = Clock(at)
            settings = TelegramSettings(timing=Timing(backoff=0.05, longest=0.2))
            with capture_logs() as logs:
                async with sandbox_running(
                    settings=settings, wechat=WeChatSettings(**account), wecom=WeComSettings(), clock=clock
                ) as sandbox:
                    place = Town(
                        clock=clock,
                        sandbox=sandbox,
                        folder=tmp_path,
                        database_url=new_database(database),
                        keys=keys,
                        mode=mode,
                        logs=logs,
                        company=company,
                        port=free_port(),
                        channels=channels,
                        more=more,
                    )
                    if room and "telegram" in channels:
                        founder = await sandbox.client.add_person("创建人")
                        place.group = await sandbox.client.add_group("客诉", [founder])
                        place.room = Person(place, founder.in_group(place.group))
                    try:
                        await place.start()
                        yield place
                        if place.service is not None:
                            place.check()
                    finally:
                        with contextlib.suppress(Exception):
                            await place.stop()

        async def make(
            at: str = "2025-03-03 10:15",
            *,
            mode: str = "webhook",
            database: str = "sqlite",
            room: bool = True,
            company: str = "trade_003",
            channels: tuple[str, ...] = ("telegram",),
            account: dict[str, Any] | None = None,
            **more: Any,
        ) -> Town:
            return await stack.enter_async_context(
                town(at, mode, database, company, room=room, channels=channels, account=account or {}, more=more)
            )

        yield make


@pytest.fixture
async def town(found: Found) -> Town:
    """A town with a staff group, on SQLite, with webhooks, on a Monday morning."""
    return await found()
