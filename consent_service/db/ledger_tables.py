"""Define the tables of the ledger: entries beside decisions, leaves, tiles, checkpoints, and where those were sent."""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, Integer, LargeBinary, Table, Text

from consent_service.db.columns import at, metadata, site_column

# Everything logged that is no decision; `subject` names it: a notice's hash, an erasure's id, a verifier key.
ledger_entry = Table(
    "ledger_entry",
    metadata,
    Column("entry_id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    site_column(nullable=True),
    Column("subject", Text, nullable=False),
    Column("record", LargeBinary, nullable=False),
    Column("salt", LargeBinary, nullable=False),
    at("created_at"),
    CheckConstraint("kind IN ('notice', 'screenshot', 'key', 'erasure', 'restore')", name="kind"),
    Index(None, "kind", "subject"),
)

# The log itself; `entry_id` is of a decision or a ledger_entry, and null once its record was erased.
ledger_leaf = Table(
    "ledger_leaf",
    metadata,
    Column("leaf_index", BigInteger, primary_key=True, autoincrement=False),
    Column("entry_id", Text, unique=True),
    Column("kind", Text, nullable=False),
    Column("commitment", LargeBinary, nullable=False),
)

# Hashes of 256 nodes side by side, 32 bytes each, at the height of 8 times the level (C2SP tlog-tiles).
ledger_tile = Table(
    "ledger_tile",
    metadata,
    Column("level", Integer, primary_key=True),
    Column("tile_index", BigInteger, primary_key=True),
    Column("width", Integer, nullable=False),
    Column("hashes", LargeBinary, nullable=False),
)

ledger_checkpoint = Table(
    "ledger_checkpoint",
    metadata,
    Column("tree_size", BigInteger, primary_key=True, autoincrement=False),
    Column("root", LargeBinary, nullable=False),
    Column("note", Text, nullable=False),
    at("signed_at"),
)

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
    at("sent_at"),
    CheckConstraint("kind IN ('timestamp', 'webhook', 'email')", name="kind"),
    CheckConstraint("status IN ('done', 'unverified', 'failed')", name="status"),
    Index(None, "kind", "sent_at"),
)
