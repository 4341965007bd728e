"""Rule pickle-computed-name: what is imported is decided while loading."""

from __future__ import annotations

from inspect_samples import call, found, name, program, stack_name, text, told

from watchword.inspect.facts import Verdict


def test_a_name_that_a_call_returns_is_suspicious() -> None:
    """The attribute to import is the result of a call, so it cannot be read."""
    made = call(name("acme.words", "Pick"), text("a"))
    assert ("pickle-computed-name", Verdict.SUSPICIOUS) in told(program(stack_name(text("acme"), made), 4), "m.pkl")


def test_a_name_written_as_text_is_silent() -> None:
    """From protocol 4 on, module and attribute are two texts on the stack."""
    assert found(program(stack_name(text("collections"), text("OrderedDict")), 4), "m.pkl") == set()
