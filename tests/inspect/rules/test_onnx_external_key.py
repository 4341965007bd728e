"""Rule onnx-external-key: a tensor of an ONNX model says more about its data than the format knows."""

from __future__ import annotations

from inspect_samples import found, onnx_external, told

from watchword.inspect.facts import Verdict


def test_a_key_that_becomes_an_attribute_is_suspicious() -> None:
    """Some readers set whatever is named as an attribute of their own objects."""
    assert ("onnx-external-key", Verdict.SUSPICIOUS) in told(onnx_external(location=b"w", __class__=b"x"), "m.onnx")


def test_the_keys_of_the_format_are_silent() -> None:
    """Offset, length and checksum are known."""
    assert found(onnx_external(location=b"w", offset=b"0", length=b"4096", checksum=b"sha1:00"), "m.onnx") == set()
