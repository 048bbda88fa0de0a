"""Everything."""

from typing import Any, Final

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_ID: Final = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_ROOMY: Final[dict[str, Any]] = {"postgresql_with": {"fillfactor": 80, "autovacuum_vacuum_scale_factor": 0.05}}
_BUSY: Final[dict[str, Any]] = {
    "postgresql_with": {"autovacuum_vacuum_scale_factor": 0.02, "autovacuum_analyze_scale_factor": 0.02}
}
_BY_KEY: Final[dict[str, Any]] = {"sqlite_with_rowid": False}


def _where(condition: sa.ColumnElement[bool] | sa.TextClause) -> dict[str, Any]:
    return {"sqlite_where": condition, "postgresql_where": condition}


def upgrade() -> None:
    """Go forward. There is no way back: restore the backup instead."""
    op.create_table(
        "complaint_case",
        sa.Column("id", _ID, autoincrement=False, nullable=False),
        sa.Column("number", sa.Text, nullable=False),
        sa.Column("conversation_id", sa.BigInteger, nullable=False),
        sa.Column("customer_id", sa.BigInteger, nullable=False),
        sa.Column("policy", sa.Text, nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("opened_at", sa.BigInteger, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("department", sa.Text, nullable=False),
        sa.Column("owner_id", sa.BigInteger),
        sa.Column("urgent", sa.Boolean, nullable=False),
        sa.Column("cycle", sa.Integer, nullable=False),
        sa.Column("active", sa.Boolean, nullable=False),
        sa.Column("open", sa.Boolean, nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("head", sa.LargeBinary, nullable=False),
        sa.Column("next_due_at", sa.BigInteger, nullable=False),
        sa.Column("facts", sa.Text, nullable=False),
        sa.Column("sealed", sa.LargeBinary),
        sa.PrimaryKeyConstraint("id", name="complaint_case_pkey"),
        sa.UniqueConstraint("number", name="complaint_case_number_key"),
        **_ROOMY,
    )
    op.create_index(
        "complaint_case_active", "complaint_case", ["conversation_id"], **_where(sa.column("active").is_(True))
    )
    op.create_index("complaint_case_conversation_id", "complaint_case", ["conversation_id", "id"])
    op.create_index(
        "complaint_case_department",
        "complaint_case",
        ["department", "next_due_at"],
        **_where(sa.column("open").is_(True)),
    )
    op.create_index(
        "complaint_case_next_due_at", "complaint_case", ["next_due_at"], **_where(sa.column("open").is_(True))
    )
    op.create_table(
        "conversation",
        sa.Column("id", _ID, autoincrement=False, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("turn", sa.Integer, nullable=False),
        sa.Column("customer_id", sa.BigInteger),
        sa.Column("staff_id", sa.BigInteger),
        sa.Column("case_id", sa.BigInteger),
        sa.Column("reachable", sa.Boolean, nullable=False),
        sa.Column("heard_at", sa.BigInteger),
        sa.Column("sealed", sa.LargeBinary),
        sa.PrimaryKeyConstraint("id", name="conversation_pkey"),
        sa.UniqueConstraint("key", name="conversation_key_key"),
        **_ROOMY,
    )
    op.create_table(
        "counter",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("value", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("name", name="counter_pkey"),
        **_BY_KEY,
    )
    op.create_table(
        "customer",
        sa.Column("id", _ID, autoincrement=False, nullable=False),
        sa.Column("data_key", sa.LargeBinary),
        sa.Column("consent", sa.Text),
        sa.Column("sealed", sa.LargeBinary),
        sa.PrimaryKeyConstraint("id", name="customer_pkey"),
    )
    op.create_table(
        "evidence",
        sa.Column("id", _ID, autoincrement=False, nullable=False),
        sa.Column("case_id", sa.BigInteger, nullable=False),
        sa.Column("conversation_id", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("mime", sa.Text, nullable=False),
        sa.Column("sha256", sa.Text, nullable=False),
        sa.Column("path", sa.Text, nullable=False),
        sa.Column("sealed", sa.LargeBinary),
        sa.PrimaryKeyConstraint("id", name="evidence_pkey"),
    )
    op.create_index("evidence_case_id", "evidence", ["case_id", "id"])
    op.create_table(
        "gate",
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("tat", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("key", name="gate_pkey"),
        **_BUSY,
        **_BY_KEY,
    )
    op.create_table(
        "inbox",
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("received_at", sa.BigInteger, nullable=False),
        sa.Column("due_at", sa.BigInteger, nullable=False),
        sa.Column("attempts", sa.SmallInteger, nullable=False),
        sa.Column("chat", sa.Text),
        sa.Column("sealed", sa.LargeBinary),
        sa.Column("error", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("key", name="inbox_pkey"),
        **_BY_KEY,
    )
    op.create_index("inbox_chat", "inbox", ["chat"], **_where(sa.text("chat IS NOT NULL")))
    op.create_index("inbox_due_at", "inbox", ["due_at"], **_where(sa.text("state = 'waiting'")))
    op.create_index("inbox_state_received_at", "inbox", ["state", "received_at"])
    op.create_table(
        "journal",
        sa.Column("case_id", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("seq", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("clause", sa.Text, nullable=False),
        sa.Column("facts", sa.Text, nullable=False),
        sa.Column("sealed", sa.LargeBinary),
        sa.Column("digest", sa.LargeBinary),
        sa.Column("mac", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("case_id", "seq", name="journal_pkey"),
    )
    op.create_index("journal_at", "journal", ["at"])
    op.create_table(
        "lease",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("holder", sa.Text, nullable=False),
        sa.Column("until_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("name", name="lease_pkey"),
        **_BY_KEY,
    )
    op.create_table(
        "outbox",
        sa.Column("id", _ID, autoincrement=False, nullable=False),
        sa.Column("key", sa.Text),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("recipient", sa.Text, nullable=False),
        sa.Column("conversation_id", sa.BigInteger),
        sa.Column("case_id", sa.BigInteger),
        sa.Column("priority", sa.SmallInteger, nullable=False),
        sa.Column("unasked", sa.Boolean, nullable=False),
        sa.Column("due_at", sa.BigInteger, nullable=False),
        sa.Column("attempts", sa.SmallInteger, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("lease_until", sa.BigInteger, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("error", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="outbox_pkey"),
        **_BUSY,
    )
    op.create_index(
        "outbox_claim",
        "outbox",
        ["channel", "unasked", "priority", "due_at", "id"],
        **_where(sa.text("state = 'waiting'")),
    )
    op.create_index("outbox_dead", "outbox", ["id"], **_where(sa.text("state = 'dead'")))
    op.create_index("outbox_key", "outbox", ["key"], unique=True, **_where(sa.text('"key" IS NOT NULL')))
    op.create_index("outbox_order", "outbox", ["recipient", "id"], **_where(sa.text("state = 'waiting'")))
    op.create_table(
        "policy_version",
        sa.Column("version", sa.Text, nullable=False),
        sa.Column("company", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("version", name="policy_version_pkey"),
    )
    op.create_table(
        "secret",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("wrapped", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("name", name="secret_pkey"),
        **_BY_KEY,
    )
    op.create_table(
        "staff",
        sa.Column("id", _ID, autoincrement=False, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("roles", sa.Text, nullable=False),
        sa.Column("language", sa.Text, nullable=False),
        sa.Column("conversation_id", sa.BigInteger),
        sa.Column("code_hash", sa.Text, nullable=False),
        sa.Column("code_until", sa.BigInteger),
        sa.Column("active", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("id", name="staff_pkey"),
    )
    op.create_table(
        "timer",
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("conversation_id", sa.BigInteger, nullable=False),
        sa.Column("due_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("subject", "name", name="timer_pkey"),
        **_BUSY,
        **_BY_KEY,
    )
    op.create_index("timer_due_at", "timer", ["due_at"])
