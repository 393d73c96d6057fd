"""Make batches of what inboxes hold: what is still consented to becomes rows, the rest is counted."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Engine

from consent_service.collect.inbox_file import Count, InboxDamaged, Item, count_items
from consent_service.consent.gate import Grant, confirm
from consent_service.consent.receipts import read_states
from consent_service.events.schema import Batch, EventRow
from consent_service.sites.registry import Site, Sites
from consent_service.sites.reporting import local_date


def make_batch(engine: Engine, sites: Sites, items: list[Item]) -> tuple[Batch, datetime | None]:
    """Make a batch of rows of one inbox, and tell when the newest of its events was received.

    Raises InboxDamaged when a row is not what was written.
    """
    try:
        return _make_batch(engine, sites, items)
    except (KeyError, TypeError, ValueError, ArithmeticError) as error:
        raise InboxDamaged(f"a row is not what was written ({type(error).__name__})") from error


def _make_batch(engine: Engine, sites: Sites, items: list[Item]) -> tuple[Batch, datetime | None]:
    batch = Batch()
    drops: Counter[Count] = Counter()
    accepted = [item.body for item in items if item.kind == "events"]
    with engine.connect() as connection:
        states = read_states(connection, {body["grant"]["receipt_id"] for body in accepted})
    newest: datetime | None = None
    for body in accepted:
        received_at = datetime.fromisoformat(body["received_at"])
        newest = received_at if newest is None else max(newest, received_at)
        verdict = confirm(body["grant"], states.get(body["grant"]["receipt_id"]))
        if isinstance(verdict, Grant):
            batch.rows.extend(read_row(verdict, received_at, sent) for sent in body["events"])
        elif (site := _find_site(sites, body["grant"]["site_id"])) is not None:
            drops[(site.site_id, local_date(site, received_at), str(verdict))] += 1
    for item in items:
        if item.kind == "counts":
            for count, n in count_items(item):
                drops[count] += n
    batch.drops.update(drops)
    return batch, newest


def read_row(grant: Grant, received_at: datetime, kept: dict[str, Any]) -> EventRow:
    """Make the row of one event that an inbox kept."""
    values = dict(kept)
    amount = values.pop("revenue_amount", None)
    return EventRow(
        grant=grant,
        event_id=UUID(values.pop("event_id")),
        received_at=received_at,
        occurred_at=datetime.fromisoformat(values.pop("occurred_at")),
        revenue_amount=None if amount is None else Decimal(amount),
        **values,
    )


def _find_site(sites: Sites, site_id: int) -> Site | None:
    found = sites.by_id(site_id)
    if found is None:
        # The worker that took the events knew a site that this process has not read yet.
        sites.revision.forget()
        found = sites.by_id(site_id)
    return found
