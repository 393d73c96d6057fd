"""Keep the event store: the one writer. It drains the inboxes, erases, retains and compacts, in that order."""

from __future__ import annotations

import logging
import sqlite3
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Engine, func, select, update

from consent_service.collect.inbox import Count, InboxReader, Item, count_items, inbox_files
from consent_service.config import Config
from consent_service.consent.gate import Grant, confirm
from consent_service.consent.publication import Publications
from consent_service.consent.receipts import read_states
from consent_service.db.tables import erasure_job
from consent_service.db.writer import Writer
from consent_service.events.schema import Batch, EventRow, InboxRange
from consent_service.events.store import CompactionResult, EventStore
from consent_service.serve.retention import Retained, run_retention
from consent_service.sites.registry import Site, Sites
from consent_service.sites.reporting import local_date

log = logging.getLogger("consent_service")

ITEMS_A_BATCH = 500
JOBS_A_TURN = 500
# Erased bytes leave the disk at a quiet hour (UTC), and within a day whatever the hour.
QUIET_HOUR = 3
COMPACT_WITHIN = timedelta(hours=23)


@dataclass(frozen=True, slots=True)
class Drained:
    """Tell how many events a turn stored, and whether more waited than it took."""

    stored: int
    has_more: bool


class Keeper:
    """Do the keeper's work on one store; not for two threads at once.

    Each turn reads the revocations so far (the receipts' states), filters and inserts what waits, commits, and only
    then runs the erasure jobs: a row that slipped past a stale edge is erased by the job that came with its
    withdrawal.
    """

    def __init__(
        self,
        config: Config,
        engine: Engine,
        writer: Writer,
        sites: Sites,
        publications: Publications,
        store: EventStore,
        now: Callable[[], datetime],
    ) -> None:
        self.store = store
        self.drained_at: datetime | None = None
        self.broken_inboxes: set[str] = set()
        self._config = config
        self._engine = engine
        self._writer = writer
        self._sites = sites
        self._publications = publications
        self._now = now
        self._inboxes: dict[str, InboxReader] = {}

    def drain(self) -> Drained:
        """Store one batch of every inbox, so that none waits for another, and erasures wait for none."""
        batches = [self._drain_batch(inbox) for inbox in self.inboxes()]
        self.drained_at = self._now()
        return Drained(sum(batch.stored for batch in batches), any(batch.has_more for batch in batches))

    def settle(self) -> int:
        """Store all that waits by now and run every erasure asked for by now; gives how many events were stored.

        What comes in meanwhile may be left for later: under a load that never ends this ends all the same.
        """
        ends = {inbox.inbox_id: inbox.last() for inbox in self.inboxes()}
        jobs, stored, done = self._count_erasures(), 0, 0
        while True:
            drained = self.drain()
            erased = self.run_erasures()
            stored, done = stored + drained.stored, done + erased
            is_drained = not drained.has_more or all(
                self.store.watermark(inbox_id) >= seq for inbox_id, seq in ends.items()
            )
            if is_drained and (done >= jobs or not erased):
                return stored

    def inboxes(self) -> list[InboxReader]:
        """Open the inboxes that are there, those of dead workers too; a damaged one is left aside and reported."""
        for path in inbox_files(self._config.inbox_dir):
            if path.name in self._inboxes or path.name in self.broken_inboxes:
                continue
            try:
                reader = InboxReader(path)
                # What a crash left between storing and deleting is stored already.
                reader.delete_through(self.store.watermark(reader.inbox_id))
            except sqlite3.OperationalError as error:
                # Busy, or no space: it may well be readable at the next turn.
                log.warning("the inbox %s cannot be read yet: %s", path.name, error)
                continue
            except sqlite3.DatabaseError as error:
                log.error("the inbox %s cannot be read: %s", path.name, error)
                self.broken_inboxes.add(path.name)
                continue
            self._inboxes[path.name] = reader
        return list(self._inboxes.values())

    def run_erasures(self) -> int:
        """Erase the events of every receipt that waits for it; gives how many jobs were done."""
        with self._engine.connect() as connection:
            jobs = connection.execute(
                select(erasure_job.c.erasure_id, erasure_job.c.receipt_id)
                .where(erasure_job.c.status == "pending")
                .order_by(erasure_job.c.requested_at)
                .limit(JOBS_A_TURN)
            ).all()
        if not jobs:
            return 0
        done_at = self._now()
        counts = self.store.erase([job.receipt_id for job in jobs], done_at)

        def finish(connection: Connection) -> None:
            for job in jobs:
                connection.execute(
                    update(erasure_job)
                    .where(erasure_job.c.erasure_id == job.erasure_id)
                    .values(status="done", events=counts.get(job.receipt_id, 0), done_at=done_at)
                )

        self._writer.run(finish)
        return len(jobs)

    def compact(self) -> CompactionResult:
        """Rewrite the store and empty the inboxes' logs, so that erased bytes leave the disk."""
        result = self.store.compact()
        for inbox in self.inboxes():
            inbox.shrink()
        compacted_at = self._now()
        self._writer.run(
            lambda connection: connection.execute(
                update(erasure_job)
                .where(erasure_job.c.status == "done", erasure_job.c.compacted_at.is_(None))
                .values(compacted_at=compacted_at)
            )
        )
        return result

    def retain(self, *, is_dry_run: bool) -> list[Retained]:
        """Delete events and records past their date; a dry run only counts them."""
        return run_retention(
            self._engine,
            self._writer,
            self._sites,
            self._publications,
            self.store.count_before,
            self.store.retain,
            self._now(),
            is_dry_run=is_dry_run,
        )

    def is_compaction_due(self) -> bool:
        """Tell whether deleted bytes wait to leave the disk: at the quiet hour, or for 23 hours at most."""
        with self._engine.connect() as connection:
            erased_at = connection.execute(
                select(erasure_job.c.done_at)
                .where(erasure_job.c.status == "done", erasure_job.c.compacted_at.is_(None))
                .order_by(erasure_job.c.done_at)
                .limit(1)
            ).scalar_one_or_none()
        now, waiting = self._now(), [at for at in (erased_at, self.store.deleted_at()) if at is not None]
        return bool(waiting) and (now.hour == QUIET_HOUR or now - min(waiting) >= COMPACT_WITHIN)

    def close(self) -> None:
        """Let go of inboxes and store."""
        for inbox in self._inboxes.values():
            inbox.close()
        self.store.close()

    def _count_erasures(self) -> int:
        with self._engine.connect() as connection:
            waiting = select(func.count()).select_from(erasure_job).where(erasure_job.c.status == "pending")
            return int(connection.execute(waiting).scalar_one())

    def _drain_batch(self, inbox: InboxReader) -> Drained:
        items = inbox.items(self.store.watermark(inbox.inbox_id), ITEMS_A_BATCH)
        if not items:
            return Drained(0, has_more=False)
        batch, received_at = self._batch(items)
        batch.watermarks.append(InboxRange(inbox.inbox_id, items[-1].seq))
        stored = self.store.apply(batch, received_at or self._now()).stored
        inbox.delete_through(items[-1].seq)
        return Drained(stored, has_more=len(items) == ITEMS_A_BATCH)

    def _batch(self, items: list[Item]) -> tuple[Batch, datetime | None]:
        batch = Batch()
        drops: Counter[Count] = Counter()
        accepted = [item.body for item in items if item.kind == "events"]
        with self._engine.connect() as connection:
            states = read_states(connection, {body["grant"]["receipt_id"] for body in accepted})
        newest: datetime | None = None
        for body in accepted:
            received_at = datetime.fromisoformat(body["received_at"])
            newest = received_at if newest is None else max(newest, received_at)
            verdict = confirm(body["grant"], states.get(body["grant"]["receipt_id"]))
            if isinstance(verdict, Grant):
                batch.rows.extend(read_row(verdict, received_at, sent) for sent in body["events"])
            elif (site := self._site(body["grant"]["site_id"])) is not None:
                drops[(site.site_id, local_date(site, received_at), str(verdict))] += 1
        for item in items:
            if item.kind == "counts":
                for count, n in count_items(item):
                    drops[count] += n
        batch.drops.update(drops)
        return batch, newest

    def _site(self, site_id: int) -> Site | None:
        found = self._sites.by_id(site_id)
        if found is None:
            # The worker that took the events knew a site that this process has not read yet.
            self._sites.revision.forget()
            found = self._sites.by_id(site_id)
        return found


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
