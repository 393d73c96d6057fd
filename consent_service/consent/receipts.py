"""Read receipts: what the newest decision of each says."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Engine, Row, bindparam, select

from consent_service.consent.gate import ReceiptState
from consent_service.db.tables import receipt

# A withdrawal closes the gate of every worker within a second: no answer here is older than half of one.
MAX_AGE_SECONDS = 0.5
MAX_KEPT = 50_000

_COLUMNS = (
    receipt.c.receipt_id,
    receipt.c.site_id,
    receipt.c.visitor_id,
    receipt.c.decision_id,
    receipt.c.decided_at,
    receipt.c.granted_at,
    receipt.c.expires_at,
    receipt.c.policy_version,
    receipt.c.notice_hash,
    receipt.c.purposes,
    receipt.c.withdrawn,
    receipt.c.is_restricted,
    receipt.c.is_under_signal,
)
_ONE = select(*_COLUMNS).where(receipt.c.receipt_id == bindparam("receipt_id"))


def read_states(connection: Connection, receipt_ids: Iterable[str]) -> dict[str, ReceiptState]:
    """Read the states of many receipts; those that are not there any more are left out."""
    wanted = list(dict.fromkeys(receipt_ids))
    states: dict[str, ReceiptState] = {}
    for start in range(0, len(wanted), 500):
        part = wanted[start : start + 500]
        for row in connection.execute(select(*_COLUMNS).where(receipt.c.receipt_id.in_(part))):
            states[row.receipt_id] = _state(row)
    return states


def lock_state(connection: Connection, receipt_id: str) -> Row[*tuple[Any, ...]] | None:
    """Read a whole receipt for changing it; others who change it wait (SQLite has one writer anyway)."""
    statement = select(receipt).where(receipt.c.receipt_id == receipt_id)
    return connection.execute(statement.with_for_update()).one_or_none()


class Receipts:
    """Answer for one receipt from a bounded cache that is half a second old at most."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, tuple[float, ReceiptState | None]] = OrderedDict()

    def state(self, receipt_id: str) -> ReceiptState | None:
        """Give the receipt's state, or None when it is not there."""
        kept = self._kept.get(receipt_id)
        started = time.monotonic()
        if kept is not None and started - kept[0] < MAX_AGE_SECONDS:
            return kept[1]
        with self._engine.connect() as connection:
            row = connection.execute(_ONE, {"receipt_id": receipt_id}).one_or_none()
        found = None if row is None else _state(row)
        with self._lock:
            self._kept[receipt_id] = (started, found)
            self._kept.move_to_end(receipt_id)
            while len(self._kept) > MAX_KEPT:
                self._kept.popitem(last=False)
        return found

    def forget(self, receipt_ids: Sequence[str]) -> None:
        """Read these receipts anew at the next question."""
        with self._lock:
            for receipt_id in receipt_ids:
                self._kept.pop(receipt_id, None)


def _state(row: Row[*tuple[Any, ...]]) -> ReceiptState:
    values = row._mapping
    return ReceiptState(
        receipt_id=values["receipt_id"],
        site_id=values["site_id"],
        visitor_id=values["visitor_id"],
        decision_id=values["decision_id"],
        decided_at=values["decided_at"],
        granted_at=values["granted_at"],
        expires_at=values["expires_at"],
        policy_version=values["policy_version"],
        notice_hash=values["notice_hash"],
        purposes=tuple(values["purposes"]),
        withdrawn=tuple(values["withdrawn"]),
        is_restricted=values["is_restricted"],
        is_under_signal=values["is_under_signal"],
    )
