"""Rows of one label that vary as no other label's rows do: groups to be tested, by conformal chances, layer by layer.

* *Robust whitened spectra* (after SPECTRE, Hayase et al. 2021), on several layers: the detail space, the space, and the
  inside of a network. How rows vary within a label is taken from all labels together, the FAR of each label that lie
  farthest left out; each label, centred on its median, is whitened by that, and its AXES longest axes are looked at: a
  group that shares something makes a label longer where other labels are not.
* *Superposition*: the calm of each row (``network``), its label's median taken off.
* Each is a score a row. Its chance is conformal (rank) against the rows of the other labels, which a trigger of this
  label does not touch; Benjamini and Hochberg at SPECTRUM_FALSE cut the list. A label of another shape makes such a
  list as well, so what is cut out is a candidate: ``hypotheses`` asks, corrected for all of them, what the rest says.
"""

from __future__ import annotations

import numpy as np

from watchword.data.screening.conformal import conformal, false_discovery
from watchword.data.screening.sample import Floats, Ints

AXES = 4
FAR = 0.1
SPECTRUM_FALSE = 0.05
_SHRUNK = 0.02
_LEAST = 16
_REFERENCE_ROWS_MAX = 20_000
Found = tuple[str, Ints]
"""A detector, and the rows that it cuts out."""


def standing_out(layers: tuple[tuple[str, Floats], ...], calm: Floats, labels: Ints, classes: int) -> list[list[Found]]:
    """For each label, the groups that stand out of it, each with the detector that cuts it out."""
    chosen: list[list[Found]] = [[] for _ in range(classes)]
    size = np.bincount(labels, minlength=classes)
    wide = np.flatnonzero((size >= _LEAST) & (size < len(labels)))
    for name, layer in (*layers, ("superposition", calm[:, None])):
        white = _centred(layer, labels, wide)
        if layer.shape[1] > 1:
            white = white @ _whitening(white, labels, wide)
        step = -(-len(labels) // _REFERENCE_ROWS_MAX)
        reference, of_label = white[::step], labels[::step]
        for label in wide:
            own = np.flatnonzero(labels == label)
            for axis, signs in _axes(white[own]):
                there, rest = white[own] @ axis, reference[of_label != label] @ axis
                for sign in signs:
                    found = false_discovery(conformal(sign * there, sign * rest), SPECTRUM_FALSE)
                    if len(found):
                        chosen[label].append((name, own[np.sort(found)]))
    return chosen


def _centred(layer: Floats, labels: Ints, wide: Ints) -> Floats:
    """Each label on its own median; rows of labels too small to have one stay at nought."""
    made = np.zeros(layer.shape, dtype=np.float32)
    for label in wide:
        own = labels == label
        made[own] = layer[own] - np.median(layer[own], axis=0)
    return made


def _whitening(centred: Floats, labels: Ints, wide: Ints) -> Floats:
    """(columns, columns): makes the spread within labels, those far out left aside, the same in every direction."""
    width = centred.shape[1]
    spread, rows = np.zeros((width, width)), 0
    for label in wide:
        own = centred[labels == label]
        far = ((own**2) / (own.var(axis=0) + 1e-9)).sum(axis=1)
        near = own[far <= np.quantile(far, 1 - FAR)]
        near = near - near.mean(axis=0)
        spread += near.T @ near
        rows += len(near)
    spread /= max(rows, 1)
    values, axes = np.linalg.eigh(spread + (_SHRUNK * np.trace(spread) / width + 1e-9) * np.eye(width))
    made: Floats = (axes / np.sqrt(values)).astype(np.float32)
    return made


def _axes(own: Floats) -> list[tuple[Floats, tuple[int, ...]]]:
    """The longest axes of a label's rows, each to be looked along both ways; of one score only upwards."""
    if own.shape[1] == 1:
        return [(np.ones(1, dtype=np.float32), (1,))]
    centred = own - own.mean(axis=0)
    _, axes = np.linalg.eigh((centred.T @ centred).astype(np.float64))
    return [(axes[:, -at].astype(np.float32), (1, -1)) for at in range(1, min(AXES, own.shape[1]) + 1)]
