"""Rule onnx-external-data: the model reads tensors from outside of its folder."""

from __future__ import annotations

from inspect_samples import found, onnx_external, told

from watchword.inspect.facts import Verdict


def test_a_tensor_from_above_the_folder_is_dangerous() -> None:
    """A path through .. makes the loader read any file."""
    assert ("onnx-external-data", Verdict.DANGEROUS) in told(onnx_external(location=b"a/../../etc/passwd"), "m.onnx")


def test_a_tensor_beside_the_model_is_silent() -> None:
    """Tensors in a file beside the model, or in a folder below it, are ordinary."""
    assert found(onnx_external(location=b"weights.bin"), "m.onnx") == set()
    assert found(onnx_external(location=b"sub/weights.bin"), "m.onnx") == set()
