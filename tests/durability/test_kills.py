"""The service is killed without a warning, at any moment, and nobody notices more than a message said twice."""

import asyncio
import collections
import contextlib
import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from sandbox import CallbackTiming, Phone, SandboxError, TelegramSettings, WeChatSettings
from sandbox.app import running as sandbox_running
from sandbox.telegram.updates import Timing
from storage import KeyRing, Store
from tests.conftest import NUMBERED

FILINGS = 20
KILLS = 3
#: A part of what the bot says, and what the customer does then; `!` presses a button.
STEPS = [
    ("", "订单YX2025{n:04}-3 物流没更新都半个月了"),
    ("您同意吗", "!同意"),
    ("怎么称呼您", "客户{letter}"),
    ("怎么联系您", "138{n:08}"),
    ("哪个城市", "马德里"),
    ("哪个型号", "LX-{n}"),
    ("希望我们怎么解决", "!补发或重发"),
    ("有照片、视频或单据吗", "跳过"),
    ("请核对投诉", "!没问题，提交"),
]
LAST = "已受理"
IN_THE_AIR = 2
"""Letters to one customer that a kill can catch between the platform's yes and ours: what was heard, what is asked."""
AHEAD = 31.0
"""Seconds that pass while the service is away: longer than a lease, so that nobody waits for one of the dead."""


@dataclass
class Customer:
    number: int
    phone: Phone
    said: list[str] = field(default_factory=list)
    done: bool = False

    async def file(self) -> None:
        seen = 0
        for expected, act in [*STEPS, (LAST, "")]:
            if expected:
                message = await self.phone.wait_for(
                    lambda message, expected=expected, seen=seen: message.id > seen and expected in message.text,
                    timeout=90.0,
                    since=0,
                )
                seen = message.id
            letters = "".join("甲乙丙丁戊己庚辛壬癸"[int(digit)] for digit in f"{self.number:04}")
            words = act.format(n=self.number, letter=letters)
            if words.startswith("!"):
                await self.press(words[1:])
            elif words:
                await self.phone.say(words)
                self.said.append(words)
        self.done = True

    async def press(self, label: str) -> None:
        """Press a button, or type its number where there are none."""
        if isinstance(self.phone, Phone):
            await self.phone.press(label)
            return
        said = (await self.phone.transcript()).messages
        offered = {name: number for each in said for number, name in NUMBERED.findall(each.text)}
        await self.phone.say(offered.get(label, label))


def _telegram(sandbox):
    return {
        "telegram_token": sandbox.token,
        "telegram_api_url": sandbox.url,
        "telegram_mode": "webhook",
        "telegram_webhook_secret": "only-for-tests",
    }


def _wechat(sandbox):
    account = sandbox.wechat.settings
    return {
        "wechat_app_id": account.app_id,
        "wechat_secret": account.secret,
        "wechat_token": account.token,
        "wechat_aes_key": account.aes_key,
        "wechat_api_url": sandbox.url,
    }


PLATFORMS = {"telegram": _telegram, "wechat": _wechat}


async def ready(sandbox, channel, port):
    if channel == "telegram":
        while sandbox.telegram.world.default_bot.updates.webhook is None:
            await asyncio.sleep(0.01)
        return
    while True:
        with contextlib.suppress(SandboxError):
            await sandbox.client.set_callback(f"http://127.0.0.1:{port}/wechat/callback", platform="wechat")
            return
        await asyncio.sleep(0.05)


async def someone(sandbox, channel, name):
    if channel == "telegram":
        return await sandbox.client.add_person(name, language="zh-hans")
    return await sandbox.client.add_wechat_person(name, follows=True)


def told(sandbox, channel):
    """Return how much the platform has told the desk so far."""
    if channel == "telegram":
        return sandbox.telegram.world.default_bot.updates.delivered
    return sandbox.wechat.record.callbacks["made"]


class Service:
    """The desk as a process that can be killed."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("runner.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.starts = 0
        self.child = 0

    async def start(self, settings: dict[str, Any], ahead: float | None = None) -> None:
        ahead = self.starts * AHEAD if ahead is None else ahead
        self.process.stdin.write(json.dumps({**settings, "ahead": ahead}) + "\n")
        self.process.stdin.flush()
        self.starts += 1
        while True:  # the child's log goes the same way
            line = (await asyncio.to_thread(self.process.stdout.readline)).strip()
            if line.isdigit():
                self.child = int(line)
                return
            if not line:
                raise RuntimeError("the runner has ended")

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            if self.child:
                os.kill(self.child, signal.SIGKILL)
            while self.child:  # until the system has buried it: only then its lock on the file is free
                os.kill(self.child, 0)
                time.sleep(0.001)
        self.child = 0

    def end(self) -> None:
        self.process.stdin.close()
        self.process.wait(10)
        self.process.stdout.close()


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    service = Service()
    yield service
    service.end()


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@pytest.mark.parametrize("channel", ["telegram", "wechat"])
@pytest.mark.parametrize("database", ["sqlite", "postgres"])
@pytest.mark.timeout(600)
@pytest.mark.xdist_group("kills")
async def test_kill_minus_nine_loses_doubles_and_strands_nothing(
    service, database, channel, new_database, tmp_path, capsys
):
    kills = int(os.environ.get("PLAINT_TEST_KILLS", "0"))
    filings, kills = (200, kills) if kills else (FILINGS, KILLS)
    seed = random.randrange(10**6)
    chance = random.Random(seed)
    keys = KeyRing.generate().to_setting()
    url = new_database(database)
    port = free_port()
    timing = TelegramSettings(timing=Timing(backoff=0.05, longest=0.3, timeout=10.0))
    # a platform that gives up has told the customer so; this one asks until it has an answer
    stubborn = WeChatSettings(timing=CallbackTiming(timeout=5.0, tries=1000, pause=0.05))
    async with sandbox_running(settings=timing, wechat=stubborn) as sandbox:
        settings = {
            "database_url": url,
            "keys": keys,
            "data_dir": str(tmp_path),
            **PLATFORMS[channel](sandbox),
            "public_url": f"http://127.0.0.1:{port}",
            "port": port,
        }
        try:
            await service.start(settings)
            await ready(sandbox, channel, port)
            customers = [
                Customer(number, await someone(sandbox, channel, f"客户{number}")) for number in range(1, filings + 1)
            ]
            filing = asyncio.gather(*(customer.file() for customer in customers))
            killed = 0
            marks = sorted(chance.sample(range(filings, filings * 8), kills))
            while killed < kills and not filing.done():
                if told(sandbox, channel) >= marks[killed]:
                    await asyncio.sleep(chance.random() * 0.02)
                    service.kill()
                    killed += 1
                    await service.start(settings)
                await asyncio.sleep(0.002)
            await filing
            await asyncio.sleep(0.3)
        finally:
            service.kill()
        transcripts = [await customer.phone.transcript() for customer in customers]
        assert sandbox.telegram.world.default_bot.updates.pending_count == sandbox.wechat.courier.pending == 0

    repeats = [
        sum(count - 1 for count in collections.Counter(each.text for each in said.messages if each.from_bot).values())
        for said in transcripts
    ]
    store = Store.open(url, ring=KeyRing.from_setting(keys), node="afterwards")
    try:
        report = store.verify_journal()
        with store.read() as ledger:
            cases = list(ledger.open_cases(None, filings * 3))
            answers = sorted(tuple(sorted(case.words.answers.items())) for case in cases)
            conversations = [ledger.conversation(case.conversation_id) for case in cases]
            trays = ledger.trays()
            said = [[each.text for each in case.words.said] for case in cases]
            twice = [
                name
                for case in cases
                for name, count in collections.Counter(
                    (event.name, str(event.facts), str(event.words)) for event in ledger.journal(case.id)
                ).items()
                if count > 1
            ]
    finally:
        store.close()
    with capsys.disabled():
        print(
            f"\n{channel}, {database}: {filings} filings, {killed} kills (seed {seed}), {len(cases)} cases, {report.events} events, "
            f"{sum(repeats)} messages said twice, at most {max(repeats)} to one customer"
        )
    assert killed == kills
    assert not report.broken
    assert len(cases) == filings, "no case lost, none doubled"
    assert len({case.customer_id for case in cases}) == filings
    assert {case.state for case in cases} == {"handed_over"}
    assert {conversation.state for conversation in conversations} == {"idle"}, "no conversation is stuck"
    assert sorted(words for [words] in said) == sorted(customer.said[0] for customer in customers)
    assert answers == sorted(
        tuple(
            sorted(
                {
                    "name": customer.said[1],
                    "contact": f"+86{customer.said[2]}"
                    if dict(answers[0])["contact"].startswith("+")
                    else customer.said[2],
                    "region": "马德里",
                    "order_no": f"YX2025{customer.number:04}-3",
                    "model": f"LX-{customer.number}",
                    "expected_solution": "resend",
                }.items()
            )
        )
        for customer in customers
    ), "no answer is lost"
    assert twice == [], "nothing happened twice"
    assert max(repeats) <= kills * IN_THE_AIR
    assert (trays.inbox_waiting, trays.inbox_dead, trays.outbox_dead) == (0, 0, 0)
