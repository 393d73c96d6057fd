"""Compute the log's Merkle tree as RFC 9162 defines it: roots, proofs, and the checks of proofs. Pure.

A node of height `h` and index `i` is the root of the complete subtree over the leaves `i << h` to `(i + 1) << h`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256
from typing import Final

HASH_BYTES: Final = 32
EMPTY_ROOT: Final = sha256().digest()

Nodes = Callable[[int, int], bytes]
"""Gives the hash of the complete subtree of a height and index."""


def hash_leaf(entry: bytes) -> bytes:
    """Hash one entry of the log (RFC 9162, 2.1.1)."""
    return sha256(b"\x00" + entry).digest()


def hash_node(left: bytes, right: bytes) -> bytes:
    """Hash two neighbouring subtrees into the one above them."""
    return sha256(b"\x01" + left + right).digest()


def root_of(leaves: Iterable[bytes]) -> bytes:
    """Give the root over leaf hashes; keeps only one hash a height while it reads."""
    frontier = Frontier()
    for leaf in leaves:
        frontier.append(leaf)
    return frontier.root()


def root_of_complete(leaves: bytes) -> bytes:
    """Give the root over the hashes of a complete subtree, side by side in one text: as `root_of`, in half the time."""
    while len(leaves) > HASH_BYTES:
        pairs = range(0, len(leaves), 2 * HASH_BYTES)
        leaves = b"".join([sha256(b"\x01" + leaves[at : at + 2 * HASH_BYTES]).digest() for at in pairs])
    return leaves


class Frontier:
    """Grow a tree leaf by leaf, holding only the roots of its complete subtrees, the largest first."""

    def __init__(self, size: int = 0, hashes: Sequence[bytes] = ()) -> None:
        if len(hashes) != size.bit_count():
            raise ValueError(f"a tree of {size} leaves has {size.bit_count()} complete subtrees, not {len(hashes)}")
        self.size = size
        self._hashes = list(hashes)

    def append(self, leaf: bytes) -> None:
        """Add the next leaf's hash."""
        size, node = self.size, leaf
        while size & 1:
            node = hash_node(self._hashes.pop(), node)
            size >>= 1
        self._hashes.append(node)
        self.size += 1

    def root(self) -> bytes:
        """Give the root over all leaves so far."""
        return fold(self._hashes)


def complete_subtrees(start: int, end: int) -> list[tuple[int, int]]:
    """Give height and index of the complete subtrees that a range of leaves consists of, from left to right.

    `start` is the first leaf of a subtree of the tree over `end` leaves, as all ranges of proofs are.
    """
    found: list[tuple[int, int]] = []
    while start < end:
        height = (end - start).bit_length() - 1
        found.append((height, start >> height))
        start += 1 << height
    return found


def tree_root(size: int, nodes: Nodes) -> bytes:
    """Give the root of the tree over the first `size` leaves."""
    return _range_root(0, size, nodes)


def inclusion_proof(index: int, size: int, nodes: Nodes) -> list[bytes]:
    """Prove that the leaf of an index is in the tree of a size (RFC 9162, 2.1.3.1), nearest hash first."""
    if not 0 <= index < size:
        raise ValueError(f"a tree of {size} leaves has no leaf {index}")
    return [_range_root(start, end, nodes) for start, end in _beside(index, size)]


def consistency_proof(old: int, new: int, nodes: Nodes) -> list[bytes]:
    """Prove that the tree of the old size is the beginning of that of the new one (RFC 9162, 2.1.4.1)."""
    if not 0 <= old <= new:
        raise ValueError(f"a tree of {old} leaves cannot have grown to one of {new}")
    if old in (0, new):
        return []
    start, end, is_whole = 0, new, True
    ranges: list[tuple[int, int]] = []
    while end != old:
        middle = start + _split(end - start)
        if old <= middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((start, middle))
            start, is_whole = middle, False
    if not is_whole:
        ranges.append((start, end))
    return [_range_root(first, last, nodes) for first, last in reversed(ranges)]


def root_from_inclusion(index: int, size: int, leaf: bytes, proof: Sequence[bytes]) -> bytes | None:
    """Give the root that an inclusion proof leads to (RFC 9162, 2.1.3.2); None when it has not the right length."""
    if not 0 <= index < size:
        return None
    node, last, root = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            return None
        if node & 1 or node == last:
            root = hash_node(sibling, root)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            root = hash_node(root, sibling)
        node, last = node >> 1, last >> 1
    return root if last == 0 else None


def verify_inclusion(index: int, size: int, leaf: bytes, proof: Sequence[bytes], root: bytes) -> bool:
    """Tell whether a proof shows that a leaf hash is at an index of the tree with a root."""
    return root_from_inclusion(index, size, leaf, proof) == root


def verify_consistency(old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> bool:
    """Tell whether a proof shows that an old tree is the beginning of a new one (RFC 9162, 2.1.4.2)."""
    if not 0 <= old <= new:
        return False
    if old == new:
        return not proof and old_root == new_root
    if old == 0:
        return not proof and old_root == EMPTY_ROOT
    path = [old_root, *proof] if old & (old - 1) == 0 else list(proof)
    if not path:
        return False
    node, last = old - 1, new - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    first, second = path[0], path[0]
    for sibling in path[1:]:
        if last == 0:
            return False
        if node & 1 or node == last:
            first, second = hash_node(sibling, first), hash_node(sibling, second)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            second = hash_node(second, sibling)
        node, last = node >> 1, last >> 1
    return last == 0 and first == old_root and second == new_root


def _split(size: int) -> int:
    """Give the largest power of two below a size."""
    return 1 << ((size - 1).bit_length() - 1)


def _beside(index: int, size: int) -> list[tuple[int, int]]:
    start, end = 0, size
    ranges: list[tuple[int, int]] = []
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((start, middle))
            start = middle
    return ranges[::-1]


def _range_root(start: int, end: int, nodes: Nodes) -> bytes:
    return fold([nodes(height, index) for height, index in complete_subtrees(start, end)])


def fold(hashes: Sequence[bytes]) -> bytes:
    """Give the root over complete subtrees that get smaller from left to right."""
    if not hashes:
        return EMPTY_ROOT
    root = hashes[-1]
    for left in reversed(hashes[:-1]):
        root = hash_node(left, root)
    return root
