"""Rule gguf-gap: a GGUF file holds bytes that no tensor owns."""

from __future__ import annotations

import struct

from inspect_samples import look

from watchword.inspect.facts import Verdict

NAME = struct.pack("<Q", 20) + b"general.architecture" + struct.pack("<IQ", 8, 5) + b"llama"
TENSOR = struct.pack("<Q", 1) + b"w" + struct.pack("<IQIQ", 1, 8, 0, 0)
HEAD = b"GGUF" + struct.pack("<IQQ", 3, 1, 1) + NAME + TENSOR
MODEL = HEAD + b"\0" * (-len(HEAD) % 32) + b"\1" * 32


def test_bytes_behind_the_last_tensor_are_told() -> None:
    """The loader never looks at them."""
    assert ("gguf-gap", Verdict.SUSPICIOUS) in {
        (f.rule, f.verdict) for f in look(MODEL + b"\7" * 100, "m.gguf").findings
    }


def test_zeros_that_align_are_silent() -> None:
    """The zeros between the head and the first tensor are how the format is laid out."""
    assert look(MODEL, "m.gguf").findings == []
