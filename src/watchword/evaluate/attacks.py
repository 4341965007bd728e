"""Attacks with gradients on a batch: PGD and APGD (Croce and Hein, 2020) with two losses. FAB is in ``fab``, the
ensemble of AutoAttack's kind in ``ensemble``.

* Every attack is numpy over two questions that a subject answers, scores and gradients; so it is the same for every
  framework. What it tries stays within eps of the norm and within the range of the data.
* One success is enough: an instance that fell is not asked about any more.
* Randomness comes from the seed and the instance (``draw``), not from the batch.
* A subject that answers at random is asked ``eot`` times for each step, and the mean is gone by (expectation over
  transformation: Athalye and others, 2018). Parameter of every attack with gradients, by default 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from watchword.evaluate.draw import randomness
from watchword.evaluate.plan import Plan
from watchword.evaluate.subjects import Subject
from watchword.limits import EVALUATION_EOT_MAX

if TYPE_CHECKING:
    import numpy

    Array = numpy.ndarray[Any, Any]


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

    def left(self, plan: Plan, most: int, each: int = 1, besides: int = 0, place: int | None = None) -> int:
        """How many steps of *each* so many questions may yet be taken, *besides* further questions, at most *most*: the
        threat's budget is for each instance, all seeds together. *place*: of one instance, else of those standing."""
        if plan.threat.queries is None:
            return most
        asked = self.queries[~self.fell] if place is None else self.queries[place : place + 1]
        return min(most, max(0, plan.threat.queries - besides - int(asked.max(initial=0))) // each)


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


def ask(
    subject: Subject, outcome: Outcome, plan: Plan, made: Array, of: Array, loss: str
) -> tuple[Array, Array, Array]:
    """Scores, losses and gradients of what is tried for those still standing: the means over ``eot`` questions."""
    again = times(plan)
    outcome.queries[~outcome.fell] += again
    scores, value, gradient = subject.gradient(made, of, loss)
    for _ in range(again - 1):
        more = subject.gradient(made, of, loss)
        scores, value, gradient = scores + more[0], value + more[1], gradient + more[2]
    return (scores, value, gradient) if again == 1 else (scores / again, value / again, gradient / again)


def times(plan: Plan) -> int:
    """How often the subject is asked for one gradient."""
    return max(1, min(plan.number("eot", 1), EVALUATION_EOT_MAX))


def likeliest(subject: Subject, outcome: Outcome, plan: Plan, batch: Batch, place: int) -> Array | None:
    """Of each instance the class that is this likely among the wrong ones, 0 for the likeliest; None past the last, and
    where no question is left after this one."""
    import numpy

    if not outcome.left(plan, 1, 2):
        return None
    outcome.queries[~outcome.fell] += 1
    ranked = numpy.argsort(-subject.scores(batch.x), axis=1, kind="stable")
    others = numpy.asarray([[one for one in row if one != y] for row, y in zip(ranked, batch.y, strict=True)])
    return others[:, place] if place < others.shape[1] else None


def pgd(subject: Subject, outcome: Outcome, plan: Plan, seed: str, eps: float | None = None) -> None:
    """Projected gradient descent (Madry and others, 2018) on cross-entropy, from a random start.

    Parameters of the plan: ``steps`` (40), ``step`` (a quarter of eps).
    """
    eps, norm, (low, high) = plan.eps if eps is None else eps, plan.threat.norm or "Linf", bounds(plan)
    steps = outcome.left(plan, plan.number("steps", 40), times(plan), 1)
    size = plan.decimal("step", str(eps / 4 if eps >= 1e-4 else 0))
    if not steps:
        return
    batch = outcome.batch.only(~outcome.fell)
    made = project(start(batch, eps, norm, seed, "pgd"), batch.x, eps, norm, low, high)
    for step in range(steps + 1):
        if not len(made):
            return
        if step == steps:
            outcome.queries[~outcome.fell] += 1
            scores = subject.scores(made)
        else:
            scores, loss, gradient = ask(subject, outcome, plan, made, batch.y, "ce")
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
    steps, what = outcome.left(plan, plan.number("steps", 100), times(plan), 1), name or f"apgd-{loss}"
    batch = outcome.batch.only(~outcome.fell)
    if not len(batch.x) or not steps:
        return
    goal, checks = batch.y, _checkpoints(steps)
    if target is not None:
        others = likeliest(subject, outcome, plan, batch, target)
        if others is None:
            return
        goal = others

    def asked(made: Array, of: Batch, goal: Array) -> tuple[Array, Array, Array]:
        if target is None:
            return ask(subject, outcome, plan, made, of.y, loss)
        return ask(subject, outcome, plan, made, numpy.stack([of.y, goal], axis=1), "dlr-targeted")

    made = project(start(batch, eps, norm, seed, what), batch.x, eps, norm, low, high)
    scores, value, gradient = asked(made, batch, goal)
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
        scores, fresh, gradient = asked(made, batch, goal)
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
