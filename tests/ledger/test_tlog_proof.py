"""tlog-proof files: what others can read, and what proves nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alliance import RELEASE, Alliance, inspection, make_alliance, quick_disk
from hypothesis import given
from hypothesis import strategies as st

from watchword.ledger.tlog_proof import BadTlogProof, TlogProof, parse, verify
from watchword.node.proofs import CannotProve, tlog_proof

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
NOTE = b"log.example/a\n3\n" + b"A" * 43 + b"=\n\n\xe2\x80\x94 log.example/a AAAAAAAA\n"


@pytest.fixture(scope="module")
def alliance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Alliance]:
    """Three members; ALFA has five statements, all but the last cosigned."""
    with quick_disk():
        made = make_alliance(tmp_path_factory.mktemp("tlog") / "alliance", ("ALFA", "BRAVO", "CHARLIE"))
        for _ in range(4):
            made.nodes["ALFA"].sign_and_append("inspection", (RELEASE,), inspection())
        made.sync()
        made.nodes["ALFA"].sign_and_append("inspection", (RELEASE,), inspection())
        yield made
        made.close()


@pytest.mark.parametrize("index", range(4))
def test_a_statement_s_place_is_proven_under_a_cosigned_head(alliance: Alliance, index: int) -> None:
    """The format's lines, by hand: first line, extra, index, a path of two hashes, an empty line, the checkpoint."""
    data = tlog_proof(alliance.nodes["BRAVO"], f"ALFA#{index}").format()
    lines = data.decode().split("\n")
    assert lines[0] == "c2sp.org/tlog-proof@v1"
    assert lines[1].startswith("extra ") and lines[2] == f"index {index}"
    assert (lines[5], lines[6], lines[7]) == ("", "alfa.example/ledger", "4")
    proof = parse(data)
    head, time = verify(alliance.charter_file.charter, proof, proof.extra or b"", NOON)
    assert (head.origin, head.size, time) == ("alfa.example/ledger", 4, "2026-01-31T12:00:00Z")


def test_what_is_not_cosigned_has_no_proof(alliance: Alliance) -> None:
    """The fifth statement waits for its witnesses."""
    with pytest.raises(CannotProve, match="not cosigned yet"):
        tlog_proof(alliance.nodes["ALFA"], "ALFA#4")


def test_another_entry_place_or_head_proves_nothing(alliance: Alliance) -> None:
    """Each part of the file is bound to the others; fails where one is believed."""
    charter = alliance.charter_file.charter
    good = tlog_proof(alliance.nodes["ALFA"], "ALFA#2")
    entry = good.extra or b""
    verify(charter, good, entry, NOON)
    few = b"\n".join(line for line in good.note.split(b"\n") if b"witness" not in line)
    for bad, told in (
        (replace(good, index=1), "root"),
        (replace(good, path=good.path[::-1]), "root"),
        (replace(good, path=good.path[:1]), "."),
        (replace(good, note=few), "fewer than"),
        (replace(good, note=good.note.replace(b"alfa.example/ledger\n4", b"alfa.example/ledger\n5")), "."),
        (replace(good, note=good.note.replace(b"alfa.example", b"zulu.example")), "no shared ledger"),
    ):
        with pytest.raises(BadTlogProof, match=told):
            verify(charter, bad, entry, NOON)
    with pytest.raises(BadTlogProof):
        verify(charter, good, entry + b"x", NOON)


@pytest.mark.parametrize(
    "data",
    [
        b"", b"c2sp.org/tlog-proof@v2\nindex 0\n\n" + NOTE, b"c2sp.org/tlog-proof@v1\nindex 01\n\n" + NOTE,
        b"c2sp.org/tlog-proof@v1\nindex -1\n\n" + NOTE, b"c2sp.org/tlog-proof@v1\nindex 0\nAAAA\n\n" + NOTE,
        b"c2sp.org/tlog-proof@v1\nindex 0\n", b"c2sp.org/tlog-proof@v1\n\n" + NOTE,
        b"c2sp.org/tlog-proof@v1\nindex 0\nextra AAAA\n\n" + NOTE, b"c2sp.org/tlog-proof@v1\nindex 0\n\nnote",
        b"c2sp.org/tlog-proof@v1\nindex 0\n" + (b"A" * 43 + b"=\n") * 64 + b"\n" + NOTE,
    ],
)  # fmt: skip
def test_other_forms_are_refused(data: bytes) -> None:
    """Version, index, hashes, order, length: one form."""
    with pytest.raises(BadTlogProof):
        parse(data)


@given(
    index=st.integers(0, 2**63 - 1),
    path=st.lists(st.binary(min_size=32, max_size=32), max_size=63),
    extra=st.none() | st.binary(max_size=64),
)
def test_what_is_written_is_read_back(index: int, path: list[bytes], extra: bytes | None) -> None:
    """Every proof of the form has one file."""
    proof = TlogProof(index, tuple(path), NOTE, extra)
    assert parse(proof.format()) == proof


@given(st.binary(max_size=300))
def test_no_file_raises_anything_but_its_own_error(data: bytes) -> None:
    """Whatever follows the first line; what is read all the same is the one file of its proof."""
    for text in (data, b"c2sp.org/tlog-proof@v1\n" + data):
        try:
            proof = parse(text)
        except BadTlogProof:
            continue
        assert proof.format() == text


def test_a_proof_file_is_parsed_from_disk(alliance: Alliance, tmp_path: Path) -> None:
    """Bytes in, bytes out."""
    path = tmp_path / "x.tlog-proof"
    path.write_bytes(tlog_proof(alliance.nodes["ALFA"], "ALFA#0").format())
    assert parse(path.read_bytes(), str(path)).index == 0
