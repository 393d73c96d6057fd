"""Number what was recorded, grow the tree and sign its checkpoint: one transaction a batch, one signer at a time."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine, Row, Select, Table, insert, select

from consent_service.db.ledger_tables import ledger_checkpoint, ledger_entry, ledger_leaf
from consent_service.db.raw import raw
from consent_service.db.tables import decision
from consent_service.db.writer import Writer
from consent_service.ids import first_id
from consent_service.ledger.entries import DECISION, Kind, add_entry, add_missing_notices, commit_to, hold_log
from consent_service.ledger.guard import Guard, GuardMoved
from consent_service.ledger.keys import LedgerKeys, read_keys, write_keys
from consent_service.ledger.notes import Checkpoint, sign_checkpoint
from consent_service.ledger.restoring import Accepted, accept_restore
from consent_service.ledger.standing import Head, LedgerRefused, check_standing, read_head
from consent_service.ledger.tiles import Edge
from consent_service.ledger.tree import hash_leaf

ROWS_A_BATCH: Final = 5_000
# A record becomes visible a moment after its id was made; one that took longer is found by the next look at all.
LATE_SECONDS: Final = 120.0
LOOK_AT_ALL_SECONDS: Final = 60.0
# Looking at all of a large log takes seconds; it may take a hundredth of the time.
LOOK_AT_ALL_SHARE: Final = 100.0


@dataclass(frozen=True, slots=True)
class Integrated:
    """Tell how many leaves a batch added, how many there are, and whether more records wait than it took."""

    added: int
    size: int
    has_more: bool


class Integrator:
    """Give every record a leaf, and sign; not for two threads at once.

    Two processes that integrate at once wait for each other in the database. Requests never come here.
    """

    def __init__(self, engine: Engine, writer: Writer, directory: Path, now: Callable[[], datetime]) -> None:
        self._engine = engine
        self._writer = writer
        self._directory = directory
        self._now = now
        self._guard = Guard(directory)
        self._keys: LedgerKeys | None = None
        self._is_prepared = False
        # The records' ids are stamped by the machine's clock, so what is new is told by that one, not by `now`.
        self._complete_at: float | None = None
        self._look_at_all_at = float("-inf")

    @property
    def keys(self) -> LedgerKeys:
        """Give the log's keys, read once; raises ProblemsError."""
        if self._keys is None:
            self._keys = read_keys(self._directory)
        return self._keys

    def reload(self) -> None:
        """Read keys and guard anew before the next batch."""
        self._keys, self._is_prepared = None, False

    def integrate(self) -> Integrated:
        """Log one batch of what waits; what it says was added is committed, signed and guarded.

        Raises LedgerRefused when the database is not the one that was signed last.
        """
        begun_at, monotonic_at = time.time(), time.monotonic()
        looks_at_all = monotonic_at >= self._look_at_all_at or self._complete_at is None
        floor = "" if looks_at_all else first_id((self._complete_at or 0.0) - LATE_SECONDS)
        if self._is_prepared and not self._has_waiting(floor):
            done = Integrated(0, self._size(), has_more=False)
        else:
            done = self._integrate(floor)
        if not done.has_more:
            self._complete_at = begun_at
            if looks_at_all:
                took = time.monotonic() - monotonic_at
                self._look_at_all_at = monotonic_at + max(LOOK_AT_ALL_SECONDS, took * LOOK_AT_ALL_SHARE)
        return done

    def sign_head(self, extensions: list[str]) -> str:
        """Log what waits, then give the present checkpoint signed with lines that say more; raises LedgerRefused."""
        while self.integrate().has_more:
            pass
        with self._engine.connect() as connection:
            head = read_head(connection)
            check_standing(connection, head, self._guard.read(), self.keys)
        checkpoint = Checkpoint(self.keys.name, head.size, head.root, tuple(extensions))
        return sign_checkpoint(checkpoint, self.keys.signing(self._now()))

    def rotate(self) -> str:
        """Put a new key before the others and let the log announce it; gives the new key as text.

        Checkpoints are signed by the new key and, for 30 days, by the one before it too. Raises LedgerRefused.
        """
        # What does not stand is not announced by a key that nobody knows.
        self.integrate()
        keys = self.keys.rotated(self._now())
        write_keys(self._directory, keys)
        self.reload()
        while self.integrate().has_more:
            pass
        return str(keys.verifiers()[0])

    def accept_restore(self, reason: str) -> Accepted:
        """Let the database's log be signed although another was signed before; raises LedgerError."""
        accepted = accept_restore(self._writer, self._directory, reason, self._now())
        self.reload()
        return accepted

    def _integrate(self, floor: str) -> Integrated:
        keys, now, guarded = self.keys, self._now(), self._guard.read()
        done, note = self._writer.run(lambda connection: self._batch(connection, keys, guarded, floor, now))
        self._is_prepared = True
        if note is not None and note != guarded:
            try:
                self._guard.swap(guarded, note)
            except GuardMoved as error:
                raise LedgerRefused("another process signs this log too; end one of them") from error
        return done

    def _batch(
        self, connection: Connection, keys: LedgerKeys, guarded: str | None, floor: str, now: datetime
    ) -> tuple[Integrated, str | None]:
        hold_log(connection)
        head = read_head(connection)
        check_standing(connection, head, guarded, keys)
        if not self._is_prepared:
            add_missing_notices(connection, now)
            announce_key(connection, keys, now)
        # Decisions are read first: a notice that one cites was committed before it, so it is among the entries then.
        decisions = connection.execute(waiting(decision, floor).limit(ROWS_A_BATCH)).all()
        entries = connection.execute(waiting(ledger_entry, floor).limit(ROWS_A_BATCH)).all()
        if len(entries) == ROWS_A_BATCH:
            decisions = []
        rows = [*entries, *decisions]
        has_more = ROWS_A_BATCH in (len(decisions), len(entries))
        if not rows:
            return Integrated(0, head.size, has_more=False), head.note
        note = extend(connection, head, rows, keys, now)
        return Integrated(len(rows), head.size + len(rows), has_more), note

    def _has_waiting(self, floor: str) -> bool:
        with self._engine.connect() as connection:
            return any(
                connection.execute(waiting(table, floor, newest_first=True).limit(1)).first() is not None
                for table in (decision, ledger_entry)
            )

    def _size(self) -> int:
        with self._engine.connect() as connection:
            return read_head(connection).size


def waiting(table: Table, floor: str = "", *, newest_first: bool = False) -> Select[Any]:
    """Select the records of a table that have no leaf, of those whose ids do not sort before `floor`."""
    entry_id = table.primary_key.columns[0]
    has_leaf = (
        select(ledger_leaf.c.leaf_index)
        # The bound is repeated so that the database reads the same end of both indexes.
        .where(ledger_leaf.c.entry_id == entry_id, ledger_leaf.c.entry_id >= floor)
        .exists()
    )
    kind = table.c.kind if table is ledger_entry else None
    columns = [entry_id.label("entry_id"), raw(table.c.record), raw(table.c.salt), *([] if kind is None else [kind])]
    order = entry_id.desc() if newest_first else entry_id
    return select(*columns).where(entry_id >= floor, ~has_leaf).order_by(order)


def extend(connection: Connection, head: Head, rows: list[Row[Any]], keys: LedgerKeys, now: datetime) -> str:
    """Number rows as the next leaves, write their tiles and a checkpoint over them; gives the checkpoint's note."""
    edge = Edge.load(connection, head.size)
    if edge.root() != head.root:
        raise LedgerRefused("the log's tiles are not those of its last checkpoint; see: consent-service ledger verify")
    leaves = []
    for row in rows:
        commitment = commit_to(row.salt, row.record)
        leaves.append(
            {
                "leaf_index": edge.size,
                "entry_id": row.entry_id,
                "kind": getattr(row, "kind", DECISION),
                "commitment": commitment,
            }
        )
        edge.append(hash_leaf(commitment))
    connection.execute(insert(ledger_leaf), leaves)
    edge.save(connection)
    root = edge.root()
    note = sign_checkpoint(Checkpoint(keys.name, edge.size, root), keys.signing(now))
    connection.execute(insert(ledger_checkpoint).values(tree_size=edge.size, root=root, note=note, signed_at=now))
    return note


def announce_key(connection: Connection, keys: LedgerKeys, now: datetime) -> None:
    """Log the newest key unless the log announces it already, with the one that it takes the place of."""
    newest, *older = [str(key) for key in keys.verifiers()]
    is_known = select(ledger_entry.c.entry_id).where(ledger_entry.c.kind == Kind.KEY, ledger_entry.c.subject == newest)
    if connection.execute(is_known.limit(1)).first() is None:
        document = {"log": keys.name, "key": newest, "replaces": older[0] if older else None, "at": now.isoformat()}
        add_entry(connection, kind=Kind.KEY, site_id=None, subject=newest, document=document, now=now)
