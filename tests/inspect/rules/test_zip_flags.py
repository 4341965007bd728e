"""Rule zip-flags: a member claims to be encrypted and is not."""

from __future__ import annotations

from inspect_samples import look, zipped

from watchword.inspect.facts import Verdict


def archive(flag: int) -> bytes:
    """An archive of one plain member with these flags in both directories."""
    data = bytearray(zipped(("e.txt", b"hello")))
    for at in (6, data.index(b"PK\x01\x02") + 8):
        data[at] |= flag
    return bytes(data)


def test_a_false_claim_of_encryption_is_suspicious() -> None:
    """Careful readers stop at the flag, careless ones load the plain bytes (CVE-2025-1945)."""
    assert [(f.rule, f.verdict) for f in look(archive(0x41), "a.zip").findings] == [("zip-flags", Verdict.SUSPICIOUS)]


def test_flags_of_compression_are_silent() -> None:
    """Bits 1 and 2 say how hard a packer tried."""
    assert look(archive(0x06), "a.zip").findings == []
