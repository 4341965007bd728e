"""What label the other rows would give each row: votes of neighbours and of two small cross-fitted models, made one.

* *Neighbours*: the nearest rows, nearer ones counting more. Copies of one row count as one voter, and never for each
  other, so that a flood of copies cannot vouch for itself.
* *Model* (layer 2): ridge regression on the space, on radial functions of it around sampled rows and, of texts, on the
  hashed words; cross-fitted in FOLDS parts, copies in one part. So no row is judged by itself.
* *Network* (layer 2): what it says on its way through training (``network``).
* *Together*: ``P(label | rest) ∝ exp(a·model + b·log neighbours + c·log network)``, and a label is what that says but
  for a share ``e`` that is drawn blindly. All four are fitted to the data by likelihood, so a few wrong labels neither
  blunt the votes nor count as certain. A row's *surprise* is the posterior that its label was drawn blindly.
* *Does the label follow?* All of this judges labels by what alike rows are labelled. Where neighbours themselves seldom
  agree (`follows`), a row that they contradict is an ordinary row.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from watchword.data.screening.nearest import among, nearest
from watchword.data.screening.sample import Flags, Floats, Ints

FOLDS = 5
NEIGHBOURS = 10
FOLLOWS = 0.5
"""What neighbours must get right of what chance leaves open. Origin: below a half, a label that neighbours contradict
is the rule and not the exception, in every label alike; five real sets with a tenth of labels flipped have over 0.6."""
_FOLLOW_ROWS_MAX = 20_000
_FOLLOW_LABEL_ROWS = 16
KEPT = 50
"""Neighbours that are kept a row, so that a vote can be taken again without some of them."""
_CENTRES_MAX = 400
_BLOCK = 2000


@dataclass(frozen=True)
class Vote:
    """Votes and what came of them.

    Attributes:
        near, apart: the KEPT nearest rows of each row and squared distances, copies of one row left out.
        expected: (rows, classes), what the rest says: sums to one.
        blind: the share of labels that look drawn blindly; ``gain``: by how much (log likelihood) that explains more.
        surprise: posterior, between 0 and 1, that a row's label was.
    """

    near: Ints
    apart: Floats
    expected: Floats
    blind: float
    gain: float
    surprise: Floats


def folds(copies: Ints, seed: int) -> Ints:
    """The fold of each row, copies in one. *copies* numbers the groups of rows that are copies of each other."""
    made: Ints = np.random.default_rng(seed).integers(0, FOLDS, int(copies.max()) + 1)[copies]
    return made


def vote(
    space: Floats, parts: list[Floats], path: Floats, labels: Ints, classes: int, copies: Ints, fold: Ints, seed: int
) -> Vote:
    """Take the votes. *path*: what a network says on its way (``network``). *copies* and *fold*: see ``folds``."""
    near, apart = apart_from_copies(space, copies, seed)
    neighbours = poll(near, apart, labels, classes, NEIGHBOURS)
    experts = [cross_fitted(space, parts, labels, classes, fold, seed), np.log(neighbours), path]
    return _together(near, apart, experts, labels, classes)


def apart_from_copies(space: Floats, copies: Ints, seed: int) -> tuple[Ints, Floats]:
    """The nearest rows of each row, no two of one group of copies."""
    first = np.unique(copies, return_index=True)[1]
    if len(first) <= NEIGHBOURS + 1:
        return nearest(space, KEPT, seed)
    near, apart = nearest(space[first], KEPT, seed)
    return first[near][copies], apart[copies]


def poll(near: Ints, apart: Floats, labels: Ints, classes: int, count: int) -> Floats:
    """Shares of the labels among the first *count* neighbours, nearer ones counting more, smoothed by half a voter."""
    near, apart = near[:, :count], apart[:, :count]
    scale = np.maximum(apart[:, -1:], 1e-12)
    weight = np.where(np.isfinite(apart), np.exp(-np.where(np.isfinite(apart), apart, 0.0) / scale), 0.0)
    rows = len(near)
    place = (np.arange(rows)[:, None] * classes + labels[near]).ravel()
    votes = np.bincount(place, weights=weight.ravel(), minlength=rows * classes).reshape(rows, classes)
    prior = np.bincount(labels, minlength=classes) / len(labels)
    made: Floats = votes + 0.25 * prior[None, :] + 0.02 / classes
    made = (made / made.sum(axis=1, keepdims=True)).astype(np.float32)
    return made


def cross_fitted(space: Floats, parts: list[Floats], labels: Ints, classes: int, fold: Ints, seed: int) -> Floats:
    """(rows, classes): what ridge regression, fitted on the other folds, says of each label."""
    draw = np.random.default_rng(seed)
    inputs = _inputs(space, parts, draw)
    wanted = np.full((len(labels), classes), -1.0 / max(classes - 1, 1), dtype=np.float32)
    wanted[np.arange(len(labels)), labels] = 1.0
    width = inputs.shape[1]
    squares, targets = [], []
    for f in range(FOLDS):
        some = inputs[fold == f]
        squares.append(some.T @ some)
        targets.append(some.T @ wanted[fold == f])
        del some
    all_squares, all_targets = sum(squares), sum(targets)
    base = float(np.trace(np.asarray(all_squares))) / width

    def held_out(f: int, strength: float) -> Floats:
        system = all_squares - squares[f] + np.float32(strength * base) * np.eye(width, dtype=np.float32)
        made: Floats = inputs[fold == f] @ np.linalg.solve(system, all_targets - targets[f])
        return made

    # How strongly to shrink is chosen on one fold: the choice is between orders of magnitude.
    first = int(np.bincount(fold).argmax())  # of a handful of groups some folds get none
    tried = {strength: held_out(first, strength) for strength in (0.001, 0.01, 0.1)}
    strength = min(tried, key=lambda one: float(((tried[one] - wanted[fold == first]) ** 2).mean()))
    made = np.empty((len(labels), classes), dtype=np.float32)
    for f in range(FOLDS):
        if (fold == f).any():
            made[fold == f] = tried[strength] if f == first else held_out(f, strength)
    return made


def _inputs(space: Floats, parts: list[Floats], draw: np.random.Generator) -> Floats:
    scale = np.sqrt((space**2).sum(axis=1).mean()) or 1.0
    points = (space / scale).astype(np.float32)
    centres = points[draw.choice(len(points), min(_CENTRES_MAX, len(points) // 2), replace=False)]
    wide = [part for part in parts if 64 < part.shape[1] <= 1024 and (part < 0).any()]
    width = points.shape[1]
    bounds = np.cumsum([1, width, len(centres), *(part.shape[1] for part in wide)])
    made = np.ones((len(points), int(bounds[-1])), dtype=np.float32)
    made[:, 1 : 1 + width] = points
    square, typical = np.einsum("ij,ij->i", centres, centres), 0.0
    for first in range(0, len(points), _BLOCK):  # block by block: this is the widest table of a screen
        some = points[first : first + _BLOCK]
        apart = np.einsum("ij,ij->i", some, some)[:, None] + square[None, :] - 2.0 * (some @ centres.T)
        apart = np.maximum(apart, 0.0)
        typical = typical or float(np.median(apart)) or 1.0
        made[first : first + _BLOCK, 1 + width : bounds[2]] = np.exp(-2.0 * apart / typical)
    for part, last in zip(wide, bounds[3:], strict=True):
        made[:, last - part.shape[1] : last] = part
    return made


def _together(near: Ints, apart: Floats, experts: list[Floats], labels: Ints, classes: int) -> Vote:
    rows = np.arange(len(labels))

    def told(weights: tuple[float, ...]) -> Floats:
        scores = sum(weight * expert for weight, expert in zip(weights, experts, strict=True))
        expected = np.exp(scores - np.max(scores, axis=1, keepdims=True))
        made: Floats = expected / expected.sum(axis=1, keepdims=True)
        return made

    def likelihood(point: tuple[float, ...]) -> float:
        own = told(point[1:])[rows, labels]
        return float(np.log((1 - point[0]) * own + point[0] / classes).sum())

    def climbed(point: tuple[float, ...], axes: range) -> tuple[tuple[float, ...], float]:
        """The best point near *point* along *axes*, by steps that shrink."""
        best, step = likelihood(point), 2.0
        for _ in range(6):
            for axis in axes:
                for factor in (1 / step, step):
                    for _ in range(6):
                        moved = tuple(value * factor if at == axis else value for at, value in enumerate(point))
                        moved = (min(max(moved[0], 1e-4), 0.45), *(min(max(one, 0.01), 60.0) for one in moved[1:]))
                        if (found := likelihood(moved)) <= best:
                            break
                        best, point = found, moved
            step **= 0.7
        return point, best

    start = (0.05, 10.0, 1.0, 1.0)
    point, best = climbed(start, range(len(start)))
    expected = told(point[1:])
    surprise = point[0] / classes / ((1 - point[0]) * expected[rows, labels] + point[0] / classes)
    # Without blind labels the votes are fitted anew: what was sharp because of them need not be.
    least = climbed((1e-4, *point[1:]), range(1, len(start)))[1]
    return Vote(near, apart, expected.astype(np.float32), point[0], best - least, surprise.astype(np.float32))


def follows(space: Floats, taken: Vote, labels: Ints, classes: int, seed: int) -> float:
    """How often neighbours have a row's label, label by label alike: 1 always, 0 as by chance."""
    asking = np.arange(len(labels))
    if len(asking) > _FOLLOW_ROWS_MAX:
        asking = np.sort(np.random.default_rng(seed).choice(asking, _FOLLOW_ROWS_MAX, replace=False))
    votes = without(space, taken, np.zeros(len(labels), dtype=np.bool_), asking, labels, classes, seed)
    size = np.bincount(labels[asking], minlength=classes)
    right = np.bincount(labels[asking], weights=votes.argmax(axis=1) == labels[asking], minlength=classes)
    told = size >= min(_FOLLOW_LABEL_ROWS, int(size.max()))  # a label of a handful of rows has few to be near
    share = float((right[told] / size[told]).mean())
    return (share - 1 / classes) / (1 - 1 / classes)


def without(space: Floats, taken: Vote, group: Flags, asking: Ints, labels: Ints, classes: int, seed: int) -> Floats:
    """What the neighbours outside *group* say of the rows *asking*: (asking, classes). The counterfactual of a
    group."""
    near, apart = taken.near[asking], taken.apart[asking].copy()
    apart[group[near]] = np.inf
    order = np.argsort(apart, axis=1, kind="stable")[:, :NEIGHBOURS]
    near, apart = np.take_along_axis(near, order, axis=1), np.take_along_axis(apart, order, axis=1)
    short = ~np.isfinite(apart[:, -1])
    if short.any():
        outside = np.flatnonzero(~group)
        if len(outside) > 8000:
            outside = np.sort(np.random.default_rng(seed).choice(outside, 8000, replace=False))
        near[short], apart[short] = among(space, asking[short], outside, NEIGHBOURS)
    votes = poll(near, apart, labels, classes, NEIGHBOURS)
    # Every label weighs alike: a large one does not outvote a small one out of which a group was taken.
    weight = np.maximum(np.bincount(labels[~group], minlength=classes), 1).astype(np.float32) ** -0.5
    made: Floats = votes * weight / (votes * weight).sum(axis=1, keepdims=True)
    return made
