"""The Merkle tree of a ledger: hashes, proofs and their verification. Pure: values in, values out.

Follows RFC 9162, section 2.1 (SHA-256; the same trees as RFC 6962). Vectors: transparency-dev-merkle, golang-x-mod.

* A leaf is hashed under 0x00 and a node under 0x01, so that no entry can pass for a node.
* ``verify_…`` raises ``BadProof``. A bad proof blames the proof, not yet the ledger.
* A proof of more than 63 hashes is refused unread (C2SP tlog-witness).
* Not here: old size 0 (anything extends an empty tree, tlog-witness asks for an empty proof) and who signed the roots.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256

from watchword.errors import WatchwordError
from watchword.limits import PROOF_HASHES_MAX, TREE_SIZE_MAX

HASH_BYTES = 32
EMPTY_ROOT = sha256(b"").digest()

HashAt = Callable[[int, int], bytes]
"""``(level, index)`` to the root of the *complete* subtree over leaves ``[index << level, (index + 1) << level)``."""


class BadProof(WatchwordError):
    """A Merkle proof that is malformed or does not lead to the stated root."""


def leaf_hash(entry: bytes) -> bytes:
    """The hash of one log entry (RFC 9162, 2.1.1): 32 bytes."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node over two 32-byte hashes (RFC 9162, 2.1.1)."""
    return sha256(b"\x01" + left + right).digest()


def root_of(leaf_hashes: Sequence[bytes]) -> bytes:
    """The root over *leaf_hashes* (32 bytes each); ``EMPTY_ROOT`` for none."""
    if not leaf_hashes:
        return EMPTY_ROOT
    row = list(leaf_hashes)
    while len(row) > 1:
        parents = [sha256(b"\x01" + row[i] + row[i + 1]).digest() for i in range(0, len(row) - 1, 2)]
        if len(row) % 2:
            # An odd last node rises unhashed: this is what splitting at the largest power of two amounts to.
            parents.append(row[-1])
        row = parents
    return row[0]


class Frontier:
    """The right edge of a growing tree: roots of its complete subtrees, largest first, one per set bit of ``size``.

    Appending costs two hashes on average and the root at most 63; nothing else of the tree is kept.
    """

    def __init__(self, size: int = 0, peaks: Iterable[bytes] = ()) -> None:
        self.size = size
        self._peaks = list(peaks)
        if not 0 <= size <= TREE_SIZE_MAX or len(self._peaks) != size.bit_count():
            raise ValueError(f"a tree of size {size} has {size.bit_count()} peaks, not {len(self._peaks)}")

    def append(self, leaf: bytes) -> None:
        """Add one leaf hash (32 bytes) on the right."""
        size, peaks = self.size, self._peaks
        while size & 1:
            leaf = sha256(b"\x01" + peaks.pop() + leaf).digest()
            size >>= 1
        peaks.append(leaf)
        self.size += 1

    def root(self) -> bytes:
        """The root at the present size."""
        if not self._peaks:
            return EMPTY_ROOT
        root = self._peaks[-1]
        for peak in reversed(self._peaks[:-1]):
            root = node_hash(peak, root)
        return root

    def grown(self, tail: Sequence[bytes]) -> HashAt:
        """The complete subtrees, as far as they are known, of this tree with the leaf hashes *tail* after it.

        Enough for every proof between sizes from this one on. The function raises KeyError elsewhere.
        """
        start, known = self.size, dict(zip(peaks_of(self.size), self._peaks, strict=True))

        def at(level: int, index: int) -> bytes:
            first, end = index << level, (index + 1) << level
            if first >= start:
                return root_of(tail[first - start : end - start])
            if end <= start:
                return known[level, index]
            return node_hash(at(level - 1, 2 * index), at(level - 1, 2 * index + 1))

        return at

    def copy(self) -> Frontier:
        """An independent frontier at the same size."""
        return Frontier(self.size, self._peaks)

    def to_bytes(self) -> bytes:
        """``u64 size || peaks``, big-endian; read back by ``from_bytes``."""
        return struct.pack(">Q", self.size) + b"".join(self._peaks)

    @classmethod
    def from_bytes(cls, data: bytes) -> Frontier:
        """Read what ``to_bytes`` wrote. Raises ValueError for anything else."""
        if len(data) < 8 or (len(data) - 8) % HASH_BYTES:
            raise ValueError(f"a frontier is 8 bytes and whole hashes, not {len(data)} bytes")
        peaks = [data[i : i + HASH_BYTES] for i in range(8, len(data), HASH_BYTES)]
        return cls(int.from_bytes(data[:8], "big"), peaks)


def peaks_of(size: int) -> list[tuple[int, int]]:
    """``(level, index)`` of the complete subtrees that make up a tree of *size*, largest first."""
    peaks = []
    start = 0
    for level in range(size.bit_length() - 1, -1, -1):
        if size >> level & 1:
            peaks.append((level, start >> level))
            start += 1 << level
    return peaks


def frontier_at(hash_at: HashAt, size: int) -> Frontier:
    """The frontier of a stored tree at *size* leaves."""
    return Frontier(size, [hash_at(level, index) for level, index in peaks_of(size)])


def inclusion_path(hash_at: HashAt, index: int, size: int) -> list[bytes]:
    """The proof that leaf *index* is in the tree of *size* leaves, leaf to root (RFC 9162, 2.1.3.1).

    Raises:
        ValueError: *index* is not below *size*.
    """
    if not 0 <= index < size:
        raise ValueError(f"no leaf {index} in a tree of size {size}")
    start, end = 0, size
    path = []
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(_range_root(hash_at, middle, end))
            end = middle
        else:
            path.append(_range_root(hash_at, start, middle))
            start = middle
    path.reverse()
    return path


def consistency_path(hash_at: HashAt, old: int, new: int) -> list[bytes]:
    """The proof that the tree of *new* leaves extends the one of *old* (RFC 9162, 2.1.4.1).

    Empty for ``old == new`` and, as tlog-witness wants it, for ``old == 0``.

    Raises:
        ValueError: *old* is larger than *new*.
    """
    if not 0 <= old <= new:
        raise ValueError(f"a tree of size {new} cannot extend one of size {old}")
    if old == 0:
        return []
    start, end = 0, new
    path = []
    while end != old:
        middle = start + _split(end - start)
        if old <= middle:
            path.append(_range_root(hash_at, middle, end))
            end = middle
        else:
            path.append(_range_root(hash_at, start, middle))
            start = middle
    if start > 0:
        # The verifier knows the old root itself, but not this part of it.
        path.append(_range_root(hash_at, start, end))
    path.reverse()
    return path


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """Check that *leaf* is at *index* in the tree of *size* leaves with *root* (RFC 9162, 2.1.3.2).

    Args:
        leaf: the leaf *hash*, 32 bytes.
        proof: hashes of 32 bytes, leaf to root, 0 to 63.

    Raises:
        BadProof: malformed, or does not lead to *root*.
    """
    _check_shape(proof)
    if not 0 <= index < size <= TREE_SIZE_MAX:
        raise BadProof(f"inclusion proof for leaf {index} in a tree of size {size}: no such leaf")
    if len(leaf) != HASH_BYTES:
        raise BadProof(f"inclusion proof for leaf {index}: leaf hash has {len(leaf)} bytes, not {HASH_BYTES}")
    node, last = index, size - 1
    computed = leaf
    for step in proof:
        if last == 0:
            raise BadProof(f"inclusion proof for leaf {index} in a tree of size {size} is too long")
        if node & 1 or node == last:
            computed = node_hash(step, computed)
            while node & 1 == 0 and node:
                node, last = node >> 1, last >> 1
        else:
            computed = node_hash(computed, step)
        node, last = node >> 1, last >> 1
    if last != 0:
        raise BadProof(f"inclusion proof for leaf {index} in a tree of size {size} is too short")
    if computed != root:
        raise BadProof(f"inclusion proof for leaf {index} does not lead to the root at size {size}")


def verify_consistency(old: int, old_root: bytes, new: int, new_root: bytes, proof: Sequence[bytes]) -> None:
    """Check that the tree (*new*, *new_root*) extends (*old*, *old_root*) (RFC 9162, 2.1.4.2).

    Args:
        old, new: sizes in leaves, 0 < old <= new. Old size 0 proves nothing and is refused here.
        proof: hashes of 32 bytes, 0 to 63.

    Raises:
        BadProof: malformed, or does not lead to both roots. Equal sizes need equal roots and an empty proof.
    """
    _check_shape(proof)
    if not 0 < old <= new <= TREE_SIZE_MAX:
        raise BadProof(f"consistency proof from size {old} to {new}: sizes are out of order")
    if old == new:
        if proof or old_root != new_root:
            raise BadProof(f"consistency proof at size {old}: equal sizes need equal roots and an empty proof")
        return
    if not proof:
        raise BadProof(f"consistency proof from size {old} to {new} is empty")
    # An old tree that is one complete subtree is its own first hash (step 2 of the RFC).
    hashes = [old_root, *proof] if old & (old - 1) == 0 else list(proof)
    node, last = old - 1, new - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    old_computed = new_computed = hashes[0]
    for step in hashes[1:]:
        if last == 0:
            raise BadProof(f"consistency proof from size {old} to {new} is too long")
        if node & 1 or node == last:
            old_computed, new_computed = node_hash(step, old_computed), node_hash(step, new_computed)
            while node & 1 == 0 and node:
                node, last = node >> 1, last >> 1
        else:
            new_computed = node_hash(new_computed, step)
        node, last = node >> 1, last >> 1
    if last != 0:
        raise BadProof(f"consistency proof from size {old} to {new} is too short")
    if old_computed != old_root:
        raise BadProof(f"consistency proof does not lead to the old root at size {old}")
    if new_computed != new_root:
        raise BadProof(f"consistency proof does not lead to the new root at size {new}")


def _check_shape(proof: Sequence[bytes]) -> None:
    if len(proof) > PROOF_HASHES_MAX:
        raise BadProof(f"proof has {len(proof)} hashes, the limit is {PROOF_HASHES_MAX}")
    for position, step in enumerate(proof):
        if len(step) != HASH_BYTES:
            raise BadProof(f"proof hash {position} has {len(step)} bytes, not {HASH_BYTES}")


def _split(width: int) -> int:
    """The largest power of two below *width* (> 1): where RFC 9162 parts a tree."""
    return 1 << (width - 1).bit_length() - 1


def _range_root(hash_at: HashAt, start: int, end: int) -> bytes:
    """The root over leaves [start, end), *start* a multiple of the power of two at or above the width."""
    width = end - start
    if width & (width - 1) == 0:
        level = width.bit_length() - 1
        return hash_at(level, start >> level)
    frontier = Frontier(width, [hash_at(level, (start >> level) + index) for level, index in peaks_of(width)])
    return frontier.root()
