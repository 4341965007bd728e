"""Rule archive-path: a member of an archive would be unpacked outside of its folder."""

from __future__ import annotations

import tarfile

from inspect_samples import look, told

from watchword.inspect.facts import Verdict


def link(name: str, target: str) -> bytes:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = tarfile.SYMTYPE, target
    return info.tobuf(tarfile.GNU_FORMAT) + b"\0" * 1024


def test_a_link_that_leads_out_of_the_archive_is_told() -> None:
    """Unpacked, ``a/b`` would stand for a file above the folder of the archive."""
    assert told(link("a/b", "../../c"), "a.tar") == {("archive-path", Verdict.DANGEROUS)}


def test_a_link_within_the_archive_is_silent() -> None:
    """A path through ``..`` that stays inside is ordinary."""
    assert look(link("a/b", "../c"), "a.tar").findings == []
