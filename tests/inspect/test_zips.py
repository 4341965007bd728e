"""Zip archives as careful and careless loaders read them: what one misses, the other loads, so it is a finding."""

from __future__ import annotations

import io
import struct
import warnings
import zipfile

from inspect_samples import EVIL, found, look, state_dict_pickle, torch_zip, verdict, zipped

from watchword.inspect.facts import Verdict
from watchword.inspect.formats.zips import read_zip
from watchword.inspect.source import Held

GOOD = zipped(("a.txt", b"hello"), ("b.txt", b"world"))


def test_every_member_is_judged_and_named() -> None:
    """A pickle anywhere in an archive is found, at ``archive:member``, with the offset within the member."""
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        data = zipped(("ok.txt", b"fine"), ("inner/evil.pkl", EVIL), method=method)
        judged = look(data, "a.zip")
        assert [(f.path, f.verdict) for f in judged.findings] == [("a.zip:inner/evil.pkl", Verdict.DANGEROUS)]
        assert judged.findings[0].offset == EVIL.rindex(b"R")


def test_an_evil_data_pkl_in_a_pytorch_archive_is_found() -> None:
    """STYLE's own example: the finding is at ``head.pt:data.pkl`` of the archive's folder."""
    judged = look(torch_zip(state_dict_pickle()[:-1] + b"0" + EVIL[2:]), "head.pt")
    assert [(f.rule, f.path) for f in judged.findings] == [("pickle-call", "head.pt:archive/data.pkl")]


def test_tensor_members_are_not_unpickled_but_anything_else_is() -> None:
    """Raw tensors are data to every loader; a pickle beside them is not."""
    assert look(torch_zip(), "m.pt").findings == []
    out = io.BytesIO(torch_zip())
    with zipfile.ZipFile(out, "a") as archive:
        archive.writestr("archive/extra.bin", EVIL)
    assert "pickle-call" in found(out.getvalue(), "m.pt")


def test_changed_local_header_is_a_mismatch() -> None:
    """Name, method, size, checksum and encryption must agree. Fails if the comparison is removed (CVE-2025-1944)."""
    for offset, patch in ((30, b"z"), (8, b"\x08"), (22, b"\x09"), (14, b"\0"), (6, b"\x01")):
        data = bytearray(GOOD)
        data[offset : offset + 1] = patch
        assert "zip-mismatch" in found(bytes(data)), offset


def test_flag_bits_do_not_hide_a_member() -> None:
    """A member that claims encryption in the directory alone is told as unreadable (CVE-2025-1945)."""
    data = bytearray(torch_zip(EVIL))
    data[data.index(b"PK\x01\x02") + 8] |= 1
    assert verdict(bytes(data)) in (Verdict.UNREADABLE, Verdict.DANGEROUS)


def test_duplicate_names_are_both_judged() -> None:
    """Of two members with one name either may be loaded: both are judged, also when only case differs."""
    for second in ("data.pkl", "DATA.PKL"):
        out = io.BytesIO()
        with warnings.catch_warnings(), zipfile.ZipFile(out, "w") as archive:
            warnings.simplefilter("ignore")
            archive.writestr("data.pkl", b"\x80\x02N.")
            archive.writestr(second, EVIL)
        assert {"zip-duplicate", "pickle-call"} <= found(out.getvalue())


def test_wrong_checksum_does_not_hide_what_is_in_the_member() -> None:
    """A careful reader stops at a bad CRC; a careless one loads. The member is judged, and the CRC told."""
    data = bytearray(zipped(("e.pkl", EVIL)))
    for at in (14, data.index(b"PK\x01\x02") + 16):
        data[at : at + 4] = b"\1\2\3\4"
    assert {"zip-crc", "pickle-call"} <= found(bytes(data))


def test_bytes_outside_of_every_record_are_told_and_judged() -> None:
    """What stands before, between or after the members is nobody's, and may be a pickle of its own."""
    for data in (EVIL + GOOD, GOOD + EVIL):
        assert {"pickle-call"} <= found(data, "a.zip"), data
    assert "zip-outside" in found(b"\0" * 9 + GOOD)
    # Something else to one reader, an archive to the next: recognised by its first bytes, and judged as both.
    for front in (b"\x80\x02N.", b"\x89PNG\r\n\x1a\n", b"\x93NUMPY\x01\0", b"%PDF-1.7\n"):
        assert "pickle-call" in found(front + zipped(("e.pkl", EVIL)), "a"), front
    facts = read_zip(Held(b"#!/bin/sh\n" + GOOD))
    assert facts.outside == [(0, 10)]
    assert [member.name for member in facts.members] == ["a.txt", "b.txt"]


def test_member_that_the_directory_does_not_list_is_found() -> None:
    """A local header without an entry in the directory is bytes outside of every record, and is judged."""
    whole = zipped(("a.txt", b"x"), ("evil.pkl", EVIL))
    start = whole.index(b"PK\x01\x02")
    end = whole.rindex(b"PK\x05\x06")
    one = whole[start : whole.index(b"PK\x01\x02", start + 4)]
    tail = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 1, 1, len(one), start, 0)
    assert end > start
    assert {"zip-outside", "pickle-call"} <= found(whole[:start] + one + tail)


def test_archive_without_a_directory_is_carved() -> None:
    """A streaming loader reads local headers: an archive cut before its directory still has its members judged."""
    whole = zipped(("a.txt", b"x"), ("evil.pkl", EVIL))
    assert {"zip-short", "pickle-call"} <= found(whole[: whole.index(b"PK\x01\x02")])


def test_unsafe_member_names_are_dangerous() -> None:
    """Absolute names, parents and drives would be written outside of the folder."""
    for name in ("../x.txt", "/etc/cron.d/x", "a/../../x", "C:\\x", "..\\x"):
        assert "archive-path" in found(zipped((name, b"x"))), name


def test_zip64_and_data_descriptors_are_read_without_complaint() -> None:
    """What writers make when they stream, or for large archives, is nothing odd."""

    class Unseekable(io.RawIOBase):
        def __init__(self) -> None:
            self.data = bytearray()

        def writable(self) -> bool:
            return True

        def write(self, data: object) -> int:
            self.data += bytes(data)  # type: ignore[call-overload]
            return len(bytes(data))  # type: ignore[call-overload]

    for force in (False, True):
        out = Unseekable()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:  # type: ignore[arg-type]
            with archive.open("a.txt", "w", force_zip64=force) as member:
                member.write(b"hello" * 100)
            archive.comment = b"a comment"
        assert look(bytes(out.data), "a.zip").findings == [], force


def test_nested_archives_are_named_by_their_path() -> None:
    """A member of a member is ``a.zip:b.zip:c.pkl``."""
    data = zipped(("b.zip", zipped(("c.pkl", EVIL))))
    assert look(data, "a.zip").findings[0].path == "a.zip:b.zip:c.pkl"


def test_encrypted_and_unusual_methods_are_unreadable_not_silent() -> None:
    """What cannot be unpacked here is said to be unreadable."""
    data = bytearray(zipped(("a.bin", b"x" * 50)))
    for at in (8, data.index(b"PK\x01\x02") + 10):
        data[at : at + 2] = struct.pack("<H", 99)
    assert found(bytes(data)) == {"zip-method"}
    assert verdict(bytes(data)) is Verdict.UNREADABLE
