"""Write an evidence bundle: a record with all that proves it, each member bound by hash to the log's checkpoint.

docs/evidence.md describes the format; `verify.py`, which lies in each bundle, is what reads it.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files
from typing import Final

from sqlalchemy import Connection, Engine, select

from consent_service.db.ledger_tables import ledger_entry, ledger_leaf
from consent_service.ledger.entries import Kind
from consent_service.ledger.notes import Checkpoint, read_checkpoint
from consent_service.ledger.standing import LedgerError
from consent_service.ledger.tiles import compute
from consent_service.ledger.tree import consistency_proof, inclusion_proof, verify_consistency
from consent_service.ledger.verifier.verify import manifest, write_zip

PROOF_HEADER: Final = "c2sp.org/tlog-proof@v1"
VERIFIERS: Final = ("verify.py", "verify.html")

Sign = Callable[[list[str]], str]
"""Gives the present checkpoint, signed with extension lines; everything recorded before the call is in its log."""


@dataclass(frozen=True, slots=True)
class Entry:
    """Hold a record that is in the log, or will be in a moment, with the salt of its commitment."""

    entry_id: str
    record: bytes
    salt: bytes


@dataclass(frozen=True, slots=True)
class Anchor:
    """Hold a checkpoint that somebody else got earlier, and the time stamp over it if there is one."""

    note: str
    token: bytes | None


@dataclass(frozen=True, slots=True)
class Evidence:
    """Hold what a bundle is made of. `named` has the entry that logs each file, by the stem of the file's name."""

    decision: Entry
    files: Mapping[str, bytes]
    named: Mapping[str, Entry]
    anchor: Anchor | None


def make_bundle(engine: Engine, evidence: Evidence, sign: Sign) -> bytes:
    """Give the zip file of a bundle: the same bytes for the same evidence and the same log.

    Raises LedgerError when the record was erased meanwhile or the anchor is of another history.
    """
    members = {**evidence.files, "record.json": evidence.decision.record, **_verifiers()}
    members["salt.hex"] = evidence.decision.salt.hex().encode()
    for stem, entry in evidence.named.items():
        members |= {f"{stem}.entry.json": entry.record, f"{stem}.salt.hex": entry.salt.hex().encode()}
    if evidence.anchor is not None:
        members["anchor.checkpoint"] = evidence.anchor.note.encode()
        if evidence.anchor.token is not None:
            members["anchor.tsr"] = evidence.anchor.token
    note = _by_newest_key(sign([f"bundle sha256:{sha256(manifest(members).encode()).hexdigest()}"]))
    checkpoint, _ = read_checkpoint(note)
    members["checkpoint"] = note.encode()
    with engine.connect() as connection:
        for stem, entry in {"record": evidence.decision, **evidence.named}.items():
            members[f"{stem}.tlog-proof"] = _proof(connection, entry.entry_id, checkpoint.size, note).encode()
        if evidence.anchor is not None:
            members["anchor.consistency"] = _growth(connection, evidence.anchor.note, checkpoint).encode()
    return write_zip(members)


def read_entries(connection: Connection, kind: Kind, subjects: Sequence[str]) -> dict[str, Entry]:
    """Give the first entry of a kind that logs each subject; subjects that were never logged are left out."""
    rows = connection.execute(
        select(ledger_entry)
        .where(ledger_entry.c.kind == kind, ledger_entry.c.subject.in_(subjects))
        .order_by(ledger_entry.c.entry_id.desc())
    )
    return {row.subject: Entry(row.entry_id, bytes(row.record), bytes(row.salt)) for row in rows}


def find_leaves(connection: Connection, entry_ids: Sequence[str], size: int) -> dict[str, int]:
    """Give the place of each record in the log's first `size` entries; those not there yet, or erased, are left out."""
    rows = connection.execute(
        select(ledger_leaf.c.entry_id, ledger_leaf.c.leaf_index).where(
            ledger_leaf.c.entry_id.in_(entry_ids), ledger_leaf.c.leaf_index < size
        )
    )
    return {row.entry_id: row.leaf_index for row in rows}


def _verifiers() -> dict[str, bytes]:
    return {name: files("consent_service.ledger.verifier").joinpath(name).read_bytes() for name in VERIFIERS}


def _by_newest_key(note: str) -> str:
    """Keep the first signature alone: no byte of a bundle may be one that nobody with the newest key can check."""
    body, _, signatures = note.rpartition("\n\n")
    return f"{body}\n\n{signatures.splitlines()[0]}\n"


def _proof(connection: Connection, entry_id: str, size: int, note: str) -> str:
    index = find_leaves(connection, [entry_id], size).get(entry_id)
    if index is None:
        raise LedgerError("the record is not in the log any more: it was erased meanwhile")
    hashes = compute(connection, lambda nodes: inclusion_proof(index, size, nodes))
    return f"{PROOF_HEADER}\nindex {index}\n{_lines(hashes)}\n{note}"


def _growth(connection: Connection, note: str, new: Checkpoint) -> str:
    old, _ = read_checkpoint(note)
    hashes: list[bytes] = []
    if old.size <= new.size:
        hashes = compute(connection, lambda nodes: consistency_proof(old.size, new.size, nodes))
    if not verify_consistency(old.size, new.size, old.root, new.root, hashes):
        raise LedgerError(f"the checkpoint of {old.size} entries is not of this log's history")
    return _lines(hashes)


def _lines(hashes: Sequence[bytes]) -> str:
    return "".join(f"{b64encode(each).decode()}\n" for each in hashes)
