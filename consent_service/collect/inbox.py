"""Keep accepted events on disk until the keeper has stored them: an answer of 202 means fsynced here."""

from __future__ import annotations

import sqlite3
import threading
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import Future
from datetime import date, datetime
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import IO, Any, Final

import orjson

from consent_service.collect.inbox_file import Count, damage_mark, open_inbox
from consent_service.consent.gate import Grant, write_grant
from consent_service.errors import Unavailable
from consent_service.locks import Locked, take

GROUP_SIZE: Final = 500
MAX_SLOTS: Final = 256
# How long counts of refusals may wait for company before they are written on their own.
COUNT_DELAY_SECONDS: Final = 0.5


class Inbox:
    """Write this process's inbox; one thread commits for all, so that many requests share one fsync.

    The slot belongs to the process for as long as it lives (flock); another takes it over afterwards. When its file is
    found to be damaged, the slot goes on in another file.
    """

    def __init__(self, directory: Path) -> None:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._slot, self._lock_file = _take_slot(directory)
        self._queue: SimpleQueue[tuple[bytes, Future[None]] | None] = SimpleQueue()
        self._counts: Counter[Count] = Counter()
        self._counts_lock = threading.Lock()
        self._written = self.path
        self._connection: sqlite3.Connection | None = None
        self._thread = threading.Thread(target=self._loop, name="inbox-writer", daemon=True)
        self._thread.start()

    @property
    def path(self) -> Path:
        """Name the file that is written."""
        path, number = self._slot.with_name(f"{self._slot.name}.sqlite"), 0
        while damage_mark(path).exists():
            number += 1
            path = self._slot.with_name(f"{self._slot.name}-{number}.sqlite")
        return path

    def append(self, grant: Grant, received_at: datetime, events: Sequence[dict[str, Any]]) -> None:
        """Keep events under their grant; they are on disk when this returns.

        Raises Unavailable when they cannot be written: nothing was kept then.
        """
        self.append_many([(grant, received_at, events)])

    def append_many(self, requests: Iterable[tuple[Grant, datetime, Sequence[dict[str, Any]]]]) -> None:
        """Keep the events of many requests; all of them are on disk when this returns. Raises like `append`."""
        waiting: list[Future[None]] = []
        for grant, received_at, events in requests:
            body = {
                "grant": write_grant(grant),
                "received_at": received_at.isoformat(),
                "events": list(events),
            }
            future: Future[None] = Future()
            self._queue.put((orjson.dumps(body), future))
            waiting.append(future)
        for future in waiting:
            future.result()

    def count(self, site_id: int, day: date, reason: str) -> None:
        """Count a refusal or a drop; it reaches the disk within a second, and nothing else is kept of it."""
        with self._counts_lock:
            self._counts[(site_id, day, reason)] += 1

    def close(self) -> None:
        """Write what waits, then let the file go."""
        self._queue.put(None)
        self._thread.join()
        self._lock_file.close()

    def _loop(self) -> None:
        is_last = False
        while not is_last:
            group, is_last = self._collect()
            counts = self._take_counts()
            if not group and not counts:
                continue
            try:
                self._write([body for body, _ in group], counts)
            except (sqlite3.Error, OSError) as error:
                self._give_counts_back(counts)
                self._let_go()
                _fail(group, error)
                continue
            for _, future in group:
                future.set_result(None)
        self._let_go()

    def _write(self, bodies: Sequence[bytes], counts: Counter[Count]) -> None:
        while True:
            if self._connection is None:
                self._written = self.path
                self._connection = open_inbox(self._written)
            _commit(self._connection, bodies, counts)
            if not damage_mark(self._written).exists():
                return
            # The keeper may have read this file for the last time before the commit, so it goes into the next one too;
            # events that it did read are not stored twice.
            self._let_go()

    def _let_go(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _collect(self) -> tuple[list[tuple[bytes, Future[None]]], bool]:
        group: list[tuple[bytes, Future[None]]] = []
        try:
            item = self._queue.get(timeout=COUNT_DELAY_SECONDS)
            while item is not None:
                group.append(item)
                if len(group) >= GROUP_SIZE:
                    return group, False
                item = self._queue.get_nowait()
        except Empty:
            return group, False
        return group, True

    def _take_counts(self) -> Counter[Count]:
        with self._counts_lock:
            counts, self._counts = self._counts, Counter()
        return counts

    def _give_counts_back(self, counts: Counter[Count]) -> None:
        with self._counts_lock:
            self._counts.update(counts)


def _take_slot(directory: Path) -> tuple[Path, IO[str]]:
    for slot in range(MAX_SLOTS):
        try:
            lock_file = take(directory / f"inbox-{slot:03}.lock")
        except Locked:
            continue
        return directory / f"inbox-{slot:03}", lock_file
    raise RuntimeError(f"all {MAX_SLOTS} inboxes of {directory} are in use")


def _commit(connection: sqlite3.Connection, bodies: Sequence[bytes], counts: Counter[Count]) -> None:
    rows = [("events", body) for body in bodies]
    if counts:
        listed = [[site_id, day.isoformat(), reason, n] for (site_id, day, reason), n in counts.items()]
        rows.append(("counts", orjson.dumps({"counts": listed})))
    connection.execute("BEGIN IMMEDIATE")
    try:
        connection.executemany("INSERT INTO item (kind, body) VALUES (?, ?)", rows)
        connection.execute("COMMIT")
    except sqlite3.Error:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _fail(group: Sequence[tuple[bytes, Future[None]]], error: sqlite3.Error | OSError) -> None:
    for _, future in group:
        failure = Unavailable("the events cannot be written right now; send them again with the same ids")
        failure.__cause__ = error
        future.set_exception(failure)
