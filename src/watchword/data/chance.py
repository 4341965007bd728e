"""How likely it is that so many of the changes fall on one name by chance. Pure arithmetic, standard library only.

The test is Fisher's exact test, one-sided: draw *drawn* rows without order from *rows*, of which *marked* carry the
name; the probability that *hits* or more of those drawn carry it is the upper tail of the hypergeometric distribution.
"""

from __future__ import annotations

import math

SMALLEST = 1e-300
"""Stands for every probability below it: a double ends soon after."""


def chance_of_at_least(hits: int, drawn: int, marked: int, rows: int) -> float:
    """P(X ≥ *hits*), X hypergeometric; between `SMALLEST` and 1, with a relative error under 1e-6.

    Raises:
        ValueError: counts that no draw can have.
    """
    if not (0 <= hits <= min(drawn, marked) and drawn <= rows and marked <= rows):
        raise ValueError(f"no draw of {drawn} from {rows} has {hits} of {marked}")
    if hits <= max(0, drawn + marked - rows):
        return 1.0
    log_first = _log_choose(marked, hits) + _log_choose(rows - marked, drawn - hits) - _log_choose(rows, drawn)
    # Each further term is the one before times a ratio that falls: the sum stops where terms stop counting.
    total = term = 1.0
    for more in range(hits, min(drawn, marked)):
        term *= (marked - more) * (drawn - more) / ((more + 1) * (rows - marked - drawn + more + 1))
        total += term
        if term < total * 1e-17:
            break
    log_tail = log_first + math.log(total)
    return min(1.0, math.exp(log_tail)) if log_tail > math.log(SMALLEST) else SMALLEST


def _log_choose(total: int, taken: int) -> float:
    return math.lgamma(total + 1) - math.lgamma(taken + 1) - math.lgamma(total - taken + 1)
