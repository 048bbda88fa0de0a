"""The read side: questions beyond the conversation at hand, and what the console and the command line show."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import BigInteger, Connection, bindparam, func, or_, select

from complaints.case import Case
from complaints.conversation import Conversation, Customer, EvidenceFile, Staff
from complaints.duties import DutyRun
from complaints.events import Event
from complaints.messages import IncomingMessage
from complaints.ports import Card, Letter
from storage import cards, rows, tables
from storage.duties import Duties
from storage.moments import from_ms, from_ms_or_none, to_ms
from storage.sealing import Key, Unreadable, Vault
from storage.statements import AnyRow, AnySelect, Many

_C = tables.complaint_case.c
_DATA_KEY = tables.customer.c.data_key
_CASES: Final = select(*rows.CASE_COLUMNS, tables.customer.c.data_key).select_from(
    tables.complaint_case.outerjoin(tables.customer, tables.customer.c.id == _C.customer_id)
)
_CASES_OF: Final = (
    _CASES.where(_C.conversation_id == bindparam("conversation_id")).order_by(_C.id.desc()).limit(bindparam("limit"))
)
_OPEN: Final = (
    _CASES.where(_C.open.is_(True))
    .order_by(_C.urgent.desc(), _C.next_due_at, _C.id)
    .limit(bindparam("limit", type_=BigInteger))
)
_OWNED: Final = _CASES.where(_C.open.is_(True), _C.owner_id == bindparam("staff_id")).order_by(_C.id)
_OPENED: Final = _CASES.where(_C.opened_at >= bindparam("since"), _C.opened_at < bindparam("until")).order_by(_C.id)
_LATEST: Final = _CASES.order_by(_C.opened_at.desc(), _C.id.desc()).limit(bindparam("limit"))
_BY_NUMBER: Final = _CASES.where(_C.number == bindparam("number"))
_BY_ID: Final = _CASES.where(_C.id == bindparam("id"))
_HEADS: Final = (
    select(_C.id, _C.number, _C.seq, _C.head)
    .where(
        _C.id.in_(
            select(tables.journal.c.case_id)
            .where(tables.journal.c.at >= bindparam("since"), tables.journal.c.at < bindparam("until"))
            .distinct()
        )
    )
    .order_by(_C.id)
)

_E = tables.evidence.c
_EVIDENCE: Final = select(*rows.EVIDENCE_COLUMNS, _C.customer_id, tables.customer.c.data_key).select_from(
    tables.evidence.outerjoin(tables.complaint_case, _C.id == _E.case_id).outerjoin(
        tables.customer, tables.customer.c.id == _C.customer_id
    )
)
_EVIDENCE_OF: Final = _EVIDENCE.where(_E.case_id == bindparam("case_id")).order_by(_E.id)
_EVIDENCE_BY_ID: Final = _EVIDENCE.where(_E.id == bindparam("id"))

_J = tables.journal.c
_JOURNAL: Final = (
    select(_J.case_id, _J.seq, _J.at, _J.name, _J.actor, _J.clause, _J.facts, _J.sealed)
    .where(_J.case_id == bindparam("case_id"))
    .order_by(_J.seq)
)
_HANDLED: Final = Many(
    lambda ids: (
        select(_J.case_id).where(_J.case_id.in_(ids), _J.actor == bindparam("actor"), _J.name != "viewed").distinct()
    ),
    "actor",
)
_KEY_OF_CASE: Final = select(_C.customer_id, tables.customer.c.data_key).where(
    _C.id == bindparam("id"), tables.customer.c.id == _C.customer_id
)

_A: Final = tables.conversation.alias("address")
CONVERSATIONS: Final = select(*rows.CONVERSATION_COLUMNS, *rows.CUSTOMER_COLUMNS).select_from(
    tables.conversation.outerjoin(tables.customer, tables.customer.c.id == tables.conversation.c.customer_id)
)
_TARGET: Final = select(func.coalesce(_A.c.alias_of, _A.c.id)).where(_A.c.id == bindparam("id")).scalar_subquery()
CUSTOMER: Final = select(*rows.CUSTOMER_COLUMNS)
_CONVERSATION: Final = CONVERSATIONS.where(tables.conversation.c.id == _TARGET)
#: How many columns of a row of `CONVERSATIONS` are the conversation's own.
CONVERSATION_WIDTH: Final = len(rows.CONVERSATION_COLUMNS)
CONVERSATIONS_WIDTH: Final = CONVERSATION_WIDTH + len(rows.CUSTOMER_COLUMNS)

STAFF: Final = (
    select(tables.staff, *(tables.conversation.c[name] for name in ("channel", "sealed", "customer_id")), _DATA_KEY)
    .select_from(
        tables.staff.outerjoin(
            tables.conversation, tables.conversation.c.id == tables.staff.c.conversation_id
        ).outerjoin(tables.customer, tables.customer.c.id == tables.conversation.c.customer_id)
    )
    .order_by(tables.staff.c.id)
)

_DEAD_LETTERS: Final = (
    select(*rows.LETTER_COLUMNS, tables.outbox.c.error)
    .where(tables.outbox.c.state == tables.DEAD)
    .order_by(tables.outbox.c.id)
    .limit(bindparam("limit"))
)
_DEAD_HEARS: Final = (
    select(tables.inbox.c.key, tables.inbox.c.received_at, tables.inbox.c.sealed, tables.inbox.c.error)
    .where(tables.inbox.c.state == tables.DEAD)
    .order_by(tables.inbox.c.received_at)
    .limit(bindparam("limit"))
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """A letter that nobody will try to deliver again by itself, and why."""

    letter: Letter
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadHear:
    """A message that could not be served, and why. `message` is None where even its seal is broken."""

    key: str
    received_at: datetime
    message: IncomingMessage | None
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Trays:
    """What lies in the trays: counts, and the due date of the oldest that waits."""

    inbox_waiting: int
    inbox_dead: int
    outbox_waiting: int
    outbox_dead: int
    outbox_parked: int
    inbox_oldest_at: datetime | None
    outbox_oldest_at: datetime | None
    next_timer_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The end of one case's chain, to be sealed outside the database."""

    case_id: int
    number: str
    seq: int
    head: bytes


class SqlLedger:
    """Answers from one connection, in the transaction that connection is in.

    Inside a unit, cases already loaded are returned as the loaded objects; what it has not flushed yet is not found.
    """

    def __init__(self, connection: Connection, vault: Vault, cases: Mapping[int, Case] | None = None) -> None:
        self._connection = connection
        self._vault = vault
        self._cases = {} if cases is None else cases
        self.duties = Duties(connection, vault)

    def _run(self, statement: AnySelect, **values: object) -> Sequence[AnyRow]:
        return self._connection.execute(statement, values).fetchall()

    def _case(self, row: AnyRow) -> Case:
        known = self._cases.get(row[0])
        return known or rows.case_from(row[:-1], self._vault.key_of(row[3], row[-1]))[0]

    # the port

    def cases_of(self, conversation_id: int, limit: int) -> list[Case]:
        """Return the latest cases of a conversation, finished ones too, newest first."""
        return [self._case(row) for row in self._run(_CASES_OF, conversation_id=conversation_id, limit=limit)]

    def open_cases(self, roles: Sequence[str] | None, limit: int, *, member: int = 0) -> list[Case]:
        """Return open cases, urgent ones before others, the nearest deadline first.

        All, or those where these roles or this member may be named: what stands anywhere among the facts counts.
        """
        statement = _OPEN
        if roles is not None:
            words = [*(f'"{role}"' for role in roles), *([str(member)] if member else [])]
            named = (_C.facts.contains(word, autoescape=True) for word in words)
            statement = _OPEN.where(or_(_C.department.in_(roles), _C.owner_id == member, *named))
        return [self._case(row) for row in self._run(statement, limit=limit)]

    def owned(self, staff_id: int) -> list[Case]:
        """Return the open cases that this member of the staff owns, the oldest first."""
        return [self._case(row) for row in self._run(_OWNED, staff_id=staff_id)]

    def opened_between(self, since: datetime, until: datetime) -> list[Case]:
        """Return the cases that were opened from that moment on and before the other one."""
        return [self._case(row) for row in self._run(_OPENED, since=to_ms(since), until=to_ms(until))]

    def latest(self, limit: int) -> list[Case]:
        """Return the cases that were opened last, the newest first."""
        return [self._case(row) for row in self._run(_LATEST, limit=limit)]

    def handled_by(self, staff_id: int, case_ids: Sequence[int]) -> frozenset[int]:
        """Return those of the cases with which this member of the staff has done something, beside looking."""
        if not case_ids:
            return frozenset()
        return frozenset(row[0] for row in _HANDLED.rows(self._connection, case_ids, actor=f"staff:{staff_id}"))

    def open_duties(self) -> list[DutyRun]:
        """Return the duties that are to be done, the nearest date first."""
        return self.duties.open()

    def duty(self, duty_id: int) -> DutyRun | None:
        """Return one duty in one period."""
        return self.duties.one(duty_id)

    def last_duties(self) -> Mapping[str, datetime]:
        """Return when the latest period of each duty began, by the id in the policy."""
        return self.duties.last()

    def case_by_number(self, number: str) -> Case | None:
        """Return the case with this number."""
        return next((self._case(row) for row in self._run(_BY_NUMBER, number=number)), None)

    def evidence_of(self, case_id: int) -> list[EvidenceFile]:
        """Return the files of a case in the order they came."""
        return [self._file(row) for row in self._run(_EVIDENCE_OF, case_id=case_id)]

    def evidence(self, evidence_id: int) -> EvidenceFile | None:
        """Return one file's record."""
        return next((self._file(row) for row in self._run(_EVIDENCE_BY_ID, id=evidence_id)), None)

    def cards_of(self, case_id: int) -> list[Card]:
        """Return where cards of a case lie with buttons on them, in the order they were sent."""
        return cards.of_case(self._connection, case_id, self._vault)

    def _file(self, row: AnyRow) -> EvidenceFile:
        *columns, customer_id, data_key = row
        return rows.evidence_from(columns, self._vault.key_of(customer_id, data_key))

    # beyond the port

    def case(self, case_id: int) -> Case | None:
        """Return the case with this id."""
        return next((self._case(row) for row in self._run(_BY_ID, id=case_id)), None)

    def conversation(self, conversation_id: int) -> Conversation | None:
        """Return a conversation; where the id is that of a chat that was joined to another one, that other one."""
        for row in self._run(_CONVERSATION, id=conversation_id):
            return rows.conversation_from(row[:CONVERSATION_WIDTH], key_of_conversation(self._vault, row))[0]
        return None

    def customer(self, customer_id: int) -> Customer | None:
        """Return a customer."""
        for row in self._run(CUSTOMER.where(tables.customer.c.id == bindparam("id")), id=customer_id):
            return rows.customer_from(row, self._vault.key_of(row[0], row[1]))[0]
        return None

    def staff(self) -> list[Staff]:
        """Return all members of the staff, in the order they came."""
        return Chats(self._vault).staff(self._run(STAFF))

    def journal(self, case_id: int) -> list[Event]:
        """Return what happened to a case. Words of an erased customer are empty."""
        key = self._key_of_case(case_id)
        return [rows.event_from(row, key) for row in self._run(_JOURNAL, case_id=case_id)]

    def _key_of_case(self, case_id: int) -> Key | None:
        for customer_id, data_key in self._run(_KEY_OF_CASE, id=case_id):
            return self._vault.key_of(customer_id, data_key)
        return None

    def heads(self, since: datetime, until: datetime) -> list[Head]:
        """Return the ends of the chains that grew in [since, until)."""
        found = self._run(_HEADS, since=to_ms(since), until=to_ms(until))
        return [Head(case_id=id_, number=number, seq=seq, head=head) for id_, number, seq, head in found]

    def dead_letters(self, limit: int) -> list[DeadLetter]:
        """Return letters that were given up, the oldest first."""
        return [
            DeadLetter(letter=rows.letter_from(row[:-1], self._vault), error=row[-1])
            for row in self._run(_DEAD_LETTERS, limit=limit)
        ]

    def dead_hears(self, limit: int) -> list[DeadHear]:
        """Return messages that could not be served, the oldest first."""
        return [
            DeadHear(key=key, received_at=from_ms(received_at), message=self._message(key, sealed), error=error)
            for key, received_at, sealed, error in self._run(_DEAD_HEARS, limit=limit)
        ]

    def _message(self, key: str, sealed: bytes | None) -> IncomingMessage | None:
        try:
            return rows.message_from(key, sealed, self._vault) if sealed else None
        except Unreadable:  # shown without its words: the person who looks must learn that it is there
            return None

    def trays(self) -> Trays:
        """Count what lies in the trays."""
        inbox, outbox = tables.inbox.c, tables.outbox.c
        count = func.count()
        inbox_waiting, inbox_oldest = self._one(
            select(count, func.min(inbox.due_at)).where(inbox.state == tables.WAITING)
        )
        outbox_waiting, outbox_oldest = self._one(
            select(count, func.min(outbox.due_at)).where(outbox.state == tables.WAITING)
        )
        return Trays(
            inbox_waiting=inbox_waiting,
            inbox_dead=self._one(select(count).select_from(tables.inbox).where(inbox.state == tables.DEAD))[0],
            outbox_waiting=outbox_waiting,
            outbox_dead=self._one(select(count).select_from(tables.outbox).where(outbox.state == tables.DEAD))[0],
            outbox_parked=self._one(select(count).select_from(tables.outbox).where(outbox.state == tables.PARKED))[0],
            inbox_oldest_at=from_ms_or_none(inbox_oldest),
            outbox_oldest_at=from_ms_or_none(outbox_oldest),
            next_timer_at=from_ms_or_none(self._one(select(func.min(tables.timer.c.due_at)))[0]),
        )

    def _one(self, statement: AnySelect) -> AnyRow:
        return self._connection.execute(statement).one()


def key_of_conversation(vault: Vault, row: AnyRow) -> Key | None:
    """Return the key of a row of `CONVERSATIONS`: its customer's, or the desk's where it has none."""
    customer_id = row[5]
    return vault.desk if customer_id is None else vault.key_of(customer_id, row[CONVERSATION_WIDTH + 1])


class Chats:
    """The chats of the staff, unsealed once and again only where the sealed words have changed."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._known: dict[int, tuple[bytes, str]] = {}

    def staff(self, found: Sequence[AnyRow]) -> list[Staff]:
        """Return new objects from rows of `STAFF`."""
        return [rows.staff_from(row[:10], row[10], self._chat(row)) for row in found]

    def _chat(self, row: AnyRow) -> str:
        conversation_id, sealed, customer_id, data_key = row[4], *row[11:]
        if sealed is None:
            return ""
        known, chat = self._known.get(conversation_id, (None, ""))
        if known != sealed:
            # A member of the staff may have complained in the same chat before.
            key = self._vault.desk if customer_id is None else self._vault.key_of(customer_id, data_key)
            chat = str(rows.open_json(key, sealed, rows.place("conversation", conversation_id)).get("chat", ""))
            self._known[conversation_id] = sealed, chat
        return chat
