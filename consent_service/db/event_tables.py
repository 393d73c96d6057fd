"""Define what stands beside events in ClickHouse, which has no transactions: what must change together is kept here."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, Table, Text, Uuid

from consent_service.db.columns import JSON, at, metadata

event_watermark = Table(
    "event_watermark",
    metadata,
    Column("inbox_id", Text, primary_key=True),
    Column("last_seq", BigInteger, nullable=False),
)

# The ids of the last days, so that an event sent again is stored once.
event_recent = Table(
    "event_recent",
    metadata,
    Column("site_id", BigInteger, primary_key=True, autoincrement=False),
    Column("event_id", Uuid, primary_key=True),
    at("received_at"),
    # In the order of time as they come: a small index for the deletion of old ones.
    Index(None, "received_at", postgresql_using="brin"),
)

# The visits that events may still join; `attributes` are what the visit's first event brought, in a fixed order.
event_visit = Table(
    "event_visit",
    metadata,
    Column("visit_id", BigInteger, primary_key=True, autoincrement=False),
    Column("site_id", BigInteger, nullable=False),
    Column("visitor_id", BigInteger, nullable=False),
    at("started_at"),
    at("first_at"),
    at("last_at"),
    Column("policy_version", Integer, nullable=False),
    Column("attributes", JSON, nullable=False),
    Index(None, "visitor_id"),
    Index(None, "last_at"),
)

# What is decided and not known to be in ClickHouse: the rows as they are sent, under the token that stores them once.
event_outbox = Table(
    "event_outbox",
    metadata,
    Column("token", Text, primary_key=True),
    at("made_at"),
    Column("event", LargeBinary),
    Column("held_event", LargeBinary),
    Column("drop_count", LargeBinary),
)

# How many events an erasure deletes; written before they go, settled afterwards.
event_erasure = Table(
    "event_erasure",
    metadata,
    Column("erasure_id", Text, primary_key=True),
    Column("events", BigInteger, nullable=False),
    Column("is_settled", Boolean, nullable=False),
    at("erased_at"),
)

# Since when bytes of deleted events may be on ClickHouse's disk: one row at most.
event_deletion = Table("event_deletion", metadata, Column("deletion", Integer, primary_key=True), at("deleted_at"))

# What is held as the keeper last heard: receipts, and sites as a whole (no receipt).
event_held = Table(
    "event_held",
    metadata,
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("site_id", BigInteger),
    Column("receipt_id", Text),
)
