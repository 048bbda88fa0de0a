"""Joining: one person's chats become one conversation, by a one-time code of which only a keyed hash is kept."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

from sqlalchemy import Connection, bindparam, delete, func, or_, select, update

from complaints.ports import Code, Join
from storage import tables
from storage.moments import to_ms
from storage.sealing import Vault
from storage.statements import Many, Write

_A = tables.conversation.c
_C = tables.code.c
_K = tables.complaint_case.c
_E = tables.evidence.c
_O = tables.outbox.c
_T = tables.timer.c

_FIND: Final = Many(
    lambda digests: select(_C.digest, func.coalesce(_A.alias_of, _A.id)).where(
        _C.digest.in_(digests), _C.until_at > bindparam("now"), _A.id == _C.conversation_id
    ),
    "now",
)
_KEEP: Final = Write(
    tables.code.c.keys(),
    lambda insert: (new := insert(tables.code)).on_conflict_do_update(
        index_elements=["digest"],
        set_={"conversation_id": new.excluded.conversation_id, "until_at": new.excluded.until_at},
    ),
)
_FORGET: Final = Write(
    ("digest", "issuer"),
    lambda _: delete(tables.code).where(
        or_(_C.digest == bindparam("digest"), _C.conversation_id == bindparam("issuer"))
    ),
)
_PURGE: Final = delete(tables.code).where(_C.until_at <= bindparam("now"))
_ALIASES_OF: Final = Many(lambda ids: select(_A.key).where(_A.alias_of.in_(ids)))
_OWNER: Final = select(func.coalesce(_A.alias_of, _A.id)).where(_A.key == bindparam("key"))
#: Files before cases, by which they are found. Letters are locked in the order of ids, as those who settle them do.
_MOVES: Final = (
    update(tables.conversation)
    .where(or_(_A.id == bindparam("source"), _A.alias_of == bindparam("source")))
    .values(alias_of=bindparam("target")),
    update(tables.evidence)
    .where(_E.case_id.in_(select(_K.id).where(_K.conversation_id == bindparam("source"))))
    .values(conversation_id=bindparam("target")),
    update(tables.complaint_case)
    .where(_K.conversation_id == bindparam("source"))
    .values(conversation_id=bindparam("target")),
    update(tables.timer).where(_T.conversation_id == bindparam("source")).values(conversation_id=bindparam("target")),
    update(tables.outbox)
    .where(
        _O.id.in_(
            select(
                select(_O.id)
                .where(_O.conversation_id == bindparam("source"))
                .order_by(_O.id)
                .with_for_update()
                .cte("letters")
                .prefix_with("MATERIALIZED")
                .c.id
            )
        )
    )
    .values(conversation_id=bindparam("target")),
)


def keep(connection: Connection, codes: Sequence[Code], vault: Vault) -> None:
    """Keep codes by their digests; each conversation has one at a time."""
    last = {it.conversation_id: (vault.digest(it.code), it.conversation_id, to_ms(it.until)) for it in codes}
    rows = sorted(last.values())
    _FORGET.run(connection, [row[:2] for row in rows])
    _KEEP.run(connection, rows)


def issuers(connection: Connection, digests: Collection[str], now: int) -> dict[str, int]:
    """Return by digest the conversations that issued these codes, those that still hold."""
    return {row[0]: row[1] for row in _FIND.rows(connection, sorted(digests), now=now)}


def moves(joins: Iterable[Join], before: Mapping[int, int]) -> dict[int, int]:
    """Return what is to be moved after what was moved before, source and target: each join finds what others left."""
    done, found = dict(before), {}
    for it in joins:
        source, target = followed(it.source, done), followed(it.target, done)
        if source != target:
            done[source] = found[source] = target
    return found


def followed(conversation_id: int, moved: Mapping[int, int]) -> int:
    """Return the conversation in which this one ends after these moves."""
    while conversation_id in moved:
        conversation_id = moved[conversation_id]
    return conversation_id


def join(connection: Connection, joins: Sequence[Join], moved: Mapping[int, int], vault: Vault) -> None:
    """Give what the sources have, and their addresses, to the targets, in this order; the codes are spent.

    All of them must be locked.
    """
    for source, target in moved.items():
        for statement in _MOVES:
            connection.execute(statement, {"source": source, "target": target})
    _FORGET.run(connection, sorted((vault.digest(it.code), it.source) for it in joins))


def owner(connection: Connection, fingerprint: str) -> int | None:
    """Return the conversation to which this address belongs."""
    return connection.execute(_OWNER, {"key": fingerprint}).scalar()


def aliases_of(connection: Connection, conversation_ids: Collection[int]) -> list[str]:
    """Return the fingerprints of the addresses that were joined to these conversations."""
    return [key for (key,) in _ALIASES_OF.rows(connection, sorted(conversation_ids))] if conversation_ids else []


def purge(connection: Connection, now: int) -> None:
    """Forget codes that ran out."""
    connection.execute(_PURGE, {"now": now})
