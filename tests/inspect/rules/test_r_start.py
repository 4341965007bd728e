"""Rule r-start: no function of a workspace runs by itself."""

from __future__ import annotations

from inspect_samples import found, told
from r_samples import call, function, workspace

from watchword.inspect.facts import Verdict


def test_a_function_that_a_session_starts_with_is_dangerous() -> None:
    """R calls ``.First`` when a session with the workspace starts."""
    assert ("r-start", Verdict.DANGEROUS) in told(workspace(b".First", function(call(b"quit"))), "m.RData")


def test_the_same_function_under_another_name_is_silent() -> None:
    """A function that R does not call by itself waits for its user."""
    assert found(workspace(b"first", function(call(b"quit"))), "m.RData") == set()
