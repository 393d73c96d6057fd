"""Hide small cells from whoever reads in public: ten distinct visitors, or no number."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

from consent_service.events.store import Reader
from consent_service.stats.query import Condition, Filter, Joined, Negated, Operator, Query, QueryError
from consent_service.stats.runner import Result, ResultRow, run

SMALLEST: Final = 10
VISITORS: Final = "visitors"
# What was hidden must be more than one cell and more than ten visitors, or the total would tell it.
FEWEST_CELLS: Final = 2
MOST_DIMENSIONS: Final = 2
MOST_ROWS: Final = 10_000
_NAMED_ALONE: Final = "a public token asks for a named period in whole days; two stretches could be subtracted"


@dataclass(frozen=True, slots=True)
class PublicResult:
    """Hold an answer without its small cells."""

    result: Result
    hidden_rows: int

    def document(self) -> dict[str, Any]:
        """Give the answer, and what was done to it."""
        document = self.result.document()
        privacy = {"smallest_cell": SMALLEST, "unit": "visitors", "hidden_rows": self.hidden_rows}
        document["meta"] = {**document["meta"], "privacy": privacy}
        return document


def refuse_differencing(query: Query, asked_range: Any) -> None:
    """Refuse what would let a small cell be found by subtracting answers; raises QueryError."""
    if not isinstance(asked_range, str) or asked_range == "24h":
        raise QueryError("not_public", _NAMED_ALONE, "/date_range")
    if len(query.dimensions) > MOST_DIMENSIONS:
        raise QueryError("not_public", f"a public token breaks down by {MOST_DIMENSIONS} dimensions", "/dimensions")
    if "time:hour" in query.dimensions:
        raise QueryError("not_public", "a public token breaks down by days, not hours", "/dimensions")
    if any(_is_negated(condition) for condition in query.filters):
        raise QueryError("not_public", "a public token cannot filter by what something is not", "/filters")


def run_public(reader: Reader, query: Query) -> PublicResult:
    """Answer a query without the rows of fewer than ten visitors, and without those that would give them away."""
    metrics = query.metrics if VISITORS in query.metrics else (*query.metrics, VISITORS)
    whole = run(reader, replace(query, metrics=metrics, limit=MOST_ROWS, offset=0))
    place = metrics.index(VISITORS)
    shown = _without_small(whole.rows, place)
    page = shown[query.offset : query.offset + query.limit]
    rows = tuple(ResultRow(row.dimensions, row.metrics[: len(query.metrics)]) for row in page)
    total = None if whole.total_rows is None else len(shown)
    asked = replace(whole.query, metrics=query.metrics, limit=query.limit, offset=query.offset)
    result = replace(whole, query=asked, rows=rows, total_rows=total)
    return PublicResult(result, len(whole.rows) - len(shown))


def _without_small(rows: tuple[ResultRow, ...], place: int) -> list[ResultRow]:
    hidden = {index for index, row in enumerate(rows) if row.metrics[place] < SMALLEST}
    if hidden:
        others = sorted(
            (index for index in range(len(rows)) if index not in hidden), key=lambda i: rows[i].metrics[place]
        )
        while others and (len(hidden) < FEWEST_CELLS or sum(rows[i].metrics[place] for i in hidden) < SMALLEST):
            hidden.add(others.pop(0))
    return [row for index, row in enumerate(rows) if index not in hidden]


def _is_negated(condition: Condition) -> bool:
    match condition:
        case Negated():
            return True
        case Joined(conditions=inner):
            return any(_is_negated(one) for one in inner)
        case Filter(operator=operator):
            return operator in (Operator.IS_NOT, Operator.CONTAINS_NOT)
