"""Choose which cells of a breakdown are hidden, so that no sum that is shown tells a hidden one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from consent_service.sites.access import SMALLEST_CELL

# What is hidden of one sum must be more than one cell and ten visitors or more, or the sum would tell it.
FEWEST_CELLS: Final = 2

Cell = tuple[str, ...]
# The visitors of cells that add up to something that is shown elsewhere.
Line = Mapping[Cell, int]
# A row or a column of a table of two dimensions: 0 or 1, and its value.
Point = tuple[int, str]


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
    crossed: dict[Point, dict[Cell, int]] = defaultdict(dict)
    for cell, visitors in table.items():
        for place in (0, 1):
            crossed[place, cell[place]][cell] = visitors
    lines, small = list(crossed.values()), small_cells(table)
    hidden = fold(lines, small)
    more = 1
    while small & _bridges(hidden):
        visible = sorted(table.keys() - hidden, key=lambda cell: (table[cell], cell))
        if not visible:
            break
        # One more at first, which is enough for most tables; then twice as many each time, so that large ones end soon.
        hidden = fold(lines, {*hidden, *visible[:more]})
        more *= 2
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

    With rows and columns as points and hidden cells as edges, a cell can have another value only on a cycle; those on
    none are found in one walk (Tarjan, 1974).
    """
    edges: dict[Point, list[Cell]] = defaultdict(list)
    for cell in sorted(hidden):
        for place in (0, 1):
            edges[place, cell[place]].append(cell)
    seen_at: dict[Point, int] = {}
    found: set[Cell] = set()
    for start in edges:
        if start not in seen_at:
            found |= _bridges_from(start, edges, seen_at)
    return found


def _bridges_from(start: Point, edges: Mapping[Point, Sequence[Cell]], seen_at: dict[Point, int]) -> set[Cell]:
    """Walk what can be reached from a point, numbering points as they are seen."""
    found: set[Cell] = set()
    seen_at[start] = len(seen_at)
    # Of each point, the earliest that is reached from it and what follows it without the cell it was come to by.
    earliest = {start: seen_at[start]}
    path: list[tuple[Point, Cell, Iterator[Cell]]] = [(start, (), iter(edges[start]))]
    while path:
        point, came_by, rest = path[-1]
        cell = next(rest, None)
        if cell is None:
            path.pop()
            if earliest[point] == seen_at[point]:
                found.add(came_by)
            if path:
                before = path[-1][0]
                earliest[before] = min(earliest[before], earliest[point])
        elif cell != came_by:
            other = (1 - point[0], cell[1 - point[0]])
            if other in seen_at:
                earliest[point] = min(earliest[point], seen_at[other])
            else:
                earliest[other] = seen_at[other] = len(seen_at)
                path.append((other, cell, iter(edges[other])))
    return found - {()}
