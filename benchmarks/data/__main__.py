"""Every work as a JSON line on stderr, the table on stdout: ``python -m benchmarks.data``, or ``… held-out``."""

from __future__ import annotations

import sys

from benchmarks.data.works import held_out, run
from benchmarks.table import table

if __name__ == "__main__":
    print(table(held_out() if sys.argv[1:] == ["held-out"] else run()))
