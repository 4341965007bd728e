"""The ensemble, after AutoAttack (Croce and Hein, 2020): four attacks of different kinds, each only on what withstood
those before.

1. APGD on cross-entropy.
2. APGD with the targeted DLR loss, for each of the likeliest other classes.
3. FAB, for each of them.
4. Square, which asks for scores alone.

Parameters: ``targets`` (9), ``steps`` (100, of the first three), ``squares`` (5,000), ``eot``. A subject of fewer
than four classes has no DLR loss: it divides by what the third and fourth class are below the first.
"""

from __future__ import annotations

from watchword.evaluate.attacks import Outcome, apgd
from watchword.evaluate.blackbox import square
from watchword.evaluate.fab import fab
from watchword.evaluate.plan import Plan
from watchword.evaluate.subjects import Subject

PER_CLASS = 9
"""How many other classes are gone for, the likeliest first: AutoAttack's number."""


def ensemble(subject: Subject, outcome: Outcome, plan: Plan, seed: str) -> None:
    """Attack what still stands with all four."""
    apgd(subject, outcome, plan, seed, "ce")
    classes = subject.scores(outcome.batch.x[:1]).shape[1]
    targets = min(plan.number("targets", PER_CLASS), classes - 1)
    for target in range(targets if classes >= 4 else 0):
        apgd(subject, outcome, plan, seed, "dlr", target, f"apgd-dlr-{target}")
    for target in range(targets):
        fab(subject, outcome, plan, seed, target)
    square(subject, outcome, plan, seed)
