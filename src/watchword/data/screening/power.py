"""What a screen of these very data would have found: known poisons are planted into a copy, and the copy is screened.

* At the same thresholds as the data themselves. Counted are planted rows that are *listed*, not ranked; and rows
  listed that
  are not planted, beyond those that are listed without poison.
* Of a large sample POWER_ROWS rows are used, drawn by seed: fewer rows have less power, so the statement is cautious.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from watchword.data.screening.planting import kinds, plant
from watchword.data.screening.sample import Ints, Sample
from watchword.data.screening.screen import screen

SHARES = (0.005, 0.01, 0.03)
POWER_ROWS = 2000


@dataclass(frozen=True)
class Power:
    """Of *planted* rows of one kind at one share, how many were listed, and how many others were."""

    kind: str
    share: float
    rows: int
    planted: int
    found: int
    others: int


def power(sample: Sample, seed: int, step: Callable[[int, int], None] | None = None) -> tuple[Power, ...]:
    """The power against every poison that fits the sample, at each of SHARES."""
    small = part(sample, POWER_ROWS, seed)
    wanted = [(kind, share) for kind in kinds(small) for share in SHARES]
    made = []
    for at, (kind, share) in enumerate(wanted):
        planted_sample, planted = plant(small, kind, share, seed + at)
        listed = [row for row, _ in screen(planted_sample, seed).listed]
        found = int(planted[listed].sum()) if listed else 0
        made.append(Power(kind, share, small.rows, int(planted.sum()), found, len(listed) - found))
        if step is not None:
            step(at + 1, len(wanted))
    return tuple(made)


def part(sample: Sample, rows: int, seed: int) -> Sample:
    """*rows* rows of a sample, drawn by seed, in their order; the sample itself where it has no more."""
    if sample.rows <= rows:
        return replace(sample, trusted=None)
    some = np.sort(np.random.default_rng(seed).choice(sample.rows, rows, replace=False))
    labels = sample.labels[some]
    kept = np.unique(labels)
    order = kept[np.argsort(-np.bincount(labels)[kept], kind="stable")]
    again = np.zeros(sample.classes, dtype=np.int64)
    again[order] = np.arange(len(order))

    def of(values: tuple[str, ...] | None) -> tuple[str, ...] | None:
        return None if values is None else tuple(values[int(row)] for row in some)

    return replace(
        sample,
        labels=_ints(again[labels]),
        names=tuple(sample.names[int(at)] for at in order),
        numbers=None if sample.numbers is None else sample.numbers[some],
        images=None if sample.images is None else sample.images[some],
        texts=of(sample.texts),
        categories=tuple((name, of(values) or ()) for name, values in sample.categories),
        sources=of(sample.sources),
        annotators=of(sample.annotators),
        keys=of(sample.keys),
        trusted=None,
    )


def _ints(values: Ints) -> Ints:
    return values.astype(np.int64)
