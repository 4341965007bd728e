"""``watchword fleet inspect``: 2,000 small models with all cores beside one, and what Ray adds on files of 100 MB.

One core is a process that looks at everything itself; the cores are as many as this process may use. Processes, and the
cluster, stand already when the time begins: their start costs the same for two models as for two million.
"""

from __future__ import annotations

import importlib.util
import itertools
import os
import pickle
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.table import Row
from watchword.fleet import State, inspect_fleet, releases
from watchword.fleet.crew import Crew, Processes
from watchword.inspect.file import How

SMALL, RUNS = 2_000, 3
LARGE, LARGE_BYTES = 8, 128 * 1024 * 1024
SHARE_MIN, OVERHEAD_MAX = 0.9, 0.15


def run() -> list[Row]:
    """The medians of three runs."""
    with tempfile.TemporaryDirectory() as folder:
        hub, cores = Path(folder, "many"), len(os.sched_getaffinity(0))
        _small(hub, SMALL)
        rates = [(_rate(hub, 1), _rate(hub, cores)) for _ in range(RUNS)]
        alone = statistics.median(one for one, _ in rates)
        share = statistics.median(all_ / (cores * one) for one, all_ in rates)
        rows = [
            Row(
                f"fleet, {SMALL:,} small models, {cores} cores",
                statistics.median(all_ for _, all_ in rates),
                "/s",
                f"≥ {SHARE_MIN} × {cores} × one core",
                share >= SHARE_MIN,
                "one core",
                alone,
                f"{share:.2f} × {cores} × one core; median of {RUNS} pairs of runs",
            )
        ]
        if importlib.util.find_spec("ray") is not None:
            rows.append(_on_ray(Path(folder, "large"), cores))
        return rows


def _small(hub: Path, count: int) -> None:
    for number in range(count):
        place = hub / f"model-{number:05}"
        place.mkdir(parents=True)
        weights = {f"layer{at}": [float(at + number)] * 200 for at in range(20)}
        place.joinpath("model.pkl").write_bytes(pickle.dumps(weights))
        place.joinpath("config.json").write_text(f'{{"model_type": "x", "number": {number}}}')


def _rate(hub: Path, cores: int) -> float:
    crew = Processes(cores, How())
    try:
        _seconds(hub, crew, cores * 100)  # its processes start with their first work
        return SMALL / _seconds(hub, crew)
    finally:
        crew.close()


def _seconds(hub: Path, crew: Crew, count: int | None = None) -> float:
    """For the first *count* releases of *hub*, or all."""
    started = time.perf_counter()
    with State(None) as state:
        inspect_fleet(itertools.islice(releases(str(hub)), count), How(), crew, state)
    return time.perf_counter() - started


def _best(hub: Path, crew: Crew) -> float:
    _seconds(hub, crew)  # its processes start with their first work
    return min(_seconds(hub, crew) for _ in range(3))


_RAY = """
import sys, time
from pathlib import Path
from benchmarks.fleet import _best
from watchword.fleet.ray_crew import RayCluster
from watchword.inspect.file import How
crew = RayCluster(int(sys.argv[2]), How())
print(_best(Path(sys.argv[1]), crew))
crew.close()
"""


def _on_ray(hub: Path, cores: int) -> Row:
    block = os.urandom(1024 * 1024)
    for number in range(LARGE):
        place = hub / f"model-{number}"
        place.mkdir(parents=True)
        with place.joinpath("weights.bin").open("wb") as file:
            for _ in range(LARGE_BYTES // len(block)):
                file.write(block)
    crew = Processes(cores, How())
    here = _best(hub, crew)
    crew.close()
    # In a process of its own: Ray leaves threads behind that would share the cores with what is measured next.
    done = subprocess.run([sys.executable, "-c", _RAY, hub, str(cores)], capture_output=True, text=True, check=False)
    there = float(done.stdout) if done.returncode == 0 else float("nan")
    return Row(
        f"fleet on Ray, {LARGE} files of {LARGE_BYTES // 1024**2} MiB",
        there,
        "s",
        f"≤ {1 + OVERHEAD_MAX:g} × without",
        there <= (1 + OVERHEAD_MAX) * here,
        "processes of this machine",
        here,
        "both stand already; best of three" if done.returncode == 0 else done.stderr.strip()[-200:],
    )
