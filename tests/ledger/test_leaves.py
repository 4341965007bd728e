"""Leaves: a version byte and a commitment, nothing else."""

from __future__ import annotations

import hmac
import itertools

import pytest
from charters import NOON
from hypothesis import given
from hypothesis import strategies as st

from watchword.ledger.leaves import BadLeaf, Leaf, encode, leaf_of, parse
from watchword.statements.statement import Subject, make

COMMITMENT, NAME = b"c" * 32, b"n" * 32
LEAVES = {
    "ledger": (Leaf(COMMITMENT), b"\x01" + COMMITMENT),
    "notices": (Leaf(COMMITMENT, NAME), b"\x02" + COMMITMENT + NAME),
    "record": (Leaf(COMMITMENT), b"\x03" + COMMITMENT),
}


@pytest.mark.parametrize("use", LEAVES)
def test_a_leaf_has_the_bytes_of_the_protocol(use: str) -> None:
    """33, 65 and 33 bytes, as section 5 states them, and back."""
    leaf, entry = LEAVES[use]
    assert encode(use, leaf) == entry
    assert parse(use, entry) == leaf


def test_what_a_decision_may_consider_is_filed_under_its_kind_and_release() -> None:
    """Evidence of public or alliance scope has a leaf of 65 bytes beginning with 4; of narrower scope, a plain one."""
    subject = Subject("mailsort 1.0", "sha256:" + "9c" * 32)
    fields = {"of": "legal", "outcome": "in favour", "text": "", "report": None}
    for scope, first, length in (("alliance", 4, 65), ("public", 4, 65), ("own", 1, 33), (["BRAVO"], 1, 33)):
        statement = make("review", (subject,), fields, issuer="ALFA", made=NOON, scope=scope)
        leaf = leaf_of(statement, COMMITMENT, b"s" * 32)
        entry = encode("ledger", leaf)
        assert (entry[0], len(entry)) == (first, length)
        assert parse("ledger", entry) == leaf
    name = b"evidence:review:sha256:" + b"9c" * 32
    assert leaf_of(make("review", (subject,), fields, issuer="ALFA", made=NOON), COMMITMENT, b"s" * 32).blinded == (
        hmac.digest(b"s" * 32, name, "sha256")
    )


@pytest.mark.parametrize(("use", "other"), list(itertools.permutations(LEAVES, 2)))
def test_a_leaf_stands_only_in_its_ledger(use: str, other: str) -> None:
    """A notice in ``ledger``, a receipt in ``notices`` …: refused. Fails if the version byte is not looked at."""
    with pytest.raises(BadLeaf):
        parse(use, LEAVES[other][1])


@given(st.binary(max_size=80), st.sampled_from(sorted(LEAVES)))
def test_any_bytes_are_the_one_leaf_or_refused(entry: bytes, use: str) -> None:
    """Parsing accepts exactly what encoding makes."""
    try:
        leaf = parse(use, entry)
    except BadLeaf:
        return
    assert encode(use, leaf) == entry


def test_a_notice_without_a_name_is_not_made() -> None:
    """A notice that nobody could match would hide bad news."""
    for use, leaf in (
        ("notices", Leaf(COMMITMENT)), ("record", Leaf(COMMITMENT, NAME)), ("ledger", Leaf(b"short")),
        ("notices", Leaf(COMMITMENT, b"short")), ("notices", Leaf(COMMITMENT, b"")), ("ledger", Leaf(COMMITMENT, b"")),
    ):  # fmt: skip
        with pytest.raises(BadLeaf):
            encode(use, leaf)
