"""Rule coreml-custom: a Core ML model needs a class that is not in it."""

from __future__ import annotations

from inspect_samples import look, sample, told

from watchword.inspect.facts import Verdict


def test_a_layer_of_a_class_from_elsewhere_is_told() -> None:
    """The class is code of the program that loads the model."""
    data = sample("coreml-custom.mlmodel")
    assert told(data, "m.mlmodel") == {("coreml-custom", Verdict.SUSPICIOUS)}


def test_layers_that_core_ml_brings_are_silent() -> None:
    """A dense layer needs nothing else."""
    data = sample("coreml-dense.mlmodel")
    assert look(data, "m.mlmodel").findings == []
