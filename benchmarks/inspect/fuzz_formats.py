"""Looks for bytes on which a parser of the inspector fails: ``python -m benchmarks.inspect.fuzz_formats``.

``… [SECONDS [SEED [FOLDER]]]``, by default 60 s from a random seed. Seeds are the samples of the tests and what is kept
in FOLDER (default: tests/inspect/kept). Inputs are mutated; one that takes a parser over a new pair of lines is mutated
further, and written to FOLDER where one is named. What is promised of every parser (I8): nothing is raised, the verdict
comes within SECONDS_EACH_MAX, and is the same when asked again. Whatever breaks that is printed, shortened, with the
seed, and ends the run with exit code 1.
"""

from __future__ import annotations

import bz2
import gzip
import hashlib
import io
import lzma
import pickle
import random
import struct
import sys
import tarfile
import time
import zipfile
from collections.abc import Iterable
from pathlib import Path
from types import FrameType
from typing import Any

import watchword.inspect.formats
from benchmarks.mutation import mutate
from watchword.inspect.exhibit import Exhibit
from watchword.inspect.judge import judge, judge_exhibit
from watchword.inspect.judgement import Judgement
from watchword.inspect.source import Held

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "tests" / "inspect" / "samples"
KEPT = ROOT / "tests" / "inspect" / "kept"
WATCHED = (
    str(Path(watchword.inspect.formats.__file__).parent),
    str(ROOT / "src" / "watchword" / "inspect" / "pickles"),
)
SECONDS_EACH_MAX = 10.0
"""Of one input of LENGTH_MAX; the bounds of each parser are far below, and this machine may be busy."""
LENGTH_MAX = 64 * 1024
SEED_BYTES_MAX = 32 * 1024
PIECES = [
    *(bytes([value]) for value in (0, 1, 0x7F, 0x80, 0xFF)),
    *(
        value.to_bytes(size, order)
        for value in (0, 1, 2**31 - 1, 2**32 - 1)
        for size in (4, 8)
        for order in ("little", "big")
    ),
    *(
        b"PK\3\4",
        b"PK\1\2",
        b"PK\5\6",
        b"\x89HDF\r\n\x1a\n",
        b"GGUF",
        b"\x93NUMPY",
        b"7z\xbc\xaf\x27\x1c",
        b"\x1f\x8b\x08",
    ),
    *(
        b"ustar",
        b"BZh9",
        b"\xfd7zXZ\0",
        b"(\xb5/\xfd",
        b"TFL3",
        b"ET12",
        b"RDX3\n",
        b"\x80\x04",
        b"cposix\nsystem\n",
        b"R.",
    ),
    *(
        b"{",
        b"}",
        b"[",
        b"]",
        b'"',
        b":",
        b"{{",
        b"}}",
        b"{%",
        b"__class__",
        b"<?xml",
        b"<!ENTITY",
        b"!!python/object:",
    ),
]


def told(data: bytes) -> tuple[Any, ...]:
    """What the inspector says of *data*: format, words, findings, ranges that nobody read."""
    into = Judgement(judge_exhibit, None)
    said = judge(Held(data), "x", into)
    Exhibit(Held(data), "x", into)
    return *said, tuple(into.findings), tuple(into.unread)


def edges(data: bytes) -> set[tuple[str, int, int]]:
    """The pairs of lines of the parsers that are gone over in succession."""
    found: set[tuple[str, int, int]] = set()

    def line(frame: FrameType, event: str, argument: object) -> Any:
        name = frame.f_code.co_filename
        if not name.startswith(WATCHED):
            return None
        last = frame.f_lineno

        def within(frame: FrameType, event: str, argument: object) -> Any:
            nonlocal last
            found.add((name, last, frame.f_lineno))
            last = frame.f_lineno
            return within

        return within

    sys.settrace(line)
    try:
        told(data)
    finally:
        sys.settrace(None)
    return found


def broken(data: bytes) -> str:
    """What promise *data* breaks; empty for none."""
    started = time.process_time()
    try:
        first = told(data)
        again = told(data)
    except Exception as error:
        if isinstance(error, MemoryError):
            raise
        return f"{type(error).__name__}: {error}"
    if first != again:
        return "two verdicts for the same bytes"
    taken = time.process_time() - started
    return f"{taken:.1f} s of CPU for two verdicts" if taken > 2 * SECONDS_EACH_MAX else ""


def shortened(data: bytes, why: str) -> bytes:
    """*data* without the parts that are not needed to break the same promise."""
    size, kind, end = len(data) // 2, why.partition(":")[0], time.monotonic() + 60
    while size and time.monotonic() < end:
        at = 0
        while at < len(data) and time.monotonic() < end:
            fewer = data[:at] + data[at + size :]
            if broken(fewer).partition(":")[0] == kind:
                data = fewer
            else:
                at += size
        size //= 2
    return data


def seeds(folders: Iterable[Path]) -> list[bytes]:
    """The files of *folders*, cut to a length that can be mutated quickly."""
    files = sorted(path for folder in folders if folder.is_dir() for path in folder.iterdir() if path.is_file())
    return [data for path in files if 0 < len(data := path.read_bytes()) <= SEED_BYTES_MAX]


def made() -> list[bytes]:
    """Small honest files of the formats of which no sample is small."""
    held = pickle.dumps({"w": [1.0, 2.0]}, 2)
    header = b'{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'
    array = b"{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }".ljust(117) + b"\n"
    zipped, tarred = io.BytesIO(), io.BytesIO()
    with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("m/data.pkl", held)
        archive.writestr("m/version", "3\n")
        archive.writestr("config.json", '{"class_name": "Lambda"}')
    with tarfile.open(fileobj=tarred, mode="w") as tar:
        member = tarfile.TarInfo("m.pkl")
        member.size = len(held)
        tar.addfile(member, io.BytesIO(held))
    return [
        *(
            held,
            zipped.getvalue(),
            tarred.getvalue(),
            gzip.compress(held, mtime=0),
            bz2.compress(held),
            lzma.compress(held),
        ),
        len(header).to_bytes(8, "little") + header + bytes(4),
        b"\x93NUMPY\1\0" + len(array).to_bytes(2, "little") + array + bytes(4),
        b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + struct.pack("<Q", 1) + b"k" + struct.pack("<IQ", 8, 3) + b"{{x",
        b'{"auto_map": {"AutoModel": "modeling_x.X"}, "chat_template": "{% for m in messages %}{{ m.x }}{% endfor %}"}',
        b"import os\n\nclass X:\n    def f(self):\n        return os.getcwd()\n",
        b"a: !!python/object:x.Y\n  b: [1, 2]\n",
        b'<?xml version="1.0"?><PMML version="4.4"><Header/></PMML>',
        b'{"cells": [{"cell_type": "code", "source": ["!ls"]}], "nbformat": 4, "metadata": {}}',
    ]


def main(seconds: float, seed: int, keep: Path | None) -> int:
    """0 when nothing broke, else 1."""
    rng, known, tried = random.Random(seed), set[tuple[str, int, int]](), 0
    corpus = made() + seeds([SAMPLES, KEPT, *([keep] if keep else [])])
    for data in corpus:
        known |= edges(data)
    begun, end = len(corpus), time.monotonic() + seconds
    while time.monotonic() < end:
        data, tried = mutate(rng, corpus, PIECES, LENGTH_MAX), tried + 1
        why = broken(data)
        if why:
            short = shortened(data, why)
            print(f"seed {seed}, after {tried:,} inputs: {why}\n{len(short):,} bytes: {short[:2_000].hex()}")
            if keep is not None:
                keep.mkdir(parents=True, exist_ok=True)
                keep.joinpath(f"broke-{hashlib.sha256(short).hexdigest()[:16]}").write_bytes(short)
            return 1
        new = edges(data) - known
        if new:
            known |= new
            corpus.append(data)
            if keep is not None:
                keep.mkdir(parents=True, exist_ok=True)
                keep.joinpath(hashlib.sha256(data).hexdigest()[:16]).write_bytes(data)
    kept = len(corpus) - begun
    print(f"seed {seed}: {tried:,} inputs, {len(known):,} edges, {begun:,} seeds, {kept:,} kept, none broke")
    return 0


if __name__ == "__main__":
    given = sys.argv[1:]
    sys.exit(
        main(
            float(given[0]) if given else 60,
            int(given[1]) if len(given) > 1 else random.randrange(1 << 32),
            Path(given[2]) if len(given) > 2 else None,
        )
    )
