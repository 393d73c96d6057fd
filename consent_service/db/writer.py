"""Commit writes to the main database; on SQLite many requests share one fsync."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine

from consent_service.db.engine import is_sqlite

T = TypeVar("T")
Work = Callable[[Connection], T]

GROUP_SIZE = 200


class Writer:
    """Run pieces of work, each in a transaction that is on disk before `run` returns.

    On SQLite one thread per process writes for all others: what waits is committed together, each piece in a
    savepoint of its own, so that one that fails takes nothing along. On PostgreSQL each piece is its own transaction.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._queue: SimpleQueue[tuple[Work[Any], Future[Any]] | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def run(self, work: Work[T]) -> T:
        """Give what `work` gives once it is committed; what it raises undoes it and is raised here."""
        if not is_sqlite(self._engine):
            with self._engine.begin() as connection:
                return work(connection)
        self._start()
        future: Future[T] = Future()
        self._queue.put((work, future))
        return future.result()

    def close(self) -> None:
        """Commit what waits, then stop."""
        with self._lock:
            if self._thread is not None:
                self._queue.put(None)
                self._thread.join()
                self._thread = None

    def _start(self) -> None:
        if self._thread is None:
            with self._lock:
                if self._thread is None:
                    self._thread = threading.Thread(target=self._loop, name="database-writer", daemon=True)
                    self._thread.start()

    def _loop(self) -> None:
        while True:
            first = self._queue.get()
            if first is None:
                return
            group, is_last = self._collect(first)
            self._commit(group)
            if is_last:
                return

    def _collect(self, first: tuple[Work[Any], Future[Any]]) -> tuple[list[tuple[Work[Any], Future[Any]]], bool]:
        group = [first]
        while len(group) < GROUP_SIZE:
            try:
                item = self._queue.get_nowait()
            except Empty:
                break
            if item is None:
                return group, True
            group.append(item)
        return group, False

    def _commit(self, group: list[tuple[Work[Any], Future[Any]]]) -> None:
        answers: list[tuple[Future[Any], Any, BaseException | None]] = []
        try:
            with (
                self._engine.connect().execution_options(consent_writes=True) as connection,
                connection.begin(),
            ):
                for work, future in group:
                    answers.append(self._attempt(connection, work, future))
        except BaseException as error:  # the journal's disk may be full, too; all who wait have to hear of it
            for _, future in group:
                if not future.done():
                    future.set_exception(error)
            return
        for future, value, failure in answers:
            if failure is None:
                future.set_result(value)
            else:
                future.set_exception(failure)

    @staticmethod
    def _attempt(
        connection: Connection, work: Work[Any], future: Future[Any]
    ) -> tuple[Future[Any], Any, BaseException | None]:
        savepoint = connection.begin_nested()
        try:
            value = work(connection)
        except BaseException as failure:  # whatever it is, it belongs to the caller that waits
            savepoint.rollback()
            return future, None, failure
        savepoint.commit()
        return future, value, None
