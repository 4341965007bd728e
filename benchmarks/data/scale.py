"""What manifests, differences and screens cost, scaled up to what was promised: ``python -m benchmarks.data.scale``.

CPU seconds of one process, all its threads counted. Files lie in memory where /dev/shm is, so that no disk is measured.
"""

from __future__ import annotations

import hashlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.table import Row, table
from watchword.data import diff_rows, manifest_rows, write_manifest
from watchword.data.files import manifest_files

FILES, ROWS, WIDE = 50_000, 1_000_000, 64
GIB = 1 << 30

_SCREEN = """
import json, resource, sys, time
from pathlib import Path
from watchword.data.screening.sample import read_sample
from watchword.data.screening.screen import screen
sample = read_sample(Path(sys.argv[1]), Roles(None, "label", None, None))
read = time.process_time()
found = screen(sample)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps([time.process_time(), read, peak, len(found.listed)]))
"""


def run() -> list[Row]:
    """Every figure."""
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as name:
        place = Path(name)
        return [*_files(place / "small"), *_large(place / "large"), *_rows(place), *_screen(place)]


def _waited(what: Callable[[], Any]) -> tuple[float, float, Any]:
    """Seconds waited and CPU seconds taken, those of processes that were started and have ended among them."""
    at, used = time.perf_counter(), _used()
    made = what()
    return time.perf_counter() - at, _used() - used, made


def _used() -> float:
    both = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in both)


def _taken(what: Callable[[], Any]) -> tuple[float, Any]:
    started = time.process_time()
    made = what()
    return time.process_time() - started, made


def _files(folder: Path) -> list[Row]:
    for at in range(FILES):
        place = folder / str(at // 1000)
        place.mkdir(parents=True, exist_ok=True)
        (place / str(at)).write_bytes(b"%08d" % at * 512)
    taken, _ = _taken(lambda: manifest_files(folder))
    scaled = taken * 1_000_000 / FILES
    return [
        Row("manifest of 10^6 files of 4 KiB", scaled, "s", "≤ 30 CPU-s", scaled <= 30, note=f"scaled from {FILES:,}")
    ]


def _large(folder: Path) -> list[Row]:
    folder.mkdir()
    block = os.urandom(1 << 20)
    (folder / "one").write_bytes(block * 1024)
    taken, _ = _taken(lambda: manifest_files(folder))
    alone, _ = _taken(lambda: [hashlib.sha256(block) for _ in range(1024)])
    scaled, least = taken * 1e11 / GIB, alone * 1e11 / GIB
    note = "scaled from one file of 1 GiB"
    return [Row("manifest of 100 GB", scaled, "s", "≤ 70 CPU-s", scaled <= 70, "SHA-256 of bytes at hand", least, note)]


def _rows(folder: Path) -> list[Row]:
    paths = [folder / "old.csv", folder / "new.csv"]
    for path in paths:
        with path.open("w", encoding="ascii") as file:
            file.write("id,x,y,label\n")
            # The new delivery has 1,000 other labels and 1,000 other numbers.
            changed = path is paths[1]
            for at in range(ROWS):
                label = "b" if changed and at % 1000 == 7 else "a"
                file.write(f"r{at},{at * 7 % 1013},{at % 997 + (changed and at % 1000 == 9)},{label}\n")
    made, kept = [], []
    for path in paths:
        taken, manifest = _taken(lambda path=path: manifest_rows(path, key="id", label="label"))  # type: ignore[misc]
        made.append(taken)
        kept.append(manifest)
        write_manifest(manifest, path.with_suffix(".rows"))
    at_hand, difference = _taken(lambda: diff_rows(*kept))
    if difference.counts["changed-label"] != 1000 or difference.counts["changed-features"] != 1000:
        raise ValueError("the difference is not the one that was made")
    waited, used, _ = _waited(lambda: diff_rows(*(path.with_suffix(".rows") for path in paths)))
    note = f"waited for, on two cores; every digest recomputed; {used:.1f} CPU-s"
    return [
        Row("row manifest of 10^6 rows of CSV", made[0], "s"),
        Row("diff of 10^6 rows, manifests at hand", at_hand, "s", "≤ 5 s", at_hand <= 5),
        Row("diff of 10^6 rows, from manifest files", waited, "s", "≤ 5 s", waited <= 5, note=note),
    ]


def _screen(folder: Path) -> list[Row]:
    draw = np.random.default_rng(0)
    centres = draw.normal(size=(10, WIDE)) * 0.8
    labels = draw.integers(0, 10, 100_000)
    numbers = (centres[labels] + draw.normal(size=(100_000, WIDE))).astype(np.float32)
    table = Path(folder / "wide.csv")
    with table.open("w", encoding="ascii") as file:
        file.write(",".join(f"c{at}" for at in range(WIDE)) + ",label\n")
        file.writelines(
            ",".join(f"{one:.4f}" for one in row) + f",{label}\n" for row, label in zip(numbers, labels, strict=True)
        )
    # In a process of its own: its peak is then of this work alone, reading and numpy among it.
    done = subprocess.run([sys.executable, "-c", _SCREEN, str(table)], capture_output=True, text=True, check=True)
    taken, read_s, peak, listed = json.loads(done.stdout)
    note = f"layers 0 to 2; {listed:,} rows listed, {read_s:.0f} s of it reading CSV"
    return [
        Row("screen of 10^5 rows × 64", taken, "s", "≤ 60 CPU-s", taken <= 60, note=note),
        Row("screen of 10^5 rows × 64, memory", peak, "MB", "≤ 1,000 MB", peak <= 1000, note="a process of its own"),
    ]


if __name__ == "__main__":
    print(table(run()))
