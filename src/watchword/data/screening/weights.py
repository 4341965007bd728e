"""The weights of a model beside those of a zoo: models of the same architecture that somebody answers for.

* Of each float tensor with two axes or more: the logarithms of its size (root mean square), of the share of its largest
  singular value, and of its tails (kurtosis); and how far its strongest output row stands above the median one.
* Each number against the zoo's, as Student's t, two-sided, times the numbers looked at (Bonferroni).
* Nothing is executed. A model with tensors of other shapes is of another architecture, and refused.

Measured: weights alone tell little of a small zoo (docs/howto/data.md); what they see is tampering by hand.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from watchword.chance import student_tail
from watchword.data.screening.columns import NotScreened
from watchword.data.screening.sample import Floats

_SIDE_MAX = 2048


@dataclass(frozen=True)
class Weighed:
    """The number that stands out most: of which tensor, what it is, and its chance, corrected for ``looked``."""

    tensor: str
    what: str
    looked: int
    chance: float


def weighed(models: Sequence[Mapping[str, Floats]]) -> Weighed | None:
    """The first model's weights against the others'; None where it has no tensor to compare.

    Raises:
        NotScreened: another architecture.
    """
    shapes = [{name: tensor.shape for name, tensor in one.items()} for one in models]
    if any(one != shapes[0] for one in shapes):
        raise NotScreened("the zoo holds models of another architecture", "a zoo is of one architecture, and its names")
    told = [_numbers(one) for one in models]
    if not told[0]:
        return None
    values = np.array([list(one.values()) for one in told])
    own, zoo = values[0], values[1:]
    spread = np.maximum(zoo.std(axis=0, ddof=1), 1e-3 + 1e-3 * np.abs(zoo.mean(axis=0)))
    apart = np.abs(own - zoo.mean(axis=0)) / (spread * math.sqrt(1 + 1 / len(zoo)))
    at = int(apart.argmax())
    tensor, what = list(told[0])[at]
    chance = min(1.0, 2 * student_tail(float(apart[at]), len(zoo) - 1) * len(own))
    return Weighed(tensor, what, len(own), chance)


def _numbers(tensors: Mapping[str, Floats]) -> dict[tuple[str, str], float]:
    found: dict[tuple[str, str], float] = {}
    for name, tensor in sorted(tensors.items()):
        if tensor.ndim < 2 or tensor.size < 16:
            continue
        flat = np.nan_to_num(tensor.reshape(len(tensor), -1).astype(np.float64), posinf=0.0, neginf=0.0)
        square = float((flat**2).mean()) + 1e-30
        found[name, "size"] = 0.5 * math.log(square)
        found[name, "tails"] = math.log(float((flat**4).mean()) / square**2 + 1e-30)
        rows = np.sqrt((flat**2).sum(axis=1))
        found[name, "strongest output"] = float(np.log((rows.max() + 1e-15) / (np.median(rows) + 1e-15)))
        if min(flat.shape) <= _SIDE_MAX:
            narrow = flat if len(flat) <= flat.shape[1] else flat.T
            top = float(np.linalg.eigvalsh(narrow @ narrow.T)[-1])
            found[name, "largest direction"] = math.log(max(top, 1e-30) / (square * flat.size))
    return found
