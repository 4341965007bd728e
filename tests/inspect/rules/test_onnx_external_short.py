"""Rule onnx-external-short: a file of tensors is shorter than the model that names it says."""

from __future__ import annotations

from pathlib import Path

from inspect_samples import field, onnx_model, onnx_node

from watchword.inspect import Verdict, inspect_path

ENTRIES = {b"location": b"tensors.bin", b"offset": b"64", b"length": b"64"}
DATA = b"".join(field(13, field(1, key) + field(2, value)) for key, value in ENTRIES.items())
MODEL = onnx_model(onnx_node(b"Add"), initializers=field(5, field(8, b"w") + DATA + field(14, 1)))


def test_a_tensor_behind_the_end_of_its_file_is_unreadable(tmp_path: Path) -> None:
    """The model takes 64 bytes from byte 64 on, and the file has 100."""
    (tmp_path / "m.onnx").write_bytes(MODEL)
    (tmp_path / "tensors.bin").write_bytes(b"\x91\x00\x03\x3f" * 25)
    told = {(finding.rule, finding.verdict) for finding in inspect_path(tmp_path).findings}
    assert ("onnx-external-short", Verdict.UNREADABLE) in told


def test_a_tensor_that_ends_with_its_file_is_silent(tmp_path: Path) -> None:
    """With 128 bytes the file has all that the model takes."""
    (tmp_path / "m.onnx").write_bytes(MODEL)
    (tmp_path / "tensors.bin").write_bytes(b"\x91\x00\x03\x3f" * 32)
    assert inspect_path(tmp_path).findings == ()
