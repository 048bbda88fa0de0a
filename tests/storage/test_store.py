"""Opening, numbering, and living through what databases do to those who use them."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import MetaData, create_engine, select
from sqlalchemy import text as sql_text

from complaints.errors import Misconfigured, Unavailable
from complaints.ports import Changes, Priority, Timer
from storage import Again, Store, Want, migrations
from storage.engines import open_engines, transaction
from storage.migrations import migrate
from storage.store import REVISION
from storage.tables import metadata
from tests.postgres import PostgresServer
from tests.storage.building import HOUR, NOW, SECOND, chat, complain, event, execute, letter, load, words_of
from tests.storage.conftest import RING

# --- the schema ---


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_the_migrations_make_what_the_tables_say(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    if kind == "sqlite":
        url = f"sqlite:///{tmp_path / 'folder' / 'new.sqlite3'}"
    else:
        url = request.getfixturevalue("server").fresh_database()
    migrate(url)
    migrate(url)

    engine = create_engine(url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, metadata) == []
        assert context.get_current_revision() == REVISION
    engine.dispose()


def test_partial_indexes_are_partial_on_both(url: str) -> None:
    kind = url.partition(":")[0].partition("+")[0]
    catalogue = {
        "sqlite": "SELECT name FROM sqlite_master WHERE type = 'index' AND sql LIKE '% WHERE %'",
        "postgresql": "SELECT indexname FROM pg_indexes WHERE schemaname = 'public' AND indexdef LIKE '% WHERE %'",
    }

    assert {name for (name,) in execute(url, catalogue[kind])} == {
        index.name
        for table in metadata.tables.values()
        for index in table.indexes
        if index.dialect_options[kind]["where"] is not None
    }


def migrate_to(url: str, revision: str) -> None:
    write, read = open_engines(url)
    with transaction(write) as connection:
        config = Config()
        config.set_main_option("script_location", str(Path(migrations.__file__).parent))
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
    write.dispose()
    read.dispose()


def copy_rows(source: str, target: str) -> None:
    """Copy what the target's older tables have columns for."""
    old = MetaData()
    there, here = create_engine(source), create_engine(target)
    with there.connect() as reading, here.begin() as writing:
        old.reflect(writing)
        for table in old.sorted_tables:
            if table.name != "alembic_version":
                found = [dict(row._mapping) for row in reading.execute(select(*table.columns))]
                writing.execute(table.delete())
                if found:
                    writing.execute(table.insert(), found)
    there.dispose()
    here.dispose()


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_filled_database_of_the_first_schema_is_upgraded_in_place(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path, open_store: Callable[..., Store]
) -> None:
    new = request.getfixturevalue("sqlite_url" if kind == "sqlite" else "postgres_url")
    store = open_store(new)
    case = complain(store, "1", owner_id=5)
    before = [
        letter(store, str(n), f"old {n}", priority=Priority.ANSWER, conversation_id=case.conversation_id, unasked=True)
        for n in range(6)
    ]
    with store.unit(NOW) as unit:
        unit.load([Want(case_id=case.id)])
        unit.flush(
            Changes(
                letters=before,
                timers=[Timer(subject="case:1", name="x", conversation_id=case.conversation_id, due_at=NOW)],
            )
        )
    store.close()
    url = (
        f"sqlite:///{tmp_path / 'old.sqlite3'}"
        if kind == "sqlite"
        else request.getfixturevalue("server").fresh_database()
    )
    migrate_to(url, "0001")
    with pytest.raises(Misconfigured, match="0001"):
        open_store(url)
    copy_rows(new, url)
    for n, old in enumerate((1, 1, 2, 3, 4, 5)):  # ANSWER twice, ALERT, PROGRESS, SURVEY, ERRAND
        execute(url, "UPDATE outbox SET priority = :old WHERE id = :id", old=old, id=before[n].id)

    migrate(url)

    engine = create_engine(url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, metadata) == []
    engine.dispose()
    upgraded = open_store(url)
    assert load(upgraded, Want(address=chat("1"))).cases == {case.id: case}
    taken = upgraded.claim("telegram", NOW + HOUR, 10)
    assert [(words_of(each), each.priority, each.card) for each in taken] == [
        ("old 0", Priority.ANSWER, False),
        ("old 1", Priority.ANSWER, False),
        ("old 2", Priority.ALERT, False),
        ("old 3", Priority.PROGRESS, False),
        ("old 4", Priority.SURVEY, False),
        ("old 5", Priority.ERRAND, False),
    ]
    assert [each.name for each in upgraded.due_timers(NOW, 5)] == ["x"]
    assert complain(upgraded, "1").conversation_id == case.conversation_id
    with upgraded.read() as ledger:
        assert [each.id for each in ledger.owned(5)] == [case.id]
    assert not upgraded.verify_journal().broken


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_database_without_our_schema_is_refused_with_the_cure(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path / 'x'}" if kind == "sqlite" else request.getfixturevalue("server").fresh_database()

    with pytest.raises(Misconfigured, match="plaint migrate"):
        Store.open(url, ring=RING, node="test")


@pytest.mark.parametrize("url", ["", "nonsense", "sqlite://", "sqlite:///:memory:", "mysql://me:hunter2@host/db"])
def test_a_url_that_cannot_work_is_refused_without_showing_its_password(url: str) -> None:
    with pytest.raises(Misconfigured, match="DATABASE_URL") as raised:
        Store.open(url, ring=RING, node="test")

    assert "hunter2" not in str(raised.value)


def test_a_second_process_that_serves_the_same_file_is_refused(
    sqlite_url: str, open_store: Callable[..., Store]
) -> None:
    first = open_store(sqlite_url, exclusive=True)

    with pytest.raises(Misconfigured, match="another process"):
        open_store(sqlite_url, exclusive=True)
    open_store(sqlite_url)  # a look, or one act from the command line, is welcome
    first.close()
    open_store(sqlite_url, exclusive=True)


def test_on_postgres_any_number_may_serve(postgres_url: str, open_store: Callable[..., Store]) -> None:
    open_store(postgres_url, exclusive=True)
    open_store(postgres_url, exclusive=True)


def test_the_file_is_for_its_owner_only(tmp_path: Path, open_store: Callable[..., Store]) -> None:
    url = f"sqlite:///{tmp_path / 'own.sqlite3'}"
    migrate(url)
    complain(open_store(url, exclusive=True), "1")

    assert {each.stat().st_mode & 0o077 for each in tmp_path.iterdir()} == {0}


def test_policy_texts_are_kept_for_good(store: Store) -> None:
    store.keep_policy("v1", "trade_003", "the text", NOW)
    store.keep_policy("v1", "trade_003", "another text", NOW)

    assert store.policy_text("v1") == "the text"
    assert store.policy_text("v2") is None
    assert store.policy_texts() == {"v1": "the text"}


# --- ids and numbers ---


def test_ids_rise_and_differ_between_stores_and_threads(url: str, open_store: Callable[..., Store]) -> None:
    stores = [open_store(url, node="same"), open_store(url, node="same")]

    def make(store: Store) -> list[int]:
        with store.unit(NOW):
            return [store.ids.next() for _ in range(500)]

    made = [make(store) for store in stores for _ in range(2)]

    assert all(ids == sorted(ids) for ids in made)
    assert len({each for ids in made for each in ids}) == 2_000
    assert max(max(ids) for ids in made) < 2**63


def test_ids_begin_anew_above_the_moment_of_the_unit(store: Store) -> None:
    with store.unit(NOW):
        first = store.ids.next()
    with store.unit(NOW - SECOND):
        second = store.ids.next()
    with store.unit(NOW + SECOND):
        third = store.ids.next()

    assert first < second < first + (1_000_000 << 12) <= third


def test_case_numbers_are_unique_over_two_stores_and_their_threads(url: str, open_store: Callable[..., Store]) -> None:
    stores = [open_store(url), open_store(url)]

    def take(n: int) -> list[int]:
        store, taken = stores[n % 2], []
        for _ in range(6):
            with store.unit(NOW):
                taken += [store.ids.number(2026) for _ in range(10)]
        return taken

    with ThreadPoolExecutor(4) as pool:
        numbers = [each for taken in pool.map(take, range(4)) for each in taken]

    assert len(numbers) == len(set(numbers)) == 240
    assert min(numbers) == 1
    assert max(numbers) <= 24 * 64, "a unit leaves at most one block half used"


def test_each_year_counts_for_itself(store: Store) -> None:
    new_year = datetime(2026, 12, 31, 17, tzinfo=UTC)  # it is the first of January in Shanghai
    with store.unit(new_year):
        assert (store.ids.number(2026), store.ids.number(2027), store.ids.number(2026)) == (1, 1, 2)
    assert store.ids.number(1999) == 1


def test_a_unit_that_needs_more_numbers_than_are_left_finds_them_when_run_again(store: Store) -> None:
    def unit_of_work() -> list[int]:
        with store.unit(NOW):
            return [store.ids.number(2026) for _ in range(170)] + [store.ids.number(2031)]

    for _ in range(3):
        with pytest.raises(Unavailable, match="numbers"):
            unit_of_work()

    assert len(set(unit_of_work())) >= 170


# --- when the database fails ---


def test_a_full_disk_is_unavailable_and_leaves_nothing_half_done(
    sqlite_url: str, open_store: Callable[..., Store]
) -> None:
    store = open_store(sqlite_url)
    case = complain(store, "1")
    with store._write.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages + 2}")

    def work(n: int) -> None:
        with store.unit(NOW) as unit:
            unit.record([f"key:{n}"])
            mine = unit.load([Want(case_id=case.id)]).cases[case.id]
            mine.words.question = f"{n}" * 2_000
            events = [event(mine, "asked", "x" * 1_000) for _ in range(5)]
            unit.flush(Changes(cases=[mine], events=events, letters=[letter(store, "1", str(n))]))

    done = 0
    with pytest.raises(Unavailable):  # noqa: PT012 # a unit is a block
        for n in range(100):
            work(n)
            done += 1

    with store.read() as ledger:
        assert len(ledger.journal(case.id)) == 2 + 5 * done
        assert ledger.trays().outbox_waiting == done
    assert execute(sqlite_url, "SELECT count(*) FROM inbox") == [(done,)]
    assert not store.verify_journal().broken
    with store._write.connect() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 1000000")
    work(999)
    assert not store.verify_journal().broken


def test_a_file_that_is_locked_for_long_is_unavailable(
    sqlite_url: str, open_store: Callable[..., Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.engines._SQLITE_PRAGMAS", ("journal_mode=WAL", "busy_timeout=50"))
    store, other = open_store(sqlite_url), open_store(sqlite_url)
    with other.unit(NOW) as unit:
        unit.record(["a"])
        with pytest.raises(Unavailable), store.unit(NOW):
            pass

    with store.unit(NOW) as unit:
        assert unit.record(["a"]) == set()


@pytest.fixture
def own_server() -> Iterator[PostgresServer]:
    server = PostgresServer()
    yield server
    server.remove()


def test_a_postgres_that_goes_away_is_unavailable_and_works_when_it_is_back(
    own_server: PostgresServer, open_store: Callable[..., Store]
) -> None:
    url = own_server.fresh_database()
    migrate(url)
    store = open_store(url)
    case = complain(store, "1")
    with store.read(), store.read(), ThreadPoolExecutor(3) as pool:  # several connections lie in the pool
        list(pool.map(lambda _: load(store, Want(address=chat("1"))), range(3)))

    with pytest.raises(Unavailable), store.unit(NOW) as unit:  # noqa: PT012 # a unit is a block
        mine = unit.load([Want(case_id=case.id)]).cases[case.id]
        own_server.stop()
        unit.flush(Changes(events=[event(mine)]))
    for call in (
        lambda: load(store, Want(address=chat("1"))),
        lambda: store.claim("telegram", NOW, 5),
        lambda: store.unserved(NOW, 5),
        store.next_timer_at,
        store.verify_journal,
    ):
        with pytest.raises(Unavailable):
            call()
    with pytest.raises(Unavailable):
        Store.open(url, ring=RING, node="test")
    own_server.start()

    for _ in range(2):  # a connection that died in the pool may cost one more try
        try:
            loaded = load(store, Want(case_id=case.id))
            break
        except Unavailable:
            continue
    assert loaded.cases[case.id] == case
    assert complain(store, "2").seq == 2
    assert not store.verify_journal().broken


def test_a_deadlock_is_told_as_again(postgres_url: str, open_store: Callable[..., Store]) -> None:
    store = open_store(postgres_url)
    complain(store, "1"), complain(store, "2")
    barrier, outcomes = threading.Barrier(2), []

    def work(names: list[str]) -> None:
        try:
            with store.unit(NOW) as unit:
                for name in names:
                    key = store._vault.fingerprint("telegram", name)
                    unit._connection.execute(
                        sql_text("UPDATE conversation SET turn = turn WHERE key = :key"), {"key": key}
                    )
                    if name == names[0]:
                        barrier.wait()
            outcomes.append("done")
        except Again:
            outcomes.append("again")

    threads = [threading.Thread(target=work, args=(names,)) for names in (["1", "2"], ["2", "1"])]
    for each in threads:
        each.start()
    for each in threads:
        each.join()

    assert sorted(outcomes) == ["again", "done"]


KILLED = """
import sys
from tests.storage.building import *
from storage import KeyRing, Settled, Store, Want
from complaints.ports import Changes
url, setting, ids = sys.argv[1], sys.argv[2], [int(each) for each in sys.argv[3].split(",")]
store = Store.open(url, ring=KeyRing.from_setting(setting), node="killed")
with store.unit(NOW) as unit:
    n = len(execute(url, "SELECT 1 FROM inbox"))
settled = []
print("ready", flush=True)
while True:
    with store.unit(NOW) as unit:
        unit.record([f"key:{n}"])
        loaded = unit.load([Want(case_id=each) for each in ids])
        for each in ids:
            loaded.cases[each].facts.chasers += 1
            loaded.cases[each].words.question = f"q{n}"
        events = [event(loaded.cases[each], "said", f"word {n}", n=n) for each in ids for _ in range(2)]
        letters = [letter(store, f"c{each}.{n}", str(n)) for each in ids]
        sent = unit.flush(Changes(cases=list(loaded.cases.values()), events=events, letters=letters))
        unit.settle(settled)
    settled = [Settled(letter=each, outcome="sent") for each in sent]
    n += 1
"""


def test_a_process_killed_while_writing_leaves_whole_commits_only(url: str, open_store: Callable[..., Store]) -> None:
    store = open_store(url)
    ids = [complain(store, f"c{n}").id for n in range(3)]
    arguments = [url, RING.to_setting(), ",".join(map(str, ids))]
    for round_ in range(2):
        with subprocess.Popen(
            [sys.executable, "-c", KILLED, *arguments], stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]
        ) as process:
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(0.2 + 0.1 * round_)
            os.kill(process.pid, signal.SIGKILL)

    report = store.verify_journal()
    (batches,) = execute(url, "SELECT count(*) FROM inbox")[0]
    with store.read() as ledger:
        for each in ids:
            case = ledger.case(each)
            assert case is not None
            journal = ledger.journal(each)
            said = Counter(it.facts["n"] for it in journal if "n" in it.facts)
            assert case.facts.chasers == batches == len(said)
            assert set(said.values()) == {2}
            assert case.words.question == f"q{max(said)}"
    assert batches > 3
    assert (report.events, report.broken) == (3 * 2 + 3 * 2 * batches, ())
    waiting = [(each.address.chat, words_of(each)) for each in store.claim("telegram", NOW + HOUR, 1_000)]
    assert 1 <= len(waiting) == len(set(waiting)) <= 2 * 3 * 2  # those of the last commit or two of each process
    with store.unit(NOW) as unit:
        assert unit.record([f"key:{n}" for n in range(batches)]) == set()


def test_errors_show_no_values(postgres_url: str, open_store: Callable[..., Store]) -> None:
    store = open_store(postgres_url)
    case = complain(store, "1")

    with pytest.raises(Exception) as raised, store.unit(NOW) as unit:  # noqa: PT012 # whatever it is
        loaded = unit.load([Want(case_id=case.id)])
        loaded.cases[case.id].state = "bad\0state with a secret"
        unit.flush(Changes(cases=[loaded.cases[case.id]]))

    assert "secret" not in str(raised.value)
