"""Both databases, empty for each test: SQLite a copy of a migrated file, PostgreSQL one database that is emptied."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from storage import KeyRing, Store
from storage.migrations import migrate
from storage.tables import metadata
from tests.postgres import PostgresServer
from tests.storage.building import execute

BOTH = ("sqlite", "postgresql")
RING = KeyRing.generate()


@pytest.fixture(scope="session")
def server() -> Iterator[PostgresServer]:
    server = PostgresServer()
    yield server
    server.remove()


@pytest.fixture(scope="session")
def postgres_database(server: PostgresServer) -> str:
    url = server.fresh_database()
    migrate(url)
    return url


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "plaint.sqlite3"
    migrate(f"sqlite:///{path}")
    return path


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    path = tmp_path / "plaint.sqlite3"
    shutil.copy(sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture
def postgres_url(postgres_database: str) -> str:
    execute(postgres_database, ";".join(f"DELETE FROM {table}" for table in metadata.tables))
    return postgres_database


@pytest.fixture(params=BOTH)
def url(request: pytest.FixtureRequest) -> str:
    found: str = request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url")
    return found


@pytest.fixture
def open_store() -> Iterator[Callable[..., Store]]:
    opened: list[Store] = []

    def open_one(url: str, *, ring: KeyRing = RING, node: str = "test", exclusive: bool = False) -> Store:
        opened.append(Store.open(url, ring=ring, node=node, exclusive=exclusive))
        return opened[-1]

    yield open_one
    for store in opened:
        store.close()


@pytest.fixture
def store(url: str, open_store: Callable[..., Store]) -> Store:
    return open_store(url)
