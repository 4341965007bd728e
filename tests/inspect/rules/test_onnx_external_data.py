"""Rule onnx-external-data: the model reads tensors from outside of its folder."""

from __future__ import annotations

from inspect_samples import field, found, look, onnx_model, onnx_node

from watchword.inspect.facts import Verdict


def external(**entries: bytes) -> bytes:
    """A model with a tensor that stands in another file."""
    data = b"".join(field(13, field(1, key.encode()) + field(2, value)) for key, value in entries.items())
    return onnx_model(onnx_node(b"Add"), initializers=field(5, field(8, b"w") + data + field(14, 1)))


def test_a_tensor_from_above_the_folder_is_dangerous() -> None:
    """A path through .. makes the loader read any file."""
    judged = look(external(location=b"a/../../etc/passwd"), "m.onnx")
    told = {(finding.rule, finding.verdict) for finding in judged.findings}
    assert ("onnx-external-data", Verdict.DANGEROUS) in told


def test_a_tensor_beside_the_model_is_silent() -> None:
    """Tensors in a file beside the model, or in a folder below it, are ordinary."""
    assert found(external(location=b"weights.bin"), "m.onnx") == set()
    assert found(external(location=b"sub/weights.bin"), "m.onnx") == set()
