"""Connections to the two databases: how they are opened, and what their errors mean."""

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine, create_engine, event, exc
from sqlalchemy.engine import URL, make_url

from complaints.errors import Misconfigured, Unavailable

_BUSY_MS: Final = 5_000
_READERS: Final = 4
_POSTGRES_CONNECTIONS: Final = 8
_SQLITE_PRAGMAS: Final = (
    "journal_mode=WAL",
    "synchronous=FULL",  # a commit is on disk before the platform gets its "OK", also through a power cut
    f"busy_timeout={_BUSY_MS}",
    "secure_delete=FAST",  # what is overwritten, a destroyed data key above all, does not linger in free pages
    "cache_size=-32000",
    "temp_store=MEMORY",
)
#: A node that hangs in a transaction must not hold its rows, and one whose host died must be noticed.
_POSTGRES_ARGUMENTS: Final = {
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
    "application_name": "plaint",
    # A statement planned while its table was empty reads the whole table until the next ANALYZE, unless told not to.
    "options": "-c lock_timeout=10s -c idle_in_transaction_session_timeout=60s -c enable_seqscan=off -c jit=off",
}


class Again(Unavailable):
    """What the unit was about changed before it could be locked. Nothing is written; run the whole unit again."""


def database_url(url: str) -> URL:
    """Return the URL with our driver for it. Raises `Misconfigured`, which shows nothing: a URL may hold a password."""
    try:
        parsed = make_url(url)
    except exc.ArgumentError:
        raise Misconfigured("DATABASE_URL: cannot be read as a database URL") from None
    match parsed.get_backend_name():
        case "sqlite" if parsed.database and parsed.database != ":memory:":
            return parsed.set(drivername="sqlite+pysqlite")
        case "sqlite":
            raise Misconfigured("DATABASE_URL: names no file; write sqlite:///data/plaint.sqlite3")
        case "postgresql" | "postgres":
            return parsed.set(drivername="postgresql+psycopg")
        case other:
            raise Misconfigured(f"DATABASE_URL: {other} is not supported; use sqlite:/// or postgresql://")


def open_engines(url: str) -> tuple[Engine, Engine]:
    """Return the engine that writes and the one that reads a snapshot (on SQLite without waiting for the writer)."""
    parsed = database_url(url)
    if parsed.get_backend_name() == "sqlite":
        _create_privately(Path(parsed.database or ""))
        write = create_engine(parsed, hide_parameters=True, pool_size=1, max_overflow=0, pool_timeout=30)
        read = create_engine(parsed, hide_parameters=True, pool_size=_READERS, max_overflow=_READERS)
        _prepare_sqlite(write, "BEGIN IMMEDIATE")
        _prepare_sqlite(read, "BEGIN")
        return write, read
    write = create_engine(
        parsed,
        hide_parameters=True,
        connect_args=_POSTGRES_ARGUMENTS,
        pool_size=_POSTGRES_CONNECTIONS,
        max_overflow=_POSTGRES_CONNECTIONS,
        pool_timeout=30,
    )
    return write, write.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)


def _create_privately(path: Path) -> None:
    """Create the file so that nobody else may read it; SQLite gives its companions the same mode."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise Misconfigured(f"DATABASE_URL: {path} cannot be written: {error.strerror}") from None


def _prepare_sqlite(engine: Engine, begin: str) -> None:
    @event.listens_for(engine, "connect")
    def connected(connection: sqlite3.Connection, _: object) -> None:
        connection.isolation_level = None  # we begin transactions ourselves: the driver would begin too late
        for pragma in _SQLITE_PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")
        if begin == "BEGIN":
            connection.execute("PRAGMA query_only=ON")

    @event.listens_for(engine, "begin")
    def began(connection: Connection) -> None:
        # On the driver's own connection: half the cost of a statement that SQLAlchemy runs and wraps.
        driver: Any = connection.connection.driver_connection  # Any: the pool does not know its driver
        driver.execute(begin)


@contextmanager
def transaction(engine: Engine) -> Iterator[Connection]:
    """Run one transaction: committed at the end, rolled back on any exception. Raises `Unavailable` and `Again`."""
    with meaning(), engine.connect() as connection, connection.begin():
        yield connection


@contextmanager
def meaning() -> Iterator[None]:
    """Say what the database's errors mean for the caller."""
    try:
        yield
    except (exc.OperationalError, exc.InterfaceError, exc.TimeoutError, sqlite3.OperationalError) as error:
        if getattr(getattr(error, "orig", None), "sqlstate", "") in {"40P01", "40001"}:  # deadlock, serialisation
            raise Again from error
        raise Unavailable("the database cannot be used now") from error
    except exc.DBAPIError as error:
        if error.connection_invalidated:
            raise Unavailable("the connection to the database was lost") from error
        raise


class FileLock:
    """The right to be the one process that serves a SQLite file; the system takes it back when the process ends."""

    def __init__(self, url: str) -> None:
        path = f"{database_url(url).database}.lock"
        self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._file)
            raise Misconfigured(
                "DATABASE_URL: another process serves this SQLite file; stop it, or use PostgreSQL for several"
            ) from None

    def release(self) -> None:
        """Let another process serve the file."""
        os.close(self._file)
