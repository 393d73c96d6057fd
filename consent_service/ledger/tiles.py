"""Keep the tree's nodes as tiles of 256 hashes (C2SP tlog-tiles), and read proofs from a handful of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, Select, and_, bindparam, or_, select

from consent_service.db.ledger_tables import ledger_tile
from consent_service.db.raw import raw
from consent_service.db.upsert import upsert
from consent_service.ledger.tree import HASH_BYTES, Nodes, complete_subtrees, fold, root_of, root_of_complete, tree_root

T = TypeVar("T")

TILE_HEIGHT: Final = 8
TILE_WIDTH: Final = 1 << TILE_HEIGHT
FULL: Final = TILE_WIDTH * HASH_BYTES

Place = tuple[int, int]
"""A tile's level and index."""


class TileMissing(LookupError):
    """Tell that a tile of the log is not there, or is shorter than the log needs."""


def levels_of(size: int) -> Iterator[tuple[int, int]]:
    """Give each level of a log's tiles with the number of hashes in it."""
    level = 0
    while level == 0 or size >> (TILE_HEIGHT * level):
        yield level, size >> (TILE_HEIGHT * level)
        level += 1


def compute(connection: Connection, work: Callable[[Nodes], T]) -> T:
    """Give what `work` makes of the tree's nodes, read in one statement; raises TileMissing.

    `work` is called twice: first to learn which nodes it wants, then with their hashes.
    """
    wanted: set[Place] = set()

    def note(height: int, index: int) -> bytes:
        level, first = height // TILE_HEIGHT, index << (height % TILE_HEIGHT)
        wanted.add((level, first // TILE_WIDTH))
        return bytes(HASH_BYTES)

    work(note)
    tiles = read_tiles(connection, wanted)

    def find(height: int, index: int) -> bytes:
        level, within = divmod(height, TILE_HEIGHT)
        place, offset = divmod(index << within, TILE_WIDTH)
        hashes = tiles.get((level, place), b"")[offset * HASH_BYTES : (offset + (1 << within)) * HASH_BYTES]
        if len(hashes) != HASH_BYTES << within:
            raise TileMissing(f"tile {place} of level {level} is missing or too short")
        return root_of_complete(hashes)

    return work(find)


def root_at(connection: Connection, size: int) -> bytes:
    """Give the root over the first `size` leaves; raises TileMissing."""
    return compute(connection, lambda nodes: tree_root(size, nodes))


def read_tiles(connection: Connection, places: Iterable[Place]) -> dict[Place, bytes]:
    """Read tiles by level and index; those that are not there are left out."""
    by_level: dict[int, list[int]] = {}
    for place in sorted(places):
        by_level.setdefault(place[0], []).append(place[1])
    if not by_level:
        return {}
    rows = connection.execute(_select_of(tuple(by_level)), {f"of_{level}": some for level, some in by_level.items()})
    return {(row.level, row.tile_index): row.hashes for row in rows}


@cache
def _select_of(levels: tuple[int, ...]) -> Select[Any]:
    """Select tiles of some levels; made once, for that takes longer than running it.

    Level by level: for pairs in a list of pairs SQLite reads the whole table.
    """
    level, index = ledger_tile.c.level, ledger_tile.c.tile_index
    wanted = [and_(level == each, index.in_(bindparam(f"of_{each}", expanding=True))) for each in levels]
    return select(level, index, raw(ledger_tile.c.hashes)).where(or_(*wanted))


def split(hashes: bytes) -> list[bytes]:
    """Give the hashes that lie side by side in a tile."""
    return [hashes[at : at + HASH_BYTES] for at in range(0, len(hashes), HASH_BYTES)]


class Edge:
    """Grow the log at its right edge: holds the tile that is being filled on each level."""

    def __init__(self, size: int, tails: list[bytes]) -> None:
        self.size = size
        self._tails = [bytearray(tail) for tail in tails]
        self._counts = [count for _, count in levels_of(size)]
        self._changed: dict[Place, bytes] = {}

    @classmethod
    def load(cls, connection: Connection, size: int) -> Edge:
        """Read the edge of a log of a size; raises TileMissing when it is not all there."""
        levels = list(levels_of(size))
        places = [(level, count // TILE_WIDTH) for level, count in levels if count % TILE_WIDTH]
        tiles = read_tiles(connection, places)
        tails: list[bytes] = []
        for level, count in levels:
            width = count % TILE_WIDTH * HASH_BYTES
            tail = tiles.get((level, count // TILE_WIDTH), b"")[:width] if width else b""
            if len(tail) != width:
                raise TileMissing(f"tile {count // TILE_WIDTH} of level {level} is missing or too short")
            tails.append(tail)
        return cls(size, tails)

    @classmethod
    def empty(cls) -> Edge:
        """Begin a log."""
        return cls(0, [b""])

    def append(self, leaf: bytes) -> None:
        """Add the next leaf's hash."""
        self.size += 1
        self._append(0, leaf)

    def root(self) -> bytes:
        """Give the root over all leaves so far."""
        hashes: list[bytes] = []
        for tail in reversed(self._tails):
            nodes = split(bytes(tail))
            hashes += [
                root_of(nodes[index << height : (index + 1) << height])
                for height, index in complete_subtrees(0, len(nodes))
            ]
        return fold(hashes)

    def save(self, connection: Connection) -> None:
        """Write the tiles that changed."""
        for (level, index), hashes in self.take_changed(with_tails=True).items():
            values = {"level": level, "tile_index": index, "width": len(hashes) // HASH_BYTES, "hashes": hashes}
            upsert(connection, ledger_tile, values)

    def take_changed(self, *, with_tails: bool) -> dict[Place, bytes]:
        """Give the tiles that were filled since this was asked last, and those that are not full yet if wanted."""
        changed, self._changed = self._changed, {}
        if with_tails:
            for level, tail in enumerate(self._tails):
                if tail:
                    changed[(level, self._counts[level] // TILE_WIDTH)] = bytes(tail)
        return changed

    def _append(self, level: int, node: bytes) -> None:
        if level == len(self._tails):
            self._tails.append(bytearray())
            self._counts.append(0)
        tail = self._tails[level]
        tail += node
        self._counts[level] += 1
        if len(tail) == FULL:
            full = bytes(tail)
            self._changed[(level, self._counts[level] // TILE_WIDTH - 1)] = full
            tail.clear()
            self._append(level + 1, root_of_complete(full))
