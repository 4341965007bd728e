"""Rule keras-custom-function: a Lambda layer calls a function that is not in the file."""

from __future__ import annotations

from inspect_samples import look, told
from keras_samples import archive, function, model

from watchword.inspect.facts import Verdict


def test_a_lambda_that_calls_a_function_from_elsewhere_is_told() -> None:
    """What ``acme.losses.scale`` does is not in the file."""
    data = archive(model({"class_name": "Lambda", "config": {"function": function("acme.losses", "scale")}}))
    assert told(data, "m.keras") == {("keras-custom-function", Verdict.SUSPICIOUS)}


def test_an_activation_of_ones_own_is_silent() -> None:
    """Custom activations are how models of one's own look."""
    data = archive(model({"class_name": "Dense", "config": {"activation": function("acme.layers", "swishy")}}))
    assert look(data, "m.keras").findings == []
