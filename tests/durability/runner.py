"""Starts the desk again and again, without waiting for imports: every start is a process of its own, to be killed.

Reads lines of JSON from its standard input: the settings of the next process, and `ahead`, the seconds by which its clock is
ahead. Answers with the process id. Ends with its input.
"""

import asyncio
import json
import os
import signal
import sys
from datetime import datetime, timedelta
from pathlib import Path

import policies
from bot import clock, logs, settings, wiring
from bot.reading import open_reader
from policies.loader import parse, read
from policies.phrasebook import Phrasebook


def main() -> None:
    folder = Path(policies.__file__).parent
    policy = parse(read("trade_003", folder), "trade_003")
    reader, phrasebook = open_reader(policy, folder), Phrasebook.load(folder / "wording")
    reader.read("先把词典都读进来")
    wiring.parse = lambda *_: policy
    wiring.open_reader = lambda *_: reader
    Phrasebook.load = lambda _: phrasebook
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        given = json.loads(line)
        ahead = timedelta(seconds=given.pop("ahead"))
        child = os.fork()
        if not child:
            asyncio.run(serve(settings.load(_env_file=None, **given), ahead))
            os._exit(0)
        print(child, flush=True)


async def serve(given: settings.Settings, ahead: timedelta) -> None:
    logs.set_up(secrets=given.secrets)

    def now() -> datetime:
        return clock.now() + ahead

    async with wiring.running(given, now=now, timers_every=0.2):
        await asyncio.Event().wait()


if __name__ == "__main__":
    main()
