"""What it costs to load only what was inspected: the guard on a safetensors file of 1 GB, beside SHA-256 of the file.

In one process, in turns, from the page cache. Held in sealed memory, and held in a folder where temporary files go.
"""

from __future__ import annotations

import hashlib
import json
import os
import statistics
import tempfile
import time
from pathlib import Path

from benchmarks.table import Row
from watchword.guard import admitted

BYTES = 1_000_000_000
BLOCK_BYTES = 8 * 1024 * 1024
RUNS = 3
GOAL_RATIO = 2.0


def run() -> list[Row]:
    """Medians of three."""
    with tempfile.TemporaryDirectory(prefix="watchword-bench-") as name:
        path = Path(name) / "model.safetensors"
        _write(path)
        taken: dict[str, list[float]] = {"hash": [], "memory": [], "folder": []}
        for _ in range(RUNS):
            started = time.perf_counter()
            with path.open("rb") as file:
                hashlib.file_digest(file, "sha256").hexdigest()
            taken["hash"].append(time.perf_counter() - started)
            for kind in ("memory", "folder"):
                started = time.perf_counter()
                with admitted(path, in_memory=kind == "memory", place=Path(name)):
                    taken[kind].append(time.perf_counter() - started)
    peer = statistics.median(taken["hash"])
    return [
        Row(
            what=f"guard, 1 GB safetensors, held in {'sealed memory' if kind == 'memory' else 'a folder'}",
            measured=statistics.median(taken[kind]),
            unit="s",
            goal=f"≤ {GOAL_RATIO}× SHA-256" if kind == "memory" else "",
            met=statistics.median(taken[kind]) <= GOAL_RATIO * peer if kind == "memory" else None,
            peer="hashlib.file_digest, SHA-256",
            peer_measured=peer,
            note=f"median of {RUNS}: copied, sealed, hashed, inspected; takes 1 GB there",
        )
        for kind in ("memory", "folder")
    ]


def _write(path: Path) -> None:
    header = json.dumps({"w": {"dtype": "U8", "shape": [BYTES], "data_offsets": [0, BYTES]}}).encode()
    block = os.urandom(BLOCK_BYTES)
    with path.open("wb") as file:
        file.write(len(header).to_bytes(8, "little") + header)
        for start in range(0, BYTES, BLOCK_BYTES):
            file.write(block[: min(BLOCK_BYTES, BYTES - start)])
