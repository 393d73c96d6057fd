"""Read events in ClickHouse from any process, without the keeper."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from sqlalchemy import Select

from consent_service.errors import Unavailable
from consent_service.events.clickhouse_dialect import compile_statement
from consent_service.events.clickhouse_server import Server
from consent_service.events.store import EventStoreError, Row
from consent_service.events_url import EventsUrl

# Whoever asked has given up by then.
ANSWER_SECONDS: Final = 60


class ClickHouseReader:
    """Read as `Reader` says; raises Unavailable when the server does not answer."""

    def __init__(self, url: EventsUrl) -> None:
        self._server = Server(url, answer_seconds=ANSWER_SECONDS)

    def fetch(self, statement: Select[Any]) -> list[Row]:
        """Give every row of the statement."""
        with _answered():
            return self._server.fetch(*compile_statement(statement)).rows

    def stream(self, statement: Select[Any], chunk: int = 2_000) -> Iterator[list[Row]]:
        """Give the rows of the statement in lists of at most `chunk`."""
        with _answered():
            yield from self._server.stream(*compile_statement(statement), chunk)

    def close(self) -> None:
        """Let go of the connections."""
        self._server.close()


@contextmanager
def _answered() -> Iterator[None]:
    try:
        yield
    except EventStoreError as error:
        raise Unavailable("the event store does not answer; try again") from error
