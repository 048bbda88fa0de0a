"""What whole rule books need: persons behind accounts, lent signatures, rosters, and duties."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward. There is no way back: restore the backup instead."""
    op.add_column("staff", sa.Column("person", sa.Text, nullable=False, server_default=sa.text("''")))
    op.add_column("staff", sa.Column("facts", sa.Text, nullable=False, server_default=sa.text("'{}'")))
    op.create_index("complaint_case_opened_at", "complaint_case", ["opened_at"])
    op.create_table(
        "duty",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("duty", sa.Text, nullable=False),
        sa.Column("period", sa.Text, nullable=False),
        sa.Column("policy", sa.Text, nullable=False),
        sa.Column("began_at", sa.BigInteger, nullable=False),
        sa.Column("due_at", sa.BigInteger, nullable=False),
        sa.Column("next_at", sa.BigInteger, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("facts", sa.Text, nullable=False),
        sa.Column("sealed", sa.LargeBinary),
        sa.PrimaryKeyConstraint("id", name="duty_pkey"),
    )
    op.create_index("duty_duty_period", "duty", ["duty", "period"], unique=True)
    op.create_index("duty_next_at", "duty", ["next_at"])
