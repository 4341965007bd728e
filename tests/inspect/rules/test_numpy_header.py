"""Rule numpy-header: the header of a numpy file is malformed."""

from __future__ import annotations

from inspect_samples import found, npy, told

from watchword.inspect.facts import Verdict


def test_a_header_that_is_code_is_unreadable() -> None:
    """A shape that calls a function is no literal, and it is never evaluated."""
    assert ("numpy-header", Verdict.UNREADABLE) in told(npy(b"(__import__('os').getpid(),)", bytes(16)), "a.npy")


def test_a_header_of_python_2_is_silent() -> None:
    """Numbers of a shape end in L there, and numpy takes it away."""
    assert found(npy(b"(2L,)", bytes(16)), "a.npy") == set()
    assert found(npy(b"(2,)", bytes(16)), "a.npy") == set()
