"""Rule gguf-broken: a GGUF file is not well-formed."""

from __future__ import annotations

from gguf_samples import NAME, W, gguf
from inspect_samples import look, told

from watchword.inspect.facts import Verdict

MODEL = gguf([NAME], [W], b"\1" * 32)


def test_a_tensor_that_leads_out_of_the_file_is_told() -> None:
    """The last byte of its numbers is missing."""
    assert told(MODEL[:-1], "m.gguf") == {("gguf-broken", Verdict.UNREADABLE)}


def test_a_whole_file_is_silent() -> None:
    """One key, one tensor, and its numbers."""
    assert look(MODEL, "m.gguf").findings == []
