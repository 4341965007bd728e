"""Intervals against published figures and an independent implementation."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchword.gate.intervals import detection, middle, rate, share


@pytest.mark.parametrize(
    ("k", "n", "low", "high"),
    [
        (18, 20, 0.6830, 0.9877),  # the figures of the issue: .68 to .99
        (0, 10, 0.0, 0.3085),
        (10, 10, 0.6915, 1.0),
        (4, 10, 0.1216, 0.7376),
        (0, 0, 0.0, 1.0),
        (1, 1, 0.0250, 1.0),
    ],
)
def test_a_share_has_the_published_interval(k: int, n: int, low: float, high: float) -> None:
    """Clopper and Pearson's limits, as tables print them."""
    found = share(k, n)
    assert (round(found.low or 0.0, 4), round(found.high or 0.0, 4)) == (low, high)


stats = pytest.importorskip("scipy.stats", reason="scipy comes with scikit-learn")


@given(st.integers(1, 3000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_a_share_agrees_with_another_implementation(counts: tuple[int, int]) -> None:
    """The same limits as SciPy's inverse of the incomplete beta function."""
    k, n = counts
    found = share(k, n)
    assert found.low == pytest.approx(stats.beta.ppf(0.025, k, n - k + 1) if k else 0.0, abs=1e-9)
    assert found.high == pytest.approx(stats.beta.ppf(0.975, k + 1, n - k) if k < n else 1.0, abs=1e-9)


def test_a_median_of_few_has_no_interval() -> None:
    """Five values cannot enclose a median at 95 %; six do, by the smallest and the largest."""
    assert (middle([3, 1, 2, 5, 4]).low, middle([3, 1, 2, 5, 4]).at) == (None, 3)
    six = middle([6, 5, 4, 3, 2, 1])
    assert (six.low, six.at, six.high) == (1, 3.5, 6)
    # Ranks 6 and 15 of twenty: the tables of order statistics.
    twenty = middle(range(1, 21))
    assert (twenty.low, twenty.high) == (6, 15)


@pytest.mark.parametrize("count", [0, 1, 2, 5, 30, 1000])
def test_a_rate_is_near_the_exact_poisson_limits(count: int) -> None:
    """Byar's limits beside the exact ones (chi-squared); twice as many hours, half the rate."""
    found = rate(count, 2.0)
    low, high = (stats.chi2.ppf(0.025, 2 * count) / 2 if count else 0.0), stats.chi2.ppf(0.975, 2 * count + 2) / 2
    assert found.at == count / 2
    assert found.low == pytest.approx(low / 2, abs=0.02, rel=0.02)
    assert found.high == pytest.approx(high / 2, rel=0.02)


def test_detection_is_what_the_text_books_compute() -> None:
    """Hits 20 of 25 and false alarms 10 of 25, corrected log-linearly: d' 1.044, c -0.279; guessing has d' 0."""
    found = detection(20, 25, 10, 25)
    assert found is not None
    assert (round(found.d.at, 3), round(found.c.at, 3)) == (1.044, -0.279)
    assert found.d.low is not None and found.d.high is not None and found.d.low < 1.044 < found.d.high
    guess = detection(5, 10, 5, 10)
    assert guess is not None and guess.d.at == 0 and guess.c.at == 0
    assert detection(1, 1, 0, 0) is None


@pytest.mark.parametrize("counts", [(2, 1, 0, 0), (0, 1, -1, 5), (0, 0, 3, 2)])
def test_counts_that_cannot_be_are_refused(counts: tuple[int, int, int, int]) -> None:
    """More hits than trials is a mistake, never a rate."""
    with pytest.raises(ValueError, match="of"):
        detection(*counts)
    with pytest.raises(ValueError, match="of"):
        share(3, 2)
