"""Rule torch-storage: tensor data of a PyTorch archive are not what its pickle says."""

from __future__ import annotations

import io
import zipfile

from inspect_samples import look, torch_zip

from watchword.inspect.facts import Verdict


def test_bytes_that_no_tensor_uses_are_suspicious() -> None:
    """A storage that the pickle does not name is a place to hide."""
    out = io.BytesIO(torch_zip())
    with zipfile.ZipFile(out, "a") as archive:
        archive.writestr("archive/data/7", b"\x11" * 64)
    findings = look(out.getvalue(), "m.pt").findings
    assert [(f.rule, f.verdict) for f in findings] == [("torch-storage", Verdict.SUSPICIOUS)]


def test_storages_that_are_exact_to_the_byte_are_silent() -> None:
    """As torch.save writes them, for any number of tensors."""
    assert look(torch_zip(tensors=8), "m.pt").findings == []
