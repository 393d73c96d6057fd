"""Run a query and shape its rows into the answer."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from consent_service.events.store import Reader
from consent_service.stats import dimensions, sql
from consent_service.stats.dimensions import Kind
from consent_service.stats.metrics import METRICS
from consent_service.stats.periods import label, labels
from consent_service.stats.query import Query


@dataclass(frozen=True, slots=True)
class ResultRow:
    """Hold one row: values in the order the query asked for them."""

    dimensions: tuple[str, ...]
    metrics: tuple[int | float, ...]


@dataclass(frozen=True, slots=True)
class Result:
    """Hold the answer to a query, its period resolved."""

    query: Query
    rows: tuple[ResultRow, ...]
    time_labels: tuple[str, ...] | None
    total_rows: int | None

    def document(self) -> dict[str, Any]:
        """Give the answer in the shape of Plausible's Stats API v2."""
        meta: dict[str, Any] = {}
        if self.query.include.imports:
            meta |= {"imports_included": False, "imports_skip_reason": "no_imported_data"}
        if self.time_labels is not None:
            meta["time_labels"] = list(self.time_labels)
        if self.total_rows is not None:
            meta["total_rows"] = self.total_rows
        rows = [{"dimensions": list(row.dimensions), "metrics": list(row.metrics)} for row in self.rows]
        return {"results": rows, "meta": meta, "query": _query_document(self.query)}


def run(reader: Reader, query: Query) -> Result:
    """Answer a query from the event store."""
    query = _resolved(reader, query)
    found = reader.fetch(sql.statement(query))
    rows = tuple(_row(query, values) for values in found)
    if not rows and not query.dimensions:
        rows = (ResultRow((), tuple(0 for _ in query.metrics)),)
    total = int(reader.fetch(sql.total_statement(query))[0][0]) if query.include.total_rows else None
    return Result(query, rows, _time_labels(query), total)


def _resolved(reader: Reader, query: Query) -> Query:
    if query.period.start is not None:
        return query
    first: datetime | None = reader.fetch(sql.first_event_statement(query.site_id))[0][0]
    start = query.period.end if first is None else min(first, query.period.end)
    midnight = start.astimezone(ZoneInfo(query.period.zone)).replace(hour=0, minute=0, second=0, microsecond=0)
    return replace(query, period=replace(query.period, start=midnight.astimezone(query.period.end.tzinfo)))


def _row(query: Query, values: tuple[Any, ...]) -> ResultRow:
    count = len(query.dimensions)
    shown = tuple(_shown(query, name, value) for name, value in zip(query.dimensions, values[:count], strict=True))
    numbers = zip(query.metrics, values[count:], strict=True)
    return ResultRow(shown, tuple(0 if value is None else METRICS[name].show(value) for name, value in numbers))


def _shown(query: Query, name: str, value: Any) -> str:
    dimension = dimensions.get(name)
    if dimension.kind is Kind.TIME:
        return label(value, sql.unit_of(query, name))
    return dimension.shown(value or "")


def _time_labels(query: Query) -> tuple[str, ...] | None:
    name = query.time_dimension
    if not query.include.time_labels or name is None or query.period.start is None:
        return None
    return tuple(labels(query.period.start, query.period.end, query.period.zone, sql.unit_of(query, name)))


def _query_document(query: Query) -> dict[str, Any]:
    zone = ZoneInfo(query.period.zone)
    edges = (query.period.start, query.period.end)
    return {
        "site_id": query.asked_site,
        "metrics": list(query.metrics),
        "date_range": [edge.astimezone(zone).isoformat() for edge in edges if edge is not None],
        "filters": [condition.document() for condition in query.filters],
        "dimensions": list(query.dimensions),
        "order_by": [order.document() for order in query.order_by],
        "include": query.include.document(),
        "pagination": {"limit": query.limit, "offset": query.offset},
    }
