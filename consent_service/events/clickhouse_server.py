"""Talk to a ClickHouse server through its client: connect when first asked, and wrap what goes wrong."""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from threading import Lock
from typing import Any, Final

import clickhouse_connect
import orjson
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError
from urllib3.exceptions import HTTPError

from consent_service.events.clickhouse_dialect import write_value
from consent_service.events.store import EventStoreError, Row, Rows
from consent_service.events_url import EventsUrl

CONNECT_SECONDS: Final = 3
ANSWER_SECONDS: Final = 300
# How rows are sent; a row is as it was written, to the byte, when it is sent again.
_FORMAT: Final = "JSONCompactEachRow"
_INSERT_SETTINGS: Final = {"async_insert": "0", "date_time_input_format": "best_effort"}
# Acknowledged when most replicas have it.
_CLUSTER_INSERT_SETTINGS: Final = {"insert_quorum": "auto"}

_SETTINGS: Final = {
    # Statements name receipts; the server's own log of them would keep those.
    "log_queries": 0,
    # As other engines do it: no value is NULL, not 0 or 1970.
    "join_use_nulls": 1,
    "aggregate_functions_null_for_empty": 1,
    "cast_keep_nullable": 1,
    "union_default_mode": "DISTINCT",
    "prefer_column_name_to_alias": 1,
}
# All rows of a visitor are on one shard, so whatever is asked beside a row is asked on the row's own shard.
_CLUSTER_SETTINGS: Final = {"distributed_product_mode": "local", "distributed_foreground_insert": 1}


class Server:
    """Run statements on the server; any number of threads may ask at once.

    Every method raises EventStoreError when the server cannot be reached or refuses.
    """

    def __init__(self, url: EventsUrl, *, answer_seconds: int = ANSWER_SECONDS) -> None:
        self.url = url
        self._answer_seconds = answer_seconds
        self._lock = Lock()
        self._client: Client | None = None

    def fetch(self, sql: str, params: Sequence[Any] = ()) -> Rows:
        """Give every row of a statement; `params` are the values of `{p1:…}`, `{p2:…}`, …"""
        with _wrapped():
            found = self._connected().query(sql, parameters=_named(params))
            return Rows(tuple(found.column_names), [tuple(row) for row in found.result_rows])

    def stream(self, sql: str, params: Sequence[Any], chunk: int) -> Iterator[list[Row]]:
        """Give the rows of a statement in lists of at most `chunk`."""
        rows: list[Row] = []
        with _wrapped(), self._connected().query_row_block_stream(sql, parameters=_named(params)) as blocks:
            for block in blocks:
                rows.extend(tuple(row) for row in block)
                while len(rows) >= chunk:
                    yield rows[:chunk]
                    del rows[:chunk]
        if rows:
            yield rows

    def run(self, sql: str, settings: Mapping[str, Any] | None = None, params: Sequence[Any] = ()) -> None:
        """Run a statement that gives nothing, and wait for its end."""
        with _wrapped():
            self._connected().command(sql, parameters=_named(params), settings=dict(settings or {}))

    def insert(self, table: str, columns: Sequence[str], body: bytes, token: str | None = None) -> None:
        """Insert the rows that `write_rows` wrote; those sent before under the same token are not stored again."""
        once = {"insert_deduplicate": "0"} if token is None else {"insert_deduplication_token": token}
        cluster = {} if self.url.cluster is None else _CLUSTER_INSERT_SETTINGS
        with _wrapped():
            self._connected().raw_insert(
                table,
                list(columns),
                insert_block=body,
                fmt=_FORMAT,
                settings={**_INSERT_SETTINGS, **cluster, **once},
                compression="gzip",
            )

    def close(self) -> None:
        """Let go of the connections."""
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            client.close()

    def _connected(self) -> Client:
        with self._lock:
            if self._client is None:
                self._client = clickhouse_connect.get_client(
                    host=self.url.host,
                    port=self.url.port,
                    username=self.url.user,
                    password=self.url.password,
                    database=self.url.database,
                    secure=self.url.is_secure,
                    connect_timeout=CONNECT_SECONDS,
                    send_receive_timeout=self._answer_seconds,
                    autogenerate_session_id=False,
                    tz_mode="aware",
                    settings={**_SETTINGS, **(_CLUSTER_SETTINGS if self.url.cluster else {})},
                )
            return self._client


def write_rows(rows: Iterable[Sequence[Any]]) -> bytes:
    """Write rows as they are sent, each its values in the order of the columns."""
    lines = (orjson.dumps(list(row), default=str, option=orjson.OPT_APPEND_NEWLINE) for row in rows)
    return gzip.compress(b"".join(lines), compresslevel=1, mtime=0)


def _named(params: Sequence[Any]) -> dict[str, Any]:
    return {f"p{number}": write_value(value) for number, value in enumerate(params, 1)}


@contextmanager
def _wrapped() -> Iterator[None]:
    """Wrap an error of the library without its text, in which values of rows may stand."""
    try:
        yield
    except (ClickHouseError, HTTPError, OSError) as error:
        code = getattr(error, "code", None)
        said = f" {code}" if code else ""
        raise EventStoreError(f"ClickHouse cannot be asked at present: {type(error).__name__}{said}") from error
