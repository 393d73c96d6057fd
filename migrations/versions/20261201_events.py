"""Keep beside ClickHouse what must change together with its events."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "20261201_events"
down_revision = "20261130_report"
branch_labels = None
depends_on = None

TABLES = (
    "event_watermark",
    "event_recent",
    "event_visit",
    "event_outbox",
    "event_erasure",
    "event_deletion",
    "event_held",
)


def upgrade() -> None:
    """Create the tables; with the embedded event store they stay empty."""
    json = sa.JSON().with_variant(JSONB(), "postgresql")
    op.create_table(
        "event_watermark",
        sa.Column("inbox_id", sa.Text(), nullable=False),
        sa.Column("last_seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("inbox_id", name=op.f("pk_event_watermark")),
    )
    op.create_table(
        "event_recent",
        sa.Column("site_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("site_id", "event_id", name=op.f("pk_event_recent")),
    )
    op.create_index(op.f("ix_event_recent_received_at"), "event_recent", ["received_at"], postgresql_using="brin")
    op.create_table(
        "event_visit",
        sa.Column("visit_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("site_id", sa.BigInteger(), nullable=False),
        sa.Column("visitor_id", sa.BigInteger(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("first_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("policy_version", sa.Integer(), nullable=False),
        sa.Column("attributes", json, nullable=False),
        sa.PrimaryKeyConstraint("visit_id", name=op.f("pk_event_visit")),
    )
    op.create_index(op.f("ix_event_visit_visitor_id"), "event_visit", ["visitor_id"])
    op.create_index(op.f("ix_event_visit_last_at"), "event_visit", ["last_at"])
    op.create_table(
        "event_outbox",
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("event", sa.LargeBinary(), nullable=True),
        sa.Column("held_event", sa.LargeBinary(), nullable=True),
        sa.Column("drop_count", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("token", name=op.f("pk_event_outbox")),
    )
    op.create_table(
        "event_erasure",
        sa.Column("erasure_id", sa.Text(), nullable=False),
        sa.Column("events", sa.BigInteger(), nullable=False),
        sa.Column("is_settled", sa.Boolean(), nullable=False),
        sa.Column("erased_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("erasure_id", name=op.f("pk_event_erasure")),
    )
    op.create_table(
        "event_deletion",
        sa.Column("deletion", sa.Integer(), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("deletion", name=op.f("pk_event_deletion")),
    )
    op.create_table(
        "event_held",
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("site_id", sa.BigInteger(), nullable=True),
        sa.Column("receipt_id", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_event_held")),
    )


def downgrade() -> None:
    """Drop them; an event store in ClickHouse could not be written to without."""
    for table in reversed(TABLES):
        op.drop_table(table)
