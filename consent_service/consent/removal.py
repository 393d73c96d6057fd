"""Delete decisions when their time is over, or when an officer upheld a request to forget them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select

from consent_service.consent.erasure_log import log_records_removed
from consent_service.db.journal import note_for_restore
from consent_service.db.tables import decision, decision_removal, hold, receipt, revocation
from consent_service.ledger.entries import forget_entries

_AT_ONCE = 500


def remove_records(connection: Connection, receipt_id: str, *, reason: str, now: datetime) -> int:
    """Delete a receipt, the records and salts of its decisions, revocations and lifted holds; counts decisions.

    `reason` is "erasure" (a request the officer upheld, GDPR art. 17) or "retention".
    """
    ids = list(connection.execute(select(decision.c.decision_id).where(decision.c.receipt_id == receipt_id)).scalars())
    if ids and reason == "erasure":
        log_records_removed(connection, receipt_id, len(ids), now)
    remove_decisions(connection, ids, reason=reason, now=now)
    connection.execute(delete(revocation).where(revocation.c.receipt_id == receipt_id))
    connection.execute(delete(hold).where(hold.c.receipt_id == receipt_id, hold.c.lifted_at.is_not(None)))
    connection.execute(delete(receipt).where(receipt.c.receipt_id == receipt_id))
    if ids:
        note_for_restore(connection, "removal", now, receipt_id=receipt_id, reason=reason)
    return len(ids)


def remove_decisions(connection: Connection, decision_ids: Sequence[str], *, reason: str, now: datetime) -> None:
    """Delete decisions, each named first: the append-only trigger lets go of no other. Their leaves stay, nameless.

    The names go in the same transaction: what was to be forgotten is not remembered by them.
    """
    for start in range(0, len(decision_ids), _AT_ONCE):
        part = decision_ids[start : start + _AT_ONCE]
        names = [{"decision_id": decision_id, "reason": reason, "removed_at": now} for decision_id in part]
        connection.execute(insert(decision_removal), names)
        forget_entries(connection, part)
        connection.execute(delete(decision).where(decision.c.decision_id.in_(part)))
        connection.execute(delete(decision_removal).where(decision_removal.c.decision_id.in_(part)))
