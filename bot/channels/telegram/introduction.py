"""Tells Telegram who posts where and which commands there are, as often as it takes.

Source: https://core.telegram.org/bots/api#setwebhook, #setmycommands
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Final

import structlog

from bot.channels.telegram.api import Answer, Api
from bot.channels.telegram.incoming import ALLOWED_UPDATES


async def introduce(
    api: Api,
    *,
    webhook: str,
    secret: str,
    commands: Mapping[str, Mapping[str, str]],
    known: Callable[[str], None],
) -> str:
    """Return the bot's username once Telegram took everything; tries for as long as the platform is away.

    `known` hears the username as soon as it is told. Without a `webhook` one that stands is removed, for polling.
    """
    me = await _insist(api, "getMe", {})
    username = me.result.get("username") if isinstance(me.result, dict) else None
    known(username if isinstance(username, str) else "")
    if webhook:
        await _insist(
            api,
            "setWebhook",
            {
                "url": webhook,
                "secret_token": secret,
                "allowed_updates": list(ALLOWED_UPDATES),
                "max_connections": _CONNECTIONS,
            },
        )
    else:
        await _insist(api, "deleteWebhook", {"drop_pending_updates": False})
    for language, menu in commands.items():
        listed = [{"command": command, "description": text} for command, text in menu.items()]
        await _insist(api, "setMyCommands", {"commands": listed, "language_code": language})
    return str(username or "")


async def _insist(api: Api, method: str, arguments: dict[str, Any]) -> Answer:
    """Call until it is taken. What Telegram calls wrong is logged and left: saying it again would not make it right."""
    pause = _SHORTEST
    while True:
        answer = await api.call(method, arguments)
        if answer.ok:
            return answer
        log = structlog.get_logger().bind(method=method, error=answer.trouble or answer.description)
        if answer.code == _WRONG:
            log.error("telegram_call_refused")
            return answer
        wait = max(pause, float(answer.number("retry_after") or 0))
        log.warning("telegram_not_introduced", retry_in=wait)
        await asyncio.sleep(wait)
        pause = min(pause * 2, _LONGEST)


_CONNECTIONS: Final = 100
_WRONG: Final = 400
_SHORTEST: Final = 1.0
_LONGEST: Final = 60.0
