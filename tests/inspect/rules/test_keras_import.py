"""Rule keras-import: a Keras model makes its loader reach beyond Keras."""

from __future__ import annotations

from inspect_samples import look, told
from keras_samples import archive, function, model

from watchword.inspect.facts import Verdict


def test_a_lambda_that_runs_commands_is_told() -> None:
    """The loader would import ``os`` and call ``system``."""
    data = archive(model({"class_name": "Lambda", "config": {"function": function("os", "system")}}))
    assert told(data, "m.keras") == {("keras-import", Verdict.DANGEROUS)}


def test_a_lambda_that_computes_is_silent() -> None:
    """Functions of Keras itself compute."""
    data = archive(model({"class_name": "Lambda", "config": {"function": function("keras.ops", "relu")}}))
    assert look(data, "m.keras").findings == []
