"""Rule torch-custom-op: a program of PyTorch needs operators that are native code from elsewhere."""

from __future__ import annotations

from inspect_samples import look, torchscript

from watchword.inspect.facts import Verdict


def test_an_operator_of_nobody_is_suspicious() -> None:
    """A namespace that PyTorch does not bring is a library that was not inspected."""
    findings = look(torchscript(b"return ops.mylib.run(x)"), "m.pt").findings
    assert [(f.rule, f.verdict) for f in findings] == [("torch-custom-op", Verdict.SUSPICIOUS)]


def test_an_operator_of_a_well_known_library_is_silent() -> None:
    """Those of torchvision and of quantisation are known."""
    assert (
        look(torchscript(b"return ops.torchvision.nms(ops.quantized.add(x, x, 1., 0), x, 0.5)"), "m.pt").findings == []
    )
