"""Let other processes of the deployment ask the keeper, over a socket only its owner can open."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Client, Connection, Listener
from pathlib import Path
from typing import Any

from sqlalchemy import Select
from sqlalchemy.exc import SQLAlchemyError

from consent_service.errors import Conflict, Unavailable
from consent_service.events.dialect import compile_statement
from consent_service.events.store import EventStore, EventStoreError, Row
from consent_service.events.wire import decode, encode

log = logging.getLogger("consent_service")

ANSWER_SECONDS = 60.0
# A probe that waits longer holds a thread that visitors need.
READY_SECONDS = 1.0
# The keeper signs between two turns, which a busy store may make long.
SIGN_SECONDS = 10.0
# Retention and compaction of a large store take minutes; a dead keeper is noticed at once all the same.
ACT_SECONDS = 3_600.0
MAX_REQUEST = 16 * 1024 * 1024
CHUNK = 2_000
MAX_ADDRESS = 100

Act = Callable[[str, dict[str, Any]], Any]


class KeeperServer:
    """Answer queries in a thread per connection; acts are handed to the keeper's own loop."""

    def __init__(self, path: Path, store: EventStore, act: Act) -> None:
        self._store = store
        self._act = act
        path.unlink(missing_ok=True)
        with short_address(path) as address:
            self._listener = Listener(address, family="AF_UNIX", backlog=64)
        path.chmod(0o600)
        self._thread = threading.Thread(target=self._accept, name="keeper-socket", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Take no more connections."""
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                connection = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), name="keeper-answer", daemon=True).start()

    def _serve(self, connection: Connection) -> None:
        with connection:
            while True:
                try:
                    asked = decode(connection.recv_bytes(MAX_REQUEST))
                    for answer in self._answers(asked):
                        connection.send_bytes(encode(answer))
                except (EOFError, OSError, ValueError):
                    return

    def _answers(self, asked: dict[str, Any]) -> Iterator[dict[str, Any]]:
        try:
            match asked["ask"]:
                case "fetch":
                    yield {"rows": self._store.fetch(asked["sql"], asked["params"]).rows}
                case "stream":
                    for rows in self._store.stream(asked["sql"], asked["params"], asked["chunk"]):
                        yield {"rows": rows}
                    yield {"end": True}
                case name:
                    yield {"done": self._act(name, asked)}
        except Conflict as error:
            yield {"refused": error.message}
        except (EventStoreError, SQLAlchemyError, LookupError, OSError) as error:
            log.warning("the event store could not answer: %s", type(error).__name__)
            yield {"error": str(error)}


class KeeperClient:
    """Ask the keeper; one connection per thread, opened anew after the keeper was."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._local = threading.local()

    def ask(self, name: str, *, seconds: float = ACT_SECONDS, **members: Any) -> Any:
        """Let the keeper do something and give its answer.

        Raises Unavailable when it does not answer in time, and Conflict when it says why it will not do it.
        """
        return self._exchange({"ask": name, **members}, seconds)["done"]

    def sign_checkpoint(self, lines: list[str]) -> str:
        """Give the log's present checkpoint, signed with lines that say more; raises Unavailable."""
        return str(self.ask("sign_checkpoint", seconds=SIGN_SECONDS, extensions=lines)["note"])

    def is_ready(self) -> bool:
        """Tell within a second whether the keeper answers queries."""
        try:
            return bool(self._exchange({"ask": "fetch", "sql": "SELECT 1", "params": []}, READY_SECONDS)["rows"])
        except Unavailable:
            return False

    def fetch(self, statement: Select[Any]) -> list[Row]:
        """Give every row of a statement over the event store."""
        sql, params = compile_statement(statement)
        return [tuple(row) for row in self._exchange({"ask": "fetch", "sql": sql, "params": params})["rows"]]

    def stream(self, statement: Select[Any], chunk: int = CHUNK) -> Iterator[list[Row]]:
        """Give the rows of a statement in lists of at most `chunk`."""
        sql, params = compile_statement(statement)
        # A connection of its own: whoever stops reading half-way leaves nothing behind on the thread's.
        with self._open() as connection:
            self._send(connection, {"ask": "stream", "sql": sql, "params": params, "chunk": chunk})
            while True:
                answer = self._receive(connection)
                if "end" in answer:
                    return
                yield [tuple(row) for row in answer["rows"]]

    def close(self) -> None:
        """Let go of this thread's connection."""
        connection = getattr(self._local, "connection", None)
        if connection is not None:
            connection.close()
            self._local.connection = None

    def _exchange(self, asked: dict[str, Any], seconds: float = ANSWER_SECONDS) -> dict[str, Any]:
        kept = getattr(self._local, "connection", None)
        connection = kept or self._open()
        self._local.connection = connection
        try:
            self._send(connection, asked)
            return self._receive(connection, seconds)
        except _Gone:
            self.close()
            # A connection kept from before may have ended with a keeper that was started again since.
            if kept is None:
                raise
        except Unavailable:
            # An answer that comes too late must not be taken for that of the next question.
            self.close()
            raise
        return self._exchange(asked, seconds)

    def _open(self) -> Connection:
        try:
            with short_address(self._path) as address:
                return Client(address, family="AF_UNIX")
        except OSError as error:
            raise Unavailable("the event store is not running; try again") from error

    @staticmethod
    def _send(connection: Connection, asked: dict[str, Any]) -> None:
        try:
            connection.send_bytes(encode(asked))
        except OSError as error:
            raise _Gone from error

    @staticmethod
    def _receive(connection: Connection, seconds: float = ANSWER_SECONDS) -> dict[str, Any]:
        try:
            if not connection.poll(seconds):
                raise Unavailable("the event store takes too long to answer; try again")
            answer: dict[str, Any] = decode(connection.recv_bytes())
        except (EOFError, OSError) as error:
            raise _Gone from error
        if "refused" in answer:
            raise Conflict(answer["refused"])
        if "error" in answer:
            raise Unavailable(f"the event store could not answer: {answer['error']}")
        return answer


class SharedAnswer:
    """Ask once for everybody who wants to know within a second: one thread asks, the others wait for its answer."""

    def __init__(self, ask: Callable[[], bool], seconds: float = READY_SECONDS) -> None:
        self._ask = ask
        self._seconds = seconds
        self._lock = threading.Lock()
        self._answer = False
        self._good_until = 0.0

    def __call__(self) -> bool:
        """Give an answer that is a second old at most."""
        with self._lock:
            if time.monotonic() >= self._good_until:
                self._answer = self._ask()
                self._good_until = time.monotonic() + self._seconds
            return self._answer


@contextmanager
def short_address(path: Path) -> Iterator[str]:
    """Name a socket within the 107 bytes that a socket's address has, however deep its directory lies."""
    if len(os.fsencode(path)) <= MAX_ADDRESS:
        yield str(path)
        return
    handle = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{handle}/{path.name}"
    finally:
        os.close(handle)


class _Gone(Unavailable):
    """Tell that the connection ended before the answer."""

    def __init__(self) -> None:
        super().__init__("the event store does not answer; try again")
