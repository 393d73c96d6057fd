"""Log what an erasure did: which leaves it concerns, never whose they were; the log is for ever."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, select

from consent_service.db.ledger_tables import ledger_leaf
from consent_service.db.tables import decision, erasure_job
from consent_service.ledger.entries import Kind, add_entry


class Deed(StrEnum):
    """Name what an erasure did: the events went, the decisions' records and salts went, the bytes left the disk."""

    EVENTS = "events"
    RECORDS = "records"
    DISK = "disk"


def log_events_erased(
    connection: Connection, *, erasure_id: str, site_id: int, receipt_id: str, count: int, now: datetime
) -> None:
    """Log in the transaction that says so that the events of a receipt are erased."""
    document = {"deed": Deed.EVENTS, "leaves": _leaves_of(connection, receipt_id), "count": count}
    _log(connection, erasure_id, site_id, document, now)


def log_records_removed(connection: Connection, receipt_id: str, count: int, now: datetime) -> None:
    """Log that the records of a receipt's decisions go, while their leaves are still known by name."""
    of_receipt = select(erasure_job.c.erasure_id, erasure_job.c.site_id).where(erasure_job.c.receipt_id == receipt_id)
    job = connection.execute(of_receipt.order_by(erasure_job.c.requested_at.desc()).limit(1)).one_or_none()
    if job is not None:
        document = {"deed": Deed.RECORDS, "leaves": _leaves_of(connection, receipt_id), "count": count}
        _log(connection, job.erasure_id, job.site_id, document, now)


def log_bytes_gone(connection: Connection, erasures: Iterable[tuple[str, int]], now: datetime) -> None:
    """Log that the bytes of erasures, given with their sites, have left the disk."""
    for erasure_id, site_id in erasures:
        _log(connection, erasure_id, site_id, {"deed": Deed.DISK}, now)


def _log(connection: Connection, erasure_id: str, site_id: int, document: dict[str, Any], now: datetime) -> None:
    whole = {"erasure_id": erasure_id, "at": now.isoformat(), **document}
    add_entry(connection, kind=Kind.ERASURE, site_id=site_id, subject=erasure_id, document=whole, now=now)


def _leaves_of(connection: Connection, receipt_id: str) -> list[int]:
    statement = (
        select(ledger_leaf.c.leaf_index)
        .join(decision, decision.c.decision_id == ledger_leaf.c.entry_id)
        .where(decision.c.receipt_id == receipt_id)
    )
    return list(connection.execute(statement.order_by(ledger_leaf.c.leaf_index)).scalars())
