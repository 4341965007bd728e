"""Rule torchscript-broken: code of a PyTorch archive cannot be read as its loader reads it."""

from __future__ import annotations

from inspect_samples import look, torchscript

from watchword.inspect.facts import Verdict


def test_code_that_is_no_program_is_unreadable() -> None:
    """What cannot be parsed here may be read by a loader with another parser."""
    findings = look(torchscript(b"return x)) ("), "m.pt").findings
    assert [(f.rule, f.verdict) for f in findings] == [("torchscript-broken", Verdict.UNREADABLE)]


def test_a_program_is_silent() -> None:
    """The same archive with brackets that close."""
    assert look(torchscript(b"return (x)"), "m.pt").findings == []
