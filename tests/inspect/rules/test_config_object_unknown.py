"""Rule config-object-unknown: a document makes its loader call a function that models do not need."""

from __future__ import annotations

from inspect_samples import look, told

from watchword.inspect.facts import Verdict


def test_a_call_of_an_unknown_function_is_told() -> None:
    """What ``mypackage.make`` does is not in the document."""
    data = b"x: !!python/object/apply:mypackage.make [1]\n"
    assert told(data, "h.yaml") == {("config-object-unknown", Verdict.SUSPICIOUS)}


def test_a_path_that_was_written_as_an_object_is_silent() -> None:
    """Paths of ``pathlib`` are how honest settings are saved."""
    data = b"x: !!python/object/apply:pathlib.PosixPath [a, b]\n"
    assert look(data, "h.yaml").findings == []
