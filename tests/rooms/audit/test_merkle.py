"""The tree's arithmetic against an implementation of its own (pymerkle) and against forged proofs."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymerkle import InmemoryTree

from rooms.audit.merkle import (
    EMPTY_ROOT,
    Tree,
    consistency_proof,
    consistent,
    extended,
    includes,
    inclusion_proof,
    leaf_hash,
    node_hash,
    root,
    root_of_edge,
    subtree_of,
)

entries = st.lists(st.binary(max_size=40), min_size=1, max_size=70)


def test_the_empty_tree_and_the_vectors_of_the_rfc() -> None:
    """Roots of the first trees of Certificate Transparency's reference data."""
    assert root([]).hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert root([]) == EMPTY_ROOT
    data = [
        b"",
        b"\x00",
        b"\x10",
        b"\x20\x21",
        b"\x30\x31",
        b"\x40\x41\x42\x43",
        bytes(range(0x50, 0x58)),
        bytes(range(0x60, 0x70)),
    ]
    roots = {
        1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        3: "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    }
    for size, expected in roots.items():
        assert root(leaf_hash(entry) for entry in data[:size]).hex() == expected


@given(entries)
def test_roots_and_proofs_agree_with_pymerkle(data: list[bytes]) -> None:
    oracle = InmemoryTree(algorithm="sha256")
    for entry in data:
        oracle.append_entry(entry)
    leaves = [leaf_hash(entry) for entry in data]
    size = len(data)
    assert root(leaves) == oracle.get_root(size)
    subtree = subtree_of(leaves)
    for index in range(size):
        proof = inclusion_proof(index, size, subtree)
        theirs = oracle.prove_inclusion(index + 1, size).serialize()["path"]
        assert {step.hex() for step in proof} | {leaves[index].hex()} == set(theirs)
        assert includes(leaves[index], index, size, proof, oracle.get_root(size))
    for old in range(1, size + 1):
        proof = consistency_proof(old, size, subtree)
        assert consistent(old, size, oracle.get_root(old), oracle.get_root(size), proof)


@given(entries, st.data())
def test_an_edge_is_all_that_is_needed(data: list[bytes], draw: st.DataObject) -> None:
    cut = draw.draw(st.integers(0, len(data)))
    leaves = [leaf_hash(entry) for entry in data]
    before = Tree()
    for leaf in leaves[:cut]:
        before.append(leaf)
    size, edge = before.size, before.edge
    for leaf in leaves[cut:]:
        edge = extended(size, edge, leaf)
        size += 1
    assert root_of_edge(edge) == root(leaves)
    assert Tree(size, edge).root == root(leaves)


def test_an_edge_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError):
        Tree(3, (b"x",))


@given(entries, st.data())
def test_a_forged_inclusion_is_refused(data: list[bytes], draw: st.DataObject) -> None:
    leaves = [sha256(number.to_bytes(4, "big") + entry).digest() for number, entry in enumerate(data)]
    size = len(leaves)
    index = draw.draw(st.integers(0, size - 1))
    proof = inclusion_proof(index, size, subtree_of(leaves))
    good = root(leaves)
    assert not includes(sha256(b"other").digest(), index, size, proof, good)
    assert not includes(leaves[index], size, size, proof, good)
    assert not includes(leaves[index], -1, size, proof, good)
    assert not includes(leaves[index], index, size, [*proof, bytes(32)], good)
    if proof:
        assert not includes(leaves[index], index, size, proof[:-1], good)
        flipped = bytearray(proof[0])
        flipped[0] ^= 1
        assert not includes(leaves[index], index, size, [bytes(flipped), *proof[1:]], good)
    if size > 1:
        assert not includes(leaves[index], (index + 1) % size, size, proof, good)


@given(entries, st.data())
def test_a_forged_consistency_is_refused(data: list[bytes], draw: st.DataObject) -> None:
    leaves = [sha256(number.to_bytes(4, "big") + entry).digest() for number, entry in enumerate(data)]
    size = len(leaves)
    old = draw.draw(st.integers(1, size))
    proof = consistency_proof(old, size, subtree_of(leaves))
    before, after = root(leaves[:old]), root(leaves)
    assert consistent(old, size, before, after, proof)
    assert not consistent(old, size, bytes(32), after, proof)
    assert not consistent(old, size, before, bytes(32), proof)
    assert not consistent(old, size, before, after, [*proof, bytes(32)])
    assert not consistent(0, size, before, after, proof)
    if proof:
        assert not consistent(old, size, before, after, proof[:-1])


def test_a_node_cannot_pass_for_a_leaf() -> None:
    left, right = leaf_hash(b"a"), leaf_hash(b"b")
    assert leaf_hash(left + right) != node_hash(left, right)


def test_there_is_no_proof_outside_the_tree() -> None:
    for index, size in ((0, 0), (-1, 3), (3, 3)):
        with pytest.raises(ValueError):
            inclusion_proof(index, size, subtree_of([]))
    for old, new in ((0, 3), (4, 3)):
        with pytest.raises(ValueError):
            consistency_proof(old, new, subtree_of([]))
