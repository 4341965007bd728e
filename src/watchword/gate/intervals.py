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
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import NormalDist, median

CONFIDENCE = 0.95
_TAIL = (1 - CONFIDENCE) / 2
_NORMAL = NormalDist()
_STEPS = 60
"""Halvings of 0..1. Origin: a double has 53 bits."""


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
    if not 0 <= k <= n:
        raise ValueError(f"{k} of {n}")
    low = 0.0 if k == 0 else _where(lambda p: _at_least(k, n, p) < _TAIL)
    high = 1.0 if k == n else _where(lambda p: 1 - _at_least(k + 1, n, p) > _TAIL)
    return Range(k / n if n else 0.0, low, high, n)


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
    while rank < n // 2 and 1 - _at_least(rank + 1, n, 0.5) <= _TAIL:
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


def _where(below: Callable[[float], bool]) -> float:
    """The point in 0..1 up to which *below* is true."""
    low, high = 0.0, 1.0
    for _ in range(_STEPS):
        centre = (low + high) / 2
        if below(centre):
            low = centre
        else:
            high = centre
    return (low + high) / 2


def _at_least(k: int, n: int, p: float) -> float:
    """P(X >= k) of a binomial: the regularised incomplete beta function at p for k and n - k + 1."""
    if k <= 0:
        return 1.0
    if k > n or p <= 0:
        return 0.0
    if p >= 1:
        return 1.0
    a, b = float(k), float(n - k + 1)
    log_front = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(p) + b * math.log1p(-p)
    if p < (a + 1) / (a + b + 2):
        return math.exp(log_front) * _fraction(a, b, p) / a
    return 1 - math.exp(log_front) * _fraction(b, a, 1 - p) / b


_FRACTION_TERMS_MAX = 5_000
_TINY = 1e-300


def _fraction(a: float, b: float, x: float) -> float:
    """The continued fraction of the incomplete beta function (DLMF 8.17.22), by Lentz's method."""
    c, d = 1.0, 1 - (a + b) * x / (a + 1)
    d = 1 / (d if abs(d) > _TINY else _TINY)
    result = d
    for m in range(1, _FRACTION_TERMS_MAX):
        for numerator in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1 + numerator * d
            d = 1 / (d if abs(d) > _TINY else _TINY)
            c = 1 + numerator / c
            c = c if abs(c) > _TINY else _TINY
            result *= c * d
        if abs(c * d - 1) < 1e-14:
            break
    return result
