"""Rule tar-mismatch: a tar archive has the same members for every reader."""

from __future__ import annotations

import tarfile

from inspect_samples import found, told

from watchword.inspect.facts import Verdict


def extended(record: bytes) -> bytes:
    head, member = tarfile.TarInfo("x"), tarfile.TarInfo("a.txt")
    head.type, head.size, member.size = tarfile.XHDTYPE, len(record), 1
    blocks = head.tobuf(tarfile.USTAR_FORMAT), record.ljust(512, b"\0"), member.tobuf(tarfile.USTAR_FORMAT)
    return b"".join(blocks) + (b"x" * 1024 if b"1024" in record else b"x".ljust(512, b"\0")) + b"\0" * 1024


def test_a_length_that_two_headers_tell_differently_is_told() -> None:
    """The extended header says 1024 bytes, the header behind it says one."""
    assert ("tar-mismatch", Verdict.SUSPICIOUS) in told(extended(b"13 size=1024\n"), "a.tar")


def test_a_length_that_both_headers_tell_is_silent() -> None:
    """The same length twice has one meaning."""
    assert found(extended(b"10 size=1\n"), "a.tar") == set()
