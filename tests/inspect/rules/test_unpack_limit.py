"""Rule unpack-limit: unpacking stopped at a limit."""

from __future__ import annotations

import zipfile

import pytest
from inspect_samples import look, zipped

from watchword.inspect import source
from watchword.inspect.facts import Verdict


def test_what_unpacks_to_a_thousand_times_its_size_is_unreadable(monkeypatch: pytest.MonkeyPatch) -> None:
    """A megabyte of zeros in a kilobyte stops at the ratio, applied here from 100,000 bytes on."""
    monkeypatch.setattr(source, "UNPACKED_FREE_BYTES", 100_000)
    data = zipped(("a.txt", b"a" * 1_000_000), method=zipfile.ZIP_DEFLATED)
    assert [(f.rule, f.verdict) for f in look(data, "a.zip").findings] == [("unpack-limit", Verdict.UNREADABLE)]


def test_the_same_bytes_stored_are_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is stored unpacks to its own size."""
    monkeypatch.setattr(source, "UNPACKED_FREE_BYTES", 100_000)
    assert look(zipped(("a.txt", b"a" * 1_000_000)), "a.zip").findings == []
