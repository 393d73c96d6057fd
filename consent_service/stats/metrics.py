"""Register every metric: from which part of the data it is counted, how, and how the number is shown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import ColumnElement, Double, cast, func
from sqlalchemy.sql.base import ReadOnlyColumnCollection

from consent_service.events.schema import PAGEVIEW

Columns = ReadOnlyColumnCollection[str, Any]
Number = int | float


class Part(StrEnum):
    """Name the rows a metric counts: events of the period, visits reached by events, or whole visits."""

    EVENTS = "events"
    REACH = "reach"
    VISITS = "visits"


@dataclass(frozen=True, slots=True)
class Metric:
    """Describe a metric; `count` makes the SQL expression over its part's columns, `show` the reported number.

    `is_of_visits`: it describes whole visits, so it cannot be broken down by single events.
    """

    name: str
    part: Part
    count: Callable[[Columns], ColumnElement[Any]]
    show: Callable[[Any], Number] = int
    is_of_visits: bool = False
    is_share: bool = False


def _tenths(value: float) -> float:
    return round(float(value), 1)


def _hundredths(value: float) -> float:
    return round(float(value), 2)


def _seconds(microseconds: float) -> int:
    return round(float(microseconds) / 1_000_000)


def _ratio(above: ColumnElement[Any], below: ColumnElement[Any]) -> ColumnElement[Any]:
    """Divide as floats, as exactly as Python divides whole numbers; of nothing it is NULL."""
    return cast(above, Double) / func.nullif(cast(below, Double), 0.0)


def _visits(visits: Columns) -> ColumnElement[Any]:
    return func.count(visits.visit_id.distinct())


def _visitors(events: Columns) -> ColumnElement[Any]:
    return func.count(events.visitor_id.distinct())


def _pageviews(events: Columns) -> ColumnElement[Any]:
    return func.count().filter(events.name == PAGEVIEW)


def _bounce_rate(visits: Columns) -> ColumnElement[Any]:
    bounces = func.count().filter(visits.pageviews == 1, visits.others == 0)
    return _ratio(bounces * 100, func.count())


_ALL: Final = [
    Metric("visitors", Part.EVENTS, _visitors),
    Metric("visits", Part.REACH, _visits),
    Metric("pageviews", Part.EVENTS, _pageviews),
    Metric("events", Part.EVENTS, lambda events: func.count()),
    Metric("bounce_rate", Part.VISITS, _bounce_rate, _tenths, is_of_visits=True),
    Metric(
        "visit_duration",
        Part.VISITS,
        lambda visits: _ratio(func.sum(visits.microseconds), func.count()),
        _seconds,
        is_of_visits=True,
    ),
    Metric(
        "views_per_visit",
        Part.VISITS,
        lambda visits: _ratio(func.sum(visits.pageviews), func.count()),
        _hundredths,
        is_of_visits=True,
    ),
    Metric("percentage", Part.EVENTS, _visitors, _tenths, is_share=True),
]
METRICS: Final[dict[str, Metric]] = {metric.name: metric for metric in _ALL}
