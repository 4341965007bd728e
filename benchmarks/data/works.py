"""The works, each measured, and the table of what was promised."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import numpy as np

from benchmarks.data.sets import HELD_OUT, SETS
from benchmarks.table import Row
from watchword.data.screening.planting import kinds, plant
from watchword.data.screening.screen import screen

SEEDS = 3
SHARES = {"clean": (0.0,), "flip": (0.01, 0.05, 0.1), "flood": (0.01, 0.05)}
TRIGGERS = (0.01, 0.03, 0.05, 0.1)
# What is promised: (name, sets, kinds, shares, AUROC, found at 1 % false).
GOALS = (
    ("label flip 1-10 %, pictures", ("digits", "fashion"), ("flip",), (0.01, 0.05, 0.1), 0.98, 0.85),
    ("label flip 1-10 %, text", ("mails",), ("flip",), (0.01, 0.05, 0.1), 0.98, 0.85),
    ("label flip 1-10 %, table", ("spambase",), ("flip",), (0.01, 0.05, 0.1), 0.98, 0.85),
    ("fixed patch or blend 3-10 %", ("digits", "fashion"), ("patch", "blend"), (0.03, 0.05, 0.1), 0.99, 0.95),
    ("fixed patch or blend 1 %", ("digits", "fashion"), ("patch", "blend"), (0.01,), 0.95, 0.7),
    ("moving patch 5-10 %", ("fashion",), ("roving patch",), (0.05, 0.1), 0.95, 0.5),
    ("warp 5-10 %", ("fashion",), ("warp",), (0.05, 0.1), 0.95, 0.5),
    ("trigger token or phrase 1-10 %", ("mails",), ("token", "phrase"), (0.01, 0.05, 0.1), 0.99, 0.9),
    ("clean-label token 5-10 %", ("mails",), ("clean-label token",), (0.05, 0.1), 0.8, 0.3),
    ("table trigger 3-10 %", ("spambase",), ("value",), (0.03, 0.05, 0.1), 0.99, 0.9),
    ("flood of copies 1-5 %", tuple(SETS), ("flood",), (0.01, 0.05), 0.99, 0.95),
)


def works() -> Iterator[tuple[str, str, float, int]]:
    """Every work."""
    for name, make in SETS.items():
        sample = make(0)
        if sample is None:
            print(f"data: the set {name} is not there and is left out", file=sys.stderr)
            continue
        for kind in ("clean", *kinds(sample)):
            for share in SHARES.get(kind, TRIGGERS):
                yield from ((name, kind, share, seed) for seed in range(10 if kind == "clean" else SEEDS))


def measure(work: tuple[str, str, float, int]) -> dict[str, Any]:
    """Screen one work."""
    name, kind, share, seed = work
    sample = (SETS | HELD_OUT)[name](seed)
    if sample is None:
        raise ValueError(f"{name} is not there")
    planted = np.zeros(sample.rows, dtype=np.bool_)
    if kind != "clean":
        sample, planted = plant(sample, kind, share, seed)
    started = time.process_time()
    found = screen(sample, seed)
    taken = time.process_time() - started
    told = [named.said for one in found.hypotheses[:3] for named in one.named]
    listed = [row for row, _ in found.listed]
    return {
        "set": name,
        "kind": kind,
        "share": share,
        "seed": seed,
        "auroc": auroc(found.scores, planted) if planted.any() else None,
        "found": found_at(found.scores, planted) if planted.any() else None,
        "listed": len(listed),
        "listed_true": int(planted[listed].sum()) if listed else 0,
        "planted": int(planted.sum()),
        "hypotheses": len(found.hypotheses),
        "told": told[:9],
        "blind": found.blind,
        "cpu_s": taken,
    }


def auroc(scores: np.ndarray, planted: np.ndarray) -> float:
    """The chance that a planted row ranks above a clean one; ties count half."""
    _, inverse, count = np.unique(scores, return_inverse=True, return_counts=True)
    rank = (np.cumsum(count) - (count - 1) / 2)[inverse]
    ones = int(planted.sum())
    return float((rank[planted].sum() - ones * (ones + 1) / 2) / (ones * (len(planted) - ones)))


def found_at(scores: np.ndarray, planted: np.ndarray, false: float = 0.01) -> float:
    """The share of planted rows above the score that the share *false* of clean rows has; ties in expectation."""
    clean = np.sort(scores[~planted])[::-1]
    allowed = false * len(clean)
    bound = clean[int(allowed)]
    above, at = (clean > bound).sum(), (clean == bound).sum()
    part = max(0.0, float(allowed - above)) / max(int(at), 1)
    return float((scores[planted] > bound).mean() + part * (scores[planted] == bound).mean())


def every(processes: int) -> list[dict[str, Any]]:
    """Every work, measured in as many processes."""
    with ProcessPoolExecutor(processes) as pool:
        done = []
        for one in pool.map(measure, works()):
            done.append(one)
            print(json.dumps(one), file=sys.stderr, flush=True)
        return done


def table(done: list[dict[str, Any]]) -> list[Row]:
    """The promises beside what was measured."""
    rows = []
    for what, sets, of_kind, shares, wanted, wanted_found in GOALS:
        some = [w for w in done if w["set"] in sets and w["kind"] in of_kind and w["share"] in shares]
        if not some:
            continue
        area, found = (float(np.mean([w[name] for w in some])) for name in ("auroc", "found"))
        note = f"{len(some)} works, found at 1 % false: {found:.2f} (goal ≥ {wanted_found})"
        rows.append(Row(f"{what}: AUROC", area, "", f"≥ {wanted}", area >= wanted and found >= wanted_found, note=note))
    clean = [w for w in done if w["kind"] == "clean"]
    if clean:
        empty = 100 * float(np.mean([w["listed"] == 0 for w in clean]))
        rows.append(Row("no poison: empty list", empty, "%", "≥ 95 %", empty >= 95, note=f"{len(clean)} works"))
    return rows


def run() -> list[Row]:
    """Measure everything."""
    return table(every(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1))


def held_out() -> list[Row]:
    """Sets that nothing was chosen by: every poison at 5 %, one seed."""
    rows = []
    for name, make in HELD_OUT.items():
        sample = make(0)
        if sample is None:
            print(f"data: the set {name} is not there and is left out", file=sys.stderr)
            continue
        for kind in ("clean", *kinds(sample)):
            one = measure((name, kind, 0.0 if kind == "clean" else 0.05, 0))
            print(json.dumps(one), file=sys.stderr, flush=True)
            if kind == "clean":
                rows.append(Row(f"{name}, no poison: rows listed", float(one["listed"]), ""))
                continue
            listed = f"{one['listed']:,} listed, {one['listed_true']:,} of the {one['planted']:,} planted among them"
            note = f"found {one['found']:.2f} at 1 % false; {listed}"
            rows.append(Row(f"{name}, {kind}: AUROC", one["auroc"], "", note=note))
    return rows
