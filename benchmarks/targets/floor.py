"""The durable floor: bare aiohttp, and one writer thread that commits whole groups of updates to SQLite.

The update's dedup key, the conversation's state and the reply in the outbox are one transaction (WAL, FULL). Telegram
is answered after the commit, the reply is sent after that, and its outbox row goes with the next group. After a kill -9
nothing is lost: what was not committed was not answered and comes again, what was not sent is still in the outbox.
"""

import asyncio
import json
import os
import secrets
import sqlite3
import threading
from collections.abc import AsyncIterator
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any

import aiohttp
from aiohttp import web
from typing_extensions import override

_REPLIES = json.loads(os.environ["BENCH_REPLIES"])
_SECRET = os.environ["BENCH_SECRET"]
_SEND_URL = f"{os.environ['BENCH_API_URL']}/bot{os.environ['BENCH_TOKEN']}/sendMessage"
_GROUP = 256  # updates per commit at most
_JSON = {"Content-Type": "application/json"}
_SCHEMA = """
CREATE TABLE IF NOT EXISTS inbox (update_id INTEGER PRIMARY KEY);
CREATE TABLE IF NOT EXISTS conversation (chat INTEGER PRIMARY KEY, step INTEGER NOT NULL, answers TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS complaint (number INTEGER PRIMARY KEY, chat INTEGER NOT NULL, answers TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS outbox (update_id INTEGER PRIMARY KEY, body TEXT NOT NULL);
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Received:
    update: dict[str, Any]  # Any: JSON
    committed: asyncio.Future[None]


class _Writer(threading.Thread):
    """Owns the database. Takes updates and ids of sent replies from a queue, hands the loop what is to be sent."""

    def __init__(self, loop: asyncio.AbstractEventLoop, send: "asyncio.Queue[tuple[int, str]]") -> None:
        super().__init__(daemon=True)
        self.queue: SimpleQueue[_Received | int | None] = SimpleQueue()
        self._loop = loop
        self._send = send

    @override
    def run(self) -> None:
        """Commit groups until None comes."""
        database = sqlite3.connect(os.environ["BENCH_DATABASE"], isolation_level=None)
        database.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;" + _SCHEMA)
        unsent = database.execute("SELECT update_id, body FROM outbox ORDER BY update_id").fetchall()
        self._loop.call_soon_threadsafe(self._done, [], unsent, None)
        while (first := self.queue.get()) is not None:
            group = [first]
            while len(group) < _GROUP:
                try:
                    more = self.queue.get_nowait()
                except Empty:
                    break
                if more is None:
                    return
                group.append(more)
            self._serve(database, group)
        database.close()

    def _serve(self, database: sqlite3.Connection, group: list[_Received | int]) -> None:
        received = [each for each in group if isinstance(each, _Received)]
        sent = [(each,) for each in group if isinstance(each, int)]
        error: Exception | None = None
        rows: list[tuple[int, str]] = []
        try:
            database.execute("BEGIN IMMEDIATE")
            database.executemany("DELETE FROM outbox WHERE update_id = ?", sent)
            rows = [row for each in received for row in _reply(database, each.update)]
            database.execute("COMMIT")
        except sqlite3.Error as exception:
            database.execute("ROLLBACK")
            rows, error = [], exception
        self._loop.call_soon_threadsafe(self._done, received, rows, error)

    def _done(self, received: list[_Received], rows: list[tuple[int, str]], error: Exception | None) -> None:
        for each in received:
            if each.committed.cancelled():
                continue
            if error is None:
                each.committed.set_result(None)
            else:
                each.committed.set_exception(error)
        for row in rows:
            self._send.put_nowait(row)


def _reply(database: sqlite3.Connection, update: dict[str, Any]) -> list[tuple[int, str]]:  # Any: JSON
    """Move one conversation on; return the outbox rows that this made."""
    if not database.execute("INSERT OR IGNORE INTO inbox VALUES (?)", (update["update_id"],)).rowcount:
        return []
    chat, text = update["message"]["chat"]["id"], update["message"]["text"]
    row = database.execute("SELECT step, answers FROM conversation WHERE chat = ?", (chat,)).fetchone()
    step, answers = (0, []) if row is None or text == "/start" else (row[0], json.loads(row[1]))
    answers.append(text)
    reply, number = _REPLIES[step], None
    step += 1
    if step == len(_REPLIES):
        stored = database.execute("INSERT INTO complaint (chat, answers) VALUES (?, ?)", (chat, json.dumps(answers)))
        number, step, answers = stored.lastrowid, 0, []
    database.execute("INSERT OR REPLACE INTO conversation VALUES (?, ?, ?)", (chat, step, json.dumps(answers)))
    message: dict[str, object] = {
        "chat_id": chat,
        "text": reply["text"].format(summary="\n".join(answers[1:]), number=number),
    }
    if reply["buttons"]:
        message["reply_markup"] = {"keyboard": [[{"text": label}] for label in reply["buttons"]]}
    body = json.dumps(message)
    database.execute("INSERT INTO outbox VALUES (?, ?)", (update["update_id"], body))
    return [(update["update_id"], body)]


_WRITER = web.AppKey("writer", _Writer)


def _application() -> web.Application:
    application = web.Application()

    async def run(application: web.Application) -> AsyncIterator[None]:
        rows: asyncio.Queue[tuple[int, str]] = asyncio.Queue()
        writer = application[_WRITER] = _Writer(asyncio.get_running_loop(), rows)
        writer.start()
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
            sender = asyncio.create_task(_send_all(session, rows, writer))
            yield
            sender.cancel()
        writer.queue.put(None)
        writer.join()

    async def receive(request: web.Request) -> web.Response:
        if not secrets.compare_digest(request.headers.get("X-Telegram-Bot-Api-Secret-Token", ""), _SECRET):
            return web.Response(status=401)
        committed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        request.app[_WRITER].queue.put(_Received(update=json.loads(await request.read()), committed=committed))
        await committed
        return web.Response()

    application.cleanup_ctx.append(run)
    application.router.add_post("/telegram/webhook", receive)
    return application


async def _send_all(session: aiohttp.ClientSession, rows: "asyncio.Queue[tuple[int, str]]", writer: _Writer) -> None:
    async def send(outbox: int, body: str) -> None:
        while True:
            try:
                async with session.post(_SEND_URL, data=body, headers=_JSON) as response:
                    if (await response.json())["ok"]:
                        return writer.queue.put(outbox)
            except (aiohttp.ClientError, TimeoutError):
                await asyncio.sleep(0.1)

    async with asyncio.TaskGroup() as tasks:
        while True:
            tasks.create_task(send(*await rows.get()))


if __name__ == "__main__":
    web.run_app(_application(), host="127.0.0.1", port=int(os.environ["BENCH_PORT"]), access_log=None, print=None)
