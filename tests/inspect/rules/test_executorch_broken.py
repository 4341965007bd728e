"""Rule executorch-broken: an ExecuTorch program is not well-formed."""

from __future__ import annotations

from executorch_samples import executorch
from inspect_samples import look

from watchword.inspect.facts import Verdict

PROGRAM = executorch("aten::add", b"\x11" * 8)


def test_a_program_that_breaks_off_is_told() -> None:
    """The segment should go on where the file ends."""
    assert {(f.rule, f.verdict) for f in look(PROGRAM[:-4], "m.pte").findings} == {
        ("executorch-broken", Verdict.UNREADABLE)
    }


def test_a_whole_program_is_silent() -> None:
    """Every offset leads to what it should."""
    assert look(PROGRAM, "m.pte").findings == []
