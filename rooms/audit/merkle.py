"""Merkle tree arithmetic of RFC 6962, section 2.1 (the same as RFC 9162): hashes in, hashes out.

A leaf's hash is ``SHA-256(0x00 ‖ bytes)``, a node's ``SHA-256(0x01 ‖ left ‖ right)``. The *edge* of a tree of n leaves is the
tuple of the roots of its perfect subtrees, largest first: one for each bit of n. It is all that is needed to append.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256

Edge = tuple[bytes, ...]
EMPTY_ROOT = sha256(b"").digest()


def leaf_hash(entry: bytes) -> bytes:
    """Hash of an entry, RFC 6962 2.1."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash of two subtrees, RFC 6962 2.1."""
    return sha256(b"\x01" + left + right).digest()


def extended(size: int, edge: Edge, leaf: bytes) -> Edge:
    """The edge after one more leaf hash, where the tree had `size` leaves."""
    subtrees = list(edge)
    while size & 1:
        leaf = node_hash(subtrees.pop(), leaf)
        size >>= 1
    subtrees.append(leaf)
    return tuple(subtrees)


def root_of_edge(edge: Edge) -> bytes:
    """The root of the tree with this edge; the hash of nothing for the empty tree."""
    if not edge:
        return EMPTY_ROOT
    root = edge[-1]
    for subtree in reversed(edge[:-1]):
        root = node_hash(subtree, root)
    return root


class Tree:
    """A growing tree that keeps only its edge: root of any number of leaves in O(log n) memory."""

    def __init__(self, size: int = 0, edge: Edge = ()) -> None:
        if len(edge) != size.bit_count():
            raise ValueError("the edge does not fit the size")
        self.size = size
        self._edge = list(edge)

    def append(self, leaf: bytes) -> None:
        """Add a leaf hash."""
        size, edge = self.size, self._edge
        while size & 1:
            leaf = sha256(b"\x01" + edge.pop() + leaf).digest()
            size >>= 1
        edge.append(leaf)
        self.size += 1

    @property
    def edge(self) -> Edge:
        return tuple(self._edge)

    @property
    def root(self) -> bytes:
        return root_of_edge(self.edge)


Subtree = Callable[[int, int], bytes]
"""Root of the leaves [start, end)."""


def root(leaves: Iterable[bytes]) -> bytes:
    """The root over leaf hashes."""
    tree = Tree()
    for leaf in leaves:
        tree.append(leaf)
    return tree.root


def subtree_of(leaves: Sequence[bytes]) -> Subtree:
    """Roots of ranges of leaf hashes held in memory."""
    return lambda start, end: root(leaves[start:end])


def _split(size: int) -> int:
    """The largest power of two below `size`."""
    return 1 << ((size - 1).bit_length() - 1)


def inclusion_proof(index: int, size: int, subtree: Subtree) -> list[bytes]:
    """The audit path of leaf `index` in the tree of `size` leaves, RFC 6962 2.1.1. ValueError outside the tree."""
    if not 0 <= index < size:
        raise ValueError("no such leaf in the tree")
    start, end = 0, size
    path: list[bytes] = []
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(subtree(middle, end))
            end = middle
        else:
            path.append(subtree(start, middle))
            start = middle
    return path[::-1]


def consistency_proof(old: int, new: int, subtree: Subtree) -> list[bytes]:
    """The proof that the tree of `old` leaves is a prefix of that of `new`, RFC 6962 2.1.2. ValueError unless 0 < old ≤ new."""
    if not 0 < old <= new:
        raise ValueError("consistency is between a tree and a later one")
    start, end, whole = 0, new, True
    path: list[bytes] = []
    while old != end:
        middle = start + _split(end - start)
        if old <= middle:
            path.append(subtree(middle, end))
            end = middle
        else:
            path.append(subtree(start, middle))
            start, whole = middle, False
    if not whole:
        path.append(subtree(start, end))
    return path[::-1]


def includes(leaf: bytes, index: int, size: int, proof: Sequence[bytes], expected_root: bytes) -> bool:
    """Whether the proof shows the leaf hash at `index` of the tree with that root, RFC 9162 2.1.3.2."""
    if not 0 <= index < size:
        return False
    position, last, found = index, size - 1, leaf
    for step in proof:
        if last == 0:
            return False
        if position & 1 or position == last:
            found = node_hash(step, found)
            while not position & 1 and position:
                position >>= 1
                last >>= 1
        else:
            found = node_hash(found, step)
        position >>= 1
        last >>= 1
    return last == 0 and found == expected_root


def consistent(old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether the proof shows the old tree as a prefix of the new one, RFC 9162 2.1.4.2."""
    if not 0 < old <= new:
        return False
    if old == new:
        return not proof and old_root == new_root
    steps = list(proof)
    if old & (old - 1) == 0:
        steps.insert(0, old_root)
    if not steps:
        return False
    position, last = old - 1, new - 1
    while position & 1:
        position >>= 1
        last >>= 1
    found_old = found_new = steps[0]
    for step in steps[1:]:
        if last == 0:
            return False
        if position & 1 or position == last:
            found_old, found_new = node_hash(step, found_old), node_hash(step, found_new)
            while not position & 1 and position:
                position >>= 1
                last >>= 1
        else:
            found_new = node_hash(found_new, step)
        position >>= 1
        last >>= 1
    return last == 0 and found_old == old_root and found_new == new_root
