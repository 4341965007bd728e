"""Rule coreml-file: a Core ML model takes its weights from a file outside of its package."""

from __future__ import annotations

from inspect_samples import field, look, told

from watchword.inspect.facts import Verdict


def reading(path: bytes) -> bytes:
    """A program of one constant whose value stands in the file at *path*."""
    value = field(1, b"val") + field(2, field(5, field(1, b"@model_path/" + path) + field(2, 64)))
    block = field(2, field(3, field(1, b"const") + field(5, value)))
    program = field(2, field(1, b"main") + field(2, field(3, field(1, b"CoreML5") + block)))
    return field(1, 6) + field(2, b"") + field(502, program)


def test_weights_from_outside_of_the_package_are_told() -> None:
    """Any file of the machine could be read as weights."""
    data = reading(b"../../secret")
    assert told(data, "m.mlmodel") == {("coreml-file", Verdict.DANGEROUS)}


def test_weights_in_the_package_are_silent() -> None:
    """Programs of Core ML keep their weights in a file beside them."""
    data = reading(b"weights/weight.bin")
    assert look(data, "m.mlmodel").findings == []
