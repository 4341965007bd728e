"""What makes a result suspect: signs that the attack failed for a reason other than robustness, after Carlini and
others (2019) and AutoAttack's own checks. Computed on at most EVALUATION_PROBE_MAX instances that were right without an
attack.

| flag | what was seen |
|---|---|
| black-box-beats-white-box | scores alone broke what gradients did not |
| errors | instances without an answer; they count against the subject |
| full-range-stands | with the whole range allowed, some instance still stands |
| loss-not-rising | a larger eps does not give a larger loss |
| nan-output | scores that are no numbers |
| noise-as-good | random noise breaks as much as the attack |
| randomised-output | one question, two answers |
| zero-gradients | of more than one instance in a hundred every gradient is zero |

A flag takes nothing from the counts: it travels with them, and a charter may ask for none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from watchword.evaluate import attacks, blackbox
from watchword.evaluate.attacks import Batch
from watchword.evaluate.plan import OF_ARRAYS, WHITE_BOX, Plan
from watchword.evaluate.samples import Samples
from watchword.evaluate.subjects import Asked, SubjectTrouble
from watchword.limits import EVALUATION_PROBE_MAX

if TYPE_CHECKING:
    import numpy

    from watchword.evaluate.run import Done, Row

    Array = numpy.ndarray[Any, Any]

SQUARES, NOISES = 200, 10
"""How often the cheap black box and the noise ask about each instance."""


def flags(plan: Plan, seed: str, samples: Samples, subject: Asked, done: Done, probe: list[Row]) -> tuple[str, ...]:
    """The flags that are raised, sorted. ``errors`` where the subject does not answer while they are computed."""
    found: set[str] = set()
    if any(row.error for row in done.rows):
        found.add("errors")
    if done.notes.get("nan"):
        found.add("nan-output")
    if done.notes.get("zero gradients", 0) > 0.01 * done.notes.get("gradients", 1):
        found.add("zero-gradients")
    if any(row.by == "square" for row in done.rows) and plan.attack.name in WHITE_BOX:
        found.add("black-box-beats-white-box")
    rows = probe[:EVALUATION_PROBE_MAX]
    if rows:
        try:
            if samples.x is None:
                found |= _of_items(samples, subject, rows)
            else:
                found |= _of_arrays(plan, seed, samples, subject, rows)
        except SubjectTrouble:
            found.add("errors")
    return tuple(sorted(found))


def _batch(samples: Samples, rows: list[Row]) -> Batch:
    if samples.x is None or samples.y is None:
        raise ValueError("no arrays")
    indices = [row.index for row in rows]
    return Batch(indices, samples.x[indices], samples.y[indices])


def _of_items(samples: Samples, subject: Asked, rows: list[Row]) -> set[str]:
    items = [samples.items[row.index] for row in rows]
    return {"randomised-output"} if subject.labels(items) != subject.labels(items) else set()


def _of_arrays(plan: Plan, seed: str, samples: Samples, subject: Asked, rows: list[Row]) -> set[str]:
    import numpy

    found: set[str] = set()
    batch = _batch(samples, rows)
    once, twice = subject.scores(batch.x), subject.scores(batch.x)
    if not numpy.array_equal(once, twice, equal_nan=True):
        found.add("randomised-output")
    if plan.attack.name not in OF_ARRAYS - {"corruption"}:
        return found
    fell = sum(row.fell for row in rows)
    if plan.attack.name != "noise":
        noisy = attacks.begin(batch)
        blackbox.noise(subject, noisy, plan, f"{seed}/flags", NOISES)
        if 0 < fell <= int(noisy.fell.sum()):
            found.add("noise-as-good")
    white = subject.gradients and plan.attack.name in WHITE_BOX
    if white:
        standing = attacks.begin(batch.only(numpy.asarray([not row.fell for row in rows])))
        if len(standing.batch.x):
            cheap = _changed(plan, {"squares": SQUARES})
            blackbox.square(subject, standing, cheap, f"{seed}/flags")
            if standing.fell.any():
                found.add("black-box-beats-white-box")
        losses = [_loss(plan, seed, subject, batch, part * plan.eps) for part in (0.5, 1, 2)]
        if not losses[0] < losses[1] < losses[2]:
            found.add("loss-not-rising")
    low, high = attacks.bounds(plan)
    whole = attacks.begin(batch)
    wide = (high - low) * (1 if plan.threat.norm == "Linf" else batch.x[0].size ** 0.5)
    if white:
        attacks.pgd(subject, whole, _changed(plan, {"steps": 20, "step": f"{wide / 8:f}"}), f"{seed}/flags", wide)
    else:
        large = msgspec.structs.replace(plan, threat=msgspec.structs.replace(plan.threat, eps=f"{wide:f}"))
        blackbox.noise(subject, whole, large, f"{seed}/flags", 2 * NOISES)
    if not whole.fell.all():
        found.add("full-range-stands")
    return found


def _loss(plan: Plan, seed: str, subject: Asked, batch: Batch, eps: float) -> float:
    """The mean loss after ten steps within *eps*, of all instances, fallen ones too."""
    low, high = attacks.bounds(plan)
    norm = plan.threat.norm or "Linf"
    made = attacks.project(attacks.start(batch, eps, norm, f"{seed}/loss", "loss"), batch.x, eps, norm, low, high)
    for _ in range(10):
        _, loss, gradient = subject.gradient(made, batch.y, "ce")
        made = attacks.project(made + eps / 4 * attacks.steepest(gradient, norm), batch.x, eps, norm, low, high)
    return float(loss.mean())


def curve(
    plan: Plan, seed: str, samples: Samples, subject: Asked, probe: list[Row], done: Done
) -> tuple[tuple[str, int, int], ...]:
    """How many of the instances that were right still stand, for each eps of the plan's curve.

    By PGD where there are gradients, by noise where there are none: each point is an upper bound, and no part of the
    claim.
    """
    if not plan.curve or samples.x is None or plan.threat.norm is None or not probe:
        return ()
    points = []
    for eps in plan.curve:
        batch = _batch(samples, probe)
        outcome = attacks.begin(batch)
        if float(eps) > 0:
            at = msgspec.structs.replace(plan, threat=msgspec.structs.replace(plan.threat, eps=eps))
            if subject.gradients:
                attacks.pgd(subject, outcome, _changed(at, {}, "step"), f"{seed}/curve {eps}", float(eps))
            else:
                blackbox.noise(subject, outcome, at, f"{seed}/curve {eps}", NOISES)
        points.append((eps, int((~outcome.fell).sum()), len(done.rows)))
    return tuple(points)


def _changed(plan: Plan, parameters: dict[str, Any], *without: str) -> Plan:
    kept = {name: value for name, value in plan.attack.parameters.items() if name not in without}
    return msgspec.structs.replace(
        plan, attack=msgspec.structs.replace(plan.attack, parameters=kept | parameters)
    )
