"""Rule gguf-gap: a GGUF file holds bytes that no tensor owns."""

from __future__ import annotations

from gguf_samples import NAME, W, gguf
from inspect_samples import look, told

from watchword.inspect.facts import Verdict

MODEL = gguf([NAME], [W], b"\1" * 32)


def test_bytes_behind_the_last_tensor_are_told() -> None:
    """The loader never looks at them."""
    assert ("gguf-gap", Verdict.SUSPICIOUS) in told(MODEL + b"\7" * 100, "m.gguf")


def test_zeros_that_align_are_silent() -> None:
    """The zeros between the head and the first tensor are how the format is laid out."""
    assert look(MODEL, "m.gguf").findings == []
