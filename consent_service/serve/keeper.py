"""Keep the event store: the one writer. It drains the inboxes, erases, retains and compacts, in that order."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Row, func, select, update

from consent_service.collect.inbox_file import InboxDamaged, InboxError, InboxReader, Item
from consent_service.config import Config
from consent_service.consent.erasure_log import log_bytes_gone, log_events_erased
from consent_service.consent.hold import REVISION as HOLDS
from consent_service.consent.hold import lift_ended, read_held
from consent_service.consent.publication import Publications
from consent_service.consent.receipts import read_states
from consent_service.consent.removal import remove_records
from consent_service.db.revision import Revision
from consent_service.db.tables import erasure_job, hold
from consent_service.db.writer import Writer
from consent_service.events.schema import InboxRange
from consent_service.events.store import CompactionResult, EventStore, EventStoreError
from consent_service.ids import new_id
from consent_service.ledger.integrator import Integrator
from consent_service.ledger.standing import LedgerError
from consent_service.problems import ProblemsError
from consent_service.serve.batch import make_batch
from consent_service.serve.inboxes import Inboxes
from consent_service.serve.retention import Plan, Retained, RetentionBraked, Stored, plan_retention, run_retention
from consent_service.sites.registry import Sites

log = logging.getLogger("consent_service")

# A batch is one transaction: a larger one stores faster, and keeps erasures and other inboxes waiting for longer.
ITEMS_A_BATCH = 1_000
JOBS_A_TURN = 500
MAX_SEQ = 2**63 - 1
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
        self.inboxes = Inboxes(config.inbox_dir, store.watermark)
        self._events_name = config.events_path.name
        self.integrator = Integrator(engine, writer, config.data_dir, now)
        self._engine = engine
        self._writer = writer
        self._sites = sites
        self._publications = publications
        self._now = now
        self._holds = Revision(engine, HOLDS)
        self._holds_seen = -1
        # Inboxes of which rows may be stored that the store could not confirm.
        self._unsure: set[str] = set()

    def drain(self) -> Drained:
        """Store one batch of every inbox, so that none waits for another, and erasures wait for none."""
        batches: list[Drained] = []
        failure: EventStoreError | None = None
        for inbox in self.inboxes.all():
            try:
                batches.append(self._drain_batch(inbox))
            except InboxDamaged as error:
                self._leave(inbox, error)
            except InboxError as error:
                self.inboxes.report(inbox.path.name, error)
            except EventStoreError as error:
                self._unsure.add(inbox.inbox_id)
                failure = failure or error
        if failure is not None:
            raise failure
        self.drained_at = self._now()
        return Drained(sum(batch.stored for batch in batches), any(batch.has_more for batch in batches))

    def restrict(self) -> None:
        """Put out of sight what is held, and back what no longer is; end the holds whose last day is over."""
        now = self._now()
        with self._engine.connect() as connection:
            over = connection.execute(
                select(func.count()).select_from(hold).where(hold.c.lifted_at.is_(None), hold.c.until <= now)
            ).scalar_one()
        if over:
            self._writer.run(lambda connection: lift_ended(connection, now))
            self._holds.forget()
        number = self._holds.number()
        if number == self._holds_seen:
            return
        with self._engine.connect() as connection:
            receipts, sites = read_held(connection)
        self.store.restrict(receipts, sites)
        self._holds_seen = number

    def settle(self) -> int:
        """Store all that waits by now and run every erasure asked for by now; gives how many events were stored.

        What comes in meanwhile may be left for later: under a load that never ends this ends all the same.
        """
        self._holds.forget()
        self.restrict()
        ends = self._ends()
        jobs, stored, done = self._count_erasures(), 0, 0
        while True:
            drained = self.drain()
            erased = self.run_erasures()
            stored, done = stored + drained.stored, done + erased
            is_drained = not drained.has_more or all(
                self.store.watermark(inbox.inbox_id) >= ends.get(inbox.inbox_id, 0) for inbox in self.inboxes.all()
            )
            if is_drained and (done >= jobs or not erased):
                return stored

    def run_erasures(self) -> int:
        """Erase the events of every receipt that waits for it; gives how many jobs were done."""
        with self._engine.connect() as connection:
            jobs = connection.execute(
                select(
                    erasure_job.c.erasure_id,
                    erasure_job.c.receipt_id,
                    erasure_job.c.site_id,
                    erasure_job.c.removes_records,
                )
                .where(erasure_job.c.status == "pending")
                .order_by(erasure_job.c.requested_at)
                .limit(JOBS_A_TURN)
            ).all()
        if not jobs:
            return 0
        self._log_decisions()
        done_at = self._now()
        counts = self.store.erase({job.erasure_id: job.receipt_id for job in jobs}, done_at)

        def finish(connection: Connection) -> None:
            for job in jobs:
                # One that a legal hold has overtaken waits: it is run again, with the same count, when that is lifted.
                is_it = (erasure_job.c.erasure_id == job.erasure_id, erasure_job.c.status == "pending")
                values: dict[str, Any] = {"status": "done", "events": counts[job.erasure_id], "done_at": done_at}
                if connection.execute(update(erasure_job).where(*is_it).values(**values)).rowcount:
                    log_events_erased(
                        connection,
                        erasure_id=job.erasure_id,
                        site_id=job.site_id,
                        receipt_id=job.receipt_id,
                        count=counts[job.erasure_id],
                        now=done_at,
                    )
                    _remove_records(connection, job, done_at)

        self._writer.run(finish)
        return len(jobs)

    def compact(self) -> CompactionResult:
        """Rewrite the store and empty the inboxes' logs, so that erased bytes leave the disk."""
        result = self.store.compact()
        for inbox in self.inboxes.all():
            try:
                inbox.shrink()
            except InboxError as error:
                self.inboxes.report(inbox.path.name, error)
        compacted_at = self._now()
        self._writer.run(lambda connection: _note_compaction(connection, compacted_at))
        return result

    def retain(self, *, is_confirmed: bool = False) -> list[Retained]:
        """Delete events and records past their date, and give what went.

        Raises RetentionBraked, with nothing deleted, when it looks like a mistake and nobody has confirmed it.
        """
        plan = self.plan_retention()
        if plan.brake is not None and not is_confirmed:
            raise RetentionBraked(plan.brake)
        return run_retention(self._engine, self._writer, plan, self.store.retain, self._now())

    def plan_retention(self) -> Plan:
        """Count what is past its date, and say what would keep it from being deleted."""
        [(events, received_at)] = self.store.fetch("SELECT count(*), max(received_at) FROM event", []).rows
        stored = Stored(int(events), received_at)
        count, now = self.store.count_before, self._now()
        return plan_retention(self._engine, self._sites, self._publications, count, stored, now)

    def snapshot(self, directory: Path) -> None:
        """Copy store and inboxes, in this order: what was drained between the two is in the copy once all the same."""
        self.store.copy(directory / self._events_name)
        for inbox in self.inboxes.all():
            inbox.copy(directory / inbox.path.name)

    def forget_strangers(self) -> int:
        """Erase events whose receipt is not in the main database, as a restored backup may hold some; count them."""
        found = self.store.fetch("SELECT receipt_id FROM event UNION SELECT receipt_id FROM held_event", []).rows
        ids = sorted(row[0].hex for row in found)
        with self._engine.connect() as connection:
            known = read_states(connection, ids)
        strangers = [each for each in ids if each not in known]
        return sum(self.store.erase({new_id(): each for each in strangers}, self._now()).values())

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
        self.inboxes.close()
        self.store.close()

    def _log_decisions(self) -> None:
        """Give the decisions that ask for erasures their leaves first: what is logged of the erasures names them."""
        try:
            while self.integrator.integrate().has_more:
                pass
        except (LedgerError, ProblemsError) as error:
            # Erasing waits for no signature; the turns of the ledger tell of it.
            log.warning("an erasure is logged without leaves: %s", error)

    def _count_erasures(self) -> int:
        with self._engine.connect() as connection:
            waiting = select(func.count()).select_from(erasure_job).where(erasure_job.c.status == "pending")
            return int(connection.execute(waiting).scalar_one())

    def _ends(self) -> dict[str, int]:
        ends: dict[str, int] = {}
        for inbox in self.inboxes.all():
            # One that cannot be read is dealt with when it is drained.
            with suppress(InboxError):
                ends[inbox.inbox_id] = inbox.last()
        return ends

    def _drain_batch(self, inbox: InboxReader) -> Drained:
        watermark = self.store.watermark(inbox.inbox_id)
        if inbox.inbox_id in self._unsure:
            inbox.delete_through(watermark)
            self._unsure.discard(inbox.inbox_id)
        items = inbox.items(watermark, ITEMS_A_BATCH)
        if not items:
            return Drained(0, has_more=False)
        stored = self._store(items, [InboxRange(inbox.inbox_id, items[-1].seq)])
        inbox.delete_through(items[-1].seq)
        return Drained(stored, has_more=len(items) == ITEMS_A_BATCH or inbox.is_damaged)

    def _store(self, items: list[Item], ranges: list[InboxRange]) -> int:
        batch, received_at = make_batch(self._engine, self._sites, items)
        batch.watermarks.extend(ranges)
        return self.store.apply(batch, received_at or self._now())

    def _leave(self, inbox: InboxReader, error: InboxDamaged) -> None:
        """Leave a damaged inbox aside, and store what can be read of it from the other end."""
        # Marked first: what its worker writes after this is in another inbox, and what it wrote before is read here.
        self.inboxes.leave(inbox.path.name, error)
        after, before, stored = self.store.watermark(inbox.inbox_id), MAX_SEQ, 0
        try:
            while items := inbox.newest(after, before, ITEMS_A_BATCH):
                stored += self._store(items, [])
                before = items[-1].seq
        except (InboxError, EventStoreError) as stop:
            log.warning("reading the inbox %s from its end stopped: %s", inbox.path.name, stop)
        finally:
            inbox.close()
        log.error("%s events were found behind the damage of the inbox %s", stored, inbox.path.name)


def _remove_records(connection: Connection, job: Row[*tuple[Any, ...]], now: datetime) -> None:
    """Let the records go with the events, where that was asked for."""
    if job.removes_records:
        records = remove_records(connection, job.receipt_id, reason="erasure", now=now)
        noted = update(erasure_job).where(erasure_job.c.erasure_id == job.erasure_id)
        connection.execute(noted.values(records=records))


def _note_compaction(connection: Connection, now: datetime) -> None:
    waited = (erasure_job.c.status == "done", erasure_job.c.compacted_at.is_(None))
    erasures = connection.execute(select(erasure_job.c.erasure_id, erasure_job.c.site_id).where(*waited)).all()
    connection.execute(update(erasure_job).where(*waited).values(compacted_at=now))
    log_bytes_gone(connection, [(row.erasure_id, row.site_id) for row in erasures], now)
