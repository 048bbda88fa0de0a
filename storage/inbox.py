"""The inbox: which deliveries were served, and those that failed and wait for another try."""

from collections.abc import Collection, Sequence
from typing import Any, Final

from sqlalchemy import Connection, bindparam, delete, literal_column, null, select, update

from complaints.commands import Hear
from complaints.messages import IncomingMessage
from storage import tables
from storage.rows import message_from, sealed_message
from storage.sealing import Unreadable, Vault
from storage.statements import Returning, Upsert

TRIES: Final = 8
_LEASE_MS: Final = 60_000
_FIRST_PAUSE_MS: Final = 5_000
_LONGEST_PAUSE_MS: Final = 3_600_000
_ERROR_LENGTH: Final = 500
_I = tables.inbox.c

_RECORD: Final = Returning(
    ("key", "received_at", "due_at"),
    lambda insert, values: (
        (
            new := insert(tables.inbox).values(
                [
                    each | {"state": tables.SERVED, "attempts": tables.ZERO, "error": literal_column("''")}
                    for each in values
                ]
            )
        )
        .on_conflict_do_update(
            index_elements=["key"],
            set_={"state": new.excluded.state, "chat": null(), "sealed": null()},
            where=_I.state == tables.WAITING,
        )
        .returning(_I.key)
    ),
)
_ATTEMPTS: Final = select(_I.attempts).where(_I.key == bindparam("key"))
_FAIL: Final = Upsert(
    lambda insert: (
        new := insert(tables.inbox).values(
            key=bindparam("key"),
            state=bindparam("state"),
            received_at=bindparam("at"),
            due_at=bindparam("due_at"),
            attempts=bindparam("attempts"),
            chat=bindparam("chat"),
            sealed=bindparam("sealed"),
            error=bindparam("error"),
        )
    ).on_conflict_do_update(
        index_elements=["key"],
        set_={name: new.excluded[name] for name in ("state", "due_at", "attempts", "chat", "sealed", "error")},
    )
)
_DUE = (_I.state == tables.WAITING, _I.due_at <= bindparam("now"))
_ANY_DUE: Final = select(_I.key).where(*_DUE).limit(1)
# MATERIALIZED: where PostgreSQL may run the sub-select again, it takes more rows than the limit.
_CLAIM: Final = (
    update(tables.inbox)
    .where(
        _I.key.in_(
            select(
                select(_I.key)
                .where(*_DUE)
                .order_by(_I.due_at)
                .limit(bindparam("limit"))
                .with_for_update(skip_locked=True)
                .cte("due")
                .prefix_with("MATERIALIZED")
                .c.key
            )
        )
    )
    .values(due_at=bindparam("until"), attempts=_I.attempts + 1)
    .returning(_I.key, _I.sealed, _I.attempts, _I.received_at)
)
_BURY: Final = (
    update(tables.inbox)
    .where(_I.key == bindparam("the_key"), _I.state == tables.WAITING)
    .values(state="dead", error=bindparam("why"))
)
_REVIVE: Final = (
    update(tables.inbox)
    .where(_I.key == bindparam("the_key"), _I.state == tables.DEAD, _I.sealed.is_not(None))
    .values(state="waiting", due_at=bindparam("now"), attempts=0)
)
_PURGE: Final = delete(tables.inbox).where(
    _I.key.in_(
        select(_I.key).where(_I.state == tables.SERVED, _I.received_at < bindparam("before")).limit(bindparam("limit"))
    )
)


def record(connection: Connection, keys: Collection[str], now: int) -> set[str]:
    """Record keys as served; return those that were not."""
    if not keys:
        return set()
    return {key for (key,) in _RECORD.run(connection, [(key, now, now) for key in sorted(keys)])}


def fail(connection: Connection, message: IncomingMessage, error: str, now: int, vault: Vault) -> bool:
    """Let a message wait for another try; return False if it is dead instead."""
    attempts = max(1, connection.execute(_ATTEMPTS, {"key": message.key}).scalar() or 0)
    pause = min(_FIRST_PAUSE_MS << (attempts - 1), _LONGEST_PAUSE_MS)
    values = {
        "key": message.key,
        "state": "waiting" if attempts < TRIES else "dead",
        "at": now,
        "due_at": now + pause,
        "attempts": attempts,
        "chat": vault.fingerprint(message.address.channel, message.address.chat),
        "sealed": sealed_message(message, vault),
        "error": error[:_ERROR_LENGTH],
    }
    connection.execute(_FAIL.on(connection), values)
    return attempts < TRIES


def any_due(connection: Connection, now: int) -> bool:
    """Tell whether a message waits for another try now, without writing."""
    return connection.execute(_ANY_DUE, {"now": now}).first() is not None


def claim(connection: Connection, now: int, limit: int, vault: Vault) -> list[Hear]:
    """Take messages that wait for another try, in the order they came, for 60 s."""
    taken = connection.execute(_CLAIM, {"now": now, "limit": limit, "until": now + _LEASE_MS}).fetchall()
    hears = []
    for key, sealed, attempts, _ in sorted(taken, key=lambda row: (row[3], row[0])):
        if attempts > TRIES:  # it never came to `fail`: it takes the whole process with it
            connection.execute(_BURY, {"the_key": key, "why": "every try ended without a result"})
            continue
        try:
            hears.append(Hear(message=message_from(key, sealed, vault)))
        except Unreadable:
            connection.execute(_BURY, {"the_key": key, "why": "the sealed message cannot be opened"})
    return hears


def revive(connection: Connection, key: str, now: int) -> bool:
    """Let a dead message be tried again."""
    return bool(connection.execute(_REVIVE, {"the_key": key, "now": now}).rowcount)


def erase(connection: Connection, chats: Sequence[str]) -> None:
    """Drop the words of a customer's messages that still wait or are dead."""
    statement: Any = update(tables.inbox).where(_I.chat.in_(chats)).values(chat=None, sealed=None, state="served")
    connection.execute(statement)


def purge(connection: Connection, before: int, limit: int) -> int:
    """Forget that messages were served before this moment; return how many, `limit` at most."""
    return connection.execute(_PURGE, {"before": before, "limit": limit}).rowcount
