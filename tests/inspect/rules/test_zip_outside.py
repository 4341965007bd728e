"""Rule zip-outside: a zip archive holds bytes that no record owns."""

from __future__ import annotations

from inspect_samples import look, told, zipped

from watchword.inspect.facts import Verdict

GOOD = zipped(("a.txt", b"hello"), ("b.txt", b"world"))


def test_bytes_before_the_first_member_are_suspicious() -> None:
    """What stands before the members is nobody's, and may be another file to another reader."""
    assert ("zip-outside", Verdict.SUSPICIOUS) in told(bytes(9) + GOOD, "a.zip")


def test_an_archive_without_gaps_is_silent() -> None:
    """An archive within another leaves no byte over in either."""
    assert look(zipped(("a.zip", GOOD), ("b.txt", b"")), "a.zip").findings == []
