"""One unit of work: what a batch of commands needs, loaded in a few selects; what it changed, written in one commit.

The order is always the same, and so is the order of locks: `record` (inbox keys, sorted), `load` (conversation rows,
sorted by id), then `flush`, `fail` and `settle`.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from hashlib import sha256
from typing import Any, Final

from sqlalchemy import Connection, bindparam, delete, literal_column, null, select, true, update

from complaints.case import Case
from complaints.commands import Hear
from complaints.conversation import Conversation, Customer, Staff
from complaints.events import Event
from complaints.messages import Address
from complaints.ports import Changes, Join, Letter, Timer
from storage import cards, inbox, joining, journal, outbox, purse, rows, tables
from storage.engines import Again
from storage.ids import SqlIds
from storage.ledger import (
    CONVERSATION_WIDTH,
    CONVERSATIONS,
    CONVERSATIONS_WIDTH,
    CUSTOMER,
    SqlLedger,
    key_of_conversation,
)
from storage.moments import from_ms, to_ms
from storage.outbox import InFlight, Settled
from storage.rows import Kept
from storage.sealing import Key, Vault
from storage.staff import StaffRows
from storage.statements import AnyRow, Many, Returning, Values, Write, insert_into, update_by_id

_C = tables.conversation.c
_K = tables.complaint_case.c
_T = tables.timer.c

_ABOUT = _K.conversation_id.label("about")
_FOUND: Final = select(_C.id, _C.key, _C.alias_of, _ABOUT).select_from(
    tables.conversation.outerjoin(tables.complaint_case, _K.id == _C.case_id)
)
_FIND: Final = Many(lambda keys: _FOUND.where(_C.key.in_(keys)))
_FIND_BY_ID: Final = Many(lambda ids: _FOUND.where(_C.id.in_(ids)))
#: The same with everything else about the conversation, where nothing can change between finding and locking.
_FIND_WHOLE: Final = Many(
    lambda keys: (
        CONVERSATIONS.add_columns(_C.alias_of, _ABOUT)
        .outerjoin(tables.complaint_case, _K.id == _C.case_id)
        .where(_C.key.in_(keys))
    )
)
_FIND_BY_CASE: Final = Many(lambda ids: select(_K.conversation_id).where(_K.id.in_(ids)))
_LOCK: Final = Many(lambda ids: select(_C.id).where(_C.id.in_(ids)).order_by(_C.id).with_for_update())
_LOAD: Final = Many(lambda ids: CONVERSATIONS.add_columns(_C.alias_of).where(_C.id.in_(ids)))
_CASES: Final = select(*rows.CASE_COLUMNS, tables.customer.c.data_key).select_from(
    tables.complaint_case.outerjoin(tables.customer, tables.customer.c.id == _K.customer_id)
)
_ACTIVE: Final = Many(lambda ids: _CASES.where(_K.conversation_id.in_(ids), _K.active.is_(True)).order_by(_K.id))
_BY_ID: Final = Many(lambda ids: _CASES.where(_K.id.in_(ids)))
_CUSTOMERS_BY_ID: Final = Many(lambda ids: CUSTOMER.where(tables.customer.c.id.in_(ids)))
_TIMERS: Final = Many(lambda subjects: select(_T.subject, _T.name, _T.due_at).where(_T.subject.in_(subjects)))
#: All cases of the people who are spoken to in these conversations, and the keys that open them.
_OF_PEOPLE: Final = Many(
    lambda ids: select(_K.id, _K.customer_id, tables.customer.c.data_key).where(
        _K.conversation_id.in_(ids), tables.customer.c.id == _K.customer_id
    )
)
_KEYS_OF_CASES: Final = Many(
    lambda ids: select(_K.id, _K.customer_id, tables.customer.c.data_key).where(
        _K.id.in_(ids), tables.customer.c.id == _K.customer_id
    )
)

_STUBS: Final = Returning(
    ("id", "key", "channel"),
    lambda insert, values: (
        insert(tables.conversation)
        .values(
            [each | {"state": literal_column("'idle'"), "turn": tables.ZERO, "reachable": true()} for each in values]
        )
        .on_conflict_do_nothing(index_elements=["key"])
        .returning(_C.id, _C.key)
    ),
)
_NEW_CONVERSATIONS: Final = insert_into(tables.conversation)
_CONVERSATIONS: Final = update_by_id(tables.conversation, *rows.CONVERSATION_CHANGING)
_NEW_CUSTOMERS: Final = insert_into(tables.customer)
_CUSTOMERS: Final = update_by_id(tables.customer, *rows.CUSTOMER_CHANGING)
_DESTROY: Final = Write(
    ("row_id",),
    lambda _: (
        update(tables.customer)
        .where(tables.customer.c.id == bindparam("row_id"))
        .values(data_key=null(), sealed=null())
    ),
)
_NEW_CASES: Final = insert_into(tables.complaint_case)
_CASE_ROWS: Final = update_by_id(tables.complaint_case, *rows.CASE_CHANGING)
_JOURNAL: Final = insert_into(tables.journal)
_EVIDENCE: Final = Write(
    tables.evidence.c.keys(),
    lambda insert: (new := insert(tables.evidence)).on_conflict_do_update(
        index_elements=["id"],
        set_={name: new.excluded[name] for name in ("state", "size", "mime", "sha256", "path", "sealed")},
    ),
)
_TIMER: Final = Write(
    tables.timer.c.keys(),
    lambda insert: (new := insert(tables.timer)).on_conflict_do_update(
        index_elements=["subject", "name"],
        set_={"conversation_id": new.excluded.conversation_id, "due_at": new.excluded.due_at},
    ),
)
_NO_TIMER: Final = Write(
    ("subject", "name"),
    lambda _: delete(tables.timer).where(_T.subject == bindparam("subject"), _T.name == bindparam("name")),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Want:
    """What one command needs: a conversation by address, id or case, and the timer that it fires (subject, name).

    `parked`: also the letters that wait until this person writes (not for a case). `code`: a one-time code that they
    may have written; the conversation that issued it is needed too. `late`: also the late news that is held.
    """

    address: Address | None = None
    conversation_id: int | None = None
    case_id: int | None = None
    timer: tuple[str, str] | None = None
    parked: bool = False
    code: str = ""
    late: bool = False


@dataclass(slots=True, kw_only=True)
class Loaded:
    """What a batch works on. Every conversation in it is locked until the unit ends.

    `conversations` has a conversation under the ids of chats that were joined to it too. `cases` has the active cases
    of these conversations, and the wanted ones, active or not; `customers` has theirs. `timers` has those wanted timers
    that still exist.
    """

    conversations: dict[int, Conversation] = field(default_factory=dict)
    customers: dict[int, Customer] = field(default_factory=dict)
    cases: dict[int, Case] = field(default_factory=dict)
    staff: dict[int, Staff] = field(default_factory=dict)
    timers: dict[tuple[str, str], datetime] = field(default_factory=dict)
    addresses: dict[tuple[str, str], int] = field(default_factory=dict)
    letters: dict[int, list[Letter]] = field(default_factory=dict)
    codes: dict[str, int] = field(default_factory=dict)
    news: dict[tuple[str, str], Letter] = field(default_factory=dict)
    _of: dict[int, dict[int, Case]] = field(default_factory=dict)

    def by_address(self, address: Address) -> Conversation:
        """Return the conversation at a wanted address. KeyError if it was not wanted."""
        return self.conversations[self.addresses[address.channel, address.chat]]

    def parked(self, conversation_id: int) -> list[Letter]:
        """Return what waits for this person to write, the oldest first; nothing where it was not wanted."""
        return self.letters.get(conversation_id, [])

    def late_news(self, address: Address) -> Letter | None:
        """Return the late news that is held for this address, if any; nothing where it was not wanted."""
        return self.news.get((address.channel, address.chat))

    def by_code(self, code: str) -> Conversation | None:
        """Return the conversation that issued this wanted one-time code, if it still holds."""
        id_ = self.codes.get(code)
        return None if id_ is None else self.conversations[id_]

    def cases_of(self, conversation_id: int) -> list[Case]:
        """Return the active cases of a conversation, the oldest first."""
        return [case for case in self._of.get(conversation_id, {}).values() if case.active]

    def add_case(self, case: Case) -> None:
        """Take in a case."""
        self.cases[case.id] = case
        self._of.setdefault(case.conversation_id, {})[case.id] = case

    def absorb(self, changes: Changes) -> None:
        """Take in what one command of the batch changed, so that the next command sees it."""
        self.customers.update((it.id, it) for it in changes.customers)
        self.conversations.update((it.id, it) for it in changes.conversations)
        self.staff.update((it.id, it) for it in changes.staff)
        for case in changes.cases:
            self.add_case(case)
        for timer in changes.timers:
            if timer.due_at is None:
                self.timers.pop((timer.subject, timer.name), None)
            elif (timer.subject, timer.name) in self.timers:
                self.timers[timer.subject, timer.name] = timer.due_at
        if changes.told:
            told = set(changes.told)
            self.letters = {id_: [it for it in of if it.id not in told] for id_, of in self.letters.items()}
        for join in changes.joins:
            self._join(join)

    def _join(self, join: Join) -> None:
        source, target = self.conversations[join.source].id, self.conversations[join.target]
        self.codes.pop(join.code, None)
        if source == target.id:
            return
        for id_ in [id_ for id_, it in self.conversations.items() if it.id == source]:
            self.conversations[id_] = target
        for case in self._of.pop(source, {}).values():
            case.conversation_id = target.id
            self.add_case(case)
        letters = self.letters.pop(source, []) + self.letters.pop(target.id, [])
        self.letters[target.id] = sorted(letters, key=lambda it: it.id)


class Unit:
    """One write transaction. Made by `Store.unit`."""

    def __init__(
        self,
        connection: Connection,
        now: datetime,
        *,
        vault: Vault,
        ids: SqlIds,
        staff: StaffRows,
        in_flight: InFlight,
    ) -> None:
        self._connection = connection
        self._now = now
        self._now_ms = to_ms(now)
        self._vault = vault
        self._ids = ids
        self._staff = staff
        self._in_flight = in_flight
        #: BEGIN IMMEDIATE on SQLite locks everything: what is found stays as it is.
        self._alone = connection.dialect.name == "sqlite"
        self._loaded = Loaded()
        self._conversations: dict[int, Kept] = {}
        self._customers: dict[int, Kept] = {}
        self._cases: dict[int, Kept] = {}
        self._keys: dict[int, Key | None] = {}
        #: Where an address leads: by its fingerprint, the conversation as it was found, or as it is joined now.
        self._at: dict[str, int] = {}
        self._moves: dict[int, int] = {}
        self._staff_rows: dict[int, Values] = {}
        #: What to do in memory once the transaction is committed.
        self.after_commit: list[Callable[[], None]] = []
        #: Questions beyond the loaded objects, answered in this transaction.
        self.ledger = SqlLedger(connection, vault, self._loaded.cases)

    # --- the inbox ---

    def record(self, keys: Sequence[str]) -> set[str]:
        """Record these keys as served and return the fresh ones. Empty keys are not recorded, and not returned.

        A key that waits for another try after a failure counts as fresh.
        """
        return inbox.record(self._connection, {key for key in keys if key}, self._now_ms)

    def fail(self, hear: Hear, error: str) -> bool:
        """Let a message wait for another try, after a pause that doubles each time; return False if it was the last.

        After the last try the message is dead: kept, for a person to look at. `error` must not hold words of a person.
        """
        return inbox.fail(self._connection, hear.message, error, self._now_ms, self._vault)

    # --- loading ---

    def load(self, wants: Sequence[Want]) -> Loaded:
        """Lock and load what the commands want. Unknown addresses get a conversation. Raises `Again`.

        To be called once in a unit, after `record`.
        """
        wanted = self._find(wants)
        ids = sorted(wanted.conversations)
        unlocked = [id_ for id_ in ids if id_ not in self._conversations]
        if unlocked:
            if not self._alone:
                _LOCK.rows(self._connection, unlocked)
            found = _LOAD.rows(self._connection, unlocked)
            if any(row[-1] is not None for row in found):
                raise Again("a conversation was joined to another one")
            self._take_conversations(found)
        self._load_cases(ids, wanted)
        self._load_timers(wants)
        self._load_letters(wants, wanted)
        if any(want.late for want in wants):
            held = outbox.held_news(self._connection, self._vault)
            self._loaded.news = {(it.address.channel, it.address.chat): it for it in held}
        if wanted.codes:
            self._load_codes(wanted.codes)
        self._load_staff()
        self._at.update(wanted.by_fingerprint)
        for address, fingerprint in wanted.fingerprints.items():
            conversation = self._loaded.conversations[wanted.by_fingerprint[fingerprint]]
            self._loaded.addresses[address] = conversation.id
            if not conversation.words.chat:  # a new conversation, or one whose words were erased
                conversation.channel, conversation.words.chat = address
        for source, target in wanted.aliases.items():
            self._loaded.conversations[source] = self._loaded.conversations[target]
        return self._loaded

    def _find(self, wants: Sequence[Want]) -> "_Wanted":
        wanted = _Wanted()
        for want in wants:
            if want.address is not None:
                address = want.address.channel, want.address.chat
                if address not in wanted.fingerprints:
                    wanted.fingerprints[address] = self._vault.fingerprint(*address)
            if want.case_id is not None:
                wanted.cases.add(want.case_id)
        direct = {want.conversation_id for want in wants if want.conversation_id is not None}
        if wanted.fingerprints:
            self._find_addresses(wanted)
        if direct:
            wanted.take(_FIND_BY_ID.rows(self._connection, list(direct)))
        if wanted.cases:
            found = _FIND_BY_CASE.rows(self._connection, list(wanted.cases))
            wanted.conversations.update(row[0] for row in found)
        wanted.codes.update((self._vault.digest(want.code), want.code) for want in wants if want.code)
        others = set(wanted.aliases.values())
        if wanted.codes:
            others.update(joining.issuers(self._connection, wanted.codes, self._now_ms).values())
        if others := others - wanted.looked_up:
            wanted.take(_FIND_BY_ID.rows(self._connection, sorted(others)))
            if others & wanted.aliases.keys():
                raise Again("a conversation was joined to another one")
        return wanted

    def _find_addresses(self, wanted: "_Wanted") -> None:
        keys = list(wanted.fingerprints.values())
        found = (_FIND_WHOLE if self._alone else _FIND).rows(self._connection, keys)
        wanted.take(found)
        if self._alone:
            self._take_conversations(row for row in found if row[-2] is None)
        channels = {fingerprint: channel for (channel, _), fingerprint in wanted.fingerprints.items()}
        unknown = sorted(channels.keys() - wanted.by_fingerprint.keys())
        if not unknown:
            return
        stubs = [(self._ids.next(), key, channels[key]) for key in unknown]
        for id_, key in _STUBS.run(self._connection, stubs):  # nobody else can see them, so they need no lock
            wanted.by_fingerprint[key] = id_
            wanted.looked_up.add(id_)
            wanted.conversations.add(id_)
            stub = Conversation(id=id_, channel=channels[key])
            self._loaded.conversations[id_] = stub
            self._conversations[id_] = Kept(rows.conversation_columns(stub, key), b"", None)
        taken = [key for key in unknown if key not in wanted.by_fingerprint]
        if taken:  # another node was faster; it has committed, or the insert would still wait for it
            wanted.take(_FIND.rows(self._connection, taken))

    def _take_conversations(self, found: Iterable[AnyRow]) -> None:
        loaded, vault = self._loaded, self._vault
        for row in found:
            key = key_of_conversation(vault, row)
            conversation, kept = rows.conversation_from(row[:CONVERSATION_WIDTH], key)
            loaded.conversations[conversation.id] = conversation
            self._conversations[conversation.id] = kept
            if row[CONVERSATION_WIDTH] is not None:
                customer, kept = rows.customer_from(row[CONVERSATION_WIDTH:CONVERSATIONS_WIDTH], key)
                loaded.customers[customer.id] = customer
                self._customers[customer.id] = kept
                self._keys[customer.id] = key

    def _load_cases(self, ids: list[int], wanted: "_Wanted") -> None:
        if not ids:
            return
        self._take_cases(_ACTIVE.rows(self._connection, ids))
        about = {self._loaded.conversations[id_].case_id for id_ in wanted.looked_up} - {None}
        missing = (wanted.cases | about) - self._loaded.cases.keys()
        if missing:  # wanted ones that are no longer active, or do not exist
            self._take_cases(_BY_ID.rows(self._connection, list(missing)))
        others = {it.customer_id for it in self._loaded.cases.values()} - self._loaded.customers.keys()
        if others:  # whose chat was joined to another one, or who are erased
            for row in _CUSTOMERS_BY_ID.rows(self._connection, sorted(others)):
                customer, self._customers[row[0]] = rows.customer_from(row, self._keys[row[0]])
                self._loaded.customers[customer.id] = customer

    def _take_cases(self, found: Iterable[AnyRow]) -> None:
        for row in found:
            if row[2] not in self._conversations:
                raise Again("a conversation turned to another case")
            *columns, data_key = row
            customer_id = columns[3]
            key = self._keys[customer_id] = self._vault.key_of(customer_id, data_key)
            case, kept = rows.case_from(columns, key)
            self._loaded.add_case(case)
            self._cases[case.id] = kept

    def _load_timers(self, wants: Sequence[Want]) -> None:
        timers = {want.timer for want in wants if want.timer is not None}
        if timers:
            for subject, name, due_at in _TIMERS.rows(self._connection, sorted({subject for subject, _ in timers})):
                if (subject, name) in timers:
                    self._loaded.timers[subject, name] = from_ms(due_at)

    def _load_letters(self, wants: Sequence[Want], wanted: "_Wanted") -> None:
        ids = {want.conversation_id for want in wants if want.parked and want.conversation_id is not None}
        addresses = [want.address for want in wants if want.parked and want.address is not None]
        ids.update(wanted.by_fingerprint[wanted.fingerprints[it.channel, it.chat]] for it in addresses)
        if ids:
            ids = {wanted.aliases.get(id_, id_) for id_ in ids}
            self._loaded.letters = outbox.parked(self._connection, sorted(ids), self._vault)

    def _load_codes(self, codes: Mapping[str, str]) -> None:
        """Look again: whoever had the lock before may have used a code."""
        for digest, id_ in joining.issuers(self._connection, codes, self._now_ms).items():
            if id_ not in self._conversations:
                raise Again("a code was issued meanwhile")
            self._loaded.codes[codes[digest]] = id_

    def _load_staff(self) -> None:
        # A member of the staff, or a stranger who may be about to become one, must meet the staff as it is now.
        fresh = any(it.staff_id is not None or it.customer_id is None for it in self._loaded.conversations.values())
        for it in self._staff.load(self._connection, self._now_ms, fresh=fresh):
            self._loaded.staff[it.id] = it
            self._staff_rows[it.id] = rows.staff_columns(it)

    # --- writing ---

    def flush(self, changes: Changes, *, sends: bool = True) -> list[Letter]:
        """Write everything that was changed, and return the letters that this process may send at once.

        Those are leased to this process for 30 s from now, in the order to be sent; the others wait for `claim`. A
        process that does not send says so; then all wait. Objects that are as they were loaded are not written. Raises
        `Again`.
        """
        moved = self._moved(changes.joins)
        cases = {it.id: it for it in changes.cases}
        for event in changes.events:
            cases.setdefault(event.case_id, self._case(event.case_id, cases))
        self._write_customers(changes.customers)
        self._write_conversations(changes.conversations)
        self._write_journal(changes.events, cases)
        self._write_cases(cases.values())
        self._write_staff(changes.staff)
        self._write_evidence(changes)
        self._write_timers(changes.timers)
        self.ledger.duties.write(changes.duties)
        purse.grant(self._connection, changes.credits, self._now_ms, self._vault)
        outbox.tell(self._connection, changes.told)
        cards.retire(self._connection, changes.retired)
        joining.keep(self._connection, changes.codes, self._vault)
        outbox.grow(self._connection, changes.grown, self._vault)
        direct = self._post(changes.letters, sends=sends)
        joining.join(self._connection, changes.joins, moved, self._vault)  # last: this moves what was written just now
        return direct

    def _moved(self, joins: Sequence[Join]) -> dict[int, int]:
        if any(not {it.source, it.target} <= self._loaded.conversations.keys() for it in joins):
            raise LookupError("conversations that are joined must be loaded, or they are not locked")
        moved = joining.moves(joins, self._moves)
        self._moves |= moved
        return moved

    def settle(self, outcomes: Sequence[Settled]) -> None:
        """Record what became of letters. Whoever lost the lease meanwhile changes nothing."""
        self.after_commit += outbox.settle(
            self._connection, outcomes, self._now_ms, self._vault, self._ids, self._in_flight
        )

    def _case(self, case_id: int, changed: dict[int, Case]) -> Case:
        case = changed.get(case_id) or self._loaded.cases.get(case_id)
        if case is None:
            raise LookupError(f"case {case_id} has an event but was not loaded")
        return case

    def _write_customers(self, customers: Iterable[Customer]) -> None:
        new, changed = [], []
        erased: dict[int, bytes] = {}
        for it in {it.id: it for it in customers}.values():
            kept = self._customers.get(it.id)
            columns, words = rows.customer_columns(it), rows.customer_words(it)
            if it.erased:
                key, words = None, b""
                if kept is not None and kept.columns[0] is not None:
                    erased[it.id] = kept.columns[0]
            else:
                key = self._vault.key_of(it.id, it.key)
            self._keys[it.id] = key
            if kept is not None and kept.columns == columns and kept.words == words:
                continue
            sealed = key.seal(words, b"customer:%d:words" % it.id) if key is not None else None
            if kept is None:
                new.append((it.id, *columns, sealed))
            else:
                changed.append((*columns, sealed, it.id))
            self._customers[it.id] = Kept(columns, words, sealed)
        _NEW_CUSTOMERS.run(self._connection, new)
        _CUSTOMERS.run(self._connection, changed)
        if erased:
            self._erase(erased)

    def _erase(self, customers: Mapping[int, bytes]) -> None:
        """Drop what is left of the words of these people (customer and wrapped key), in whichever chat they were said.

        The cases of a chat that was joined have a key of their own, which is destroyed too. What the trays hold is
        dropped: the desk's key, which is not destroyed, opens it.
        """
        people = {it.conversation_id for it in self._loaded.cases.values() if it.customer_id in customers}
        people.update(
            id_
            for id_, kept in self._conversations.items()
            if not customers.keys().isdisjoint((kept.columns[4], self._loaded.conversations[id_].customer_id))
        )
        people.update(id_ for id_ in self._moves if joining.followed(id_, self._moves) in people)
        chats = [self._conversations[id_].columns[0] for id_ in people if id_ in self._conversations]
        chats += joining.aliases_of(self._connection, people)
        cases = {it.id for it in self._loaded.cases.values() if it.conversation_id in people}
        keys = dict(customers)
        for case_id, customer_id, data_key in _OF_PEOPLE.rows(self._connection, sorted(people)) if people else ():
            cases.add(case_id)
            if data_key is not None:
                keys[customer_id] = data_key
        outbox.erase(self._connection, chats, sorted(cases))
        cards.erase(self._connection, chats, sorted(cases))
        inbox.erase(self._connection, chats)
        _DESTROY.run(self._connection, [(id_,) for id_ in sorted(keys.keys() - customers.keys())])
        for id_, wrapped in keys.items():
            self._keys[id_] = None
            if id_ in self._loaded.customers:
                self._loaded.customers[id_].erased = True
            self.after_commit.append(partial(self._vault.forget, id_, wrapped))

    def _write_conversations(self, conversations: Iterable[Conversation]) -> None:
        new, changed = [], []
        for it in {it.id: it for it in conversations}.values():
            kept = self._conversations.get(it.id)
            words = rows.conversation_words(it)
            columns = rows.conversation_columns(it, self._fingerprint(it, kept))
            if kept is not None and kept.columns == columns and kept.words == words:
                continue
            customer_id = it.customer_id
            key = self._vault.desk if customer_id is None else self._keys.get(customer_id)
            sealed = kept.sealed if kept is not None else None
            if kept is None or sealed is None or kept.words != words or kept.columns[4] != customer_id:
                sealed = key.seal(words, b"conversation:%d:words" % it.id) if key is not None else None
            if kept is None:
                new.append(rows.new_conversation(it, columns, sealed))
            else:
                changed.append((*columns, sealed, it.id))
            self._conversations[it.id] = Kept(columns, words, sealed)
        _NEW_CONVERSATIONS.run(self._connection, new)
        _CONVERSATIONS.run(self._connection, changed)

    def _fingerprint(self, it: Conversation, kept: Kept | None) -> str:
        """Return the fingerprint of where the conversation takes place, which may have moved.

        Where its person has joined several chats it keeps its own place, whichever it is told in.
        """
        if kept is not None and not it.words.chat:  # the words were erased; the chat is still the same
            return str(kept.columns[0])
        fingerprint = self._vault.fingerprint(it.channel, it.words.chat or f"\0{it.id}")
        if kept is None or kept.columns[0] == fingerprint:
            return fingerprint
        owner = self._at.get(fingerprint) or joining.owner(self._connection, fingerprint)
        if owner is None or joining.followed(owner, self._moves) != joining.followed(it.id, self._moves):
            return fingerprint
        return str(kept.columns[0])

    def _write_journal(self, events: Sequence[Event], cases: dict[int, Case]) -> None:
        secret = self._vault.journal_secret
        written = []
        for it in events:
            case = cases[it.case_id]
            key = self._key_of(case) if it.words else None
            seq = case.seq + 1
            sealed = rows.seal_json(key, it.words, b"journal:%d.%d:words" % (case.id, seq))
            digest = sha256(sealed).digest() if sealed is not None else None
            at, facts = to_ms(it.at), rows.to_json(it.facts).decode() if it.facts else "{}"
            mac = journal.link(secret, case.head, case.id, seq, at, it.name, it.actor, it.clause, facts, digest)
            written.append((case.id, seq, at, it.name, it.actor, it.clause, facts, sealed, digest, mac))
            case.seq, case.head = seq, mac
        _JOURNAL.run(self._connection, written)

    def _key_of(self, case: Case) -> Key | None:
        try:
            return self._keys[case.customer_id]
        except KeyError:
            raise LookupError(f"customer {case.customer_id} of case {case.id} was not loaded") from None

    def _write_cases(self, cases: Iterable[Case]) -> None:
        new, changed = [], []
        for it in cases:
            kept = self._cases.get(it.id)
            columns, words = rows.case_columns(it, kept), rows.case_words(it)
            if kept is not None and kept.columns == columns and kept.words == words:
                continue
            key = self._key_of(it)
            sealed = kept.sealed if kept is not None else None
            if kept is None or kept.words != words or key is None:
                sealed = key.seal(words, b"complaint_case:%d:words" % it.id) if key is not None else None
            if kept is None:
                new.append(rows.new_case(it, columns, sealed))
            else:
                changed.append((*columns, sealed, it.id))
            self._cases[it.id] = Kept(columns, words, sealed)
        _NEW_CASES.run(self._connection, new)
        _CASE_ROWS.run(self._connection, changed)

    def _write_staff(self, staff: Iterable[Staff]) -> None:
        changed = {it.id: (rows.staff_columns(it), self._staff_rows.get(it.id)) for it in staff}
        changed = {id_: (columns, was) for id_, (columns, was) in changed.items() if columns != was}
        if changed:
            self._staff.write(self._connection, changed)
            self._staff_rows.update((id_, columns) for id_, (columns, _) in changed.items())
            self.after_commit.append(self._staff.forget)

    def _write_evidence(self, changes: Changes) -> None:
        files = {it.id: it for it in changes.evidence}.values()
        if not files:
            return
        keys = {case.id: self._keys.get(case.customer_id) for case in (*self._loaded.cases.values(), *changes.cases)}
        unknown = sorted({it.case_id for it in files} - keys.keys())  # a file of a case that is no longer active
        if unknown:
            for case_id, customer_id, data_key in _KEYS_OF_CASES.rows(self._connection, unknown):
                keys[case_id] = self._vault.key_of(customer_id, data_key)
        _EVIDENCE.run(self._connection, [rows.evidence_row(it, keys.get(it.case_id)) for it in files])

    def _write_timers(self, timers: Iterable[Timer]) -> None:
        last = {(it.subject, it.name): it for it in timers}
        gone = sorted(key for key, it in last.items() if it.due_at is None)
        kept = [(*key, it.conversation_id, to_ms(it.due_at)) for key, it in last.items() if it.due_at is not None]
        _NO_TIMER.run(self._connection, gone)
        _TIMER.run(self._connection, sorted(kept))

    def _post(self, letters: Sequence[Letter], *, sends: bool) -> list[Letter]:
        if not letters:
            return []
        direct, after_commit = outbox.post(
            self._connection, letters, self._now_ms, self._vault, self._ids, self._in_flight, sends=sends
        )
        self.after_commit += after_commit
        return direct


@dataclass(slots=True)
class _Wanted:
    """What the commands want, found but not locked yet."""

    fingerprints: dict[tuple[str, str], str] = field(default_factory=dict)
    by_fingerprint: dict[str, int] = field(default_factory=dict)
    looked_up: set[int] = field(default_factory=set)
    aliases: dict[int, int] = field(default_factory=dict)
    codes: dict[str, str] = field(default_factory=dict)
    conversations: set[int] = field(default_factory=set)
    cases: set[int] = field(default_factory=set)

    def take(self, found: Iterable[Any]) -> None:
        """Take in conversations, and with each the conversation of the case that it is about."""
        for row in found:
            id_, target, about = row[0], row[-2], row[-1]
            self.by_fingerprint[row[1]] = target or id_
            if target is not None:
                self.aliases[id_] = target
                continue
            self.looked_up.add(id_)
            self.conversations.add(id_)
            if about is not None:
                self.conversations.add(about)
