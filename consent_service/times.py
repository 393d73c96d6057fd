"""Tell the time, and write it as the outside sees it."""

from __future__ import annotations

from datetime import UTC, datetime


def utc_now() -> datetime:
    """Give the present time, aware UTC."""
    return datetime.now(UTC)


def timestamp(moment: datetime) -> str:
    """Write a time as the outside sees it: ISO 8601, UTC, milliseconds, `Z`."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
