"""Exact intervals and tests, against published figures and against scipy, which counts otherwise."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta, fisher_exact

from watchword.chance import interval, interval_text, least_n, same_rate, share


@pytest.mark.parametrize(
    ("k", "n", "low", "high"),
    [
        (0, 200, "0", "0.0183"), (89, 200, "0.3749", "0.5168"), (158, 158, "0.9769", "1"),
        (0, 1000, "0", "0.0037"), (11, 200, "0.0277", "0.0963"), (0, 0, "0", "1"),
    ],
)  # fmt: skip
def test_intervals_are_those_of_clopper_and_pearson(k: int, n: int, low: str, high: str) -> None:
    """Rounded outwards: what is written is never narrower than what is true."""
    assert interval_text(k, n) == (low, high)


@given(st.integers(1, 3000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_intervals_agree_with_the_quantiles_of_beta(counts: tuple[int, int]) -> None:
    """The binomial tails give what the quantiles of the beta distribution give."""
    k, n = counts
    low, high = interval(k, n)
    assert low == pytest.approx(beta.ppf(0.025, k, n - k + 1) if k else 0.0, abs=1e-9)
    assert high == pytest.approx(beta.ppf(0.975, k + 1, n - k) if k < n else 1.0, abs=1e-9)


@given(st.integers(1, 60), st.integers(1, 60), st.data())
def test_two_runs_are_compared_as_fisher_does(n: int, other_n: int, data: st.DataObject) -> None:
    """The p-value is that of the two-sided exact test."""
    k, other_k = data.draw(st.integers(0, n)), data.draw(st.integers(0, other_n))
    expected = fisher_exact([[k, n - k], [other_k, other_n - other_k]])[1]
    assert same_rate(k, n, other_k, other_n) == pytest.approx(expected, rel=1e-6)


def test_how_many_it_takes_to_show_one_in_a_hundred() -> None:
    """With no success at all, 368 tries show at most 1 %, and 367 do not."""
    assert least_n(0.01) == 368
    assert interval(0, 368)[1] <= 0.01 < interval(0, 367)[1]


def test_many_replications_do_not_reject_a_true_claim_by_their_number() -> None:
    """The shares of all replications that there could be add up to the level and no more."""
    assert [share(number) for number in (1, 2, 3)] == pytest.approx([0.025, 0.05 / 6, 0.05 / 12])
    assert sum(share(number) for number in range(1, 100_000)) < 0.05


@pytest.mark.parametrize("counts", [(1, 0), (-1, 5), (2, 1), (0, 10**9)])
def test_counts_that_cannot_be_are_refused(counts: tuple[int, int]) -> None:
    """Nothing is computed of them."""
    with pytest.raises(ValueError, match="not counts"):
        interval(*counts)
