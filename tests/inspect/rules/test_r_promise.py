"""Rule r-promise: looking at data of R runs no expression."""

from __future__ import annotations

from inspect_samples import found, told
from r_samples import call, promise, rds, reals

from watchword.inspect.facts import Verdict


def test_a_promise_that_waits_is_dangerous() -> None:
    """An expression without a value runs as soon as somebody looks (CVE-2024-27322)."""
    assert ("r-promise", Verdict.DANGEROUS) in told(rds(promise(call(b"quit"))), "m.rds")


def test_a_promise_that_has_its_value_is_silent() -> None:
    """What was evaluated before it was saved is not evaluated again."""
    assert found(rds(promise(call(b"quit"), reals(1.0))), "m.rds") == set()
