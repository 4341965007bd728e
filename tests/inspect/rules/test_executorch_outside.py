"""Rule executorch-outside: an ExecuTorch file holds bytes that belong to no part."""

from __future__ import annotations

from inspect_samples import look

from watchword.inspect.facts import Verdict

PROGRAM = bytes.fromhex(
    "50000000455431326568303018000000d000000000000000d00000000000000000000000000000000000000000000000"
    "000000000000000000000000000000000e000c0000000400000000000800000010000000080000005000000001000000"
    "1800000014000800000000000000000000000000040000001400000004000000010000000c0000000800080004000000"
    "0800000004000000090000006174656e3a3a616464000000010000000c0000000800140004000c000800000000000000"
    "000000000800000000000000000000001111111111111111"
)
"""One plan with the operator aten::add, and one segment of eight bytes behind it."""


def test_bytes_behind_the_last_segment_are_told() -> None:
    """The loader never looks at them."""
    data = PROGRAM + b"bytes of nobody"
    assert ("executorch-outside", Verdict.SUSPICIOUS) in {(f.rule, f.verdict) for f in look(data, "m.pte").findings}


def test_a_program_to_the_byte_is_silent() -> None:
    """A program and its segment explain the whole file."""
    assert look(PROGRAM, "m.pte").findings == []
