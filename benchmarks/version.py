"""How long ``watchword --version`` takes, from process start to exit, beside Python that does nothing."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.table import Row

RUNS = 20
GOAL_MS = 150


def run() -> list[Row]:
    """The median of 20 runs each, taken in turns so that both see the same machine."""
    script = Path(sys.executable).with_name("watchword")
    ours = [str(script), "--version"]
    bare = [sys.executable, "-c", "pass"]
    _milliseconds(ours), _milliseconds(bare)  # the first run of each reads the disk
    taken = [(_milliseconds(ours), _milliseconds(bare)) for _ in range(RUNS)]
    measured = statistics.median(pair[0] for pair in taken)
    return [
        Row(
            what="watchword --version",
            measured=measured,
            unit="ms",
            goal=f"≤ {GOAL_MS} ms",
            met=measured <= GOAL_MS,
            peer="python -c pass",
            peer_measured=statistics.median(pair[1] for pair in taken),
            note=f"median of {RUNS} processes",
        )
    ]


def _milliseconds(command: list[str]) -> float:
    started = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return (time.perf_counter() - started) * 1_000
