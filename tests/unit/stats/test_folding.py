"""What is hidden of a table beside its small cells, so that its sums do not tell them."""

import random
import time
from collections import defaultdict

from hypothesis import assume, given
from hypothesis import strategies as st

from consent_service.stats.folding import Cell, fold, fold_crossed, small_cells
from tests.unit.stats.sums import Span, Vector

Table = dict[Cell, int]


def one(**visitors: int) -> Table:
    """Write a table of one dimension."""
    return {(name,): count for name, count in visitors.items()}


def crossed(rows: dict[str, dict[str, int]]) -> Table:
    """Write a table of two dimensions, without its empty cells."""
    return {(row, column): count for row, cells in rows.items() for column, count in cells.items() if count}


def folded(*lines: Table) -> set[str]:
    """Fold tables of one dimension."""
    small = set().union(*map(small_cells, lines))
    return {cell[0] for cell in fold(lines, small)}


def test_a_small_cell_is_hidden_with_the_next_larger_ones_until_ten_visitors_are_hidden() -> None:
    assert folded(one(a=100, b=10, c=9)) == {"b", "c"}
    assert folded(one(a=100, b=20, c=3, d=4)) == {"b", "c", "d"}
    assert folded(one(a=100, b=20, c=6, d=4)) == {"c", "d"}
    assert folded(one(a=100, b=10)) == set()
    assert folded(one(a=3)) == {"a"}


def test_what_is_hidden_in_one_sum_is_covered_in_every_other_it_is_part_of() -> None:
    whole, recent = one(a=3, b=12, c=15, d=20), one(b=12, d=20)
    # b covers a in the whole; alone in the recent ones it would be what these lack, and then tell a.
    assert folded(whole, recent) == {"a", "b", "d"}


def test_a_cell_on_which_rows_and_columns_agree_is_covered_too() -> None:
    # Two hidden in every row and column, and yet (m, v) is what the first two rows lack of the first two columns.
    table = crossed(
        {
            "k": {"t": 4, "u": 20, "v": 90, "w": 90, "x": 90},
            "l": {"t": 20, "u": 4, "v": 90, "w": 90, "x": 90},
            "m": {"t": 20, "u": 90, "v": 4, "w": 90, "x": 90},
            "n": {"t": 90, "u": 90, "v": 90, "w": 4, "x": 20},
            "o": {"t": 90, "u": 90, "v": 20, "w": 20, "x": 4},
        }
    )
    assert determined(table, fold_crossed(table)) == set()


def test_a_table_of_thousands_of_small_cells_is_folded_within_seconds() -> None:
    chance = random.Random(7)
    places = [f"c{number}" for number in range(80)]
    table = crossed({f"p{row}": {place: chance.choice([1, 4, 9, 12, 90]) for place in places} for row in range(100)})
    began = time.process_time()
    hidden = fold_crossed(table)
    took = time.process_time() - began
    assert len(hidden) > 4_000
    assert small_cells(table) <= hidden < table.keys()
    # Looking from each hidden cell through all others takes minutes.
    assert took < 10


def determined(table: Table, hidden: set[Cell]) -> set[Cell]:
    """Give the small cells that the shown cells and the sums of rows and columns tell, and these sums alone do not."""
    numbers = {cell: number for number, cell in enumerate(table)}
    sums: dict[tuple[int, str], Vector] = defaultdict(dict)
    for cell, number in numbers.items():
        for place in (0, 1):
            sums[place, cell[place]][number] = 1
    edges, known = Span(), Span()
    for vector in sums.values():
        edges.add(vector)
        known.add(vector)
    for cell in table.keys() - hidden:
        known.add({numbers[cell]: 1})
    small = {cell: {numbers[cell]: 1} for cell in small_cells(table)}
    return {cell for cell, vector in small.items() if known.holds(vector) and not edges.holds(vector)}


counts = st.sampled_from([0, 0, 1, 3, 9, 10, 12, 25, 90])


@given(st.lists(st.lists(counts, min_size=5, max_size=5), min_size=2, max_size=5))
def test_no_small_cell_follows_from_what_is_shown_of_a_table(rows: list[list[int]]) -> None:
    assume(all(sum(row) >= 10 for row in rows) and all(sum(column) >= 10 for column in zip(*rows, strict=True)))
    table = crossed({str(row): {f"c{at}": count for at, count in enumerate(cells)} for row, cells in enumerate(rows)})
    hidden = fold_crossed(table)
    assert small_cells(table) <= hidden
    assert determined(table, hidden) == set()
