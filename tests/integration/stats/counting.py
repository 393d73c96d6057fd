"""Count the metrics by plain arithmetic over stored rows, sharing nothing with the statements."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

VISIT_METRICS = {"bounce_rate", "visit_duration", "views_per_visit"}


@dataclass(frozen=True)
class Stored:
    """Hold what a row says, as far as reports look at it."""

    at: datetime
    name: str
    page: str
    hostname: str
    source: str
    device: str
    author: str
    visitor_id: int
    visit_id: int
    visit_started_at: datetime


Fits = Callable[[Stored, "Visit"], bool]


class Visit:
    """Hold the rows of one visit."""

    def __init__(self, rows: Iterable[Stored]) -> None:
        self.rows = sorted(rows, key=lambda row: row.at)
        self.started_at = self.rows[0].visit_started_at
        views = [row for row in self.rows if row.name == "pageview"]
        self.first_view = views[0] if views else None
        self.entry_page = views[0].page if views else ""
        self.exit_page = views[-1].page if views else ""
        self.views = len(views)
        self.others = sum(row.name not in ("pageview", "engagement") for row in self.rows)
        self.microseconds = (self.rows[-1].at - self.rows[0].at) // timedelta(microseconds=1)


def bucket(at: datetime, unit: str, zone: str) -> str:
    """Give the label of the bucket a moment lies in."""
    local = at.astimezone(ZoneInfo(zone))
    if unit == "hour":
        return f"{local:%Y-%m-%d %H}:00:00"
    day = local.date()
    if unit == "week":
        day -= timedelta(days=day.weekday())
    return f"{day.replace(day=1) if unit == 'month' else day}"


def value(name: str, row: Stored, visit: Visit, at: datetime, zone: str) -> str:
    """Give the word a report shows for a row's dimension."""
    if name.startswith("time:"):
        return bucket(at, name.removeprefix("time:"), zone)
    stored = {
        "event:page": row.page,
        "event:name": row.name,
        "event:hostname": row.hostname,
        "event:props:author": row.author,
        "visit:source": row.source,
        "visit:device": row.device,
        "visit:entry_page": visit.entry_page,
        "visit:exit_page": visit.exit_page,
    }[name]
    return stored or ("Direct / None" if name == "visit:source" else "(not set)")


def count(
    rows: Iterable[Stored], dimensions: list[str], fits: Fits, start: datetime, end: datetime, zone: str
) -> dict[tuple[str, ...], dict[str, float]]:
    """Give every metric of every combination of dimension values that has an event or a visit."""
    by_visit: dict[int, list[Stored]] = defaultdict(list)
    for row in rows:
        by_visit[row.visit_id].append(row)
    visits = [Visit(mine) for mine in by_visit.values()]
    events: dict[tuple[str, ...], list[Stored]] = defaultdict(list)
    reached: dict[tuple[str, ...], set[int]] = defaultdict(set)
    whole: dict[tuple[str, ...], list[Visit]] = defaultdict(list)
    by_page = any(name.startswith("event:") for name in dimensions)
    for visit in visits:
        counted = [row for row in visit.rows if row.name != "engagement" and fits(row, visit)]
        for row in counted:
            if start <= row.at < end:
                events[tuple(value(name, row, visit, row.at, zone) for name in dimensions)].append(row)
            if start <= visit.started_at < end:
                key = tuple(value(name, row, visit, visit.started_at, zone) for name in dimensions)
                reached[key].add(row.visit_id)
        shown = visit.first_view if by_page else (visit.rows[0] if counted else None)
        if shown is None or not start <= visit.started_at < end or (by_page and shown not in counted):
            continue
        whole[tuple(value(name, shown, visit, visit.started_at, zone) for name in dimensions)].append(visit)
    everyone = len({row.visitor_id for mine in events.values() for row in mine})
    keys = {*events, *reached, *whole} if dimensions else {()}
    return {key: _metrics(events[key], reached[key], whole[key], everyone) for key in keys}


def _metrics(events: list[Stored], reached: set[int], whole: list[Visit], everyone: int) -> dict[str, float]:
    visitors, visits = len({row.visitor_id for row in events}), len(whole)
    bounces = sum(visit.views == 1 and visit.others == 0 for visit in whole)
    return {
        "visitors": visitors,
        "visits": len(reached),
        "pageviews": sum(row.name == "pageview" for row in events),
        "events": len(events),
        "bounce_rate": round(100 * bounces / visits, 1) if visits else 0,
        "visit_duration": round(sum(visit.microseconds for visit in whole) / visits / 1e6) if visits else 0,
        "views_per_visit": round(sum(visit.views for visit in whole) / visits, 2) if visits else 0,
        "percentage": round(100 * visitors / everyone, 1) if everyone else 0,
    }
