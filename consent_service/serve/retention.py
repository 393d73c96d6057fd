"""Delete what has been kept long enough: events by the policy's days, records when their proof is no longer needed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import ColumnElement, Connection, Engine, func, select

from consent_service.consent.notices import find_unused, remove_notices
from consent_service.consent.publication import Publication, Publications
from consent_service.consent.removal import remove_decisions, remove_records
from consent_service.db.tables import decision, receipt
from consent_service.db.writer import Writer
from consent_service.sites.registry import Site, Sites
from consent_service.sites.settings import effective_retention

ROWS_A_BATCH = 5_000
RECORDS_A_BATCH = 500

CountBefore = Callable[[int, list[int], datetime], int]
Retain = Callable[[int, list[int], datetime, int, datetime], int]


@dataclass(frozen=True, slots=True)
class Retained:
    """Tell what one site's retention deleted, or would delete in a dry run.

    No event from before `events_before` is kept; None when the site never had a policy that measures.
    """

    site_key: str
    events_before: datetime | None
    events: int
    records: int
    notices: int


@dataclass(frozen=True, slots=True)
class Cuts:
    """Say what of a site is old enough.

    `events` gives for each time the policy versions whose events go when they occurred before it. Refusals, and
    receipts with their decisions, go when they ended before a time of their own.
    """

    events: dict[datetime, list[int]]
    refusals_before: datetime
    receipts_before: datetime


def make_cuts(site: Site, publication: Publication, now: datetime) -> Cuts:
    """Work out a site's times: each event goes by the days of the policy that its consent was given to."""
    events: dict[datetime, list[int]] = defaultdict(list)
    for version in publication.versions.values():
        measuring = version.policy.measuring
        if measuring is not None:
            days = effective_retention(measuring.retention_days, site.settings.retention_days)
            events[now - timedelta(days=days)].append(version.version)
    before = now - timedelta(days=publication.current.policy.record_retention_days)
    # While an event is there its receipt must be: it is what a withdrawal finds the event by.
    return Cuts(dict(events), before, min([before, *events]))


def run_retention(
    engine: Engine,
    writer: Writer,
    sites: Sites,
    publications: Publications,
    count_before: CountBefore,
    retain: Retain,
    now: datetime,
    *,
    is_dry_run: bool,
) -> list[Retained]:
    """Delete events and records past their date, in bounded batches; a dry run only counts them."""
    done: list[Retained] = []
    for site in sites.all():
        publication = publications.of(site)
        if publication is None:
            continue
        cuts = make_cuts(site, publication, now)
        if is_dry_run:
            with engine.connect() as connection:
                records = _count_records(connection, site, cuts)
                notices = len(find_unused(connection, publication, now))
            events = sum(count_before(site.site_id, versions, at) for at, versions in cuts.events.items())
        else:
            events = sum(
                _repeat(partial(retain, site.site_id, versions, at, ROWS_A_BATCH, now))
                for at, versions in cuts.events.items()
            )
            records = _repeat(partial(writer.run, partial(_delete_records, site=site, cuts=cuts, now=now)))
            notices = _remove_notices(engine, writer, publication, now)
        done.append(Retained(site.key, min(cuts.events, default=None), events, records, notices))
    return done


def _remove_notices(engine: Engine, writer: Writer, publication: Publication, now: datetime) -> int:
    # Looked for outside of the writer: it reads every record of the site.
    with engine.connect() as connection:
        unused = find_unused(connection, publication, now)
    if not unused:
        return 0
    return writer.run(lambda connection: remove_notices(connection, publication, unused, seen_at=now))


def _repeat(delete_some: Callable[[], int]) -> int:
    total = 0
    while deleted := delete_some():
        total += deleted
    return total


def _count_records(connection: Connection, site: Site, cuts: Cuts) -> int:
    refusals = connection.execute(
        select(func.count()).select_from(decision).where(*_old_refusals(site, cuts))
    ).scalar_one()
    others = connection.execute(
        select(func.count())
        .select_from(decision.join(receipt, receipt.c.receipt_id == decision.c.receipt_id))
        .where(*_old_receipts(site, cuts))
    ).scalar_one()
    return int(refusals + others)


def _delete_records(connection: Connection, site: Site, cuts: Cuts, now: datetime) -> int:
    refusals = list(
        connection.execute(
            select(decision.c.decision_id).where(*_old_refusals(site, cuts)).limit(RECORDS_A_BATCH)
        ).scalars()
    )
    remove_decisions(connection, refusals, reason="retention", now=now)
    ended = connection.execute(
        select(receipt.c.receipt_id).where(*_old_receipts(site, cuts)).limit(RECORDS_A_BATCH)
    ).scalars()
    removed = [remove_records(connection, receipt_id, reason="retention", now=now) for receipt_id in list(ended)]
    return len(refusals) + sum(removed)


def _old_refusals(site: Site, cuts: Cuts) -> tuple[ColumnElement[bool], ...]:
    is_old = decision.c.expires_at < cuts.refusals_before
    return decision.c.site_id == site.site_id, decision.c.receipt_id.is_(None), is_old


def _old_receipts(site: Site, cuts: Cuts) -> tuple[ColumnElement[bool], ...]:
    ended_at = func.coalesce(receipt.c.withdrawn_at, receipt.c.expires_at)
    return receipt.c.site_id == site.site_id, ended_at < cuts.receipts_before
