"""Define the one question a report can ask, as a value."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any


class QueryError(Exception):
    """Refuse a query; `pointer` (RFC 6901) is the place in the request that is wrong."""

    def __init__(self, message: str, pointer: str) -> None:
        super().__init__(f"{pointer or '/'}: {message}")
        self.message = message
        self.pointer = pointer


class Operator(StrEnum):
    """Name how a filter compares."""

    IS = "is"
    IS_NOT = "is_not"
    CONTAINS = "contains"
    CONTAINS_NOT = "contains_not"


class Connective(StrEnum):
    """Name how conditions are joined."""

    AND = "and"
    OR = "or"


class Unit(StrEnum):
    """Name the length of a time bucket."""

    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class Filter:
    """Compare a dimension with texts; one that fits is enough (for the negative operators: none may fit)."""

    operator: Operator
    dimension: str
    clauses: tuple[str, ...]
    is_case_sensitive: bool = True

    def document(self) -> list[Any]:
        """Give the filter in the shape it was asked in."""
        asked: list[Any] = [self.operator.value, self.dimension, list(self.clauses)]
        return asked if self.is_case_sensitive else [*asked, {"case_sensitive": False}]


@dataclass(frozen=True, slots=True)
class Joined:
    """Ask for all of some conditions, or for any of them."""

    connective: Connective
    conditions: tuple[Condition, ...]

    def document(self) -> list[Any]:
        """Give the condition in the shape it was asked in."""
        return [self.connective.value, [condition.document() for condition in self.conditions]]


@dataclass(frozen=True, slots=True)
class Negated:
    """Ask for the opposite of a condition."""

    condition: Condition

    def document(self) -> list[Any]:
        """Give the condition in the shape it was asked in."""
        return ["not", self.condition.document()]


Condition = Filter | Joined | Negated


@dataclass(frozen=True, slots=True)
class Period:
    """Hold a stretch of time as aware UTC: `start` belongs to it, `end` does not.

    `start` is None until the runner has looked up the site's first event (`date_range: "all"`).
    """

    start: datetime | None
    end: datetime
    zone: str


@dataclass(frozen=True, slots=True)
class Order:
    """Order by a requested metric or dimension."""

    name: str
    is_descending: bool

    def document(self) -> list[str]:
        """Give the order in the shape it was asked in."""
        return [self.name, "desc" if self.is_descending else "asc"]


@dataclass(frozen=True, slots=True)
class Site:
    """Hold what a query needs to know of its site: the internal id and the time zone of its days."""

    site_id: int
    zone: str


@dataclass(frozen=True, slots=True)
class Include:
    """Say what is added to the answer."""

    time_labels: bool = False
    total_rows: bool = False
    imports: bool = False
    trim_relative_date_range: bool = False

    def document(self) -> dict[str, bool]:
        """Give the members that were asked for."""
        return {name: True for name in self.__slots__ if getattr(self, name)}


@dataclass(frozen=True, slots=True)
class Query:
    """Hold a checked question: aggregate, breakdown and timeseries are the same with other dimensions."""

    site_id: int
    asked_site: str
    metrics: tuple[str, ...]
    period: Period
    dimensions: tuple[str, ...] = ()
    filters: tuple[Condition, ...] = ()
    order_by: tuple[Order, ...] = ()
    include: Include = Include()
    limit: int = 10_000
    offset: int = 0

    @property
    def time_dimension(self) -> str | None:
        """Give the dimension that buckets time, if there is one."""
        return next((name for name in self.dimensions if name == "time" or name.startswith("time:")), None)

    def filtered_dimensions(self) -> frozenset[str]:
        """Give every dimension some filter looks at."""
        return frozenset(_dimensions(self.filters))


def _dimensions(conditions: tuple[Condition, ...]) -> list[str]:
    found: list[str] = []
    for condition in conditions:
        match condition:
            case Filter(dimension=dimension):
                found.append(dimension)
            case Joined(conditions=inner):
                found += _dimensions(inner)
            case Negated(condition=one):
                found += _dimensions((one,))
    return found
