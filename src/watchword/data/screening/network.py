"""A small network, cross-fitted and trained in steps: how margins go, what superposition does, and what it sees inside.

One hidden layer of HIDDEN rectified units on the space, by Adam (Kingma and Ba 2015) on the cross-entropy; numpy alone,
the same by seed. FOLDS networks judge the rows of the fold that each has not seen, copies in one fold; one more is
trained on all rows.

* *Margins over training* (AUM, Pleiss et al. 2020): the chance of each label, averaged over LOOKS looks on the way, so
  that what is learnt late, by heart, counts less than what is learnt early and stays. A row's margin is its own label's
  less the best other one's. It is one more voice in the vote, weighed by likelihood as the others (``vote``).
* *Superposition* (after STRIP, Gao et al. 2019): each row is laid over BLENDS others, half and half, and the network
  is asked. A row whose mixtures all have one sure label carries something that outshouts what it is mixed with: *calm*,
  the entropy of the answers, with its sign turned.
* *Inside*: the hidden units of the network that saw all rows, a layer of its own for ``spectra``. A backdoor that works
  has been learnt there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from watchword.data.screening.sample import Floats, Ints

HIDDEN = 64
BLENDS = 16
LOOKS = 20
_BATCH = 128
_STEPS_MAX = 4000
"""Steps of one training. Origin: twenty passes over 25,000 rows; more rows teach a small network little more."""
_RATE, _DECAY = 3e-3, 1e-4
_DOUBT = 0.03
_BLOCK = 16_384
Layers = list[Floats]
"""Weights and offsets of the hidden units, then of the labels."""


@dataclass(frozen=True)
class Learned:
    """``path``: (rows, classes), log of the mean chance on the way. ``calm``: one a row. ``inside``: (rows, HIDDEN)."""

    path: Floats
    calm: Floats
    inside: Floats


def learn(space: Floats, labels: Ints, classes: int, fold: Ints, seed: int) -> Learned:
    """Train the networks. *fold*: the fold of each row; of a handful of groups some folds have none."""
    inputs = (space / (float(np.sqrt((space**2).mean())) or 1.0)).astype(np.float32)
    path = np.zeros((len(labels), classes), dtype=np.float32)
    calm = np.zeros(len(labels), dtype=np.float32)
    for part in np.unique(fold):
        asked = np.flatnonzero(fold == part)
        taught = np.flatnonzero(fold != part)
        if not len(taught):
            continue
        last: Layers = []
        for last in _trained(inputs[taught], labels[taught], classes, seed + int(part)):
            path[asked] += _answers(last, inputs[asked]) / LOOKS
        calm[asked] = _calm(last, inputs, asked, np.random.default_rng(seed + int(part)))
    *_, last = _trained(inputs, labels, classes, seed)
    # A small network is too sure of itself: as much of nothing is added as to the poll of neighbours.
    usual = np.bincount(labels, minlength=classes) / len(labels)
    path = np.log(path + _DOUBT * usual[None, :].astype(np.float32) + _DOUBT / classes / 10)
    return Learned(path, calm, np.maximum(inputs @ last[0] + last[1], 0.0))


def _trained(inputs: Floats, labels: Ints, classes: int, seed: int) -> Iterator[Layers]:
    """The layers at LOOKS points of one training."""
    draw = np.random.default_rng(seed)
    rows, width = inputs.shape
    steps = min(_STEPS_MAX, LOOKS * -(-rows // _BATCH))
    looks = {round(steps * (at + 1) / LOOKS) for at in range(LOOKS)}
    layers = [
        (draw.normal(size=(width, HIDDEN)) * np.sqrt(2 / width)).astype(np.float32),
        np.zeros(HIDDEN, dtype=np.float32),
        (draw.normal(size=(HIDDEN, classes)) * np.sqrt(1 / HIDDEN)).astype(np.float32),
        np.zeros(classes, dtype=np.float32),
    ]
    first, second = [np.zeros_like(one) for one in layers], [np.zeros_like(one) for one in layers]
    order, place = draw.permutation(rows), 0
    for step in range(1, steps + 1):
        if place >= rows:
            order, place = draw.permutation(rows), 0
        some = order[place : place + _BATCH]
        place += _BATCH
        slopes = _slopes(layers, inputs[some], labels[some])
        for at, slope in enumerate(slopes):
            first[at] += 0.1 * (slope - first[at])
            second[at] += 0.01 * (slope * slope - second[at])
            sized = np.sqrt(second[at] / (1 - 0.99**step)) + 1e-8
            layers[at] -= np.float32(_RATE / (1 - 0.9**step)) * first[at] / sized
        if step in looks:
            yield layers


def _slopes(layers: Layers, inputs: Floats, labels: Ints) -> Layers:
    hidden = np.maximum(inputs @ layers[0] + layers[1], 0.0)
    wrong = _odds(hidden @ layers[2] + layers[3])
    wrong[np.arange(len(labels)), labels] -= 1.0
    wrong /= len(labels)
    back = wrong @ layers[2].T
    back[hidden <= 0] = 0.0
    decay = np.float32(_DECAY)
    return [
        inputs.T @ back + decay * layers[0], back.sum(axis=0),
        hidden.T @ wrong + decay * layers[2], wrong.sum(axis=0),
    ]  # fmt: skip


def _odds(scores: Floats) -> Floats:
    made = np.exp(scores - scores.max(axis=1, keepdims=True))
    told: Floats = made / made.sum(axis=1, keepdims=True)
    return told


def _answers(layers: Layers, inputs: Floats) -> Floats:
    return _odds(np.maximum(inputs @ layers[0] + layers[1], 0.0) @ layers[2] + layers[3])


def _calm(layers: Layers, inputs: Floats, asked: Ints, draw: np.random.Generator) -> Floats:
    calm = np.zeros(len(asked), dtype=np.float32)
    for _ in range(BLENDS):
        mates = draw.integers(0, len(inputs), len(asked))
        for first in range(0, len(asked), _BLOCK):
            part = slice(first, first + _BLOCK)
            told = _answers(layers, (inputs[asked[part]] + inputs[mates[part]]) / 2)
            calm[part] += (told * np.log(np.maximum(told, 1e-9))).sum(axis=1) / BLENDS
    return calm
