"""Define the table of anchors: where checkpoints of the ledger were sent, and what came back."""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, Integer, LargeBinary, Table, Text

from consent_service.db.columns import UtcDateTime
from consent_service.db.tables import metadata

# A row a kind and day; one that failed is tried again, with the newest checkpoint, in the same row.
ledger_anchor = Table(
    "ledger_anchor",
    metadata,
    Column("anchor_id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("tree_size", BigInteger, nullable=False),
    Column("note", Text, nullable=False),
    # The authority's reply, byte for byte (RFC 3161); null for what is only sent.
    Column("token", LargeBinary),
    Column("error", Text),
    Column("attempts", Integer, nullable=False),
    Column("sent_at", UtcDateTime(), nullable=False),
    CheckConstraint("kind IN ('timestamp', 'webhook', 'email')", name="kind"),
    CheckConstraint("status IN ('done', 'unverified', 'failed')", name="status"),
    Index(None, "kind", "sent_at"),
)
