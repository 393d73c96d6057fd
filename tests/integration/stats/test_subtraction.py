"""No small cell follows from public answers, however they are added and subtracted."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Final

import pytest

from consent_service.events.duckdb import DuckDBStore
from consent_service.events.schema import Batch, EventRow
from consent_service.stats.parse import parse_query
from consent_service.stats.privacy import refuse_differencing, run_public
from consent_service.stats.query import Site
from tests.integration.reading import StoreReader
from tests.unit.events.made import make_row
from tests.unit.stats.sums import Span, Vector

DAY: Final = "time:day"
PLACES: Final = ("visit:country", "visit:device")
DAYS: Final = {"day": (0, 0), "7d": (7, 1), "28d": (28, 1), "91d": (91, 1)}
# The second is where 28 days are a whole month, the third where 91 days are three, the last where 7 days are the month
# up to now, which the 12 months lack.
TODAYS: Final = (date(2026, 3, 11), date(2026, 3, 1), date(2026, 7, 1), date(2026, 3, 8))

# A day, a country and a device: what one visitor counts in.
Atom = tuple[date, str, str]
Cells = dict[tuple[str, ...], Vector]


@dataclass(frozen=True)
class Table:
    """One public question: a period of whole days and what it is broken down by."""

    period: str
    first: date
    last: date
    names: tuple[str, ...]

    def cells(self, atoms: dict[Atom, int]) -> Cells:
        """Give each cell as the sum of atoms it is."""
        found: Cells = defaultdict(dict)
        for (day, *places), number in atoms.items():
            if self.first <= day <= self.last:
                values = {**dict(zip(PLACES, places, strict=True)), DAY: f"{day}"}
                found[tuple(values[name] for name in self.names)][number] = 1
        return found


def tables(today: date) -> list[Table]:
    """Give all that a public token may ask, the periods worked out by plain arithmetic."""
    periods = {name: (today - timedelta(back), today - timedelta(until)) for name, (back, until) in DAYS.items()}
    periods["12mo"] = today.replace(year=today.year - 1, day=1), today.replace(day=1) - timedelta(1)
    plain: list[tuple[str, ...]] = [(), *((place,) for place in PLACES)]
    return [
        Table(name, first, last, names)
        for name, (first, last) in periods.items()
        for names in (*plain, *((PLACES, (DAY,)) if name == "28d" else ()))
    ]


def differences(asked: list[Table]) -> list[Table]:
    """Give what periods leave of the longer ones they are a part of."""
    plain = [table for table in asked if DAY not in table.names]
    return [
        replace(outer, period=f"{outer.period} - {inner.period}", last=inner.first - timedelta(1))
        for outer in plain
        for inner in plain
        if outer.names == inner.names and outer.last == inner.last and outer.first < inner.first
    ]


def made_rows(seed: int, today: date) -> list[EventRow]:
    """Give one pageview each of visitors of common and rare countries and devices, on busy and on quiet days."""
    chance, rows = random.Random(seed), list[EventRow]()
    for back in range(100):
        at = datetime.combine(today - timedelta(days=back), time(10), UTC)
        for _ in range(chance.choice([0, 3, 9, 12, 40, 120, 200])):
            rows.append(
                make_row(
                    visitor_id=len(rows) + 1,
                    occurred_at=at,
                    received_at=at,
                    country=chance.choices(["FR", "DE", "CH", "AT"], [60, 30, 3, 0.5])[0],
                    device=chance.choices(["Mobile", "Desktop", "Tablet"], [50, 45, 1])[0],
                )
            )
    return rows


class Answers:
    """Give what public tokens are shown of some rows at noon of a day."""

    def __init__(self, path: Path, rows: list[EventRow], today: date) -> None:
        self.now = datetime.combine(today, time(12), UTC)
        self.store = DuckDBStore(path, threads=1)
        self.store.apply(Batch(rows), self.now)

    def shown(self, table: Table) -> dict[tuple[str, ...], int]:
        """Ask as a public token does."""
        asked = {"site_id": "news.example", "metrics": ["visits"], "date_range": table.period}
        query = parse_query({**asked, "dimensions": list(table.names)}, Site(1, "UTC"), self.now)
        refuse_differencing(query, table.period)
        answer = run_public(StoreReader(self.store), query, self.now).result
        return {row.dimensions: int(row.metrics[0]) for row in answer.rows}


@pytest.fixture(params=[(seed, today) for today in TODAYS for seed in (5, 6)], ids=str)
def made(request: pytest.FixtureRequest) -> tuple[date, list[EventRow]]:
    """Give a day, and the rows of the hundred days up to it."""
    seed, today = request.param
    return today, made_rows(seed, today)


@pytest.fixture
def answers(made: tuple[date, list[EventRow]], tmp_path: Path) -> Iterator[Answers]:
    """Give the answers to public tokens on that day."""
    found = Answers(tmp_path / "events.duckdb", made[1], made[0])
    yield found
    found.store.close()


def test_no_small_cell_is_a_sum_of_shown_ones(answers: Answers, made: tuple[date, list[EventRow]]) -> None:
    today, rows = made
    counts: dict[Atom, int] = defaultdict(int)
    for row in rows:
        counts[row.occurred_at.date(), row.country, row.device] += 1
    atoms = {atom: number for number, atom in enumerate(sorted(counts))}
    visitors = {number: counts[atom] for atom, number in atoms.items()}
    known, shown_count, asked = Span(), 0, tables(today)
    for table in asked:
        shown, cells = answers.shown(table), table.cells(atoms)
        for cell, count in shown.items():
            assert count == sum(visitors[number] for number in cells[cell]) >= 10
            known.add(cells[cell])
            shown_count += 1
    small = {
        f"{table.period} {table.names} {cell}": vector
        for table in (*asked, *differences(asked))
        for cell, vector in table.cells(atoms).items()
        if sum(visitors[number] for number in vector) < 10
    }
    assert shown_count > 20
    assert small
    assert [name for name, vector in small.items() if known.holds(vector)] == []
