"""Looks for programs that a real unpickler runs otherwise than the machine: ``python -m benchmarks.inspect.fuzz``.

``… [SECONDS [SEED]]``, by default 60 s from a random seed. Programs are mutated; one that takes the machine or its
reader over a new edge between lines is kept and mutated further. Whatever disagrees is printed, shortened, with the
seed, and ends the run with exit code 1.
"""

from __future__ import annotations

import collections
import pickle
import random
import struct
import sys
import time
from types import FrameType
from typing import Any

from benchmarks.inspect.corpus.assemble import call, name, program, push
from benchmarks.inspect.unpicklers import Disagreement, check
from benchmarks.mutation import mutate
from watchword.inspect.pickles import machine, opcodes, reader
from watchword.inspect.pickles.machine import Machine
from watchword.inspect.pickles.reader import FramedReader, Reader
from watchword.inspect.source import Held

WATCHED = {module.__file__ for module in (machine, opcodes, reader)}
# Without BYTEARRAY8: where a stream ends inside its bytes, CPython's C unpickler complains on stderr of itself.
PIECES = [bytes([code]) for code in sorted(opcodes.OPCODES - {0x96})] + [
    *(b"cmod\nname\n", b"imod\ncls\n", b"K\5", b"C\1z", b"\x8c\4name", b"\x8c\1a", b"Vx\n", b"S'a'\n", b"I7\n"),
    *(b"L7L\n", b"F1.5\n", b"Ppid\n", b"p0\n", b"g0\n", b"q\0", b"h\0", b"q\1", b"h\1", b"\x82\5", b"\x83\5\0"),
    *(b"\x84\5\0\0\0", b"r\2\0\0\0", b"j\2\0\0\0", b"\x8a\1\7", b"X\1\0\0\0m", b"U\1q", b"T\1\0\0\0q"),
    *(b"B\1\0\0\0y", b"\x80\4", b"\x80\5"),
    *(b"\x95" + struct.pack("<Q", size) for size in (0, 1, 3, 9)),
    *(code + struct.pack("<Q", 1) + b"w" for code in (b"\x8d", b"\x8e")),
]
LENGTH_MAX = 400
"""Bytes: longer programs say nothing that shorter ones do not, and cost more."""


def seeds() -> list[bytes]:
    """Honest pickles of every protocol, and programs of the calls that matter."""
    import datetime
    import fractions

    held: Any = collections.OrderedDict(a=[1, 2.5, "x", b"y", None, True, (1,), {2}, frozenset("ab"), 1 << 70])
    made = [pickle.dumps(value, protocol) for protocol in range(6) for value in (held, datetime.date(2026, 1, 1))]
    made += [pickle.dumps(fractions.Fraction(1, 3), protocol) for protocol in (0, 2, 4)]
    made += [program(call(name("mod", "name"), push([1]), "x"), protocol) for protocol in (0, 2, 4)]
    return made


def edges(data: bytes) -> set[tuple[int, int]]:
    """The pairs of lines that the machine goes over in succession, in both of its readings."""
    found: set[tuple[int, int]] = set()
    last = 0

    def line(frame: FrameType, event: str, argument: object) -> Any:
        nonlocal last
        if frame.f_code.co_filename not in WATCHED:
            return None
        found.add((last, frame.f_lineno))
        last = frame.f_lineno
        return line

    sys.settrace(line)
    try:
        for reading in (Reader, FramedReader):
            opcodes.run(Machine(lambda event: None, joblib=reading is Reader), reading(Held(data)))
    finally:
        sys.settrace(None)
    return found


def shortened(data: bytes) -> bytes:
    """*data* without the bytes that are not needed to disagree."""
    at = 0
    while at < len(data):
        fewer = data[:at] + data[at + 1 :]
        try:
            check(fewer)
            at += 1
        except Disagreement:
            data = fewer
    return data


def main(seconds: float, seed: int) -> int:
    rng, corpus, known, tried = random.Random(seed), seeds(), set[tuple[int, int]](), 0
    for data in corpus:
        known |= edges(data)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        data, tried = mutate(rng, corpus, PIECES, LENGTH_MAX), tried + 1
        try:
            check(data)
        except Disagreement:
            short = shortened(data)
            print(f"seed {seed}, after {tried:,} programs: {short.hex()}")
            try:
                check(short)
            except Disagreement as error:
                print(error)
            return 1
        if tried % 4 == 0:  # tracing is slow: a quarter of the programs pays for it
            new = edges(data) - known
            if new:
                known |= new
                corpus.append(data)
    print(f"seed {seed}: {tried:,} programs, {len(known):,} edges, {len(corpus):,} kept, no disagreement")
    return 0


if __name__ == "__main__":
    given = [int(word) for word in sys.argv[1:]]
    sys.exit(main(given[0] if given else 60, given[1] if len(given) > 1 else random.randrange(1 << 32)))
