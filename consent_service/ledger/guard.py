"""Remember the last signed checkpoint outside the database, so that a restored database cannot fork the log."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Final

from sqlalchemy import Engine, select

from consent_service.db.ledger_tables import ledger_checkpoint
from consent_service.ledger.keys import FILE_NAME as KEYS_NAME
from consent_service.ledger.keys import LedgerKeys, mint_keys, write_keys
from consent_service.ledger.notes import Checkpoint, sign_checkpoint
from consent_service.ledger.tree import EMPTY_ROOT
from consent_service.private_file import write_private

FILE_NAME: Final = "ledger.guard"
LOCK_NAME: Final = "ledger.guard.lock"


class GuardMoved(Exception):
    """Tell that another process signed a checkpoint since the guard was read."""


class Guard:
    """Hold the file with the last signed checkpoint."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / FILE_NAME
        self._lock = directory / LOCK_NAME

    def read(self) -> str | None:
        """Give the last signed checkpoint as it was written; None when the file is missing or is no text."""
        try:
            return self.path.read_text(encoding="utf-8")
        except (FileNotFoundError, UnicodeDecodeError):
            return None

    def swap(self, expected: str | None, note: str) -> None:
        """Put a checkpoint in place of the expected one, on disk before it returns; raises GuardMoved otherwise."""
        with self._alone():
            if self.read() != expected:
                raise GuardMoved
            write_private(self.path, note.encode())

    @contextmanager
    def _alone(self) -> Iterator[None]:
        handle = os.open(self._lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)


def begin_missing_log(engine: Engine, directory: Path, now: datetime) -> None:
    """Begin the log of a deployment that has none: no key and nothing signed; leaves every other as it is."""
    with engine.connect() as connection:
        is_signed = connection.execute(select(ledger_checkpoint.c.tree_size).limit(1)).first() is not None
    if not is_signed and not (directory / KEYS_NAME).exists():
        begin_log(directory, now)


def begin_log(directory: Path, now: datetime) -> LedgerKeys:
    """Make the key of a new log and the guard of an empty one; a guard that is missing later is a sign of damage."""
    keys = mint_keys(now)
    empty = sign_checkpoint(Checkpoint(keys.name, 0, EMPTY_ROOT), keys.signing(now))
    write_private(directory / FILE_NAME, empty.encode())
    # Written last: without it nothing is signed, and it is made again.
    write_keys(directory, keys)
    return keys
