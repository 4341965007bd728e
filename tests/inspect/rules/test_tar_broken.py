"""Rule tar-broken: every header of a tar archive matches its checksum."""

from __future__ import annotations

from inspect_samples import found, tarred, told

from watchword.inspect.facts import Verdict


def test_a_header_with_a_wrong_checksum_is_unreadable() -> None:
    """One reader stops at the header, another looks for the next good one."""
    whole = tarred(("a.txt", b"x"), ("b.txt", b"x"))
    assert ("tar-broken", Verdict.UNREADABLE) in told(whole[:1024] + b"X" + whole[1025:], "a.tar")


def test_the_archive_without_damage_is_silent() -> None:
    """The same archive as it was written."""
    assert found(tarred(("a.txt", b"x"), ("b.txt", b"x")), "a.tar") == set()
