"""Rule r-command: functions that are saved with data of R compute."""

from __future__ import annotations

from inspect_samples import found, told
from r_samples import call, function, rds

from watchword.inspect.facts import Verdict


def test_a_function_that_runs_commands_is_told() -> None:
    """A saved function that names ``system`` is told before anybody calls it."""
    assert ("r-command", Verdict.SUSPICIOUS) in told(rds(function(call(b"system"))), "m.rds")


def test_a_function_that_computes_is_silent() -> None:
    """Models of R bring functions along."""
    assert found(rds(function(call(b"exp"))), "m.rds") == set()
