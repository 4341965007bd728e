"""Rule executorch-outside: an ExecuTorch file holds bytes that belong to no part."""

from __future__ import annotations

from executorch_samples import executorch
from inspect_samples import look, told

from watchword.inspect.facts import Verdict

PROGRAM = executorch("aten::add", b"\x11" * 8)


def test_bytes_behind_the_last_segment_are_told() -> None:
    """The loader never looks at them."""
    data = PROGRAM + b"bytes of nobody"
    assert ("executorch-outside", Verdict.SUSPICIOUS) in told(data, "m.pte")


def test_a_program_to_the_byte_is_silent() -> None:
    """A program and its segment explain the whole file."""
    assert look(PROGRAM, "m.pte").findings == []
