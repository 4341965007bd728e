"""Rule r-broken: data of R is followed to its end."""

from __future__ import annotations

from inspect_samples import found, told
from r_samples import rds, reals

from watchword.inspect.facts import Verdict

NUMBERS = reals(1.0, 2.0)


def test_data_that_breaks_off_is_unreadable() -> None:
    """One byte short is enough: what was meant to stand there was not seen."""
    assert ("r-broken", Verdict.UNREADABLE) in told(rds(NUMBERS)[:-1], "m.rds")


def test_numbers_are_silent() -> None:
    """A vector that is all there is nothing odd."""
    assert found(rds(NUMBERS), "m.rds") == set()
