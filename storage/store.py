"""The store: one open database, its units of work, its trays and its ledger. Safe to use from several threads."""

import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from os import urandom
from pathlib import Path
from typing import Final, Self

from sqlalchemy import Connection, Engine, bindparam, exc, func, literal_column, select, text, update

from complaints.commands import Fire, Hear
from complaints.errors import Misconfigured
from complaints.messages import Address
from complaints.ports import Letter
from storage import cards, files, inbox, joining, journal, outbox, purse, rotation, shelf, tables
from storage.engines import FileLock, open_engines, transaction
from storage.files import SealedFile
from storage.ids import SqlIds
from storage.journal import Report
from storage.ledger import SqlLedger
from storage.moments import from_ms, from_ms_or_none, to_ms
from storage.outbox import InFlight, Pace
from storage.sealing import KeyRing, Unreadable, Vault
from storage.spool import Spool
from storage.staff import StaffRows
from storage.statements import Upsert
from storage.unit import Unit

#: The newest migration; a test compares it with the files.
REVISION: Final = "0004"

_T = tables.timer.c
_DUE: Final = (
    select(_T.subject, _T.name, _T.due_at, _T.conversation_id)
    .where(_T.due_at <= bindparam("now"))
    .order_by(_T.due_at)
    .limit(bindparam("limit"))
)
_NEXT: Final = select(func.min(_T.due_at))
_TAKE_LEASE: Final = Upsert(
    lambda insert: (
        (
            new := insert(tables.lease).values(
                name=bindparam("name"), holder=bindparam("holder"), until_at=bindparam("until_at")
            )
        )
        .on_conflict_do_update(
            index_elements=["name"],
            set_={"holder": new.excluded.holder, "until_at": new.excluded.until_at},
            where=(tables.lease.c.holder == new.excluded.holder) | (tables.lease.c.until_at <= bindparam("now")),
        )
        .returning(tables.lease.c.name)
    )
)
_KEEP_POLICY: Final = Upsert(
    lambda insert: insert(tables.policy_version).on_conflict_do_nothing(index_elements=["version"])
)
_KEEP_LEXICON: Final = Upsert(
    lambda insert: insert(tables.lexicon_version).on_conflict_do_nothing(index_elements=["version"])
)
_KEEP_SECRET: Final = Upsert(lambda insert: insert(tables.secret).on_conflict_do_nothing(index_elements=["name"]))
_FILE_KEY: Final = select(tables.customer.c.id, tables.customer.c.data_key).where(
    tables.evidence.c.id == bindparam("id"),
    tables.complaint_case.c.id == tables.evidence.c.case_id,
    tables.customer.c.id == tables.complaint_case.c.customer_id,
)
_PURGE_AT_ONCE: Final = 5_000


class Store:
    """One open database. Nothing here reads a clock: moments are arguments."""

    def __init__(self, write: Engine, read: Engine, *, vault: Vault, node: str, lock: FileLock | None) -> None:
        self.node = node
        self.ids = SqlIds(write, vault)
        self._write, self._read = write, read
        self._vault = vault
        self._lock = lock
        self._staff = StaffRows(vault)
        self._in_flight = InFlight()

    @classmethod
    def open(cls, url: str, *, ring: KeyRing, node: str, exclusive: bool = False) -> Self:
        """Open a migrated database. `node` names this process among those that share it.

        `exclusive` makes this the one process that serves a SQLite file (on PostgreSQL any number may). Raises
        `Misconfigured` where the file is served already, the schema is not ours, or no key of the ring opens it, and
        `Unavailable` where the database does not answer.
        """
        write, read = open_engines(url)
        lock = FileLock(url) if exclusive and write.dialect.name == "sqlite" else None
        try:
            with transaction(write) as connection:
                _require_schema(connection)
                vault = Vault(ring, _root(connection, ring))
                if lock is not None:
                    outbox.release(connection)  # nobody else can hold them
            return cls(write, read, vault=vault, node=node, lock=lock)
        except BaseException:
            write.dispose()
            read.dispose()
            if lock is not None:
                lock.release()
            raise

    def close(self) -> None:
        """Close all connections and let another process have the file."""
        self._write.dispose()
        self._read.dispose()
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    @property
    def single_writer(self) -> bool:
        """Tell whether one thread writes at a time, as on SQLite."""
        return self._write.dialect.name == "sqlite"

    # --- units and questions ---

    @contextmanager
    def unit(self, now: datetime) -> Iterator[Unit]:
        """Run one write transaction: committed at the end of the block, rolled back on any exception.

        Raises `Unavailable` where nothing can be written now, and `Again` where the whole block is to be run again.
        """
        with self.ids.unit(now):
            with transaction(self._write) as connection:
                unit = Unit(
                    connection, now, vault=self._vault, ids=self.ids, staff=self._staff, in_flight=self._in_flight
                )
                yield unit
            for remember in unit.after_commit:
                remember()

    @contextmanager
    def read(self) -> Iterator[SqlLedger]:
        """Ask questions of one snapshot, without holding up those who write. Raises `Unavailable`."""
        with transaction(self._read) as connection:
            yield SqlLedger(connection, self._vault)

    # --- timers ---

    def due_timers(self, now: datetime, limit: int) -> list[Fire]:
        """Return timers that fell due, the longest due first. A unit looks again under its lock."""
        with transaction(self._read) as connection:
            found = connection.execute(_DUE, {"now": to_ms(now), "limit": limit}).fetchall()
        return [
            Fire(subject=subject, name=name, due_at=from_ms(due_at), conversation_id=conversation_id)
            for subject, name, due_at, conversation_id in found
        ]

    def next_timer_at(self) -> datetime | None:
        """Return when the next timer falls due."""
        with transaction(self._read) as connection:
            return from_ms_or_none(connection.execute(_NEXT).scalar())

    # --- the inbox ---

    def unserved(self, now: datetime, limit: int) -> list[Hear]:
        """Take messages that wait for another try, in the order they came. Each is this caller's for 60 s."""
        at = to_ms(now)
        with transaction(self._read) as connection:
            if not inbox.any_due(connection, at):
                return []
        with transaction(self._write) as connection:
            return inbox.claim(connection, at, limit, self._vault)

    def revive_hear(self, key: str, now: datetime) -> bool:
        """Let a dead message be tried again; return whether there was one."""
        with transaction(self._write) as connection:
            return inbox.revive(connection, key, to_ms(now))

    # --- the outbox ---

    def claim(
        self,
        channel: str,
        now: datetime,
        limit: int,
        *,
        lease: timedelta = timedelta(seconds=60),
        pace: Pace | None = None,
        gap: timedelta = timedelta(0),
        fold: bool = False,
    ) -> list[Letter]:
        """Lease letters of a channel that are due, `limit` at most, in the order to be sent.

        A letter waits while an earlier one to the same recipient with the same priority waits, and while its channel or
        chat is paused. Those nobody asked for also keep the channel's `pace`, and `gap` between two to one recipient;
        both count over all nodes. With `fold`, for a channel that makes one message of several letters, a letter brings
        all that are due and wait behind it alone.
        """
        at, lease_ms = to_ms(now), lease // timedelta(milliseconds=1)
        with transaction(self._read) as connection:
            lanes = outbox.due_lanes(connection, channel, at, self._in_flight)
        if not lanes:
            return []
        with transaction(self._write) as connection:
            letters, leased = outbox.claim(
                connection,
                channel,
                at,
                limit,
                self._vault,
                lanes=lanes,
                lease=lease_ms,
                pace=pace,
                gap=gap // timedelta(milliseconds=1),
                fold=fold,
            )
        self._in_flight.add(leased, at + lease_ms)
        return letters

    def free_news(self, now: datetime) -> None:
        """Let late news go: nothing is late any more."""
        with transaction(self._write) as connection:
            outbox.free_news(connection, to_ms(now))

    def holds(self, letter: Letter, now: datetime) -> bool:
        """Tell whether this process still holds the lease of a letter: to be asked just before it is sent."""
        return self._in_flight.holds(letter, to_ms(now))

    def revive_letter(self, letter_id: int, now: datetime) -> bool:
        """Let a dead letter be tried again; return whether there was one."""
        with transaction(self._write) as connection:
            return outbox.revive(connection, letter_id, to_ms(now))

    # --- what processes share ---

    def take_lease(self, name: str, holder: str, now: datetime, seconds: float) -> bool:
        """Take or renew the right to do something alone, e.g. polling; return whether `holder` has it now."""
        at = to_ms(now)
        values = {"name": name, "holder": holder, "until_at": at + round(seconds * 1000), "now": at}
        with transaction(self._write) as connection:
            return connection.execute(_TAKE_LEASE.on(connection), values).first() is not None

    def release_lease(self, name: str, holder: str) -> None:
        """Give a lease back early, so that another process need not wait."""
        lease = tables.lease.c
        with transaction(self._write) as connection:
            connection.execute(
                update(tables.lease).where(lease.name == name, lease.holder == holder).values(until_at=0)
            )

    def spend(self, address: Address, names: Sequence[str], now: datetime, keep: int = 0) -> bool:
        """Take one from each of these counters that still holds; False if none has more than `keep` left."""
        recipient = self._vault.fingerprint(address.channel, address.chat)
        with transaction(self._write) as connection:
            return purse.spend(connection, recipient, names, to_ms(now), keep)

    def close_credits(self, address: Address, names: Sequence[str]) -> None:
        """Set these counters to nothing: the platform knows better than we do."""
        recipient = self._vault.fingerprint(address.channel, address.chat)
        with transaction(self._write) as connection:
            purse.close(connection, recipient, names)

    def shared(self, name: str, now: datetime) -> str | None:
        """Return what processes share under this name, unless it ran out."""
        with transaction(self._read) as connection:
            return shelf.take(connection, name, to_ms(now), self._vault)

    def share(self, name: str, value: str, now: datetime, seconds: float) -> None:
        """Let all processes have this for so many seconds, in the place of what they shared under the name before."""
        with transaction(self._write) as connection:
            shelf.put(connection, name, value, to_ms(now) + round(seconds * 1000), self._vault)

    def sign(self, place: str, content: bytes) -> bytes:
        """Return the HMAC-SHA256 of the content with this database's key for that place, the same in all processes."""
        return self._vault.sign(place, content)

    def keep_policy(self, version: str, company: str, policy_text: str, now: datetime) -> None:
        """Keep the text of a policy version for good: cases are pinned to it."""
        values = {"version": version, "company": company, "text": policy_text, "at": to_ms(now)}
        with transaction(self._write) as connection:
            connection.execute(_KEEP_POLICY.on(connection), values)

    def policy_texts(self) -> dict[str, str]:
        """Return the texts of all policy versions that were ever kept, by version."""
        table = tables.policy_version
        with transaction(self._read) as connection:
            return {row.version: row.text for row in connection.execute(select(table.c.version, table.c.text))}

    def policy_text(self, version: str) -> str | None:
        """Return the text of a policy version."""
        table = tables.policy_version
        with transaction(self._read) as connection:
            return connection.execute(select(table.c.text).where(table.c.version == version)).scalar()

    def keep_lexicon(self, version: str, company: str, content: str, now: datetime) -> None:
        """Keep the words that a reader reads with for good: readings are pinned to them."""
        packed = zlib.compress(content.encode(), level=1)
        values = {"version": version, "company": company, "content": packed, "at": to_ms(now)}
        with transaction(self._write) as connection:
            connection.execute(_KEEP_LEXICON.on(connection), values)

    def lexicons(self, company: str) -> list[tuple[str, datetime]]:
        """Return the versions of a company's lexicon that were ever read with, the newest first, and since when."""
        table = tables.lexicon_version
        query = select(table.c.version, table.c.at).where(table.c.company == company).order_by(table.c.at.desc())
        with transaction(self._read) as connection:
            return [(row.version, from_ms(row.at)) for row in connection.execute(query)]

    def lexicon(self, version: str) -> str | None:
        """Return the content of a version of a lexicon."""
        table = tables.lexicon_version
        with transaction(self._read) as connection:
            packed = connection.execute(select(table.c.content).where(table.c.version == version)).scalar()
        return None if packed is None else zlib.decompress(packed).decode()

    # --- proof and care ---

    def verify_journal(self, progress: Callable[[int, int], None] | None = None) -> Report:
        """Check every chain of the journal. `progress` hears (events so far, breaks so far) from time to time."""
        with transaction(self._read) as connection:
            return journal.verify(connection, self._vault.journal_secret, progress)

    def purge(self, now: datetime, inbox_days: int = 7) -> int:
        """Forget deliveries served longer ago than a platform would repeat them; return how many.

        Whatever has run out goes with them: gates, credits, codes, what is shared, and cards after 72 hours.
        """
        at, before, purged = to_ms(now), to_ms(now - timedelta(days=inbox_days)), 0
        with transaction(self._write) as connection:
            outbox.purge_gates(connection, at)
            purse.purge(connection, at)
            joining.purge(connection, at)
            shelf.purge(connection, at)
            cards.purge(connection, to_ms(now - cards.KEPT_FOR))
        while True:  # in portions, between which others may write
            with transaction(self._write) as connection:
                portion = inbox.purge(connection, before, _PURGE_AT_ONCE)
            purged += portion
            if portion < _PURGE_AT_ONCE:
                return purged

    def rewrap(self, progress: Callable[[int], None] | None = None) -> int:
        """Wrap all keys with the ring's current key, so that an older one can leave the ring; return how many."""
        return rotation.rewrap(self._write, self._vault, progress)

    # --- files ---

    def seal_file(self, evidence_id: int, path: Path, chunks: Iterable[bytes]) -> SealedFile:
        """Seal a customer's file under `path` as it comes in, and return its hash and size.

        The file is there whole or not at all. Raises `Unreadable` where the customer was erased meanwhile, OSError
        where the disk refuses; an exception of `chunks` passes through.
        """
        return files.seal(path, chunks, key=self._file_key(evidence_id), name=evidence_id)

    def sealed_paper(self, number: int, content: bytes) -> bytes:
        """Return a paper of the company's own (a proof, a signed letter) sealed, and bound to its number."""
        return self._vault.desk.seal(content, b"paper:%d" % number)

    def open_file(self, evidence_id: int, path: Path) -> Iterator[bytes]:
        """Yield the content of a sealed file. Raises `Unreadable` where it was changed, cut short or erased."""
        return files.opened(path, key=self._file_key(evidence_id), name=evidence_id)

    def spool(self, folder: Path) -> Spool:
        """Return the spool in that folder: what was acknowledged before it was served, sealed with this desk's key."""
        return Spool(folder, self._vault)

    def _file_key(self, evidence_id: int) -> bytes:
        with transaction(self._read) as connection:
            found = connection.execute(_FILE_KEY, {"id": evidence_id}).first()
        key = self._vault.file_key(*found) if found is not None else None
        if key is None:
            raise Unreadable
        return key


def _require_schema(connection: Connection) -> None:
    try:
        revision = connection.execute(
            select(literal_column("version_num")).select_from(text("alembic_version"))
        ).scalar()
    except exc.DBAPIError as error:
        if isinstance(error, exc.OperationalError) and connection.dialect.name != "sqlite":
            raise
        revision = None
    if revision != REVISION:
        raise Misconfigured(f"DATABASE_URL: the schema is {revision or 'missing'}, not {REVISION}; run: plaint migrate")


def _root(connection: Connection, ring: KeyRing) -> bytes:
    """Return the database's root secret, made at the first opening."""
    wrapped = ring.wrap(urandom(32), Vault.ROOT_PLACE)
    connection.execute(_KEEP_SECRET.on(connection), {"name": "root", "wrapped": wrapped})
    table = tables.secret
    kept: bytes = connection.execute(select(table.c.wrapped).where(table.c.name == "root")).scalar_one()
    try:
        return ring.unwrap(kept, Vault.ROOT_PLACE)
    except Unreadable:
        raise Misconfigured(
            f"KEYS: no key here opens this database; it needs the one with the id {ring.key_id(kept)!r}"
        ) from None
