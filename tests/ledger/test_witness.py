"""A witness, asked as tlog-witness says, and lied to."""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watchword.ledger.checkpoint import (
    Checkpoint,
    SplitView,
    cosignatures,
    merge,
    parse_checkpoint,
    sign_checkpoint,
    verify_head,
)
from watchword.ledger.log import Log, NoLedger
from watchword.ledger.merkle import EMPTY_ROOT, consistency_path, leaf_hash, root_of
from watchword.ledger.notes import BadNote, Note, parse_note
from watchword.ledger.tiles import BadLedger, tile_path
from watchword.ledger.witness import ClockBehind, Witness, format_request, parse_request
from watchword.limits import WITNESS_REQUEST_BYTES_MAX
from watchword.statements.keys import SigningKey, generate
from watchword.statements.times import FixedClock

ORIGIN = "log.example/alfa"
NAME = "witness.example/alfa"
NOW = 1_790_000_000
SIZE = "text/x.tlog.size"


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(datetime.fromtimestamp(NOW, UTC))


@pytest.fixture
def witness(tmp_path: Path, witness_keys: dict[str, SigningKey], clock: FixedClock) -> Witness:
    return Witness(tmp_path / "witness", NAME, witness_keys[NAME], clock)


@pytest.fixture
def ask(witness: Witness, log_key: SigningKey) -> Callable[..., tuple[int, str, bytes]]:
    return lambda body: witness.add_checkpoint(body, {ORIGIN: log_key.public})


def leaves(size: int, forked_at: int | None = None) -> list[bytes]:
    return [leaf_hash(b"entry %d%s" % (i, b"!" if i == forked_at else b"")) for i in range(size)]


def head(size: int, forked_at: int | None = None) -> Checkpoint:
    return Checkpoint(ORIGIN, size, root_of(leaves(size, forked_at)))


def path(old: int, size: int, forked_at: int | None = None) -> list[bytes]:
    row = leaves(size, forked_at)
    return consistency_path(lambda level, index: root_of(row[index << level : (index + 1) << level]), old, size)


def request(key: SigningKey, old: int, size: int, forked_at: int | None = None) -> bytes:
    return format_request(old, path(old, size, forked_at), sign_checkpoint(head(size, forked_at), key))


def resigned(body: str, key: SigningKey, spoil: bool) -> bytes:
    """A request of another program, its head signed by *key* with both halves (or with both spoiled)."""
    asked = parse_request(body.encode())
    text = asked.note[: asked.note.rindex(b"\n\n") + 1].decode()
    note = parse_note(sign_checkpoint(parse_checkpoint(text), key))
    lines = note.signatures
    if spoil:
        lines = tuple(replace(line, signature=bytes(len(line.signature))) for line in lines)
    return format_request(asked.old, asked.proof, Note(note.text, lines).format())


def test_a_conversation_of_another_program_gets_its_answers(
    vector: Callable[[str], Any], witness: Witness, log_key: SigningKey
) -> None:
    """Nine requests of litewitness in order: heads and proofs as they are, signed anew with both halves of suite 1.

    The third answers 404 where that version said 403 (tlog-witness 1.0.0). The second, as it stands, has base64 with
    loose bits, which we refuse as malformed (400); signed anew and spoiled it is the forgery it was meant to be.
    """
    known = vector("torchwood-litewitness/add-checkpoint.json")
    origin = known["log_origin"]
    answered = []
    for step in known["steps"]:
        spoil = step["status"] == 403 and origin in step["request"]
        answer = witness.add_checkpoint(resigned(step["request"], log_key, spoil), {origin: log_key.public})
        answered.append(answer.status)
        if step["status"] == 200:
            assert answer.body.startswith(f"— {NAME} ".encode())
        if step["status"] == 409:
            assert (answer.content_type, answer.body.decode()) == (SIZE, step["body"])
    assert answered == [200, 403, 404, 422, 422, 200, 409, 200, 409]


def test_a_head_signed_with_ed25519_alone_is_not_cosigned(vector: Callable[[str], Any], witness: Witness) -> None:
    """The same conversation's own note: suite 1 asks for both halves, so its honest Ed25519 line is not enough."""
    known = vector("torchwood-litewitness/add-checkpoint.json")
    key = generate(44).public
    trusted = type(key)(bytes.fromhex(known["log_ed25519_public_key_hex"]), key.mldsa, 44)
    answer = witness.add_checkpoint(known["steps"][0]["request"].encode(), {known["log_origin"]: trusted})
    assert (answer.status, b"lacks a 06" in answer.body) == (403, True)


def test_the_request_of_the_specification_parses(vector: Callable[[str], Any]) -> None:
    """And re-encodes to the same bytes."""
    text = vector("c2sp-examples/examples.json")["add_checkpoint_request"].encode()
    asked = parse_request(text)
    assert (asked.old, len(asked.proof)) == (20852014, 4)
    assert format_request(*asked) == text


def test_a_growing_ledger_is_cosigned(ask, witness: Witness, log_key: SigningKey, clock: FixedClock) -> None:
    """From nothing, by every growth, and again at the same size with a new time; lines verify and are remembered."""
    for old, size in ((0, 1), (1, 1), (1, 7), (7, 300), (300, 300)):
        body = request(log_key, old, size)
        status, kind, lines = ask(body)
        assert (status, kind) == (200, "text/plain; charset=utf-8")
        note = sign_checkpoint(head(size), log_key) + lines
        assert cosignatures(note, {NAME: witness._key.public}) == {NAME: int(clock.now().timestamp())}
        stored = witness.last(ORIGIN)
        assert verify_head(stored, ORIGIN, log_key.public) == head(size)
        assert cosignatures(stored, {NAME: witness._key.public}) == {NAME: int(clock.now().timestamp())}
        clock.advance(10)


def test_an_empty_ledger_is_cosigned(ask, log_key: SigningKey) -> None:
    """Size 0 has the empty root, and everything extends it."""
    assert ask(request(log_key, 0, 0))[0] == 200
    assert ask(request(log_key, 0, 5))[0] == 200


@pytest.mark.parametrize(
    ("old", "proof", "size", "root", "status"),
    [
        (0, [], 0, b"x" * 32, 422),
        (0, [b"x" * 32], 5, None, 422),
        (4, [], 5, None, 422),
        (4, [b"x" * 32], 5, None, 422),
        (4, [], 4, b"x" * 32, 422),
        (4, [b"x" * 32], 4, None, 422),
        (5, [], 4, None, 400),
        (3, [], 4, None, 409),
        (3, [], 4, b"x" * 32, 409),
        (9, [], 9, None, 409),
    ],
    ids=[
        "empty tree, other root",
        "proof from nothing",
        "no proof",
        "wrong proof",
        "same size, other root",
        "same size, a proof",
        "shrinking",
        "stale old size",
        "stale old size and other root",
        "old size from the future",
    ],
)
def test_answers_come_in_the_order_of_the_specification(
    ask, log_key: SigningKey, old: int, proof: list[bytes], size: int, root: bytes | None, status: int
) -> None:
    """Each refusal has its own status, and none moves the witness."""
    stored = 0 if old == 0 else 4
    if stored:
        assert ask(request(log_key, 0, stored))[0] == 200
    asked = Checkpoint(ORIGIN, size, root or root_of(leaves(size)))
    answer = ask(format_request(old, proof, sign_checkpoint(asked, log_key)))
    assert answer[0] == status
    if status == 409:
        assert answer[1:] == (SIZE, b"4\n")
    assert ask(request(log_key, stored, 6))[0] == 200


def test_an_unknown_origin_is_404_and_a_forgery_403(witness: Witness, log_key: SigningKey) -> None:
    """Origin before signature, signature before sizes."""
    body = format_request(9, [], sign_checkpoint(head(4), log_key))
    assert witness.add_checkpoint(body, {}).status == 404
    assert witness.add_checkpoint(body, {ORIGIN: generate(44).public}).status == 403
    assert witness.add_checkpoint(body, {ORIGIN: log_key.public}).status == 400


@pytest.mark.parametrize("missing", [0, 1])
def test_a_head_with_half_a_signature_is_a_forgery(ask, log_key: SigningKey, missing: int) -> None:
    """Fails if one half is enough."""
    note = parse_note(sign_checkpoint(head(4), log_key))
    half = Note(note.text, (note.signatures[1 - missing],)).format()
    assert ask(format_request(0, [], half))[0] == 403


HASH = base64.b64encode(bytes(32))


@pytest.mark.parametrize(
    "top",
    [
        b"",
        b"old",
        b"old ",
        b"old -1",
        b"old 01",
        b"old 1 ",
        b"old  1",
        b"OLD 1",
        b"old 1\r",
        b"old " + b"9" * 30,
        b"old 9223372036854775808",
        b"old 1\nAAAA",
        b"old 1\n" + HASH[:-1],
        b"old 1\n " + HASH,
        b"old 1\n" + HASH + b"\r",
        b"old 1\n" + b"\n".join([HASH] * 64),
    ],
)
def test_a_malformed_request_is_400(ask, log_key: SigningKey, top: bytes) -> None:
    """Before anything is looked up."""
    assert ask(top + b"\n\n" + sign_checkpoint(head(1), log_key))[0] == 400
    assert ask(top)[0] == 400


def test_an_endless_request_is_400(ask) -> None:
    """Refused unread."""
    assert ask(b"old 0\n\n" + b"x" * WITNESS_REQUEST_BYTES_MAX)[0] == 400


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200) | st.builds(lambda a, b: b"old 0\n" + a + b"\n\n" + b, st.binary(), st.binary()))
def test_hostile_requests_raise_only_the_rooms_own_error(body: bytes) -> None:
    """Whatever parses re-encodes to the same bytes."""
    with suppress(BadNote):
        assert format_request(*parse_request(body)) == body


def test_time_never_goes_back(ask, witness: Witness, log_key: SigningKey, clock: FixedClock) -> None:
    """A small step back keeps the last time, a large one signs nothing. Fails if times are not compared."""
    assert ask(request(log_key, 0, 1))[0] == 200
    clock.jump(-30)
    assert ask(request(log_key, 1, 2))[0] == 200
    assert cosignatures(witness.last(ORIGIN), {NAME: witness._key.public}) == {NAME: NOW}
    clock.jump(-3600)
    with pytest.raises(ClockBehind, match="3630 s behind"):
        ask(request(log_key, 2, 3))
    clock.jump(3600)
    assert ask(request(log_key, 2, 3))[0] == 200


def test_a_damaged_memory_signs_nothing(ask, witness: Witness, log_key: SigningKey) -> None:
    """What cannot be read is not taken for nothing cosigned. Fails if a damaged file counts as an absent one."""
    assert ask(request(log_key, 0, 4))[0] == 200
    path = witness._path(ORIGIN)
    data = path.read_bytes()
    # Overwritten in place, as a bad disk would.
    path.write_bytes(bytes(len(data)))
    with pytest.raises(BadLedger):
        ask(request(log_key, 0, 4, forked_at=1))


def test_two_submissions_at_once_are_one_after_the_other(
    tmp_path: Path, witness_keys, log_key: SigningKey, clock: FixedClock
) -> None:
    """Sixteen forks of one ledger race through two witness objects: one wins. Fails if the lock is removed."""
    bodies = [request(log_key, 4, 5, forked_at=None if i == 0 else 4) for i in range(2)]
    bodies += [
        format_request(
            4,
            path_over(row := [*leaves(4), leaf_hash(b"fork %d" % i)]),
            sign_checkpoint(Checkpoint(ORIGIN, 5, root_of(row)), log_key),
        )
        for i in range(14)
    ]
    witnesses = [Witness(tmp_path / "witness", NAME, witness_keys[NAME], clock) for _ in range(2)]
    assert witnesses[0].add_checkpoint(request(log_key, 0, 4), {ORIGIN: log_key.public}).status == 200
    start = threading.Barrier(len(bodies))
    statuses = []

    def submit(number: int) -> None:
        start.wait()
        answer = witnesses[number % 2].add_checkpoint(bodies[number], {ORIGIN: log_key.public})
        statuses.append(answer.status)

    threads = [threading.Thread(target=submit, args=(number,)) for number in range(len(bodies))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200] + [409] * 15


def path_over(row: list[bytes]) -> list[bytes]:
    return consistency_path(lambda level, index: root_of(row[index << level : (index + 1) << level]), 4, 5)


# -- mirrors --------------------------------------------------------------------------------------


@pytest.fixture
def mirror(tmp_path: Path, log_key: SigningKey):
    with Log.create(tmp_path / "mirror", ORIGIN, tmp_path / "heads", mirror=True) as made:
        yield made


def entries(start: int, stop: int) -> list[bytes]:
    return [b"entry %d" % i for i in range(start, stop)]


def test_a_mirror_is_cosigned_from_its_own_tiles(mirror: Log, witness: Witness, log_key: SigningKey) -> None:
    """No proof is asked for; the lines merge into the mirror's checkpoint; requests go on from there."""
    with pytest.raises(NoLedger, match="no head"):
        witness.cosign_mirror(mirror, log_key.public)
    known = {NAME: witness._key.public}
    for size in (3, 300):
        note = sign_checkpoint(head(size), log_key)
        mirror.extend_mirror(mirror.size, entries(mirror.size, size), note)
        lines = witness.cosign_mirror(mirror, log_key.public)
        mirror.set_checkpoint(merge(note, note + lines, known))
        assert cosignatures(mirror.checkpoint(), known) == {NAME: NOW}
    assert witness.add_checkpoint(request(log_key, 300, 301), {ORIGIN: log_key.public}).status == 200
    with pytest.raises(NoLedger, match="we cosigned 301"):
        witness.cosign_mirror(mirror, log_key.public)


def test_a_mirror_signed_by_somebody_else_is_not_cosigned(mirror: Log, witness: Witness, log_key: SigningKey) -> None:
    """The log's key is asked for here too: the mirror itself did not know it."""
    mirror.extend_mirror(0, entries(0, 3), sign_checkpoint(head(3), generate(44)))
    with pytest.raises(BadNote, match="lacks"):
        witness.cosign_mirror(mirror, log_key.public)


@pytest.mark.parametrize(("cosigned", "mirrored"), [(4, 9), (4, 4), (256, 300)])
def test_a_mirror_of_a_fork_convicts(
    mirror: Log, witness: Witness, log_key: SigningKey, cosigned: int, mirrored: int
) -> None:
    """What we cosigned and what the mirror holds are both signed: both notes come with the error, nothing is signed.

    Fails if the mirror's root at the cosigned size is not compared with what was cosigned.
    """
    assert witness.add_checkpoint(request(log_key, 0, cosigned, 1), {ORIGIN: log_key.public}).status == 200
    before = witness.last(ORIGIN)
    note = sign_checkpoint(head(mirrored), log_key)
    mirror.extend_mirror(0, entries(0, mirrored), note)
    with pytest.raises(SplitView) as caught:
        witness.cosign_mirror(mirror, log_key.public)
    assert verify_head(caught.value.ours, ORIGIN, log_key.public) == head(cosigned, 1)
    assert verify_head(caught.value.theirs, ORIGIN, log_key.public) == head(mirrored)
    assert witness.last(ORIGIN) == before


def test_a_mirror_with_damaged_tiles_is_not_cosigned(
    tmp_path: Path, mirror: Log, witness: Witness, log_key: SigningKey
) -> None:
    """Our own disk's fault is not the ledger's: BadLedger, not a conviction."""
    mirror.extend_mirror(0, entries(0, 3), sign_checkpoint(head(3), log_key))
    witness.cosign_mirror(mirror, log_key.public)
    mirror.extend_mirror(3, entries(3, 5), sign_checkpoint(head(5), log_key))
    file = tmp_path / "mirror" / tile_path(0, 0, 5)
    data = bytearray(file.read_bytes())
    data[0] ^= 1
    file.write_bytes(data)
    reader = Log.open(tmp_path / "mirror", ORIGIN, tmp_path / "heads", writable=False)
    with pytest.raises(BadLedger, match="do not lead"):
        witness.cosign_mirror(reader, log_key.public)


def test_the_empty_root_is_the_one_of_the_specification(ask, log_key: SigningKey) -> None:
    """An empty head with the hash of nothing is cosigned, as RFC 6962 defines it."""
    assert ask(format_request(0, [], sign_checkpoint(Checkpoint(ORIGIN, 0, EMPTY_ROOT), log_key)))[0] == 200


def test_only_two_signed_heads_of_one_size_convict_a_log(
    tmp_path: Path, witness_keys: dict[str, SigningKey], clock: FixedClock, log_key: SigningKey
) -> None:
    """A proof that leads nowhere, at another size or beside the very head, is refused and accuses nobody.

    Fails, with an honest log convicted, when size, root or what was cosigned before is not looked at.
    """
    kept: list[tuple[str, SplitView]] = []
    witness = Witness(tmp_path / "w", NAME, witness_keys[NAME], clock, lambda *told: kept.append(told))

    def asked(old: int, proof: list[bytes], shown: Checkpoint) -> int:
        body = format_request(old, proof, sign_checkpoint(shown, log_key))
        return witness.add_checkpoint(body, {ORIGIN: log_key.public}).status

    assert asked(0, [], Checkpoint(ORIGIN, 0, leaf_hash(b"no empty tree"))) == 422
    assert asked(0, [], head(5)) == 200
    assert asked(5, [bytes(32)], head(9)) == 422
    assert asked(5, path(5, 9, 2), head(9, 2)) == 422
    assert asked(5, [bytes(32)], head(5)) == 422
    assert kept == []
    assert asked(5, [], head(5, 2)) == 422
    ((origin, found),) = kept
    assert origin == ORIGIN
    assert [parse_checkpoint(parse_note(one).text) for one in (found.ours, found.theirs)] == [head(5), head(5, 2)]


@pytest.mark.parametrize("name", ["", "two words", "a+b"])
def test_a_witness_has_a_name_that_can_be_a_key_name(
    tmp_path: Path, witness_keys: dict[str, SigningKey], clock: FixedClock, name: str
) -> None:
    """It is refused before anything is asked of it."""
    with pytest.raises(BadNote):
        Witness(tmp_path / "w", name, witness_keys[NAME], clock)
