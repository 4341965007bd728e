"""Rule not-inspected: the content is of a format that is not interpreted yet."""

from __future__ import annotations

from inspect_samples import found, told

from watchword.inspect.facts import Verdict


def test_bytes_that_nobody_knows_are_unreadable() -> None:
    """Raw bytes under a name that says nothing are not passed over in silence."""
    assert ("not-inspected", Verdict.UNREADABLE) in told(b"\x91\0\3" * 50, "data.bin")


def test_raw_tensors_beside_a_graph_are_silent() -> None:
    """The same bytes under the name of the data of an ONNX model are numbers."""
    assert found(b"\x91\0\3" * 50, "model.onnx_data") == set()
