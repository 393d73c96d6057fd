"""Gather everything that is stored under a receipt, and write it as JSON or CSV (GDPR art. 15 and 20)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain, groupby
from typing import Any, Final

import orjson
from sqlalchemy import Engine, Row, or_, select

from consent_service.db.tables import decision, erasure_job, hold, receipt
from consent_service.events.store import Reader
from consent_service.export.rows import COLUMNS, read_rows, receipt_statement, write_csv, write_number, write_time
from consent_service.sites.registry import Site

DECISIONS_A_PAGE: Final = 500
EVENTS_A_CHUNK: Final = 2_000
_DECISION: Final = (
    "decision_id",
    "previous_id",
    "receipt_id",
    "decided_at",
    "expires_at",
    "action",
    "purposes",
    "withdrawn",
    "policy_version",
    "notice_hash",
    "language",
    "mechanism",
    "device",
    "country",
    "record",
    "salt",
)
_RECEIPT: Final = (
    "receipt_id",
    "visitor_id",
    "visitor_at",
    "created_at",
    "granted_at",
    "withdrawn_at",
    "is_restricted",
    "is_under_signal",
)
_ERASURE: Final = ("erasure_id", "receipt_id", "reason", "status", "events", "requested_at", "done_at", "compacted_at")
# Not the reason nor who placed it: a legal claim may concern others.
_HOLD: Final = ("hold_id", "hold_kind", "placed_at", "until", "lifted_at")
_COLUMNS: Final = tuple(dict.fromkeys(["kind", *_RECEIPT, *_DECISION, *_ERASURE, *_HOLD, *COLUMNS]))

Part = tuple[str, list[dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class ReceiptCopy:
    """Hold a copy in parts (receipts, decisions, erasures, events), each read when it is written; for one reading."""

    site: Site
    receipt_id: str
    copied_at: datetime
    parts: Iterator[Part]


def read_copy(engine: Engine, reader: Reader, site: Site, receipt_id: str, now: datetime) -> ReceiptCopy:
    """Begin to read everything a site has stored under a receipt.

    The first events are read at once, so that a store that is down is an error and not a torn file.
    """
    chunks = reader.stream(receipt_statement(site.site_id, receipt_id), EVENTS_A_CHUNK)
    begun = next(iter(chunks), [])
    events = (("events", rows) for rows in read_rows(site.key, chain([begun], chunks)))
    stored = (("decisions", rows) for rows in _decisions(engine, site.site_id, receipt_id))
    around = [("receipts", _receipts(engine, site, receipt_id)), ("erasures", _erasures(engine, site, receipt_id))]
    around.append(("holds", _holds(engine, site, receipt_id)))
    return ReceiptCopy(site, receipt_id, now, chain(around[:1], stored, around[1:], events))


def write_copy_json(copy: ReceiptCopy) -> Iterator[bytes]:
    """Write one JSON document, with a list for each part."""
    head = {"site": copy.site.key, "domain": copy.site.settings.domain, "receipt_id": copy.receipt_id}
    yield orjson.dumps({**head, "copied_at": write_time(copy.copied_at)})[:-1]
    for name, parts in groupby(copy.parts, key=lambda part: part[0]):
        yield b',\n"' + name.encode() + b'":['
        rows = (row for _, chunk in parts for row in chunk)
        for position, row in enumerate(rows):
            yield (b",\n" if position else b"\n") + orjson.dumps(row)
        yield b"]"
    yield b"}\n"


def write_copy_csv(copy: ReceiptCopy) -> Iterator[bytes]:
    """Write one table of all parts; `kind` says which a row is of, and what its kind does not have is empty."""
    kinds = {"receipts": "receipt", "decisions": "decision", "erasures": "erasure", "holds": "hold", "events": "event"}
    return write_csv(([{"kind": kinds[name], **row} for row in rows] for name, rows in copy.parts), _COLUMNS)


def copy_receipt(
    engine: Engine, reader: Reader, site: Site, receipt_id: str, now: datetime, format: str
) -> Iterator[bytes]:
    """Give everything a site has stored under a receipt as one file, JSON or CSV; raises KeyError for others."""
    return _FORMATS[format](read_copy(engine, reader, site, receipt_id, now))


def _receipts(engine: Engine, site: Site, receipt_id: str) -> list[dict[str, Any]]:
    query = select(*(receipt.c[name] for name in _RECEIPT)).where(
        receipt.c.receipt_id == receipt_id, receipt.c.site_id == site.site_id
    )
    with engine.connect() as connection:
        return [_document(_RECEIPT, row) for row in connection.execute(query)]


def _erasures(engine: Engine, site: Site, receipt_id: str) -> list[dict[str, Any]]:
    query = select(*(erasure_job.c[name] for name in _ERASURE)).where(
        erasure_job.c.receipt_id == receipt_id, erasure_job.c.site_id == site.site_id
    )
    with engine.connect() as connection:
        return [_document(_ERASURE, row) for row in connection.execute(query.order_by(erasure_job.c.requested_at))]


def _holds(engine: Engine, site: Site, receipt_id: str) -> list[dict[str, Any]]:
    covers = or_(hold.c.receipt_id.is_(None), hold.c.receipt_id == receipt_id)
    columns = (hold.c.hold_id, hold.c.kind, hold.c.placed_at, hold.c.until, hold.c.lifted_at)
    query = select(*columns).where(hold.c.site_id == site.site_id, covers).order_by(hold.c.placed_at)
    with engine.connect() as connection:
        return [_document(_HOLD, row) for row in connection.execute(query)]


def _decisions(engine: Engine, site_id: int, receipt_id: str) -> Iterator[list[dict[str, Any]]]:
    """Read page by page, so that a slow download holds no connection; ids are in the order of time."""
    last = ""
    while True:
        query = (
            select(*(decision.c[name] for name in _DECISION))
            .where(decision.c.site_id == site_id, decision.c.receipt_id == receipt_id, decision.c.decision_id > last)
            .order_by(decision.c.decision_id)
            .limit(DECISIONS_A_PAGE)
        )
        with engine.connect() as connection:
            page = [_document(_DECISION, row) for row in connection.execute(query)]
        yield page
        if len(page) < DECISIONS_A_PAGE:
            return
        last = page[-1]["decision_id"]


def _document(names: Sequence[str], row: Row[*tuple[Any, ...]]) -> dict[str, Any]:
    return {name: _value(name, value) for name, value in zip(names, row, strict=True)}


def _value(name: str, value: Any) -> Any:
    if isinstance(value, datetime):
        return write_time(value)
    if name == "visitor_id":
        return write_number(value)
    if name == "record":
        # The exact bytes that are proven are UTF-8: as text they can be read, and hashed.
        return bytes(value).decode()
    return bytes(value).hex() if name == "salt" else value


_FORMATS: Final[Mapping[str, Callable[[ReceiptCopy], Iterator[bytes]]]] = {
    "json": write_copy_json,
    "csv": write_copy_csv,
}
