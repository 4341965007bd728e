"""Rule onnx-external-key: a tensor of an ONNX model says more about its data than the format knows."""

from __future__ import annotations

from inspect_samples import field, found, look, onnx_model, onnx_node

from watchword.inspect.facts import Verdict


def external(**entries: bytes) -> bytes:
    """A model with a tensor that stands in another file."""
    data = b"".join(field(13, field(1, key.encode()) + field(2, value)) for key, value in entries.items())
    return onnx_model(onnx_node(b"Add"), initializers=field(5, field(8, b"w") + data + field(14, 1)))


def test_a_key_that_becomes_an_attribute_is_suspicious() -> None:
    """Some readers set whatever is named as an attribute of their own objects."""
    judged = look(external(location=b"w", __class__=b"x"), "m.onnx")
    told = {(finding.rule, finding.verdict) for finding in judged.findings}
    assert ("onnx-external-key", Verdict.SUSPICIOUS) in told


def test_the_keys_of_the_format_are_silent() -> None:
    """Offset, length and checksum are known."""
    assert found(external(location=b"w", offset=b"0", length=b"4096", checksum=b"sha1:00"), "m.onnx") == set()
