"""The rows of the staff, kept for two seconds: nearly every command looks at them, hardly any changes them."""

import threading
from collections.abc import Mapping, Sequence
from typing import Final

from sqlalchemy import Connection, insert, update

from complaints.conversation import Staff
from storage import rows, tables
from storage.engines import Again
from storage.ledger import STAFF, Chats
from storage.sealing import Vault
from storage.statements import AnyRow, Values

_KEEP_MS: Final = 2_000
_S = tables.staff.c


class StaffRows:
    """Reads and writes the staff for all units of a store."""

    def __init__(self, vault: Vault) -> None:
        self._chats = Chats(vault)
        self._lock = threading.Lock()
        self._rows: Sequence[AnyRow] = ()
        self._read_at: int | None = None

    def load(self, connection: Connection, now: int, *, fresh: bool) -> list[Staff]:
        """Return the staff as new objects, read at this moment (ms) or up to two seconds before it unless `fresh`."""
        with self._lock:
            if fresh or self._read_at is None or not self._read_at <= now < self._read_at + _KEEP_MS:
                self._rows = connection.execute(STAFF).fetchall()
                self._read_at = now
            return self._chats.staff(self._rows)

    def forget(self) -> None:
        """Read anew next time."""
        self._read_at = None

    def write(self, connection: Connection, changed: Mapping[int, tuple[Values, Values | None]]) -> None:
        """Write rows, each with what it was when it was loaded (None: it is new).

        Raises `Again` if a row is no longer what it was: no lock protects the staff, and a code binds one chat only.
        """
        for id_, (columns, was) in sorted(changed.items()):
            values = dict(zip(rows.STAFF_CHANGING, columns, strict=True))
            if was is None:
                connection.execute(insert(tables.staff).values(id=id_, **values))
                continue
            unchanged = [_S[name].is_not_distinct_from(old) for name, old in zip(rows.STAFF_CHANGING, was, strict=True)]
            if not connection.execute(update(tables.staff).where(_S.id == id_, *unchanged).values(values)).rowcount:
                self.forget()
                raise Again("a member of the staff was changed meanwhile")
