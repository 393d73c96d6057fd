"""Find proofs, tiles and what waits, for those who ask; reads a handful of rows whatever the log's size."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, func, select

from consent_service.db.ledger_tables import ledger_entry, ledger_leaf
from consent_service.db.tables import decision, receipt
from consent_service.ids import first_id, id_time
from consent_service.ledger.entries import Kind
from consent_service.ledger.integrator import LATE_SECONDS, waiting
from consent_service.ledger.standing import Head
from consent_service.ledger.tiles import TILE_WIDTH, compute, read_tiles
from consent_service.ledger.tree import HASH_BYTES, hash_leaf, inclusion_proof

MAX_COUNTED: Final = 100_000


@dataclass(frozen=True, slots=True)
class Leaf:
    """Hold where a record is in the log."""

    leaf_index: int
    leaf_hash: bytes


@dataclass(frozen=True, slots=True)
class Waiting:
    """Tell how many records wait for a leaf, and since when the oldest does."""

    count: int
    oldest_at: datetime | None


def find_decision(connection: Connection, receipt_id: str | None, decision_id: str | None) -> str | None:
    """Give the id of a decision that is there: the receipt's newest, or the named one of this receipt or of none."""
    if decision_id is None:
        statement = select(receipt.c.decision_id).where(receipt.c.receipt_id == receipt_id)
    else:
        of_receipt = decision.c.receipt_id.is_(None) if receipt_id is None else decision.c.receipt_id == receipt_id
        statement = select(decision.c.decision_id).where(decision.c.decision_id == decision_id, of_receipt)
    found: str | None = connection.execute(statement).scalar_one_or_none()
    return found


def find_leaf(connection: Connection, entry_id: str) -> Leaf | None:
    """Give a record's leaf; None until it is merged."""
    row = connection.execute(
        select(ledger_leaf.c.leaf_index, ledger_leaf.c.commitment).where(ledger_leaf.c.entry_id == entry_id)
    ).one_or_none()
    return None if row is None else Leaf(row.leaf_index, hash_leaf(row.commitment))


def prove_leaf(connection: Connection, leaf: Leaf, size: int) -> list[bytes]:
    """Give the inclusion proof of a leaf in the tree of a size."""
    return compute(connection, lambda nodes: inclusion_proof(leaf.leaf_index, size, nodes))


def find_key(connection: Connection) -> str | None:
    """Give the newest key that the log announces, as text."""
    found: str | None = connection.execute(
        select(ledger_entry.c.subject)
        .where(ledger_entry.c.kind == Kind.KEY)
        .order_by(ledger_entry.c.entry_id.desc())
        .limit(1)
    ).scalar_one_or_none()
    return found


def find_tile(connection: Connection, level: int, index: int, width: int) -> bytes | None:
    """Give the first `width` hashes of a tile; None when it does not have as many."""
    hashes = read_tiles(connection, [(level, index)]).get((level, index), b"")
    return hashes[: width * HASH_BYTES] if len(hashes) >= width * HASH_BYTES else None


def find_entries(connection: Connection, index: int, width: int) -> bytes | None:
    """Give the first `width` entries of an entry bundle, each with its length in two bytes (C2SP tlog-tiles)."""
    first = index * TILE_WIDTH
    commitments = (
        connection.execute(
            select(ledger_leaf.c.commitment)
            .where(ledger_leaf.c.leaf_index >= first, ledger_leaf.c.leaf_index < first + width)
            .order_by(ledger_leaf.c.leaf_index)
        )
        .scalars()
        .all()
    )
    if len(commitments) != width:
        return None
    return b"".join(len(item).to_bytes(2, "big") + item for item in commitments)


def count_waiting(connection: Connection, head: Head) -> Waiting:
    """Count the records that came after the newest checkpoint and have no leaf, up to a hundred thousand."""
    floor = "" if head.signed_at is None else _floor(head.signed_at)
    counts: list[tuple[int, str | None]] = []
    for table in (decision, ledger_entry):
        rows = waiting(table, floor).limit(MAX_COUNTED).subquery()
        counted: Any = connection.execute(select(func.count(), func.min(rows.c.entry_id)).select_from(rows)).one()
        counts.append((counted[0], counted[1]))
    oldest = min((entry_id for _, entry_id in counts if entry_id is not None), default=None)
    return Waiting(sum(count for count, _ in counts), None if oldest is None else id_time(oldest))


def _floor(signed_at: datetime) -> str:
    return first_id((signed_at - timedelta(seconds=LATE_SECONDS)).astimezone(UTC).timestamp())
