"""``watchword`` with a wall clock that is off by what a file says: ``python -m benchmarks.soak.clocked FILE COMMAND``.

The product takes its time from one clock, given to everything. This door moves that clock and then runs the command as
it is; the monotonic clock goes on, as it does on a machine whose wall clock was set.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from watchword.statements.times import SystemClock


def follow(path: Path) -> None:
    """From now on this process lives as many seconds ahead as *path* says at that moment; none where it is missing."""

    def now(_: SystemClock) -> datetime:
        try:
            ahead_s = float(path.read_text("ascii") or 0)
        except FileNotFoundError:
            ahead_s = 0.0
        return datetime.now(UTC) + timedelta(seconds=ahead_s)

    SystemClock.now = now  # type: ignore[method-assign,assignment]


if __name__ == "__main__":
    from watchword.cli.door import run

    follow(Path(sys.argv[1]))
    sys.exit(run(sys.argv[2:]))
