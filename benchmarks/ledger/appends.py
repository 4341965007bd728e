"""Durable appends by 1, 128 and 512 callers, each beside what the disk itself can sync; and in bulk, with tiles."""

from __future__ import annotations

import os
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.ledger import peers
from benchmarks.table import Row
from watchword.ledger.log import Log
from watchword.statements.keys import generate

ENTRY = bytes(1024)
BULK = 60_000
SECONDS = 2.0
ROUNDS = 3


def run() -> list[Row]:
    """Rates of 1 KB entries: per second of wall time, beside the disk's own in turn; in bulk, per CPU-second.

    The disk's own rate is one ``write`` of the same bytes and one ``fdatasync`` of a plain file in the same folder.
    """
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as name:
        folder = Path(name)
        with Log.create(folder / "log", "benchmark.example/log", folder / "heads") as log:
            plain = os.open(folder / "plain", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
            rows = [_alone(log, plain), _crowd(log, plain, 128, 5_000), _crowd(log, plain, 512, 10_000)]
            os.close(plain)
        return [*rows, *_bulk(folder)]


def _rate(step: Callable[[], int]) -> float:
    """Entries per second over SECONDS / ROUNDS of *step*."""
    count, start = 0, time.perf_counter()
    while (spent := time.perf_counter() - start) < SECONDS / ROUNDS:
        count += step()
    return count / spent


def _disk(plain: int) -> int:
    os.write(plain, ENTRY)
    os.fdatasync(plain)
    return 1


def _alone(log: Log, plain: int) -> Row:
    ours, disk = [], []
    for _ in range(ROUNDS):
        ours.append(_rate(lambda: len(log.append([ENTRY]))))
        disk.append(_rate(lambda: _disk(plain)))
    log.publish(generate(44))
    mine, bare = statistics.median(ours), statistics.median(disk)
    note = "the same bytes by write + fdatasync, in turn"
    return Row("durable append, 1 caller, 1 KB", mine, "/s", "≥ 0.8 × disk", mine >= 0.8 * bare, "disk", bare, note)


def _crowd(log: Log, plain: int, callers: int, goal: int) -> Row:
    """Threads, each waiting for its own append: they share syncs."""
    waits: list[float] = []

    def caller(until: float) -> None:
        mine = []
        while (begun := time.perf_counter()) < until:
            log.append([ENTRY])
            mine.append(time.perf_counter() - begun)
        waits.extend(mine)

    start = time.perf_counter()
    threads = [threading.Thread(target=caller, args=(start + SECONDS,)) for _ in range(callers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ours = len(waits) / (time.perf_counter() - start)
    log.publish(generate(44))
    p99_ms = 1000 * statistics.quantiles(waits, n=100)[98]
    goals = f"≥ {goal:,}/s" + (", p99 ≤ 150 ms" if callers == 512 else "")
    met = ours >= goal and (callers != 512 or p99_ms <= 150)
    what, bare = f"durable append, {callers} callers, 1 KB", _rate(lambda: _disk(plain))
    return Row(what, ours, "/s", goals, met, "disk", bare, f"p99 {p99_ms:.0f} ms; the disk by one caller")


def _bulk(folder: Path) -> list[Row]:
    """One append of many entries, then tiles, bundles, head and checkpoint, all synced; per CPU-second."""
    entries = [number.to_bytes(8, "big") + bytes(1016) for number in range(BULK)]
    key = generate(44)
    with Log.create(folder / "bulk", "benchmark.example/bulk", folder / "heads") as log:
        begun = time.process_time()
        log.append(entries)
        log.publish(key)
        ours = BULK / (time.process_time() - begun)
    return [
        Row(
            f"bulk append with tiles, {BULK:,} × 1 KB", ours, "/CPU-s", "≥ 100,000", ours >= 100_000,
            name, peers.measured(name, "bulk", folder / name, BULK), note,
        )
        for name, note in (("aics-tlog", "the same files, each synced"), ("pymerkle", "SQLite, no tiles, no head"))
    ]  # fmt: skip
