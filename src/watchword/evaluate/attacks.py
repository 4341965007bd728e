"""Attacks with gradients on a batch: PGD, APGD (Croce and Hein, 2020) with two losses, and the ensemble of
AutoAttack's kind.

* Every attack is numpy over two questions that a subject answers, scores and gradients; so it is the same for every
  framework. What it tries stays within eps of the norm and within the range of the data.
* One success is enough: an instance that fell is not asked about any more.
* Randomness comes from the seed and the instance (``draw``), not from the batch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from watchword.evaluate.draw import randomness
from watchword.evaluate.plan import Plan
from watchword.evaluate.subjects import Subject

if TYPE_CHECKING:
    import numpy

    Array = numpy.ndarray[Any, Any]

PER_CLASS = 9
"""How many other classes the targeted attack of the ensemble goes for, the most likely first."""


@dataclass(frozen=True)
class Batch:
    """Instances under attack: their indices in the data, x of any shape after the first axis, y their classes."""

    indices: Sequence[int]
    x: Array
    y: Array

    def only(self, which: Array) -> Batch:
        import numpy

        places = numpy.flatnonzero(which)
        return Batch([self.indices[one] for one in places.tolist()], self.x[places], self.y[places])


@dataclass
class Outcome:
    """What became of a batch: which instances fell, to what, with what in their place, and after how many questions."""

    batch: Batch
    fell: Array
    found: Array
    queries: Array
    by: list[str]
    notes: dict[str, float] = field(default_factory=dict)

    def take(self, which: Array, found: Array, name: str) -> None:
        """Note that of those still standing (in order) *which* fell, with *found* in their place."""
        import numpy

        places = numpy.flatnonzero(~self.fell)[which]
        self.found[places] = found[which]
        self.fell[places] = True
        for place in places.tolist():
            self.by[place] = name

    def note(self, name: str, value: float) -> None:
        self.notes[name] = self.notes.get(name, 0.0) + value


def begin(batch: Batch) -> Outcome:
    """Nothing has fallen yet."""
    import numpy

    size = len(batch.x)
    return Outcome(batch, numpy.zeros(size, bool), batch.x.copy(), numpy.zeros(size, "int64"), [""] * size)


def is_wrong(scores: Array, y: Array) -> Array:
    """Which rows do not give the class *y*. A row with NaN gives no class."""
    import numpy

    return numpy.asarray((scores.argmax(axis=1) != y) | ~numpy.isfinite(scores).all(axis=1))


def bounds(plan: Plan) -> tuple[float, float]:
    """The range that the data may have: the attack's parameters ``low`` and ``high``, by default 0 and 1."""
    return plan.decimal("low", "0"), plan.decimal("high", "1")


def project(made: Array, x: Array, eps: float, norm: str, low: float, high: float) -> Array:
    """*made* moved back to within eps of *x*, and into the range."""
    import numpy

    if norm == "Linf":
        return numpy.asarray(numpy.clip(numpy.clip(made, x - eps, x + eps), low, high), "float32")
    away = (made - x).reshape(len(x), -1)
    length = numpy.linalg.norm(away, axis=1, keepdims=True)
    near = x + (away * numpy.minimum(1, eps / numpy.maximum(length, 1e-12))).reshape(x.shape)
    return numpy.asarray(numpy.clip(near, low, high), "float32")


def steepest(gradient: Array, norm: str) -> Array:
    """The direction of length 1 in *norm* along which the loss rises fastest."""
    import numpy

    if norm == "Linf":
        return numpy.asarray(numpy.sign(gradient))
    flat = gradient.reshape(len(gradient), -1)
    length = numpy.linalg.norm(flat, axis=1, keepdims=True)
    return numpy.asarray((flat / numpy.maximum(length, 1e-12)).reshape(gradient.shape))


def start(batch: Batch, eps: float, norm: str, seed: str, what: str) -> Array:
    """A random place within eps of each instance."""
    import numpy

    made = []
    for index, x in zip(batch.indices, batch.x, strict=True):
        chance = randomness(seed, index, what)
        if norm == "Linf":
            made.append(x + chance.uniform(-eps, eps, x.shape))
        else:
            way = chance.normal(size=x.shape)
            made.append(x + way / max(float(numpy.linalg.norm(way)), 1e-12) * eps * chance.uniform() ** (1 / x.size))
    return numpy.asarray(made, "float32").reshape(batch.x.shape)


def pgd(subject: Subject, outcome: Outcome, plan: Plan, seed: str, eps: float | None = None) -> None:
    """Projected gradient descent (Madry and others, 2018) on cross-entropy, from a random start.

    Parameters of the plan: ``steps`` (40), ``step`` (a quarter of eps).
    """
    eps, norm, (low, high) = plan.eps if eps is None else eps, plan.threat.norm or "Linf", bounds(plan)
    steps, size = plan.number("steps", 40), plan.decimal("step", str(eps / 4 if eps >= 1e-4 else 0))
    batch = outcome.batch.only(~outcome.fell)
    made = project(start(batch, eps, norm, seed, "pgd"), batch.x, eps, norm, low, high)
    for step in range(steps + 1):
        if not len(made):
            return
        outcome.queries[~outcome.fell] += 1
        if step == steps:
            scores = subject.scores(made)
        else:
            scores, loss, gradient = subject.gradient(made, batch.y, "ce")
            _note_gradients(outcome, gradient, loss)
        wrong = is_wrong(scores, batch.y)
        if wrong.any():
            outcome.take(wrong, made, "pgd")
            batch, made = batch.only(~wrong), made[~wrong]
        if step < steps and len(made):
            gradient = gradient[~wrong] if wrong.any() else gradient
            made = project(made + size * steepest(gradient, norm), batch.x, eps, norm, low, high)


def apgd(
    subject: Subject, outcome: Outcome, plan: Plan, seed: str, loss: str, target: int | None = None, name: str = ""
) -> None:
    """Auto-PGD: momentum, and steps that are halved where they stop helping.

    Args:
        loss: ``ce`` or ``dlr``.
        target: go for the class that is this likely among the others, 0 for the most likely (``dlr`` alone).
    """
    import numpy

    eps, norm, (low, high) = plan.eps, plan.threat.norm or "Linf", bounds(plan)
    steps, what = plan.number("steps", 100), name or f"apgd-{loss}"
    batch = outcome.batch.only(~outcome.fell)
    if not len(batch.x):
        return
    goal, checks = batch.y, _checkpoints(steps)
    if target is not None:
        ranked = numpy.argsort(-subject.scores(batch.x), axis=1, kind="stable")
        outcome.queries[~outcome.fell] += 1
        others = numpy.asarray([[one for one in row if one != y] for row, y in zip(ranked, batch.y, strict=True)])
        if target >= others.shape[1]:
            return
        goal = others[:, target]

    def ask(made: Array, of: Batch, goal: Array) -> tuple[Array, Array, Array]:
        outcome.queries[~outcome.fell] += 1
        if target is None:
            return subject.gradient(made, of.y, loss)
        return subject.gradient(made, numpy.stack([of.y, goal], axis=1), "dlr-targeted")

    made = project(start(batch, eps, norm, seed, what), batch.x, eps, norm, low, high)
    scores, value, gradient = ask(made, batch, goal)
    _note_gradients(outcome, gradient, value)
    wrong = is_wrong(scores, batch.y)
    outcome.take(wrong, made, what)
    alive = ~wrong
    batch, goal, made, value, gradient = batch.only(alive), goal[alive], made[alive], value[alive], gradient[alive]
    best, best_value, best_gradient, before = made.copy(), value.copy(), gradient.copy(), made.copy()
    size = numpy.full((len(made),), 2 * eps)
    rises, last_size, last_best, since = numpy.zeros(len(made), int), size.copy(), best_value.copy(), 0
    for step in range(1, steps):
        if not len(made):
            return
        wide = size.reshape(-1, *[1] * (made.ndim - 1))
        straight = project(made + wide * steepest(gradient, norm), batch.x, eps, norm, low, high)
        part = 0.75 if step > 1 else 1.0
        moved = made + part * (straight - made) + (1 - part) * (made - before)
        before, made = made, project(moved, batch.x, eps, norm, low, high)
        scores, fresh, gradient = ask(made, batch, goal)
        rises += fresh > value
        value = fresh
        better = value > best_value
        best[better], best_value[better], best_gradient[better] = made[better], value[better], gradient[better]
        since += 1
        if step in checks:
            few = rises < 0.75 * since
            stuck = few | ((last_size == size) & (last_best == best_value))
            last_size, last_best, rises, since = size.copy(), best_value.copy(), numpy.zeros(len(made), int), 0
            size = numpy.where(stuck, size / 2, size)
            made[stuck], gradient[stuck], before[stuck] = best[stuck], best_gradient[stuck], best[stuck]
        wrong = is_wrong(scores, batch.y)
        if wrong.any():
            outcome.take(wrong, made, what)
            alive = ~wrong
            batch, goal, made, before, value, gradient = (
                batch.only(alive), goal[alive], made[alive], before[alive], value[alive], gradient[alive],
            )  # fmt: skip
            best, best_value, best_gradient, size = best[alive], best_value[alive], best_gradient[alive], size[alive]
            rises, last_size, last_best = rises[alive], last_size[alive], last_best[alive]


def ensemble(subject: Subject, outcome: Outcome, plan: Plan, seed: str, square: Callable[..., None]) -> None:
    """After AutoAttack: APGD on cross-entropy, APGD with the targeted DLR loss for each of the likeliest other classes,
    then Square on what still stands; each only on what withstood those before. Parameter: ``targets`` (9)."""
    apgd(subject, outcome, plan, seed, "ce")
    # DLR divides by what the third and fourth class are below the first: with fewer it says nothing.
    classes = subject.scores(outcome.batch.x[:1]).shape[1]
    for target in range(min(plan.number("targets", PER_CLASS), classes - 1) if classes >= 4 else 0):
        apgd(subject, outcome, plan, seed, "dlr", target, f"apgd-dlr-{target}")
    outcome.note("white box", float(outcome.fell.sum()))
    square(subject, outcome, plan, seed)


def _note_gradients(outcome: Outcome, gradient: Array, loss: Array) -> None:
    """Of the first step: of how many instances every gradient is zero."""
    if "gradients" not in outcome.notes:
        outcome.notes["gradients"] = float(len(gradient))
        outcome.notes["zero gradients"] = float((abs(gradient).reshape(len(gradient), -1).max(axis=1) == 0).sum())
        outcome.notes["loss"] = float(loss.sum())


def _checkpoints(steps: int) -> set[int]:
    """After which steps APGD asks whether to halve (its section 3): 0.22 of all, then ever closer."""
    parts, found = [0.0, 0.22], set()
    while parts[-1] < 1:
        found.add(int(parts[-1] * steps + 0.999999))
        parts.append(parts[-1] + max(parts[-1] - parts[-2] - 0.03, 0.06))
    return found
