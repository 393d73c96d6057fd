"""Verify the whole log against what is stored: every commitment, tile, root, signature, and the guard."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final

from sqlalchemy import Connection, Row, select

from consent_service.db.ledger_tables import ledger_checkpoint, ledger_entry, ledger_leaf
from consent_service.db.raw import raw, written
from consent_service.db.tables import decision, notice
from consent_service.ledger.agreement import COMPARED, disagreement
from consent_service.ledger.entries import DECISION, Kind, commit_to
from consent_service.ledger.keys import LedgerKeys
from consent_service.ledger.notes import NoteError, VerifierKey, open_checkpoint
from consent_service.ledger.standing import LedgerRefused, open_guard
from consent_service.ledger.tiles import TILE_WIDTH, Edge, Place, read_tiles, split
from consent_service.ledger.tree import EMPTY_ROOT, hash_leaf

PAGE: Final = 5_000
MAX_FAULTS: Final = 50


@dataclass(frozen=True, slots=True)
class Fault:
    """Name something that does not verify; `leaf_index` is the first leaf it concerns."""

    leaf_index: int
    message: str


@dataclass(slots=True)
class Verified:
    """Tell how much of the log was verified, and the first faults, should there be any."""

    leaves: int = 0
    checkpoints: int = 0
    faults: list[Fault] = field(default_factory=list)

    @property
    def first_bad(self) -> int | None:
        """Give the index of the first leaf that something is wrong with."""
        return min((fault.leaf_index for fault in self.faults), default=None)

    def note(self, leaf_index: int, message: str) -> None:
        """Keep a fault; of very many the first ones say enough."""
        if len(self.faults) < MAX_FAULTS:
            self.faults.append(Fault(leaf_index, message))


def verify_log(connection: Connection, keys: LedgerKeys, guarded: str | None) -> Verified:
    """Verify everything by the deployment's own keys; `guarded` was read before the transaction began."""
    return _Verifier(connection, keys.verifiers()).run(keys, guarded)


class _Verifier:
    def __init__(self, connection: Connection, keys: Sequence[VerifierKey]) -> None:
        self._connection = connection
        self._keys = keys
        self._found = Verified()
        self._edge = Edge.empty()
        self._roots: dict[int, bytes] = {0: EMPTY_ROOT}
        self._sound_size = 0

    def run(self, keys: LedgerKeys, guarded: str | None) -> Verified:
        columns = (ledger_checkpoint.c.tree_size, raw(ledger_checkpoint.c.root), written(ledger_checkpoint.c.note))
        checkpoints = self._connection.execute(select(*columns).order_by(ledger_checkpoint.c.tree_size)).all()
        wanted = {row.tree_size for row in checkpoints}
        try:
            guard = open_guard(guarded, keys)
            wanted.add(guard.size)
        except LedgerRefused as error:
            guard = None
            self._found.note(0, str(error))
        for row in self._leaves():
            self._leaf(row)
            if self._edge.size in wanted:
                self._roots[self._edge.size] = self._edge.root()
            if self._edge.size % (TILE_WIDTH * 16) == 0:
                self._tiles()
        self._tiles(is_end=True)
        self._found.leaves = self._edge.size
        for checkpoint in checkpoints:
            self._checkpoint(checkpoint)
        last = checkpoints[-1].tree_size if checkpoints else 0
        if self._edge.size > last:
            self._found.note(last, f"{self._edge.size - last} leaves are in no checkpoint")
        if guard is not None and self._roots.get(guard.size) != guard.root:
            message = f"the log is not the one that was signed last, at {guard.size} leaves (ledger.guard)"
            self._found.note(min(self._edge.size, self._suspect(guard.size)), message)
        self._notices()
        return self._found

    def _leaves(self) -> Iterator[Row[Any]]:
        statement = (
            select(
                ledger_leaf.c.leaf_index,
                ledger_leaf.c.entry_id,
                ledger_leaf.c.kind,
                raw(ledger_leaf.c.commitment),
                *(written(decision.c[name]).label(f"d_{name}") for name in COMPARED),
                raw(decision.c.record).label("d_record"),
                raw(decision.c.salt).label("d_salt"),
                raw(ledger_entry.c.record).label("e_record"),
                raw(ledger_entry.c.salt).label("e_salt"),
            )
            .outerjoin(decision, decision.c.decision_id == ledger_leaf.c.entry_id)
            .outerjoin(ledger_entry, ledger_entry.c.entry_id == ledger_leaf.c.entry_id)
            .order_by(ledger_leaf.c.leaf_index)
            .limit(PAGE)
        )
        after = -1
        while rows := self._connection.execute(statement.where(ledger_leaf.c.leaf_index > after)).all():
            yield from rows
            after = rows[-1].leaf_index

    def _leaf(self, row: Row[Any]) -> None:
        index = self._edge.size
        if row.leaf_index != index:
            self._found.note(index, f"the leaf is missing; the next one there is {row.leaf_index}")
        elif row.entry_id is not None:
            self._record(row)
        self._edge.append(hash_leaf(row.commitment))

    def _record(self, row: Row[Any]) -> None:
        is_decision = row.kind == DECISION
        record = row.d_record if is_decision else row.e_record
        salt = row.d_salt if is_decision else row.e_salt
        if record is None or salt is None:
            self._found.note(row.leaf_index, f"the {row.kind} {row.entry_id} is gone, and no erasure took it")
        elif commit_to(salt, record) != row.commitment:
            self._found.note(row.leaf_index, f"the record of the {row.kind} {row.entry_id} is not what was logged")
        elif is_decision and (name := disagreement(row._mapping, record)) is not None:
            self._found.note(row.leaf_index, f"the {name} of the decision {row.entry_id} is not what its record says")

    def _tiles(self, *, is_end: bool = False) -> None:
        expected = self._edge.take_changed(with_tails=is_end)
        stored = read_tiles(self._connection, expected)
        for place, hashes in sorted(expected.items()):
            if stored.get(place) != hashes:
                self._found.note(_first_leaf(place, hashes, stored.get(place, b"")), _tile_message(place))

    def _checkpoint(self, row: Row[Any]) -> None:
        self._found.checkpoints += 1
        try:
            said = open_checkpoint(row.note, self._keys)
        except NoteError as error:
            self._found.note(self._suspect(row.tree_size), f"the checkpoint at {row.tree_size} leaves: {error}")
            return
        root = self._roots.get(row.tree_size)
        if (said.size, said.root) != (row.tree_size, row.root) or row.root != root:
            message = f"the checkpoint at {row.tree_size} leaves has another root than its leaves give"
            self._found.note(self._suspect(row.tree_size), message)
        else:
            self._sound_size = row.tree_size

    def _suspect(self, size: int) -> int:
        """Give the first leaf under a checkpoint known to be bad, else the first that no sound one vouches for."""
        bad = [fault.leaf_index for fault in self._found.faults if self._sound_size <= fault.leaf_index < size]
        return min(bad, default=self._sound_size)

    def _notices(self) -> None:
        leaves = (
            select(ledger_leaf.c.leaf_index, ledger_entry.c.subject, raw(notice.c.document))
            .join_from(ledger_leaf, ledger_entry, ledger_entry.c.entry_id == ledger_leaf.c.entry_id)
            .outerjoin(notice, notice.c.notice_hash == ledger_entry.c.subject)
            .where(ledger_entry.c.kind == Kind.NOTICE)
        )
        for row in self._connection.execute(leaves):
            if row.document is None or sha256(row.document).hexdigest() != row.subject:
                self._found.note(row.leaf_index, f"the words of the notice {row.subject} are not what was logged")


def _first_leaf(place: Place, expected: bytes, stored: bytes) -> int:
    level, index = place
    have, want = split(stored), split(expected)
    differing = (at for at, (mine, theirs) in enumerate(zip(want, have, strict=False)) if mine != theirs)
    at = next(differing, min(len(have), len(want)))
    return int((index * TILE_WIDTH + at) << (8 * level))


def _tile_message(place: Place) -> str:
    return f"tile {place[1]} of level {place[0]} is not what the leaves give"
