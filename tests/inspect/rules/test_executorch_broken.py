"""Rule executorch-broken: an ExecuTorch program is not well-formed."""

from __future__ import annotations

from executorch_samples import executorch
from inspect_samples import look, told

from watchword.inspect.facts import Verdict

PROGRAM = executorch("aten::add", b"\x11" * 8)


def test_a_program_that_breaks_off_is_told() -> None:
    """The segment should go on where the file ends."""
    assert told(PROGRAM[:-4], "m.pte") == {("executorch-broken", Verdict.UNREADABLE)}


def test_a_whole_program_is_silent() -> None:
    """Every offset leads to what it should."""
    assert look(PROGRAM, "m.pte").findings == []
