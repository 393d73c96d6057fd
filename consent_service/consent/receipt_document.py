"""Write a visitor's receipt: all decisions of one consent, described, with their exact bytes and the log's proofs."""

from __future__ import annotations

from base64 import b64encode
from datetime import datetime
from typing import Any, Final

import orjson
from sqlalchemy import Connection, Row, select

from consent_service.consent.dpv import Place, describe, receipt_head
from consent_service.consent.hold import holds_of
from consent_service.consent.publication import Publication
from consent_service.db.tables import decision
from consent_service.ledger.bundle import find_leaves
from consent_service.ledger.entries import commit_to
from consent_service.ledger.standing import Head, read_head
from consent_service.ledger.tiles import compute
from consent_service.ledger.tree import hash_leaf, inclusion_proof

# An act that turns purposes on and off for ever would make a file without end; the newest are the ones that count.
MAX_DECISIONS: Final = 200


def receipt_document(
    connection: Connection, publication: Publication, receipt_id: str, service: str, now: datetime
) -> dict[str, Any] | None:
    """Give the receipt of a site's visitor, None when there is none (any more).

    What is not in the log yet has no proof: `leaf_index` and `hashes` are null until it is, within a minute.
    """
    site_id = publication.site.site_id
    newest_first = (
        select(decision.c.decision_id, decision.c.policy_version, decision.c.record, decision.c.salt)
        .where(decision.c.receipt_id == receipt_id, decision.c.site_id == site_id)
        .order_by(decision.c.decision_id.desc())
        .limit(MAX_DECISIONS)
    )
    rows = connection.execute(newest_first).all()[::-1]
    if not rows:
        return None
    head = read_head(connection)
    leaves = find_leaves(connection, [row.decision_id for row in rows], head.size)
    version = publication.versions.get(rows[-1].policy_version, publication.current)
    records = [orjson.loads(row.record) for row in rows]
    created_at = now.isoformat().replace("+00:00", "Z")
    return {
        **receipt_head(receipt_id, created_at, version.policy),
        **describe(records, version.policy, Place(service, publication.site.key)),
        "site": publication.site.key,
        "receipt_id": receipt_id,
        "is_restricted": bool(holds_of(connection, site_id, receipt_id)),
        "checkpoint": head.note,
        "decisions": [_decision(connection, row, leaves.get(row.decision_id), head) for row in rows],
    }


def _decision(connection: Connection, row: Row[*tuple[Any, ...]], leaf_index: int | None, head: Head) -> dict[str, Any]:
    record, salt = bytes(row.record), bytes(row.salt)
    hashes: list[str] | None = None
    if leaf_index is not None:
        path = compute(connection, lambda nodes: inclusion_proof(leaf_index, head.size, nodes))
        hashes = [each.hex() for each in path]
    return {
        "decision_id": row.decision_id,
        "record": b64encode(record).decode(),
        "salt": salt.hex(),
        "leaf_hash": hash_leaf(commit_to(salt, record)).hex(),
        "leaf_index": leaf_index,
        "tree_size": None if leaf_index is None else head.size,
        "hashes": hashes,
    }
