"""Proofs from a ledger of 10^6 entries of 1 KB, their verification, and the full check of it, beside both peers."""

from __future__ import annotations

import itertools
import random
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from os import environ
from pathlib import Path

from benchmarks.inspect.peers import cache
from benchmarks.ledger import peers
from benchmarks.table import Row
from watchword.ledger.check import BodyCheck, check_ledger
from watchword.ledger.heads import HeadStore
from watchword.ledger.log import Log
from watchword.ledger.merkle import leaf_hash, verify_inclusion
from watchword.statements.canonical import canonical
from watchword.statements.digests import b64, commitment
from watchword.statements.dsse import IN_TOTO, pae
from watchword.statements.keys import generate

ENTRIES = int(environ.get("WATCHWORD_BENCH_ENTRIES", "1000000"))
ORIGIN = "benchmark.example/large"
PER_PUBLISH = 50_000
PYMERKLE_ENTRIES = min(ENTRIES, 100_000)
BODIES = min(ENTRIES, 20_000)


def run() -> list[Row]:
    """Per CPU-second in one process, but where a row says otherwise."""
    folder = large()
    some = random.Random(1).choices(range(ENTRIES), k=20_000)
    first_ms = _first(folder, some[0])
    log = Log.open(folder / "log", ORIGIN, folder / "heads", writable=False)
    size = log.published_size
    note = "wall, open included"
    rows = [Row("inclusion proof, first after start", first_ms, "ms", "≤ 20 ms", first_ms <= 20, note=note)]
    cold = _cold(folder, some)
    rows.append(Row(f"inclusion proof at {size:,}, tiles cold", cold, "/CPU-s", "≥ 2,500", cold >= 2_500))
    steps: list[tuple[str, int, Callable[[int], object]]] = [
        ("inclusion", 15_000, lambda i: log.inclusion(i, size)),
        ("consistency", 10_000, lambda i: log.consistency(i + 1, size)),
    ]
    for what, goal, step in steps:
        for i in some[:4_000]:
            step(i)
        ours = _rate(step, some)
        rows += _beside(f"{what} proof at {size:,}, warm", ours, goal, what, folder, size)
    root = log.root(size)
    proven = {i: (leaf_hash(log.entry(i)), log.inclusion(i, size)) for i in some[:500]}
    ours = _rate(lambda i: verify_inclusion(proven[i][0], i, size, proven[i][1], root), some[:500])
    rows += _beside(f"verify inclusion at {size:,}", ours, 35_000, "verify", folder, size)
    return [*rows, *_checks(folder, size)]


def large() -> Path:
    """The large ledger, made once."""
    folder = cache() / f"ledger-{ENTRIES}"
    with (
        Log.open(folder / "log", ORIGIN, folder / "heads", writable=True)
        if (folder / "heads").exists()
        else Log.create(folder / "log", ORIGIN, folder / "heads")
    ) as log:
        key = generate(44)
        for start in range(log.size, ENTRIES, PER_PUBLISH):
            stop = min(start + PER_PUBLISH, ENTRIES)
            log.append([number.to_bytes(8, "big") + bytes(1016) for number in range(start, stop)])
            log.publish(key)
    return folder


def _rate(step: Callable[[int], object], indices: Sequence[int], cpu_s: float = 1.0) -> float:
    count, begun = 0, time.process_time()
    for index in itertools.cycle(indices):
        step(index)
        count += 1
        if count % 64 == 0 and time.process_time() - begun > cpu_s:
            break
    return count / (time.process_time() - begun)


def _cold(folder: Path, some: Sequence[int]) -> float:
    """A fresh reader for every hundred proofs, so that hardly any tile is decoded when it is needed."""
    made, spent = 0, 0.0
    for start in range(0, 1_000, 100):
        log = Log.open(folder / "log", ORIGIN, folder / "heads", writable=False)
        size, begun = log.published_size, time.process_time()
        for i in some[start : start + 100]:
            log.inclusion(i, size)
        made, spent = made + 100, spent + time.process_time() - begun
    return made / spent


def _first(folder: Path, index: int) -> float:
    begun = time.perf_counter()
    log = Log.open(folder / "log", ORIGIN, folder / "heads", writable=False)
    log.inclusion(index, log.published_size)
    return 1000 * (time.perf_counter() - begun)


def _beside(what: str, ours: float, goal: int, work: str, folder: Path, size: int) -> list[Row]:
    theirs = {
        "aics-tlog": (peers.measured("aics-tlog", work, folder / "log", size), "over the same files"),
        "pymerkle": (
            peers.measured("pymerkle", work, folder / "pymerkle", PYMERKLE_ENTRIES),
            f"SQLite, {PYMERKLE_ENTRIES:,} entries",
        ),
    }
    return [
        Row(what, ours, "/CPU-s", f"≥ {goal:,}", ours >= goal, name, figure, note)
        for name, (figure, note) in theirs.items()
    ]


def _checks(folder: Path, size: int) -> list[Row]:
    """Each in a process of its own, for its memory; CPU-seconds of it and its workers."""
    hashes_s, mb = _checked("hashes", folder, size)
    theirs = peers.measured("aics-tlog", "check", folder / "log", size)
    per_body = _checked("bodies", folder, BODIES)[0] / BODIES
    million_s = per_body * 1_000_000
    goal = "≤ 5 CPU-s" if size == 1_000_000 else ""
    return [
        Row(
            f"full check, {size:,} × 1 KB", hashes_s, "CPU-s", goal, hashes_s <= 5 if goal else None,
            "aics-tlog", theirs,
            "entries, tiles, root; resumable; two processes",
        ),
        Row("… its memory", mb, "MB", "≤ 150 MB", mb <= 150, note="largest process"),
        Row(
            "… of 10^6 bodies with their Ed25519 half", million_s, "CPU-s", "≤ 145 CPU-s", million_s <= 145,
            note=f"from {BODIES:,} bodies of 1 KB in files of their own, entries and tiles included",
        ),
    ]  # fmt: skip


def _checked(what: str, folder: Path, size: int) -> tuple[float, float]:
    command = [sys.executable, "-m", "benchmarks.ledger.trees", what, str(folder), str(size)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    cpu_s, mb = done.stdout.split()
    return float(cpu_s), float(mb)


def _check(what: str, folder: Path, size: int) -> None:
    """Entry of the process of ``_checked``."""
    bodies: BodyCheck | None = None
    if what == "bodies":
        folder, bodies = _with_bodies(folder / "bodies", size)
    before = _cpu_s()
    check_ledger(folder / "log", ORIGIN, HeadStore(folder / "heads", ORIGIN), bodies=bodies)
    # Of this process its own peak, not what it had from its parent before it began; and its largest worker's.
    own_kb = int(Path("/proc/self/status").read_text("ascii").partition("VmHWM:")[2].split()[0])
    print(_cpu_s() - before, max(own_kb, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss) / 1024)


def _cpu_s() -> float:
    return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


def _with_bodies(folder: Path, size: int) -> tuple[Path, BodyCheck]:
    """A ledger whose leaves commit to signed envelopes of about 1 KB (made once), one key, each its own text."""
    key = generate(44)
    names = folder / "bodies" / "sha256"
    if not names.exists():
        aside = folder / "aside"
        aside.mkdir(parents=True)
        leaves = []
        for number in range(size):
            payload = b'{"number":%d,"text":"%s"}' % (number, b"x" * 600)
            signature = {"keyid": key.public.id, "sig": b64(key.sign_ed25519(pae(IN_TOTO, payload)))}
            body = canonical({"payload": b64(payload), "payloadType": IN_TOTO, "signatures": [signature]})
            salt = number.to_bytes(32, "big")
            leaves.append(commitment(salt, body))
            (aside / leaves[-1].hex()).write_bytes(salt + body)
        with Log.create(folder / "log", ORIGIN, folder / "heads") as log:
            log.append([b"\x01" + one for one in leaves])
            log.publish(key)
        (folder / "key").write_bytes(key.public.ed25519 + key.public.id.encode())
        (folder / "bodies").mkdir()
        aside.rename(names)
    public = (folder / "key").read_bytes()
    return folder, BodyCheck(folder / "bodies", "ledger", {public[32:].decode(): public[:32]})


if __name__ == "__main__":
    _check(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
