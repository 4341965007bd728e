"""Rule zip-crc: a member does not match its checksum."""

from __future__ import annotations

from inspect_samples import look, zipped

from watchword.inspect.facts import Verdict


def test_a_wrong_checksum_is_suspicious() -> None:
    """Both directories agree on a checksum that is not the member's."""
    data = bytearray(zipped(("a.txt", b"hello")))
    for at in (14, data.index(b"PK\x01\x02") + 16):
        data[at : at + 4] = b"\1\2\3\4"
    assert [(f.rule, f.verdict) for f in look(bytes(data), "a.zip").findings] == [("zip-crc", Verdict.SUSPICIOUS)]


def test_a_right_checksum_is_silent() -> None:
    """The same archive as it was written, and an empty member, whose checksum is zero."""
    assert look(zipped(("a.txt", b"hello"), ("empty.txt", b"")), "a.zip").findings == []
