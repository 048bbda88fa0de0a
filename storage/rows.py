"""Objects of the core and their rows.

Everything that knows the order of columns lives here. `*_COLUMNS` is what is selected, `*_CHANGING` what an update
writes. Sealed words are bound to their row by `place`.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from pydantic import TypeAdapter

from complaints.case import Case, CaseFacts, CaseWords
from complaints.conversation import Consent, Conversation, Customer, Dialogue, EvidenceFile, Profile, Staff, StaffFacts
from complaints.events import Event
from complaints.messages import (
    Address,
    CallOut,
    Enclosure,
    Fetch,
    IncomingMessage,
    LateNews,
    OutgoingMessage,
    PressAnswer,
    Revision,
)
from complaints.ports import Card, Letter, Priority
from storage import tables
from storage.moments import from_ms, from_ms_or_none, to_ms, to_ms_or_none
from storage.sealing import Key, Vault
from storage.statements import AnyRow, Values

# The cores of pydantic's adapters, called directly: a third of the work is in the methods around them.
_ANY: Final = TypeAdapter(Any)
_JSON: Final = _ANY.serializer.to_json
_DIALOGUE: Final = TypeAdapter(Dialogue)
_PROFILE: Final = TypeAdapter(Profile)
_FACTS: Final = TypeAdapter(CaseFacts)
_WORDS: Final = TypeAdapter(CaseWords)
_STAFF_FACTS: Final = TypeAdapter(StaffFacts)


def to_json(value: object) -> bytes:
    """Return a JSON value as UTF-8 text."""
    return _JSON(value)


def place(table: str, row: object, column: str = "words") -> bytes:
    """Return the place that sealed words are bound to."""
    return f"{table}:{row}:{column}".encode()


def seal_json(key: Key | None, words: dict[str, Any], where: bytes) -> bytes | None:
    """Return sealed words; None if there are none, or no key any more."""
    return key.seal(_JSON(words), where) if words and key is not None else None


def open_json(key: Key | None, sealed: bytes | None, where: bytes) -> dict[str, Any]:
    """Return words as they were sealed; none if there are none, or no key any more. Raises `Unreadable`."""
    if sealed is None or key is None:
        return {}
    words: dict[str, Any] = json.loads(key.open(sealed, where))
    return words


@dataclass(slots=True)
class Kept:
    """What the database holds of an object: its open columns, and the words both plain and sealed."""

    columns: Values
    words: bytes
    sealed: bytes | None


# --- conversations ---------------------------------------------------------------------------------------------------

_C = tables.conversation.c
#: All but `alias_of`: an alias is never loaded as a conversation.
CONVERSATION_COLUMNS: Final = tuple(column for column in _C if column is not _C.alias_of)
CONVERSATION_CHANGING: Final = (
    "key", "channel", "state", "turn", "customer_id", "staff_id", "case_id", "reachable", "heard_at", "sealed",
)  # fmt: skip


def conversation_from(row: Sequence[Any], key: Key | None) -> tuple[Conversation, Kept]:
    """Return a conversation; `key` is its customer's, or the desk's. Without a key its words are empty."""
    id_, fingerprint, channel, state, turn, customer_id, staff_id, case_id, reachable, heard_at, sealed = row
    words = b"" if sealed is None or key is None else key.open(sealed, b"conversation:%d:words" % id_)
    conversation = Conversation(
        id=id_,
        channel=channel,
        state=state,
        turn=turn,
        customer_id=customer_id,
        staff_id=staff_id,
        case_id=case_id,
        reachable=bool(reachable),
        heard_at=from_ms_or_none(heard_at),
        words=_DIALOGUE.validator.validate_json(words) if words else Dialogue(),
    )
    return conversation, Kept(
        (fingerprint, channel, state, turn, customer_id, staff_id, case_id, reachable, heard_at), words, sealed
    )


def conversation_columns(it: Conversation, fingerprint: str) -> Values:
    """Return the columns that an update writes, but for the words."""
    heard_at = to_ms_or_none(it.heard_at)
    return fingerprint, it.channel, it.state, it.turn, it.customer_id, it.staff_id, it.case_id, it.reachable, heard_at


def conversation_words(it: Conversation) -> bytes:
    """Return the words of a conversation as they are sealed."""
    return _DIALOGUE.serializer.to_json(it.words, exclude_defaults=True)


def new_conversation(it: Conversation, columns: Values, sealed: bytes | None) -> Values:
    """Return a whole row."""
    return it.id, *columns, sealed, None


# --- customers -------------------------------------------------------------------------------------------------------

CUSTOMER_COLUMNS: Final = tuple(tables.customer.c)
CUSTOMER_CHANGING: Final = ("data_key", "consent", "sealed")


def customer_from(row: Sequence[Any], key: Key | None) -> tuple[Customer, Kept]:
    """Return a customer; one without a key is erased."""
    id_, data_key, consent, sealed = row
    words = b"" if sealed is None or key is None else key.open(sealed, b"customer:%d:words" % id_)
    customer = Customer(
        id=id_,
        key=data_key or b"",
        consent=Consent.model_validate_json(consent) if consent else None,
        profile=_PROFILE.validator.validate_json(words) if words else Profile(),
        erased=key is None,
    )
    return customer, Kept((data_key, consent), words, sealed)


def customer_columns(it: Customer) -> Values:
    """Return the columns that an update writes, but for the words. Of an erased customer no key remains."""
    return None if it.erased else it.key, it.consent.model_dump_json() if it.consent else None


def customer_words(it: Customer) -> bytes:
    """Return the words of a customer as they are sealed."""
    return _PROFILE.serializer.to_json(it.profile, exclude_defaults=True)


# --- cases -----------------------------------------------------------------------------------------------------------

CASE_COLUMNS: Final = tuple(tables.complaint_case.c)
CASE_CHANGING: Final = (
    "state", "type", "department", "owner_id", "urgent", "cycle", "active", "open", "seq", "head", "next_due_at",
    "facts", "sealed",
)  # fmt: skip


def case_from(row: Sequence[Any], key: Key | None) -> tuple[Case, Kept]:
    """Return a case; `key` is its customer's. Without a key its words are empty."""
    (
        id_, number, conversation_id, customer_id, policy, channel, opened_at,
        state, type_, department, owner_id, urgent, cycle, active, open_, seq, head, next_due_at, facts, sealed,
    ) = row  # fmt: skip
    words = b"" if sealed is None or key is None else key.open(sealed, b"complaint_case:%d:words" % id_)
    case = Case(
        id=id_,
        number=number,
        conversation_id=conversation_id,
        customer_id=customer_id,
        policy=policy,
        channel=channel,
        opened_at=from_ms(opened_at),
        state=state,
        type=type_,
        department=department,
        owner_id=owner_id,
        urgent=bool(urgent),
        cycle=cycle,
        active=bool(active),
        open=bool(open_),
        seq=seq,
        head=head,
        facts=_FACTS.validator.validate_json(facts),
        words=_WORDS.validator.validate_json(words) if words else CaseWords(),
    )
    columns = state, type_, department, owner_id, urgent, cycle, active, open_, seq, head, next_due_at, facts
    return case, Kept(columns, words, sealed)


def case_columns(it: Case, kept: Kept | None) -> Values:
    """Return the columns that an update writes, but for the words. `kept` spares what follows from the same facts."""
    facts = _FACTS.serializer.to_json(it.facts, exclude_defaults=True).decode()
    next_due_at = kept.columns[-2] if kept is not None and kept.columns[-1] == facts else _next_due_at(it)
    return (
        it.state,
        it.type,
        it.department,
        it.owner_id,
        it.urgent,
        it.cycle,
        it.active,
        it.open,
        it.seq,
        it.head,
        next_due_at,
        facts,
    )


def _next_due_at(case: Case) -> int:
    due = [clock.due_at for clock in case.facts.clocks.values() if clock.running and clock.paused_at is None]
    return to_ms(min(due)) if due else tables.NEVER


def case_words(it: Case) -> bytes:
    """Return the words of a case as they are sealed."""
    return _WORDS.serializer.to_json(it.words, exclude_defaults=True)


def new_case(it: Case, columns: Values, sealed: bytes | None) -> Values:
    """Return a whole row."""
    opened_at = to_ms(it.opened_at)
    return (
        it.id, it.number, it.conversation_id, it.customer_id, it.policy, it.channel, opened_at, *columns, sealed,
    )  # fmt: skip


# --- staff -----------------------------------------------------------------------------------------------------------

STAFF_CHANGING: Final = (
    "name", "roles", "language", "conversation_id", "code_hash", "code_until", "active", "person", "facts",
)  # fmt: skip


def staff_from(row: Sequence[Any], channel: str | None, chat: str) -> Staff:
    """Return a member of the staff; channel and chat come from the conversation they are bound to."""
    id_, name, roles, language, conversation_id, code_hash, code_until, active, person, facts = row
    return Staff(
        id=id_,
        name=name,
        roles=json.loads(roles),
        language=language,
        conversation_id=conversation_id,
        chat=chat,
        channel=channel or "",
        code_hash=code_hash,
        code_until=from_ms_or_none(code_until),
        active=bool(active),
        person=person,
        facts=_STAFF_FACTS.validator.validate_json(facts),
    )


def staff_columns(it: Staff) -> Values:
    """Return the columns that an update writes."""
    code_until = to_ms_or_none(it.code_until)
    facts = _STAFF_FACTS.serializer.to_json(it.facts, exclude_defaults=True).decode()
    return (
        it.name, _JSON(it.roles).decode(), it.language, it.conversation_id, it.code_hash, code_until, it.active,
        it.person, facts,
    )  # fmt: skip


# --- evidence --------------------------------------------------------------------------------------------------------

EVIDENCE_COLUMNS: Final = tuple(tables.evidence.c)


def evidence_from(row: Sequence[Any], key: Key | None) -> EvidenceFile:
    """Return a file's record; `key` is the customer's. Without a key its words are empty."""
    id_, case_id, conversation_id, kind, at, state, size, mime, sha256, path, sealed = row
    return EvidenceFile(
        id=id_,
        case_id=case_id,
        conversation_id=conversation_id,
        kind=kind,
        at=from_ms(at),
        state=state,
        size=size,
        mime=mime,
        sha256=sha256,
        path=path,
        words=open_json(key, sealed, place("evidence", id_)),
    )


def evidence_row(it: EvidenceFile, key: Key | None) -> Values:
    """Return a whole row."""
    sealed = seal_json(key, it.words, place("evidence", it.id))
    at = to_ms(it.at)
    return (
        it.id, it.case_id, it.conversation_id, it.kind, at, it.state, it.size, it.mime, it.sha256, it.path, sealed,
    )  # fmt: skip


# --- the journal -----------------------------------------------------------------------------------------------------


def event_from(row: AnyRow, key: Key | None) -> Event:
    """Return an event from a row of (case_id, seq, at, name, actor, clause, facts, sealed)."""
    case_id, seq, at, name, actor, clause, facts, sealed = row
    return Event(
        case_id=case_id,
        name=name,
        at=from_ms(at),
        actor=actor,
        clause=clause,
        facts=json.loads(facts),
        words=open_json(key, sealed, place("journal", f"{case_id}.{seq}")),
    )


# --- letters and messages --------------------------------------------------------------------------------------------

_BODIES: Final[dict[type, tuple[bytes, TypeAdapter[Any]]]] = {  # Any: seven types behind one table
    OutgoingMessage: (b"m", TypeAdapter(OutgoingMessage)),
    LateNews: (b"l", TypeAdapter(LateNews)),
    Enclosure: (b"e", TypeAdapter(Enclosure)),
    Fetch: (b"f", TypeAdapter(Fetch)),
    CallOut: (b"c", TypeAdapter(CallOut)),
    PressAnswer: (b"p", TypeAdapter(PressAnswer)),
    Revision: (b"r", TypeAdapter(Revision)),
}
_READERS: Final = dict(_BODIES.values())
_MESSAGE: Final = TypeAdapter(IncomingMessage)
_ADDRESS_END: Final = b"\n"

_O = tables.outbox.c
LETTER_COLUMNS: Final = (
    _O.id, _O.key, _O.channel, _O.conversation_id, _O.case_id, _O.priority, _O.unasked, _O.due_at, _O.attempts,
    _O.card, _O.sealed,
)  # fmt: skip


def letter_from(row: Sequence[Any], vault: Vault) -> Letter:
    """Return a letter with its address, both unsealed. Raises `Unreadable`."""
    id_, key, channel, conversation_id, case_id, priority, unasked, due_at, attempts, card, sealed = row
    plain = vault.desk.open(sealed, b"outbox:%d:body" % id_)
    address, _, body = plain[1:].partition(_ADDRESS_END)
    chat, group = json.loads(address)
    return Letter(
        id=id_,
        address=Address(channel=channel, chat=chat, group=group),
        body=_READERS[plain[:1]].validate_json(body),
        priority=Priority(priority),
        due_at=from_ms(due_at),
        conversation_id=conversation_id,
        case_id=case_id,
        unasked=bool(unasked),
        key=key or "",
        card=bool(card),
        attempts=attempts,
    )


def sealed_letter(letter: Letter, vault: Vault) -> bytes:
    """Return the body of a letter and its address, sealed."""
    mark, adapter = _BODIES[type(letter.body)]
    address = _JSON([letter.address.chat, letter.address.group])
    body = adapter.dump_json(letter.body, exclude_defaults=True)
    return vault.desk.seal(mark + address + _ADDRESS_END + body, b"outbox:%d:body" % letter.id)


def card_row(id_: int, letter: Letter, ref: str, at: int, vault: Vault) -> Values:
    """Return a whole row for the letter that lies in its recipient's chat under `ref`."""
    address = letter.address
    sealed = vault.desk.seal(_JSON([address.chat, address.group, ref]), place("card", id_))
    return id_, letter.case_id, address.channel, vault.fingerprint(address.channel, address.chat), sealed, at


def card_from(row: Sequence[Any], vault: Vault) -> Card:
    """Return a card from a row of (id, case_id, channel, sealed). Raises `Unreadable`."""
    id_, case_id, channel, sealed = row
    chat, group, ref = json.loads(vault.desk.open(sealed, place("card", id_)))
    return Card(id=id_, case_id=case_id, address=Address(channel=channel, chat=chat, group=group), ref=ref)


def sealed_message(message: IncomingMessage, vault: Vault) -> bytes:
    """Return an incoming message, sealed for the inbox."""
    return vault.desk.seal(_MESSAGE.dump_json(message, exclude_defaults=True), place("inbox", message.key))


def message_from(key: str, sealed: bytes, vault: Vault) -> IncomingMessage:
    """Return a message of the inbox. Raises `Unreadable`."""
    message: IncomingMessage = _MESSAGE.validate_json(vault.desk.open(sealed, place("inbox", key)))
    return message
