"""Rule tar-outside: every byte of a tar archive belongs to a member."""

from __future__ import annotations

from inspect_samples import found, tarred, told

from watchword.inspect.facts import Verdict


def test_bytes_after_the_end_are_told() -> None:
    """What stands after the end is passed over by one reader and taken up by another."""
    assert ("tar-outside", Verdict.SUSPICIOUS) in told(tarred(("a.txt", b"x")) + b"more", "a.tar")


def test_zeros_after_the_end_are_silent() -> None:
    """Tapes are filled with zeros."""
    assert found(tarred(("a.txt", b"x")) + b"\0" * 10240, "a.tar") == set()
