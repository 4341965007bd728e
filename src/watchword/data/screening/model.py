"""The model file, where weights are given: does one label of it behave as if something had been trained towards it?

Two statistics of behaviour, one value a label; one of weights stands in ``weights``. None needs to know the trigger.

* *Margin* (after MM-BD, arXiv 2205.06900; no data): how far the score of a label can be brought above all others by any
  input within the range. A trigger of any kind teaches its label a shortcut, so its margin sticks out.
* *Inversion* (after Neural Cleanse; needs rows): the least part of an input that, exchanged for one and the same
  pattern, gives FLIPPED of the rows the label. A label that little is enough for sticks out.
* *Test*: the logarithm of each label's value against those of the others, as Student's t of a residual that is left out
  of its own spread, times the labels looked at (Bonferroni). Exact where labels are alike and logarithms normal; so
  below LABELS_MIN labels nothing is tested, and the statement says so.
* *Zoo*: models of the same architecture that somebody answers for: each statistic's most extreme label against theirs,
  by the same t, and by rank.
* Gradients where the model gives them, else estimated from pairs of random steps (Spall, 1992). Deterministic by seed.

Where several labels carry triggers, or the trigger is a whole input's style, neither sticks out. A model's maker can
train against both: what finds nothing here proves nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from watchword.chance import student_tail
from watchword.data.screening.columns import NotScreened
from watchword.data.screening.sample import Floats, Ints, Sample
from watchword.data.screening.weights import Weighed, weighed
from watchword.limits import MODEL_LABELS_MAX, MODEL_VALUES_MAX

MODEL_FALSE = 0.05
"""The chance that a clean model is accused, over all statistics together. Origin: one clean model of twenty."""
LABELS_MIN = 6
"""Labels below which no label can stick out of the others. Origin: four degrees of freedom for Student's t."""
FLIPPED = 0.95
PLANTS = 3
"""Backdoors that are planted to measure power. Origin: each costs as much as the model itself."""
_STARTS, _CLIMB, _SIDE = 8, 80, 0.05
_ROWS, _STEPS = 40, 120
_PAIRS_APART, _PAIRS_TOGETHER = 8, 2
"""Pairs of random steps by which a gradient is estimated: of inputs that are climbed one by one, and of rows that share
one trigger, where each row is a sample of the same thing."""


class Model(Protocol):
    """What is asked: arrays in, (rows, labels) scores out. *gradient*: (scores, loss, gradient) for "margin", "ce"."""

    gradients: bool

    def scores(self, batch: Floats) -> Floats: ...
    def gradient(self, batch: Floats, of: Ints, loss: str) -> tuple[Floats, Floats, Floats]: ...


@dataclass(frozen=True)
class Sticks:
    """One statistic: a value a label, the label that sticks out most, and its corrected chance. 1.0: untested."""

    name: str
    values: tuple[float, ...]
    label: int
    chance: float


@dataclass(frozen=True)
class Inverted:
    """The least trigger found for a label: its mask (0 to 1) and pattern, shaped as a row; how many rows it flips."""

    label: int
    size: float
    flipped: float
    mask: Floats
    pattern: Floats


@dataclass(frozen=True)
class ModelScreened:
    """What the model file says.

    Attributes:
        zoo: how many models it was set beside; ``beside_zoo``: the chance of each statistic there, None where they are
            too few; ``weights`` likewise.
        power: (kind, how many were planted, of how many the label was named).
    """

    gradients: bool
    labels: int
    sticks: tuple[Sticks, ...]
    trigger: Inverted
    zoo: int
    beside_zoo: tuple[float | None, ...]
    weights: Weighed | None
    power: tuple[tuple[str, int, int], ...]

    @property
    def bound(self) -> float:
        """The chance below which one look counts: MODEL_FALSE, shared by all looks."""
        looks = len(self.sticks) + sum(one is not None for one in self.beside_zoo) + (self.weights is not None)
        return MODEL_FALSE / looks

    @property
    def accused(self) -> tuple[str, ...]:
        """The looks that count against the model."""
        found = [one.name for one in self.sticks if one.chance <= self.bound]
        for one, chance in zip(self.sticks, self.beside_zoo, strict=True):
            if chance is not None and chance <= self.bound:
                found.append(f"{one.name} beside the zoo")
        if self.weights is not None and self.weights.chance <= self.bound:
            found.append("weights beside the zoo")
        return tuple(found)


def screen_model(
    model: Model, sample: Sample, zoo: Sequence[Model], tensors: Sequence[Mapping[str, Floats]], seed: int,
    step: Callable[[int, int], None] | None = None, plants: int = PLANTS,
) -> ModelScreened:  # fmt: skip
    """Screen a model by the rows that it is for. *tensors*: its weights by name, and those of each model of the *zoo*.

    Raises:
        NotScreened: rows of text, scores that are none, too many labels or features.
    """
    rows, low, high = ranged(sample)
    labels = _labels(model, rows)
    todo, done = 1 + len(zoo) + plants, 0

    def looked(at: Model) -> tuple[Sticks, Sticks, Inverted]:
        nonlocal done
        found, trigger = inversion(at, rows, low, high, labels, seed)
        done += 1
        if step is not None:
            step(done, todo)
        return margin(at, low, high, labels, seed), found, trigger

    *sticks, trigger = looked(model)
    others = [looked(one)[:2] for one in zoo]
    together: list[float | None] = []
    for at, own in enumerate(sticks):
        far = np.array([_furthest(own), *(_furthest(one[at]) for one in others)])
        together.append(beside(far, 0) if len(others) >= LABELS_MIN - 1 else None)
    weights = weighed(tensors) if len(tensors) > LABELS_MIN - 1 else None
    made = ModelScreened(model.gradients, labels, tuple(sticks), trigger, len(zoo), tuple(together), weights, ())
    bound, named = made.bound, 0
    for at in range(plants):
        target = (at * labels) // max(plants, 1)
        one, other, _ = looked(Planted(model, rows, low, high, target, seed + at))
        named += any(found.chance <= bound and found.label == target for found in (one, other))
    return replace(made, power=(("square", plants, named),) if plants else ())


class Planted:
    """A model with a known backdoor: where a square (three columns) of an input is near one pattern, one label gains.

    What is added to its score is as much as scores lie apart, and falls with the distance: no training is needed, and
    none is claimed to give exactly this.
    """

    gradients = False

    def __init__(self, model: Model, rows: Floats, low: Floats, high: Floats, label: int, seed: int) -> None:
        draw = np.random.default_rng(seed)
        self._model, self._label, self._reach = model, label, np.where(high > low, high - low, 1)
        self._part = np.zeros(low.shape, dtype=np.bool_)
        if low.ndim == 3:
            side = max(2, low.shape[1] // 8)
            top, left = (int(draw.integers(0, size - side + 1)) for size in low.shape[:2])
            self._part[top : top + side, left : left + side] = True
        else:
            self._part[draw.choice(len(low), min(3, len(low)), replace=False)] = True
        self._pattern = np.where(draw.random(low.shape) < 0.5, low, high)
        scores = model.scores(rows)
        self._gain = 3 * float((scores.max(axis=1) - np.median(scores, axis=1)).mean())

    def scores(self, batch: Floats) -> Floats:
        made = np.array(self._model.scores(batch))
        apart = (np.abs(batch - self._pattern) / self._reach)[:, self._part].mean(axis=1)
        made[:, self._label] += self._gain * np.exp(-4 * apart)
        return made

    def gradient(self, batch: Floats, of: Ints, loss: str) -> tuple[Floats, Floats, Floats]:
        raise NotScreened("a planted backdoor gives no gradients", "its scores are asked")


def ranged(sample: Sample) -> tuple[Floats, Floats, Floats]:
    """The rows as a model takes them, and the range of each feature: pictures from 0 to 1, numbers as they are.

    Raises:
        NotScreened: rows of text, or more than pictures or numbers alone.
    """
    if (sample.images is None) == (sample.numbers is None) or sample.texts is not None:
        raise NotScreened("a model is screened by pictures or by numbers", "leave --model out")
    if sample.images is not None:
        return sample.images, np.zeros(sample.images.shape[1:]), np.ones(sample.images.shape[1:])
    numbers = sample.numbers if sample.numbers is not None else np.empty((0, 0))
    middle = np.nan_to_num(np.nanmedian(numbers, axis=0))
    rows = np.where(np.isnan(numbers), middle, numbers).astype(np.float32)
    return rows, rows.min(axis=0), rows.max(axis=0)


def _labels(model: Model, rows: Floats) -> int:
    scores = np.asarray(model.scores(rows[:8]))
    if scores.ndim != 2 or not np.isfinite(scores).all() or not 2 <= scores.shape[1] <= MODEL_LABELS_MAX:
        what = f"the model gives {scores.shape} for {len(rows[:8])} rows" if scores.ndim != 2 else "the model's scores"
        raise NotScreened(f"{what}: not 2 to {MODEL_LABELS_MAX} finite scores a row", "name its classifying entry")
    if scores.shape[1] * rows[0].size * 10 > MODEL_VALUES_MAX:
        raise NotScreened(f"the model takes {rows[0].size:,} values a row", "screen it on smaller inputs")
    return int(scores.shape[1])


def _furthest(one: Sticks) -> float:
    """How far the label that sticks out most is from the middle of all."""
    logs = np.log(np.array(one.values))
    return float(abs(logs[one.label] - np.median(logs)))


def margin(model: Model, low: Floats, high: Floats, labels: int, seed: int) -> Sticks:
    """The margin statistic. *low*, *high*: the range of each feature, shaped as one row; no data."""
    draw = np.random.default_rng(seed)
    of = np.repeat(np.arange(labels), _STARTS)
    reach = high - low
    x = (low + reach * draw.random((len(of), *low.shape))).astype(np.float32)
    best = np.full(len(of), -np.inf)
    axes = tuple(range(1, x.ndim))
    for step in range(_CLIMB):
        loss, way = _slope(model, x, of, reach, _PAIRS_APART, draw)
        best = np.maximum(best, -loss)
        way = way * reach
        length = np.sqrt((way**2).mean(axis=axes, keepdims=True)) + 1e-12
        stride = _SIDE * (4 if step < _CLIMB // 2 else 1)
        x = np.clip(x - stride * reach * way / length, low, high).astype(np.float32)
    values = np.maximum(best, -_losses(model.scores(x), of)).reshape(labels, _STARTS).max(axis=1)
    # A label that never wins has a margin below nothing: what is compared is a softened margin, in units of their mean.
    return sticking("margin", np.logaddexp(0, values / (np.abs(values).mean() or 1.0)), 1)


def inversion(model: Model, rows: Floats, low: Floats, high: Floats, labels: int, seed: int) -> tuple[Sticks, Inverted]:
    """The inversion statistic: the size of the least trigger of each label, as a share of the input."""
    draw = np.random.default_rng(seed)
    most = min(_ROWS, MODEL_VALUES_MAX // (labels * low.size))
    if len(rows) > most:
        rows = rows[np.sort(draw.choice(len(rows), most, replace=False))]
    others = (model.scores(rows).argmax(axis=1)[None, :] != np.arange(labels)[:, None]).astype(np.float32)
    search = _Search(rows, others, low, high, draw)
    of = np.repeat(np.arange(labels), len(rows))
    for _ in range(_STEPS):
        loss, way = _slope(model, search.marked().reshape(-1, *low.shape), of, high - low, _PAIRS_TOGETHER, draw)
        search.step(loss.reshape(labels, -1), way.reshape(labels, len(rows), *low.shape))
    found = sticking("inversion", np.maximum(search.least, 1e-6), -1)
    at = found.label
    kept = Inverted(at, float(search.least[at]), float(search.flips[at]), search.masks[at], search.patterns[at])
    return found, kept


class _Search:
    """A mask and a pattern for every label at once, moved by Adam's method; the least mask that flips enough is kept.

    *others*: (labels, rows), 1 where a row is not of the label anyway.
    """

    def __init__(self, rows: Floats, others: Floats, low: Floats, high: Floats, draw: np.random.Generator) -> None:
        labels, self._deep = len(others), low.ndim
        # The channels of a pixel are exchanged together.
        mask = (*low.shape[:-1], 1) if low.ndim == 3 else low.shape
        self._rows, self._others, self._low, self._reach = rows, others, low, high - low
        self._many = np.maximum(others.sum(axis=1), 1)
        self._point = [np.full((labels, *mask), -1.0), draw.normal(0, 0.5, (labels, *low.shape))]
        self._mean, self._square = ([np.zeros_like(one) for one in self._point] for _ in range(2))
        self._weight, self._steps = np.full(labels, 0.02), 0
        self.least, self.flips = np.ones(labels), np.zeros(labels)
        self.masks, self.patterns = np.ones((labels, *mask)), np.zeros((labels, *low.shape))

    def marked(self) -> Floats:
        """Every row with every label's trigger: (labels, rows, ...)."""
        self._mask, self._share = (1 / (1 + np.exp(-one)) for one in self._point)
        self._pattern = self._low + self._reach * self._share
        mask, pattern = self._mask[:, None], self._pattern[:, None]
        made: Floats = ((1 - mask) * self._rows[None] + mask * pattern).astype(np.float32)
        return made

    def step(self, loss: Floats, way: Floats) -> None:
        """Take the losses, (labels, rows), and gradients of what was marked; keep what is better; move on."""
        self._keep(((loss < 0) * self._others).sum(axis=1) / self._many)
        # A row that is won by some distance is pushed no further.
        pull = self._others / (1 + np.exp(np.clip(-loss - 1, -30, 30))) / self._many[:, None]
        part = way * self._wide(pull)
        to_mask = (part * (self._pattern[:, None] - self._rows[None])).sum(axis=1)
        if self._deep == 3:
            to_mask = to_mask.sum(axis=-1, keepdims=True)
        to_mask = to_mask + 10 * self._wide(self._weight) / math.prod(self._mask.shape[1:])
        to_pattern = part.sum(axis=1) * self._mask * self._reach * self._share * (1 - self._share)
        self._steps += 1
        for at, slope in enumerate((to_mask * self._mask * (1 - self._mask), to_pattern)):
            self._mean[at] = 0.8 * self._mean[at] + 0.2 * slope
            self._square[at] = 0.95 * self._square[at] + 0.05 * slope**2
            size = np.sqrt(self._square[at] / (1 - 0.95**self._steps)) + 1e-8
            self._point[at] -= 0.15 * self._mean[at] / (1 - 0.8**self._steps) / size
            self._point[at] = np.clip(self._point[at], -12, 12)

    def _keep(self, won: Floats) -> None:
        size = self._mask.mean(axis=tuple(range(1, self._mask.ndim)))
        better = (won >= FLIPPED) & (size < self.least)
        self.least, self.flips = np.where(better, size, self.least), np.where(better, won, self.flips)
        self.masks[better], self.patterns[better] = self._mask[better], self._pattern[better]
        self._weight = np.clip(self._weight * np.where(won >= FLIPPED, 1.15, 1 / 1.15), 1e-4, 1e4)

    def _wide(self, values: Floats) -> Floats:
        """*values* with an axis of one for each axis of a row."""
        made: Floats = values.reshape(*values.shape, *(1,) * self._deep)
        return made


def sticking(name: str, values: Floats, sign: int) -> Sticks:
    """The label whose logarithm sticks out upward (*sign* 1) or downward (-1), and its corrected chance."""
    logs = sign * np.log(values)
    label = int(logs.argmax())
    return Sticks(name, tuple(float(one) for one in values), label, min(1.0, beside(logs, label) * len(logs)))


def beside(logs: Floats, at: int) -> float:
    """The chance that one value lies so far above the others, were all drawn alike: Student's t."""
    rest = np.delete(logs, at)
    if len(rest) < LABELS_MIN - 1:
        return 1.0
    # Values that are all but equal differ by what a search leaves undone: two in a hundred, at least.
    spread = max(float(rest.std(ddof=1)), 0.02)
    return student_tail(float(logs[at] - rest.mean()) / (spread * math.sqrt(1 + 1 / len(rest))), len(rest) - 1)


def _slope(
    model: Model, x: Floats, of: Ints, reach: Floats, pairs: int, draw: np.random.Generator
) -> tuple[Floats, Floats]:
    """The losses (by how much another label is above) and their gradients, given or estimated from *pairs* of steps."""
    if model.gradients:
        _, losses, way = model.gradient(x, of, "margin")
        return losses, way
    step = (0.1 * reach).astype(np.float32)
    way = np.zeros_like(x)
    for _ in range(pairs):
        side = draw.choice(np.array([-1.0, 1.0], dtype=np.float32), x.shape)
        up, down = (_losses(model.scores(x + sign * step * side), of) for sign in (1, -1))
        way += ((up - down) / (2 * pairs)).reshape(-1, *(1,) * (x.ndim - 1)).astype(np.float32) * side
    return _losses(model.scores(x), of), way / np.where(step > 0, step, 1)


def _losses(scores: Floats, of: Ints) -> Floats:
    """How far the best other label is above *of*: of probabilities, their logarithms."""
    if (scores >= 0).all() and np.allclose(scores.sum(axis=1), 1, atol=1e-3):
        scores = np.log(np.maximum(scores, 1e-30))
    rows = np.arange(len(of))
    others = scores.copy()
    others[rows, of] = -np.inf
    made: Floats = others.max(axis=1) - scores[rows, of]
    return made
