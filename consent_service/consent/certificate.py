"""Certify an erasure: what was deleted, where, when, and when the bytes left the disk."""

from __future__ import annotations

from base64 import b64encode
from datetime import datetime
from typing import Any, Final

import orjson
from sqlalchemy import Connection, select

from consent_service.consent.erasure_log import Deed
from consent_service.db.ledger_tables import ledger_entry, ledger_leaf
from consent_service.db.tables import erasure_job, site
from consent_service.errors import NotFound, NotMerged
from consent_service.ledger.entries import Kind
from consent_service.times import timestamp

UNKNOWN: Final = "there is no such erasure"


def describe_erasure(connection: Connection, erasure_id: str, now: datetime) -> dict[str, Any]:
    """Give what a certificate says of an erasure, to be signed.

    Raises NotFound, and NotMerged until it is done and in the log. `receipt_id` is null once it was forgotten.
    """
    row = connection.execute(
        select(erasure_job, site.c.key.label("site_key"))
        .join(site, site.c.site_id == erasure_job.c.site_id)
        .where(erasure_job.c.erasure_id == erasure_id)
    ).one_or_none()
    if row is None:
        raise NotFound(UNKNOWN)
    if row.status != "done":
        raise NotMerged(f"the erasure is {row.status}; the certificate is there once it is done")
    entries = _entries(connection, erasure_id)
    records = [entry["says"] for entry in entries if entry["says"]["deed"] == Deed.RECORDS]
    return {
        "v": 1,
        "type": "erasure_certificate",
        "erasure_id": erasure_id,
        "site": row.site_key,
        "receipt_id": row.receipt_id,
        "reason": row.reason,
        "requested_at": timestamp(row.requested_at),
        "done_at": timestamp(row.done_at),
        "compacted_at": None if row.compacted_at is None else timestamp(row.compacted_at),
        "counts": {"events": row.events, "records": sum(record["count"] for record in records)},
        "entries": [{name: entry[name] for name in ("leaf_index", "record", "salt")} for entry in entries],
        "issued_at": timestamp(now),
    }


def _entries(connection: Connection, erasure_id: str) -> list[dict[str, Any]]:
    rows = connection.execute(
        select(ledger_entry.c.record, ledger_entry.c.salt, ledger_leaf.c.leaf_index)
        .outerjoin(ledger_leaf, ledger_leaf.c.entry_id == ledger_entry.c.entry_id)
        .where(ledger_entry.c.kind == Kind.ERASURE, ledger_entry.c.subject == erasure_id)
        .order_by(ledger_entry.c.entry_id)
    ).all()
    if any(row.leaf_index is None for row in rows):
        raise NotMerged("the erasure is done and not in the log yet")
    return [
        {
            "leaf_index": row.leaf_index,
            "record": b64encode(row.record).decode(),
            "salt": row.salt.hex(),
            "says": orjson.loads(row.record),
        }
        for row in rows
    ]
