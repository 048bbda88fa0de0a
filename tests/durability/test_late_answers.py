"""A platform that waits five seconds gets its OK in time, also from a desk that is slow; what was said is not lost by that.

Run by itself this file is a desk whose first complaint takes very long: a process to be killed.
"""

import asyncio
import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot import cli, logs, settings, wiring
from bot.channels.wechat import outgoing
from sandbox import SandboxError, WeChatSettings
from sandbox.app import running as sandbox_running
from storage import KeyRing, Store
from tests.conftest import free_port

COMPLAINT = "订单YX20250118-3 物流没更新都半个月了"
PATIENCE = 0.5


class SlowReader:
    """Reads as the reader does, and takes its time."""

    def __init__(self, reader, seconds):
        self._reader, self._seconds = reader, seconds

    def __getattr__(self, name):
        return getattr(self._reader, name)

    def read(self, text, **more):
        time.sleep(self._seconds)
        return self._reader.read(text, **more)


async def until(condition, seconds=20.0):
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.005)


def spooled(folder):
    path = folder / "spool"
    return sorted(each.name for each in path.iterdir()) if path.exists() else []


class Customer:
    """Somebody who follows the account, and was greeted."""

    def __init__(self, sandbox, phone):
        self.sandbox, self.phone = sandbox, phone

    @classmethod
    async def greeted(cls, sandbox):
        customer = cls(sandbox, await sandbox.client.add_wechat_person("王岚", follows=True))
        async with asyncio.timeout(10):
            while len(await customer.all()) == 0:
                await asyncio.sleep(0.01)
        await sandbox.client.settled("wechat")
        customer.before = len(await customer.all())
        return customer

    async def complain(self):
        """Say it, and return when the platform has its OK, and no word."""
        silent = self.sandbox.wechat.record.callbacks["silent"]
        await self.phone.say(COMPLAINT)
        await until(lambda: self.sandbox.wechat.record.callbacks["silent"] > silent)

    async def callback(self):
        [callback] = [each for each in await self.sandbox.client.callbacks() if "半个月" in each["xml"]]
        return callback

    async def all(self):
        return [message.text for message in (await self.phone.transcript()).messages if message.from_bot]

    async def heard(self):
        return (await self.all())[self.before :]

    async def answer(self):
        """Return the answer to the complaint, as soon as it comes."""
        async with asyncio.timeout(60):
            while not (heard := await self.heard()):
                await asyncio.sleep(0.01)
        return heard[0]


# --- in one process ---


@pytest.fixture
async def town(found, monkeypatch):
    town = await found(channels=("wechat", "wecom"))
    monkeypatch.setattr(outgoing, "LIMITS", replace(outgoing.LIMITS, patience=PATIENCE))
    return town


async def test_a_handler_that_is_too_slow_is_answered_for_in_time_and_its_reply_comes_by_itself_once(town):
    wang = await Customer.greeted(town.sandbox)
    town.service.book.reader = SlowReader(town.service.book.reader, 3 * PATIENCE)
    await wang.complain()
    assert len(spooled(town.folder)) == 1, "answered before it was served"
    assert await wang.heard() == []

    await until(lambda: not spooled(town.folder))
    await town.settle()
    [heard] = await wang.heard()
    assert town.case().number in heard
    callback = await wang.callback()
    assert (callback["attempts"], callback["outcome"]) == (1, "answered")


async def test_a_delivery_that_comes_again_while_it_waits_is_served_once(town):
    wang = await Customer.greeted(town.sandbox)
    town.service.book.reader = SlowReader(town.service.book.reader, 3 * PATIENCE)
    await wang.complain()
    number = (await wang.callback())["id"]
    assert await town.sandbox.client.replay_callback(number, 3) == [200] * 3
    assert len(spooled(town.folder)) == 1

    await until(lambda: not spooled(town.folder))
    await town.settle()
    assert await town.sandbox.client.replay_callback(number, 3) == [200] * 3
    await town.settle()
    assert len(await wang.heard()) == 1
    assert [each.text for each in town.case().words.said] == [COMPLAINT]
    assert spooled(town.folder) == []


async def test_a_spooled_message_that_does_not_open_stops_nothing_and_is_shown(town, monkeypatch):
    await town.stop()
    folder = town.folder / "spool"
    folder.mkdir()
    (folder / f"{'0' * 64}.sealed").write_bytes(b"\x01damaged")
    assert tray(town, monkeypatch) == {"waiting": 1, "aside": 0}
    await town.start()

    assert len([each for each in town.logs if each["event"] == "spooled_message_unreadable"]) == 1
    wang = await town.wechat_customer()
    assert "同意" in await wang.say(COMPLAINT)
    assert tray(town, monkeypatch) == {"waiting": 0, "aside": 1}
    assert [(folder / name).read_bytes() for name in spooled(town.folder)] == [b"\x01damaged"]


def tray(town, monkeypatch):
    given = town.settings()
    account = town.sandbox.wechat.settings
    for name, value in {
        "DATABASE_URL": given.database_url,
        "KEYS": town.keys,
        "DATA_DIR": str(town.folder),
        "PUBLIC_URL": given.public_url,
        "WECHAT_APP_ID": account.app_id,
        "WECHAT_SECRET": account.secret,
        "WECHAT_TOKEN": account.token,
    }.items():
        monkeypatch.setenv(f"PLAINT_{name}", value)
    told = CliRunner().invoke(cli.app, ["tray"])
    assert told.exit_code == 0, told.output
    rows = [line.replace("│", " ").split() for line in told.output.splitlines() if "spool" in line]
    return {what: int(number) for _, what, number in rows}


# --- in a process that is killed ---


class Child:
    """The desk as a process of its own."""

    def __init__(self, given, *, slow):
        self.process = subprocess.Popen(
            [sys.executable, __file__, json.dumps({**given, "slow": slow})],
            cwd=Path(__file__).parents[2],
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)


async def listening(sandbox, port):
    async with asyncio.timeout(60):
        while True:
            with contextlib.suppress(SandboxError):
                await sandbox.client.set_callback(f"http://127.0.0.1:{port}/wechat/callback", platform="wechat")
                return
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("cause", ["handler", "database"])
@pytest.mark.timeout(180)
@pytest.mark.xdist_group("kills")
async def test_what_was_acknowledged_late_is_served_once_though_the_desk_is_killed_that_moment(
    cause, new_database, tmp_path
):
    keys, url, port = KeyRing.generate().to_setting(), new_database("sqlite"), free_port()
    async with sandbox_running(wechat=WeChatSettings()) as sandbox:
        account = sandbox.wechat.settings
        given = {
            "database_url": url,
            "keys": keys,
            "data_dir": str(tmp_path),
            "wechat_app_id": account.app_id,
            "wechat_secret": account.secret,
            "wechat_token": account.token,
            "wechat_aes_key": account.aes_key,
            "wechat_api_url": sandbox.url,
            "public_url": f"http://127.0.0.1:{port}",
            "port": port,
        }
        child = Child(given, slow=30.0 if cause == "handler" else 0.0)
        try:
            await listening(sandbox, port)
            wang = await Customer.greeted(sandbox)
            await until(lambda: not spooled(tmp_path))
            database = sqlite3.connect(tmp_path / "plaint.sqlite3", isolation_level=None)
            if cause == "database":
                database.execute("begin immediate")
            await wang.complain()
            child.kill()
            assert len(spooled(tmp_path)) == 1
            assert database.execute("select count(*) from complaint_case").fetchone() == (0,), "nothing was committed"
            database.close()

            child = Child(given, slow=0.0)
            await listening(sandbox, port)
            answer = await wang.answer()
            await until(lambda: not spooled(tmp_path))
            assert await sandbox.client.replay_callback((await wang.callback())["id"], 2) == [200, 200]
            await asyncio.sleep(0.5)
            assert await wang.heard() == [answer]
            assert spooled(tmp_path) == []
        finally:
            child.kill()
    store = Store.open(url, ring=KeyRing.from_setting(keys), node="afterwards")
    with contextlib.closing(store), store.read() as ledger:
        [case] = ledger.open_cases(None, 10)
        assert case.number in answer
        assert [each.text for each in case.words.said] == [COMPLAINT]


async def serve(given):
    slow = given.pop("slow")
    loaded = settings.load(_env_file=None, **given)
    logs.set_up(secrets=loaded.secrets)
    outgoing.LIMITS = replace(outgoing.LIMITS, patience=PATIENCE)
    async with wiring.running(loaded) as service:
        service.book.reader = SlowReader(service.book.reader, slow)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(json.loads(sys.argv[1])))
