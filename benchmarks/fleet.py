"""``watchword fleet``: 2,000 small models inspected and large files of data read with all cores beside one; what Ray
adds on files of 100 MB.

One core is a process that looks at everything itself, its parsers in a second, both on that core; the cores are as many
as this process may use. Processes, and the cluster, stand already when the time begins: their start costs the same for
two models as for two million.
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
from watchword.fleet import State, inspect_fleet, manifest_fleet, releases
from watchword.fleet.crew import Crew, Processes
from watchword.fleet.deliveries import read
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
        large = _large(Path(folder, "large"))
        data = [(_read_rate(large, 1), _read_rate(large, cores)) for _ in range(RUNS)]
        rows = [
            _shared(f"fleet, {SMALL:,} small models, {cores} cores", cores, rates, "/s"),
            _shared(f"fleet data, {LARGE} files of {_MIB} MiB, {cores} cores", cores, data, "MiB/s"),
        ]
        if importlib.util.find_spec("ray") is not None:
            rows.append(_on_ray(large, cores))
        return rows


_MIB = LARGE_BYTES // 1024**2


def _shared(name: str, cores: int, rates: list[tuple[float, float]], unit: str) -> Row:
    """Pairs of the rate with one core and with *cores*."""
    share = statistics.median(all_ / (cores * one) for one, all_ in rates)
    return Row(
        name,
        statistics.median(all_ for _, all_ in rates),
        unit,
        f"≥ {SHARE_MIN} × {cores} × one core",
        share >= SHARE_MIN,
        "one core",
        statistics.median(one for one, _ in rates),
        f"{share:.2f} × {cores} × one core; median of {RUNS} pairs of runs",
    )


def _small(hub: Path, count: int) -> None:
    for number in range(count):
        place = hub / f"model-{number:05}"
        place.mkdir(parents=True)
        weights = {f"layer{at}": [float(at + number)] * 200 for at in range(20)}
        place.joinpath("model.pkl").write_bytes(pickle.dumps(weights))
        place.joinpath("config.json").write_text(f'{{"model_type": "x", "number": {number}}}')


def _rate(hub: Path, cores: int) -> float:
    every = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(every)[:cores])
    crew = Processes(cores, How(sandbox="auto", hubs=(hub,)))
    try:
        _seconds(hub, crew, cores * 100)  # its processes start with their first work
        return SMALL / _seconds(hub, crew)
    finally:
        crew.close()
        os.sched_setaffinity(0, every)


def _seconds(hub: Path, crew: Crew, count: int | None = None) -> float:
    """For the first *count* releases of *hub*, or all."""
    started = time.perf_counter()
    with State(None) as state:
        inspect_fleet(itertools.islice(releases(str(hub)), count), How(), crew, state)
    return time.perf_counter() - started


def _large(hub: Path) -> Path:
    block = os.urandom(1024 * 1024)
    for number in range(LARGE):
        place = hub / f"model-{number}"
        place.mkdir(parents=True)
        with place.joinpath("weights.bin").open("wb") as file:
            for _ in range(LARGE_BYTES // len(block)):
                file.write(block)
    return hub


def _read_rate(hub: Path, cores: int) -> float:
    """MiB each second."""
    crew = Processes(cores, None, read)
    try:
        seconds = []
        for _ in range(2):  # its processes start with their first work
            started = time.perf_counter()
            with State(None) as state:
                for one in manifest_fleet(releases(str(hub)), crew, state):
                    if one.manifest is None:
                        raise RuntimeError(one.why)
            seconds.append(time.perf_counter() - started)
        return LARGE * _MIB / seconds[-1]
    finally:
        crew.close()


def _best(hub: Path, crew: Crew) -> float:
    _seconds(hub, crew)  # its processes start with their first work
    return min(_seconds(hub, crew) for _ in range(3))


_RAY = """
import sys, time
from pathlib import Path
from benchmarks.fleet import _best
from watchword.fleet.ray_crew import RayCluster
from watchword.inspect.file import How
crew = RayCluster(int(sys.argv[2]), How(sandbox="auto", hubs=(Path(sys.argv[1]),)))
print(_best(Path(sys.argv[1]), crew))
crew.close()
"""


def _on_ray(hub: Path, cores: int) -> Row:
    crew = Processes(cores, How(sandbox="auto", hubs=(hub,)))
    here = _best(hub, crew)
    crew.close()
    # In a process of its own: Ray leaves threads behind that would share the cores with what is measured next.
    done = subprocess.run([sys.executable, "-c", _RAY, hub, str(cores)], capture_output=True, text=True, check=False)
    there = float(done.stdout) if done.returncode == 0 else float("nan")
    return Row(
        f"fleet on Ray, {LARGE} files of {_MIB} MiB",
        there,
        "s",
        f"≤ {1 + OVERHEAD_MAX:g} × without",
        there <= (1 + OVERHEAD_MAX) * here,
        "processes of this machine",
        here,
        "both stand already; best of three" if done.returncode == 0 else done.stderr.strip()[-200:],
    )
