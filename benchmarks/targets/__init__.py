"""What is measured: how each program is started, and which script is played against it."""

import base64
import json
import os
import secrets
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks import bot_api, filing
from benchmarks.processes import python

SECRET = "benchmark-secret"
ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Where one start of a target finds its world."""

    folder: Path
    api_url: str
    port: int
    postgres_url: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """A program to measure."""

    name: str
    script: filing.Script
    command: list[str]
    environment: Callable[[Place], dict[str, str]]
    prepare: list[str] | None = None
    """A command to run to its end first, in the same environment."""
    webhook: str = "/telegram/webhook"
    ready: str = "/"
    postgres: bool = False


def free_port() -> int:
    """Return a TCP port nobody listens on at the moment."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


def inherited() -> dict[str, str]:
    """Return this process's environment without anybody's settings of Plaint, able to import this package."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PLAINT_")}
    return {**kept, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}


def _peer(name: str, module: str) -> Target:
    script = filing.load("peers")

    def environment(place: Place) -> dict[str, str]:
        return {
            "BENCH_PORT": str(place.port),
            "BENCH_API_URL": place.api_url,
            "BENCH_TOKEN": bot_api.TOKEN,
            "BENCH_SECRET": SECRET,
            "BENCH_DATABASE": str(place.folder / "peer.sqlite3"),
            "BENCH_REPLIES": json.dumps(script.replies()),
        }

    return Target(name=name, script=script, command=python(f"benchmarks.targets.{module}"), environment=environment)


def _plaint(name: str, *, postgres: bool) -> Target:
    plaint = str(Path(sys.executable).parent / "plaint")

    def environment(place: Place) -> dict[str, str]:
        return {
            "PLAINT_HOST": "127.0.0.1",
            "PLAINT_PORT": str(place.port),
            "PLAINT_PUBLIC_URL": f"http://127.0.0.1:{place.port}",
            "PLAINT_DATABASE_URL": place.postgres_url if postgres else f"sqlite:///{place.folder}/plaint.sqlite3",
            "PLAINT_DATA_DIR": str(place.folder),
            "PLAINT_COMPANY": "trade_003",
            "PLAINT_KEYS": f"bench:{base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()}",
            "PLAINT_TELEGRAM_TOKEN": bot_api.TOKEN,
            "PLAINT_TELEGRAM_API_URL": place.api_url,
            "PLAINT_TELEGRAM_MODE": "webhook",
            "PLAINT_TELEGRAM_WEBHOOK_SECRET": SECRET,
        }

    return Target(
        name=name,
        script=filing.load("plaint"),
        command=[plaint, "serve"],
        prepare=[plaint, "migrate"],
        environment=environment,
        ready="/readyz",
        postgres=postgres,
    )


FLOOR = "floor-sqlite"
PEER = "aiogram-sqlite"
DEFAULT = (FLOOR, PEER, "plaint-sqlite", "plaint-postgres")
MAKE: dict[str, Callable[[], Target]] = {
    FLOOR: lambda: _peer(FLOOR, "floor"),
    PEER: lambda: _peer(PEER, "aiogram_sqlite"),
    "plaint-sqlite": lambda: _plaint("plaint-sqlite", postgres=False),
    "plaint-postgres": lambda: _plaint("plaint-postgres", postgres=True),
    "ceiling": lambda: _peer("ceiling", "ceiling"),
}
"""Every target by name. `ceiling` shows what the generator itself can do; it is not measured unless named."""
