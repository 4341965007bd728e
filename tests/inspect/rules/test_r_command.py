"""Rule r-command: functions that are saved with data of R compute."""

from __future__ import annotations

from inspect_samples import found, look
from r_samples import call, function, rds

from watchword.inspect.facts import Verdict


def test_a_function_that_runs_commands_is_told() -> None:
    """A saved function that names ``system`` is told before anybody calls it."""
    told = {(finding.rule, finding.verdict) for finding in look(rds(function(call(b"system"))), "m.rds").findings}
    assert ("r-command", Verdict.SUSPICIOUS) in told


def test_a_function_that_computes_is_silent() -> None:
    """Models of R bring functions along."""
    assert found(rds(function(call(b"exp"))), "m.rds") == set()
