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


# -- several readers, several archives ------------------------------------------------------------


def test_a_second_directory_is_told_and_its_members_judged() -> None:
    """Python counts back from the end record, others take the stated offset: what each of them sees is judged."""
    hidden = zipped(("evil.pkl", EVIL))
    shown = zipped(("a.txt", b"x"))
    start = hidden.index(b"PK\x01\x02")
    directory = shown[shown.index(b"PK\x01\x02") : shown.rindex(b"PK\x05\x06")]
    # The end record's offset leads to the first archive's directory, its place to the second's.
    tail = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 1, 1, len(directory), start, 0)
    data = hidden[: hidden.rindex(b"PK\x05\x06")] + shown[: shown.index(b"PK\x01\x02")] + directory + tail
    assert {"zip-mismatch", "pickle-call"} <= found(data)


def test_zip64_records_that_say_something_else_are_told() -> None:
    """Readers without zip64 go by the 32-bit end record; the two must agree where both say a number."""
    end = GOOD.rindex(b"PK\x05\x06")
    start = GOOD.index(b"PK\x01\x02")
    for count, rule in ((2, set()), (1, {"zip-mismatch"})):
        record = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, 2, 2, end - start, start)
        locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, end, 1)
        tail = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, count, count, end - start, start, 0)
        assert found(GOOD[:end] + record + locator + tail) == rule


def test_what_hides_in_comments_and_extra_fields_is_told_and_judged() -> None:
    """Readers pass over both; padding as PyTorch writes it, and a comment of words, are nothing odd."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.comment = b"made on a Tuesday"
        info = zipfile.ZipInfo("a.bin")
        info.extra = struct.pack("<2H", 0x4246, 60) + b"Z" * 60
        archive.writestr(info, b"text")
    assert found(out.getvalue()) == set()
    end = GOOD.rindex(b"PK\x05\x06")
    commented = GOOD[: end + 20] + struct.pack("<H", len(EVIL)) + EVIL
    assert {"zip-aside", "pickle-call"} <= found(commented)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        info = zipfile.ZipInfo("a.bin")
        long = EVIL.ljust(64, b"\0")
        info.extra = struct.pack("<2H", 0x4141, len(long)) + long
        archive.writestr(info, b"text")
    assert {"zip-aside", "pickle-call"} <= found(out.getvalue())


def test_a_unicode_name_that_says_another_is_told() -> None:
    """Some readers take the name of the Unicode extra field."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        info = zipfile.ZipInfo("a.txt")
        info.extra = struct.pack("<2HBL", 0x7075, 10, 1, 0) + b"e.pkl"
        archive.writestr(info, b"x")
    assert "zip-mismatch" in found(out.getvalue())


def test_a_false_claim_of_encryption_is_told_and_the_member_judged() -> None:
    """Bits 0 and 6 on plain bytes stop careful readers only (CVE-2025-1945)."""
    for bit in (0x01, 0x40, 0x41):
        data = bytearray(zipped(("e.pkl", EVIL)))
        data[6] |= bit
        data[data.index(b"PK\x01\x02") + 8] |= bit
        assert found(bytes(data)) == {"zip-flags", "pickle-call"}
    honest = bytearray(zipped(("e.bin", bytes(range(128, 256)))))
    honest[6] |= 1
    honest[honest.index(b"PK\x01\x02") + 8] |= 1
    honest[40] ^= 0xFF
    assert found(bytes(honest)) == {"zip-encrypted"}


def test_what_a_damaged_member_gives_before_the_damage_is_judged() -> None:
    """A loader that streams has run the pickle by then."""
    data = bytearray(zipped(("e.pkl", EVIL + bytes(range(256)) * 4000), method=zipfile.ZIP_DEFLATED))
    at = data.index(b"PK\x01\x02") - 40
    data[at : at + 30] = b"\xff" * 30
    assert "pickle-call" in found(bytes(data))


def test_zstd_and_xz_members_are_read() -> None:
    """Methods 93 and 95 are what newer packers write."""
    import lzma

    import zstandard

    for method, packed in ((93, zstandard.compress(EVIL)), (95, lzma.compress(EVIL))):
        data = bytearray(zipped(("e.pkl", packed)))
        central = data.index(b"PK\x01\x02")
        crc = struct.pack("<L", zipfile.crc32(EVIL))  # type: ignore[attr-defined]
        for at, value in ((8, method), (central + 10, method)):
            data[at : at + 2] = struct.pack("<H", value)
        for at in (22, central + 24):
            data[at : at + 4] = struct.pack("<L", len(EVIL))
        for at in (14, central + 16):
            data[at : at + 4] = crc
        assert found(bytes(data)) == {"pickle-call"}, method


def test_members_are_carved_wherever_they_stand() -> None:
    """Without a directory members are found by their headers, behind other bytes and streamed ones too."""
    whole = zipped(("a.txt", b"x"), ("evil.pkl", EVIL))
    assert "pickle-call" in found(b"PK\x03\x04" + b"\0" * 90 + whole[: whole.index(b"PK\x01\x02")])
    streamed = bytearray(zipped(("evil.pkl", EVIL), method=zipfile.ZIP_DEFLATED))
    streamed[6] |= 8
    streamed[14:26] = bytes(12)
    assert "pickle-call" in found(bytes(streamed[: streamed.index(b"PK\x01\x02")]))


def test_a_member_that_claims_too_much_does_not_hide_the_next() -> None:
    """A length past the end of the file is told; the members after it are judged all the same."""
    data = bytearray(zipped(("a.bin", b"x" * 20), ("evil.pkl", EVIL)))
    central = data.index(b"PK\x01\x02")
    for at in (18, 22, central + 20, central + 24):
        data[at : at + 4] = struct.pack("<L", 0x7FFFFFFF)
    assert {"zip-short", "pickle-call"} <= found(bytes(data))


def test_members_that_share_their_bytes_are_no_bomb() -> None:
    """A thousand entries of one kernel of zeros: told, and unpacked up to a bound, not a thousand times over."""
    body = zipped(("k", bytes(4 << 20)), method=zipfile.ZIP_DEFLATED)
    start = body.index(b"PK\x01\x02")
    entries = b"".join(body[start : start + 46] + b"k" for _ in range(1000))
    tail = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 1000, 1000, len(entries), start, 0)
    judged = look(body[:start] + entries + tail, "a.zip")
    assert {"zip-duplicate", "zip-mismatch"} <= {f.rule for f in judged.findings}
    assert judged.budget.unpacked <= 1 << 30
