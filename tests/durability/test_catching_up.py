"""The desk was away for weeks: whatever it is late with, and killed half-way through, everybody gets one letter."""

import asyncio
import hashlib
import re
import time
from datetime import timedelta

import pytest
from sqlalchemy import create_engine
from sqlalchemy import text as sql

from bot import clock
from complaints.conversation import Staff
from complaints.ports import Changes
from sandbox import TelegramSettings
from sandbox.app import running as sandbox_running
from sandbox.telegram.updates import Timing
from storage import KeyRing, Store
from storage.engines import database_url
from tests.durability.test_kills import Service, _telegram, free_port, ready

CASES = 100
AWAY = timedelta(days=30).total_seconds()
ROLES = {"周敏": ["reception", "logistics"], "李总": ["leading_group"], "何经理": ["dept_head"]}
_WORDS = "订单YX20250118-3 物流没更新都半个月了"
_LATE = re.compile(r"系统中断期间，(\d+) 件投诉有时限到期")
_MORE = re.compile(r"另有 (\d+) 条")
#: The lines that a letter shows before it counts the others.
_SHOWN = 40


class Town:
    """A database, its staff, and the processes that serve it."""

    def __init__(self, url, keys):
        self.url, self.keys = url, keys
        self.engine = create_engine(database_url(url))

    def enlist(self):
        """Add the staff, and return their one-time codes."""
        store = Store.open(self.url, ring=KeyRing.from_setting(self.keys), node="before")
        now = clock.now()
        with store.unit(now) as unit:
            unit.load([])
            members = [
                Staff(
                    id=store.ids.next(),
                    name=name,
                    roles=roles,
                    language="zh-Hans",
                    code_hash=hashlib.sha256(name.encode()).hexdigest(),
                    code_until=now + timedelta(hours=1),
                )
                for name, roles in ROLES.items()
            ]
            unit.flush(Changes(staff=members))
        store.close()

    def count(self, what, **values):
        with self.engine.connect() as connection:
            return connection.execute(sql(f"select count(*) from {what}"), values).scalar_one()

    def late(self):
        """Return how many timers fell due while the desk was away."""
        at = (clock.now() + timedelta(seconds=AWAY)).timestamp() * 1000 - 1_800_000
        return self.count("timer where due_at < :at", at=at)

    async def wait(self, until):
        end = time.monotonic() + 60
        while not await asyncio.to_thread(until):
            assert time.monotonic() < end, "it takes too long"
            await asyncio.sleep(0.002)


@pytest.mark.parametrize("database", ["sqlite", "postgres"])
@pytest.mark.timeout(240)
@pytest.mark.xdist_group("kills")
async def test_after_an_outage_everybody_gets_one_letter_even_from_a_desk_that_is_killed_half_way(
    database, new_database, tmp_path
):
    keys = KeyRing.generate().to_setting()
    town = Town(new_database(database), keys)
    nodes = [Service() for _ in range(1 if database == "sqlite" else 2)]
    timing = TelegramSettings(timing=Timing(backoff=0.05, longest=0.3, timeout=10.0))
    async with sandbox_running(settings=timing) as sandbox:
        ports = [free_port() for _ in nodes]

        async def start(number: int, ahead: float) -> None:
            settings = {
                "database_url": town.url,
                "keys": keys,
                "data_dir": str(tmp_path),
                **_telegram(sandbox),
                "public_url": f"http://127.0.0.1:{ports[0]}",
                "port": ports[number],
            }
            await nodes[number].start(settings, ahead)

        try:
            town.enlist()
            await start(0, 0)
            await ready(sandbox, "telegram", ports[0])
            staff = {name: await sandbox.client.add_person(name) for name in ROLES}
            for name, phone in staff.items():
                await phone.say(f"/start staff-{name}")
            for number in range(CASES):
                customer = await sandbox.client.add_person(f"客户{number}", language="zh-hans")
                await customer.say(_WORDS)
            await town.wait(lambda: town.count("complaint_case") == CASES)
            await town.wait(lambda: not town.count("outbox"))
            nodes[0].kill()
            late = town.late()
            assert late >= 3 * CASES
            for number in range(len(nodes)):
                await start(number, AWAY)
            await town.wait(lambda: town.late() < late / 2)
            nodes[0].kill()
            left, held = town.late(), town.count("outbox where key like 'late:%'")
            await start(0, AWAY)
            await town.wait(lambda: not town.late() and not town.count("outbox where priority = 3"))
        finally:
            for node in nodes:
                node.kill()
                node.end()
        said = {name: [each.text for each in (await phone.transcript()).messages] for name, phone in staff.items()}
    assert left or len(nodes) > 1, "killed half-way"
    assert held == len(ROLES), "what was written before waits for the rest"
    store = Store.open(town.url, ring=KeyRing.from_setting(keys), node="afterwards")
    try:
        assert not store.verify_journal().broken
        with store.read() as ledger:
            journals = [ledger.journal(case.id) for case in ledger.open_cases(None, CASES * 2)]
    finally:
        store.close()
        town.engine.dispose()
    rungs = [
        [each for each in journal if each.name == "escalated" and each.facts["clock"] == "first_response"]
        for journal in journals
    ]
    assert [[each.facts["percent"] for each in journal] for journal in rungs] == [[100, 150]] * CASES
    for name, texts in said.items():
        news = [text for text in texts if "超时" in text or _LATE.search(text)]
        assert len(news) == 1, f"{name} gets one letter, not {len(news)}"
        assert _LATE.findall(news[0]) == [str(CASES)], "no case is lost"
    told = sum(
        "leading_group" in each.facts["to"] for journal in journals for each in journal if each.name == "escalated"
    )
    [news] = [text for text in said["李总"] if _LATE.search(text)]
    of_duties = 1  # nobody draws the weekly sample: one line, of one look at all duties
    assert _SHOWN + int(_MORE.findall(news)[0]) == told + of_duties, "every line is told once"
