"""Origins that label otherwise than the rest, and columns that drifted from a trusted part; many looks, one error rate.

* For each source and annotator with ORIGIN_ROWS rows: of its rows, how many have a label that the rest of the data (the
  votes) finds unlikely, against all other rows: Fisher's exact test, one-sided; and whether its labels have other
  shares:
  chi-squared with Wilson and Hilferty's approximation. Benjamini and Hochberg over all looks at FALSE.
* Drift: where some rows are trusted, each number column of the others against theirs, by Kolmogorov and Smirnov's test
  (asymptotic), and the labels by chi-squared; Bonferroni over all looks. Generic drift tests do not see a change of 1 %
  (measured): silence here says little.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from watchword.chance import chance_of_at_least
from watchword.data.screening.sample import Flags, Floats, Ints, Sample

ORIGIN_ROWS = 10
FALSE = 0.01
_UNLIKELY = 0.1


@dataclass(frozen=True)
class Origin:
    """A source or annotator that stands out. ``chance`` is corrected; ``hits`` of ``rows`` labels look wrong to the
    rest."""

    by: Literal["source", "annotator"]
    name: str
    rows: int
    hits: int
    hits_all: int
    chance: float


@dataclass(frozen=True)
class Drift:
    """A column (or the labels) that differs between trusted rows and the others; ``chance`` is corrected."""

    column: str
    size: float
    chance: float


def origins(sample: Sample, own: Floats) -> tuple[Origin, ...]:
    """The sources and annotators that stand out. *own*: what the votes give each row's own label."""
    wrong = own < _UNLIKELY
    hits_all = int(wrong.sum())
    looks: list[tuple[float, Origin]] = []
    for by, names in (("source", sample.sources), ("annotator", sample.annotators)):
        if names is None:
            continue
        told, index = np.unique(np.array(names, dtype=object).astype(str), return_inverse=True)
        rows, hits = np.bincount(index), np.bincount(index, weights=wrong).astype(np.int64)
        for at, name in enumerate(told):
            if rows[at] >= ORIGIN_ROWS and len(told) > 1:
                chance = chance_of_at_least(int(hits[at]), hits_all, int(rows[at]), sample.rows)
                looks.append((chance, Origin(by, str(name), int(rows[at]), int(hits[at]), hits_all, chance)))  # type: ignore[arg-type]
    looks.sort(key=lambda one: (one[0], one[1].name))
    kept = [at for at, (chance, _) in enumerate(looks) if chance * len(looks) / (at + 1) <= FALSE]
    last = max(kept, default=-1)
    return tuple(
        Origin(o.by, o.name, o.rows, o.hits, o.hits_all, min(1.0, chance * len(looks)))
        for chance, o in looks[: last + 1]
    )


def drifts(sample: Sample) -> tuple[Drift, ...]:
    """The columns that differ between trusted rows and the others; nothing where no row is trusted."""
    trusted = sample.trusted
    if trusted is None or not ORIGIN_ROWS <= trusted.sum() <= sample.rows - ORIGIN_ROWS:
        return ()
    found = [Drift("label", *_chi_squared(sample.labels, trusted, sample.classes))]
    if sample.numbers is not None:
        found += [
            Drift(name, *_smirnov(sample.numbers[trusted, at], sample.numbers[~trusted, at]))
            for at, name in enumerate(sample.columns)
        ]
    corrected = [Drift(one.column, one.size, min(1.0, one.chance * len(found))) for one in found]
    return tuple(sorted((one for one in corrected if one.chance <= FALSE), key=lambda one: one.chance))


def _smirnov(one: Floats, other: Floats) -> tuple[float, float]:
    one, other = np.sort(one[~np.isnan(one)]), np.sort(other[~np.isnan(other)])
    if not len(one) or not len(other):
        return 0.0, 1.0
    every = np.concatenate([one, other])
    apart = np.abs(
        np.searchsorted(one, every, side="right") / len(one) - np.searchsorted(other, every, side="right") / len(other)
    )
    size = float(apart.max())
    root = math.sqrt(len(one) * len(other) / (len(one) + len(other)))
    scaled = (root + 0.12 + 0.11 / root) * size
    chance = 2 * sum((-1) ** (k - 1) * math.exp(-2 * (k * scaled) ** 2) for k in range(1, 101))
    return size, min(1.0, max(chance, 0.0)) if scaled > 0.2 else 1.0


def _chi_squared(labels: Ints, trusted: Flags, classes: int) -> tuple[float, float]:
    seen = np.stack([np.bincount(labels[part], minlength=classes) for part in (trusted, ~trusted)]).astype(np.float64)
    seen = seen[:, seen.sum(axis=0) >= ORIGIN_ROWS]
    if seen.shape[1] < 2:
        return 0.0, 1.0
    wanted = seen.sum(axis=0) * seen.sum(axis=1, keepdims=True) / seen.sum()
    statistic, free = float(((seen - wanted) ** 2 / wanted).sum()), seen.shape[1] - 1
    normal = ((statistic / free) ** (1 / 3) - (1 - 2 / (9 * free))) / math.sqrt(2 / (9 * free))
    size = float(0.5 * np.abs(seen[0] / seen[0].sum() - seen[1] / seen[1].sum()).sum())
    return size, 0.5 * math.erfc(normal / math.sqrt(2))
