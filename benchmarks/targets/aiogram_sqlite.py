"""The usual choice: aiogram 3 with its FSM on an SQLite storage, written as aiogram's documentation teaches it.

aiogram ships no SQLite storage; this one follows its BaseStorage, each write one commit (WAL, synchronous=FULL).
"""

import json
import os
import sqlite3
from collections.abc import Mapping
from typing import Any

from aiogram import Bot, Dispatcher, F, Router
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.filters import CommandStart
from aiogram.fsm.context import FSMContext
from aiogram.fsm.state import State, StatesGroup
from aiogram.fsm.storage.base import BaseStorage, StateType, StorageKey
from aiogram.types import KeyboardButton, Message, ReplyKeyboardMarkup, ReplyKeyboardRemove
from aiogram.webhook.aiohttp_server import SimpleRequestHandler, setup_application
from aiohttp import web
from typing_extensions import override

_REPLIES = json.loads(os.environ["BENCH_REPLIES"])
_CONFIRM = _REPLIES[8]["buttons"][0]
router = Router()


class SQLiteStorage(BaseStorage):
    """Keeps state and data of each chat in one table."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        database.execute("CREATE TABLE IF NOT EXISTS fsm (key TEXT PRIMARY KEY, state TEXT, data TEXT)")

    @override
    async def set_state(self, key: StorageKey, state: StateType = None) -> None:
        name = state.state if isinstance(state, State) else state
        self._database.execute(
            "INSERT INTO fsm (key, state) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET state = excluded.state",
            (_key(key), name),
        )

    @override
    async def get_state(self, key: StorageKey) -> str | None:
        row = self._database.execute("SELECT state FROM fsm WHERE key = ?", (_key(key),)).fetchone()
        return row[0] if row else None

    @override
    async def set_data(self, key: StorageKey, data: Mapping[str, Any]) -> None:
        self._database.execute(
            "INSERT INTO fsm (key, data) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET data = excluded.data",
            (_key(key), json.dumps(data)),
        )

    @override
    async def get_data(self, key: StorageKey) -> dict[str, Any]:
        row = self._database.execute("SELECT data FROM fsm WHERE key = ?", (_key(key),)).fetchone()
        return json.loads(row[0]) if row and row[0] else {}

    @override
    async def close(self) -> None:
        self._database.close()


def _key(key: StorageKey) -> str:
    return f"{key.bot_id}:{key.chat_id}:{key.user_id}"


class Filing(StatesGroup):
    """What the customer is asked next."""

    kind = State()
    content = State()
    order = State()
    name = State()
    contact = State()
    region = State()
    model = State()
    wish = State()
    confirm = State()


async def _answer(message: Message, step: int, **facts: object) -> None:
    reply = _REPLIES[step]
    rows = [[KeyboardButton(text=label)] for label in reply["buttons"]]
    keyboard = ReplyKeyboardMarkup(keyboard=rows, resize_keyboard=True) if rows else None
    await message.answer(reply["text"].format(**facts), reply_markup=keyboard)


@router.message(CommandStart())
async def start(message: Message, state: FSMContext) -> None:
    """Begin anew."""
    await state.clear()
    await state.set_state(Filing.kind)
    await _answer(message, 0)


@router.message(Filing.kind, F.text.in_(_REPLIES[0]["buttons"]))
async def kind(message: Message, state: FSMContext) -> None:
    """Keep the complaint type."""
    await state.update_data(kind=message.text)
    await state.set_state(Filing.content)
    await message.answer(_REPLIES[1]["text"], reply_markup=ReplyKeyboardRemove())


@router.message(Filing.content, F.text)
async def content(message: Message, state: FSMContext) -> None:
    """Keep what happened."""
    await state.update_data(content=message.text)
    await state.set_state(Filing.order)
    await _answer(message, 2)


@router.message(Filing.order, F.text)
async def order(message: Message, state: FSMContext) -> None:
    """Keep the order number."""
    await state.update_data(order=message.text)
    await state.set_state(Filing.name)
    await _answer(message, 3)


@router.message(Filing.name, F.text)
async def name(message: Message, state: FSMContext) -> None:
    """Keep the name."""
    await state.update_data(name=message.text)
    await state.set_state(Filing.contact)
    await _answer(message, 4)


@router.message(Filing.contact, F.text)
async def contact(message: Message, state: FSMContext) -> None:
    """Keep the telephone number or address."""
    await state.update_data(contact=message.text)
    await state.set_state(Filing.region)
    await _answer(message, 5)


@router.message(Filing.region, F.text)
async def region(message: Message, state: FSMContext) -> None:
    """Keep the region."""
    await state.update_data(region=message.text)
    await state.set_state(Filing.model)
    await _answer(message, 6)


@router.message(Filing.model, F.text)
async def model(message: Message, state: FSMContext) -> None:
    """Keep the product's model."""
    await state.update_data(model=message.text)
    await state.set_state(Filing.wish)
    await _answer(message, 7)


@router.message(Filing.wish, F.text)
async def wish(message: Message, state: FSMContext) -> None:
    """Keep what the customer wants, and read everything back."""
    data = await state.update_data(wish=message.text)
    await state.set_state(Filing.confirm)
    await _answer(message, 8, summary="\n".join(data.values()))


@router.message(Filing.confirm, F.text == _CONFIRM)
async def confirm(message: Message, state: FSMContext, database: sqlite3.Connection) -> None:
    """Store the complaint and give its number."""
    answers = json.dumps(await state.get_data())
    stored = database.execute("INSERT INTO complaint (chat, answers) VALUES (?, ?)", (message.chat.id, answers))
    await state.clear()
    await message.answer(_REPLIES[9]["text"].format(number=stored.lastrowid), reply_markup=ReplyKeyboardRemove())


def main() -> None:
    """Serve the webhook; Telegram is answered after the work."""
    database = sqlite3.connect(os.environ["BENCH_DATABASE"], isolation_level=None)
    database.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;")
    database.execute("CREATE TABLE IF NOT EXISTS complaint (number INTEGER PRIMARY KEY, chat INTEGER, answers TEXT)")
    server = TelegramAPIServer.from_base(os.environ["BENCH_API_URL"])
    bot = Bot(os.environ["BENCH_TOKEN"], session=AiohttpSession(api=server))
    dispatcher = Dispatcher(storage=SQLiteStorage(database), database=database)
    dispatcher.include_router(router)
    application = web.Application()
    handler = SimpleRequestHandler(dispatcher, bot, handle_in_background=False, secret_token=os.environ["BENCH_SECRET"])
    handler.register(application, "/telegram/webhook")
    setup_application(application, dispatcher, bot=bot)
    web.run_app(application, host="127.0.0.1", port=int(os.environ["BENCH_PORT"]), access_log=None, print=None)


if __name__ == "__main__":
    main()
