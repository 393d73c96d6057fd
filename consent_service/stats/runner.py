"""Run a Query and shape its answer."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from consent_service.days import day_start
from consent_service.events.store import Reader, Row
from consent_service.stats import dimensions, sql
from consent_service.stats.dimensions import Kind
from consent_service.stats.metrics import METRICS, Number
from consent_service.stats.periods import label, labels
from consent_service.stats.query import Query


@dataclass(frozen=True, slots=True)
class ResultRow:
    """Hold one row: dimension values and metrics, each in the order asked; a rate of no visits is 0."""

    dimensions: tuple[str, ...]
    metrics: tuple[Number, ...]


@dataclass(frozen=True, slots=True)
class Result:
    """Hold the answer to a query, whose period is resolved; what was not asked for is None."""

    query: Query
    rows: tuple[ResultRow, ...]
    total_rows: int | None = None
    time_labels: tuple[str, ...] | None = None

    def document(self) -> dict[str, Any]:
        """Give the answer in the shape of Plausible's Stats API v2."""
        rows = [{"dimensions": list(row.dimensions), "metrics": list(row.metrics)} for row in self.rows]
        return {"results": rows, "meta": self._meta(), "query": _query_document(self.query)}

    def _meta(self) -> dict[str, Any]:
        meta: dict[str, Any] = {}
        if self.query.include.imports:
            meta["imports_included"] = False
            meta["imports_skip_reason"] = "no_imported_data"
        if self.time_labels is not None:
            meta["time_labels"] = list(self.time_labels)
        if self.total_rows is not None:
            meta["total_rows"] = self.total_rows
        return meta


def run(reader: Reader, query: Query) -> Result:
    """Answer a query from the event store."""
    query = _resolve(reader, query)
    rows = tuple(_shape(query, row) for row in reader.fetch(sql.statement(query)))
    total = None
    if query.include.total_rows:
        total = int(reader.fetch(sql.total_statement(query))[0][0])
    return Result(query, rows, total, _labels(query) if query.include.time_labels else None)


def _resolve(reader: Reader, query: Query) -> Query:
    """Let a period without a start begin on the day of the site's first event."""
    period = query.period
    if period.start is not None:
        return query
    first: datetime | None = reader.fetch(sql.first_event_statement(query.site_id))[0][0]
    last = period.end - timedelta(microseconds=1)
    zone = ZoneInfo(period.zone)
    day = min(first or last, last).astimezone(zone).date()
    return replace(query, period=replace(period, start=day_start(day, zone)))


def _shape(query: Query, row: Row) -> ResultRow:
    size = len(query.dimensions)
    keys = tuple(_shown(query, name, value) for name, value in zip(query.dimensions, row[:size], strict=True))
    numbers = zip(query.metrics, row[size:], strict=True)
    return ResultRow(keys, tuple(METRICS[name].show(value or 0) for name, value in numbers))


def _shown(query: Query, name: str, value: Any) -> str:
    dimension = dimensions.get(name)
    if dimension.kind is Kind.TIME:
        return label(value, sql.unit_of(query, name))
    return dimension.shown(value)


def _labels(query: Query) -> tuple[str, ...]:
    name, period = query.time_dimension, query.period
    if name is None or period.start is None:
        raise ValueError("labels need a time dimension and a resolved period")
    return tuple(labels(period.start, period.end, period.zone, sql.unit_of(query, name)))


def _query_document(query: Query) -> dict[str, Any]:
    zone = ZoneInfo(query.period.zone)
    bounds = [query.period.start or query.period.end, query.period.end - timedelta(seconds=1)]
    return {
        "site_id": query.asked_site,
        "metrics": list(query.metrics),
        "date_range": [bound.astimezone(zone).isoformat(timespec="seconds") for bound in bounds],
        "dimensions": list(query.dimensions),
        "filters": [condition.document() for condition in query.filters],
        "order_by": [order.document() for order in query.order_by],
        "include": query.include.document(),
        "pagination": {"limit": query.limit, "offset": query.offset},
    }
