"""Rule tar-broken: every header of a tar archive matches its checksum."""

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


def test_a_header_with_a_wrong_checksum_is_unreadable() -> None:
    """One reader stops at the header, another looks for the next good one."""
    whole = tarred("a.txt", "b.txt")
    told = {(finding.rule, finding.verdict) for finding in look(whole[:1024] + b"X" + whole[1025:], "a.tar").findings}
    assert ("tar-broken", Verdict.UNREADABLE) in told


def test_the_archive_without_damage_is_silent() -> None:
    """The same archive as it was written."""
    assert found(tarred("a.txt", "b.txt"), "a.tar") == set()
