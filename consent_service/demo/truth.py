"""Count a story while it is told, by plain arithmetic: what every report on it must show (pure)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from consent_service.demo.rhythm import DAYS
from consent_service.demo.story import Act, Decision, Event, Item, Sitting

SILENCE: Final = timedelta(minutes=30)
PAGEVIEW: Final = "pageview"
ENGAGEMENT: Final = "engagement"
NO_SOURCE: Final = "Direct / None"
NOT_SET: Final = "(not set)"
PAGE: Final = "event:page"
VISIT_DIMENSIONS: Final = (
    "visit:source",
    "visit:channel",
    "visit:device",
    "visit:browser",
    "visit:os",
    "visit:country",
)
# Days ago whose figures are written out by page and source too, beside the year and the last 28 days.
SINGLE_DAYS: Final = (1, 2, 7, 100, 143)
MOST_FOUND: Final = 50_000
CONSENT: Final = ("accepted", "refused", "customised", "withdrawn")


@dataclass(slots=True)
class Cell:
    """Add up one cell of a report: events by their own time, visits by the time they began."""

    visitors: set[int] = field(default_factory=set)
    pageviews: int = 0
    events: int = 0
    visits: int = 0
    # Whole visits: by page those that began on it, otherwise the same as `visits`.
    whole: int = 0
    bounces: int = 0
    whole_pageviews: int = 0
    microseconds: int = 0

    def document(self) -> dict[str, Any]:
        """Give the figures as a report shows them; a rate of no visits is 0."""
        whole = self.whole
        return {
            "visitors": len(self.visitors),
            "visits": self.visits,
            "pageviews": self.pageviews,
            "events": self.events,
            "bounce_rate": round(self.bounces * 100 / whole, 1) if whole else 0,
            "visit_duration": round(self.microseconds / whole / 1_000_000) if whole else 0,
            "views_per_visit": round(self.whole_pageviews / whole, 2) if whole else 0,
        }


@dataclass(slots=True)
class Visit:
    """Hold a run of one visitor's events with less than thirty minutes between them."""

    visitor: int
    started_at: datetime
    last_at: datetime
    values: tuple[str, ...]
    pages: list[str] = field(default_factory=list)
    others: int = 0


@dataclass(slots=True)
class _Period:
    first: date
    last: date
    total: Cell = field(default_factory=Cell)
    cells: dict[str, dict[str, Cell]] = field(
        default_factory=lambda: {name: defaultdict(Cell) for name in (PAGE, *VISIT_DIMENSIONS)}
    )


class Truth:
    """Count what passes by."""

    def __init__(self, now: datetime, zone: ZoneInfo) -> None:
        self._now = now
        self._zone = zone
        today = now.astimezone(zone).date()
        ago = {days: today - timedelta(days=days) for days in (0, *SINGLE_DAYS)}
        self._periods = {
            "year": _Period(today - timedelta(days=DAYS - 1), today),
            "28d": _Period(today - timedelta(days=28), today - timedelta(days=1)),
            **{day.isoformat(): _Period(day, day) for day in ago.values()},
        }
        self._days: dict[date, Cell] = defaultdict(Cell)
        self._consent: dict[date, dict[str, int]] = defaultdict(lambda: dict.fromkeys(CONSENT, 0))
        self._open: dict[int, Visit] = {}
        # Looking the same cells up for every event would take longer than counting.
        self._found: dict[tuple[date, str, tuple[str, ...]], list[Cell]] = {}

    def watch(self, items: Iterable[Item]) -> Iterator[Item]:
        """Pass a story through and count it."""
        for item in items:
            if isinstance(item, Decision):
                self._decided(item)
            elif not item.is_erased:
                for event in item.events:
                    self._happened(item, event)
            yield item

    def document(self) -> dict[str, Any]:
        """Give every figure; docs/demo.md describes the shape. Visits that are still open count as they are."""
        for visit in self._open.values():
            self._ended(visit)
        self._open.clear()
        return {
            "version": 1,
            "timezone": self._zone.key,
            "told_at": self._now.isoformat(),
            "periods": {name: _document(period) for name, period in self._periods.items()},
            "days": {day.isoformat(): cell.document() for day, cell in sorted(self._days.items())},
            "consent": {
                "total": {kind: sum(counts[kind] for counts in self._consent.values()) for kind in CONSENT},
                "days": {day.isoformat(): counts for day, counts in sorted(self._consent.items())},
            },
        }

    def _decided(self, decision: Decision) -> None:
        kind = {Act.REFUSE: "refused", Act.WITHDRAW: "withdrawn"}.get(decision.act, "accepted")
        self._consent[self._day(decision.at)][kind] += 1

    def _happened(self, sitting: Sitting, event: Event) -> None:
        visit = self._open.get(sitting.visitor)
        if visit is not None and event.at - visit.last_at >= SILENCE:
            self._ended(visit)
            visit = None
        if visit is None:
            browser = sitting.profile.browser
            way = (event.source or NO_SOURCE, event.channel)
            values = (*way, browser.device, browser.name, browser.os, sitting.profile.country)
            visit = Visit(sitting.visitor, event.at, event.at, tuple(value or NOT_SET for value in values))
            self._open[sitting.visitor] = visit
        visit.last_at = event.at
        if event.name == PAGEVIEW:
            visit.pages.append(event.path)
        elif event.name != ENGAGEMENT:
            visit.others += 1
        if event.name == ENGAGEMENT:
            return
        pageviews = int(event.name == PAGEVIEW)
        for cell in self._event_cells(self._day(event.at), event.path, visit.values):
            cell.visitors.add(sitting.visitor)
            cell.events += 1
            cell.pageviews += pageviews

    def _ended(self, visit: Visit) -> None:
        day = self._day(visit.started_at)
        for cell, is_whole in self._visit_cells(day, visit):
            cell.visits += 1
            if is_whole:
                _add_whole(cell, visit)

    def _event_cells(self, day: date, path: str, values: tuple[str, ...]) -> list[Cell]:
        found = self._found.get((day, path, values))
        if found is None:
            if len(self._found) > MOST_FOUND:
                self._found.clear()
            found = self._found[day, path, values] = [self._days[day]]
            for period in self._of(day):
                named = [period.cells[name][value] for name, value in zip(VISIT_DIMENSIONS, values, strict=True)]
                found += [period.total, period.cells[PAGE][path], *named]
        return found

    def _visit_cells(self, day: date, visit: Visit) -> Iterator[tuple[Cell, bool]]:
        yield self._days[day], True
        for period in self._of(day):
            yield period.total, True
            for name, value in zip(VISIT_DIMENSIONS, visit.values, strict=True):
                yield period.cells[name][value], True
            for page in dict.fromkeys(visit.pages):
                yield period.cells[PAGE][page], page == visit.pages[0]

    def _of(self, day: date) -> Iterator[_Period]:
        for period in self._periods.values():
            if period.first <= day <= period.last:
                yield period

    def _day(self, moment: datetime) -> date:
        return moment.astimezone(self._zone).date()


def _add_whole(cell: Cell, visit: Visit) -> None:
    cell.whole += 1
    cell.bounces += len(visit.pages) == 1 and visit.others == 0
    cell.whole_pageviews += len(visit.pages)
    cell.microseconds += (visit.last_at - visit.started_at) // timedelta(microseconds=1)


def _document(period: _Period) -> dict[str, Any]:
    return {
        "from": period.first.isoformat(),
        "to": period.last.isoformat(),
        "total": period.total.document(),
        **{
            name: {value: cell.document() for value, cell in sorted(cells.items())}
            for name, cells in period.cells.items()
        },
    }
