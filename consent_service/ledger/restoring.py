"""Go on with a log that is not the one which was signed last: say so in the log itself, then let it be signed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, update

from consent_service.db.ledger_tables import ledger_checkpoint
from consent_service.db.writer import Writer
from consent_service.ledger.entries import Kind, add_entry, hold_log
from consent_service.ledger.guard import Guard
from consent_service.ledger.keys import FILE_NAME, LedgerKeys, mint_keys, read_keys, write_keys
from consent_service.ledger.notes import Checkpoint, NoteError, open_checkpoint, read_checkpoint, sign_checkpoint
from consent_service.ledger.standing import Head, LedgerError, LedgerRefused, check_standing, open_guard, read_head
from consent_service.ledger.tiles import TileMissing, root_at


@dataclass(frozen=True, slots=True)
class Accepted:
    """Tell what was signed last, if that is known, and what the log goes on from."""

    entry_id: str
    signed_size: int | None
    restored_size: int


def accept_restore(writer: Writer, directory: Path, reason: str, now: datetime) -> Accepted:
    """Let the database's log be signed although another one was signed before; the log says so for ever.

    A key file that is gone is made anew under the log's own name. Raises LedgerError when there is nothing to
    accept, and when the database's log is not even in agreement with itself.
    """
    guard = Guard(directory)
    guarded = guard.read()
    is_lost = not (directory / FILE_NAME).exists()
    keys = _new_keys(writer, now) if is_lost else read_keys(directory)
    accepted, note = writer.run(lambda connection: _accept(connection, keys, guarded, reason, now, is_lost=is_lost))
    if is_lost:
        write_keys(directory, keys)
    guard.swap(guarded, note)
    return accepted


def _new_keys(writer: Writer, now: datetime) -> LedgerKeys:
    head = writer.run(read_head)
    return mint_keys(now, None if head.note is None else read_checkpoint(head.note)[0].origin)


def _accept(
    connection: Connection, keys: LedgerKeys, guarded: str | None, reason: str, now: datetime, *, is_lost: bool
) -> tuple[Accepted, str]:
    hold_log(connection)
    head = read_head(connection)
    if not is_lost:
        _refuse_needless(connection, head, guarded, keys)
    try:
        is_whole = root_at(connection, head.size) == head.root
    except TileMissing:
        is_whole = False
    if not is_whole:
        raise LedgerError("the database's log is damaged: tiles and last checkpoint differ; restore another backup")
    signed = _signed(guarded, keys)
    document = {
        "reason": reason,
        "at": now.isoformat(),
        "signed": None if signed is None else {"size": signed.size, "root": signed.root.hex()},
        "restored": {"size": head.size, "root": head.root.hex()},
    }
    entry_id = add_entry(connection, kind=Kind.RESTORE, site_id=None, subject=reason, document=document, now=now)
    accepted = Accepted(entry_id, None if signed is None else signed.size, head.size)
    return accepted, _note_of(connection, head, keys, now)


def _refuse_needless(connection: Connection, head: Head, guarded: str | None, keys: LedgerKeys) -> None:
    try:
        check_standing(connection, head, guarded, keys)
    except LedgerRefused:
        return
    raise LedgerError("the database holds the log that was signed last; there is nothing to accept")


def _signed(guarded: str | None, keys: LedgerKeys) -> Checkpoint | None:
    try:
        return open_guard(guarded, keys)
    except LedgerRefused:
        return None


def _note_of(connection: Connection, head: Head, keys: LedgerKeys, now: datetime) -> str:
    """Give the head's note, signed anew where none of the keys signed it."""
    checkpoint = Checkpoint(keys.name, head.size, head.root)
    if head.note is None:
        return sign_checkpoint(checkpoint, keys.signing(now))
    try:
        open_checkpoint(head.note, keys.verifiers())
    except NoteError:
        note = sign_checkpoint(checkpoint, keys.signing(now))
        connection.execute(
            update(ledger_checkpoint).where(ledger_checkpoint.c.tree_size == head.size).values(note=note)
        )
        return note
    return head.note
