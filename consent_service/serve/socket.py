"""Let other processes of the deployment ask the keeper, over a socket only its owner can open."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from multiprocessing.connection import Client, Connection, Listener
from pathlib import Path
from typing import Any

from sqlalchemy import Select

from consent_service.errors import Unavailable
from consent_service.events.dialect import compile_statement
from consent_service.events.store import EventStore, EventStoreError, Row
from consent_service.events.wire import decode, encode

log = logging.getLogger("consent_service")

ANSWER_SECONDS = 60.0
MAX_REQUEST = 16 * 1024 * 1024
CHUNK = 2_000

Act = Callable[[str, dict[str, Any]], Any]


class KeeperServer:
    """Answer queries in a thread per connection; acts are handed to the keeper's own loop."""

    def __init__(self, path: Path, store: EventStore, act: Act) -> None:
        self._store = store
        self._act = act
        path.unlink(missing_ok=True)
        self._listener = Listener(str(path), family="AF_UNIX", backlog=64)
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
        except (EventStoreError, LookupError) as error:
            log.warning("the event store could not answer: %s", type(error).__name__)
            yield {"error": str(error)}


class KeeperClient:
    """Ask the keeper; one connection per thread, opened anew after the keeper was."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._local = threading.local()

    def ask(self, name: str, **members: Any) -> Any:
        """Let the keeper do something and give its answer; raises Unavailable when it does not answer."""
        return self._exchange({"ask": name, **members})["done"]

    def is_ready(self) -> bool:
        """Tell whether the keeper answers queries."""
        try:
            return bool(self._exchange({"ask": "fetch", "sql": "SELECT 1", "params": []})["rows"])
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

    def _exchange(self, asked: dict[str, Any]) -> dict[str, Any]:
        for attempt in (1, 2):
            connection = getattr(self._local, "connection", None) or self._open()
            self._local.connection = connection
            try:
                self._send(connection, asked)
                return self._receive(connection)
            except _Gone:
                connection.close()
                self._local.connection = None
                if attempt == 2:
                    raise Unavailable("the event store does not answer; try again") from None
        raise AssertionError("unreachable")

    def _open(self) -> Connection:
        try:
            return Client(str(self._path), family="AF_UNIX")
        except OSError as error:
            raise Unavailable("the event store is not running; try again") from error

    @staticmethod
    def _send(connection: Connection, asked: dict[str, Any]) -> None:
        try:
            connection.send_bytes(encode(asked))
        except OSError as error:
            raise _Gone from error

    @staticmethod
    def _receive(connection: Connection) -> dict[str, Any]:
        try:
            if not connection.poll(ANSWER_SECONDS):
                raise _Gone
            answer: dict[str, Any] = decode(connection.recv_bytes())
        except (EOFError, OSError) as error:
            raise _Gone from error
        if "error" in answer:
            raise Unavailable(f"the event store could not answer: {answer['error']}")
        return answer


class _Gone(Unavailable):
    """Tell that the connection ended before the answer."""

    def __init__(self) -> None:
        super().__init__("the event store does not answer; try again")
