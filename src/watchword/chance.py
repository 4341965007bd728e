"""What counts can support: exact intervals, the n that a threshold takes, whether two runs agree, whether a name has
more of the changes than chance gives it. Standard library only.

* Intervals are Clopper and Pearson's (1934): two-sided, from the binomial tails alone, never too narrow. As text they
  are rounded outwards, to four digits, so that the written interval is not narrower than the true one.
* Two runs are compared by Fisher's exact test, two-sided, by the method of small probabilities: the chance of all
  tables with the same margins that are no more likely than the one seen.
* One name's share of the changes is tested by Fisher's exact test, one-sided: the upper tail of the hypergeometric.
* A first replication of an operator is tested at half its level, the second at a sixth, the i-th at 1 / (i (i + 1)) of
  it: all together reject a true claim no more often than the level says, however many there will be.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from watchword.limits import EVALUATION_INSTANCES_MAX

LEVEL = 0.95
ALPHA = 0.05
_DIGITS = Decimal("0.0001")
SMALLEST = 1e-300
"""Stands for every probability below it: a double ends soon after."""
_AS_LIKELY = 1 + 1e-7
"""Tables that are as likely as the one seen, but for rounding, count as such."""


def interval(k: int, n: int, level: float = LEVEL) -> tuple[float, float]:
    """The Clopper-Pearson interval of *k* of *n*; (0, 1) for n = 0.

    Raises:
        ValueError: k is not from 0 to n, or n is past EVALUATION_INSTANCES_MAX.
    """
    if not 0 <= k <= n <= EVALUATION_INSTANCES_MAX:
        raise ValueError(f"{k} of {n}: not counts")
    tail = (1 - level) / 2
    low = 0.0 if k == 0 else _root(lambda p: _at_least(k, n, p), tail)
    high = 1.0 if k == n else _root(lambda p: -at_most(k, n, p), -tail)
    return low, high


def interval_text(k: int, n: int, level: float = LEVEL) -> tuple[str, str]:
    """The same as decimal text, rounded outwards."""
    low, high = interval(k, n, level)
    down = Decimal(low).quantize(_DIGITS, ROUND_FLOOR)
    up = min(Decimal(high).quantize(_DIGITS, ROUND_CEILING), Decimal(1))
    return plain(down), plain(up)


def plain(value: Decimal) -> str:
    """Decimal text as the protocol writes it: no exponent, no zeros at the end."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def least_n(threshold: float, level: float = LEVEL) -> int:
    """The fewest instances with which not one success shows a rate of at most *threshold*.

    Raises:
        ValueError: the threshold is not between 0 and 1.
    """
    if not 0 < threshold < 1:
        raise ValueError(f"{threshold}: no rate between 0 and 1")
    # With k = 0 the upper end is 1 - (tail)^(1/n).
    return math.ceil(math.log((1 - level) / 2) / math.log1p(-threshold))


def same_rate(k: int, n: int, other_k: int, other_n: int) -> float:
    """The p-value of Fisher's exact test that both counts come from one rate.

    Raises:
        ValueError: counts that cannot be.
    """
    if not (0 <= k <= n <= EVALUATION_INSTANCES_MAX and 0 <= other_k <= other_n <= EVALUATION_INSTANCES_MAX):
        raise ValueError(f"{k} of {n} and {other_k} of {other_n}: not counts")
    hits = k + other_k
    seen = _log_table(k, n, hits, other_n)
    most = seen + math.log(_AS_LIKELY)
    all_of_it = _log_choose(n + other_n, hits)
    tables = (_log_table(one, n, hits, other_n) for one in range(max(0, hits - other_n), min(n, hits) + 1))
    return min(1.0, math.fsum(math.exp(one - all_of_it) for one in tables if one <= most))


def chance_of_at_least(hits: int, drawn: int, marked: int, rows: int) -> float:
    """P(X ≥ *hits*), where *drawn* rows are drawn without order from *rows*, of which *marked* carry the name.

    Between ``SMALLEST`` and 1, with a relative error under 1e-6.

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


def at_most(k: int, n: int, p: float) -> float:
    """P(X <= *k*) of *n* tries with probability *p*."""
    return 1 - _at_least(k + 1, n, p)


def student_tail(t: float, freedom: int) -> float:
    """P(T >= *t*) of Student's t with *freedom* degrees of freedom (DLMF 8.17; Abramowitz and Stegun 26.7.1)."""
    if t == 0:
        return 0.5
    half = _beta(min(freedom / (freedom + t * t), 1 - 1e-16), freedom / 2, 0.5) / 2
    return half if t > 0 else 1 - half


def share(number: int, alpha: float = ALPHA) -> float:
    """The part of *alpha* at which replication *number*, from 1, is tested."""
    return alpha / (number * (number + 1))


def _log_table(k: int, n: int, hits: int, other_n: int) -> float:
    return _log_choose(n, k) + _log_choose(other_n, hits - k)


def _log_choose(total: int, taken: int) -> float:
    return math.lgamma(total + 1) - math.lgamma(taken + 1) - math.lgamma(total - taken + 1)


def _at_least(k: int, n: int, p: float) -> float:
    """P(X >= k) of a binomial: the regularised incomplete beta function at p for k and n - k + 1."""
    if k <= 0:
        return 1.0
    if k > n or p <= 0:
        return 0.0
    if p >= 1:
        return 1.0
    return _beta(p, float(k), float(n - k + 1))


def _beta(x: float, a: float, b: float) -> float:
    """The regularised incomplete beta function, 0 < *x* < 1."""
    log_front = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    if x < (a + 1) / (a + b + 2):
        return math.exp(log_front) * _fraction(a, b, x) / a
    return 1 - math.exp(log_front) * _fraction(b, a, 1 - x) / b


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


def _root(rising: Callable[[float], float], at: float) -> float:
    low, high = 0.0, 1.0
    for _ in range(60):  # 2^-60 is below a double's last digit near 1
        middle = (low + high) / 2
        low, high = (middle, high) if rising(middle) < at else (low, middle)
    return (low + high) / 2
