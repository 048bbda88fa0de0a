"""Every lexicon that a reading was made with, kept for good; open cases in the order of a worklist, urgent first."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward. There is no way back: restore the backup instead."""
    op.create_table(
        "lexicon_version",
        sa.Column("version", sa.Text, nullable=False),
        sa.Column("company", sa.Text, nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("version", name="lexicon_version_pkey"),
    )
    op.drop_index("complaint_case_next_due_at", "complaint_case")
    open_ = sa.column("open").is_(True)
    op.create_index(
        "complaint_case_worklist",
        "complaint_case",
        [sa.text("urgent DESC"), "next_due_at", "id"],
        postgresql_where=open_,
        sqlite_where=open_,
    )
