"""FAB, the attack of the ensemble that looks for the nearest border instead of the largest loss (Croce and Hein, 2020).

* The border between the right class and another one is taken as flat where one stands; the step goes to it, drawn back
  towards the instance. What was found wrong and too far away is moved closer, and the walk goes on.
* It needs neither eps nor a step size, and sees what the others miss where their loss is flat: where gradients of
  cross-entropy vanish, those of a difference of scores do not.
* An instance falls when something wrong was found within eps of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from watchword.evaluate.attacks import Outcome, ask, bounds, is_wrong, likeliest, project, start, times
from watchword.evaluate.plan import Plan
from watchword.evaluate.subjects import Subject

if TYPE_CHECKING:
    import numpy

    Array = numpy.ndarray[Any, Any]

OVERSHOOT, DRAWN_BACK_MAX, CLOSER = 1.05, 0.1, 0.9
"""How far past the border a step goes, how much of the instance's own step is in it at most, and how far a find is
moved towards the instance: the authors' numbers."""


def fab(subject: Subject, outcome: Outcome, plan: Plan, seed: str, target: int) -> None:
    """Walk to the border with the class that is this likely among the others, 0 for the likeliest.

    Parameter: ``steps`` (100).
    """
    import numpy

    eps, norm, (low, high) = plan.eps, plan.threat.norm or "Linf", bounds(plan)
    batch, name = outcome.batch.only(~outcome.fell), f"fab-{target}"
    if not len(batch.x) or (goal := likeliest(subject, outcome, plan, batch, target)) is None:
        return
    made = project(start(batch, eps / 2, norm, seed, name), batch.x, eps, norm, low, high)
    for _ in range(outcome.left(plan, plan.number("steps", 100), times(plan) + 1)):
        _, difference, gradient = ask(subject, outcome, plan, made, numpy.stack([batch.y, goal], axis=1), "difference")
        here = to_border(made, gradient, difference, norm, low, high)
        # The same plane, seen from the instance: what is linear at made says what it would be at x.
        at_x = difference + (gradient * (batch.x - made)).reshape(len(made), -1).sum(axis=1)
        there = to_border(batch.x, gradient, at_x, norm, low, high)
        lengths = numpy.maximum(_length(here, norm), 1e-8), numpy.maximum(_length(there, norm), 1e-8)
        part = _wide(numpy.minimum(lengths[0] / (lengths[0] + lengths[1]), DRAWN_BACK_MAX), made.ndim)
        moved = (1 - part) * (made + OVERSHOOT * here) + part * (batch.x + OVERSHOOT * there)
        made = numpy.asarray(numpy.clip(moved, low, high), "float32")
        outcome.queries[~outcome.fell] += 1
        wrong = is_wrong(subject.scores(made), batch.y)
        near = _length(made - batch.x, norm) <= eps * (1 + 1e-6)
        if (fell := wrong & near).any():
            outcome.take(fell, made, name)
            batch, goal, made, wrong = batch.only(~fell), goal[~fell], made[~fell], wrong[~fell]
        if not len(made):
            return
        made[wrong] = batch.x[wrong] + CLOSER * (made[wrong] - batch.x[wrong])


def to_border(x: Array, gradient: Array, value: Array, norm: str, low: float, high: float) -> Array:
    """The shortest step in *norm* after which ``value + gradient · step`` is 0, within the range of the data; where
    there is none, the step that comes closest.

    Each number moves against its gradient, at speed 1 (Linf) or as fast as its gradient is large (L2), until it is at
    the end of its range; how long they move is read off a sum that is linear between these ends.
    """
    import numpy

    slope, start_at = gradient.reshape(len(x), -1).astype("float64"), x.reshape(len(x), -1)
    way = -numpy.sign(value)[:, None] * numpy.sign(slope)
    room = numpy.where(way > 0, high - start_at, start_at - low) * (way != 0)
    steep = abs(slope)
    speed = numpy.ones_like(steep) if norm == "Linf" else steep
    ends = numpy.where(way != 0, room / numpy.maximum(speed, 1e-30), 0.0)
    ordered = numpy.argsort(ends, axis=1)
    end, gain, rate = (numpy.take_along_axis(one, ordered, 1) for one in (ends, steep * room, steep * speed))
    done = numpy.cumsum(gain, axis=1) - gain  # by those whose range has ended before
    moving = rate.sum(axis=1, keepdims=True) - numpy.cumsum(rate, axis=1) + rate
    wanted = abs(value).astype("float64")[:, None]
    within = done + moving * end >= wanted
    first = numpy.where(within.any(axis=1), within.argmax(axis=1), -1)[:, None]
    time = (wanted - numpy.take_along_axis(done, first, 1)) / numpy.maximum(
        numpy.take_along_axis(moving, first, 1), 1e-30
    )
    time = numpy.where(first >= 0, numpy.minimum(time, end[:, -1:]), end[:, -1:])
    return numpy.asarray((way * numpy.minimum(speed * time, room)).reshape(x.shape))


def _length(step: Array, norm: str) -> Array:
    import numpy

    flat = step.reshape(len(step), -1)
    return numpy.asarray(abs(flat).max(axis=1) if norm == "Linf" else numpy.linalg.norm(flat, axis=1))


def _wide(part: Array, dimensions: int) -> Array:
    return part.reshape(-1, *[1] * (dimensions - 1))
