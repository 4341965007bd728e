"""Looks for bytes that a parser of ledgers answers otherwise than it promises: ``python -m benchmarks.ledger.fuzz``.

``… [SECONDS [SEED]]``, by default 60 s from a random seed. Inputs are mutated; one that takes a parser over a new edge
between lines is kept and mutated further. What is promised of each parser: nothing but its room's own error, what it
accepts re-encodes to the same bytes, and no input takes longer than SECONDS_EACH_MAX. Whatever breaks that is printed,
shortened, with the seed, and ends the run with exit code 1.
"""

from __future__ import annotations

import gzip
import io
import random
import sys
import time
from collections.abc import Callable
from http.client import HTTPException, HTTPResponse
from types import FrameType, SimpleNamespace
from typing import Any

from benchmarks.mutation import mutate
from watchword.errors import WatchwordError
from watchword.ledger import bundle, checkpoint, demand, fetch, notes, tiles, witness
from watchword.ledger.checkpoint import Checkpoint, cosign, sign_checkpoint
from watchword.statements import canonical, dsse, statement
from watchword.statements.keys import generate

SECONDS_EACH_MAX = 1.0
LENGTH_MAX = 20_000
"""Bytes; a note with two heads' lines has 7 KB."""

WATCHED = {m.__file__ for m in (bundle, checkpoint, demand, fetch, notes, tiles, witness, canonical, dsse, statement)}
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
    charter: Any = SimpleNamespace(digest="sha256:" + "00" * 32)
    demand.parse_demand(charter, "ALFA", data, 1_790_000_000)


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
        "charter": "sha256:" + "00" * 32, "format": demand.FORMAT, "from": None, "loose": None,
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


def trouble(parse: Callable[[bytes], None], data: bytes) -> str:
    """What is broken by *data*; empty when the promises hold."""
    begun = time.process_time()
    try:
        parse(data)
    except WatchwordError:
        pass
    except Exception as error:  # noqa: BLE001  this is what is looked for
        return f"{type(error).__name__}: {error}"
    spent = time.process_time() - begun
    return f"{spent:.1f} CPU-s for {len(data):,} bytes" if spent > SECONDS_EACH_MAX else ""


def edges(parse: Callable[[bytes], None], data: bytes) -> set[tuple[str, int, int]]:
    """The pairs of lines that a parser goes over in succession."""
    found: set[tuple[str, int, int]] = set()
    last = 0

    def line(frame: FrameType, event: str, argument: object) -> Any:
        nonlocal last
        if frame.f_code.co_filename not in WATCHED:
            return None
        found.add((frame.f_code.co_filename, last, frame.f_lineno))
        last = frame.f_lineno
        return line

    sys.settrace(line)
    try:
        trouble(parse, data)
    finally:
        sys.settrace(None)
    return found


def main(seconds: float, seed: int) -> int:
    rng, corpora, known, tried = random.Random(seed), seeds(), set[tuple[str, int, int]](), 0
    for name, corpus in corpora.items():
        for data in corpus:
            known |= edges(PARSERS[name], data)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        name = rng.choice(list(PARSERS))
        parse, corpus = PARSERS[name], corpora[name]
        data, tried = mutate(rng, corpus, PIECES, LENGTH_MAX), tried + 1
        broken = trouble(parse, data)
        if broken:
            at = 0
            while at < len(data):
                fewer = data[:at] + data[at + 1 :]
                data, at = (fewer, at) if trouble(parse, fewer) else (data, at + 1)
            print(f"seed {seed}, after {tried:,} inputs: {name}: {trouble(parse, data)}\n{data!r}")
            return 1
        if tried % 4 == 0:  # tracing is slow: a quarter of the inputs pays for it
            new = edges(parse, data) - known
            if new:
                known |= new
                corpus.append(data)
    kept = sum(map(len, corpora.values()))
    print(f"seed {seed}: {tried:,} inputs, {len(known):,} edges, {kept:,} kept, every promise held")
    return 0


if __name__ == "__main__":
    given = [int(word) for word in sys.argv[1:]]
    sys.exit(main(given[0] if given else 60, given[1] if len(given) > 1 else random.randrange(1 << 32)))
