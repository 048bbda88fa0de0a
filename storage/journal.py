"""The journal's chain: every row carries a keyed hash over itself and the row before it, per case.

The words of a row enter the chain by the digest of their sealed bytes, so the chain can be checked without any
customer's key, after a customer was erased too. Cutting off the end of a chain shows as long as the case's own `seq`
and `head` are not cut back as well; against that, and against the removal of whole cases, what `SqlLedger.heads`
returns is to be kept outside the database.
"""

import hmac
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from itertools import groupby
from operator import itemgetter
from typing import Final, Literal

from sqlalchemy import Connection, bindparam, select

from storage import tables
from storage.statements import AnyRow

_CHUNK: Final = 500
_J = tables.journal.c
_C = tables.complaint_case.c

Problem = Literal["edited", "words edited", "missing", "truncated", "foreign"]


def link(
    secret: bytes,
    prev: bytes,
    case_id: int,
    seq: int,
    at: int,
    name: str,
    actor: str,
    clause: str,
    facts: str,
    digest: bytes | None,
) -> bytes:
    """Return the keyed hash of one row.

    No text in it holds the separator, and only the first row of a case has no `prev`, so no row can pose as another.
    """
    head = f"{case_id}\0{seq}\0{at}\0{name}\0{actor}\0{clause}\0{facts}\0".encode()
    return hmac.digest(secret, head + prev + (digest or b""), "sha256")


@dataclass(frozen=True, slots=True, kw_only=True)
class Break:
    """A place where a chain does not hold.

    `edited`: an open column of the row was changed, or another row lies in its place; `words edited`: its sealed words;
    `missing`: the row is gone; `truncated`: rows are gone from the end; `foreign`: a row that the case never wrote.
    """

    case_id: int
    number: str
    seq: int
    problem: Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a check of all chains found: how many cases and events were looked at, and every break."""

    cases: int
    events: int
    broken: tuple[Break, ...]


def verify(connection: Connection, secret: bytes, progress: Callable[[int, int], None] | None = None) -> Report:
    """Check every chain, in the order of cases. `progress` is told (events so far, breaks so far) from time to time."""
    broken: list[Break] = []
    cases = events = 0
    for rows, chunk in _chunks(connection):
        for case in chunk:
            mine = rows.pop(case.id, [])
            broken += _breaks(secret, case, mine)
            events += len(mine)
        cases += len(chunk)
        for case_id, left in rows.items():  # no such case
            broken += [Break(case_id=case_id, number="", seq=row.seq, problem="foreign") for row in left]
            events += len(left)
        if progress is not None:
            progress(events, len(broken))
    return Report(cases=cases, events=events, broken=tuple(broken))


def _chunks(connection: Connection) -> Iterator[tuple[dict[int, list[AnyRow]], list[AnyRow]]]:
    """Yield cases in chunks with all journal rows of their range of ids, so that rows of no case are seen too."""
    cases = select(_C.id, _C.number, _C.seq, _C.head).where(_C.id > bindparam("after")).order_by(_C.id).limit(_CHUNK)
    rows = (
        select(tables.journal)
        .where(_J.case_id > bindparam("after"), _J.case_id <= bindparam("until"))
        .order_by(_J.case_id, _J.seq)
    )
    after, end = -(2**62), 2**62
    while after < end:
        chunk = list(connection.execute(cases, {"after": after}))
        until = chunk[-1].id if len(chunk) == _CHUNK else end
        found = connection.execute(rows, {"after": after, "until": until})
        yield {case_id: list(group) for case_id, group in groupby(found, key=itemgetter(0))}, chunk
        after = until


def _breaks(secret: bytes, case: AnyRow, rows: list[AnyRow]) -> Iterator[Break]:
    def broken(seq: int, problem: Problem) -> Break:
        return Break(case_id=case.id, number=case.number, seq=seq, problem=problem)

    prev: bytes | None = b""  # None: unknown, since the row before is missing
    expected = 1
    for row in rows:
        if row.seq > case.seq or row.seq < 1:
            yield broken(row.seq, "foreign")
            continue
        if row.seq > expected:
            yield from (broken(seq, "missing") for seq in range(expected, row.seq))
            prev = None
        if row.sealed is not None and sha256(row.sealed).digest() != row.digest:
            yield broken(row.seq, "words edited")
        elif prev is not None and not hmac.compare_digest(
            row.mac,
            link(secret, prev, case.id, row.seq, row.at, row.name, row.actor, row.clause, row.facts, row.digest),
        ):
            yield broken(row.seq, "edited")
        prev, expected = row.mac, row.seq + 1
    if expected <= case.seq:
        yield from (broken(seq, "truncated") for seq in range(expected, case.seq + 1))
    elif prev is not None and not hmac.compare_digest(prev, case.head):
        yield broken(case.seq, "edited")
