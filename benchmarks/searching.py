"""A search that coverage guides, for any parsers: inputs are mutated, and what reaches a new edge is mutated further.

What is promised of each parser: nothing but our own error is raised, and no input takes longer than SECONDS_EACH_MAX.
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import FrameType
from typing import Any

from benchmarks.mutation import mutate, mutate_json
from watchword.errors import WatchwordError

SECONDS_EACH_MAX = 1.0
LENGTH_MAX = 20_000
"""Bytes; a note with two heads' lines has 7 KB, a backup of an empty node 10."""

Parser = Callable[[bytes], None]


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
    """What is searched: *parsers*, honest *seeds* of each, and the modules whose lines are *watched*."""

    parsers: Mapping[str, Parser]
    seeds: Mapping[str, Sequence[bytes]]
    watched: frozenset[str | None]
    pieces: Sequence[bytes]


def search(of: Searched, seconds: float, seed: int) -> int:
    """0 when every promise held for *seconds*, else 1; prints either."""
    rng, known, tried = random.Random(seed), set[tuple[str, int, int]](), 0
    corpora = {name: list(corpus) for name, corpus in of.seeds.items()}
    for name, corpus in corpora.items():
        for data in corpus:
            known |= _edges(of, name, data)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        name = rng.choice(list(of.parsers))
        parse, corpus = of.parsers[name], corpora[name]
        if rng.random() < 0.5 and corpus[0][:1] in (b"{", b"["):
            data, tried = mutate_json(rng, rng.choice(corpus))[:LENGTH_MAX], tried + 1
        else:
            data, tried = mutate(rng, corpus, of.pieces, LENGTH_MAX), tried + 1
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
    kept = sum(map(len, corpora.values()))
    print(f"seed {seed}: {tried:,} inputs, {len(known):,} edges, {kept:,} kept, every promise held")
    return 0


def main(run: Callable[[float, int], int]) -> int:
    """*run* as ``SECONDS SEED`` of the command line say: 60 and a random one by default."""
    given = [int(word) for word in sys.argv[1:]]
    return run(given[0] if given else 60, given[1] if len(given) > 1 else random.randrange(1 << 32))


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
