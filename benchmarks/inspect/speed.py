"""What inspecting costs: processor seconds and peak memory of a whole process, beside hashlib and a peer.

``python -m benchmarks.inspect.speed [PEER]``. Every row is a process of its own, so start-up is in it; the median of
three. Large files are sparse where the format allows, made in a temporary folder and removed.
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
from collections.abc import Sequence
from pathlib import Path

from benchmarks.inspect import peers
from benchmarks.inspect.corpus.assemble import call, name, program, push
from benchmarks.table import Row, table

ROUNDS = 3
SECONDS_MAX = 300
MIB = 1 << 20
HASH = "import hashlib,sys\nwith open(sys.argv[1],'rb') as f: hashlib.file_digest(f,'sha256')"


def cost(command: Sequence[str]) -> tuple[float, float]:
    """Processor seconds and peak MiB of one run, with the children it waited for."""
    spy = (
        "import json,resource,subprocess,sys\n"
        f"subprocess.run(sys.argv[1:], stdout=-3, stderr=-3, timeout={SECONDS_MAX})\n"
        "u = resource.getrusage(resource.RUSAGE_CHILDREN)\n"
        "print(json.dumps([u.ru_utime + u.ru_stime, u.ru_maxrss / 1024]))"
    )
    environment = {**os.environ, **peers.QUIET}
    done = subprocess.run([sys.executable, "-c", spy, *command], env=environment, capture_output=True, check=True)
    seconds, mebibytes = json.loads(done.stdout)
    return seconds, mebibytes


def median(command: Sequence[str]) -> tuple[float, float]:
    runs = [cost(command) for _ in range(ROUNDS)]
    return statistics.median(run[0] for run in runs), max(run[1] for run in runs)


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


def hostile(folder: Path) -> dict[str, Path]:
    made = {
        "10^7 opcodes": program(b"K\x010" * 5_000_000 + b"N"),
        "lists 200,000 deep": program(b"(" * 200_000 + b"l" * 200_000),
        "doubling tuples, 2^60": program(
            push(("x" * 100,)) + b"q\x00" + b"".join(b"h\x00h\x00\x86q\x000" for _ in range(60)) + b"h\x00"
        ),
        "memo of 10^6": program(b"".join(b"Nr" + struct.pack("<I", i) + b"0" for i in range(1_000_000)) + b"N"),
    }
    for key, data in made.items():
        (folder / f"{key}.pkl").write_bytes(data)
    bomb = folder / "bomb.zip"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("m.pkl", "w") as out:
        for _ in range(1024):
            out.write(bytes(MIB))
    return {**{key: folder / f"{key}.pkl" for key in made}, "zip of 1 GiB zeros": bomb}


def rows(peer: str, folder: Path) -> list[Row]:
    mine = [sys.executable, "-m", "watchword", "inspect"]
    other = next(known for known in peers.PEERS if known.package == peer)
    theirs = [str(peers.cache() / "peers" / peer / "bin" / other.command[0]), *other.command[1:]]
    small = folder / "small.pkl"
    small.write_bytes(pickle.dumps({"w": list(range(200))}))
    made = []

    def add(what: str, path: Path, goal: str = "", most: float = 0, options: Sequence[str] = ("--no-hash",)) -> None:
        seconds, mebibytes = median([*mine, *options, str(path)])
        peers_seconds, _ = median([*theirs, str(path)])
        met = seconds <= most if goal else None
        made.append(Row(what, seconds, "CPU-s", goal, met, peer, peers_seconds, f"peak {mebibytes:.0f} MiB"))

    add("inspect, 1 KB pickle, start-up", small, "≤ 0.15 CPU-s", 0.15)
    for key, write in (("safetensors", tensors), ("torch zip", torch_zip)):
        path = folder / f"large.{'pt' if key == 'torch zip' else 'safetensors'}"
        write(path, 1024 * MIB)
        add(f"inspect, 1 GiB {key}, judged", path, "≤ 0.3 CPU-s", 0.3)
        hashed, peak = median([*mine, str(path)])
        bare, _ = median([sys.executable, "-c", HASH, str(path)])
        note = f"peak {peak:.0f} MiB"
        goal = "≤ 1.2 × hashlib"
        made.append(
            Row(f"inspect, 1 GiB {key}, hashed", hashed, "CPU-s", goal, hashed <= 1.2 * bare, "hashlib", bare, note)
        )
        path.unlink()
    array = folder / "array.joblib"
    joblib_array(array, 512 * MIB)
    add("inspect, 0.5 GiB joblib, judged", array, "≤ 1 CPU-s", 1)
    array.unlink()
    many = folder / "many"
    many.mkdir()
    for index in range(2000):
        (many / f"{index}.pkl").write_bytes(pickle.dumps({"w": [index] * 50}))
    add("inspect, 2,000 small pickles, hashed", many, "≤ 1.2 CPU-s", 1.2, ())
    for key, path in hostile(folder).items():
        seconds, mebibytes = cost([*mine, "--no-hash", str(path)])
        note = f"peak {mebibytes:.0f} MiB"
        made.append(Row(f"inspect, hostile: {key}", seconds, "CPU-s", "≤ 512 MiB", mebibytes <= 512, note=note))
    return made


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name_of_folder:
        print(table(rows(sys.argv[1] if len(sys.argv) > 1 else "picklescan", Path(name_of_folder))))
