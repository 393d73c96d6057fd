"""Hide small cells from whoever reads in public: ten distinct visitors, or no number."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from consent_service.days import day_start
from consent_service.events.store import Reader
from consent_service.sites.access import SMALLEST_CELL
from consent_service.stats import dimensions, sql
from consent_service.stats.dimensions import Kind
from consent_service.stats.folding import Cell, Line, fold, fold_crossed, small_cells
from consent_service.stats.metrics import METRICS
from consent_service.stats.periods import DAYS_BACK
from consent_service.stats.query import Condition, Filter, Operator, Order, Period, Query, QueryError, Unit
from consent_service.stats.runner import Result, ResultRow, run

# Nested ones differ by three weeks or more; `day` is a part of none of the others.
PERIODS: Final = ("day", "7d", "28d", "91d", "12mo")
# The one period that is broken down by days or by two dimensions: what two such answers differ by are small cells.
DETAILED: Final = "28d"
VISITORS: Final = "visitors"
_OTHERS: Final = "\0"
# What is beyond so many cells is not looked at, and nothing is shown that could tell of it.
MOST_CELLS: Final = 100_000


@dataclass(frozen=True, slots=True)
class PublicResult:
    """Hold an answer without its small cells."""

    result: Result
    hidden_rows: int

    def document(self) -> dict[str, Any]:
        """Give the answer, and what was done to it."""
        document = self.result.document()
        privacy = {"smallest_cell": SMALLEST_CELL, "unit": VISITORS, "hidden_rows": self.hidden_rows}
        document["meta"] = {**document["meta"], "privacy": privacy}
        return document


def refuse_differencing(query: Query, asked_range: Any) -> None:
    """Refuse what would let a small cell be found by subtracting answers; raises QueryError."""
    if asked_range not in PERIODS:
        raise _refused(f"asks for one of {', '.join(PERIODS)}; stretches close to each other subtract", "/date_range")
    for index, condition in enumerate(query.filters):
        if not _is_one_value(condition):
            raise _refused('filters by one value, ["is", dimension, [value]]', f"/filters/{index}")
    if len(query.filtered_dimensions()) < len(query.filters):
        raise _refused("filters once by each dimension", "/filters")
    most = 2 if asked_range == DETAILED else 1
    if len(_names(query)) > most:
        raise _refused(f"uses {most} dimensions at most in {asked_range}, those of filters included", "/dimensions")
    time = query.time_dimension
    if time is not None and not (asked_range == DETAILED and _names(query) == (time,) and _is_daily(query, time)):
        raise _refused(f"breaks time down by time:day alone, in {DETAILED}", "/dimensions")
    if any(dimensions.get(name).kind is Kind.EVENT for name in query.dimensions):
        for index, name in enumerate(query.metrics):
            if METRICS[name].is_of_visits:
                # Of a page that many saw, it would tell of the few whose visit began there.
                raise _refused(f"asks for {name} by visit:entry_page", f"/metrics/{index}")


def run_public(reader: Reader, query: Query, now: datetime) -> PublicResult:
    """Answer a query without the cells of fewer than ten visitors, and without those that would give them away.

    Whether a cell is shown does not depend on how it is asked for: as a row, or by filters.
    """
    whole = run(reader, replace(query, limit=MOST_CELLS, offset=0))
    names, fixed = _names(query), _filtered_values(query)
    shown = _shown_cells(reader, whole.query, names, now)
    if any(METRICS[name].is_share for name in query.metrics):
        # A share and its row tell the whole that it is a share of.
        totals = _shown_cells(reader, whole.query, tuple(sorted(fixed)), now)
        shown = shown if tuple(fixed[name] for name in sorted(fixed)) in totals else set()
    rows: list[ResultRow] = []
    for row in whole.rows:
        values = {**fixed, **dict(zip(query.dimensions, row.dimensions, strict=True))}
        if tuple(values[name] for name in names) in shown:
            rows.append(row)
    page = tuple(rows[query.offset : query.offset + query.limit])
    total = None if whole.total_rows is None else len(rows)
    asked = replace(whole.query, limit=query.limit, offset=query.offset)
    return PublicResult(replace(whole, query=asked, rows=page, total_rows=total), len(whole.rows) - len(rows))


def inner_starts(period: Period, now: datetime, repeats: int = 1) -> list[date]:
    """Give the days on which shorter periods of PERIODS begin within a longer one.

    What lies before such a day is what the two differ by. With 2 `repeats`, so do the periods each is compared with.
    """
    place = ZoneInfo(period.zone)
    if period.start is None:
        raise ValueError("the period is not resolved")
    first, end = period.start.astimezone(place).date(), period.end.astimezone(place).date()
    today = now.astimezone(place).date()
    lengths = {DAYS_BACK[name] * times for name in PERIODS if name in DAYS_BACK for times in range(1, repeats + 1)}
    return sorted(day for length in lengths if first < (day := today - timedelta(days=length)) < end)


def _shown_cells(reader: Reader, query: Query, names: tuple[str, ...], now: datetime) -> set[Cell]:
    """Give the cells of a breakdown of the query's period that are large enough and tell of no other."""
    if len(names) > 1:
        return _shown_crossed(reader, query, names, now)
    starts, zone = inner_starts(query.period, now), ZoneInfo(query.period.zone)
    visitors = _count(reader, query, names, query.period)
    if query.time_dimension in names:
        firsts = [start.isoformat() for start in starts]
        lines = [visitors, *({cell: n for cell, n in visitors.items() if cell[0] >= first} for first in firsts)]
        lines += [{cell: n for cell, n in visitors.items() if cell[0] < first} for first in firsts]
    else:
        # What a period has more than a shorter one is a cell of its own.
        stretches = [replace(query.period, end=day_start(start, zone)) for start in starts]
        lines = [visitors, *(_count(reader, query, names, stretch) for stretch in stretches)]
    return visitors.keys() - fold(lines, set().union(*(_may_be_small(line, visitors) for line in lines)))


def _may_be_small(line: Line, visitors: Line) -> set[Cell]:
    """Give the small cells of a line; where it is cut off, its last ones and what it lacks of `visitors` as well."""
    small = small_cells(line)
    if len(line) >= MOST_CELLS:
        least = min(line.values())
        small |= {cell for cell, count in line.items() if count == least} | (visitors.keys() - line.keys())
    return small


def _shown_crossed(reader: Reader, query: Query, names: tuple[str, ...], now: datetime) -> set[Cell]:
    """Give the shown cells of two dimensions; values that a dimension alone does not show are one value."""
    alone = [_shown_cells(reader, query, (name,), now) for name in names]
    visitors = _count(reader, query, names, query.period)
    if len(visitors) >= MOST_CELLS:
        return set()
    table: Counter[Cell] = Counter()
    for cell, count in visitors.items():
        table[tuple(value if (value,) in shown else _OTHERS for value, shown in zip(cell, alone, strict=True))] += count
    return (visitors.keys() & table.keys()) - fold_crossed(table)


def _count(reader: Reader, query: Query, names: tuple[str, ...], period: Period) -> dict[Cell, int]:
    """Count the visitors of every cell, without the query's filters."""
    order = (Order(VISITORS, True),)
    every = Query(query.site_id, query.asked_site, (VISITORS,), period, names, order_by=order, limit=MOST_CELLS)
    return {row.dimensions: int(row.metrics[0]) for row in run(reader, every).rows}


def _names(query: Query) -> tuple[str, ...]:
    """Name all dimensions whose values tell the query's cells apart, always in the same order."""
    return tuple(sorted({*query.dimensions, *query.filtered_dimensions()}))


def _filtered_values(query: Query) -> dict[str, str]:
    """Give the value each filter asks for, in the word a report shows for it."""
    found: dict[str, str] = {}
    for condition in query.filters:
        if isinstance(condition, Filter):
            dimension = dimensions.get(condition.dimension)
            found[dimension.name] = dimension.shown(dimension.stored(condition.clauses[0]))
    return found


def _is_one_value(condition: Condition) -> bool:
    match condition:
        case Filter(operator=Operator.IS, clauses=[_], is_case_sensitive=True):
            return True
    return False


def _is_daily(query: Query, name: str) -> bool:
    return sql.unit_of(query, name) is Unit.DAY


def _refused(message: str, pointer: str) -> QueryError:
    return QueryError(f"a public token {message}", pointer)
