"""Rule torchscript-broken: code of a PyTorch archive cannot be read as its loader reads it."""

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


def test_code_that_is_no_program_is_unreadable() -> None:
    """What cannot be parsed here may be read by a loader with another parser."""
    findings = look(script(b"return x)) ("), "m.pt").findings
    assert [(f.rule, f.verdict) for f in findings] == [("torchscript-broken", Verdict.UNREADABLE)]


def test_a_program_is_silent() -> None:
    """The same archive with brackets that close."""
    assert look(script(b"return (x)"), "m.pt").findings == []
