"""Ids: 63 bits, rising with time, unique over all nodes; and the running numbers of cases."""

import secrets
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import Connection, Engine, bindparam

from storage import tables
from storage.engines import Again, transaction
from storage.sealing import Vault
from storage.statements import Upsert

_EPOCH: Final = datetime(2025, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_NODE_BITS: Final = 12
_BLOCK: Final = 64
#: A message counts from when it was sent, up to 72 hours ago, in the company's zone, which may be ahead of UTC.
_EARLIEST: Final = timedelta(hours=73 + 12)
_LATEST: Final = timedelta(hours=15)

_ADD: Final = Upsert(
    lambda insert: (
        (new := insert(tables.counter).values(name=bindparam("name"), value=bindparam("add")))
        .on_conflict_do_update(index_elements=["name"], set_={"value": tables.counter.c.value + new.excluded.value})
        .returning(tables.counter.c.value)
    )
)


def add_to_counter(connection: Connection, name: str, add: int) -> int:
    """Add to a counter and return its new value."""
    value: int = connection.execute(_ADD.on(connection), {"name": name, "add": add}).scalar_one()
    return value


class SqlIds:
    """The ids of one open store. An id is (microseconds since 2025 << 12) | node, one more than the last at least.

    The node's 12 bits are counted in the database, one more at every opening, not hashed from a name: two nodes share
    them only when 4,096 openings lie between the two.
    """

    def __init__(self, engine: Engine, vault: Vault) -> None:
        self._engine = engine
        self._vault = vault
        with transaction(engine) as connection:
            openings = add_to_counter(connection, "node", 1)
        self._lock = threading.Lock()
        self._node = openings % (1 << _NODE_BITS)
        self._last = openings >> _NODE_BITS << 20  # for ids before the first unit, when no time is known
        self._numbers: dict[int, tuple[int, int]] = {}  # year: next, end
        self._wanted: set[int] = set()
        self._stock = _BLOCK
        self._here = threading.local()

    def next(self) -> int:
        """Return a fresh id."""
        with self._lock:
            self._last += 1
            return self._last << _NODE_BITS | self._node

    def number(self, year: int) -> int:
        """Return the next running number of a case in that year.

        Numbers are reserved in blocks between units. Raises `Again` inside a unit that needs more than are left: run
        again, it finds more.
        """
        if number := self._take(year):
            return number
        if getattr(self._here, "in_unit", False):
            self._wanted.add(year)
            self._stock *= 2  # such units come again
            raise Again("no case numbers are left; more are reserved before the next unit")
        self._reserve(year)
        return self._take(year) or self.number(year)

    def data_key(self, customer_id: int) -> bytes:
        """Return a fresh data key for a customer, wrapped by the key ring."""
        return self._vault.new_data_key(customer_id)

    def code(self) -> str:
        """Return a fresh one-time code of eight digits that nobody can guess."""
        return f"{secrets.randbelow(10**8):08}"

    @contextmanager
    def unit(self, now: datetime) -> Iterator[None]:
        """Make ready for a unit at this moment: ids rise from it, and numbers are in stock."""
        for year in {*self._wanted, (now - _EARLIEST).year, (now + _LATEST).year}:
            at, end = self._numbers.get(year, (0, 0))
            if end - at < self._stock:
                self._reserve(year)
        self._wanted.clear()
        self._rise((now - _EPOCH) // _MICROSECOND)
        self._here.in_unit = True
        try:
            yield
        finally:
            self._here.in_unit = False

    def pass_over(self, ids: Iterable[int]) -> None:
        """Let all further ids be above these, which a node with another clock made."""
        self._rise(max(ids) >> _NODE_BITS)

    def _rise(self, microseconds: int) -> None:
        with self._lock:
            self._last = max(self._last, microseconds)

    def _take(self, year: int) -> int:
        with self._lock:
            at, end = self._numbers.get(year, (0, 0))
            if at == end:
                return 0
            self._numbers[year] = at + 1, end
            return at

    def _reserve(self, year: int) -> None:
        with transaction(self._engine) as connection:
            add = self._stock
            end = add_to_counter(connection, f"case:{year}", add) + 1
        with self._lock:
            at, old_end = self._numbers.get(year, (0, 0))
            # Reserved by two threads at once, or between two nodes: what is left of the old block is a gap.
            self._numbers[year] = (at, end) if old_end == end - add and at != old_end else (end - add, end)
