"""A search that coverage guides, for any parsers: inputs are mutated, and what reaches a new edge is mutated further.

What is promised of each parser: nothing but our own error is raised, and no input takes longer than SECONDS_EACH_MAX.
What reached a new edge is kept in tests/kept/NAME.jsonl, one input on a line, where the next search begins.
"""

from __future__ import annotations

import base64
import json
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from benchmarks.mutation import mutate, mutate_json, mutate_toml
from watchword.errors import WatchwordError

SECONDS_EACH_MAX = 1.0
LENGTH_MAX = 20_000
"""Bytes, where no honest input is longer; a note with two heads' lines has 7 KB, a backup of an empty node 10."""

KEPT = Path(__file__).resolve().parents[1] / "tests" / "kept"
KEPT_BYTES_MAX = 2_000
"""Of one input that is kept for later: longer ones are found again from shorter ones."""

Parser = Callable[[bytes], object]


def in_file(read: Callable[[Path], object], name: str = "given.json") -> Parser:
    """*read* of a file of that name that holds the input. On Linux it goes through memory."""

    def parse(data: bytes) -> None:
        with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
            path = Path(folder, name)
            path.touch(0o600)
            path.write_bytes(data)
            read(path)

    return parse


MEMORY = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: PTH112  a folder of our own is made in it


def trouble(parse: Parser, data: bytes) -> str:
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


@dataclass(frozen=True)
class Searched:
    """What is searched: *parsers*, honest *seeds* of each, and the modules whose lines are *watched*; *name*: of what
    was kept."""

    name: str
    parsers: Mapping[str, Parser]
    seeds: Mapping[str, Sequence[bytes]]
    watched: frozenset[str | None]
    pieces: Sequence[bytes]


def kept(name: str) -> dict[str, list[bytes]]:
    """What searches of that name kept, by parser."""
    found: dict[str, list[bytes]] = {}
    path = KEPT / f"{name}.jsonl"
    for line in path.read_bytes().splitlines() if path.is_file() else ():
        parser, data = json.loads(line)
        found.setdefault(parser, []).append(base64.b64decode(data))
    return found


def keep(name: str, corpora: Mapping[str, Sequence[bytes]]) -> None:
    """Write what is to be kept, in one order, so that two searches can be compared."""
    KEPT.mkdir(exist_ok=True)
    lines = sorted({
        json.dumps([parser, base64.b64encode(data).decode()]) + "\n"
        for parser, corpus in corpora.items() for data in corpus if len(data) <= KEPT_BYTES_MAX
    })  # fmt: skip
    KEPT.joinpath(f"{name}.jsonl").write_text("".join(lines))


def search(of: Searched, seconds: float, seed: int, keeps: bool = False) -> int:
    """0 when every promise held for *seconds*, else 1; prints either. *keeps*: what was new is written to ``KEPT``."""
    rng, known, tried = random.Random(seed), set[tuple[str, int, int]](), 0
    corpora = {name: list(corpus) for name, corpus in of.seeds.items()}
    before = kept(of.name)
    for name, corpus in corpora.items():
        for data in corpus:
            known |= _edges(of, name, data)
    worth: dict[str, list[bytes]] = {name: [] for name in corpora}
    for name, corpus in corpora.items():
        for data in before.get(name, ()):
            broken = trouble(of.parsers[name], data)
            if broken:
                print(f"kept: {name}: {broken}\n{data!r}")
                return 1
            new = _edges(of, name, data) - known
            known |= new
            corpus.append(data)
            if new:
                worth[name].append(data)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        name = rng.choice(list(of.parsers))
        parse, corpus = of.parsers[name], corpora[name]
        longest = max(LENGTH_MAX, len(corpus[0]) + 1_000)
        if rng.random() < 0.5:
            data = mutate(rng, corpus, of.pieces, longest)
        else:
            data = rng.choice(corpus)
            data = (mutate_json if data[:1] in (b"{", b"[") else mutate_toml)(rng, data)[:longest]
        tried += 1
        broken = trouble(parse, data)
        if broken:
            data = _shortened(parse, data)
            print(f"seed {seed}, after {tried:,} inputs: {name}: {trouble(parse, data) or broken}\n{data!r}")
            return 1
        if tried % 4 == 0:  # tracing is slow: a quarter of the inputs pays for it
            new = _edges(of, name, data) - known
            if new:
                known |= new
                corpus.append(data)
                worth[name].append(data)
    if keeps:
        keep(of.name, worth)
    held = sum(map(len, corpora.values()))
    print(f"seed {seed}: {tried:,} inputs, {len(known):,} edges, {held:,} kept, every promise held")
    return 0


def main(of: Callable[[], Searched]) -> int:
    """Search *of* as ``SECONDS SEED keep`` of the command line say: 60, a random one, and nothing kept by default."""
    given = [int(word) for word in sys.argv[1:] if word != "keep"]
    seed = given[1] if len(given) > 1 else random.randrange(1 << 32)
    return search(of(), given[0] if given else 60, seed, "keep" in sys.argv[1:])


def _edges(of: Searched, name: str, data: bytes) -> set[tuple[str, int, int]]:
    """The pairs of lines that a parser goes over in succession."""
    found: set[tuple[str, int, int]] = set()
    last = 0

    def line(frame: FrameType, event: str, argument: object) -> Any:
        nonlocal last
        if frame.f_code.co_filename not in of.watched:
            return None
        found.add((frame.f_code.co_filename, last, frame.f_lineno))
        last = frame.f_lineno
        return line

    sys.settrace(line)
    try:
        trouble(of.parsers[name], data)
    finally:
        sys.settrace(None)
    return found


def _shortened(parse: Parser, data: bytes) -> bytes:
    """*data* without what is not needed to break a promise: halves first, single bytes last, for a minute at most."""
    size, end = max(1, len(data) // 2), time.monotonic() + 60
    while size:
        at = 0
        while at < len(data) and time.monotonic() < end:
            fewer = data[:at] + data[at + size :]
            data, at = (fewer, at) if trouble(parse, fewer) else (data, at + size)
        size //= 2
    return data
