"""Channels that count messages, and one person with several chats."""

from typing import Any, Final

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_ID: Final = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_BUSY: Final[dict[str, Any]] = {
    "postgresql_with": {"autovacuum_vacuum_scale_factor": 0.02, "autovacuum_analyze_scale_factor": 0.02}
}
_BY_KEY: Final[dict[str, Any]] = {"sqlite_with_rowid": False}


def _where(condition: sa.ColumnElement[bool] | sa.TextClause) -> dict[str, Any]:
    return {"sqlite_where": condition, "postgresql_where": condition}


def upgrade() -> None:
    """Go forward. There is no way back: restore the backup instead."""
    op.create_index(
        "complaint_case_owner_id",
        "complaint_case",
        ["owner_id"],
        **_where(sa.column("open").is_(True) & sa.column("owner_id").is_not(None)),
    )
    op.add_column("conversation", sa.Column("alias_of", sa.BigInteger))
    op.create_index("conversation_alias_of", "conversation", ["alias_of"], **_where(sa.text("alias_of IS NOT NULL")))
    op.add_column("outbox", sa.Column("card", sa.Boolean, nullable=False, server_default=sa.false()))
    op.create_index("outbox_parked", "outbox", ["conversation_id", "id"], **_where(sa.text("state = 'parked'")))
    # DECISION has come between ANSWER (1) and what was 2 and more.
    op.execute("UPDATE outbox SET priority = priority + 1 WHERE priority >= 2")
    op.create_table(
        "card",
        sa.Column("id", _ID, autoincrement=False, nullable=False),
        sa.Column("case_id", sa.BigInteger, nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("recipient", sa.Text, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="card_pkey"),
    )
    op.create_index("card_case_id", "card", ["case_id"])
    op.create_table(
        "code",
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("conversation_id", sa.BigInteger, nullable=False),
        sa.Column("until_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("digest", name="code_pkey"),
        **_BY_KEY,
    )
    op.create_index("code_conversation_id", "code", ["conversation_id"])
    op.create_table(
        "credit",
        sa.Column("recipient", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("left", sa.Integer, nullable=False),
        sa.Column("until_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("recipient", "name", name="credit_pkey"),
        **_BUSY,
        **_BY_KEY,
    )
    op.create_table(
        "shared",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("until_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("name", name="shared_pkey"),
    )
