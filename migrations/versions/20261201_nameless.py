"""Let erasures outlive the name of the receipt that they were of."""

import sqlalchemy as sa
from alembic import op

revision = "20261201_nameless"
down_revision = "20261201_events"
branch_labels = None
depends_on = None

# SQLite makes the table anew, and of the old one no check is read.
CHECKS = (
    sa.CheckConstraint("status IN ('pending', 'done', 'held')", name=op.f("ck_erasure_job_status")),
    sa.CheckConstraint("reason IN ('withdrawal', 'request', 'retention')", name=op.f("ck_erasure_job_reason")),
)


def upgrade() -> None:
    """Allow an erasure without a receipt, and forget holds whose receipt was deleted with its records."""
    with op.batch_alter_table("erasure_job", table_args=CHECKS) as batch:
        batch.alter_column("receipt_id", existing_type=sa.Text(), nullable=True)
    op.execute(
        "DELETE FROM hold WHERE lifted_at IS NOT NULL AND receipt_id IS NOT NULL"
        " AND NOT EXISTS (SELECT 1 FROM receipt WHERE receipt.receipt_id = hold.receipt_id)"
    )


def downgrade() -> None:
    """Give erasures without a receipt an empty one, which no receipt has."""
    op.execute("UPDATE erasure_job SET receipt_id = '' WHERE receipt_id IS NULL")
    with op.batch_alter_table("erasure_job", table_args=CHECKS) as batch:
        batch.alter_column("receipt_id", existing_type=sa.Text(), nullable=False)
