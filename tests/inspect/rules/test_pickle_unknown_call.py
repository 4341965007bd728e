"""Rule pickle-unknown-call: loading would call a function that no known framework needs."""

from __future__ import annotations

from inspect_samples import call, found, name, program, text, told

from watchword.inspect.facts import Verdict


def test_a_function_of_nobody_is_suspicious() -> None:
    """What this function does depends on code that is not in the file."""
    assert ("pickle-unknown-call", Verdict.SUSPICIOUS) in told(
        program(call(name("acme.tools", "run_it"), text("x"))), "m.pkl"
    )


def test_a_class_of_ones_own_is_silent() -> None:
    """Constructing a class is how objects are restored."""
    assert found(program(call(name("acme.tools", "Layer"), text("x"))), "m.pkl") == set()
