"""Compare a decision's columns, which reports and gates read, with the record that is proven."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

import orjson

# Member of the record by column; what a record does not have is not compared.
_TEXTS: Final = {
    "decision_id": "decision_id",
    "receipt_id": "receipt_id",
    "previous_id": "previous_id",
    "action": "action",
    "notice_hash": "notice",
    "language": "language",
    "mechanism": "mechanism",
    "device": "device",
    "country": "country",
}
_VALUES: Final = ("policy_version", "purposes", "withdrawn")
_TIMES: Final = ("decided_at", "expires_at")
COMPARED: Final = (*_TEXTS, *_VALUES, *_TIMES)


def disagreement(row: Mapping[Any, Any], record: bytes) -> str | None:
    """Name the first column that says something else than the record; `row` has each as text, `d_` before its name."""
    try:
        document = orjson.loads(record)
    except orjson.JSONDecodeError:
        return None
    for column, member in _TEXTS.items():
        if member in document and document[member] != row[f"d_{column}"]:
            return column
    for name in _VALUES:
        if name in document and _value(row[f"d_{name}"]) != document[name]:
            return name
    for name in _TIMES:
        if name in document and _time(row[f"d_{name}"]) != _time(document[name]):
            return name
    return None


def _value(text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return text


def _time(text: str) -> datetime | str:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
