"""The purse: what platforms that count still let us send, by recipient and counter, one truth for all processes."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import Connection, bindparam, case, delete, func, select, update

from complaints.messages import Address, Credit
from storage import tables
from storage.sealing import Vault
from storage.statements import Write

_C = tables.credit.c
#: `after` is the moment from which an old row still counts: now where the credit adds to it, else never.
_GRANT: Final = Write(
    ("recipient", "name", "left", "until_at", "after"),
    lambda insert: (
        new := insert(tables.credit).values(
            {name: bindparam(name) for name in ("recipient", "name", "left", "until_at")}
        )
    ).on_conflict_do_update(
        index_elements=["recipient", "name"],
        set_={
            "left": new.excluded.left + case((_C.until_at > bindparam("after"), _C.left), else_=tables.ZERO),
            "until_at": new.excluded.until_at,
        },
    ),
)
#: Locked before they are counted: PostgreSQL would compare `keep` with what was left before another one's spending.
_LIVE: Final = (
    select(_C.name, _C.left)
    .where(
        _C.recipient == bindparam("to"),
        _C.name.in_(bindparam("names", expanding=True)),
        _C.until_at > bindparam("now"),
        _C.left > tables.ZERO,
    )
    .order_by(_C.name)
    .with_for_update()
    .cte("live")
    .prefix_with("MATERIALIZED")
)
_SPEND: Final = (
    update(tables.credit)
    .where(
        _C.recipient == bindparam("to"),
        _C.name.in_(select(_LIVE.c.name)),
        select(func.max(_LIVE.c.left)).scalar_subquery() > bindparam("keep"),
    )
    .values(left=_C.left - 1)
    .returning(_C.name)
)
_LEFT: Final = select(func.max(_LIVE.c.left))
_CLOSE: Final = Write(
    ("to", "counter"),
    lambda _: (
        update(tables.credit)
        .where(_C.recipient == bindparam("to"), _C.name == bindparam("counter"))
        .values(left=tables.ZERO)
    ),
)
_PURGE: Final = delete(tables.credit).where(_C.until_at <= bindparam("now"))


def grant(connection: Connection, credits_: Sequence[tuple[Address, Credit]], now: int, vault: Vault) -> None:
    """Write down what messages let us send, those of one counter in the order they came."""
    granted = [(vault.fingerprint(address.channel, address.chat), credit) for address, credit in credits_]
    granted.sort(key=lambda each: (each[0], each[1].name))  # the order in which `spend` locks them
    _GRANT.run(
        connection,
        [
            (recipient, it.name, it.count, now + it.seconds * 1000, now if it.adds else tables.NEVER)
            for recipient, it in granted
        ],
    )


def spend(connection: Connection, recipient: str, names: Sequence[str], now: int, keep: int) -> bool:
    """Take one from each of these counters that still holds, if one of them has more than `keep` left."""
    values = {"to": recipient, "names": list(names), "now": now, "keep": keep}
    return bool(connection.execute(_SPEND, values).fetchall())


def holds(connection: Connection, recipient: str, names: Sequence[str], now: int, keep: int) -> bool:
    """Tell whether one of these counters has more than `keep` left."""
    left = connection.execute(_LEFT, {"to": recipient, "names": list(names), "now": now}).scalar()
    return left is not None and left > keep


def close(connection: Connection, recipient: str, names: Sequence[str]) -> None:
    """Set these counters to nothing."""
    _CLOSE.run(connection, [(recipient, name) for name in sorted(set(names))])


def purge(connection: Connection, now: int) -> None:
    """Forget credits that ran out."""
    connection.execute(_PURGE, {"now": now})
