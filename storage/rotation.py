"""Rotating the key ring: what an older key wrapped is wrapped again by the current one. No sealed column changes.

Put the new key first in `KEYS` on every node, restart, run this, then take the old key out. Whoever copied the old key
*and* the database before that can still read what was sealed until then; no rotation takes that back.
"""

from collections.abc import Callable
from typing import Final

from sqlalchemy import Engine, bindparam, select, update

from storage import tables
from storage.engines import transaction
from storage.sealing import Vault

_CHUNK: Final = 500
_C = tables.customer.c
_S = tables.secret.c
_NEXT: Final = (
    select(_C.id, _C.data_key)
    .where(_C.id > bindparam("after"), _C.data_key.is_not(None))
    .order_by(_C.id)
    .limit(_CHUNK)
    .with_for_update()
)
_REWRAP: Final = update(tables.customer).where(_C.id == bindparam("row_id")).values(data_key=bindparam("wrapped"))


def rewrap(engine: Engine, vault: Vault, progress: Callable[[int], None] | None = None) -> int:
    """Wrap every key with the current key of the ring; return how many. Raises `Unreadable` if one does not open."""
    done, after = 0, -(2**62)
    with transaction(engine) as connection:
        for name, wrapped in connection.execute(select(_S.name, _S.wrapped)).fetchall():
            fresh = vault.rewrapped(wrapped, f"secret:{name}".encode())
            connection.execute(update(tables.secret).where(_S.name == name).values(wrapped=fresh))
            done += 1
    while True:
        with transaction(engine) as connection:
            chunk = connection.execute(_NEXT, {"after": after}).fetchall()
            if not chunk:
                return done
            fresh_keys = [
                {"row_id": id_, "wrapped": vault.rewrapped(wrapped, b"customer:%d" % id_)} for id_, wrapped in chunk
            ]
            connection.execute(_REWRAP, fresh_keys)
        done, after = done + len(chunk), chunk[-1][0]
        if progress is not None:
            progress(done)
