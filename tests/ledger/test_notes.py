"""Signed notes and verifier keys: others' examples, and hostile bytes."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watchword.ledger.notes import (
    BadNote,
    Note,
    NoteSignature,
    VerifierKey,
    check_name,
    parse_note,
    parse_signatures,
    parse_vkey,
)
from watchword.limits import NOTE_BYTES_MAX, NOTE_LINES_MAX
from watchword.statements.keys import BadSignature, verify_ed25519

LINE = "— log.example AAAAAAE=\n"


def test_others_notes_verify(vector) -> None:
    """The notes of golang-x-mod parse, re-encode to the same bytes, and their known signatures verify."""
    known = vector("golang-x-mod/note.json")
    keys = {"peter": parse_vkey(known["peter_vkey"]), "enoch": parse_vkey(known["enoch_vkey"])}
    for case in known["good"] + known["unverified"]:
        note = parse_note(case["note"].encode())
        assert note.text == known["text"]
        assert note.format() == case["note"].encode()
        for key in (keys[name] for name in case["known"]):
            line = next(s for s in note.signatures if (s.name, s.key_id) == (key.name, key.key_id))
            verify_ed25519(key.public, line.signature, note.text.encode())


def test_others_bad_signature_does_not_verify(vector) -> None:
    """The corrupt signature of golang-x-mod parses and fails."""
    known = vector("golang-x-mod/note.json")
    key = parse_vkey(known["peter_vkey"])
    note = parse_note(known["invalid_signature"][0]["note"].encode())
    with pytest.raises(BadSignature):
        verify_ed25519(key.public, note.signatures[0].signature, note.text.encode())


def test_others_malformed_notes_are_refused(vector) -> None:
    """Every malformed note of golang-x-mod, a leading 0xff and 101 lines."""
    known = vector("golang-x-mod/note.json")
    good = known["good"][0]["note"].encode()
    for bad in [*(text.encode() for text in known["malformed"]), b"\xff" + good]:
        with pytest.raises(BadNote):
            parse_note(bad)
    parse_note(known["text"].encode() + b"\n" + LINE.encode() * NOTE_LINES_MAX)
    with pytest.raises(BadNote, match="more than 100"):
        parse_note(known["text"].encode() + b"\n" + LINE.encode() * (NOTE_LINES_MAX + 1))


def test_others_bad_verifier_keys_are_refused(vector) -> None:
    """A key of the wrong length and one of an unknown type, ids adjusted."""
    for text in vector("golang-x-mod/note.json")["bad_vkeys"].values():
        with pytest.raises(BadNote):
            parse_vkey(text)


def test_the_example_of_the_specification_verifies(vector) -> None:
    """signed-note's own example, with the key it states."""
    example = vector("c2sp-examples/examples.json")["signed_note"]
    key, note = parse_vkey(example["vkey"]), parse_note(example["note"].encode())
    assert key.format() == example["vkey"]
    assert note.signatures[0].key_id == key.key_id
    verify_ed25519(key.public, note.signatures[0].signature, note.text.encode())


def test_mldsa_verifier_keys_survive_their_text(vector) -> None:
    """Types 01, 04 and 06 parse and print the same."""
    for name, text in vector("mldsa-cosignature/vector.json")["keys"].items():
        if name.endswith("vkey"):
            assert parse_vkey(text).format() == text


def test_the_last_empty_line_parts_text_from_signatures() -> None:
    """Text may hold empty lines, even ones followed by what looks like a signature."""
    note = parse_note(f"text\n\n{LINE}\nmore\n\n{LINE}".encode())
    assert note.text == f"text\n\n{LINE}\nmore\n"
    assert len(note.signatures) == 1


@pytest.mark.parametrize(
    "name",
    ["", "a b", "a+b", "a\u00a0b", "a\u2003b", "a\u2028b", "a\tb", "é" * 128],
    ids=["empty", "space", "plus", "no-break space", "em space", "line separator", "tab", "256 bytes"],
)
def test_a_name_that_cannot_be_a_key_name_is_refused(name: str) -> None:
    """Names are non-empty, without Unicode spaces or plus, at most 255 bytes."""
    with pytest.raises(BadNote):
        parse_note(f"text\n\n— {name} AAAAAAE=\n".encode())


@pytest.mark.parametrize(
    "line",
    [
        "— log AAAAAAE=",
        "-- log AAAAAAE=\n",
        "— log AAAAAAE\n",
        "— log AAAAAAF=\n",
        "— log AAAAAA==\n",
        "— log AAAAAAE= \n",
        "\n",
    ],
    ids=["cut off", "hyphens", "no padding", "loose bits", "no signature", "trailing space", "nothing"],
)
def test_a_malformed_signature_line_is_refused(line: str) -> None:
    """There is one spelling of a signature line."""
    with pytest.raises(BadNote):
        parse_note(f"text\n\n{line}".encode())


def test_an_endless_note_is_refused_unread() -> None:
    """The limit is checked before anything else."""
    with pytest.raises(BadNote, match="limit"):
        parse_note(b"\xff" * (NOTE_BYTES_MAX + 1))


names = st.text(
    st.characters(codec="utf-8", exclude_categories=["Z", "Cc", "Cs"], exclude_characters="+"), min_size=1, max_size=40
)
texts = st.text(st.characters(codec="utf-8", min_codepoint=32), min_size=1, max_size=60).map(lambda text: text + "\n")
lines = st.builds(NoteSignature, names, st.binary(min_size=4, max_size=4), st.binary(min_size=1, max_size=80))


@settings(max_examples=150, deadline=None)
@given(st.lists(texts, min_size=1, max_size=4).map("".join), st.lists(lines, min_size=1, max_size=5))
def test_every_note_survives_its_bytes(text: str, signatures: list[NoteSignature]) -> None:
    """parse(format(note)) is the note."""
    note = Note(text, tuple(signatures))
    assert parse_note(note.format()) == note


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300) | st.text(max_size=100).map(lambda t: f"t\n\n— {t}\n".encode("utf-8", "replace")))
def test_hostile_bytes_raise_only_the_rooms_own_error(data: bytes) -> None:
    """Whatever parses re-encodes to the same bytes; whatever does not raises BadNote."""
    with contextlib.suppress(BadNote):
        assert parse_note(data).format() == data


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=80))
def test_hostile_texts_raise_only_the_rooms_own_error(text: str) -> None:
    """The same for signature lines and verifier keys."""
    for parse in (parse_signatures, parse_vkey):
        with pytest.raises(BadNote):
            parse(text)


@pytest.mark.parametrize(
    "name",
    ["", "a b", "a+b", "a\tb", "a\x00b", "a\x01b", "a\x1fb", "a\u00a0b", "a\u2028b", "\ud800", "x" * 256,
     "\u00e9" * 128],
)  # fmt: skip
def test_what_cannot_be_a_key_name_is_refused_wherever_it_stands(name: str) -> None:
    """White space of any script, a plus, a control character, half a character, 256 bytes: by itself, and in a key."""
    with pytest.raises(BadNote):
        check_name(name, "name")
    with pytest.raises(BadNote):
        parse_vkey(VerifierKey(name, 1, bytes(32)).format() if "\ud800" not in name else f"{name}+00000000+AQ==")


@pytest.mark.parametrize("name", ["a", "log.example/alfa", "\u00e9", "x" * 255, "!"])
def test_any_other_name_is_one(name: str) -> None:
    """Up to 255 bytes, whatever the script."""
    check_name(name, "name")
    key = VerifierKey(name, 1, bytes(32))
    assert parse_vkey(key.format()) == key


@pytest.mark.parametrize("cut", ["\n\n" + LINE, "\n" + LINE, "t\n\n" + LINE[:-1], "t\n\n", "t\n", ""])
def test_a_note_without_a_text_or_a_whole_line_is_none(cut: str) -> None:
    """It may be cut off; nothing is read into it."""
    assert parse_note(("t\n\n" + LINE).encode()).text == "t\n"
    with pytest.raises(BadNote):
        parse_note(cut.encode())
