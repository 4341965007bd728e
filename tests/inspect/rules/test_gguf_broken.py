"""Rule gguf-broken: a GGUF file is not well-formed."""

from __future__ import annotations

import struct

from inspect_samples import look

from watchword.inspect.facts import Verdict

NAME = struct.pack("<Q", 20) + b"general.architecture" + struct.pack("<IQ", 8, 5) + b"llama"
TENSOR = struct.pack("<Q", 1) + b"w" + struct.pack("<IQIQ", 1, 8, 0, 0)
HEAD = b"GGUF" + struct.pack("<IQQ", 3, 1, 1) + NAME + TENSOR
MODEL = HEAD + b"\0" * (-len(HEAD) % 32) + b"\1" * 32


def test_a_tensor_that_leads_out_of_the_file_is_told() -> None:
    """The last byte of its numbers is missing."""
    assert {(f.rule, f.verdict) for f in look(MODEL[:-1], "m.gguf").findings} == {("gguf-broken", Verdict.UNREADABLE)}


def test_a_whole_file_is_silent() -> None:
    """One key, one tensor, and its numbers."""
    assert look(MODEL, "m.gguf").findings == []
