"""The probability that is printed is the exact one."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watchword.chance import SMALLEST, chance_of_at_least


def by_definition(hits: int, drawn: int, marked: int, rows: int) -> Fraction:
    """The upper tail in whole numbers."""
    ways = sum(math.comb(marked, k) * math.comb(rows - marked, drawn - k) for k in range(hits, min(drawn, marked) + 1))
    return Fraction(ways, math.comb(rows, drawn))


@settings(max_examples=200)
@given(st.data())
def test_the_tail_is_that_of_the_hypergeometric_distribution(data):
    """Against whole-number arithmetic, for any table of up to 400 rows."""
    rows = data.draw(st.integers(1, 400))
    drawn, marked = data.draw(st.integers(0, rows)), data.draw(st.integers(0, rows))
    hits = data.draw(st.integers(0, min(drawn, marked)))
    exact = by_definition(hits, drawn, marked, rows)
    assert chance_of_at_least(hits, drawn, marked, rows) == pytest.approx(float(exact), rel=1e-6)


def test_fishers_tea_is_one_in_seventy():
    """Fisher's own example (The Design of Experiments, 1935): four cups of eight, all right: 1/70."""
    assert chance_of_at_least(4, 4, 4, 8) == pytest.approx(1 / 70)


def test_millions_of_rows_cost_no_time_and_lose_no_sense():
    """A tail of 10^7 rows is found at once, and what a double cannot hold is told as the smallest."""
    assert chance_of_at_least(12, 12, 480, 5000) == pytest.approx(float(by_definition(12, 12, 480, 5000)), rel=1e-6)
    assert chance_of_at_least(1_000_000, 1_000_000, 1_000_000, 10_000_000) == SMALLEST
    assert chance_of_at_least(500_000, 1_000_000, 5_000_000, 10_000_000) == pytest.approx(0.5, abs=0.01)


def test_impossible_counts_are_an_error():
    """More hits than rows drawn is a fault of the caller, not a small probability."""
    with pytest.raises(ValueError):
        chance_of_at_least(5, 4, 10, 20)
