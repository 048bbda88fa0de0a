"""A PostgreSQL server for tests: an installed one, else the wheel's; stopped and removed when the tests end."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
import uuid
from pathlib import Path

import psycopg

from benchmarks.postgres import find_binaries, whoever_may

_READY_WITHIN_S = 30.0
_OPTIONS = ("listen_addresses=", "fsync=off", "max_connections=60", "shared_buffers=64MB")


class PostgresServer:
    """One server in a folder of its own, reached by a socket only. It may be stopped and started again."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="plaint-tests-"))
        identity = whoever_may()
        self._identity: dict[str, int] = {}
        if identity.user is not None and identity.group is not None:
            self._identity = {"user": identity.user, "group": identity.group}
            os.chown(self._folder, identity.user, identity.group)
        self._binaries = find_binaries(self._folder, identity)
        self._process: subprocess.Popen[bytes] | None = None
        self._run(
            "initdb", "-D", str(self._folder / "data"), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync"
        )
        self.start()

    @property
    def url(self) -> str:
        """The database `postgres`, for SQLAlchemy."""
        return f"postgresql+psycopg://postgres@/postgres?host={self._folder}"

    def start(self) -> None:
        """Start, and return when it answers."""
        command = [str(self._binaries / "postgres"), "-D", str(self._folder / "data"), "-k", str(self._folder)]
        for option in _OPTIONS:
            command += ["-c", option]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                command, cwd=self._folder, stdout=log, stderr=log, env=_environment(), **self._identity
            )
        deadline = time.monotonic() + _READY_WITHIN_S
        while True:
            try:
                psycopg.connect(host=str(self._folder), user="postgres", dbname="postgres").close()
            except psycopg.OperationalError:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError((self._folder / "log").read_text()) from None
                time.sleep(0.05)
            else:
                return

    def stop(self, how: signal.Signals = signal.SIGQUIT) -> None:
        """Stop at once, as an administrator in a hurry does."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(_READY_WITHIN_S)
            self._process = None

    def remove(self) -> None:
        """Stop, and leave nothing behind."""
        self.stop(signal.SIGINT)  # which waits for all its processes: none may write into the folder any more
        shutil.rmtree(self._folder, ignore_errors=True)

    def fresh_database(self) -> str:
        """Create an empty database and return its URL."""
        name = f"d{uuid.uuid4().hex}"
        with psycopg.connect(host=str(self._folder), user="postgres", dbname="postgres", autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"'.encode())
        return self.url.replace("/postgres?", f"/{name}?")

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [str(self._binaries / program), *arguments],
            cwd=self._folder,
            env=_environment(),
            check=True,
            capture_output=True,
            **self._identity,
        )


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("PG")} | {"LC_ALL": "C.UTF-8"}
