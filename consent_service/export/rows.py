"""Read consented events with the consent that allowed each, and write them as JSON lines or CSV."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import orjson
from sqlalchemy import Select, and_, or_, select, union_all

from consent_service.events.schema import event, held_event
from consent_service.events.store import Row

_BEFORE_SITE: Final = ("event_id",)
_AFTER_SITE: Final = (
    "received_at",
    "occurred_at",
    "name",
    "hostname",
    "path",
    "query",
    "source",
    "channel",
    "referrer",
    "utm_source",
    "utm_medium",
    "utm_campaign",
    "utm_content",
    "utm_term",
    "click_id",
    "device",
    "browser",
    "browser_version",
    "os",
    "os_version",
    "screen",
    "country",
    "region",
    "city",
    "engaged_ms",
    "scroll",
    "props",
    "revenue_amount",
    "revenue_currency",
    "visit_id",
    "visitor_id",
    "receipt_id",
    "decision_id",
    "decided_at",
    "policy_version",
    "notice_hash",
    "purposes",
)
COLUMNS: Final = (*_BEFORE_SITE, "site", *_AFTER_SITE)
_READ: Final = tuple(event.c[name] for name in (*_BEFORE_SITE, *_AFTER_SITE))
# What a spreadsheet would run as a formula (OWASP ASVS 5.0, 1.2.10), full-width forms included.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
# A plain number is none, the amount of a refund for one; adding up a column of texts would give nothing.
_NUMBER: Final = re.compile(r"-?[0-9]+(\.[0-9]+)?")

Cursor = tuple[datetime, UUID]


def statement(site_id: int, start: datetime, end: datetime, cursor: Cursor | None) -> Select[Any]:
    """Give a site's events received in [start, end), the oldest first, after a cursor."""
    c = event.c
    rows = select(*_READ).where(c.site_id == site_id, c.received_at >= start, c.received_at < end)
    if cursor is not None:
        at, last_id = cursor
        rows = rows.where(or_(c.received_at > at, and_(c.received_at == at, c.event_id > last_id)))
    return rows.order_by(c.received_at, c.event_id)


def receipt_statement(site_id: int, receipt_id: str) -> Select[Any]:
    """Give every event stored under a receipt of a site, the oldest first; to its visitor held ones too."""
    parts = [
        select(*(table.c[name] for name in (*_BEFORE_SITE, *_AFTER_SITE))).where(
            table.c.site_id == site_id, table.c.receipt_id == UUID(receipt_id)
        )
        for table in (event, held_event)
    ]
    rows = union_all(*parts).subquery("rows")
    return select(*rows.c).order_by(rows.c.received_at, rows.c.event_id)


def read_rows(site_key: str, chunks: Iterable[list[Row]]) -> Iterator[list[dict[str, Any]]]:
    """Give the events with their outside names and forms, in the order of COLUMNS."""
    for chunk in chunks:
        yield [_document(site_key, row) for row in chunk]


def write_jsonl(chunks: Iterable[list[dict[str, Any]]]) -> Iterator[bytes]:
    """Write one JSON object a line."""
    for chunk in chunks:
        yield b"".join(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in chunk)


def write_csv(chunks: Iterable[list[dict[str, Any]]], columns: Sequence[str] = COLUMNS) -> Iterator[bytes]:
    """Write CSV (RFC 4180) with a header, every field quoted, and no field a spreadsheet takes for a formula.

    What a row does not have is empty.
    """
    yield _lines([columns])
    for chunk in chunks:
        yield _lines([_cell(row.get(name)) for name in columns] for row in chunk)


def _lines(rows: Iterable[Iterable[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, (dict, list)):
        return orjson.dumps(value).decode()
    text = str(value)
    is_number = isinstance(value, (int, float)) or _NUMBER.fullmatch(text)
    return f"'{text}" if not is_number and text.lstrip(" ").startswith(_FORMULA) else text


def _document(site_key: str, row: Row) -> dict[str, Any]:
    values = dict(zip((*_BEFORE_SITE, *_AFTER_SITE), row, strict=True))
    amount = values["revenue_amount"]
    written = {
        **values,
        "event_id": str(values["event_id"]),
        "site": site_key,
        "receipt_id": values["receipt_id"].hex,
        "decision_id": str(values["decision_id"]),
        "visit_id": write_number(values["visit_id"]),
        "visitor_id": write_number(values["visitor_id"]),
        "revenue_amount": None if amount is None else str(amount),
        "purposes": list(values["purposes"]),
        "props": dict(values["props"] or {}),
        **{name: write_time(values[name]) for name in ("received_at", "occurred_at", "decided_at")},
    }
    return {name: written[name] for name in COLUMNS}


def write_time(moment: datetime) -> str:
    """Write a time as exports do: ISO 8601, UTC, microseconds, `Z`."""
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


def write_number(number: int) -> str:
    """Write the number of a visitor or a visit: 16 digits, lower-case hex."""
    return f"{number:016x}"
