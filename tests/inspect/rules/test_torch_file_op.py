"""Rule torch-file-op: a program of PyTorch calls an operator that reaches files or other machines."""

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


def test_a_program_that_saves_under_another_name_is_dangerous() -> None:
    """The operator is found when it is taken by its name at run time."""
    told = {(f.rule, f.verdict) for f in look(script(b"return getattr(torch, 'save')(x, 'y')"), "m.pt").findings}
    assert ("torch-file-op", Verdict.DANGEROUS) in told


def test_a_text_that_only_mentions_it_is_silent() -> None:
    """A text in the program calls nothing."""
    assert look(script(b"return torch.relu(x, 'call torch.save(x) yourself')"), "m.pt").findings == []
