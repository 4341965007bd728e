"""Rule tar-outside: every byte of a tar archive belongs to a member."""

from __future__ import annotations

import io
import tarfile

from inspect_samples import found, look

from watchword.inspect.facts import Verdict


def tarred(*names: str) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name in names:
            info = tarfile.TarInfo(name)
            info.size = 1
            archive.addfile(info, io.BytesIO(b"x"))
    return out.getvalue()


def test_bytes_after_the_end_are_told() -> None:
    """What stands after the end is passed over by one reader and taken up by another."""
    told = {(finding.rule, finding.verdict) for finding in look(tarred("a.txt") + b"more", "a.tar").findings}
    assert ("tar-outside", Verdict.SUSPICIOUS) in told


def test_zeros_after_the_end_are_silent() -> None:
    """Tapes are filled with zeros."""
    assert found(tarred("a.txt") + b"\0" * 10240, "a.tar") == set()
