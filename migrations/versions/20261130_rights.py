"""Hold data back from use and from erasure, and let an erasure take the records with it."""

import sqlalchemy as sa
from alembic import op

revision = "20261130_rights"
down_revision = "20261130_notices"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table of holds, and say on an erasure whether the records go too."""
    op.create_table(
        "hold",
        sa.Column("hold_id", sa.Text(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("receipt_id", sa.Text(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("placed_by", sa.Text(), nullable=False),
        sa.Column("placed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lifted_by", sa.Text(), nullable=True),
        sa.Column("lifted_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("kind IN ('legal', 'restriction')", name=op.f("ck_hold_kind")),
        sa.ForeignKeyConstraint(["site_id"], ["site.site_id"], name=op.f("fk_hold_site_id")),
        sa.PrimaryKeyConstraint("hold_id", name=op.f("pk_hold")),
    )
    op.create_index(op.f("ix_hold_lifted_at"), "hold", ["lifted_at"])
    op.create_index(op.f("ix_hold_receipt_id"), "hold", ["receipt_id"])
    op.add_column("erasure_job", sa.Column("removes_records", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("erasure_job", sa.Column("records", sa.Integer(), nullable=True))


def downgrade() -> None:
    """Drop them; what was held is held no more."""
    op.drop_column("erasure_job", "records")
    op.drop_column("erasure_job", "removes_records")
    op.drop_index(op.f("ix_hold_receipt_id"), table_name="hold")
    op.drop_index(op.f("ix_hold_lifted_at"), table_name="hold")
    op.drop_table("hold")
