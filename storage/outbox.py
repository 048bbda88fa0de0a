"""The outbox: letters on their way out, in order per recipient and priority, each held by one process at a time.

Two kinds of gate hold letters back, shared between nodes: a *pause* after a platform said "too many" (for a channel or
one recipient), and a *pace* (GCRA: the moment in `tat` is when the allowance is whole again) for letters nobody asked
for.
"""

import threading
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter
from typing import Any, Final, Literal

from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    bindparam,
    case,
    delete,
    exists,
    func,
    literal,
    literal_column,
    not_,
    null,
    or_,
    select,
    update,
)

from complaints.messages import LateNews
from complaints.ports import Letter, Priority
from storage import cards, purse, tables
from storage.engines import Again
from storage.ids import SqlIds
from storage.moments import to_ms
from storage.rows import LETTER_COLUMNS, letter_from, sealed_letter
from storage.sealing import Unreadable, Vault
from storage.statements import AnyRow, Many, Upsert, Values, Write, insert_into, update_by_id

DIRECT_LEASE_MS: Final = 30_000
_ERROR_LENGTH: Final = 500
_LATE: Final = "late:"
_UNREADABLE: Final = "the sealed letter cannot be opened"
_O = tables.outbox.c
_G = tables.gate.c
AfterCommit = list[Callable[[], None]]
Leased = tuple[int, tuple[str, int], int]  # id, lane (recipient and priority), attempts


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """What became of a letter: sent; to be tried again at `due_at`; parked until the person writes; or dead.

    `error` (the reason for parking too) must not hold words of a person. `ref` is the platform's id of what was sent.
    `pause` holds back the whole channel or this chat until `due_at`, as the platform asked; such a try does not count.
    A letter is parked because none of `counters` had more than `keep` left; where one has by now, it is tried again.
    """

    letter: Letter
    outcome: Literal["sent", "retry", "parked", "dead"]
    due_at: datetime | None = None
    error: str = ""
    ref: str = ""
    pause: Literal["channel", "chat"] | None = None
    counters: tuple[str, ...] = ()
    keep: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How fast a channel takes letters nobody asked for: so many a second, with this many at once after a rest."""

    per_second: float
    burst: int = 1


class InFlight:
    """The letters this process has leased and not settled yet, and the pauses it knows of."""

    def __init__(self) -> None:
        self._letters: dict[int, tuple[tuple[str, int], int, int]] = {}  # id: lane, attempts, lease until
        self._lanes: defaultdict[tuple[str, int], set[int]] = defaultdict(set)
        self._pauses: dict[str, int] = {}
        self._lock = threading.Lock()

    def add(self, letters: Sequence[Leased], until: int) -> None:
        """Remember letters as leased until then (ms)."""
        with self._lock:
            for id_, lane, attempts in letters:
                self._letters[id_] = lane, attempts, until
                self._lanes[lane].add(id_)

    def remove(self, letters: Sequence[tuple[int, int]]) -> None:
        """Forget letters (id, attempts), unless they were leased again since."""
        with self._lock:
            for id_, attempts in letters:
                known = self._letters.get(id_)
                if known is not None and known[1] == attempts:
                    self._drop(id_, known[0])

    def _drop(self, id_: int, lane: tuple[str, int]) -> None:
        del self._letters[id_]
        self._lanes[lane].discard(id_)
        if not self._lanes[lane]:
            del self._lanes[lane]

    def holds(self, letter: Letter, now: int) -> bool:
        """Tell whether this process still holds the lease of a letter."""
        known = self._letters.get(letter.id)
        return known is not None and known[1] == letter.attempts and known[2] > now

    def held(self, lane: tuple[str, int], now: int) -> int:
        """Return how many letters of a lane this process holds; those whose lease ran out are forgotten."""
        with self._lock:
            for id_ in [each for each in self._lanes.get(lane, ()) if self._letters[each][2] <= now]:
                self._drop(id_, lane)
            return len(self._lanes.get(lane, ()))

    def pause(self, pauses: Mapping[str, int]) -> None:
        """Remember pauses: gate key and end (ms)."""
        self._pauses.update(pauses)

    def paused(self, keys: Sequence[str], now: int) -> bool:
        """Tell whether one of these gates is known to be closed."""
        return any(self._pauses.get(key, 0) > now for key in keys)


def late_key(recipient: str) -> str:
    """Return the key of the one letter with which a recipient is told late news."""
    return f"{_LATE}{recipient}"


def pause_key(what: str) -> str:
    """Return the key of the gate that holds back all letters of a channel or recipient."""
    return f"pause:{what}"


def pace_key(what: str) -> str:
    """Return the key of the gate that paces unasked letters of a channel or recipient."""
    return f"pace:{what}"


# --- in ---------------------------------------------------------------------------------------------------------------

_INSERT: Final = insert_into(tables.outbox)
_INSERT_ONCE: Final = Upsert(
    lambda insert: (
        insert(tables.outbox)
        .values({name: bindparam(name) for name in tables.outbox.c.keys()})  # noqa: SIM118 # not a dictionary
        .on_conflict_do_nothing(index_elements=["key"], index_where=_O.key.is_not(None))
        .returning(_O.id)
    )
)
#: Per lane: how many letters go before a new one (due already, or tried already and failed), and the highest id.
_BEFORE: Final = Many(
    lambda recipients: (
        select(
            _O.recipient,
            _O.priority,
            func.sum(case((or_(_O.due_at <= bindparam("now"), _O.attempts > tables.ZERO), 1), else_=tables.ZERO)),
            func.max(_O.id),
        )
        .where(_O.recipient.in_(recipients), _O.state == tables.WAITING)
        .group_by(_O.recipient, _O.priority)
    ),
    "now",
)


def post(
    connection: Connection,
    letters: Sequence[Letter],
    now: int,
    vault: Vault,
    ids: SqlIds,
    in_flight: InFlight,
    *,
    sends: bool,
) -> tuple[list[Letter], AfterCommit]:
    """Write letters; return those that may be sent at once, and what to remember after the commit.

    A letter may go at once if somebody asked for it, it is due, no pause is known, and all that go before it in its
    lane are held by this process, which then sends them first. Late news are one letter for each recipient: raises
    `Again` where another node has begun one meanwhile.
    """
    recipients = [vault.fingerprint(it.address.channel, it.address.chat) for it in letters]
    due = [to_ms(it.due_at) for it in letters]
    found = _BEFORE.rows(connection, list(dict.fromkeys(recipients)), now=now)
    before = {(recipient, priority): (int(count), last) for recipient, priority, count, last in found}
    plain: list[Values] = []
    keyed: list[Values] = []
    direct = []
    for it, recipient, due_at in zip(letters, recipients, due, strict=True):
        lane = recipient, int(it.priority)
        count, last = before.get(lane, (0, 0))
        if last >= it.id:  # written by a node whose clock is ahead: order is by id
            ids.pass_over([last])
            it.id = ids.next()
        at_once = (
            sends
            and not it.unasked
            and due_at <= now
            and (not count or count == in_flight.held(lane, now))
            and not in_flight.paused((pause_key(it.address.channel), pause_key(recipient)), now)
        )
        it.attempts = 1 if at_once else 0
        if isinstance(it.body, LateNews):
            it.key = late_key(recipient)
        row = (
            it.id,
            it.key or None,
            it.address.channel,
            recipient,
            it.conversation_id,
            it.case_id,
            lane[1],
            it.unasked,
            due_at,
            it.attempts,
            "waiting",
            now + DIRECT_LEASE_MS if at_once else 0,
            sealed_letter(it, vault),
            "",
            it.card,
        )
        (keyed if it.key else plain).append(row)
        if at_once:
            direct.append((it, lane))
    _INSERT.run(connection, plain)
    if keyed:
        names = tables.outbox.c.keys()
        keyed.sort(key=itemgetter(1))  # in one order on all nodes, or they may wait for one another in a circle
        values = [dict(zip(names, row, strict=True)) for row in keyed]
        written = {id_ for (id_,) in connection.execute(_INSERT_ONCE.on(connection), values)}
        if any(isinstance(it.body, LateNews) and it.id not in written for it in letters):
            raise Again("late news for somebody was begun meanwhile")
        direct = [(it, lane) for it, lane in direct if not it.key or it.id in written]
    if not direct:
        return [], []
    leased = [(it.id, lane, it.attempts) for it, lane in direct]
    return [it for it, _ in direct], [lambda: in_flight.add(leased, now + DIRECT_LEASE_MS)]


# --- out --------------------------------------------------------------------------------------------------------------

_J: Final = tables.outbox.alias("letter")
_B: Final = tables.outbox.alias("before")


def _claim(*, unasked: bool) -> Any:  # Any: a returning update has no public type of its own
    letter, before = _J.c, _B.c
    waits_behind = exists().where(
        before.recipient == letter.recipient,
        before.priority + tables.ZERO == letter.priority,  # or a planner without statistics searches by priority alone
        before.state == tables.WAITING,
        before.id < letter.id,
        or_(before.due_at <= bindparam("now"), before.attempts > tables.ZERO),
    )
    closed: ColumnElement[bool] = _G.key == literal("pause:").concat(letter.recipient)
    conditions = []
    if unasked:
        closed = or_(closed, _G.key == literal("pace:").concat(letter.recipient))
        conditions.append(  # one at a time to one recipient, or the pace of the recipient would not hold
            ~exists().where(
                before.recipient == letter.recipient,
                before.state == tables.WAITING,
                before.unasked.is_(True),
                before.due_at <= bindparam("now"),
                before.priority < letter.priority,
            )
        )
    # MATERIALIZED: where PostgreSQL may run the sub-select again, it takes more rows than the limit.
    due = (
        select(letter.id)
        .where(
            letter.channel == bindparam("the_channel"),
            letter.state == tables.WAITING,
            letter.unasked.is_(unasked),
            letter.priority == bindparam("the_priority"),
            letter.due_at <= bindparam("now"),
            letter.lease_until <= bindparam("now"),
            ~waits_behind,
            ~exists().where(closed, _G.tat > bindparam("now")),
            *conditions,
        )
        .order_by(letter.due_at, letter.id)
        .limit(bindparam("limit"))
        .with_for_update(of=_J, skip_locked=True)
        .cte("due")
        .prefix_with("MATERIALIZED")
    )
    return (
        update(tables.outbox)
        .where(_O.id.in_(select(due.c.id)))
        .values(lease_until=bindparam("until"), attempts=_O.attempts + 1)
        .returning(*LETTER_COLUMNS, _O.recipient)
    )


_CLAIM_ASKED: Final = _claim(unasked=False)
_CLAIM_UNASKED: Final = _claim(unasked=True)
_LANES: Final = [(unasked, int(priority)) for unasked in (False, True) for priority in Priority]
#: For each lane whether anything in it is due: a few looks into the index, however much waits.
_DUE_LANES: Final = select(
    *(
        exists()
        .where(
            _O.channel == bindparam("channel"),
            _O.state == tables.WAITING,
            _O.unasked.is_(unasked),
            _O.priority == literal_column(str(priority)),
            _O.due_at <= bindparam("now"),
            _O.lease_until <= bindparam("now"),
        )
        .label(f"lane{place}")
        for place, (unasked, priority) in enumerate(_LANES)
    )
)
#: What holds its place in these recipients' lanes of one priority; locked, so that nothing in between is overlooked.
_IN_LANES: Final = Many(
    lambda recipients: (
        select(_O.id, _O.recipient, _O.due_at, _O.lease_until)
        .where(
            _O.recipient.in_(recipients),
            _O.priority + tables.ZERO == bindparam("the_priority"),
            _O.state == tables.WAITING,
            or_(_O.due_at <= bindparam("now"), _O.attempts > tables.ZERO),
        )
        .order_by(_O.id)
        .limit(bindparam("limit"))
        .with_for_update()
    ),
    "the_priority",
    "now",
    "limit",
)
_LEASE: Final = (
    update(tables.outbox)
    .where(_O.id.in_(bindparam("ids", expanding=True)))
    .values(lease_until=bindparam("until"), attempts=_O.attempts + 1)
    .returning(*LETTER_COLUMNS, _O.recipient)
)
_GATE: Final = select(_G.tat).where(_G.key == bindparam("key"))
_LOCK_GATE: Final = _GATE.with_for_update()
_OPEN_GATE: Final = Upsert(
    lambda insert: (
        insert(tables.gate).values(key=bindparam("key"), tat=0).on_conflict_do_nothing(index_elements=["key"])
    )
)
_SET_GATE: Final = Write(
    ("key", "tat"),
    lambda insert: (new := insert(tables.gate)).on_conflict_do_update(
        index_elements=["key"], set_={"tat": new.excluded.tat}, where=_G.tat < new.excluded.tat
    ),
)
_PURGE_GATES: Final = delete(tables.gate).where(_G.tat < bindparam("now"))
_BURY: Final = Write(
    ("error", "row_id"),
    lambda _: (
        update(tables.outbox)
        .where(_O.id == bindparam("row_id"))
        .values(state=tables.DEAD, error=bindparam("error"), lease_until=tables.ZERO)
    ),
)


def due_lanes(connection: Connection, channel: str, now: int, in_flight: InFlight) -> list[tuple[bool, int]]:
    """Return where letters of the channel are due: (unasked, priority), the first first. Nothing while it is paused."""
    due = connection.execute(_DUE_LANES, {"channel": channel, "now": now}).one()
    lanes = [lane for lane, there in zip(_LANES, due, strict=True) if there]
    if lanes:
        key = pause_key(channel)
        until = connection.execute(_GATE, {"key": key}).scalar() or 0
        in_flight.pause({key: until})
        if until > now:
            return []
    return lanes


def claim(
    connection: Connection,
    channel: str,
    now: int,
    limit: int,
    vault: Vault,
    *,
    lanes: Sequence[tuple[bool, int]],
    lease: int,
    pace: Pace | None,
    gap: int,
    fold: bool,
) -> tuple[list[Letter], list[Leased]]:
    """Lease letters of these lanes: asked ones first, then as many unasked ones as the pace allows. Times in ms.

    With `fold` each brings those that wait behind it; they go out as one message, and the pace counts the first.
    """
    taken: list[AnyRow] = []

    def take(statement: Any, priority: int, most: int) -> Sequence[AnyRow]:
        most = min(most, limit - len(taken))
        if most <= 0:
            return []
        values = {"the_channel": channel, "the_priority": priority, "now": now, "until": now + lease, "limit": most}
        found: Sequence[AnyRow] = connection.execute(statement, values).fetchall()
        taken.extend(found)
        if fold and found and limit > len(taken):
            taken.extend(_lease_behind(connection, found, priority, now, now + lease, limit - len(taken)))
        return found

    for unasked, priority in lanes:
        if not unasked:
            take(_CLAIM_ASKED, priority, limit)
    if limit > len(taken) and any(unasked for unasked, _ in lanes):
        paced: list[AnyRow] = []
        allowed, tat = (limit, 0) if pace is None else _allowance(connection, channel, now, pace)
        for unasked, priority in lanes:
            if unasked:
                paced += take(_CLAIM_UNASKED, priority, allowed - len(paced))
        gates = [(pace_key(row[-1]), now + gap) for row in paced] if gap else []
        if pace is not None and paced:
            gates.append((pace_key(channel), max(tat, now) + round(len(paced) * 1000 / pace.per_second)))
        _SET_GATE.run(connection, sorted(gates))
    letters, leased, broken = [], [], []
    for row in sorted(taken, key=lambda row: (row[5], row[0])):
        try:
            letters.append(letter_from(row[:-1], vault))
        except Unreadable:
            broken.append((_UNREADABLE, row[0]))
        else:
            leased.append((row[0], (row[-1], row[5]), row[8]))
    _BURY.run(connection, broken)
    return letters, leased


def _lease_behind(
    connection: Connection, heads: Sequence[AnyRow], priority: int, now: int, until: int, most: int
) -> Sequence[AnyRow]:
    """Lease what waits behind the heads of these lanes, each lane up to the first that cannot go now."""
    first, chosen, cut = {row[0] for row in heads}, [], set()
    found = _IN_LANES.rows(
        connection, [row[-1] for row in heads], the_priority=priority, now=now, limit=most + len(heads)
    )
    for id_, recipient, due_at, lease_until in found:
        if id_ in first or recipient in cut:
            continue
        if due_at > now or lease_until > now:
            cut.add(recipient)
        else:
            chosen.append(id_)
    return connection.execute(_LEASE, {"ids": chosen[:most], "until": until}).fetchall() if chosen else []


def _allowance(connection: Connection, channel: str, now: int, pace: Pace) -> tuple[int, int]:
    """Return how many unasked letters the channel takes now, and its gate, which stays locked."""
    key = pace_key(channel)
    connection.execute(_OPEN_GATE.on(connection), {"key": key})
    tat: int = connection.execute(_LOCK_GATE, {"key": key}).scalar_one()
    interval = 1000 / pace.per_second
    room = pace.burst - max(tat - now, 0) / interval  # in letters; moments themselves are too large for exact fractions
    return int(room + 0.02), tat  # `tat` is in whole milliseconds, which is 2 % of a letter at 40 a second


# --- done -------------------------------------------------------------------------------------------------------------

_MINE = (_O.id == bindparam("row_id"), _O.attempts == bindparam("held"))
_SENT: Final = Write(("row_id", "held"), lambda _: delete(tables.outbox).where(*_MINE))
_RETRY: Final = Write(
    ("due_at", "attempts", "error", "row_id", "held"),
    lambda _: (
        update(tables.outbox)
        .where(*_MINE)
        .values(
            due_at=bindparam("due_at"),
            attempts=bindparam("attempts"),
            error=bindparam("error"),
            lease_until=tables.ZERO,
        )
    ),
)
_DEAD: Final = Write(
    ("error", "row_id", "held"),
    lambda _: (
        update(tables.outbox).where(*_MINE).values(state=tables.DEAD, error=bindparam("error"), lease_until=tables.ZERO)
    ),
)
_PARK: Final = Write(
    ("error", "row_id", "held"),
    lambda _: (
        update(tables.outbox)
        .where(*_MINE)
        .values(state=tables.PARKED, error=bindparam("error"), lease_until=tables.ZERO)
    ),
)
_PARKED: Final = Many(
    lambda ids: (
        select(_O.conversation_id, *LETTER_COLUMNS)
        .where(_O.conversation_id.in_(ids), _O.state == tables.PARKED)
        .order_by(_O.id)
    )
)
_NEWS: Final = _O.key.startswith(_LATE)
_NOT_TAKEN: Final = and_(_O.state == tables.WAITING, _O.attempts == tables.ZERO)
_HELD_NEWS: Final = select(*LETTER_COLUMNS).where(_NEWS, _NOT_TAKEN).order_by(_O.key).with_for_update()
#: What was sent in vain, too, keeps its place no longer.
_LET_GO: Final = update(tables.outbox).where(_NEWS, not_(_NOT_TAKEN)).values(key=null())
_GROW: Final = update_by_id(tables.outbox, "sealed", "case_id", "card", "due_at")
_FREE: Final = update_by_id(tables.outbox, "due_at")
_TELL: Final = Write(
    ("row_id",), lambda _: delete(tables.outbox).where(_O.id == bindparam("row_id"), _O.state == tables.PARKED)
)
_RELEASE: Final = update(tables.outbox).where(_O.state == tables.WAITING, _O.lease_until > 0).values(lease_until=0)
_REVIVE: Final = (
    update(tables.outbox)
    .where(_O.id == bindparam("row_id"), _O.state == tables.DEAD)
    .values(state="waiting", due_at=bindparam("now"), attempts=0, lease_until=0)
)


def settle(
    connection: Connection, outcomes: Sequence[Settled], now: int, vault: Vault, ids: SqlIds, in_flight: InFlight
) -> AfterCommit:
    """Record outcomes, each only where the letter is still held by the number of its attempts, and where cards lie."""
    if not outcomes:
        return []
    sent, retry, parked, dead = [], [], [], []
    lying: list[tuple[Letter, str]] = []
    pauses: dict[str, int] = {}
    for it in sorted(outcomes, key=lambda each: each.letter.id):
        letter, error = it.letter, it.error[:_ERROR_LENGTH]
        mine = letter.id, letter.attempts
        if it.outcome == "sent":
            sent.append(mine)
            if letter.card and it.ref:
                lying.append((letter, it.ref))
        elif it.outcome == "parked":
            recipient = vault.fingerprint(letter.address.channel, letter.address.chat)
            if it.counters and purse.holds(connection, recipient, it.counters, now, it.keep):
                retry.append((now, letter.attempts, "", *mine))  # they have written since it was tried
            else:
                parked.append((error, *mine))
        elif it.outcome == "dead":
            dead.append((error, *mine))
        elif it.due_at is None:
            raise ValueError("a letter that is tried again needs a due date")
        else:
            due_at = to_ms(it.due_at)
            attempts = max(0, letter.attempts - 1) if it.pause else letter.attempts
            retry.append((due_at, attempts, error, *mine))
            if it.pause:
                channel, chat = letter.address.channel, letter.address.chat
                key = pause_key(channel if it.pause == "channel" else vault.fingerprint(channel, chat))
                pauses[key] = max(due_at, pauses.get(key, 0))
    _SENT.run(connection, sent)
    _RETRY.run(connection, retry)
    _PARK.run(connection, parked)
    _DEAD.run(connection, dead)
    cards.keep(connection, lying, now, vault, ids)
    _SET_GATE.run(connection, sorted(pauses.items()))
    done = [(it.letter.id, it.letter.attempts) for it in outcomes]
    return [lambda: in_flight.remove(done), lambda: in_flight.pause(pauses)]


def parked(connection: Connection, conversation_ids: Sequence[int], vault: Vault) -> dict[int, list[Letter]]:
    """Return the parked letters of these conversations, the oldest first. Those that do not open are dead then."""
    found: dict[int, list[Letter]] = {id_: [] for id_ in conversation_ids}
    broken = []
    for conversation_id, *row in _PARKED.rows(connection, conversation_ids):
        try:
            found[conversation_id].append(letter_from(row, vault))
        except Unreadable:
            broken.append((_UNREADABLE, row[0]))
    _BURY.run(connection, broken)
    return found


def tell(connection: Connection, letter_ids: Sequence[int]) -> None:
    """Drop parked letters whose words were said in another way."""
    _TELL.run(connection, [(id_,) for id_ in sorted(set(letter_ids))])


def held_news(connection: Connection, vault: Vault) -> list[Letter]:
    """Return the late news that nobody has taken out yet, locked. What is on its way does not grow any more."""
    found, broken = [], []
    for row in connection.execute(_HELD_NEWS):
        try:
            found.append(letter_from(row, vault))
        except Unreadable:
            broken.append((_UNREADABLE, row[0]))
    _BURY.run(connection, broken)
    connection.execute(_LET_GO)
    return found


def grow(connection: Connection, letters: Sequence[Letter], vault: Vault) -> None:
    """Write late news again that has grown."""
    _GROW.run(
        connection,
        [(sealed_letter(it, vault), it.case_id, it.card, to_ms(it.due_at), it.id) for it in letters],
    )


def free_news(connection: Connection, now: int) -> None:
    """Let go what was held until nothing is late any more."""
    _FREE.run(connection, [(now, row[0]) for row in connection.execute(_HELD_NEWS)])


def release(connection: Connection) -> None:
    """Take back all leases: for a process that knows it is the only one."""
    connection.execute(_RELEASE)


def revive(connection: Connection, letter_id: int, now: int) -> bool:
    """Let a dead letter be tried again."""
    return bool(connection.execute(_REVIVE, {"row_id": letter_id, "now": now}).rowcount)


def erase(connection: Connection, recipients: Sequence[str], case_ids: Sequence[int]) -> None:
    """Drop all letters to an erased customer, and parked and dead ones to others about the customer's cases."""
    connection.execute(delete(tables.outbox).where(_O.recipient.in_(recipients), _O.state == tables.WAITING))
    for state in (tables.PARKED, tables.DEAD):
        connection.execute(
            delete(tables.outbox).where(_O.state == state, or_(_O.recipient.in_(recipients), _O.case_id.in_(case_ids)))
        )


def purge_gates(connection: Connection, now: int) -> None:
    """Forget gates that are open anyway."""
    connection.execute(_PURGE_GATES, {"now": now})
