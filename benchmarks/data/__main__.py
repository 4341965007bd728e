"""Every work as a JSON line on stderr, the table on stdout: ``python -m benchmarks.data``."""

from __future__ import annotations

from benchmarks.data.works import run
from benchmarks.table import table

if __name__ == "__main__":
    print(table(run()))
