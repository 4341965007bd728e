"""Rule zip-encrypted: a member is encrypted."""

from __future__ import annotations

from inspect_samples import look, zipped

from watchword.inspect.facts import Verdict


def archive(flag: int) -> bytes:
    """An archive of one member with this flag, whose bytes do not stand there as they are when it is set."""
    data = bytearray(zipped(("e.txt", b"hello, reader")))
    data[35] ^= 0xFF * flag
    for at in (6, data.index(b"PK\x01\x02") + 8):
        data[at] |= flag
    return bytes(data)


def test_an_encrypted_member_is_unreadable() -> None:
    """Whoever loads it has the password; nobody else sees what it is."""
    assert [(f.rule, f.verdict) for f in look(archive(1), "a.zip").findings] == [("zip-encrypted", Verdict.UNREADABLE)]


def test_a_plain_member_is_silent() -> None:
    """The same member without the flag and as it is."""
    assert look(archive(0), "a.zip").findings == []
