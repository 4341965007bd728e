"""The tree: others' proofs, and every proof of small trees."""

from __future__ import annotations

import base64
import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watchword.ledger.merkle import (
    EMPTY_ROOT,
    BadProof,
    Frontier,
    consistency_path,
    frontier_at,
    inclusion_path,
    leaf_hash,
    node_hash,
    root_of,
    verify_consistency,
    verify_inclusion,
)


def tree(count: int):
    """Leaf hashes of *count* entries, and their complete subtrees computed the plain way."""
    leaves = [leaf_hash(b"entry %d" % i) for i in range(count)]

    def at(level: int, index: int) -> bytes:
        assert (index + 1) << level <= count, "asked for a subtree that is not complete"
        return root_by_the_book(leaves[index << level : (index + 1) << level])

    return leaves, at


def root_by_the_book(leaves: list[bytes]) -> bytes:
    """MTH as RFC 9162, 2.1.1 defines it: recursive, slow, independent of the code under test."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return hashlib.sha256(b"\x01" + root_by_the_book(leaves[:k]) + root_by_the_book(leaves[k:])).digest()


def proof_of(case):
    return [base64.b64decode(step) for step in case["proof"] or []]


def test_others_inclusion_proofs_are_judged_as_they_say(vector) -> None:
    """98 proofs of transparency-dev-merkle: 6 verify, 92 are refused."""
    refused = 0
    for case in vector("transparency-dev-merkle/inclusion.json"):
        leaf, root = base64.b64decode(case["leafHash"]), base64.b64decode(case["root"])
        try:
            verify_inclusion(leaf, case["leafIdx"], case["treeSize"], proof_of(case), root)
        except BadProof:
            refused += 1
            assert case["wantErr"], case["file"]
        else:
            assert not case["wantErr"], case["file"]
    assert refused == 92


def test_others_consistency_proofs_are_judged_as_they_say(vector) -> None:
    """98 proofs of transparency-dev-merkle: 6 verify, 92 are refused, size 0 among them."""
    refused = 0
    for case in vector("transparency-dev-merkle/consistency.json"):
        old, new = base64.b64decode(case["root1"]), base64.b64decode(case["root2"])
        try:
            verify_consistency(case["size1"], old, case["size2"], new, proof_of(case))
        except BadProof:
            refused += 1
            assert case["wantErr"], case["file"]
        else:
            assert not case["wantErr"], case["file"]
    assert refused == 92


def test_hashes_are_those_of_the_checksum_database(vector) -> None:
    """The record hash and the empty root of golang-x-mod."""
    known = vector("golang-x-mod/tlog.json")
    record = known["record_hash"]
    assert leaf_hash(record["record"].encode()) == base64.b64decode(record["hash"])
    assert bytes.fromhex(known["empty_tree_root_hex"]) == EMPTY_ROOT


def test_every_proof_of_every_small_tree_verifies() -> None:
    """Sizes 0 to 40: roots, frontiers, inclusion of every leaf and consistency from every older size."""
    for size in range(41):
        leaves, at = tree(size)
        root = root_by_the_book(leaves)
        frontier = Frontier()
        for leaf in leaves:
            frontier.append(leaf)
        assert root_of(leaves) == frontier.root() == frontier_at(at, size).root() == root
        for index in range(size):
            verify_inclusion(leaves[index], index, size, inclusion_path(at, index, size), root)
        for old in range(1, size + 1):
            verify_consistency(old, root_by_the_book(leaves[:old]), size, root, consistency_path(at, old, size))
        assert consistency_path(at, 0, size) == []


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_changed_proof_is_refused(data: st.DataObject) -> None:
    """Any change of a proof, an index, a size or a root is refused. Fails if the comparison with a root is removed."""
    size = data.draw(st.integers(2, 70))
    leaves, at = tree(size)
    root = root_of(leaves)
    index = data.draw(st.integers(0, size - 1))
    proof = inclusion_path(at, index, size)
    spoilt = list(proof)
    place = data.draw(st.integers(0, len(proof) - 1))
    how = data.draw(st.sampled_from(["flip", "drop", "repeat", "swap index", "shrink"]))
    if how == "flip":
        bit = data.draw(st.integers(0, 255))
        changed = int.from_bytes(spoilt[place], "big") ^ 1 << bit
        spoilt[place] = changed.to_bytes(32, "big")
    elif how == "drop":
        del spoilt[place]
    elif how == "repeat":
        spoilt.insert(place, spoilt[place])
    elif how == "swap index":
        with pytest.raises(BadProof):
            verify_inclusion(leaves[index], index ^ 1, size, proof, root)
        return
    else:
        spoilt[place] = spoilt[place][:31]
    with pytest.raises(BadProof):
        verify_inclusion(leaves[index], index, size, spoilt, root)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_rewritten_history_has_no_consistency_proof(data: st.DataObject) -> None:
    """A tree in which one old leaf was changed cannot be shown to extend the old one, by its own honest proof."""
    size = data.draw(st.integers(2, 70))
    old = data.draw(st.integers(1, size))
    leaves, _ = tree(size)
    forged = list(leaves)
    forged[data.draw(st.integers(0, old - 1))] = leaf_hash(b"rewritten")

    def at(level: int, index: int) -> bytes:
        return root_by_the_book(forged[index << level : (index + 1) << level])

    with pytest.raises(BadProof):
        verify_consistency(old, root_of(leaves[:old]), size, root_of(forged), consistency_path(at, old, size))


@pytest.mark.parametrize(
    "call",
    [
        lambda: verify_inclusion(b"x" * 32, 0, 1, [b"x" * 32] * 64, b"x" * 32),
        lambda: verify_inclusion(b"x" * 32, 0, 2**64, [b"x" * 32] * 63, b"x" * 32),
        lambda: verify_inclusion(b"x" * 31, 0, 1, [], b"x" * 31),
        lambda: verify_inclusion(b"x" * 32, -1, 1, [], b"x" * 32),
        lambda: verify_consistency(1, b"x" * 32, 2, b"x" * 32, [b"x" * 32] * 64),
        lambda: verify_consistency(3, b"x" * 32, 2, b"x" * 32, []),
    ],
    ids=["64 hashes", "size past the limit", "short leaf", "negative index", "64 hashes, consistency", "shrinking"],
)
def test_a_proof_out_of_bounds_is_refused_unread(call) -> None:
    """Bounds are checked before any hashing."""
    with pytest.raises(BadProof):
        call()


def test_a_leaf_cannot_pass_for_a_node() -> None:
    """Leaf and node hashes are separated, so an entry made of two hashes is not their parent."""
    left, right = leaf_hash(b"a"), leaf_hash(b"b")
    assert leaf_hash(left + right) != node_hash(left, right)


def test_a_frontier_survives_its_bytes() -> None:
    """``from_bytes`` reads what ``to_bytes`` wrote and refuses every other length."""
    frontier = Frontier()
    for i in range(77):
        frontier.append(leaf_hash(b"%d" % i))
    again = Frontier.from_bytes(frontier.to_bytes())
    assert (again.size, again.root()) == (77, frontier.root())
    for data in (b"", frontier.to_bytes()[:-1], frontier.to_bytes() + bytes(32)):
        with pytest.raises(ValueError, match=r"frontier|peaks"):
            Frontier.from_bytes(data)
