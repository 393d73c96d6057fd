"""Keep the scripts that were served, and pictures of the banners."""

import sqlalchemy as sa
from alembic import op

revision = "20261130_notices"
down_revision = "20261130_ledger"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the tables of scripts and pictures."""
    op.create_table(
        "client_script",
        sa.Column("script_hash", sa.Text(), nullable=False),
        sa.Column("integrity", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("script_hash", name=op.f("pk_client_script")),
        sa.UniqueConstraint("integrity", name=op.f("uq_client_script_integrity")),
    )
    op.create_table(
        "notice_screenshot",
        sa.Column("entry_id", sa.Text(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("notice_hash", sa.Text(), nullable=False),
        sa.Column("surface", sa.Text(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("script_hash", sa.Text(), nullable=False),
        sa.Column("png", sa.LargeBinary(), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("surface IN ('banner', 'preferences')", name=op.f("ck_notice_screenshot_surface")),
        sa.CheckConstraint("length(png) <= 4194304", name=op.f("ck_notice_screenshot_png")),
        sa.ForeignKeyConstraint(["site_id"], ["site.site_id"], name=op.f("fk_notice_screenshot_site_id")),
        sa.PrimaryKeyConstraint("entry_id", name=op.f("pk_notice_screenshot")),
    )
    op.create_index(
        op.f("ix_notice_screenshot_same"),
        "notice_screenshot",
        ["notice_hash", "surface", "width", "script_hash", "sha256"],
        unique=True,
    )


def downgrade() -> None:
    """Drop both tables; the notices stay."""
    op.drop_table("notice_screenshot")
    op.drop_table("client_script")
