"""I6: a ledger never rewrites what a witness has cosigned; when two views of one ledger meet, equivocation is
detected and both signed heads are kept as proof.

Each test says which guard it stands on. The owner of a ledger is the adversary here, so forks are signed with its
real key.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alliance import RELEASE, Alliance, inspection
from hypothesis import given, settings
from hypothesis import strategies as st
from successions import NAMES, adopt, decided, follow, put_back, review, snapshot

from watchword import node
from watchword.ledger.checkpoint import Checkpoint, SplitView, cosignatures, sign_checkpoint, verify_head
from watchword.ledger.log import Log
from watchword.ledger.merkle import BadProof, consistency_path, leaf_hash, root_of, verify_consistency
from watchword.ledger.witness import Witness, format_request
from watchword.node.recorded import Retired
from watchword.statements.keys import SigningKey, generate
from watchword.statements.times import FixedClock

ORIGIN = "log.example/alfa"
NAME = "witness.example/bravo"


@pytest.fixture(scope="module")
def key() -> SigningKey:
    return generate(44)


@pytest.fixture(scope="module")
def witness_key() -> SigningKey:
    return generate(44)


@pytest.fixture
def mirror(tmp_path: Path) -> Iterator[Log]:
    with Log.create(tmp_path / "mirror", ORIGIN, tmp_path / "heads", mirror=True) as made:
        yield made


def history(size: int, forked_at: int | None = None) -> list[bytes]:
    return [b"entry %d%s" % (i, b" rewritten" if i == forked_at else b"") for i in range(size)]


def head_of(entries: list[bytes]) -> Checkpoint:
    return Checkpoint(ORIGIN, len(entries), root_of([leaf_hash(entry) for entry in entries]))


def proof_over(entries: list[bytes], old: int) -> list[bytes]:
    row = [leaf_hash(entry) for entry in entries]
    return consistency_path(lambda level, index: root_of(row[index << level : (index + 1) << level]), old, len(row))


def assert_convicts(error: SplitView, key: SigningKey, ours: list[bytes], theirs: list[bytes]) -> None:
    """Both notes are whole, both signed by the ledger's own key, and they are the two histories."""
    assert verify_head(error.ours, ORIGIN, key.public) == head_of(ours)
    assert verify_head(error.theirs, ORIGIN, key.public) == head_of(theirs)


# -- what a witness has cosigned ------------------------------------------------------------------


@settings(max_examples=40)
@given(data=st.data())
def test_no_two_cosigned_heads_contradict_each_other(
    tmp_path_factory: pytest.TempPathFactory, key: SigningKey, witness_key: SigningKey, data: st.DataObject
) -> None:
    """The owner submits any heads of any of its histories, with the best proofs there are; all that gets cosigned is
    one history. Fails if the witness forgets a head, skips a proof, or takes a stale old size.
    """
    witness = Witness(
        tmp_path_factory.mktemp("witness"), NAME, witness_key, FixedClock(datetime.fromtimestamp(1_790_000_000, UTC))
    )
    cosigned: list[list[bytes]] = []
    for _ in range(data.draw(st.integers(2, 8))):
        size = data.draw(st.integers(0, 12))
        entries = history(size, data.draw(st.none() | st.integers(0, 11)))
        old = data.draw(st.integers(0, size) | st.sampled_from([len(seen) for seen in cosigned] or [0]))
        proof = proof_over(entries, old) if old <= size else []
        note = sign_checkpoint(head_of(entries), key)
        if witness.add_checkpoint(format_request(old, proof, note), {ORIGIN: key.public}).status == 200:
            cosigned.append(entries)
    for earlier, later in itertools.pairwise(cosigned):
        assert later[: len(earlier)] == earlier


def test_a_witness_cosigns_no_rewritten_history_from_a_mirror(
    mirror: Log, tmp_path: Path, key: SigningKey, witness_key: SigningKey
) -> None:
    """By file exchange as by request: the guard is the comparison with what was cosigned before."""
    witness = Witness(tmp_path / "w", NAME, witness_key, FixedClock(datetime.fromtimestamp(1_790_000_000, UTC)))
    first, rewritten = history(5), history(9, forked_at=2)
    note = sign_checkpoint(head_of(first), key)
    assert witness.add_checkpoint(format_request(0, [], note), {ORIGIN: key.public}).status == 200
    mirror.extend_mirror(0, rewritten, sign_checkpoint(head_of(rewritten), key))
    with pytest.raises(SplitView) as caught:
        witness.cosign_mirror(mirror, key.public)
    assert_convicts(caught.value, key, first, rewritten)
    assert cosignatures(caught.value.ours, {NAME: witness_key.public}), "our own cosignature shows what we were shown"


# -- when two views meet --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ours", "theirs", "forked_at"),
    [(5, 5, 2), (5, 5, 4), (5, 3, 1), (300, 256, 255), (300, 300, 0)],
    ids=["same size", "same size, last entry", "older", "older, whole tile", "same size, first entry"],
)
def test_split_view_keeps_both_heads(mirror: Log, key: SigningKey, ours: int, theirs: int, forked_at: int) -> None:
    """A signed head of the same or a smaller size under another root convicts by itself; no entries are needed.

    Fails if the mirror's root at that size is not compared. The mirror is unchanged.
    """
    held, shown = history(ours), history(theirs, forked_at)
    mirror.extend_mirror(0, held, sign_checkpoint(head_of(held), key))
    before = mirror.checkpoint()
    with pytest.raises(SplitView) as caught:
        mirror.extend_mirror(theirs, [], sign_checkpoint(head_of(shown), key))
    assert_convicts(caught.value, key, held, shown)
    assert (mirror.checkpoint(), mirror.entries(0, ours)) == (before, held)
    mirror.check()


@pytest.mark.parametrize(("ours", "start", "theirs", "forked_at"), [(5, 0, 9, 2), (5, 3, 9, 4), (300, 0, 301, 299)])
def test_a_longer_head_that_rewrites_ours_convicts(
    mirror: Log, key: SigningKey, ours: int, start: int, theirs: int, forked_at: int
) -> None:
    """Entries that lead to the new signed head and pass our signed size under another root are the proof.

    Fails if only the final root is compared: the mirror would then be rewritten.
    """
    held, shown = history(ours), history(theirs, forked_at)
    mirror.extend_mirror(0, held, sign_checkpoint(head_of(held), key))
    with pytest.raises(SplitView) as caught:
        mirror.extend_mirror(start, shown[start:], sign_checkpoint(head_of(shown), key))
    assert_convicts(caught.value, key, held, shown)
    assert mirror.entries(0, mirror.size) == held
    mirror.check()


def test_a_bad_delivery_convicts_nobody(mirror: Log, key: SigningKey) -> None:
    """Entries from our size on that do not reach a longer signed head: its owner may be honest, the courier not.

    Fails if every mismatch is called a split view: a courier could then frame a member.
    """
    held, honest = history(5), history(9)
    mirror.extend_mirror(0, held, sign_checkpoint(head_of(held), key))
    with pytest.raises(BadProof):
        mirror.extend_mirror(5, history(9, forked_at=7)[5:], sign_checkpoint(head_of(honest), key))
    with pytest.raises(BadProof):
        mirror.extend_mirror(0, history(9, forked_at=2), sign_checkpoint(head_of(honest), key))
    mirror.extend_mirror(5, honest[5:], sign_checkpoint(head_of(honest), key))


@settings(max_examples=40)
@given(st.integers(1, 40), st.integers(0, 40), st.data())
def test_a_rewritten_history_is_never_shown_to_extend_the_old_one(old: int, more: int, data: st.DataObject) -> None:
    """Whatever 32-byte hashes the owner sends, in any number: the honest proof, a spliced one, or noise."""
    forked_at = data.draw(st.integers(0, old - 1))
    first, rewritten = history(old), history(old + more, forked_at)
    honest, own = proof_over(history(old + more), old), proof_over(rewritten, old)
    pool = [*honest, *own, head_of(first).root, head_of(rewritten).root, leaf_hash(b"noise")]
    proof = data.draw(st.sampled_from([honest, own]) | st.lists(st.sampled_from(pool), max_size=8))
    with pytest.raises(BadProof):
        verify_consistency(old, head_of(first).root, old + more, head_of(rewritten).root, proof)


def test_our_own_ledger_is_never_signed_twice_at_one_size(tmp_path: Path, key: SigningKey) -> None:
    """Reopened, restarted, published again: every head ever signed is a prefix of the last. The guard is the head store
    and the refusal to open what contradicts it (see ``tests/ledger/test_log.py`` and ``test_faults.py``).
    """
    signed = []
    Log.create(tmp_path / "log", ORIGIN, tmp_path / "own").close()
    for count in (1, 3, 252, 1, 300):
        with Log.open(tmp_path / "log", ORIGIN, tmp_path / "own", writable=True) as log:
            log.append(history(log.size + count)[log.size :])
            signed.append(verify_head(log.publish(key), ORIGIN, key.public))
    with Log.open(tmp_path / "log", ORIGIN, tmp_path / "own", writable=False) as log:
        for head in signed:
            assert log.root(head.size) == head.root

def test_a_node_put_back_to_an_older_state_begins_anew_instead_of_forking(alliance: Alliance, tmp_path: Path) -> None:
    """It stops under its old origin when a peer shows a newer head, prepares another, and goes on once that is adopted;
    nothing that anybody had seen is lost. Fails (a fork) where an own head from elsewhere is not compared."""
    older = snapshot(alliance, "ALFA", tmp_path / "older")
    alliance.nodes["ALFA"].sign_and_append("inspection", (RELEASE,), inspection(tool="seen by all"))
    alliance.sync()
    put_back(alliance, "ALFA", older)
    unseen = alliance.nodes["ALFA"].sign_and_append("review", (RELEASE,), review("said before it knew"))
    alliance.carry("BRAVO", "ALFA")
    alfa = alliance.nodes["ALFA"]
    with pytest.raises(Retired):
        alfa.sign_and_append("inspection", (RELEASE,), inspection())
    coming = node.enrolment(alliance.home("ALFA"), coming=True)
    assert [(one["origin"], one["size"]) for one in coming["closes"]] == [
        ("alfa.example/ledger", 1), ("alfa.example/notices", 0),
    ]  # fmt: skip
    assert coming["origins"]["ledger"] == "alfa.example/2/ledger"
    assert "charter propose" in node.what_next(alliance.home("ALFA"))
    adopt(alliance, follow(alliance, [coming]))
    alliance.sync(3)
    for here in alliance.nodes.values():
        view = here.latest_view()
        assert view.heads["alfa.example/2/ledger"].size == 1
        said = {fact.signed.statement.id: fact.origin for fact in here.facts(view).statements}
        assert said[unseen.id] == "alfa.example/2/ledger"
        assert sorted(said.values()) == ["alfa.example/2/ledger", "alfa.example/ledger"]
        assert here.store.splits() == [] or here.member == "ALFA"
    assert {decided(alliance, name)["verdict"] for name in NAMES} == {"admitted"}
