"""Rule zip-method: a member is packed in a way that is not read here."""

from __future__ import annotations

import struct
import zipfile

from inspect_samples import look, zipped

from watchword.inspect.facts import Verdict


def test_an_unknown_method_is_unreadable() -> None:
    """What cannot be unpacked here is not passed over."""
    data = bytearray(zipped(("a.txt", b"x" * 50)))
    for at in (8, data.index(b"PK\x01\x02") + 10):
        data[at : at + 2] = struct.pack("<H", 99)
    assert [(f.rule, f.verdict) for f in look(bytes(data), "a.zip").findings] == [("zip-method", Verdict.UNREADABLE)]


def test_every_method_of_ordinary_packers_is_silent() -> None:
    """Stored, deflate, bzip2 and LZMA are read."""
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        assert look(zipped(("a.txt", b"x" * 50), method=method), "a.zip").findings == [], method
