"""Events for tests, with whatever does not matter filled in."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from consent_service.consent.gate import Grant
from consent_service.events.schema import EventRow

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
GROUPS = frozenset({"page", "source", "campaign", "device", "country"})


def make_grant(visitor_id: int = 1, site_id: int = 1, policy_version: int = 1) -> Grant:
    """Give the grant of a visitor; the receipt is told by the visitor's number."""
    return Grant(
        site_id=site_id,
        receipt_id=f"{visitor_id:032x}",
        decision_id=str(UUID(int=visitor_id)),
        visitor_id=visitor_id,
        decided_at=NOON - timedelta(days=400),
        granted_at=NOON - timedelta(days=400),
        policy_version=policy_version,
        notice_hash="ab" * 32,
        purpose="analytics",
        purposes=("analytics",),
        data=GROUPS,
    )


_numbers = iter(range(1, 1 << 62))


def make_row(minutes: float = 0, *, visitor_id: int = 1, site_id: int = 1, **members: Any) -> EventRow:
    """Give a pageview that happened some minutes after NOON and arrived a second later."""
    at = NOON + timedelta(minutes=minutes)
    row = EventRow(
        grant=make_grant(visitor_id, site_id),
        event_id=UUID(int=next(_numbers)),
        received_at=at + timedelta(seconds=1),
        occurred_at=at,
        name="pageview",
        hostname="news.example",
        path="/",
    )
    return replace(row, **members)
