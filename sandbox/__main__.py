"""Runs the sandbox by itself: `python -m sandbox --port 8081`."""

import argparse
import asyncio
import contextlib
import signal
import sys

from sandbox.app import running
from sandbox.telegram import DEFAULT_TOKEN, DEFAULT_USERNAME, TelegramSettings


async def serve(*, host: str, port: int, bots: dict[str, str], privacy: bool) -> None:
    """Serve until the process is told to stop, and say where."""
    stop = asyncio.Event()
    for wish in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):  # Windows has no such handlers, and stops anyway
            asyncio.get_running_loop().add_signal_handler(wish, stop.set)
    async with running(settings=TelegramSettings(bots=bots, privacy=privacy), host=host, port=port) as sandbox:
        sys.stdout.write(f"phone page   {sandbox.url}/\nBot API      {sandbox.bot_url}<token>/<method>\n")
        sys.stdout.writelines(f"bot          @{username}  {token}\n" for token, username in bots.items())
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
    given = parser.parse_args()
    bots = dict(bot.split("=", 1) for bot in given.bot or [f"{DEFAULT_TOKEN}={DEFAULT_USERNAME}"])
    asyncio.run(serve(host=given.host, port=given.port, bots=bots, privacy=not given.no_privacy))


if __name__ == "__main__":
    main()
