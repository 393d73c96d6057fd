"""Turn rows and visits into the values of their tables, the same for every engine (pure)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final
from uuid import UUID

from consent_service.events.schema import EventRow, event, open_visit
from consent_service.events.visits import Visit, attributes_of

EVENT_COLUMNS: Final = [column.name for column in event.columns]
VISIT_COLUMNS: Final = [column.name for column in open_visit.columns]


def first_of_each(rows: Iterable[EventRow]) -> dict[tuple[int, UUID], EventRow]:
    """Give each event once, by site and event id: as it came first."""
    first: dict[tuple[int, UUID], EventRow] = {}
    for row in rows:
        first.setdefault((row.grant.site_id, row.event_id), row)
    return first


def find_held(held: Collection[tuple[int | None, str | None]], rows: Collection[EventRow]) -> list[bool]:
    """Tell for each row whether it is among what is held: sites as a whole, and receipts."""
    if not held:
        return [False] * len(rows)
    sites = {site_id for site_id, _ in held if site_id is not None}
    receipts = {receipt_id for _, receipt_id in held if receipt_id is not None}
    return [row.grant.site_id in sites or row.grant.receipt_id in receipts for row in rows]


def row_values(row: EventRow, visit: Visit) -> tuple[Any, ...]:
    """Give a row's values in the order of EVENT_COLUMNS."""
    grant = row.grant
    return (
        grant.site_id,
        row.occurred_at,
        row.received_at,
        row.event_id,
        row.name,
        row.hostname,
        row.path,
        row.query,
        *attributes_of(row, visit),
        row.props,
        row.revenue_amount,
        row.revenue_currency,
        row.engaged_ms,
        row.scroll,
        grant.visitor_id,
        visit.visit_id,
        visit.started_at,
        UUID(hex=grant.receipt_id),
        UUID(grant.decision_id),
        grant.decided_at,
        grant.policy_version,
        grant.notice_hash,
        list(grant.purposes),
    )


def read_visit(row: Sequence[Any]) -> Visit:
    """Make a visit of the values of VISIT_COLUMNS."""
    site_id, visitor_id, visit_id, started_at, first_at, last_at, policy_version, *attributes = row
    span = (started_at, first_at, last_at)
    return Visit(site_id, visitor_id, visit_id, *span, policy_version, tuple(attributes))


def visit_values(visit: Visit) -> tuple[Any, ...]:
    """Give a visit's values in the order of VISIT_COLUMNS."""
    return (
        visit.site_id,
        visit.visitor_id,
        visit.visit_id,
        visit.started_at,
        visit.first_at,
        visit.last_at,
        visit.policy_version,
        *visit.attributes,
    )
