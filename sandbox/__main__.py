"""Runs the sandbox by itself: `python -m sandbox --port 8081`."""

import argparse
import asyncio
import contextlib
import signal
import sys
from collections.abc import Iterable
from dataclasses import fields
from typing import Any, TypeVar

from sandbox.app import running
from sandbox.telegram import DEFAULT_TOKEN, DEFAULT_USERNAME, TelegramSettings
from sandbox.wechat import WeChatSettings
from sandbox.wecom import WeComSettings

T = TypeVar("T", WeChatSettings, WeComSettings)


async def serve(
    *, host: str, port: int, telegram: TelegramSettings, wechat: WeChatSettings, wecom: WeComSettings
) -> None:
    """Serve until the process is told to stop, and say where."""
    stop = asyncio.Event()
    for wish in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):  # Windows has no such handlers, and stops anyway
            asyncio.get_running_loop().add_signal_handler(wish, stop.set)
    async with running(settings=telegram, wechat=wechat, wecom=wecom, host=host, port=port) as sandbox:
        sys.stdout.write(f"phone page   {sandbox.url}/\nBot API      {sandbox.bot_url}<token>/<method>\n")
        sys.stdout.writelines(f"bot          @{username}  {token}\n" for token, username in telegram.bots.items())
        sys.stdout.write(f"WeChat API   {sandbox.url}  {wechat.app_id}  {wechat.secret}\n")
        sys.stdout.write(f"WeCom API    {sandbox.wecom_url}  {wecom.corp_id}  {wecom.secret}\n")
        sys.stdout.flush()
        await stop.wait()


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(
        prog="python -m sandbox", description="Fake messengers over HTTP and a phone page."
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8081)
    parser.add_argument("--bot", action="append", metavar="TOKEN=USERNAME", help="a bot; may be given several times")
    parser.add_argument("--no-privacy", action="store_true", help="let bots hear everything in groups")
    parser.add_argument("--wechat", action="append", default=[], metavar="NAME=VALUE", help="a setting of WeChat")
    parser.add_argument("--wecom", action="append", default=[], metavar="NAME=VALUE", help="a setting of WeCom")
    given = parser.parse_args()
    bots = dict(bot.split("=", 1) for bot in given.bot or [f"{DEFAULT_TOKEN}={DEFAULT_USERNAME}"])
    asyncio.run(
        serve(
            host=given.host,
            port=given.port,
            telegram=TelegramSettings(bots=bots, privacy=not given.no_privacy),
            wechat=_made(WeChatSettings, given.wechat),
            wecom=_made(WeComSettings, given.wecom),
        )
    )


def _made(kind: type[T], given: Iterable[str]) -> T:
    """Make settings out of names and values; only those that are texts or numbers can be given."""
    made: dict[str, Any] = {}  # names and values of any settings
    for name, value in (pair.split("=", 1) for pair in given):
        known = {field.name: field.default for field in fields(kind) if isinstance(field.default, str | int)}
        if name not in known:
            sys.exit(f"no such setting: {name}; there are {', '.join(known)}")
        made[name] = value == "true" if isinstance(known[name], bool) else type(known[name])(value)
    return kind(**made)


if __name__ == "__main__":
    main()
