"""Create the table of anchors: where checkpoints of the ledger were sent, and what came back."""

import sqlalchemy as sa
from alembic import op

revision = "20261130_anchors"
down_revision = "20261130_notices"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "ledger_anchor",
        sa.Column("anchor_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("tree_size", sa.BigInteger(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("token", sa.LargeBinary(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind IN ('timestamp', 'webhook', 'email')", name=op.f("ck_ledger_anchor_kind")),
        sa.CheckConstraint("status IN ('done', 'unverified', 'failed')", name=op.f("ck_ledger_anchor_status")),
        sa.PrimaryKeyConstraint("anchor_id", name=op.f("pk_ledger_anchor")),
    )
    op.create_index(op.f("ix_ledger_anchor_kind_sent_at"), "ledger_anchor", ["kind", "sent_at"])


def downgrade() -> None:
    """Drop the table; stamps that are not kept elsewhere are lost."""
    op.drop_table("ledger_anchor")
