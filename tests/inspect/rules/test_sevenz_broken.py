"""Rule sevenz-broken: a 7z archive is read to its end."""

from __future__ import annotations

from inspect_samples import found, told
from sevenz_samples import SEVENZ

from watchword.inspect.facts import Verdict


def test_an_archive_that_is_cut_short_is_unreadable() -> None:
    """The header of a 7z archive stands at its end: without it, no member is known."""
    assert ("sevenz-broken", Verdict.UNREADABLE) in told(SEVENZ["lzma"][:150], "a.7z")


def test_the_whole_archive_is_not_called_damaged() -> None:
    """Only the pickle in it, which is dangerous, is told."""
    assert found(SEVENZ["lzma"], "a.7z") == {"pickle-call"}
