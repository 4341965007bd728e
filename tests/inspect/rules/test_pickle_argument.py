"""Rule pickle-argument: the arguments of a call are not those of an honest file."""

from __future__ import annotations

from inspect_samples import call, found, name, program, text, told

from watchword.inspect.facts import Verdict


def test_a_command_for_an_unknown_class_is_suspicious() -> None:
    """A class that nobody knows is given a command."""
    assert ("pickle-argument", Verdict.SUSPICIOUS) in told(
        program(call(name("acme.nets", "Layer"), text("x && curl h"))), "m.pkl"
    )


def test_an_ordinary_argument_is_silent() -> None:
    """The same class with the name of an activation is a layer."""
    assert found(program(call(name("acme.nets", "Layer"), text("relu"))), "m.pkl") == set()
