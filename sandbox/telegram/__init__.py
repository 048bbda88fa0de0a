"""A fake Telegram: the Bot API for bots, control routes for whoever plays the people."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Final

from aiohttp import web

from sandbox.faults import Switchboard
from sandbox.live import Live
from sandbox.telegram.api import BotApi
from sandbox.telegram.control import Control
from sandbox.telegram.text import Json
from sandbox.telegram.updates import Timing, Updates
from sandbox.telegram.world import Bot, World

DEFAULT_TOKEN: Final = "100001:sandbox"  # noqa: S105 it opens nothing but the sandbox
DEFAULT_USERNAME: Final = "plaint_sandbox_bot"


@dataclass(kw_only=True, slots=True, frozen=True)
class TelegramSettings:
    """Says which bots exist and how patient the fake Telegram is."""

    bots: Mapping[str, str] = field(default_factory=lambda: {DEFAULT_TOKEN: DEFAULT_USERNAME})
    """Token to username; the first is the default bot."""
    name: str = "Plaint"
    """What people see as the name of the default bot; others go by their usernames."""
    privacy: bool = True
    """Whether bots hear in groups only what is meant for them, as with the real one."""
    query_lifetime: float = 30.0
    """Seconds within which a pressed button can be answered."""
    timing: Timing = field(default_factory=Timing)


class Telegram:
    """The fake Telegram as a platform of the sandbox."""

    name: Final = "telegram"

    def __init__(self, settings: TelegramSettings, *, clock: Callable[[], datetime], live: Live) -> None:
        """Open the platform with its bots and nobody else."""
        loop = asyncio.get_running_loop()
        self.world = World(clock=clock, live=live)
        self.switchboard = Switchboard(loop.time)
        self.api = BotApi(world=self.world, switchboard=self.switchboard, query_lifetime=settings.query_lifetime)
        self._control = Control(world=self.world, switchboard=self.switchboard, record=self.api.record)
        for order, (token, username) in enumerate(settings.bots.items()):
            number = int(token.partition(":")[0])
            updates = Updates(clock=clock, timing=settings.timing, obey=partial(self._obey, number))
            name = username if order else settings.name
            self.world.bots[number] = Bot(
                id=number, token=token, username=username, name=name, updates=updates, privacy=settings.privacy
            )

    def routes(self) -> list[web.RouteDef]:
        """List the routes of the Bot API and the control routes."""
        return [
            web.route("*", "/bot{token:[^/]+}/{method:[A-Za-z]+}", self.api.serve),
            web.get("/file/bot{token:[^/]+}/{path:.+}", self.api.download),
            *self._control.routes(),
        ]

    async def _obey(self, bot: int, order: Json) -> None:
        await self.api.obey(self.world.bots[bot], order)

    async def close(self) -> None:
        """Let everyone who waits go."""
        self.switchboard.clear()
        for bot in self.world.bots.values():
            await bot.updates.close()
