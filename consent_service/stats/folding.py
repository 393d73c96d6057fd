"""Choose which cells of a breakdown are hidden, so that no sum that is shown tells a hidden one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final

from consent_service.sites.access import SMALLEST_CELL

# What is hidden of one sum must be more than one cell and ten visitors or more, or the sum would tell it.
FEWEST_CELLS: Final = 2

Cell = tuple[str, ...]
# The visitors of cells that add up to something that is shown elsewhere.
Line = Mapping[Cell, int]


def small_cells(line: Line) -> set[Cell]:
    """Give the cells of fewer than ten visitors."""
    return {cell for cell, visitors in line.items() if visitors < SMALLEST_CELL}


def fold(lines: Sequence[Line], small: set[Cell]) -> set[Cell]:
    """Give every cell to hide: the small ones, and as many of the next larger in each line as cover them."""
    hidden = set(small)
    is_changed = True
    # Covering one line may open another, so all are looked at until nothing is added.
    while is_changed:
        is_changed = False
        for line in lines:
            more = _cover(line, hidden)
            is_changed = is_changed or bool(more)
            hidden |= more
    return hidden


def fold_crossed(table: Line) -> set[Cell]:
    """Give every cell to hide of a table of two dimensions, whose rows and columns add up to what is shown."""
    crossed: dict[tuple[int, str], dict[Cell, int]] = defaultdict(dict)
    for cell, visitors in table.items():
        for place in (0, 1):
            crossed[place, cell[place]][cell] = visitors
    lines, small = list(crossed.values()), small_cells(table)
    hidden = fold(lines, small)
    while small & _bridges(hidden):
        visible = sorted(table.keys() - hidden, key=lambda cell: (table[cell], cell))
        if not visible:
            break
        hidden = fold(lines, {*hidden, visible[0]})
    return hidden


def _cover(line: Line, hidden: set[Cell]) -> set[Cell]:
    """Give the cells of a line that must be hidden beside those that are."""
    inside = [cell for cell in line if cell in hidden]
    if not inside:
        return set()
    count, total = len(inside), sum(line[cell] for cell in inside)
    more: set[Cell] = set()
    for cell in sorted((cell for cell in line if cell not in hidden), key=lambda cell: (line[cell], cell)):
        if count >= FEWEST_CELLS and total >= SMALLEST_CELL:
            break
        more.add(cell)
        count, total = count + 1, total + line[cell]
    return more


def _bridges(hidden: set[Cell]) -> set[Cell]:
    """Give the hidden cells that rows and columns tell although each of these hides two or more.

    With rows and columns as points and hidden cells as edges, a cell can have another value only on a cycle.
    """
    edges: dict[tuple[int, str], list[Cell]] = defaultdict(list)
    for cell in hidden:
        for place in (0, 1):
            edges[place, cell[place]].append(cell)
    found: set[Cell] = set()
    for cell in hidden:
        reached, waiting = {(0, cell[0])}, [(0, cell[0])]
        while waiting:
            for other in edges[waiting.pop()]:
                for point in ((0, other[0]), (1, other[1])):
                    if other != cell and point not in reached:
                        reached.add(point)
                        waiting.append(point)
        if (1, cell[1]) not in reached:
            found.add(cell)
    return found
