"""Rule keras-lambda: a Keras model carries Python code."""

from __future__ import annotations

from inspect_samples import found, told
from keras_samples import archive, carried, function, lambda_of, model

from watchword.inspect.facts import Verdict


def test_bytecode_that_only_computes_is_suspicious() -> None:
    """A Lambda layer that doubles its input is told, because bytecode can hide what it does."""
    assert ("keras-lambda", Verdict.SUSPICIOUS) in told(archive(model(lambda_of(carried(lambda x: x * 2)))), "m.keras")


def test_a_function_of_keras_by_name_is_silent() -> None:
    """A Lambda layer that names a function of Keras carries no code."""
    assert found(archive(model(lambda_of(function("keras.ops", "relu")))), "m.keras") == set()
