"""Write a story into an empty deployment by the way of live ones: record, gate, pipeline, inbox, keeper."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, bindparam, update

from consent_service.browser.device import Device
from consent_service.browser.place import Place
from consent_service.collect.drops import Drop
from consent_service.collect.inbox import Inbox
from consent_service.collect.pipeline import Context, run
from consent_service.consent.gate import Grant, ReceiptState, check
from consent_service.consent.publication import Publication
from consent_service.consent.publish import publish_policy
from consent_service.consent.receipts import lock_state, read_states
from consent_service.consent.record import Recorded, record, record_many
from consent_service.core import Core
from consent_service.db.tables import erasure_job
from consent_service.demo.acts import make_act
from consent_service.demo.keeping import KeeperProcess, rare_collections
from consent_service.demo.rhythm import DAYS
from consent_service.demo.site import load_site
from consent_service.demo.story import Act, Decision, Event, Item, Sitting, story
from consent_service.demo.truth import Truth
from consent_service.serve.keeper import QUIET_HOUR
from consent_service.sites.changes import add_site
from consent_service.sites.registry import Site

SEED: Final = 20_240_229
ACTOR: Final = "demo"
EVENTS_A_CHUNK: Final = 6_000
# Shorter than a consent is valid, so that nobody renews twice within a chunk.
DAYS_A_CHUNK: Final = timedelta(days=30)
ERASED_WITHIN: Final = timedelta(seconds=2)

Progress = Callable[[int], None]


class FillError(Exception):
    """Tell that the story could not be written: a part of the product refused what it must take."""


@dataclass(slots=True)
class Chunk:
    """Hold a stretch of the story in the order in which it must be written.

    A renewal changes whose events a receipt's are, so what was read before it is stored before it is recorded; a
    withdrawal erases, so it comes last.
    """

    firsts: list[Decision] = field(default_factory=list)
    sittings: list[Sitting] = field(default_factory=list)
    renewals: list[Decision] = field(default_factory=list)
    later_sittings: list[Sitting] = field(default_factory=list)
    withdrawals: list[Decision] = field(default_factory=list)
    renewed: set[int] = field(default_factory=set)
    events: int = 0

    def add(self, item: Item) -> None:
        """Put an item where it belongs."""
        match item:
            case Sitting():
                (self.later_sittings if item.reader in self.renewed else self.sittings).append(item)
                self.events += len(item.events)
            case Decision(act=Act.RENEW, reader=int(reader)):
                self.renewals.append(item)
                self.renewed.add(reader)
            case Decision(act=Act.WITHDRAW):
                self.withdrawals.append(item)
            case _:
                self.firsts.append(item)


def fill(core: Core, events: int, now: datetime, progress: Progress, *, seed: int = SEED) -> dict[str, Any]:
    """Make the demo site and write a year of it into the stores; gives the truth about it.

    `progress` is told how many events were written since it was last called.
    """
    site = make_site(core, now)
    core.sites.revision.forget()
    publication = core.publications.of(site)
    if publication is None:
        raise FillError("the demo site's policy was not published")
    zone = ZoneInfo(site.settings.timezone)
    truth = Truth(now, zone)
    writing = _Writing(core, site, publication, now)
    try:
        with rare_collections():
            for chunk in _chunks(truth.watch(story(seed, events, now, zone=zone))):
                writing.write(chunk)
                progress(chunk.events)
            writing.finish()
    finally:
        writing.close()
    return {"site": site.key, "domain": site.settings.domain, **truth.document()}


def make_site(core: Core, now: datetime) -> Site:
    """Add the demo site and publish its policy, the day before the story begins."""
    demo, since = load_site(core.config), now - timedelta(days=DAYS + 1)

    def add(connection: Connection) -> Site:
        site = add_site(connection, demo.settings, actor=ACTOR, now=since)
        publish_policy(connection, site, demo.policy, actor=ACTOR, now=since)
        return site

    return core.writer.run(add)


def _chunks(items: Iterable[Item]) -> Iterator[Chunk]:
    chunk, until = Chunk(), None
    for item in items:
        until = until or item.at + DAYS_A_CHUNK
        if chunk.events >= EVENTS_A_CHUNK or item.at >= until:
            yield chunk
            chunk, until = Chunk(), item.at + DAYS_A_CHUNK
        chunk.add(item)
    yield chunk


class _Writing:
    """Hold the open stores and which receipt is whose."""

    def __init__(self, core: Core, site: Site, publication: Publication, now: datetime) -> None:
        self._core = core
        self._now = now
        self._site = site
        self._publication = publication
        self._inbox = Inbox(core.config.inbox_dir)
        self._keeper = KeeperProcess(core.config, now)
        self._receipts: dict[int, str] = {}

    def write(self, chunk: Chunk) -> None:
        """Write one stretch of the story."""
        self._decide_first(chunk.firsts)
        self._collect(chunk.sittings)
        if chunk.renewals:
            self._keeper.settle()
            self._core.writer.run(lambda connection: self._continue(connection, chunk.renewals))
            self._collect(chunk.later_sittings)
        if chunk.withdrawals:
            self._withdraw(chunk.withdrawals)

    def finish(self) -> None:
        """Wait until everything is stored, and let the bytes of erased events leave the disk."""
        self._keeper.settle()
        self._keeper.compact()

    def close(self) -> None:
        """Let go of the stores."""
        self._inbox.close()
        self._keeper.close()

    def _decide_first(self, decisions: Sequence[Decision]) -> None:
        acts = [make_act(self._publication, decision, None) for decision in decisions]
        recorded = self._core.writer.run(lambda connection: record_many(connection, acts))
        for decision, done in zip(decisions, recorded, strict=True):
            if decision.reader is not None and done.receipt_id is not None:
                self._receipts[decision.reader] = done.receipt_id

    def _continue(self, connection: Connection, decisions: Sequence[Decision]) -> list[Recorded]:
        done = []
        for decision in decisions:
            row = lock_state(connection, self._receipts[decision.reader or 0])
            if row is None:
                raise FillError("a receipt of the story is gone")
            prior = dict(row._mapping)
            done.append(record(connection, make_act(self._publication, decision, prior), prior))
        return done

    def _withdraw(self, decisions: Sequence[Decision]) -> None:
        self._keeper.settle()
        done = self._core.writer.run(lambda connection: self._continue(connection, decisions))
        self._keeper.settle()
        # The keeper ran once for all of them; in the story it ran after each, and the disk was cleaned that night.
        times = [
            {
                "id": recorded.erasure.erasure_id,
                "done": decision.at + ERASED_WITHIN,
                "clean": min(_next_quiet_hour(decision.at), self._now),
            }
            for decision, recorded in zip(decisions, done, strict=True)
            if recorded.erasure is not None
        ]
        statement = (
            update(erasure_job)
            .where(erasure_job.c.erasure_id == bindparam("id"))
            .values(done_at=bindparam("done"), compacted_at=bindparam("clean"))
        )
        self._core.writer.run(lambda connection: connection.execute(statement, times))

    def _collect(self, sittings: Sequence[Sitting]) -> None:
        receipts = {self._receipts[sitting.reader] for sitting in sittings}
        with self._core.engine.connect() as connection:
            states = read_states(connection, receipts)
        sent = [self._request(sitting, states.get(self._receipts[sitting.reader])) for sitting in sittings]
        self._inbox.append_many(sent)

    def _request(self, sitting: Sitting, state: ReceiptState | None) -> tuple[Grant, datetime, list[dict[str, Any]]]:
        received_at = sitting.events[-1].at
        grant = check(state, self._publication.rules, now=received_at, has_signal=False)
        if not isinstance(grant, Grant):
            raise FillError(f"the gate refused an event of the story: {grant}")
        browser = sitting.profile.browser
        device = Device(browser.device, browser.name, browser.version, browser.os, browser.os_version, is_bot=False)
        context = Context(
            site=self._site,
            grant=grant,
            received_at=received_at,
            device=device,
            place=Place(sitting.profile.country, "", ""),
            is_excluded_address=False,
        )
        kept = [run(self._sent(event, received_at, browser.screen_width), context) for event in sitting.events]
        rows = [item for item in kept if not isinstance(item, Drop)]
        if len(rows) < len(kept):
            raise FillError("the pipeline dropped an event of the story")
        return grant, received_at, rows

    def _sent(self, event: Event, received_at: datetime, screen_width: int) -> dict[str, Any]:
        base = f"https://{self._site.settings.domain}"
        referrer = event.referrer
        return {
            "id": str(event.event_id),
            "name": event.name,
            "url": f"{base}{event.path}?{event.query}" if event.query else f"{base}{event.path}",
            "referrer": f"{base}{referrer}" if referrer.startswith("/") else referrer or None,
            "age_ms": (received_at - event.at) // timedelta(milliseconds=1),
            "screen_width": screen_width,
        }


def _next_quiet_hour(moment: datetime) -> datetime:
    quiet = moment.replace(hour=QUIET_HOUR, minute=0, second=0, microsecond=0)
    return quiet if quiet > moment + ERASED_WITHIN else quiet + timedelta(days=1)
