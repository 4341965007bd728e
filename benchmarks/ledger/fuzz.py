"""Looks for bytes that a parser of ledgers answers otherwise than it promises: ``python -m benchmarks.ledger.fuzz``.

``… [SECONDS [SEED]] [keep]``, by default 60 s from a random seed. Inputs are mutated; one that takes a parser over a
new edge between lines is kept and mutated further. What is promised of each parser: only its room's own error, what it
accepts re-encodes to the same bytes, and no input takes longer than a second. Whatever breaks that is printed,
shortened, with the seed, and ends the run with exit code 1.
"""

from __future__ import annotations

import gzip
import io
import sys
from collections.abc import Callable
from http.client import HTTPException, HTTPResponse
from pathlib import Path

from benchmarks import searching
from watchword.charter.charter import parse_charter_file
from watchword.ledger import bundle, checkpoint, demand, fetch, notes, tiles, witness
from watchword.ledger.checkpoint import Checkpoint, cosign, sign_checkpoint
from watchword.statements import canonical, dsse, statement
from watchword.statements.keys import generate

_MODULES = (bundle, checkpoint, demand, fetch, notes, tiles, witness, canonical, dsse, statement)
WATCHED = frozenset(module.__file__ for module in _MODULES)
PIECES = [
    b"old ",
    *(b"\n", b"\n\n", b" ", b"+", b"=", b"\xe2\x80\x94 ", b"0", b"00", b"-1", b"18446744073709551616"),
    b"\0",
    b"tile/",
    *(b"\xff", b'"', b"{", b"}", b"[", b"]", b",", b":", b"null", b"1e9", b"\\ud800", b"x001/", b".p/", b"256"),
    *(b"\r\n", b"HTTP/1.1 200 OK\r\n", b"Content-Length: ", b"Content-Encoding: gzip\r\n", b"AAAA", bytes(32)),
    *(b"Transfer-Encoding: chunked\r\n", b"sha256:" + b"0" * 64),
]


def same(data: bytes, again: bytes) -> None:
    if again != data:
        raise AssertionError(f"re-encodes to {again[:200]!r}")


def _note(data: bytes) -> None:
    parsed = notes.parse_note(data)
    same(data, parsed.format())
    same(parsed.text.encode(), checkpoint.parse_checkpoint(parsed.text).format().encode())


def _vkey(data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    same(text.encode(), notes.parse_vkey(text).format().encode())


def _request(data: bytes) -> None:
    same(data, witness.format_request(*witness.parse_request(data)))


def _entries(data: bytes) -> None:
    same(data[1:], tiles.encode_bundle(tiles.decode_bundle(data[1:], data[0] + 1 if data else 1)))


def _path(data: bytes) -> None:
    level, index, width = tiles.parse_path(data.decode("utf-8", "replace"))
    again = tiles.entries_path(index, width) if level is None else tiles.tile_path(level, index, width)
    same(data, again.encode())


def _bundle(data: bytes) -> None:
    same(data.removesuffix(b"\n"), bundle.encode(bundle.parse_bundle(data, "x")))


def _envelope(data: bytes) -> None:
    same(data.removesuffix(b"\n"), dsse.encode(dsse.parse(data)))
    statement.open_envelope(data)


def _demand(data: bytes) -> None:
    demand.parse_demand(_CHARTER, "ALFA", data, 1_790_000_000)


_PLACE = Path(__file__).resolve().parents[2] / "vectors" / "protocol" / "charter.json"
_CHARTER = parse_charter_file(_PLACE.read_bytes()).charter


def _answer(data: bytes) -> None:
    class Socket:
        def makefile(self, _: str) -> io.BytesIO:
            return io.BytesIO(data)

    answer = HTTPResponse(Socket())  # type: ignore[arg-type]
    try:
        answer.begin()
        if len(fetch._content(answer, 1_000, "x")) > 1_000:
            raise AssertionError("more than was allowed")
    except HTTPException:
        pass  # what ``Remote`` turns into its own error


PARSERS: dict[str, Callable[[bytes], None]] = {
    "note": _note, "vkey": _vkey, "request": _request, "entries": _entries, "path": _path, "bundle": _bundle,
    "envelope": _envelope, "demand": _demand, "answer": _answer,
}  # fmt: skip


def seeds() -> dict[str, list[bytes]]:
    """Honest inputs of each parser."""
    key = generate(44)
    note = sign_checkpoint(Checkpoint("log.example/x", 7, bytes(32)), key)
    cosigned = note + cosign(note, "witness.example/x", key, 1_790_000_000)
    vkey = notes.VerifierKey("log.example/x", notes.ED25519, key.public.ed25519).format().encode()
    envelope = canonical.canonical({
        "payload": "eyJhIjoxfQ==", "payloadType": dsse.IN_TOTO, "signatures": [{"keyid": "x", "sig": "AAAA"}],
    })  # fmt: skip
    asked = {
        "charter": _CHARTER.digest, "format": demand.FORMAT, "from": None, "loose": None,
        "time": "2026-09-21T14:13:20Z", "to": "ALFA", "want": ["sha256:" + "11" * 32],
    }  # fmt: skip
    packed = gzip.compress(b"x" * 500)
    empty = bundle.Bundle("exchange", "sha256:" + "00" * 32, "ALFA", None, "2026-09-21T14:13:20Z", (), ())
    part = bundle.LedgerPart("log.example/x", note, (bundle.Earlier(note, (bytes(32),)),), 5, (b"\1" * 33,) * 2)
    body = bundle.Body("content", bytes(32), b"x")
    full = bundle.Bundle("exchange", empty.charter, "ALFA", "BRAVO", empty.made, (part,), (body,), (envelope,), ({},))
    return {
        "note": [note, cosigned],
        "vkey": [vkey],
        "request": [witness.format_request(3, [bytes(32)] * 3, note), witness.format_request(0, [], note)],
        "entries": [b"\2" + tiles.encode_bundle([b"", b"a", b"b" * 40])],
        "path": [b"tile/0/x001/x234/067", b"tile/entries/000.p/12", b"tile/63/255"],
        "bundle": [bundle.encode(empty), bundle.encode(full)],
        "envelope": [envelope],
        "demand": [canonical.canonical({"demand": asked, "signature": None})],
        "answer": [
            b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc",
            b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%b" % (len(packed), packed),
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\na: b\r\n\r\n",
        ],
    }


def searched() -> searching.Searched:
    return searching.Searched("ledger", PARSERS, seeds(), WATCHED, PIECES)


if __name__ == "__main__":
    sys.exit(searching.main(searched))
