"""The main job on a PyTorch file of 1 GB, beside SHA-256 of the same file.

The file is an archive as ``torch.save`` writes it, with one tensor of random bytes, so nothing in it is sparse. It is
in the page cache: what is measured is work, not the disk. Twice: in one process, both in turn, with a node open; and as
whole processes from start to exit, which adds what it takes to load watchword and to open the node.
"""

from __future__ import annotations

import json
import os
import pickle
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks.table import Row

TENSOR_BYTES = 1_000_000_000
RUNS = 3
GOAL_RATIO = 1.3
GOAL_MB = 200
BLOCK_BYTES = 8 * 1024 * 1024
HASH = "import hashlib, sys; hashlib.file_digest(open(sys.argv[1], 'rb'), 'sha256').hexdigest()"
BOTH = """
import hashlib, json, pathlib, sys, time
from watchword.assure import assure
from watchword.node import Node
model, home, report = map(pathlib.Path, sys.argv[1:4])
taken = {"sha256": [], "assure": []}
with Node.open(home, writing=True) as node:
    for _ in range(int(sys.argv[4])):
        start = time.perf_counter()
        with model.open("rb") as file:
            hashlib.file_digest(file, "sha256").hexdigest()
        middle = time.perf_counter()
        assure(model, node, report=report)
        taken["sha256"].append(middle - start)
        taken["assure"].append(time.perf_counter() - middle)
print(json.dumps(taken))
"""


def run() -> list[Row]:
    """Medians of three, the two taken in turns."""
    with tempfile.TemporaryDirectory(prefix="watchword-bench-") as name:
        folder = Path(name)
        model, home, report = folder / "model.pt", folder / "home", folder / "report.html"
        write_model(model, TENSOR_BYTES)
        script = Path(sys.executable).with_name("watchword")
        ours = [str(script), "assure", str(model), "--home", str(home), "--quiet", "--report", str(report)]
        peer = [sys.executable, "-c", HASH, str(model)]
        _run(peer, folder), _run(ours, folder)  # the first of each reads the disk, and founds the node
        pairs = [(_run(ours, folder), _run(peer, folder)) for _ in range(RUNS)]
        both = _run([sys.executable, "-c", BOTH, str(model), str(home), str(report), str(RUNS)], folder)
    taken = json.loads(both.output)
    seconds, peers = statistics.median(taken["assure"]), statistics.median(taken["sha256"])
    peak = max(both.peak_mb, *(mine.peak_mb for mine, _ in pairs))
    sha256 = "hashlib.file_digest, SHA-256"
    return [
        Row(
            what="assure, 1 GB PyTorch file",
            measured=seconds,
            unit="s",
            goal=f"≤ {GOAL_RATIO}× SHA-256",
            met=seconds <= GOAL_RATIO * peers,
            peer=sha256,
            peer_measured=peers,
            note=f"median of {RUNS}, both in one process with a node open",
        ),
        Row(
            what="assure, 1 GB PyTorch file, whole process",
            measured=statistics.median(mine.seconds for mine, _ in pairs),
            unit="s",
            peer=sha256,
            peer_measured=statistics.median(theirs.seconds for _, theirs in pairs),
            note=f"median of {RUNS} processes each, in turns",
        ),
        Row(
            what="assure, 1 GB PyTorch file, peak memory",
            measured=peak,
            unit="MB",
            goal=f"< {GOAL_MB} MB",
            met=peak < GOAL_MB,
            peer=sha256,
            peer_measured=max(theirs.peak_mb for _, theirs in pairs),
            note="resident set of the process, the most of all runs",
        ),
    ]


def write_model(path: Path, tensor_bytes: int) -> None:
    """An archive as ``torch.save`` writes it: one float32 tensor in ``data/0``, stored, not compressed."""
    block = os.urandom(BLOCK_BYTES)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
        archive.writestr("archive/data.pkl", _state_dict(tensor_bytes // 4))
        with archive.open("archive/data/0", "w", force_zip64=True) as member:
            for start in range(0, tensor_bytes, BLOCK_BYTES):
                member.write(block[: min(BLOCK_BYTES, tensor_bytes - start)])
        archive.writestr("archive/byteorder", b"little")
        archive.writestr("archive/version", b"3\n")


def _state_dict(count: int) -> bytes:
    """The pickle of ``{"weight": tensor}``, opcode by opcode: torch is not needed to write it."""

    def text(value: str) -> bytes:
        return b"X" + len(value).to_bytes(4, "little") + value.encode()

    def number(value: int) -> bytes:
        return pickle.dumps(value, 2)[2:-1]

    storage = b"(" + text("storage") + b"ctorch\nFloatStorage\n" + text("0") + text("cpu") + number(count) + b"tQ"
    tensor = (
        b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage + number(0) + number(count) + b"\x85" + number(1) + b"\x85"
    )
    return b"\x80\x02}" + text("weight") + tensor + b"\x89ccollections\nOrderedDict\n)RtRs."


@dataclass(frozen=True)
class _Ran:
    seconds: float
    peak_mb: float
    output: bytes


def _run(command: list[str], folder: Path) -> _Ran:
    """One process, which must end well: seconds from start to exit, peak memory, what it printed."""
    printed = folder / "stdout"
    with printed.open("wb") as output:
        started = time.perf_counter()
        process = subprocess.Popen(command, cwd=folder, stdout=output, stderr=subprocess.DEVNULL)
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{command[:2]} exited {process.returncode}")
    return _Ran(seconds, used.ru_maxrss / 1024, printed.read_bytes())
