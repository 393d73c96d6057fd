"""Check a query written as JSON (Plausible Stats API v2) and make a Query of it, or say what is wrong where."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, TypeVar

from consent_service.stats import dimensions
from consent_service.stats.conditions import parse_filters, quoted
from consent_service.stats.dimensions import Kind
from consent_service.stats.metrics import METRICS
from consent_service.stats.periods import (
    NAMED,
    bucket_count_limit,
    days_period,
    named_period,
    unit_for,
)
from consent_service.stats.query import Include, Order, Period, Query, QueryError, Site

_KEYS: Final = (
    "site_id",
    "metrics",
    "date_range",
    "dimensions",
    "filters",
    "order_by",
    "include",
    "pagination",
)
_FIRST_YEAR, _LAST_YEAR = 1970, 2199
LONGEST_PERIOD: Final = timedelta(days=3_660)
_MOST_ROWS: Final = 10_000
_MOST_DIMENSIONS: Final = 10
_DIRECTIONS: Final = ("asc", "desc")

# Of event dimensions, these describe where a visit began, so a visit can be counted under them.
_ENTRY_DIMENSIONS: Final = frozenset({"event:page", "event:hostname"})

T = TypeVar("T")


def site_of(document: object) -> str:
    """Give the site's key or domain that a query names; raises QueryError."""
    asked = _object(document, "", _KEYS).get("site_id")
    if not isinstance(asked, str) or not asked:
        raise QueryError("name the site's key or domain", "/site_id")
    return asked


def parse_query(document: object, site: Site, now: datetime) -> Query:
    """Check the query against what is supported; raises QueryError for the first thing that is wrong.

    `site` is the one `site_of` names; days and hours are those of its time zone.
    """
    asked = _object(document, "", _KEYS)
    metrics = _names(asked.get("metrics"), "/metrics", METRICS, "metric")
    grouping = _dimensions(asked.get("dimensions", []))
    include = _include(asked.get("include", {}))
    period = _period(asked.get("date_range"), now, site.zone, include.trim_relative_date_range)
    limit, offset = _pagination(asked.get("pagination", {}))
    query = Query(
        site_id=site.site_id,
        asked_site=site_of(document),
        metrics=metrics,
        dimensions=grouping,
        period=period,
        filters=parse_filters(asked.get("filters", [])),
        order_by=_orders(asked.get("order_by"), metrics, grouping),
        include=include,
        limit=limit,
        offset=offset,
    )
    _check_together(query)
    return query


def _dimensions(value: object) -> tuple[str, ...]:
    if value == []:
        return ()
    names = _names(value, "/dimensions", None, "dimension")
    if len(names) > _MOST_DIMENSIONS:
        raise QueryError(f"ask for at most {_MOST_DIMENSIONS} dimensions", "/dimensions")
    times = [name for name in names if dimensions.get(name).kind is Kind.TIME]
    if len(times) > 1:
        raise QueryError("ask for one time dimension at most", "/dimensions")
    return names


def _names(value: object, pointer: str, known: Collection[str] | None, what: str) -> tuple[str, ...]:
    """Check a list of different names, each in `known`, or each a dimension."""
    if not isinstance(value, list) or not value:
        raise QueryError(f"give a list with at least one {what}", pointer)
    for index, name in enumerate(value):
        place = f"{pointer}/{index}"
        if not isinstance(name, str) or not _is_known(name, known):
            listed = ", ".join(known or dimensions.NAMES)
            raise QueryError(f"{quoted(name)} is not a supported {what}; supported: {listed}", place)
        if name in value[:index]:
            raise QueryError(f"{quoted(name)} is asked for twice", place)
    return tuple(value)


def _is_known(name: str, known: Collection[str] | None) -> bool:
    return name in known if known is not None else dimensions.find(name) is not None


def _period(value: object, now: datetime, zone: str, is_trimmed: bool) -> Period:
    if isinstance(value, str) and value in NAMED:
        return named_period(value, now, zone, is_trimmed=is_trimmed)
    if isinstance(value, list) and len(value) == 2:
        days = [_read(date.fromisoformat, text) for text in value]
        if days[0] is not None and days[1] is not None:
            return _ordered(days_period(days[0], days[1], zone))
        times = [_read(_instant, text) for text in value]
        if times[0] is not None and times[1] is not None:
            # The last second belongs to the period, as the last day does when days are given.
            return _ordered(Period(times[0], times[1] + timedelta(seconds=1), zone))
    raise QueryError(
        f"give one of {', '.join(NAMED)}, or [date, date], or [time, time] with offsets, of the years"
        f" {_FIRST_YEAR} to {_LAST_YEAR}",
        "/date_range",
    )


def _ordered(period: Period) -> Period:
    if period.start is not None and period.start >= period.end:
        raise QueryError("the period ends before it starts", "/date_range")
    if period.start is not None and period.end - period.start > LONGEST_PERIOD + timedelta(days=1):
        raise QueryError(f"a period spans at most {LONGEST_PERIOD.days} days", "/date_range")
    return period


def _instant(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError("a time needs an offset")
    return at.replace(microsecond=0).astimezone(UTC)


def _read(read: Callable[[str], T], text: object) -> T | None:
    """Read a date or time of the supported years, None when it is not one."""
    if not isinstance(text, str) or len(text) > 40:
        return None
    try:
        found = read(text)
    except (ValueError, OverflowError):
        return None
    return found if isinstance(found, date) and _FIRST_YEAR <= found.year <= _LAST_YEAR else None


def _orders(value: object, metrics: tuple[str, ...], grouping: tuple[str, ...]) -> tuple[Order, ...]:
    if value is None or value == []:
        times = [name for name in grouping if dimensions.get(name).kind is Kind.TIME]
        return (*(Order(name, False) for name in times), Order(metrics[0], True))
    if not isinstance(value, list):
        raise QueryError("give a list of [name, direction]", "/order_by")
    orders: list[Order] = []
    for index, item in enumerate(value):
        place = f"/order_by/{index}"
        if not isinstance(item, list) or len(item) != 2 or item[1] not in _DIRECTIONS:
            raise QueryError('give [name, "asc"] or [name, "desc"]', place)
        if item[0] not in metrics and item[0] not in grouping:
            raise QueryError(f"{quoted(item[0])} is not among the metrics and dimensions asked for", place)
        if item[0] in [order.name for order in orders]:
            raise QueryError(f"{quoted(item[0])} is given twice", place)
        orders.append(Order(item[0], item[1] == "desc"))
    return tuple(orders)


def _include(value: object) -> Include:
    asked = _object(value, "/include", Include.__slots__)
    for name, flag in asked.items():
        if not isinstance(flag, bool):
            raise QueryError("give true or false", f"/include/{name}")
    return Include(**asked)


def _pagination(value: object) -> tuple[int, int]:
    asked = _object(value, "/pagination", ("limit", "offset"))
    limit, offset = asked.get("limit", _MOST_ROWS), asked.get("offset", 0)
    if type(limit) is not int or not 1 <= limit <= _MOST_ROWS:
        raise QueryError(f"give a whole number from 1 to {_MOST_ROWS}", "/pagination/limit")
    if type(offset) is not int or not 0 <= offset < 2**31:
        raise QueryError("give a whole number from 0 up", "/pagination/offset")
    return limit, offset


def _check_together(query: Query) -> None:
    """Refuse what is fine by itself and not together."""
    grouping = [dimensions.get(name) for name in query.dimensions]
    by_event = [dimension.name for dimension in grouping if dimension.kind is Kind.EVENT]
    is_entry = "event:page" in by_event and _ENTRY_DIMENSIONS.issuperset(by_event)
    for index, name in enumerate(query.metrics):
        if METRICS[name].is_of_visits and by_event and not is_entry:
            raise QueryError(
                f"{name} describes whole visits: among event dimensions only event:page goes with it",
                f"/metrics/{index}",
            )
        if METRICS[name].is_share and not grouping:
            raise QueryError(f"{name} needs a dimension", f"/metrics/{index}")
    if query.include.time_labels:
        _check_labels(query)


def _check_labels(query: Query) -> None:
    place = "/include/time_labels"
    if query.time_dimension is None:
        raise QueryError("time labels need a time dimension", place)
    start, end = query.period.start, query.period.end
    if start is None:
        return
    unit = dimensions.get(query.time_dimension).unit or unit_for(start, end)
    if bucket_count_limit(start, end, unit) > _MOST_ROWS:
        raise QueryError(f"the period has over {_MOST_ROWS} buckets", place)


def _object(value: object, pointer: str, keys: Collection[str]) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise QueryError("give an object", pointer)
    for key in value:
        if key not in keys:
            raise QueryError(f"{quoted(key)} is not supported; supported: {', '.join(keys)}", pointer)
    return value
