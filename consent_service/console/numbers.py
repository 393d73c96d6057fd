"""Ask the questions of a site's page, each a Query, and put its answers beside the preceding period's."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from consent_service.console.wording import NO_NUMBER, change_text, country_name, number_text
from consent_service.events.store import Reader
from consent_service.sites.registry import Site
from consent_service.stats import sql
from consent_service.stats.query import Include, Order, Period, Query
from consent_service.stats.runner import Result, run

TOP_ROWS: Final = 10


@dataclass(frozen=True, slots=True)
class Explained:
    """Hold one metric's words: its heading, and what exactly the number counts."""

    metric: str
    heading: str
    meaning: str


TOTALS: Final = (
    Explained(
        "visitors",
        "Visitors",
        "Different browsers that agreed. Somebody on two devices counts as two; whoever did not agree, not at all.",
    ),
    Explained(
        "visits", "Visits", "Stretches of reading with no silence of 30 minutes in between, counted when they begin."
    ),
    Explained("pageviews", "Pageviews", "Pages opened, reloads included."),
    Explained(
        "views_per_visit",
        "Views per visit",
        "Pageviews of the visits that began in the period, divided by those visits.",
    ),
    Explained("bounce_rate", "Bounce rate", "Visits with a single pageview and no other event."),
    Explained(
        "visit_duration",
        "Visit duration",
        "Mean time from the first to the last event of a visit; a bounce counts as 0.",
    ),
)
COUNTED: Final = frozenset({"visitors", "visits", "pageviews"})


@dataclass(frozen=True, slots=True)
class Total:
    """Hold one figure of the period as it is shown; `before` and `change` are empty when there was nobody before."""

    explained: Explained
    value: str
    before: str
    change: str


@dataclass(frozen=True, slots=True)
class Series:
    """Hold numbers over time: the buckets' labels as the API writes them and one number per bucket."""

    unit: str
    labels: tuple[str, ...]
    visitors: tuple[int, ...]
    pageviews: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """Hold one row of a breakdown; `share` is its part of the largest row, in percent."""

    name: str
    count: int
    extra: int | None
    share: float


@dataclass(frozen=True, slots=True)
class Breakdown:
    """Hold the top rows of one dimension with the heading of each column."""

    id: str
    heading: str
    column: str
    count_heading: str
    extra_heading: str | None
    entries: tuple[Entry, ...]
    total_rows: int


# id, heading, column, dimension, metric that orders, further metric
BREAKDOWNS: Final = (
    ("pages", "Top pages", "Page", "event:page", "pageviews", "visitors"),
    ("sources", "Top sources", "Source", "visit:source", "visitors", "visits"),
    ("channels", "Channels", "Channel", "visit:channel", "visitors", "visits"),
    ("countries", "Countries", "Country", "visit:country", "visitors", None),
    ("devices", "Devices", "Device", "visit:device", "visitors", None),
    ("browsers", "Browsers", "Browser", "visit:browser", "visitors", None),
    ("systems", "Operating systems", "System", "visit:os", "visitors", None),
)
_COUNT_HEADINGS: Final = {"pageviews": "Views", "visitors": "Visitors", "visits": "Visits"}
_PLAIN: Final = Include()


def first_event_at(reader: Reader, site: Site) -> datetime | None:
    """Give the time of the site's first event, None before it."""
    found: datetime | None = reader.fetch(sql.first_event_statement(site.site_id))[0][0]
    return found


def count_visitors(reader: Reader, site: Site, period: Period) -> int:
    """Count the distinct visitors of a period."""
    return int(run(reader, _query(site, period, ("visitors",))).rows[0].metrics[0])


def totals(reader: Reader, site: Site, period: Period, before: Period) -> tuple[Total, ...]:
    """Give the period's figures and how they changed."""
    metrics = tuple(explained.metric for explained in TOTALS)
    now, then = (run(reader, _query(site, each, metrics)).rows[0].metrics for each in (period, before))
    has_visits, had_visits = (any(numbers[: len(COUNTED)]) for numbers in (now, then))
    return tuple(
        _total(explained, value, earlier, has_visits, had_visits)
        for explained, value, earlier in zip(TOTALS, now, then, strict=True)
    )


def series(reader: Reader, site: Site, period: Period) -> Series:
    """Give visitors and pageviews over time, empty buckets included."""
    query = _query(site, period, ("visitors", "pageviews"), "time", include=Include(time_labels=True))
    result = run(reader, query)
    found = {row.dimensions[0]: row.metrics for row in result.rows}
    labels = result.time_labels or ()
    unit = sql.unit_of(result.query, "time").value
    pairs = [found.get(label, (0, 0)) for label in labels]
    return Series(unit, labels, tuple(int(pair[0]) for pair in pairs), tuple(int(pair[1]) for pair in pairs))


def breakdowns(reader: Reader, site: Site, period: Period) -> tuple[Breakdown, ...]:
    """Give the top rows of every dimension the page shows; dimensions nothing is known of are left out."""
    found = (_breakdown(reader, site, period, *each) for each in BREAKDOWNS)
    return tuple(each for each in found if any(entry.name != "(not set)" for entry in each.entries))


def _breakdown(
    reader: Reader,
    site: Site,
    period: Period,
    identity: str,
    heading: str,
    column: str,
    dimension: str,
    metric: str,
    further: str | None,
) -> Breakdown:
    metrics = (metric,) if further is None else (metric, further)
    query = _query(site, period, metrics, dimension, Include(total_rows=True), limit=TOP_ROWS)
    result = run(reader, query)
    return Breakdown(
        id=identity,
        heading=heading,
        column=column,
        count_heading=_COUNT_HEADINGS[metric],
        extra_heading=None if further is None else _COUNT_HEADINGS[further],
        entries=_entries(result, is_country=dimension == "visit:country"),
        total_rows=result.total_rows or 0,
    )


def _entries(result: Result, *, is_country: bool) -> tuple[Entry, ...]:
    # A page can have events and no view; a row of nothing tells nothing.
    rows = [row for row in result.rows if row.metrics[0] > 0]
    largest = max((row.metrics[0] for row in rows), default=1)
    return tuple(
        Entry(
            name=country_name(row.dimensions[0]) if is_country else row.dimensions[0],
            count=int(row.metrics[0]),
            extra=int(row.metrics[1]) if len(row.metrics) > 1 else None,
            share=round(100 * row.metrics[0] / largest, 2),
        )
        for row in rows
    )


def _total(explained: Explained, value: float, before: float, has_visits: bool, had_visits: bool) -> Total:
    metric = explained.metric
    return Total(
        explained,
        value=number_text(metric, value) if has_visits or metric in COUNTED else NO_NUMBER,
        before=number_text(metric, before) if had_visits else "",
        change=change_text(metric, value, before) if has_visits and had_visits else "",
    )


def _query(
    site: Site,
    period: Period,
    metrics: tuple[str, ...],
    dimension: str | None = None,
    include: Include = _PLAIN,
    limit: int = 10_000,
) -> Query:
    order = Order("time", False) if dimension == "time" else Order(metrics[0], True)
    return Query(
        site_id=site.site_id,
        asked_site=site.key,
        metrics=metrics,
        period=period,
        dimensions=() if dimension is None else (dimension,),
        order_by=() if dimension is None else (order,),
        include=include,
        limit=limit,
    )
