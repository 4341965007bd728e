"""Rule onnx-custom-op: the model needs operators that are native code from elsewhere."""

from __future__ import annotations

from inspect_samples import field, found, onnx_model, onnx_node, told

from watchword.inspect.facts import Verdict


def test_an_operator_of_a_foreign_domain_is_suspicious() -> None:
    """An operator that the user is asked to register is told."""
    assert ("onnx-custom-op", Verdict.SUSPICIOUS) in told(onnx_model(onnx_node(b"PyOp", b"ai.onnx.contrib")), "m.onnx")


def test_an_operator_that_the_model_defines_is_silent() -> None:
    """A function in the file, and an operator of ONNX Runtime, are no code from elsewhere."""
    function = field(25, field(1, b"Mine") + field(7, onnx_node(b"Add")) + field(10, b"acme"))
    assert found(onnx_model(onnx_node(b"Mine", b"acme"), functions=function), "m.onnx") == set()
    assert found(onnx_model(onnx_node(b"FastGelu", b"com.microsoft")), "m.onnx") == set()
