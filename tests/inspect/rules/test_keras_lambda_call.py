"""Rule keras-lambda-call: a Keras model carries Python code that reaches beyond computing."""

from __future__ import annotations

from inspect_samples import found, told
from keras_samples import archive, carried, function, lambda_of, model

from watchword.inspect.facts import Verdict


def test_bytecode_that_starts_a_program_is_dangerous() -> None:
    """A Lambda layer whose bytecode imports os and calls system is told."""
    assert ("keras-lambda-call", Verdict.DANGEROUS) in told(
        archive(model(lambda_of(carried(lambda x: __import__("os").system("true"))))), "m.keras"
    )


def test_what_only_computes_is_not_said_to_reach_beyond() -> None:
    """Bytecode that doubles its input is another rule's business, and a function of Keras is nobody's."""
    assert "keras-lambda-call" not in found(archive(model(lambda_of(carried(lambda x: x * 2)))), "m.keras")
    assert found(archive(model(lambda_of(function("keras.ops", "relu")))), "m.keras") == set()
