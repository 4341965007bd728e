"""Zip archives, read as careful and as careless loaders read them: both directories, compared.

Follows APPNOTE 6.3.10 (end record, zip64, central and local headers, data descriptors). Facts only; rules judge.

* The central directory decides what Python's ``zipfile`` and PyTorch load. A streaming reader goes by local headers.
  Every difference of name, method, size, checksum or encryption between the two is told.
* Every byte is owned: by a record, or by a range in ``outside`` (before, between or after the records).
* Stored members are looked at in place and never copied; deflated ones are unpacked under the budget of the file.
"""

from __future__ import annotations

import bz2
import lzma
import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from watchword.inspect.exhibit import STRUCTURE, WEAK, Exhibit, Format
from watchword.inspect.facts import Oddity, shown
from watchword.inspect.source import Budget, Part, Source, TooMuch, chunks_of, hold
from watchword.limits import ARCHIVE_CRC_BYTES_MAX, ARCHIVE_DIRECTORY_BYTES_MAX, ARCHIVE_MEMBERS_MAX

_TENSOR_MEMBER = re.compile(r"(?:^|.*/)\.?data/[^/]+")

_END = struct.Struct("<4s4H2LH")
_END64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR64 = struct.Struct("<4sLQL")
_CENTRAL = struct.Struct("<4s4B4HL2L5H2L")
_LOCAL = struct.Struct("<4s2B4HL2L2H")
_TAIL_BYTES = 65_557  # an end record with the longest comment
STORED, DEFLATED, BZIP2, LZMA = 0, 8, 12, 14


class ZipBroken(Exception):
    """The archive has no readable directory; ``oddity`` says where."""

    def __init__(self, offset: int, message: str) -> None:
        super().__init__(message)
        self.oddity = Oddity("zip-short", offset, message)


@dataclass(frozen=True, slots=True)
class Member:
    """One entry of the central directory. ``start`` is where its packed bytes begin; -1 without a local header."""

    name: str
    method: int
    encrypted: bool
    crc: int
    packed: int
    size: int
    header: int
    start: int
    extra: bytes = b""


@dataclass(slots=True)
class ZipFacts:
    """An archive. ``differences`` are (offset, member, words); ``outside`` are byte ranges that no record owns."""

    members: tuple[Member, ...]
    differences: list[tuple[int, str, str]] = field(default_factory=list)
    outside: list[tuple[int, int]] = field(default_factory=list)
    comment: bytes = b""
    shift: int = 0
    oddities: list[Oddity] = field(default_factory=list)


def looks_like_zip(source: Source) -> bool:
    """True when some reader would take *source* for a zip: a local header first, or an end record at the end."""
    if source.read_at(0, 4) in (b"PK\x03\x04", b"PK\x05\x06"):
        return True
    return _find_end(source)[0] >= 0


def read_zip(source: Source) -> ZipFacts:
    """The directory of *source*, compared with its local headers.

    Raises:
        ZipBroken: no end record, or a directory that cannot be read.
    """
    end, tail = _find_end(source)
    if end < 0:
        raise ZipBroken(source.size, "no end record: the archive is cut short")
    count, size, offset, end_length = _end_record(source, end, tail)
    start = end - size if end_length == 0 else end_length - size
    shift = start - offset
    if size > ARCHIVE_DIRECTORY_BYTES_MAX or count > ARCHIVE_MEMBERS_MAX:
        raise ZipBroken(start, f"a directory of {count:,} members in {size:,} bytes is over the limit")
    if start < 0 or shift < 0:
        raise ZipBroken(end, "the directory begins before the file does")
    directory = source.read_at(start, size)
    if len(directory) < size:
        raise ZipBroken(source.size, f"ends {size - len(directory):,} bytes early")
    facts = ZipFacts((), comment=tail[_END.size :], shift=shift)
    owned = [(start, start + size), (end, end + _END.size + len(facts.comment))]
    if end_length:
        owned.append((end_length, end))
    facts.members = tuple(_central(directory, start, count, facts))
    facts.members = tuple(_local(source, member, facts, owned) for member in facts.members)
    facts.outside, overlaps = _gaps(owned, source.size)
    facts.differences += [(at, "", f"two records overlap by {length:,} bytes") for at, length in overlaps[:20]]
    return facts


def open_member(source: Source, member: Member, budget: Budget) -> Source | None:
    """The unpacked bytes of *member*; None when it is encrypted or packed by a method that is not read here.

    Raises:
        TooMuch: it unpacks to more than the budget.
        ZipBroken: the packed bytes are damaged.
    """
    packed = Part(source, member.start, member.packed)
    if member.encrypted or member.start < 0:
        return None
    if member.method == STORED:
        return packed
    if member.method not in (DEFLATED, BZIP2, LZMA):
        return None
    try:
        return hold(_inflate(packed, member), max(1, member.packed), budget)
    except (zlib.error, OSError, EOFError, lzma.LZMAError, ValueError) as error:
        raise ZipBroken(member.start, f"{member.name} is damaged: {error}") from error


def crc_of(source: Source) -> int:
    """CRC-32 of all bytes of *source*."""
    crc = 0
    for chunk in chunks_of(source):
        crc = zlib.crc32(chunk, crc)
    return crc


def _inflate(packed: Source, member: Member) -> Iterator[bytes]:
    if member.method == LZMA:
        head = packed.read_at(0, 4)
        length = int.from_bytes(head[2:4], "little")
        properties = packed.read_at(4, length)
        filters = [lzma._decode_filter_properties(lzma.FILTER_LZMA1, properties)]  # type: ignore[attr-defined]
        engine: zlib._Decompress | bz2.BZ2Decompressor | lzma.LZMADecompressor
        engine = lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=filters)
        start = 4 + length
    else:
        engine = zlib.decompressobj(-15) if member.method == DEFLATED else bz2.BZ2Decompressor()
        start = 0
    for chunk in chunks_of(packed, start):
        yield from drained(engine, chunk)
        if engine.eof:
            return
    if member.method == DEFLATED and not engine.eof:
        raise EOFError("it ends early")


def drained(engine: zlib._Decompress | bz2.BZ2Decompressor | lzma.LZMADecompressor, chunk: bytes) -> Iterator[bytes]:
    """What *engine* makes of *chunk*, a mebibyte at a time: a bomb is met in pieces."""
    if isinstance(engine, bz2.BZ2Decompressor | lzma.LZMADecompressor):
        yield engine.decompress(chunk, 1 << 20)
        while not engine.eof and not engine.needs_input:
            yield engine.decompress(b"", 1 << 20)
        return
    while chunk:
        yield engine.decompress(chunk, 1 << 20)
        chunk = engine.unconsumed_tail
    if engine.eof:
        return
    while more := engine.decompress(b"", 1 << 20):
        yield more


def _find_end(source: Source) -> tuple[int, bytes]:
    """The offset and bytes of the last end record; -1 without one."""
    length = min(source.size, _TAIL_BYTES)
    base = source.size - length
    tail = source.read_at(base, length)
    at = tail.rfind(b"PK\x05\x06")
    while at >= 0:
        if len(tail) - at >= _END.size:
            comment = int.from_bytes(tail[at + 20 : at + 22], "little")
            if at + _END.size + comment <= len(tail):
                return base + at, tail[at : at + _END.size + comment]
        at = tail.rfind(b"PK\x05\x06", 0, at)
    return -1, b""


def _end_record(source: Source, end: int, tail: bytes) -> tuple[int, int, int, int]:
    """Members, size and stated offset of the directory; and where a zip64 end record begins (0 without one)."""
    _, disk, _, _, count, size, offset, _ = _END.unpack(tail[: _END.size])
    locator = source.read_at(end - _LOCATOR64.size, _LOCATOR64.size) if end >= _LOCATOR64.size else b""
    if locator[:4] == b"PK\x06\x07":
        _, _, at, _ = _LOCATOR64.unpack(locator)
        # Prepended bytes shift the record; it stands right before its locator in every archive that writers make.
        for place in (end - _LOCATOR64.size - _END64.size, at):
            record = source.read_at(place, _END64.size) if 0 <= place < end else b""
            if record[:4] == b"PK\x06\x06" and len(record) == _END64.size:
                fields = _END64.unpack(record)
                return fields[7], fields[8], fields[9], place
        raise ZipBroken(end, "the zip64 end record is missing")
    if disk or 0xFFFFFFFF in (size, offset):
        raise ZipBroken(end, "an archive on several disks")
    return count, size, offset, 0


def _central(directory: bytes, base: int, count: int, facts: ZipFacts) -> Iterator[Member]:
    at = 0
    for _ in range(count):
        if len(directory) - at < _CENTRAL.size or directory[at : at + 4] != b"PK\x01\x02":
            raise ZipBroken(base + at, "the directory breaks off")
        fields = _CENTRAL.unpack_from(directory, at)
        flags, method, crc, packed, size = fields[5], fields[6], fields[9], fields[10], fields[11]
        name_length, extra_length, comment_length, header = fields[12], fields[13], fields[14], fields[18]
        at += _CENTRAL.size
        raw = directory[at : at + name_length]
        extra = directory[at + name_length : at + name_length + extra_length]
        at += name_length + extra_length + comment_length
        if at > len(directory):
            raise ZipBroken(base + at, "the directory breaks off")
        size, packed, header = _zip64(extra, size, packed, header)
        yield Member(_name(raw, flags), method, bool(flags & 0x41), crc, packed, size, header + facts.shift, -1, extra)
    if at != len(directory):
        words = f"{len(directory) - at:,} bytes of directory are left over"
        facts.oddities.append(Oddity("zip-short", base + at, words))


def _zip64(extra: bytes, size: int, packed: int, header: int) -> tuple[int, int, int]:
    """Sizes and offset with the zip64 extra field applied, in the order of APPNOTE 4.5.3."""
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<2H", extra, at)
        data = extra[at + 4 : at + 4 + length]
        at += 4 + length
        if kind != 1:
            continue
        values = [int.from_bytes(data[i : i + 8], "little") for i in range(0, len(data) - 7, 8)]
        if size == 0xFFFFFFFF and values:
            size = values.pop(0)
        if packed == 0xFFFFFFFF and values:
            packed = values.pop(0)
        if header == 0xFFFFFFFF and values:
            header = values.pop(0)
    return size, packed, header


def _local(source: Source, member: Member, facts: ZipFacts, owned: list[tuple[int, int]]) -> Member:
    """*member* with the place of its bytes, after comparing the two headers."""
    head = source.read_at(member.header, _LOCAL.size)
    if len(head) < _LOCAL.size or head[:4] != b"PK\x03\x04":
        facts.differences.append((member.header, member.name, "has no local header where the directory says"))
        return member
    _, _, _, flags, method, _, _, crc, packed, size, name_length, extra_length = _LOCAL.unpack(head)
    # Bounded: many entries of the directory may point to one header with the longest of names.
    rest = source.read_at(member.header + _LOCAL.size, min(name_length + extra_length, 8192))
    size, packed, _ = _zip64(rest[name_length:], size, packed, 0)
    start = member.header + _LOCAL.size + name_length + extra_length
    streamed = bool(flags & 0x08)
    told = [("name", _name(rest[:name_length], flags)[:8192], member.name[:8192]), ("method", method, member.method)]
    told.append(("encryption", bool(flags & 0x41), member.encrypted))
    if not (streamed and size == 0 and packed == 0):
        told += [("size", size, member.size), ("packed size", packed, member.packed)]
    if not (streamed and crc == 0):
        told.append(("checksum", crc, member.crc))
    for what, here, there in told:
        if here != there and len(facts.differences) < 200:
            words = f"{what} {here!r:.200} in its local header, {there!r:.200} in the directory"
            facts.differences.append((member.header, member.name, words))
    if member.method == STORED and member.packed != member.size and not member.encrypted:
        words = f"stored, but {member.packed:,} bytes packed and {member.size:,} unpacked"
        facts.differences.append((member.header, member.name, words))
    end = start + member.packed
    if end > source.size:
        words = f"{member.name} ends {end - source.size:,} bytes after the file"
        facts.oddities.append(Oddity("zip-short", start, words))
    owned.append((member.header, end + (_descriptor(source, end, member) if streamed else 0)))
    return Member(
        member.name, member.method, member.encrypted, member.crc, member.packed, member.size, member.header, start
    )


def _descriptor(source: Source, at: int, member: Member) -> int:
    """Length of the data descriptor at *at*: with or without signature, with sizes of 4 or 8 bytes."""
    data = source.read_at(at, 24)
    for signature in (b"PK\x07\x08", b""):
        for code, mask in (("<L2L", 2**32 - 1), ("<L2Q", 2**64 - 1)):
            expected = signature + struct.pack(code, member.crc, member.packed & mask, member.size & mask)
            if data.startswith(expected):
                return len(expected)
    return 0


def _gaps(owned: list[tuple[int, int]], size: int) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Ranges that no record owns; and (offset, length) of what two records own."""
    gaps, overlaps = [], []
    at = 0
    for start, end in sorted(owned):
        if start > at:
            gaps.append((at, start))
        elif start < at and end > start:
            overlaps.append((start, min(at, end) - start))
        at = max(at, end)
    if at < size:
        gaps.append((at, size))
    return gaps, overlaps


def _name(raw: bytes, flags: int) -> str:
    if flags & 0x800:
        return raw.decode("utf-8", "backslashreplace")
    return raw.decode("cp437")


def _read(exhibit: Exhibit, what: str) -> tuple[str, str]:
    source = exhibit.source
    try:
        facts = read_zip(source)
    except ZipBroken as error:
        exhibit.keep(error.oddity)
        exhibit.unread(0, source.size)
        _pieces(exhibit)
        return what, "not readable as an archive"
    exhibit.check(facts)
    exhibit.keep(*facts.oddities)
    torch = _torch_prefix(facts)
    tensors = packed = 0
    looked_at = set()
    for member in facts.members:
        place = (member.start, member.packed, member.method)
        if place in looked_at:
            continue
        looked_at.add(place)
        packed += member.packed
        if packed > source.size:
            # Entries that share their bytes: following each would take time without bound.
            words = "the members overlap: together they are longer than the file"
            exhibit.odd("unpack-limit", member.header, words)
            break
        if torch is not None and member.method == 0 and _is_tensor(member, torch):
            tensors += 1
        elif not member.name.endswith("/") or member.size:
            _member(exhibit, member)
    for start, end in facts.outside:
        exhibit.inner(f"bytes@{start:#x}", Part(source, start, end - start))
    exhibit.merge({"members": len(facts.members)})
    if torch is None:
        return what, f"{len(facts.members):,} members opened"
    if tensors:
        exhibit.note(f"{tensors:,} tensors are raw data to every loader: in the file's digest, checksums not computed")
    if any("/code/" in f"/{member.name}" for member in facts.members):
        exhibit.odd("not-inspected", None, "TorchScript code is not interpreted yet")
    return "pytorch", "data.pkl followed opcode by opcode, every member accounted for"


def _torch_prefix(facts: ZipFacts) -> str | None:
    """The folder in a PyTorch archive; None when it is another sort of archive."""
    for member in facts.members:
        if member.name.endswith("/data.pkl") or member.name == "data.pkl":
            prefix = member.name.removesuffix("data.pkl")
            names = {other.name for other in facts.members}
            if prefix + "version" in names or prefix + "constants.pkl" in names or prefix + "byteorder" in names:
                return prefix
    return None


def _is_tensor(member: Member, prefix: str) -> bool:
    return member.name.startswith(prefix) and bool(_TENSOR_MEMBER.fullmatch(member.name))


def _member(exhibit: Exhibit, member: Member) -> None:
    inner = f"{exhibit.path}:{shown(member.name, 200)}"
    into = exhibit.into
    if not exhibit.goes_deeper():
        return
    try:
        opened = open_member(exhibit.source, member, exhibit.budget)
    except TooMuch as error:
        into.keep(inner, [Oddity("unpack-limit", member.start, str(error))])
        return
    except ZipBroken as error:
        into.keep(inner, [error.oddity])
        return
    if opened is None:
        rule = "zip-encrypted" if member.encrypted else "zip-method"
        words = "is encrypted" if member.encrypted else f"packed by method {member.method}, which is not read"
        if member.start < 0:
            words = "cannot be found in the archive"
        into.keep(inner, [Oddity(rule, member.header, words)])
        return
    if opened.size <= ARCHIVE_CRC_BYTES_MAX:
        crc = crc_of(opened)
        if crc != member.crc:
            words = f"checksum {crc:08x}, the directory says {member.crc:08x}"
            into.keep(inner, [Oddity("zip-crc", member.start, words)])
    else:
        exhibit.note("members over 64 MiB: in the file's digest, checksums not computed")
    exhibit.judge(inner, opened)


def _pieces(exhibit: Exhibit) -> None:
    """Members of an archive without a directory, by their local headers: a streaming reader would find them."""
    source = exhibit.source
    at = 0
    while source.read_at(at, 4) == b"PK\x03\x04" and exhibit.goes_deeper():
        head = source.read_at(at, 30)
        if len(head) < 30:
            return
        packed, size = int.from_bytes(head[18:22], "little"), int.from_bytes(head[22:26], "little")
        lengths = int.from_bytes(head[26:28], "little"), int.from_bytes(head[28:30], "little")
        name = source.read_at(at + 30, lengths[0]).decode("utf-8", "backslashreplace")
        start = at + 30 + sum(lengths)
        method = int.from_bytes(head[8:10], "little")
        # Streamed members do not say their length here: the rest of the file is what a decoder would be given.
        length = packed if packed and packed != 0xFFFFFFFF else source.size - start
        member = Member(name, method, bool(head[6] & 1), 0, length, size, at, start)
        try:
            opened = open_member(source, member, exhibit.budget)
        except (ZipBroken, TooMuch):
            opened = None
        if opened is not None:
            exhibit.judge(f"{exhibit.path}:{shown(name, 200)}", opened)
        at = start + length


def _claims(source: Source, head: bytes, name: str) -> bool:
    return head.startswith((b"PK\x03\x04", b"PK\x05\x06"))


_SUFFIXES = "zip npz pt pth pt2 mar keras"
FORMATS = (
    Format("zip", STRUCTURE, _claims, _read, _SUFFIXES, hides=lambda source, head: looks_like_zip(source)),
    Format("zip", WEAK, lambda source, head, name: looks_like_zip(source), _read, _SUFFIXES),
)
