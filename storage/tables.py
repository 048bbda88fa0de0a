"""Every table, column and index, once; both databases are made from it.

Ids are made by the application (`Ids`). Columns ending in `_at` or `_until` are milliseconds since 1970, UTC. JSON that
may be counted is open text; what a person said or is lies in `sealed`. There are no foreign keys: on PostgreSQL their
checks lock rows of other conversations, and the conversation's own row must stay the only lock.
"""

from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    false,
    literal_column,
    text,
)

#: A due date that never comes (the end of the year 9999): it sorts last on both databases, which NULL does not.
NEVER: Final = 253_402_300_799_000

#: States as literals: a bound parameter would hide from both planners that a partial index fits.
SERVED: Final[ColumnElement[str]] = literal_column("'served'")
WAITING: Final[ColumnElement[str]] = literal_column("'waiting'")
DEAD: Final[ColumnElement[str]] = literal_column("'dead'")
PARKED: Final[ColumnElement[str]] = literal_column("'parked'")
ZERO: Final[ColumnElement[int]] = literal_column("0")

metadata: Final = MetaData(
    naming_convention={
        "pk": "%(table_name)s_pkey",
        "uq": "%(table_name)s_%(column_0_name)s_key",
        "ix": "%(column_0_label)s",
    }
)
#: On SQLite only INTEGER makes the primary key the row's own address; anything else costs a second tree.
_Id: Final = BigInteger().with_variant(Integer, "sqlite")
#: A table that changes all the time is vacuumed early.
_BUSY: Final[dict[str, Any]] = {
    "postgresql_with": {"autovacuum_vacuum_scale_factor": 0.02, "autovacuum_analyze_scale_factor": 0.02}
}
#: Rows that grow where they lie: room in the page spares the indexes an entry (PostgreSQL's HOT updates).
_ROOMY: Final[dict[str, Any]] = {"postgresql_with": {"fillfactor": 80, "autovacuum_vacuum_scale_factor": 0.05}}
#: Small rows found by key only lie in the key's own tree.
_BY_KEY: Final[dict[str, Any]] = {"sqlite_with_rowid": False}


def _id() -> Column[int]:
    return Column("id", _Id, primary_key=True, autoincrement=False)


def _where(condition: ColumnElement[bool]) -> dict[str, Any]:
    """Return the arguments that make an index partial on both databases."""
    return {"sqlite_where": condition, "postgresql_where": condition}


inbox: Final = Table(
    "inbox",
    metadata,
    Column("key", Text, primary_key=True),
    Column("state", Text, nullable=False),  # served, waiting, dead
    Column("received_at", BigInteger, nullable=False),
    Column("due_at", BigInteger, nullable=False),
    Column("attempts", SmallInteger, nullable=False),
    Column("chat", Text),  # fingerprint of the address while there is a payload
    Column("sealed", LargeBinary),
    Column("error", Text, nullable=False),
    **_BY_KEY,
)
Index("inbox_state_received_at", inbox.c.state, inbox.c.received_at)
Index("inbox_due_at", inbox.c.due_at, **_where(inbox.c.state == WAITING))
Index("inbox_chat", inbox.c.chat, **_where(inbox.c.chat.is_not(None)))

conversation: Final = Table(
    "conversation",
    metadata,
    _id(),
    Column("key", Text, nullable=False, unique=True),  # fingerprint of channel and chat
    Column("channel", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("turn", Integer, nullable=False),
    Column("customer_id", BigInteger),
    Column("staff_id", BigInteger),
    Column("case_id", BigInteger),
    Column("reachable", Boolean, nullable=False),
    Column("heard_at", BigInteger),
    Column("sealed", LargeBinary),
    Column("alias_of", BigInteger),  # this address belongs to that conversation, which is nobody's alias itself
    **_ROOMY,
)
Index("conversation_alias_of", conversation.c.alias_of, **_where(conversation.c.alias_of.is_not(None)))

customer: Final = Table(
    "customer",
    metadata,
    _id(),
    Column("data_key", LargeBinary),  # wrapped by the key ring; NULL once the customer is erased
    Column("consent", Text),
    Column("sealed", LargeBinary),
)

complaint_case: Final = Table(
    "complaint_case",
    metadata,
    _id(),
    Column("number", Text, nullable=False, unique=True),
    Column("conversation_id", BigInteger, nullable=False),
    Column("customer_id", BigInteger, nullable=False),
    Column("policy", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("opened_at", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("department", Text, nullable=False),
    Column("owner_id", BigInteger),
    Column("urgent", Boolean, nullable=False),
    Column("cycle", Integer, nullable=False),
    Column("active", Boolean, nullable=False),
    Column("open", Boolean, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("head", LargeBinary, nullable=False),
    Column("next_due_at", BigInteger, nullable=False),  # of the clocks that run now; NEVER if none does
    Column("facts", Text, nullable=False),
    Column("sealed", LargeBinary),
    **_ROOMY,
)
Index("complaint_case_conversation_id", complaint_case.c.conversation_id, complaint_case.c.id)
Index("complaint_case_opened_at", complaint_case.c.opened_at)
Index("complaint_case_active", complaint_case.c.conversation_id, **_where(complaint_case.c.active.is_(True)))
Index(
    "complaint_case_worklist",
    complaint_case.c.urgent.desc(),
    complaint_case.c.next_due_at,
    complaint_case.c.id,
    **_where(complaint_case.c.open.is_(True)),
)
Index(
    "complaint_case_department",
    complaint_case.c.department,
    complaint_case.c.next_due_at,
    **_where(complaint_case.c.open.is_(True)),
)
Index(
    "complaint_case_owner_id",
    complaint_case.c.owner_id,
    **_where(complaint_case.c.open.is_(True) & complaint_case.c.owner_id.is_not(None)),
)

journal: Final = Table(
    "journal",
    metadata,
    Column("case_id", BigInteger, primary_key=True, autoincrement=False),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("at", BigInteger, nullable=False),
    Column("name", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("clause", Text, nullable=False),
    Column("facts", Text, nullable=False),
    Column("sealed", LargeBinary),
    Column("digest", LargeBinary),  # SHA-256 of `sealed`: the chain holds even where the words are thrown away
    Column("mac", LargeBinary, nullable=False),
)
Index("journal_at", journal.c.at)

timer: Final = Table(
    "timer",
    metadata,
    Column("subject", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("conversation_id", BigInteger, nullable=False),
    Column("due_at", BigInteger, nullable=False),
    **_BY_KEY,
    **_BUSY,
)
Index("timer_due_at", timer.c.due_at)

outbox: Final = Table(
    "outbox",
    metadata,
    _id(),
    Column("key", Text),  # NULL where no letter can be written twice
    Column("channel", Text, nullable=False),
    Column("recipient", Text, nullable=False),  # fingerprint of the address, the same as conversation.key
    Column("conversation_id", BigInteger),
    Column("case_id", BigInteger),
    Column("priority", SmallInteger, nullable=False),
    Column("unasked", Boolean, nullable=False),
    Column("due_at", BigInteger, nullable=False),
    Column("attempts", SmallInteger, nullable=False),  # also the fence: who holds an older number holds nothing
    Column("state", Text, nullable=False),  # waiting, parked, dead
    Column("lease_until", BigInteger, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("error", Text, nullable=False),
    Column("card", Boolean, nullable=False, server_default=false()),  # remember where it lies once it is sent
    **_BUSY,
)
Index("outbox_key", outbox.c.key, unique=True, **_where(outbox.c.key.is_not(None)))
Index(
    "outbox_claim",
    outbox.c.channel,
    outbox.c.unasked,
    outbox.c.priority,
    outbox.c.due_at,
    outbox.c.id,
    **_where(outbox.c.state == WAITING),
)
Index("outbox_order", outbox.c.recipient, outbox.c.id, **_where(outbox.c.state == WAITING))
Index("outbox_dead", outbox.c.id, **_where(outbox.c.state == DEAD))
Index("outbox_parked", outbox.c.conversation_id, outbox.c.id, **_where(outbox.c.state == PARKED))

card: Final = Table(
    "card",
    metadata,
    _id(),
    Column("case_id", BigInteger, nullable=False),
    Column("channel", Text, nullable=False),
    Column("recipient", Text, nullable=False),  # fingerprint of the address
    Column("sealed", LargeBinary, nullable=False),
    Column("at", BigInteger, nullable=False),
)
Index("card_case_id", card.c.case_id)

credit: Final = Table(
    "credit",
    metadata,
    Column("recipient", Text, primary_key=True),  # fingerprint of the address
    Column("name", Text, primary_key=True),
    Column("left", Integer, nullable=False),
    Column("until_at", BigInteger, nullable=False),
    **_BY_KEY,
    **_BUSY,
)

code: Final = Table(
    "code",
    metadata,
    Column("digest", Text, primary_key=True),  # keyed hash of a one-time code
    Column("conversation_id", BigInteger, nullable=False),
    Column("until_at", BigInteger, nullable=False),
    **_BY_KEY,
)
Index("code_conversation_id", code.c.conversation_id)

shared: Final = Table(
    "shared",
    metadata,
    Column("name", Text, primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
    Column("until_at", BigInteger, nullable=False),
)

gate: Final = Table(
    "gate",
    metadata,
    Column("key", Text, primary_key=True),
    Column("tat", BigInteger, nullable=False),
    **_BY_KEY,
    **_BUSY,
)

lease: Final = Table(
    "lease",
    metadata,
    Column("name", Text, primary_key=True),
    Column("holder", Text, nullable=False),
    Column("until_at", BigInteger, nullable=False),
    **_BY_KEY,
)

counter: Final = Table(
    "counter", metadata, Column("name", Text, primary_key=True), Column("value", BigInteger, nullable=False), **_BY_KEY
)

secret: Final = Table(
    "secret",
    metadata,
    Column("name", Text, primary_key=True),
    Column("wrapped", LargeBinary, nullable=False),
    **_BY_KEY,
)

staff: Final = Table(
    "staff",
    metadata,
    _id(),
    Column("name", Text, nullable=False),
    Column("roles", Text, nullable=False),  # JSON
    Column("language", Text, nullable=False),
    Column("conversation_id", BigInteger),
    Column("code_hash", Text, nullable=False),
    Column("code_until", BigInteger),
    Column("active", Boolean, nullable=False),
    Column("person", Text, nullable=False, server_default=text("''")),
    Column("facts", Text, nullable=False, server_default=text("'{}'")),  # JSON
)

duty: Final = Table(
    "duty",
    metadata,
    _id(),
    Column("duty", Text, nullable=False),  # the id in the policy
    Column("period", Text, nullable=False),  # 2026-11-22, 2026-W47, 2026-11, 2026-Q4, 2026-H2, 2026
    Column("policy", Text, nullable=False),
    Column("began_at", BigInteger, nullable=False),
    Column("due_at", BigInteger, nullable=False),
    Column("next_at", BigInteger, nullable=False),  # when somebody is to be told next; NEVER if nobody is
    Column("state", Text, nullable=False),  # open, done, missed
    Column("facts", Text, nullable=False),
    Column("sealed", LargeBinary),
)
Index("duty_duty_period", duty.c.duty, duty.c.period, unique=True)
Index("duty_next_at", duty.c.next_at)

evidence: Final = Table(
    "evidence",
    metadata,
    _id(),
    Column("case_id", BigInteger, nullable=False),
    Column("conversation_id", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("mime", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("path", Text, nullable=False),
    Column("sealed", LargeBinary),
)
Index("evidence_case_id", evidence.c.case_id, evidence.c.id)

policy_version: Final = Table(
    "policy_version",
    metadata,
    Column("version", Text, primary_key=True),
    Column("company", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
)

lexicon_version: Final = Table(
    "lexicon_version",
    metadata,
    Column("version", Text, primary_key=True),
    Column("company", Text, nullable=False),
    Column("content", LargeBinary, nullable=False),  # compressed: there are thousands of words
    Column("at", BigInteger, nullable=False),
)
