"""Count the banners shown, where a site wants that."""

import sqlalchemy as sa
from alembic import op

revision = "20261130_reasked"
down_revision = "20261130_anchors"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the sums of banners shown."""
    op.create_table(
        "coverage_count",
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("notice_hash", sa.Text(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["site.site_id"], name=op.f("fk_coverage_count_site_id")),
        sa.PrimaryKeyConstraint("site_id", "day", "language", "notice_hash", name=op.f("pk_coverage_count")),
    )


def downgrade() -> None:
    """Take the sums away."""
    op.drop_table("coverage_count")
