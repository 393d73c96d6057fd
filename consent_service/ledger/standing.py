"""Tell whether the database holds the log that was signed last, or another one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from consent_service.db.ledger_tables import ledger_checkpoint
from consent_service.ledger.keys import LedgerKeys
from consent_service.ledger.notes import Checkpoint, NoteError, open_checkpoint
from consent_service.ledger.tiles import TileMissing, root_at
from consent_service.ledger.tree import EMPTY_ROOT

ACCEPT = "consent-service ledger restore-accept --reason TEXT"


class LedgerError(Exception):
    """Tell in one line why the log cannot be used as asked, and the mend."""


class LedgerRefused(LedgerError):
    """Tell why nothing is signed: to sign would give the log a second history."""


@dataclass(frozen=True, slots=True)
class Head:
    """Hold the newest checkpoint of the database; `note` and `signed_at` are None while the log is empty."""

    size: int
    root: bytes
    note: str | None
    signed_at: datetime | None


def read_head(connection: Connection) -> Head:
    """Read the newest checkpoint."""
    row = connection.execute(
        select(ledger_checkpoint).order_by(ledger_checkpoint.c.tree_size.desc()).limit(1)
    ).one_or_none()
    return Head(0, EMPTY_ROOT, None, None) if row is None else Head(row.tree_size, row.root, row.note, row.signed_at)


def check_standing(connection: Connection, head: Head, guarded: str | None, keys: LedgerKeys) -> None:
    """Raise LedgerRefused unless the database's log continues the one that the guard remembers."""
    if guarded is not None and guarded == head.note:
        return
    guard = open_guard(guarded, keys)
    if guard.size > head.size:
        raise LedgerRefused(
            f"the database's log has {head.size} leaves, {guard.size} were signed: an older database was restored; "
            f"nothing is signed until: {ACCEPT}"
        )
    try:
        is_same = root_at(connection, guard.size) == guard.root
        if head.note is not None:
            said = open_checkpoint(head.note, keys.verifiers())
            is_same = is_same and (said.size, said.root) == (head.size, head.root)
    except (NoteError, TileMissing) as error:
        raise LedgerRefused(f"the database's log is not what was signed ({error}); {_way_on()}") from error
    if not is_same:
        raise LedgerRefused(f"the database's log differs from what was signed at {guard.size} leaves; {_way_on()}")


def open_guard(guarded: str | None, keys: LedgerKeys) -> Checkpoint:
    """Read the guard's checkpoint; raises LedgerRefused when it is missing, damaged or another log's."""
    if guarded is None:
        raise LedgerRefused(
            f"ledger.guard is missing or damaged, which says what was signed last; restore it, or go on with: {ACCEPT}"
        )
    try:
        return open_checkpoint(guarded, keys.verifiers())
    except NoteError as error:
        raise LedgerRefused(f"ledger.guard is not what was signed last ({error}); go on with: {ACCEPT}") from error


def _way_on() -> str:
    return f"see: consent-service ledger verify; nothing is signed until: {ACCEPT}"
