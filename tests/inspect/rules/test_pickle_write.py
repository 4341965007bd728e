"""Rule pickle-write: loading may change only what the pickle itself has made."""

from __future__ import annotations

from inspect_samples import call, found, name, program, text, told

from watchword.inspect.facts import Verdict


def test_a_class_that_a_pickle_changes_is_told() -> None:
    """State that is set on an imported class, not on an object of it, is told."""
    assert ("pickle-write", Verdict.SUSPICIOUS) in told(
        program(name("collections", "OrderedDict") + b"}" + text("update") + text("x") + b"sb"), "m.pkl"
    )


def test_state_of_an_object_of_the_class_is_silent() -> None:
    """The same state on an object that the pickle made is how objects are saved."""
    assert (
        found(program(call(name("collections", "OrderedDict")) + b"}" + text("note") + text("x") + b"sb"), "m.pkl")
        == set()
    )
