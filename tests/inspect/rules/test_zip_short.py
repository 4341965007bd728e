"""Rule zip-short: the zip archive is damaged or cut short."""

from __future__ import annotations

from inspect_samples import look, told, zipped

from watchword.inspect.facts import Verdict

GOOD = zipped(("a.txt", b"hello"), ("b.txt", b"world"))


def test_an_archive_without_its_directory_is_unreadable() -> None:
    """Readers recover from damage differently, so a cut archive is not passed over."""
    assert ("zip-short", Verdict.UNREADABLE) in told(GOOD[: GOOD.index(b"PK\x01\x02")], "a.zip")


def test_a_whole_archive_is_silent() -> None:
    """So is one without any member."""
    for data in (GOOD, zipped()):
        assert look(data, "a.zip").findings == []
