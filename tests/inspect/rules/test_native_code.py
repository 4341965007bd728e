"""Rule native-code: the release holds compiled code, which cannot be judged by reading it."""

from __future__ import annotations

from inspect_samples import found, told

from watchword.inspect.facts import Verdict


def test_compiled_code_is_suspicious() -> None:
    """A WebAssembly module is told, whatever it does."""
    assert ("native-code", Verdict.SUSPICIOUS) in told(b"\0asm\1\0\0\0" + bytes(20), "x.wasm")


def test_a_text_that_begins_like_a_program_is_silent() -> None:
    """The two letters MZ at the start of a text make no program of it."""
    assert found(b"MZ is how this text begins, and it is no program\n" * 3, "notes.txt") == set()
