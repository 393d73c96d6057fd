"""Delete what has been kept long enough: events by the policy's days, records when their proof is no longer needed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import ColumnElement, Connection, Engine, func, select

from consent_service.consent.forgetting import forget_names
from consent_service.consent.notices import find_unused, remove_notices
from consent_service.consent.publication import Publication, Publications
from consent_service.consent.removal import remove_decisions, remove_records
from consent_service.db.ledger_tables import ledger_checkpoint
from consent_service.db.tables import audit, decision, login, receipt
from consent_service.db.writer import Writer
from consent_service.sites.registry import Site, Sites
from consent_service.sites.settings import effective_retention

ROWS_A_BATCH = 5_000
RECORDS_A_BATCH = 500
# More than a fifth of a table at once, or a clock two days ahead of all that was written, is a mistake more often
# than it is time.
BRAKE_SHARE = 0.2
# On a small site a fifth is what goes on any day; so few rows never brake.
BRAKE_FLOOR = 200
BRAKE_CLOCK = timedelta(hours=48)

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


@dataclass(frozen=True, slots=True)
class Plan:
    """Hold what retention would do: each site's cuts, what they would delete, and why that looks like a mistake."""

    cuts: list[tuple[Publication, Cuts]]
    counted: list[Retained]
    brake: str | None


@dataclass(frozen=True, slots=True)
class Stored:
    """Say how many events there are and when the newest was received."""

    events: int
    received_at: datetime | None


class RetentionBraked(Exception):
    """Tell why retention deletes nothing before somebody has looked."""


def plan_retention(
    engine: Engine,
    sites: Sites,
    publications: Publications,
    count_before: CountBefore,
    stored: Stored,
    now: datetime,
) -> Plan:
    """Count what is past its date; nothing of what is held is."""
    planned: list[tuple[Publication, Cuts]] = []
    counted: list[Retained] = []
    for site in sites.all():
        publication = publications.of(site)
        if publication is None or site.is_held:
            continue
        cuts = make_cuts(site, publication, now)
        with engine.connect() as connection:
            records = _count_records(connection, site, cuts)
            notices = len(find_unused(connection, publication, now))
        events = sum(count_before(site.site_id, versions, at) for at, versions in cuts.events.items())
        planned.append((publication, cuts))
        counted.append(Retained(site.key, min(cuts.events, default=None), events, records, notices))
    return Plan(planned, counted, _find_brake(engine, counted, stored, now))


def _find_brake(engine: Engine, counted: list[Retained], stored: Stored, now: datetime) -> str | None:
    """Say what looks like a mistake: much of a table at once, or a clock that is far ahead of all there is."""
    old_events, old_records = sum(each.events for each in counted), sum(each.records for each in counted)
    if not old_events and not old_records:
        return None
    with engine.connect() as connection:
        records = connection.execute(select(func.count()).select_from(decision)).scalar_one()
        written = [
            connection.execute(select(func.max(column))).scalar()
            for column in (decision.c.decided_at, audit.c.at, login.c.seen_at, ledger_checkpoint.c.signed_at)
        ]
    for name, gone, there in (("events", old_events, stored.events), ("decisions", old_records, records)):
        if gone > max(there * BRAKE_SHARE, BRAKE_FLOOR):
            return f"retention would delete {gone} of {there} {name}, more than {BRAKE_SHARE:.0%} at once"
    newest = max((at for at in (*written, stored.received_at) if at is not None), default=now)
    if now - newest <= BRAKE_CLOCK:
        return None
    hours = int((now - newest) / timedelta(hours=1))
    return f"the clock is {hours} hours ahead of the newest thing that was written"


def run_retention(engine: Engine, writer: Writer, plan: Plan, retain: Retain, now: datetime) -> list[Retained]:
    """Delete what is past its date, in bounded batches; gives what went."""
    done: list[Retained] = []
    for publication, cuts in plan.cuts:
        site = publication.site
        events = sum(
            _repeat(partial(retain, site.site_id, versions, at, ROWS_A_BATCH, now))
            for at, versions in cuts.events.items()
        )
        records = _repeat(partial(writer.run, partial(_delete_records, site=site, cuts=cuts, now=now)))
        notices = _remove_notices(engine, writer, publication, now)
        writer.run(partial(forget_names, site_id=site.site_id, now=now))
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
    return receipt.c.site_id == site.site_id, receipt.c.is_restricted.is_(False), ended_at < cuts.receipts_before
