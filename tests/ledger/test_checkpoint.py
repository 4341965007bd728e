"""Heads: who signed them, who cosigned them, and what no signature can be moved to."""

from __future__ import annotations

import contextlib
import struct
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from dilithium_py.ml_dsa import ML_DSA_44
from hypothesis import given, settings
from hypothesis import strategies as st

from watchword.ledger.checkpoint import (
    Checkpoint,
    cosign,
    cosignatures,
    cosigned_head,
    cosigned_text,
    merge,
    parse_checkpoint,
    sign_checkpoint,
    verify_head,
)
from watchword.ledger.merkle import EMPTY_ROOT, leaf_hash, root_of
from watchword.ledger.notes import BadNote, Note, NoteSignature, key_id, parse_note, parse_vkey
from watchword.limits import NOTE_LINES_MAX
from watchword.statements.keys import PublicKey, SigningKey, generate, verify_ed25519

ORIGIN = "log.example/one"
HEAD = Checkpoint(ORIGIN, 7, leaf_hash(b"root"))
NOW = 1_790_000_000


def both(vector, who: str) -> PublicKey:
    keys = vector["keys"]
    ed25519, mldsa = parse_vkey(keys[f"{who}_ed25519_vkey"]), parse_vkey(keys[f"{who}_mldsa44_vkey"])
    return PublicKey(ed25519.public, mldsa.public, 44)


def with_lines(note: bytes, lines) -> bytes:
    return Note(parse_note(note).text, tuple(lines)).format()


# -- others' vectors ------------------------------------------------------------------------------


def test_a_head_signed_and_cosigned_elsewhere_verifies(vector) -> None:
    """Log lines 01 and 06, witness lines 04 and 06, made by three other libraries; messages equal byte for byte."""
    known = vector("mldsa-cosignature/vector.json")
    note, origin = known["signed_note"].encode(), known["origin"]
    head = verify_head(note, origin, both(known, "log"))
    assert head == Checkpoint(origin, 11, root_of([leaf_hash(entry.encode()) for entry in known["entries"]]))
    assert cosignatures(note, {"witness.example/one": both(known, "witness")}) == {"witness.example/one": NOW}
    assert cosigned_head(origin, known["timestamp"], head).hex() == known["log_mldsa44_message_hex"]
    assert cosigned_head("witness.example/one", known["timestamp"], head).hex() == known["witness_mldsa44_message_hex"]


def test_a_subtree_signature_is_not_a_cosignature_of_a_head(vector) -> None:
    """The 06 line over leaves 8 to 11, put under the head of size 11, refuses the note: its key is known."""
    known = vector("mldsa-cosignature/vector.json")
    text = parse_note(known["signed_note"].encode()).text
    moved = f"{text}\n{known['subtree_8_11']['line'].strip()}\n".encode()
    with pytest.raises(BadNote, match="does not verify"):
        cosignatures(moved, {"witness.example/one": both(known, "witness")})


def test_cosignatures_of_running_witnesses_verify(vector_path, vector) -> None:
    """Ed25519 cosignatures (04) that sunlight's witness and mirror made over real heads."""
    folder = vector_path("sunlight-skylight/witness")
    for place, vkeys in (
        ("sunlight-skylight/witness", "witness.v0.json"),
        ("sunlight-skylight/witness2", "witness.v0.json"),
        ("sunlight-skylight/witness/mirror", "mirror.v0.json"),
    ):
        key = parse_vkey(vector(f"{place}/{vkeys}")["verifier_keys"][0])
        for file in (folder.parent.parent / place).glob("*/checkpoint"):
            if file.parent.name == "mirror":
                continue
            note = parse_note(file.read_bytes())
            assert parse_checkpoint(note.text).size == 300
            line = next(s for s in note.signatures if (s.name, s.key_id) == (key.name, key.key_id))
            time_s = struct.unpack(">Q", line.signature[:8])[0]
            verify_ed25519(key.public, line.signature[8:], cosigned_text(note.text, time_s))


def test_others_heads_parse(vector) -> None:
    """sigsum's, the checksum database's and the specification's; bad ones are refused."""
    tree = vector("golang-x-mod/tlog.json")
    assert parse_checkpoint(tree["tree_note"]["text"]).size == tree["tree_note"]["size"]
    for bad in tree["bad_tree_notes"][1:]:
        with pytest.raises(BadNote):
            parse_checkpoint(bad)
    examples = vector("c2sp-examples/examples.json")
    body = examples["checkpoint_body"]
    assert parse_checkpoint(body).format() == body
    assert cosigned_text(body, 1679315147).decode() == examples["cosigned_message_ed25519"]
    sigsum = parse_note(vector("sigsum-go/checkpoint.json")["checkpoint"].encode())
    assert parse_checkpoint(sigsum.text).size == 10
    seed = bytes([0x11]) + bytes(31)
    public = Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
    line = sigsum.signatures[0]
    assert line.key_id == key_id(line.name, 1, public)
    verify_ed25519(public, line.signature, sigsum.text.encode())


# -- the log's own signatures ---------------------------------------------------------------------


def test_our_signatures_verify_in_another_library(log_key: SigningKey) -> None:
    """dilithium-py accepts the 06 line over the bytes that the specification states."""
    note = parse_note(sign_checkpoint(HEAD, log_key, NOW))
    line = note.signatures[1]
    message = b"subtree/v1\n\0" + b"\x0flog.example/one" + struct.pack(">Q", NOW) + b"\x0flog.example/one"
    message += struct.pack(">QQ", 0, 7) + HEAD.root
    assert line.signature[:8] == struct.pack(">Q", NOW)
    assert ML_DSA_44.verify(log_key.public.mldsa, message, line.signature[8:])


@pytest.mark.parametrize("missing", [0, 1], ids=["no Ed25519 line", "no ML-DSA line"])
def test_a_head_signed_with_one_half_is_refused(log_key: SigningKey, missing: int) -> None:
    """Both types or nothing. Fails if ``verify_head`` asks for one of them only."""
    note = sign_checkpoint(HEAD, log_key)
    verify_head(note, ORIGIN, log_key.public)
    lines = [line for number, line in enumerate(parse_note(note).signatures) if number != missing]
    with pytest.raises(BadNote, match="lacks"):
        verify_head(with_lines(note, lines), ORIGIN, log_key.public)


def test_a_head_of_another_origin_is_refused(log_key: SigningKey) -> None:
    """The origin is asked for by name, not read from the note."""
    with pytest.raises(BadNote, match="not of"):
        verify_head(sign_checkpoint(HEAD, log_key), "log.example/two", log_key.public)


def test_a_head_of_another_key_is_refused(log_key: SigningKey) -> None:
    """Lines of unknown keys are ignored, so nothing is left to verify."""
    with pytest.raises(BadNote, match="lacks"):
        verify_head(sign_checkpoint(HEAD, generate(44)), ORIGIN, log_key.public)


def test_a_mixed_head_is_refused(log_key: SigningKey) -> None:
    """The Ed25519 line of our key and the ML-DSA line of another do not make a head."""
    ours, theirs = sign_checkpoint(HEAD, log_key), sign_checkpoint(HEAD, generate(44))
    lines = (parse_note(ours).signatures[0], parse_note(theirs).signatures[1])
    with pytest.raises(BadNote, match="lacks a 06"):
        verify_head(with_lines(ours, lines), ORIGIN, log_key.public)


def test_a_known_key_with_a_bad_signature_refuses_the_note(log_key: SigningKey) -> None:
    """Even when the same key's good lines stand beside it. Fails if bad lines are skipped."""
    note = sign_checkpoint(HEAD, log_key)
    good = parse_note(note).signatures
    for line in good:
        bad = replace(line, signature=line.signature[:-1] + bytes([line.signature[-1] ^ 1]))
        with pytest.raises(BadNote):
            verify_head(with_lines(note, (*good, bad)), ORIGIN, log_key.public)


def test_a_head_with_extension_lines_is_refused(log_key: SigningKey) -> None:
    """The 06 line does not cover them: somebody who broke Ed25519 could change them."""
    extended = replace(HEAD, extensions=("note: all is well",))
    with pytest.raises(BadNote, match="extension"):
        sign_checkpoint(extended, log_key)
    text = extended.format()
    first = NoteSignature(ORIGIN, key_id(ORIGIN, 1, log_key.public.ed25519), log_key.sign_ed25519(text.encode()))
    second = parse_note(sign_checkpoint(HEAD, log_key)).signatures[1]
    with pytest.raises(BadNote, match="extension"):
        verify_head(Note(text, (first, second)).format(), ORIGIN, log_key.public)


@pytest.mark.parametrize("change", ["size", "root"])
def test_signatures_cannot_be_moved_to_another_head(log_key: SigningKey, change: str) -> None:
    """Neither line survives a change of what it signs."""
    note = parse_note(sign_checkpoint(HEAD, log_key))
    other = replace(HEAD, **({"size": 8} if change == "size" else {"root": EMPTY_ROOT}))
    for line in note.signatures:
        with pytest.raises(BadNote, match="verify"):
            verify_head(Note(other.format(), (line,)).format(), ORIGIN, log_key.public)


def test_a_statement_key_does_not_sign_heads() -> None:
    """Heads are ML-DSA-44; a key of level 65 is refused, not cut to fit."""
    with pytest.raises(BadNote, match="level 65"):
        sign_checkpoint(HEAD, generate(65))


@pytest.mark.parametrize("origin", ["", "two words", "a+b", "x" * 256])
def test_an_origin_that_cannot_be_a_key_name_is_refused(log_key: SigningKey, origin: str) -> None:
    """Suite 1 signs under the origin as key name."""
    with pytest.raises(BadNote):
        sign_checkpoint(replace(HEAD, origin=origin), log_key)


# -- witnesses ------------------------------------------------------------------------------------


def cosigned(log_key: SigningKey, keys: dict[str, SigningKey], time_s: int = NOW) -> bytes:
    note = sign_checkpoint(HEAD, log_key)
    return note + b"".join(cosign(note, name, key, time_s) for name, key in keys.items())


def publics(keys: dict[str, SigningKey]) -> dict[str, PublicKey]:
    return {name: key.public for name, key in keys.items()}


def test_a_witness_counts_with_the_smaller_of_its_times(log_key: SigningKey, witness_keys) -> None:
    """Both lines are needed, and the smaller time is the one that both halves state."""
    name, key = next(iter(witness_keys.items()))
    note = sign_checkpoint(HEAD, log_key)
    early, late = (parse_note(note + cosign(note, name, key, at)).signatures[2:] for at in (NOW, NOW + 50))
    log_lines = parse_note(note).signatures
    known = {name: key.public}
    assert cosignatures(with_lines(note, (*log_lines, early[0], late[1])), known) == {name: NOW}
    assert cosignatures(with_lines(note, (*log_lines, late[0], early[1])), known) == {name: NOW}
    # The same witness again, later: its newest pair counts.
    assert cosignatures(with_lines(note, (*log_lines, *late, *early)), known) == {name: NOW + 50}


@pytest.mark.parametrize("kept", [0, 1], ids=["only 04", "only 06"])
def test_half_a_cosignature_does_not_count(log_key: SigningKey, witness_keys, kept: int) -> None:
    """Fails if one type is enough."""
    name, key = next(iter(witness_keys.items()))
    note = sign_checkpoint(HEAD, log_key)
    half = parse_note(note + cosign(note, name, key, NOW)).signatures[2 + kept]
    assert cosignatures(with_lines(note, (*parse_note(note).signatures, half)), {name: key.public}) == {}


def test_a_cosignature_without_a_time_does_not_count(log_key: SigningKey, witness_keys) -> None:
    """Time 0 states nothing about freshness; the library signs none, a foreign witness may."""
    name, key = next(iter(witness_keys.items()))
    note = sign_checkpoint(HEAD, log_key)
    with pytest.raises(BadNote, match="not a time"):
        cosign(note, name, key, 0)
    timeless = NoteSignature(
        name, key_id(name, 6, key.public.mldsa), bytes(8) + key.sign_mldsa(cosigned_head(name, 0, HEAD))
    )
    first = parse_note(note + cosign(note, name, key, NOW)).signatures[2]
    assert cosignatures(with_lines(note, (first, timeless)), {name: key.public}) == {}


def test_a_changed_time_refuses_the_note(log_key: SigningKey, witness_keys) -> None:
    """The time is signed in both types. Fails if it is left out of either message."""
    name, key = next(iter(witness_keys.items()))
    note = sign_checkpoint(HEAD, log_key)
    for line in parse_note(note + cosign(note, name, key, NOW)).signatures[2:]:
        younger = replace(line, signature=struct.pack(">Q", NOW + 1) + line.signature[8:])
        with pytest.raises(BadNote, match="verify"):
            cosignatures(with_lines(note, (younger,)), {name: key.public})


def test_a_cosignature_cannot_be_given_to_another_witness(log_key: SigningKey, witness_keys) -> None:
    """A key known under two names still signs for one: the ML-DSA message holds the name."""
    name, key = next(iter(witness_keys.items()))
    note = sign_checkpoint(HEAD, log_key)
    line = parse_note(note + cosign(note, name, key, NOW)).signatures[3]
    other = "witness.example/other"
    renamed = replace(line, name=other, key_id=key_id(other, 6, key.public.mldsa))
    with pytest.raises(BadNote, match="verify"):
        cosignatures(with_lines(note, (renamed,)), {other: key.public})


def test_unknown_lines_are_ignored(log_key: SigningKey, witness_keys) -> None:
    """Unknown names, unknown ids under known names, and types nobody knows."""
    note = cosigned(log_key, witness_keys)
    strangers = (
        NoteSignature("stranger.example", b"\1\2\3\4", b"anything"),
        NoteSignature(ORIGIN, b"\1\2\3\4", b"anything"),
        NoteSignature(next(iter(witness_keys)), b"\1\2\3\4", b"anything"),
    )
    crowded = with_lines(note, (*strangers, *parse_note(note).signatures))
    assert verify_head(crowded, ORIGIN, log_key.public) == HEAD
    assert cosignatures(crowded, publics(witness_keys)) == dict.fromkeys(witness_keys, NOW)


def test_merging_adds_what_verifies_and_nothing_else(log_key: SigningKey, witness_keys) -> None:
    """Two halves of a quorum come together; strangers' lines and repeats do not pile up."""
    note = sign_checkpoint(HEAD, log_key)
    (alfa, alfa_key), (bravo, bravo_key) = witness_keys.items()
    ours = note + cosign(note, alfa, alfa_key, NOW)
    stranger = NoteSignature("stranger.example", b"\1\2\3\4", b"anything").line().encode()
    theirs = note + cosign(note, bravo, bravo_key, NOW + 1) + cosign(note, alfa, alfa_key, NOW + 2) + stranger
    merged = merge(ours, theirs, publics(witness_keys))
    assert cosignatures(merged, publics(witness_keys)) == {alfa: NOW + 2, bravo: NOW + 1}
    assert verify_head(merged, ORIGIN, log_key.public) == HEAD
    assert len(parse_note(merged).signatures) == 6
    assert merge(merged, theirs, publics(witness_keys)) == merged


def test_merging_refuses_a_forged_cosignature(log_key: SigningKey, witness_keys) -> None:
    """Fails if ``merge`` takes lines over unverified."""
    note = sign_checkpoint(HEAD, log_key)
    alfa, alfa_key = next(iter(witness_keys.items()))
    forged = NoteSignature(alfa, key_id(alfa, 4, alfa_key.public.ed25519), struct.pack(">Q", NOW) + bytes(64))
    with pytest.raises(BadNote):
        merge(note, note + forged.line().encode(), publics(witness_keys))


def test_merging_refuses_another_head(log_key: SigningKey, witness_keys) -> None:
    """Cosignatures belong to one text."""
    other = sign_checkpoint(replace(HEAD, size=8), log_key)
    with pytest.raises(BadNote, match="another head"):
        merge(sign_checkpoint(HEAD, log_key), other, publics(witness_keys))


@pytest.mark.parametrize("name", ["", "two words", "a+b", "x" * 256])
def test_a_witness_whose_name_cannot_be_a_key_name_signs_nothing(log_key: SigningKey, name: str) -> None:
    """Its lines would break the note, or name somebody else's key."""
    with pytest.raises(BadNote):
        cosign(sign_checkpoint(HEAD, log_key), name, log_key, NOW)


def test_a_time_past_what_the_specification_allows_refuses_the_note(log_key: SigningKey, witness_keys) -> None:
    """2^63 and more, rightly signed: it would be fresh for ever. Fails when the largest time is not looked at."""
    name, key = next(iter(witness_keys.items()))
    note = sign_checkpoint(HEAD, log_key)
    for at, good in ((2**63 - 1, True), (2**63, False)):
        stamp, text = struct.pack(">Q", at), HEAD.format()
        first, second = key.sign_ed25519(cosigned_text(text, at)), key.sign_mldsa(cosigned_head(name, at, HEAD))
        lines = (
            NoteSignature(name, key_id(name, 4, key.public.ed25519), stamp + first),
            NoteSignature(name, key_id(name, 6, key.public.mldsa), stamp + second),
        )
        if good:
            assert cosignatures(with_lines(note, lines), {name: key.public}) == {name: at}
        else:
            for line in lines:
                with pytest.raises(BadNote, match="is above"):
                    cosignatures(with_lines(note, (line,)), {name: key.public})
    with pytest.raises(BadNote, match="not a time"):
        cosign(note, name, key, 2**63)


def test_a_line_counts_under_the_name_of_its_key_alone(log_key: SigningKey, witness_keys) -> None:
    """What a 04 line signs holds no name: under a stranger's, beside the right id, it is a stranger's line."""
    name, key = next(iter(witness_keys.items()))
    note = sign_checkpoint(HEAD, log_key)
    first, second = parse_note(note + cosign(note, name, key, NOW)).signatures[2:]
    assert cosignatures(with_lines(note, (first, second)), {name: key.public}) == {name: NOW}
    assert cosignatures(with_lines(note, (replace(first, name="x.example"), second)), {name: key.public}) == {}


def test_a_key_of_another_level_verifies_no_head(log_key: SigningKey) -> None:
    """A charter that lists a statement's key for a ledger is told so, and nothing verifies by it."""
    other = generate(65).public
    with pytest.raises(BadNote, match="of level 65"):
        verify_head(sign_checkpoint(HEAD, log_key), ORIGIN, other)
    with pytest.raises(BadNote, match="of level 65"):
        cosignatures(sign_checkpoint(HEAD, log_key), {"witness.example/alfa": other})


def test_merging_makes_no_note_that_nobody_reads(log_key: SigningKey, witness_keys) -> None:
    """Full of strangers' lines, a note takes no cosignature more; nothing is left out in silence."""
    note = sign_checkpoint(HEAD, log_key)
    room = NOTE_LINES_MAX - len(parse_note(note).signatures)
    strangers = [NoteSignature(f"s{n}.example", b"\1\2\3\4", b"anything") for n in range(room)]
    theirs = cosigned(log_key, witness_keys)
    for left, fits in ((4, True), (3, False)):
        ours = with_lines(note, (*parse_note(note).signatures, *strangers[left:]))
        if fits:
            merged = merge(ours, theirs, publics(witness_keys))
            assert len(parse_note(merged).signatures) == NOTE_LINES_MAX
        else:
            with pytest.raises(BadNote, match="would have more than"):
                merge(ours, theirs, publics(witness_keys))


# -- form -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "",
        "o\n1\n",
        "o\n1\n" + "A" * 43 + "=",
        "o\n01\n" + "A" * 43 + "=\n",
        "o\n-1\n" + "A" * 43 + "=\n",
        "o\n+1\n" + "A" * 43 + "=\n",
        "o\n1_0\n" + "A" * 43 + "=\n",
        "o\n\u0661\n" + "A" * 43 + "=\n",
        f"o\n{2**63}\n" + "A" * 43 + "=\n",
        "o\n1\n" + "A" * 42 + "==\n",
        "o\n1\n" + "A" * 42 + "B=\n",
        "\n1\n" + "A" * 43 + "=\n",
        "o\n1\n" + "A" * 43 + "=\n\nextension\n",
        "o\n" + "9" * 100_000 + "\n" + "A" * 43 + "=\n",
    ],
)
def test_a_malformed_head_is_refused(text: str) -> None:
    """Sizes and roots have one spelling; lines are whole and not empty."""
    with pytest.raises(BadNote):
        parse_checkpoint(text)


def test_the_largest_head_and_the_longest_name_are_read() -> None:
    """2^63 - 1 leaves under 255 bytes of origin, and none at all; a leaf or a byte more is refused."""
    for origin, size in (("o" * 255, 0), ("o", 2**63 - 1)):
        text = f"{origin}\n{size}\n" + "A" * 43 + "=\n"
        assert parse_checkpoint(text) == Checkpoint(origin, size, bytes(32))
    for origin, digits in (("o" * 256, "1"), ("\u00e9" * 128, "1"), ("o", str(2**63)), ("o", "00"), ("o", "0" * 19)):
        with pytest.raises(BadNote):
            parse_checkpoint(f"{origin}\n{digits}\n" + "A" * 43 + "=\n")


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=120) | st.lists(st.text("0123456789ABab=/+", max_size=50), max_size=5).map("\n".join))
def test_hostile_heads_raise_only_the_rooms_own_error(text: str) -> None:
    """Whatever parses prints the same."""
    with contextlib.suppress(BadNote):
        assert parse_checkpoint(text).format() == text
