"""What inspecting costs: processor seconds and peak memory of a whole process, beside hashlib and the peers.

``python -m benchmarks.inspect.speed [PEER …]``, by default all peers whose environments are there. Every row is a
process of its own, so start-up is in it; the median of three. Large files are sparse where the format allows, made in
a temporary folder and removed. A peer's exit code stands beside its figure: 0 says clean, which all these files are.
"""

from __future__ import annotations

import json
import os
import pickle
import statistics
import struct
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.inspect import peers
from benchmarks.inspect.corpus.assemble import call, name, program, push
from benchmarks.table import Row, table

ROUNDS = 3
SECONDS_MAX = 300
MIB = 1 << 20
HASH = "import hashlib,sys\nwith open(sys.argv[1],'rb') as f: hashlib.file_digest(f,'sha256')"


@dataclass(frozen=True)
class Cost:
    """Processor seconds, peak MiB and exit code of one run, with the children it waited for."""

    seconds: float
    mebibytes: float
    code: int


def cost(command: Sequence[str]) -> Cost:
    spy = (
        "import json,resource,subprocess,sys\n"
        "limit, *command = sys.argv[1:]\n"
        "try: code = subprocess.run(command, stdout=-3, stderr=-3, timeout=float(limit)).returncode\n"
        "except subprocess.TimeoutExpired: code = -1\n"
        "u = resource.getrusage(resource.RUSAGE_CHILDREN)\n"
        "print(json.dumps([u.ru_utime + u.ru_stime, u.ru_maxrss / 1024, code]))"
    )
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"} | peers.QUIET
    done = subprocess.run(
        [sys.executable, "-c", spy, str(SECONDS_MAX), *command], env=environment, capture_output=True, check=True
    )
    return Cost(*json.loads(done.stdout))


def median(command: Sequence[str]) -> Cost:
    runs = [cost(command) for _ in range(ROUNDS)]
    seconds = statistics.median(run.seconds for run in runs)
    return Cost(seconds, max(run.mebibytes for run in runs), runs[-1].code)


def tensors(path: Path, size: int) -> None:
    """A safetensors file of one tensor."""
    header = json.dumps({"w": {"dtype": "U8", "shape": [size], "data_offsets": [0, size]}}).encode()
    with path.open("wb") as out:
        out.write(struct.pack("<Q", len(header)) + header)
        out.truncate(8 + len(header) + size)


def torch_zip(path: Path, size: int) -> None:
    """A state dict of one tensor, as ``torch.save`` lays it out."""
    storage = push(("storage", name("torch", "ByteStorage"), "0", "cpu", size))
    tensor = call(
        name("torch._utils", "_rebuild_tensor_v2"), type(storage)(storage + b"Q"), 0, (size,), (1,), False, {}
    )
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", program(push({"w": tensor}), 2))
        with archive.open(zipfile.ZipInfo("archive/data/0"), "w") as out:
            for _ in range(size // MIB):
                out.write(bytes(MIB))
        archive.writestr("archive/version", "3\n")


def joblib_array(path: Path, size: int) -> None:
    import joblib  # type: ignore[import-untyped]
    import numpy

    joblib.dump({"w": numpy.zeros(size, "u1")}, path)


def array_pickle(path: Path, size: int) -> None:
    import numpy

    with path.open("wb") as out:
        pickle.dump({"w": numpy.zeros(size, "u1")}, out, protocol=4)


def hostile(folder: Path) -> dict[str, Path]:
    made = {
        "10^7 opcodes": program(b"K\x010" * 5_000_000 + b"N"),
        "lists 200,000 deep": program(b"(" * 200_000 + b"l" * 200_000),
        "doubling tuples, 2^60": program(
            push(("x" * 100,)) + b"q\x00" + b"".join(b"h\x00h\x00\x86q\x000" for _ in range(60)) + b"h\x00"
        ),
        "memo of 10^6": program(b"".join(b"Nr" + struct.pack("<I", i) + b"0" for i in range(1_000_000)) + b"N"),
    }
    cut = b"\x95" + struct.pack("<Q", 1) + b"X\x04\0\0\0abcd0" + b"\x95" + struct.pack("<Q", 8_000_000)
    made["2·10^6 lines in a cut frame"] = program(cut + b"I1\n0" * 2_000_000 + b"N")
    made["10^6 dangerous calls"] = program(
        name("os", "system") + b"q\x000" + b"h\x00(X\x02\0\0\0idtR0" * 1_000_000 + b"N"
    )
    for key, data in made.items():
        (folder / f"{key}.pkl").write_bytes(data)
    documents = {"10^7 lists in JSON": b"[]," * 10_000_000, "3·10^6 objects in JSON": b'{"a":{}},' * 3_000_000}
    for key, data in documents.items():
        (folder / f"{key}.json").write_bytes(b'{"auto_map":[' + data + b"0]}")
    bomb = folder / "bomb.zip"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("m.pkl", "w") as out:
        for _ in range(1024):
            out.write(bytes(MIB))
    paths = {key: folder / f"{key}.pkl" for key in made} | {key: folder / f"{key}.json" for key in documents}
    return paths | {"zip of 1 GiB zeros": bomb}


@dataclass(frozen=True)
class Goal:
    """The issue's bounds: processor seconds, and MiB where it gives one (0: none)."""

    seconds: float
    mebibytes: int = 0

    def words(self) -> str:
        return f"≤ {self.seconds} CPU-s" + (f", {self.mebibytes} MiB" if self.mebibytes else "")

    def met(self, spent: Cost) -> bool:
        return spent.seconds <= self.seconds and (not self.mebibytes or spent.mebibytes <= self.mebibytes)


MINE = [sys.executable, "-m", "watchword", "inspect"]


def compared(what: str, path: Path, goal: Goal, wanted: Sequence[str], *options: str) -> Iterator[Row]:
    """One row for each peer, with our own figure in each."""
    mine = median([*MINE, *options, str(path)])
    note = f"peak {mine.mebibytes:.0f} MiB, exit {mine.code}"
    if not wanted:
        yield Row(what, mine.seconds, "CPU-s", goal.words(), goal.met(mine), note=note)
    for peer in peers.PEERS:
        if peer.package in wanted:
            command = [str(peers.cache() / "peers" / peer.package / "bin" / peer.command[0]), *peer.command[1:]]
            its = median([*command, str(path)])
            told = f"{note}; peer {its.mebibytes:.0f} MiB, exit {its.code}"
            yield Row(what, mine.seconds, "CPU-s", goal.words(), goal.met(mine), peer.package, its.seconds, told)


def hashed(what: str, path: Path) -> Row:
    whole, bare = median([*MINE, str(path)]), median([sys.executable, "-c", HASH, str(path)])
    met, note = whole.seconds <= 1.2 * bare.seconds, f"peak {whole.mebibytes:.0f} MiB"
    return Row(what, whole.seconds, "CPU-s", "≤ 1.2 × hashlib", met, "hashlib", bare.seconds, note)


def rows(wanted: Sequence[str], folder: Path) -> Iterator[Row]:
    small = folder / "small.pkl"
    small.write_bytes(pickle.dumps({"w": list(range(200))}))
    yield from compared("inspect, 1 KB pickle, start-up", small, Goal(0.15), wanted)
    large: dict[str, tuple[str, Callable[[Path, int], None]]] = {
        "safetensors": ("large.safetensors", tensors),
        "torch zip": ("large.pt", torch_zip),
    }
    for key, (name_of_file, write) in large.items():
        path = folder / name_of_file
        write(path, 1024 * MIB)
        yield from compared(f"inspect, 1 GiB {key}, judged", path, Goal(0.3, 40), wanted, "--no-hash")
        yield hashed(f"inspect, 1 GiB {key}, hashed", path)
        path.unlink()
    for key, name_of_file, write in (("joblib", "a.joblib", joblib_array), ("pickle", "a.pkl", array_pickle)):
        path = folder / name_of_file
        write(path, 512 * MIB)
        yield from compared(f"inspect, 0.5 GiB {key}, judged", path, Goal(1, 60), wanted, "--no-hash")
        path.unlink()
    many = folder / "many"
    many.mkdir()
    for index in range(2000):
        (many / f"{index}.pkl").write_bytes(pickle.dumps({"w": [index] * 50}))
    yield from compared("inspect, 2,000 small pickles, hashed", many, Goal(1.2), wanted)
    for key, path in hostile(folder).items():
        spent = cost([*MINE, "--no-hash", str(path)])
        note = f"peak {spent.mebibytes:.0f} MiB, exit {spent.code}"
        met = spent.mebibytes <= 512 and spent.code in (0, 1)
        yield Row(f"inspect, hostile: {key}", spent.seconds, "CPU-s", "a verdict, ≤ 512 MiB", met, note=note)


if __name__ == "__main__":
    here = [peer.package for peer in peers.PEERS if (peers.cache() / "peers" / peer.package / "ready").exists()]
    with tempfile.TemporaryDirectory() as name_of_folder:
        print(table(list(rows(sys.argv[1:] or here, Path(name_of_folder)))))
