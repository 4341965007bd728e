"""Rule onnx-broken: the ONNX file is not a well-formed message."""

from __future__ import annotations

from inspect_samples import found, onnx_model, onnx_node, told

from watchword.inspect.facts import Verdict


def test_a_model_that_breaks_off_is_unreadable() -> None:
    """A graph that lacks its last bytes is told."""
    assert ("onnx-broken", Verdict.UNREADABLE) in told(onnx_model(onnx_node(b"Add"))[:-3], "m.onnx")


def test_a_whole_model_is_silent() -> None:
    """The same model to its last byte is well-formed."""
    assert found(onnx_model(onnx_node(b"Add")), "m.onnx") == set()
