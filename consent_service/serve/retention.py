"""Delete what has been kept long enough: events by the policy's days, records when their proof is no longer needed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import ColumnElement, Connection, Engine, func, select

from consent_service.consent.publication import Publications
from consent_service.consent.record import remove_decisions, remove_records
from consent_service.db.tables import decision, receipt
from consent_service.db.writer import Writer
from consent_service.sites.registry import Site, Sites
from consent_service.sites.settings import effective_retention

ROWS_A_BATCH = 5_000
RECORDS_A_BATCH = 500


@dataclass(frozen=True, slots=True)
class Retained:
    """Tell what one site's retention deleted, or would delete in a dry run."""

    site_key: str
    events_before: datetime
    events: int
    records: int


@dataclass(frozen=True, slots=True)
class RecordCuts:
    """Say which records are old enough: refusals, and receipts with their decisions, that ended before a time."""

    refusals_before: datetime
    receipts_before: datetime


def run_retention(
    engine: Engine,
    writer: Writer,
    sites: Sites,
    publications: Publications,
    count_before: Callable[[int, datetime], int],
    retain: Callable[[int, datetime, int], int],
    now: datetime,
    *,
    is_dry_run: bool,
) -> list[Retained]:
    """Delete events and records past their date, in bounded batches; a dry run only counts them."""
    done: list[Retained] = []
    for site in sites.all():
        publication = publications.of(site)
        if publication is None or publication.current.policy.measuring is None:
            continue
        days = effective_retention(publication.current.policy.measuring.retention_days, site.settings.retention_days)
        before = now - timedelta(days=days)
        records_before = now - timedelta(days=publication.current.policy.record_retention_days)
        # While an event is there its receipt must be: it is what a withdrawal finds the event by.
        cuts = RecordCuts(records_before, min(records_before, before))
        if is_dry_run:
            with engine.connect() as connection:
                records = _count_records(connection, site, cuts)
            done.append(Retained(site.key, before, count_before(site.site_id, before), records))
            continue
        events = _repeat(partial(retain, site.site_id, before, ROWS_A_BATCH))
        delete_some = partial(_delete_records, site=site, cuts=cuts, now=now)
        records = _repeat(partial(writer.run, delete_some))
        done.append(Retained(site.key, before, events, records))
    return done


def _repeat(delete_some: Callable[[], int]) -> int:
    total = 0
    while deleted := delete_some():
        total += deleted
    return total


def _count_records(connection: Connection, site: Site, cuts: RecordCuts) -> int:
    refusals = connection.execute(
        select(func.count()).select_from(decision).where(*_old_refusals(site, cuts.refusals_before))
    ).scalar_one()
    others = connection.execute(
        select(func.count())
        .select_from(decision.join(receipt, receipt.c.receipt_id == decision.c.receipt_id))
        .where(*_old_receipts(site, cuts.receipts_before))
    ).scalar_one()
    return int(refusals + others)


def _delete_records(connection: Connection, site: Site, cuts: RecordCuts, now: datetime) -> int:
    refusals = list(
        connection.execute(
            select(decision.c.decision_id).where(*_old_refusals(site, cuts.refusals_before)).limit(RECORDS_A_BATCH)
        ).scalars()
    )
    remove_decisions(connection, refusals, reason="retention", now=now)
    ended = connection.execute(
        select(receipt.c.receipt_id).where(*_old_receipts(site, cuts.receipts_before)).limit(RECORDS_A_BATCH)
    ).scalars()
    removed = [remove_records(connection, receipt_id, reason="retention", now=now) for receipt_id in list(ended)]
    return len(refusals) + sum(removed)


def _old_refusals(site: Site, before: datetime) -> tuple[ColumnElement[bool], ...]:
    return decision.c.site_id == site.site_id, decision.c.receipt_id.is_(None), decision.c.expires_at < before


def _old_receipts(site: Site, before: datetime) -> tuple[ColumnElement[bool], ...]:
    return receipt.c.site_id == site.site_id, func.coalesce(receipt.c.withdrawn_at, receipt.c.expires_at) < before
