"""Rule numpy-size: a numpy file is longer or shorter than its header says."""

from __future__ import annotations

from inspect_samples import found, npy, told

from watchword.inspect.facts import Verdict


def test_bytes_after_the_array_are_suspicious() -> None:
    """Whatever follows the last number is no part of the array."""
    assert ("numpy-size", Verdict.SUSPICIOUS) in told(npy(b"(2,)", bytes(16) + b"more"), "a.npy")


def test_an_array_of_its_size_is_silent() -> None:
    """As many bytes as shape and type say, also none at all."""
    assert found(npy(b"(2,)", bytes(16)), "a.npy") == set()
    assert found(npy(b"(0,)", b""), "a.npy") == set()
