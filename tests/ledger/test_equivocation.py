"""Two signed heads before a judge: what convicts a ledger's key, and what only looks as if it did."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchword.ledger.checkpoint import Checkpoint, SplitView, cosign, sign_checkpoint
from watchword.ledger.equivocation import NotConvicted, evidence, verify_equivocation
from watchword.ledger.merkle import Frontier, consistency_path, leaf_hash, root_of
from watchword.ledger.notes import BadNote
from watchword.statements.digests import b64
from watchword.statements.keys import SigningKey, generate
from watchword.statements.kinds import Equivocation

ORIGIN = "alfa.example/ledger"


def row(size: int, forked_at: int | None = None) -> list[bytes]:
    return [leaf_hash(b"%d%s" % (i, b"!" if i == forked_at else b"")) for i in range(size)]


def note(key: SigningKey, size: int, forked_at: int | None = None) -> bytes:
    return sign_checkpoint(Checkpoint(ORIGIN, size, root_of(row(size, forked_at))), key)


def proof(old: int, leaves: list[bytes]) -> list[bytes]:
    return consistency_path(lambda level, i: root_of(leaves[i << level : (i + 1) << level]), old, len(leaves))


def said(fields: dict[str, object]) -> Equivocation:
    return Equivocation(issuer="BRAVO", made="2026-01-31T12:00:00Z", scope="alliance", after=None, **fields)


@pytest.fixture
def unequal(log_key: SigningKey) -> Equivocation:
    """A head at 4, and one at 7 of a tree that differs at leaf 2."""
    other = row(7, 2)
    split = SplitView("x", note(log_key, 4), note(log_key, 7, 2), root_of(other[:4]), proof(4, other))
    return said(evidence(split, ORIGIN, log_key.public))


@pytest.fixture
def equal(log_key: SigningKey) -> Equivocation:
    split = SplitView("x", note(log_key, 4, 1), note(log_key, 4))
    return said(evidence(split, ORIGIN, log_key.public))


def test_two_histories_convict(log_key: SigningKey, equal: Equivocation, unequal: Equivocation) -> None:
    """Of one size, or of two with the proof; whoever brings it, with or without cosignatures."""
    assert [head.size for head in verify_equivocation(equal, log_key.public)] == [4, 4]
    assert [head.size for head in verify_equivocation(unequal, log_key.public)] == [4, 7]
    witness = generate(44)
    cosigned = note(log_key, 4) + cosign(note(log_key, 4), "witness.example/x", witness, 1_790_000_000)
    fields = evidence(SplitView("x", cosigned, note(log_key, 4, 1)), ORIGIN, log_key.public)
    assert "witness.example" not in "".join(fields["heads"])
    verify_equivocation(said(fields), log_key.public)


def test_what_does_not_convict_by_itself_is_no_evidence(log_key: SigningKey) -> None:
    """One head twice; two that extend each other; two sizes without a proof, or with a bad one."""
    for split in (
        SplitView("x", note(log_key, 4), note(log_key, 4)),
        SplitView("x", note(log_key, 4), note(log_key, 7), root_of(row(4)), proof(4, row(7))),
        SplitView("x", note(log_key, 4), note(log_key, 7, 2)),
        SplitView("x", note(log_key, 4), note(log_key, 7, 2), root_of(row(4, 2)), proof(4, row(7, 5))),
        SplitView("x", note(log_key, 0), note(log_key, 7), b"x" * 32, ()),
    ):
        assert evidence(split, ORIGIN, log_key.public) is None
    with pytest.raises(BadNote):
        evidence(SplitView("x", note(log_key, 4), note(generate(44), 4, 1)), ORIGIN, log_key.public)


def test_nobody_is_convicted_by_a_changed_statement(
    log_key: SigningKey, equal: Equivocation, unequal: Equivocation
) -> None:
    """Every part is needed. Fails for each check that is removed from ``verify_equivocation``."""

    def changed(one: Equivocation, **fields: object) -> Equivocation:
        return said({n: getattr(one, n) for n in ("origin", "heads", "passed", "path")} | fields)

    honest, extends = note(log_key, 7).decode(), [*map(b64, proof(4, row(7)))]
    stranger = note(generate(44), 4).decode()
    for forged in (
        changed(equal, heads=[equal.heads[0]] * 2),
        changed(equal, passed=b64(bytes(32))),
        changed(equal, path=[b64(bytes(32))]),
        changed(unequal, heads=unequal.heads[::-1]),
        changed(unequal, heads=[unequal.heads[0], honest], passed=b64(root_of(row(4))), path=extends),
        changed(unequal, heads=[unequal.heads[0], honest]),
        changed(unequal, passed=None),
        changed(unequal, passed="AA"),
        changed(unequal, path=unequal.path[1:]),
        changed(unequal, path=["AA"]),
    ):
        with pytest.raises(NotConvicted):
            verify_equivocation(forged, log_key.public)
    for forged in (changed(equal, heads=[stranger, equal.heads[1]]), changed(equal, origin="bravo.example/ledger")):
        with pytest.raises(BadNote):
            verify_equivocation(forged, log_key.public)
    half = equal.heads[0].split("\n")
    with pytest.raises(BadNote):
        verify_equivocation(changed(equal, heads=["\n".join([*half[:-2], ""]), equal.heads[1]]), log_key.public)


@given(st.integers(0, 40), st.integers(0, 40), st.integers(0, 40))
def test_a_frontier_with_its_tail_proves_every_size_from_its_own_on(start: int, more: int, further: int) -> None:
    """``grown`` gives the same consistency proofs as the whole tree."""
    leaves = row(start + more + further)
    frontier = Frontier()
    for leaf in leaves[:start]:
        frontier.append(leaf)
    assert consistency_path(frontier.grown(leaves[start:]), start + more, len(leaves)) == proof(start + more, leaves)
