"""Rule torch-file-op: a program of PyTorch calls an operator that reaches files or other machines."""

from __future__ import annotations

from inspect_samples import look, told, torchscript

from watchword.inspect.facts import Verdict


def test_a_program_that_saves_under_another_name_is_dangerous() -> None:
    """The operator is found when it is taken by its name at run time."""
    assert ("torch-file-op", Verdict.DANGEROUS) in told(torchscript(b"return getattr(torch, 'save')(x, 'y')"), "m.pt")


def test_a_text_that_only_mentions_it_is_silent() -> None:
    """A text in the program calls nothing."""
    assert look(torchscript(b"return torch.relu(x, 'call torch.save(x) yourself')"), "m.pt").findings == []
