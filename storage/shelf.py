"""The shelf: small secrets that all processes share for a while, such as a platform's access token. They lie sealed."""

from typing import Final

from sqlalchemy import Connection, bindparam, delete, select

from storage import tables
from storage.rows import place
from storage.sealing import Vault
from storage.statements import Upsert

_S = tables.shared.c
_TAKE: Final = select(_S.sealed).where(_S.name == bindparam("name"), _S.until_at > bindparam("now"))
_PUT: Final = Upsert(
    lambda insert: (new := insert(tables.shared)).on_conflict_do_update(
        index_elements=["name"], set_={"sealed": new.excluded.sealed, "until_at": new.excluded.until_at}
    )
)
_PURGE: Final = delete(tables.shared).where(_S.until_at <= bindparam("now"))


def take(connection: Connection, name: str, now: int, vault: Vault) -> str | None:
    """Return what lies under this name, unless it ran out. Raises `Unreadable`."""
    sealed = connection.execute(_TAKE, {"name": name, "now": now}).scalar()
    return None if sealed is None else vault.desk.open(sealed, place("shared", name)).decode()


def put(connection: Connection, name: str, value: str, until: int, vault: Vault) -> None:
    """Put a value in the place of what lay under this name."""
    sealed = vault.desk.seal(value.encode(), place("shared", name))
    connection.execute(_PUT.on(connection), {"name": name, "sealed": sealed, "until_at": until})


def purge(connection: Connection, now: int) -> None:
    """Forget what ran out."""
    connection.execute(_PURGE, {"now": now})
