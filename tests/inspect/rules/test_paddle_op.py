"""Rule paddle-op: a PaddlePaddle program does more than compute."""

from __future__ import annotations

from inspect_samples import found, paddle, told

from watchword.inspect.facts import Verdict


def test_an_operator_that_calls_python_is_dangerous() -> None:
    """py_func runs a function of the machine that loads."""
    assert ("paddle-op", Verdict.DANGEROUS) in told(paddle(b"py_func"), "m.pdmodel")


def test_an_operator_that_computes_is_silent() -> None:
    """A product of matrices only computes."""
    assert found(paddle(b"matmul_v2"), "m.pdmodel") == set()
