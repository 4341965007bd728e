"""The pure rules of exchange: scope, gathering cosignatures, taking a ledger part, asking for what is missing."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from charters import NOON, charter_value, key, signed
from hypothesis import given
from hypothesis import strategies as st

from watchword.charter.charter import Charter, parse_charter
from watchword.ledger.bundle import BadBundle, Earlier, LedgerPart
from watchword.ledger.checkpoint import Checkpoint, SplitView, cosign, sign_checkpoint
from watchword.ledger.exchange import (
    KeptHead,
    bare,
    check_part,
    gather,
    head_of,
    missing_value,
    parse_missing,
    ranges_of,
    scope_allows,
)
from watchword.ledger.merkle import EMPTY_ROOT, BadProof, Frontier, leaf_hash
from watchword.ledger.notes import BadNote
from watchword.limits import NOTES_KEPT_MAX
from watchword.statements.keys import generate
from watchword.statements.statement import Subject, make, open_envelope, sign

ORIGIN = "alfa.example/ledger"
NOW = 1_790_000_000
REVIEW = {"of": "legal", "outcome": "against", "text": "", "report": None}


@pytest.fixture(scope="module")
def charter() -> Charter:
    return parse_charter(charter_value())


def entries(count: int, mark: bytes = b"") -> tuple[bytes, ...]:
    return tuple(b"entry %d" % i + mark for i in range(count))


def frontier(of: tuple[bytes, ...]) -> Frontier:
    made = Frontier()
    for entry in of:
        made.append(leaf_hash(entry))
    return made


def head(of: tuple[bytes, ...]) -> bytes:
    return sign_checkpoint(Checkpoint(ORIGIN, len(of), frontier(of).root()), key("ALFA", "ledger"))


def cosigned(note: bytes, *names: str, at: int = NOW) -> bytes:
    for name in names:
        note += cosign(note, f"{name.lower()}.example/witness", key(name, "witness"), at)
    return note


def judge_of(charter: Charter) -> Callable[[bytes], KeptHead]:
    return lambda note: head_of(charter, ORIGIN, note, NOW)


def taken(charter: Charter, part: LedgerPart, held: tuple[bytes, ...], held_note: bytes | None) -> int:
    heads = [head_of(charter, ORIGIN, note, NOW) for note in (*(one.note for one in part.earlier), part.note)]
    ours = Checkpoint(ORIGIN, len(held), frontier(held).root())
    return check_part(part, heads, ours, held_note, lambda size: frontier(held[:size]))


def test_scope_decides_who_may_hold_a_body() -> None:
    """Public to all, alliance to members, a list to those named, own and the unreadable to nobody."""

    def of(scope: str | list[str]) -> tuple[bool, bool, bool]:
        subject = (Subject("r", "sha256:" + "9c" * 32),)
        made = make("review", subject, REVIEW, issuer="ALFA", made=NOON, scope=scope)
        one = open_envelope(sign(made, key("ALFA", "official")))
        return scope_allows(one, "BRAVO"), scope_allows(one, "CHARLIE"), scope_allows(one, None)

    assert of("public") == (True, True, True)
    assert of("alliance") == (True, True, False)
    assert of(["BRAVO"]) == (True, False, False)
    assert of("own") == (False, False, False)
    unknown = signed("review", REVIEW, role="official")
    unknown.statement.predicate["scope"] = {"who": "knows"}
    assert not scope_allows(unknown, "BRAVO")


def test_equal_knowledge_is_equal_bytes(charter: Charter) -> None:
    """Two nodes that saw the same cosignatures in another order keep the same note, byte for byte."""
    note = head(entries(3))
    by_bravo, by_charlie = cosigned(note, "BRAVO"), cosigned(note, "CHARLIE")
    judge = judge_of(charter)
    one = gather(charter, ORIGIN, gather(charter, ORIGIN, (), [by_bravo], judge), [by_charlie], judge)
    other = gather(charter, ORIGIN, (), [by_charlie, by_bravo, note], judge)
    assert [kept.note for kept in one] == [kept.note for kept in other]
    assert one[0].time_s == NOW
    assert set(one[0].times) == {"bravo.example/witness", "charlie.example/witness"}


def test_the_newest_line_of_a_witness_is_kept(charter: Charter) -> None:
    """A later cosignature replaces the earlier one, an earlier one never the later: cosigned time does not go back."""
    note = head(entries(3))
    judge = judge_of(charter)
    late = gather(charter, ORIGIN, (), [cosigned(note, "BRAVO", "CHARLIE", at=NOW)], judge)
    assert gather(charter, ORIGIN, late, [cosigned(note, "BRAVO", "CHARLIE", at=NOW - 100)], judge) == late
    early = gather(charter, ORIGIN, (), [cosigned(note, "BRAVO", "CHARLIE", at=NOW - 100)], judge)
    assert gather(charter, ORIGIN, early, [late[0].note], judge) == late


def test_the_newest_head_with_a_quorum_is_kept_and_some_that_wait(charter: Charter) -> None:
    """Older heads go, newer ones without a quorum wait for theirs, at most NOTES_KEPT_MAX of them."""
    judge = judge_of(charter)
    heads = [
        cosigned(head(entries(size)), *(("BRAVO", "CHARLIE") if size == 4 else ("BRAVO",))) for size in range(1, 20)
    ]
    kept = gather(charter, ORIGIN, (), heads, judge)
    assert [one.checkpoint.size for one in kept] == [4, *range(20 - NOTES_KEPT_MAX, 20)]
    assert [one.time_s is not None for one in kept] == [True] + [False] * NOTES_KEPT_MAX


def test_a_bad_line_of_a_known_witness_refuses_the_note(charter: Charter) -> None:
    """A cosignature over another head, pasted: refused. Fails if notes are merged unverified."""
    other = cosigned(head(entries(2)), "BRAVO")
    pasted = head(entries(3)) + other[other.index("— bravo".encode()) :]
    with pytest.raises(BadNote):
        gather(charter, ORIGIN, (), [pasted], judge_of(charter))


def test_lines_of_strangers_are_not_carried(charter: Charter) -> None:
    """A stranger's lines make a note longer for everybody, so they are dropped, and the log's own two are kept."""
    note = head(entries(1))
    noisy = note + cosign(note, "stranger.example/witness", generate(44), NOW)
    assert bare(charter, ORIGIN, noisy) == bare(charter, ORIGIN, note)
    assert len(bare(charter, ORIGIN, noisy).split(b"\n\n")[1].splitlines()) == 2


def test_a_part_that_extends_what_is_held_is_taken(charter: Charter) -> None:
    """From nothing, from the end, overlapping, with nothing new, and older than what is held."""
    all_of = entries(5)
    for start, held, new in ((0, 0, 5), (3, 3, 2), (1, 3, 2), (5, 5, 0), (0, 5, 0)):
        part = LedgerPart(ORIGIN, head(all_of), start=start, entries=all_of[start:])
        note = head(all_of[:held]) if held else None
        assert taken(charter, part, all_of[:held], note) == new
    older = LedgerPart(ORIGIN, head(all_of[:2]), entries=all_of[:2])
    assert taken(charter, older, all_of, head(all_of)) == 0


def test_entries_that_lead_elsewhere_convict_nobody(charter: Charter) -> None:
    """A wrong entry, one missing, one too many, a gap: BadProof, which is no evidence against the ledger."""
    good = entries(4)
    for given_entries, start in (((*good[:3], b"x"), 0), (good[:3], 0), ((*good, b"x"), 0), (good[3:], 3)):
        part = LedgerPart(ORIGIN, head(good), start=start, entries=given_entries)
        with pytest.raises(BadProof):
            taken(charter, part, good[:2], head(good[:2]))


@pytest.mark.parametrize(("ours", "theirs"), [(3, 3), (3, 2), (2, 5)])
def test_two_histories_convict_with_both_heads(charter: Charter, ours: int, theirs: int) -> None:
    """Same size, shorter, longer: SplitView carries our note and theirs. Fails if only the new root is checked."""
    held, other = entries(ours), entries(theirs, b" forked")
    part = LedgerPart(ORIGIN, head(other), entries=other)
    with pytest.raises(SplitView) as split:
        taken(charter, part, held, head(held))
    for note, of in ((split.value.ours, held), (split.value.theirs, other)):
        assert head_of(charter, ORIGIN, note, NOW).checkpoint == Checkpoint(ORIGIN, len(of), frontier(of).root())


def test_two_histories_in_one_file_convict_too(charter: Charter) -> None:
    """An earlier head of the part that its own entries do not pass through."""
    good, forked = entries(4), entries(2, b" forked")
    part = LedgerPart(ORIGIN, head(good), (Earlier(head(forked), ()),), entries=good)
    with pytest.raises(SplitView):
        taken(charter, part, (), None)


def test_an_empty_tree_has_one_root(charter: Charter) -> None:
    """A head of size 0 with another root is malformed, whether or not we hold something."""
    note = sign_checkpoint(Checkpoint(ORIGIN, 0, b"\0" * 32), key("ALFA", "ledger"))
    with pytest.raises(BadProof):
        taken(charter, LedgerPart(ORIGIN, note), (), None)
    fine = sign_checkpoint(Checkpoint(ORIGIN, 0, EMPTY_ROOT), key("ALFA", "ledger"))
    assert taken(charter, LedgerPart(ORIGIN, fine), (), None) == 0


@given(st.sets(st.integers(0, 200)))
def test_missing_leaves_are_told_as_ranges(indices: set[int]) -> None:
    """Ranges say exactly the indices, ascending and apart, and survive the file."""
    ranges = ranges_of(sorted(indices))
    assert {index for start, stop in ranges for index in range(start, stop)} == indices
    back = parse_missing([missing_value({ORIGIN: ranges})], {ORIGIN})
    assert back.get(ORIGIN, ()) == ranges


@pytest.mark.parametrize("ranges", [[[3, 3]], [[3, 2]], [[1, 2], [2, 3]], [[5, 6], [1, 2]], [[-1, 2]], [[1]], "all"])
def test_other_ranges_are_refused(ranges: object) -> None:
    """Overlapping or unordered ranges could ask for the same body without end."""
    with pytest.raises(BadBundle):
        parse_missing([{"format": "watchword-missing/1", "ledgers": {ORIGIN: ranges}}], {ORIGIN})
