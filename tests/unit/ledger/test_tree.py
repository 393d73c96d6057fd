"""The tree as RFC 9162 has it: the reference roots of Certificate Transparency, and thousands of random proofs."""

from __future__ import annotations

import random
from hashlib import sha256

import pytest

from consent_service.ledger.tree import (
    EMPTY_ROOT,
    Frontier,
    Nodes,
    consistency_proof,
    hash_leaf,
    hash_node,
    inclusion_proof,
    root_of,
    root_of_complete,
    tree_root,
    verify_consistency,
    verify_inclusion,
)

# The entries and roots that the reference implementation of Certificate Transparency is tested with.
ENTRIES = (
    "",
    "00",
    "10",
    "2021",
    "3031",
    "40414243",
    "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
)
ROOTS = (
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)


def nodes_of(leaves: list[bytes]) -> Nodes:
    """Give a tree's nodes, computed the slow way that needs no cleverness."""

    def node(height: int, index: int) -> bytes:
        if height == 0:
            return leaves[index]
        return hash_node(node(height - 1, index * 2), node(height - 1, index * 2 + 1))

    return node


def made(size: int) -> list[bytes]:
    return [hash_leaf(str(index).encode()) for index in range(size)]


def test_the_eight_reference_roots_match() -> None:
    leaves = [hash_leaf(bytes.fromhex(entry)) for entry in ENTRIES]
    assert [root_of(leaves[: size + 1]).hex() for size in range(8)] == list(ROOTS)
    assert [tree_root(size + 1, nodes_of(leaves)).hex() for size in range(8)] == list(ROOTS)


def test_the_empty_tree_has_the_hash_of_nothing() -> None:
    assert root_of([]) == EMPTY_ROOT == sha256(b"").digest() == tree_root(0, nodes_of([]))


def test_every_leaf_of_every_small_tree_is_proven_and_no_other() -> None:
    for size in range(1, 40):
        leaves = made(size)
        root, nodes = root_of(leaves), nodes_of(leaves)
        for index in range(size):
            proof = inclusion_proof(index, size, nodes)
            assert verify_inclusion(index, size, leaves[index], proof, root)
            for other in range(size):
                if other != index:
                    assert not verify_inclusion(other, size, leaves[index], proof, root)


def test_every_small_tree_is_the_beginning_of_every_larger_one() -> None:
    leaves = made(40)
    roots, nodes = [root_of(leaves[:size]) for size in range(41)], nodes_of(leaves)
    for old in range(41):
        for new in range(old, 41):
            assert verify_consistency(old, new, roots[old], roots[new], consistency_proof(old, new, nodes))


def test_thousands_of_random_proofs_verify_and_none_that_was_changed() -> None:
    chance = random.Random(7)
    leaves = made(5_000)
    nodes = nodes_of(leaves)
    roots: dict[int, bytes] = {}
    for _ in range(2_000):
        size = chance.randint(2, 5_000)
        root = roots.setdefault(size, tree_root(size, nodes))
        index = chance.randrange(size)
        proof = inclusion_proof(index, size, nodes)
        assert verify_inclusion(index, size, leaves[index], proof, root)
        assert not verify_inclusion(index, size, leaves[index], changed(proof, chance), root)
        assert not verify_inclusion(index, size, leaves[index], proof[:-1], root)
        assert not verify_inclusion(index, size, leaves[index], [*proof, root], root)


def test_a_history_that_was_rewritten_is_consistent_with_no_earlier_root() -> None:
    chance = random.Random(11)
    leaves = made(1_000)
    forged = list(leaves)
    forged[3] = hash_leaf(b"another choice")
    for _ in range(500):
        old = chance.randint(4, 999)
        new = chance.randint(old + 1, 1_000)
        true_root, false_root = root_of(leaves[:old]), root_of(forged[:new])
        for nodes in (nodes_of(leaves), nodes_of(forged)):
            assert not verify_consistency(old, new, true_root, false_root, consistency_proof(old, new, nodes))
        proof = consistency_proof(old, new, nodes_of(leaves))
        assert verify_consistency(old, new, true_root, root_of(leaves[:new]), proof)
        assert not verify_consistency(old, new, true_root, root_of(leaves[:new]), changed(proof, chance))


def test_a_frontier_that_is_taken_up_again_gives_the_same_root() -> None:
    leaves = made(77)
    first = Frontier()
    for leaf in leaves[:50]:
        first.append(leaf)
    second = Frontier(first.size, first._hashes)
    for leaf in leaves[50:]:
        second.append(leaf)
    assert second.root() == root_of(leaves)
    with pytest.raises(ValueError, match="complete subtrees"):
        Frontier(3, [leaves[0]])


@pytest.mark.parametrize(("index", "size"), [(-1, 3), (3, 3), (0, 0)])
def test_a_leaf_that_is_not_there_has_no_proof(index: int, size: int) -> None:
    with pytest.raises(ValueError, match="no leaf"):
        inclusion_proof(index, size, nodes_of(made(4)))
    assert not verify_inclusion(index, size, hash_leaf(b""), [], root_of(made(4)))


def changed(proof: list[bytes], chance: random.Random) -> list[bytes]:
    at, byte = chance.randrange(len(proof)), chance.randrange(32)
    hashes = [bytearray(item) for item in proof]
    hashes[at][byte] ^= 1 << chance.randrange(8)
    return [bytes(item) for item in hashes]


def test_the_quick_way_to_a_complete_subtree_gives_its_root() -> None:
    for height in range(9):
        leaves = made(1 << height)
        assert root_of_complete(b"".join(leaves)) == root_of(leaves)
