"""Cards: where messages with buttons lie, so that the buttons can be taken away once somebody has pressed one."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from sqlalchemy import Connection, bindparam, delete, or_, select

from complaints.ports import Card, Letter
from storage import tables
from storage.ids import SqlIds
from storage.rows import card_from, card_row
from storage.sealing import Vault
from storage.statements import Write, insert_into

#: Buttons that nobody has pressed by then are left alone.
KEPT_FOR: Final = timedelta(hours=72)
_C = tables.card.c
_INSERT: Final = insert_into(tables.card)
_OF_CASE: Final = (
    select(_C.id, _C.case_id, _C.channel, _C.sealed).where(_C.case_id == bindparam("case_id")).order_by(_C.id)
)
_RETIRE: Final = Write(("row_id",), lambda _: delete(tables.card).where(_C.id == bindparam("row_id")))
_PURGE: Final = delete(tables.card).where(_C.at < bindparam("before"))


def keep(connection: Connection, sent: Sequence[tuple[Letter, str]], now: int, vault: Vault, ids: SqlIds) -> None:
    """Remember where letters lie: each with what the platform wants back. A letter without a case is nobody's card.

    A letter that two processes sent is two cards: both messages lie there.
    """
    _INSERT.run(connection, [card_row(ids.next(), it, ref, now, vault) for it, ref in sent if it.case_id is not None])


def of_case(connection: Connection, case_id: int, vault: Vault) -> list[Card]:
    """Return the cards of a case in the order they were sent. Raises `Unreadable`."""
    return [card_from(row, vault) for row in connection.execute(_OF_CASE, {"case_id": case_id})]


def retire(connection: Connection, card_ids: Sequence[int]) -> None:
    """Forget cards that have no buttons any more."""
    _RETIRE.run(connection, [(id_,) for id_ in sorted(set(card_ids))])


def erase(connection: Connection, recipients: Sequence[str], case_ids: Sequence[int]) -> None:
    """Drop the cards of an erased customer, and those of others about the customer's cases."""
    connection.execute(delete(tables.card).where(or_(_C.recipient.in_(recipients), _C.case_id.in_(case_ids))))


def purge(connection: Connection, before: int) -> None:
    """Forget cards that were sent before this moment."""
    connection.execute(_PURGE, {"before": before})
