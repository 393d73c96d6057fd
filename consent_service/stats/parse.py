"""Read a query as the reporting API takes it (Plausible Stats API v2), refusing what is not understood (pure)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from consent_service.stats.dimensions import NAMES, Kind, find
from consent_service.stats.metrics import METRICS
from consent_service.stats.periods import NAMED, days_period, named_period
from consent_service.stats.query import (
    Condition,
    Connective,
    Filter,
    Include,
    Joined,
    Negated,
    Operator,
    Order,
    Period,
    Query,
    QueryError,
    Site,
)

KEYS: Final = (
    "site_id",
    "metrics",
    "date_range",
    "dimensions",
    "filters",
    "order_by",
    "include",
    "pagination",
)
MAX_LIMIT: Final = 10_000
MAX_OFFSET: Final = 10_000_000
MAX_DIMENSIONS: Final = 5
MAX_CONDITIONS: Final = 50
MAX_CLAUSES: Final = 200
MAX_CLAUSE: Final = 2_000
MAX_DEPTH: Final = 8
LONGEST_PERIOD: Final = timedelta(days=3_660)


def parse_query(document: Any, site: Site, now: datetime) -> Query:
    """Give the query of a JSON document; raises QueryError for the first thing that is wrong."""
    if not isinstance(document, dict):
        raise _error("must be an object", "")
    _known_keys(document, KEYS, "")
    include = _include(document.get("include"))
    metrics = _names(document, "metrics", METRICS, required=True)
    query = Query(
        site_id=site.site_id,
        asked_site=_text(document.get("site_id"), "/site_id"),
        metrics=metrics,
        period=_period(document.get("date_range"), site, now, include),
        dimensions=_dimensions(document),
        filters=tuple(_conditions(document.get("filters"), "/filters", MAX_DEPTH)),
        include=include,
        **_pagination(document.get("pagination")),
    )
    _check_together(query)
    orders = _orders(document.get("order_by"), query)
    return Query(**{**_members(query), "order_by": orders})


def _members(query: Query) -> dict[str, Any]:
    return {name: getattr(query, name) for name in query.__slots__}


def _error(message: str, pointer: str, code: str = "invalid_query") -> QueryError:
    return QueryError(code, message, pointer)


def _known_keys(document: Mapping[Any, Any], known: Sequence[str], pointer: str) -> None:
    for key in document:
        if key not in known:
            raise _error(f"is not known; there are {', '.join(known)}", f"{pointer}/{key}")


def _text(value: Any, pointer: str) -> str:
    if not isinstance(value, str) or not 1 <= len(value) <= MAX_CLAUSE:
        raise _error("must be a text", pointer)
    return value


def _list(value: Any, pointer: str, most: int) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list) or len(value) > most:
        raise _error(f"must be a list of {most} at most", pointer)
    return value


def _names(document: Mapping[str, Any], key: str, known: Mapping[str, Any], *, required: bool) -> tuple[str, ...]:
    names = _list(document.get(key), f"/{key}", len(known))
    for place, name in enumerate(names):
        if not isinstance(name, str) or name not in known:
            raise _error(f"is not supported; there are {', '.join(known)}", f"/{key}/{place}", "unknown_metric")
    if required and not names:
        raise _error(f"must name one or more of {', '.join(known)}", f"/{key}")
    if len(set(names)) != len(names):
        raise _error("must not name one twice", f"/{key}")
    return tuple(names)


def _dimensions(document: Mapping[str, Any]) -> tuple[str, ...]:
    names = _list(document.get("dimensions"), "/dimensions", MAX_DIMENSIONS)
    for place, name in enumerate(names):
        _dimension(name, f"/dimensions/{place}")
    if len(set(names)) != len(names):
        raise _error("must not name one twice", "/dimensions")
    if sum(_dimension(name, "").kind is Kind.TIME for name in names) > 1:
        raise _error("may hold one time dimension", "/dimensions")
    return tuple(names)


def _dimension(name: Any, pointer: str) -> Any:
    found = find(name) if isinstance(name, str) else None
    if found is None:
        raise _error(f"is not supported; there are {', '.join(NAMES)}", pointer, "unknown_dimension")
    return found


def _period(value: Any, site: Site, now: datetime, include: Include) -> Period:
    pointer = "/date_range"
    if isinstance(value, str) and value in NAMED:
        return named_period(value, now, site.zone, is_trimmed=include.trim_relative_date_range)
    if not isinstance(value, list) or len(value) != 2 or not all(isinstance(item, str) for item in value):
        raise _error(f"must be one of {', '.join(NAMED)}, or two dates or times", pointer)
    try:
        period = _between(value[0], value[1], site)
    except (ValueError, OverflowError):
        raise _error("must hold two days like 2026-03-01, or two times with an offset", pointer) from None
    if period.start is None or period.end <= period.start:
        raise _error("must not end before it begins", pointer)
    if period.end - period.start > LONGEST_PERIOD:
        raise _error(f"may span {LONGEST_PERIOD.days} days", pointer)
    return period


def _between(first: str, last: str, site: Site) -> Period:
    if len(first) == 10 and len(last) == 10:
        return days_period(date.fromisoformat(first), date.fromisoformat(last), site.zone)
    start, end = datetime.fromisoformat(first), datetime.fromisoformat(last)
    if start.tzinfo is None or end.tzinfo is None:
        raise ValueError("a time needs its offset")
    return Period(start.astimezone(UTC), end.astimezone(UTC), site.zone)


def _include(value: Any) -> Include:
    if value is None:
        return Include()
    if not isinstance(value, dict):
        raise _error("must be an object", "/include")
    _known_keys(value, Include.__slots__, "/include")
    for key, wanted in value.items():
        if not isinstance(wanted, bool):
            raise _error("must be true or false", f"/include/{key}")
    return Include(**value)


def _pagination(value: Any) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise _error("must be an object", "/pagination")
    _known_keys(value, ("limit", "offset"), "/pagination")
    bounds = {"limit": (1, MAX_LIMIT), "offset": (0, MAX_OFFSET)}
    for key, number in value.items():
        least, most = bounds[key]
        if isinstance(number, bool) or not isinstance(number, int) or not least <= number <= most:
            raise _error(f"must be a whole number from {least} to {most}", f"/pagination/{key}")
    return dict(value)


def _conditions(value: Any, pointer: str, depth: int) -> list[Condition]:
    conditions = _list(value, pointer, MAX_CONDITIONS)
    return [_condition(item, f"{pointer}/{place}", depth) for place, item in enumerate(conditions)]


def _condition(value: Any, pointer: str, depth: int) -> Condition:
    if depth == 0:
        raise _error("nests too deeply", pointer)
    match value:
        case [("and" | "or") as connective, list(inner)] if inner:
            return Joined(Connective(connective), tuple(_conditions(inner, f"{pointer}/1", depth - 1)))
        case ["not", inner]:
            return Negated(_condition(inner, f"{pointer}/1", depth - 1))
        case [str(operator), name, list(clauses), *rest] if operator in set(Operator) and len(rest) <= 1:
            return _filter(Operator(operator), name, clauses, rest, pointer)
    known = ", ".join(Operator)
    raise _error(f"must be [operator, dimension, [texts]] with {known}, or and, or, not", pointer, "invalid_filter")


def _filter(operator: Operator, name: Any, clauses: list[Any], rest: list[Any], pointer: str) -> Filter:
    if _dimension(name, f"{pointer}/1").kind is Kind.TIME:
        raise _error("time cannot be filtered; use date_range", f"{pointer}/1", "invalid_filter")
    if not 1 <= len(clauses) <= MAX_CLAUSES:
        raise _error(f"must hold 1 to {MAX_CLAUSES} texts", f"{pointer}/2", "invalid_filter")
    for place, clause in enumerate(clauses):
        if not isinstance(clause, str) or len(clause) > MAX_CLAUSE:
            raise _error("must be a text", f"{pointer}/2/{place}", "invalid_filter")
    is_case_sensitive = True
    if rest:
        match rest[0]:
            case {"case_sensitive": bool(wanted), **others} if not others:
                is_case_sensitive = wanted
            case _:
                raise _error('must be {"case_sensitive": true or false}', f"{pointer}/3", "invalid_filter")
    return Filter(operator, name, tuple(clauses), is_case_sensitive)


def _check_together(query: Query) -> None:
    """Refuse what has no meaning together."""
    if query.include.time_labels and query.time_dimension is None:
        raise _error("needs a time dimension", "/include/time_labels")
    if "percentage" in query.metrics and not query.dimensions:
        raise _error("percentage needs a dimension", "/metrics")
    by_event = [name for name in query.dimensions if _dimension(name, "").kind is Kind.EVENT]
    for metric in query.metrics:
        if METRICS[metric].is_of_visits and any(name not in ("event:page", "event:hostname") for name in by_event):
            raise _error(f"{metric} describes visits and cannot be broken down by {by_event[0]}", "/metrics")


def _orders(value: Any, query: Query) -> tuple[Order, ...]:
    asked = _list(value, "/order_by", len(query.metrics) + len(query.dimensions))
    orders: list[Order] = []
    for place, item in enumerate(asked):
        match item:
            case [str(name), ("asc" | "desc") as way] if name in (*query.metrics, *query.dimensions):
                orders.append(Order(name, way == "desc"))
            case _:
                raise _error('must be [a requested metric or dimension, "asc" or "desc"]', f"/order_by/{place}")
    if orders:
        return tuple(orders)
    time = query.time_dimension
    default = [] if time is None else [Order(time, is_descending=False)]
    return (*default, Order(query.metrics[0], is_descending=True)) if query.dimensions else ()
