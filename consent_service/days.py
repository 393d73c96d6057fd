"""Tell when local days begin."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo


def day_start(day: date, zone: ZoneInfo) -> datetime:
    """Give the first instant of a local day as UTC, also where the clock skips midnight."""
    return datetime.combine(day, time(), zone).astimezone(UTC)
