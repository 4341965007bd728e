"""Rule coreml-broken: a Core ML model is not a well-formed message."""

from __future__ import annotations

from inspect_samples import look, sample, told

from watchword.inspect.facts import Verdict

MODEL = sample("coreml-dense.mlmodel")


def test_a_model_that_breaks_off_is_told() -> None:
    """The last three bytes are missing."""
    assert told(MODEL[:-3], "m.mlmodel") == {("coreml-broken", Verdict.UNREADABLE)}


def test_a_whole_model_is_silent() -> None:
    """What the converter writes is a well-formed message."""
    assert look(MODEL, "m.mlmodel").findings == []
