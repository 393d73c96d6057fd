"""Turn a Query into one statement: each part of the data counted once, the parts put side by side.

Everything is SQLAlchemy Core; what engines spell differently is in events/dialect.py.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    FromClause,
    Integer,
    Select,
    and_,
    cast,
    func,
    literal,
    not_,
    null,
    or_,
    select,
    union_all,
)
from sqlalchemy.sql.elements import ColumnElement

from consent_service.events.dialect import first_by, has_part, last_by, local_bucket, lower_case, microseconds_between
from consent_service.events.schema import ENGAGEMENT, PAGEVIEW, event
from consent_service.stats import dimensions
from consent_service.stats.dimensions import Dimension, Kind
from consent_service.stats.metrics import METRICS, Metric, Part
from consent_service.stats.periods import unit_for
from consent_service.stats.query import (
    Condition,
    Connective,
    Filter,
    Joined,
    Negated,
    Operator,
    Query,
    Unit,
)

Expression = ColumnElement[Any]
_IS_PAGEVIEW: Final = event.c.name == PAGEVIEW


def statement(query: Query) -> Select[Any]:
    """Give the rows of a query: the dimensions in order, then the metrics, ordered and paginated."""
    rows = _grouped(query).subquery("rows")
    orders = []
    for order in query.order_by:
        column = rows.c[_label(query, order.name)]
        orders.append((column.desc() if order.is_descending else column.asc()).nulls_last())
    ordered = {order.name for order in query.order_by}
    orders += [rows.c[_label(query, name)].asc() for name in query.dimensions if name not in ordered]
    return select(*rows.c).order_by(*orders).limit(query.limit).offset(query.offset)


def total_statement(query: Query) -> Select[Any]:
    """Give the number of rows the query has on all its pages."""
    return select(func.count()).select_from(_grouped(query).subquery("rows"))


def first_event_statement(site_id: int) -> Select[Any]:
    """Give the time of the site's first event, NULL when it has none."""
    return select(func.min(event.c.occurred_at)).where(event.c.site_id == site_id)


def unit_of(query: Query, name: str) -> Unit:
    """Give the bucket length of a time dimension of the query."""
    unit = dimensions.get(name).unit
    return unit or unit_for(*_bounds(query))


@dataclass(frozen=True, slots=True)
class _Scope:
    """Hold what the parts of one query share: `match` tells whether a row counts."""

    query: Query
    ends: FromClause | None
    at: ColumnElement[datetime]

    @property
    def rows(self) -> FromClause:
        if self.ends is None:
            return event
        return event.join(self.ends, self.ends.c.visit_id == event.c.visit_id)

    @property
    def bounds(self) -> tuple[Expression, ...]:
        return _within(self.query, self.at)

    @property
    def match(self) -> Expression:
        conditions = (_expression(condition, self.value) for condition in self.query.filters)
        return and_(event.c.name != ENGAGEMENT, *conditions)

    def value(self, dimension: Dimension) -> Expression:
        """Give a row's value of a dimension."""
        if dimension.kind is Kind.TIME:
            return local_bucket(unit_of(self.query, dimension.name).value, self.at, self.query.period.zone)
        if dimension.kind is Kind.VISIT_END and self.ends is not None:
            return self.ends.c[dimension.column]
        return dimension.of_row()


def _grouped(query: Query) -> Select[Any]:
    """Give one row per combination of dimension values, with every metric."""
    names = dict.fromkeys(part for part in (_part(query, METRICS[name]) for name in query.metrics))
    parts = [_PARTS[part](query, [m for m in _metrics(query) if _part(query, m) is part]) for part in names]
    every = union_all(*(_padded(query, part) for part in parts)).subquery("parts")
    groups = [every.c[_label(query, name)] for name in query.dimensions]
    numbers = [_finished(query, METRICS[name], func.max(every.c[name])).label(name) for name in query.metrics]
    return select(*groups, *numbers).group_by(*groups)


def _padded(query: Query, part: FromClause) -> Select[Any]:
    """Give every part the same columns, so that they can be stacked."""
    names = [_label(query, name) for name in query.dimensions]
    groups = [part.c[name] for name in names]
    numbers = [part.c[name] if name in part.c else null().label(name) for name in query.metrics]
    return select(*groups, *numbers)


def _finished(query: Query, metric: Metric, number: Expression) -> Expression:
    if not metric.is_share:
        return number
    scope = _scope(query, event.c.occurred_at)
    everyone = select(metric.count(event.c)).select_from(scope.rows).where(*scope.bounds, scope.match)
    return number * literal(100.0) / func.nullif(everyone.scalar_subquery(), 0)


def _events_part(query: Query, metrics: Sequence[Metric]) -> FromClause:
    return _counted_rows(query, metrics, event.c.occurred_at)


def _reach_part(query: Query, metrics: Sequence[Metric]) -> FromClause:
    return _counted_rows(query, metrics, event.c.visit_started_at)


def _counted_rows(query: Query, metrics: Sequence[Metric], at: ColumnElement[datetime]) -> FromClause:
    scope = _scope(query, at)
    groups = [scope.value(dimensions.get(name)).label(_label(query, name)) for name in query.dimensions]
    numbers = [metric.count(event.c).label(metric.name) for metric in metrics]
    counted = select(*groups, *numbers).select_from(scope.rows).where(*scope.bounds, scope.match)
    return counted.group_by(*(group.element for group in groups)).subquery()


def _visits_part(query: Query, metrics: Sequence[Metric]) -> FromClause:
    """Count whole visits; by page, the visits that began on it."""
    scope = _scope(query, event.c.visit_started_at)
    is_by_page = any(dimensions.get(name).kind is Kind.EVENT for name in query.dimensions)
    groups = [_of_visit(scope, dimensions.get(name)).label(_label(query, name)) for name in query.dimensions]
    matched = cast(scope.match, Integer)
    began = first_by(matched, event.c.occurred_at).filter(_IS_PAGEVIEW)
    at = event.c.occurred_at
    visits = (
        select(
            event.c.visit_id,
            microseconds_between(func.min(at), func.max(at)).label("microseconds"),
            func.count().filter(_IS_PAGEVIEW).label("pageviews"),
            func.count().filter(event.c.name.not_in([PAGEVIEW, ENGAGEMENT])).label("others"),
            *groups,
        )
        .select_from(scope.rows)
        .where(*scope.bounds)
        .group_by(event.c.visit_id)
        .having((began if is_by_page else func.max(matched)) == 1)
        .subquery("visits")
    )
    kept = [visits.c[group.name] for group in groups]
    numbers = [metric.count(visits.c).label(metric.name) for metric in metrics]
    return select(*kept, *numbers).group_by(*kept).subquery()


_PARTS: Final[dict[Part, Callable[[Query, Sequence[Metric]], FromClause]]] = {
    Part.EVENTS: _events_part,
    Part.REACH: _reach_part,
    Part.VISITS: _visits_part,
}


def _of_visit(scope: _Scope, dimension: Dimension) -> Expression:
    """Give a visit's value of a dimension; of an event dimension, that of its first pageview."""
    if dimension.kind is Kind.TIME:
        return local_bucket(unit_of(scope.query, dimension.name).value, func.min(scope.at), scope.query.period.zone)
    if dimension.kind is Kind.EVENT:
        return first_by(scope.value(dimension), event.c.occurred_at).filter(_IS_PAGEVIEW)
    if dimension.kind is Kind.VISIT:
        # Where a policy was published in between, later rows may lack what the first one says.
        return first_by(scope.value(dimension), event.c.occurred_at)
    return func.min(scope.value(dimension))


def _scope(query: Query, at: ColumnElement[datetime]) -> _Scope:
    used = {*query.dimensions, *query.filtered_dimensions()}
    needs_ends = any(dimensions.get(name).kind is Kind.VISIT_END for name in used)
    return _Scope(query, _visit_ends(query, at) if needs_ends else None, at)


def _visit_ends(query: Query, at: ColumnElement[datetime]) -> FromClause:
    """Give the first and last page of every visit that has an event within the bounds."""
    every = event.alias()
    touched = select(event.c.visit_id).where(*_within(query, at))
    is_pageview = every.c.name == PAGEVIEW
    first = first_by(every.c.path, every.c.occurred_at).filter(is_pageview)
    last = last_by(every.c.path, every.c.occurred_at).filter(is_pageview)
    return (
        select(
            every.c.visit_id,
            func.coalesce(first, "").label("entry_page"),
            func.coalesce(last, "").label("exit_page"),
        )
        .where(every.c.site_id == query.site_id, every.c.visit_id.in_(touched))
        .group_by(every.c.visit_id)
        .subquery("ends")
    )


def _expression(condition: Condition, value: Callable[[Dimension], Expression]) -> Expression:
    match condition:
        case Joined(connective=connective, conditions=conditions):
            join = and_ if connective is Connective.AND else or_
            return join(*(_expression(inner, value) for inner in conditions))
        case Negated(condition=inner):
            return not_(_expression(inner, value))
        case Filter():
            return _comparison(condition, value)


def _comparison(asked: Filter, value: Callable[[Dimension], Expression]) -> Expression:
    dimension = dimensions.get(asked.dimension)
    column = value(dimension)
    texts: list[Expression] = [literal(clause) for clause in asked.clauses]
    if asked.operator in (Operator.IS, Operator.IS_NOT):
        texts = [literal(dimension.stored(clause)) for clause in asked.clauses]
    if not asked.is_case_sensitive:
        column, texts = lower_case(column), [lower_case(text) for text in texts]
    if asked.operator in (Operator.IS, Operator.IS_NOT):
        fits: Expression = column.in_(texts)
    else:
        fits = or_(*(has_part(column, text) for text in texts))
    return fits if asked.operator in (Operator.IS, Operator.CONTAINS) else not_(fits)


def _within(query: Query, at: ColumnElement[datetime]) -> tuple[Expression, ...]:
    start, end = _bounds(query)
    return event.c.site_id == query.site_id, at >= start, at < end


def _bounds(query: Query) -> tuple[datetime, datetime]:
    if query.period.start is None:
        raise ValueError("the period is not resolved")
    return query.period.start, query.period.end


def _part(query: Query, metric: Metric) -> Part:
    """Count visits whole where their rows could count them under two values, or where that saves a pass."""
    kinds = {dimensions.get(name).kind for name in query.dimensions}
    saves_pass = any(m.is_of_visits for m in _metrics(query))
    if metric.part is Part.REACH and Kind.EVENT not in kinds and (saves_pass or Kind.VISIT in kinds):
        return Part.VISITS
    return metric.part


def _metrics(query: Query) -> list[Metric]:
    return [METRICS[name] for name in query.metrics]


def _label(query: Query, name: str) -> str:
    """Name a column: metrics by their names, dimensions by their place."""
    return f"d{query.dimensions.index(name)}" if name in query.dimensions else name
