"""Runs every benchmark, or those named, and prints one table: ``python -m benchmarks [name …]``.

Progress is on stderr, the machine and the table on stdout. Exit 0: measured, goals met or not; a figure is not a test.
"""

from __future__ import annotations

import importlib
import os
import pkgutil
import platform
import sys
import time
from pathlib import Path

import benchmarks
from benchmarks.table import Row, table


def names() -> list[str]:
    """Every module here that measures something."""
    modules = (module.name for module in pkgutil.iter_modules(benchmarks.__path__))
    return sorted(set(modules) - {"__main__", "mutation", "table"})


def machine() -> str:
    """What a reader must know to compare: interpreter, system, processor, cores."""
    processor = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        models = [line.partition(":")[2].strip() for line in cpuinfo.read_text().splitlines() if "model name" in line]
        processor = models[0] if models else processor
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"Python {platform.python_version()}, {platform.system()} {platform.release()}, {processor}, {cores} cores"


def main(wanted: list[str]) -> int:
    known = names()
    unknown = [name for name in wanted if name not in known]
    if unknown:
        print(f"benchmarks: no benchmark {', '.join(unknown)}; there are: {', '.join(known)}", file=sys.stderr)
        return 2
    rows: list[Row] = []
    for name in wanted or known:
        print(f"{name} …", end=" ", file=sys.stderr, flush=True)
        started = time.perf_counter()
        rows += importlib.import_module(f"benchmarks.{name}").run()
        print(f"{time.perf_counter() - started:.1f} s", file=sys.stderr)
    print(machine())
    print(table(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
