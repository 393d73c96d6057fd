"""Tell every process when something it caches has changed."""

from __future__ import annotations

import threading
import time

from sqlalchemy import Connection, Engine, insert, select, update

from consent_service.db.tables import revision

MAX_AGE_SECONDS = 0.5


def bump(connection: Connection, name: str) -> None:
    """Make every process reread what it caches under `name`, within half a second of the commit."""
    changed = connection.execute(update(revision).where(revision.c.name == name).values(number=revision.c.number + 1))
    if changed.rowcount == 0:
        connection.execute(insert(revision).values(name=name, number=1))


class Revision:
    """Read the number of one kind of cached thing, asking the database twice a second at most."""

    def __init__(self, engine: Engine, name: str) -> None:
        self._engine = engine
        self._statement = select(revision.c.number).where(revision.c.name == name)
        self._lock = threading.Lock()
        self._number = -1
        self._read_at = float("-inf")

    def number(self) -> int:
        """Give the number, at most half a second old; it moves when the thing changes."""
        if time.monotonic() - self._read_at < MAX_AGE_SECONDS:
            return self._number
        with self._lock:
            if time.monotonic() - self._read_at >= MAX_AGE_SECONDS:
                with self._engine.connect() as connection:
                    self._number = connection.execute(self._statement).scalar_one_or_none() or 0
                self._read_at = time.monotonic()
            return self._number

    def forget(self) -> None:
        """Ask the database again at the next call."""
        self._read_at = float("-inf")
