"""Rule paddle-broken: a PaddlePaddle program is not a well-formed message."""

from __future__ import annotations

from inspect_samples import found, paddle, told

from watchword.inspect.facts import Verdict


def test_a_program_that_breaks_off_is_unreadable() -> None:
    """A program that lacks its last byte is told."""
    assert ("paddle-broken", Verdict.UNREADABLE) in told(paddle(b"matmul_v2")[:-1], "m.pdmodel")


def test_a_whole_program_is_silent() -> None:
    """The same program to its last byte is well-formed."""
    assert found(paddle(b"matmul_v2"), "m.pdmodel") == set()
