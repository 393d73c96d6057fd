"""Compare a decision's columns, which reports and gates read, with the record that is proven."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import orjson

# Column by member of the record; what a record does not have is not compared.
_COLUMNS: Final = {
    "decision_id": "decision_id",
    "receipt_id": "receipt_id",
    "previous_id": "previous_id",
    "action": "action",
    "purposes": "purposes",
    "withdrawn": "withdrawn",
    "policy_version": "policy_version",
    "notice": "notice_hash",
    "language": "language",
    "mechanism": "mechanism",
    "device": "device",
    "country": "country",
}
_TIMES: Final = ("decided_at", "expires_at")


def disagreement(row: Mapping[Any, Any], record: bytes) -> str | None:
    """Name the first column of a decision, `d_` before each name, that says something else than its record."""
    try:
        document = orjson.loads(record)
    except orjson.JSONDecodeError:
        return None
    for member, column in _COLUMNS.items():
        if member in document and document[member] != row[f"d_{column}"]:
            return column
    for name in _TIMES:
        if name in document and datetime.fromisoformat(document[name]) != row[f"d_{name}"]:
            return name
    return None
