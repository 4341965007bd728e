"""Rule torch-custom-op: a program of PyTorch needs operators that are native code from elsewhere."""

from __future__ import annotations

from inspect_samples import look, zipped

from watchword.inspect.facts import Verdict

HEAD = b"class M(Module):\n  training : bool\n  def forward(self: __torch__.M,\n    x: Tensor) -> Tensor:\n    "


def script(line: bytes) -> bytes:
    """A TorchScript archive whose only method is this line."""
    return zipped(
        ("m/data.pkl", b"\x80\x02c__torch__\nM\nq\x00)\x81}(X\x08\x00\x00\x00trainingq\x01\x89ub."),
        ("m/code/__torch__.py", HEAD + line + b"\n"),
        ("m/constants.pkl", b"\x80\x02)."),
        ("m/version", b"3\n"),
    )


def test_an_operator_of_nobody_is_suspicious() -> None:
    """A namespace that PyTorch does not bring is a library that was not inspected."""
    findings = look(script(b"return ops.mylib.run(x)"), "m.pt").findings
    assert [(f.rule, f.verdict) for f in findings] == [("torch-custom-op", Verdict.SUSPICIOUS)]


def test_an_operator_of_a_well_known_library_is_silent() -> None:
    """Those of torchvision and of quantisation are known."""
    assert look(script(b"return ops.torchvision.nms(ops.quantized.add(x, x, 1., 0), x, 0.5)"), "m.pt").findings == []
