"""One measured figure, and how a list of them prints.

A figure alone says little: beside it stands what was promised, and what somebody else's tool or the bare standard
library needs for the same work in the same run on the same machine. Losses are printed like gains.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """What was measured, what was promised, and what a peer needs for the same.

    Args:
        what: the work, with its size: ``assure, 1 GB PyTorch file``.
        measured: in ``unit``; the median where there were several runs.
        unit: ``ms``, ``s``, ``MB``, ``/s``, ``×``.
        goal: the promise as people read it, ``≤ 150 ms``; empty where there is none.
        met: whether the goal was met; ``None`` where there is none.
        peer: what it is compared with, with its version where that matters; empty where nothing is comparable.
        peer_measured: the peer's figure for the same work, in ``unit``.
        note: runs, conditions, and what the comparison leaves out.
    """

    what: str
    measured: float
    unit: str
    goal: str = ""
    met: bool | None = None
    peer: str = ""
    peer_measured: float | None = None
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """Measured over the peer's: below 1 is less of the unit, which is better for times and worse for rates."""
        return self.measured / self.peer_measured if self.peer_measured else None


HEADINGS = ("what", "measured", "goal", "met", "peer", "peer's", "ratio", "note")
RIGHT = {"measured", "peer's", "ratio"}


def figure(value: float | None, unit: str) -> str:
    """Three significant digits or whole numbers with separators, then the unit."""
    if value is None:
        return ""
    number = f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return f"{number}{unit}" if unit in ("×", "/s") else f"{number} {unit}"


def table(rows: Sequence[Row]) -> str:
    """The rows as aligned plain text, headings first, one line per row."""
    cells = [HEADINGS, *(_cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(HEADINGS))]
    return "\n".join(
        "  ".join(
            text.rjust(width) if heading in RIGHT else text.ljust(width)
            for text, width, heading in zip(line, widths, HEADINGS, strict=True)
        ).rstrip()
        for line in cells
    )


def _cells(row: Row) -> tuple[str, ...]:
    met = "" if row.met is None else "yes" if row.met else "NO"
    ratio = figure(row.ratio, "×")
    peers = figure(row.peer_measured, row.unit)
    return (row.what, figure(row.measured, row.unit), row.goal, met, row.peer, peers, ratio, row.note)
