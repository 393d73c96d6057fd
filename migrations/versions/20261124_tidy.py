"""Forget the names of decisions that are gone, and withdrawals whose records were deleted."""

from alembic import op

revision = "20261124_tidy"
down_revision = "20261124_main"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Delete what earlier programs left behind when they deleted records."""
    op.execute("DELETE FROM decision_removal")
    op.execute(
        "DELETE FROM revocation"
        " WHERE NOT EXISTS (SELECT 1 FROM receipt WHERE receipt.receipt_id = revocation.receipt_id)"
    )


def downgrade() -> None:
    """Leave everything as it is: the tables are the same."""
