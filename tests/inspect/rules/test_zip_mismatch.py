"""Rule zip-mismatch: the two directories of a zip archive disagree."""

from __future__ import annotations

import struct

from inspect_samples import look, zipped

from watchword.inspect.facts import Verdict

GOOD = zipped(("a.txt", b"hello"), ("b.txt", b"world"))


def test_another_name_in_the_header_is_suspicious() -> None:
    """One reader sees a.txt, the next z.txt (CVE-2025-1944)."""
    findings = look(GOOD[:30] + b"z" + GOOD[31:], "a.zip").findings
    assert [(f.rule, f.verdict) for f in findings] == [("zip-mismatch", Verdict.SUSPICIOUS)]


def test_a_zip64_record_that_agrees_is_silent() -> None:
    """Large archives say their numbers twice."""
    start, end = GOOD.index(b"PK\x01\x02"), GOOD.rindex(b"PK\x05\x06")
    record = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, 2, 2, end - start, start)
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, end, 1)
    assert look(GOOD[:end] + record + locator + GOOD[end:], "a.zip").findings == []
