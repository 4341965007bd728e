"""Durable appends: one by one, 128 to a call, 128 callers at once; each beside what the disk itself can sync."""

from __future__ import annotations

import os
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.table import Row
from watchword.ledger.log import Log
from watchword.statements.keys import generate

ENTRY = bytes(1024)
BATCH = 128
SECONDS = 2.0
ROUNDS = 3


def run() -> list[Row]:
    """Rates in entries of 1 KB per second of wall time, the median of rounds taken in turn with the disk's own.

    The disk's own rate is one ``write`` of the same bytes and one ``fdatasync`` of a plain file in the same folder, so
    the ratio is what the ledger costs on top: hashing, framing, the tree.
    """
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as name:
        folder = Path(name)
        with Log.create(folder / "log", "benchmark.example/log", folder / "heads") as log:
            plain = os.open(folder / "plain", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
            rows = [
                _compared("durable append, 1 caller, 1 KB", "≥ 0.8 × disk", log, plain, 1),
                _compared(f"durable append, {BATCH} to a call, 1 KB", "≥ 5,000/s", log, plain, BATCH),
                _crowd(log, plain),
            ]
            os.close(plain)
    return rows


def _rate(step: Callable[[], int]) -> float:
    """Entries per second over SECONDS / ROUNDS of *step*."""
    count, start = 0, time.perf_counter()
    while (spent := time.perf_counter() - start) < SECONDS / ROUNDS:
        count += step()
    return count / spent


def _disk(plain: int, entries: int) -> int:
    os.write(plain, ENTRY * entries)
    os.fdatasync(plain)
    return entries


def _compared(what: str, goal: str, log: Log, plain: int, entries: int) -> Row:
    ours, disk = [], []
    for _ in range(ROUNDS):
        ours.append(_rate(lambda: len(log.append([ENTRY] * entries))))
        _make_room(log)
        disk.append(_rate(lambda: _disk(plain, entries)))
    return _row(what, goal, statistics.median(ours), statistics.median(disk), entries > 1)


def _crowd(log: Log, plain: int) -> Row:
    """128 threads, each waiting for its own append: they share syncs."""
    counts: list[int] = []

    def caller(until: float) -> None:
        done = 0
        while time.perf_counter() < until:
            log.append([ENTRY])
            done += 1
        counts.append(done)

    start = time.perf_counter()
    threads = [threading.Thread(target=caller, args=(start + SECONDS,)) for _ in range(BATCH)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ours = sum(counts) / (time.perf_counter() - start)
    disk = _rate(lambda: _disk(plain, 1))
    what = f"durable append, {BATCH} callers, 1 KB"
    return Row(what, ours, "/s", "≥ 5,000/s", ours >= 5_000, "the disk alone", disk, "one caller; ours share each sync")


def _make_room(log: Log) -> None:
    """What waits for publication is bounded; start over in a fresh frontier, outside the clock."""
    log.publish(generate(44))


def _row(what: str, goal: str, ours: float, disk: float, absolute: bool) -> Row:
    met = ours >= 5_000 if absolute else ours >= 0.8 * disk
    return Row(what, ours, "/s", goal, met, "the disk alone", disk, "the same bytes by write + fdatasync, in turn")
