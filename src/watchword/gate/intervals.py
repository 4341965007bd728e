"""How far few observations let one say anything: intervals for shares, medians and signal detection. Pure arithmetic.

* A share: Clopper and Pearson (1934), exact: at least as wide as it says, also for 0 of 3.
* A median: the order statistics whose ranks a fair coin would enclose; below six values there is none at 95 %.
* A rate of events in time: Byar's approximation to the exact Poisson limits (Breslow and Day 1987), within a percent of
  them from one event on.
* d' and criterion c (Green and Swets 1966): counts corrected log-linearly (Hautus 1995), so that no rate is 0 or 1;
  variance by Gourevitch and Galanter (1967). With few trials that is an approximation, and the words say so.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist, median

from watchword.chance import LEVEL, at_most, interval

_TAIL = (1 - LEVEL) / 2
_NORMAL = NormalDist()


@dataclass(frozen=True)
class Range:
    """An estimate between its bounds, of ``n`` observations. Bounds are None where there is no interval."""

    at: float
    low: float | None
    high: float | None
    n: int

    def value(self) -> dict[str, float | int | None]:
        """The same as JSON data, rounded to what anybody reads."""
        low, high = (None if one is None else round(one, 4) for one in (self.low, self.high))
        return {"at": round(self.at, 4), "high": high, "low": low, "n": self.n}


def share(k: int, n: int) -> Range:
    """*k* of *n* with its Clopper-Pearson interval at 95 %; of nothing, anything from 0 to 1.

    Raises:
        ValueError: counts that cannot be.
    """
    return Range(k / n if n else 0.0, *interval(k, n), n)


def middle(values: Sequence[float]) -> Range:
    """The median of *values* with its distribution-free interval at 95 %.

    Raises:
        ValueError: no values.
    """
    ordered, n = sorted(values), len(values)
    if not n:
        raise ValueError("no values have no median")
    # The largest rank r of which P(fewer than r of n coins) stays within a tail.
    rank = 0
    while rank < n // 2 and at_most(rank, n, 0.5) <= _TAIL:
        rank += 1
    low, high = (None, None) if rank == 0 else (ordered[rank - 1], ordered[n - rank])
    return Range(median(ordered), low, high, n)


def rate(count: int, hours: float) -> Range:
    """*count* events an hour over *hours*, with its interval at 95 %.

    Raises:
        ValueError: counts or hours that cannot be.
    """
    if count < 0 or hours <= 0:
        raise ValueError(f"{count} in {hours} hours")
    z = _NORMAL.inv_cdf(1 - _TAIL)
    low = count * (1 - 1 / (9 * count) - z / (3 * math.sqrt(count))) ** 3 if count else 0.0
    more = count + 1
    high = more * (1 - 1 / (9 * more) + z / (3 * math.sqrt(more))) ** 3
    return Range(count / hours, max(0.0, low) / hours, high / hours, count)


@dataclass(frozen=True)
class Detection:
    """How well bad is told from good: ``d`` (d', 0 is guessing) and ``c`` (above 0: inclined to let pass)."""

    d: Range
    c: Range


def detection(hits: int, bad: int, alarms: int, good: int) -> Detection | None:
    """d' and c from *hits* of *bad* and false *alarms* of *good*; None where one of the two was never shown.

    Raises:
        ValueError: counts that cannot be.
    """
    if not (0 <= hits <= bad and 0 <= alarms <= good):
        raise ValueError(f"{hits} of {bad}, {alarms} of {good}")
    if not bad or not good:
        return None
    rates = (hits + 0.5) / (bad + 1), (alarms + 0.5) / (good + 1)
    z = [_NORMAL.inv_cdf(rate) for rate in rates]
    variance = sum(
        rate * (1 - rate) / (n * _NORMAL.pdf(at) ** 2) for rate, at, n in zip(rates, z, (bad, good), strict=True)
    )
    half = _NORMAL.inv_cdf(1 - _TAIL) * math.sqrt(variance)
    d, c, n = z[0] - z[1], -(z[0] + z[1]) / 2, bad + good
    return Detection(Range(d, d - half, d + half, n), Range(c, c - half / 2, c + half / 2, n))
