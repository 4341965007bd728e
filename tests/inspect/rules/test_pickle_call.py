"""Rule pickle-call: loading would run code, start a program, or reach files or the network."""

from __future__ import annotations

from inspect_samples import call, found, name, program, text, told

from watchword.inspect.facts import Verdict


def test_a_call_of_system_is_dangerous() -> None:
    """Loading this would run a command."""
    assert ("pickle-call", Verdict.DANGEROUS) in told(program(call(name("posix", "system"), text("true"))), "m.pkl")


def test_a_call_that_only_builds_is_silent() -> None:
    """An ordered dictionary is built by a call too."""
    assert found(program(call(name("collections", "OrderedDict"))), "m.pkl") == set()
