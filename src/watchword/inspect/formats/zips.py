"""Zip archives, read as careful and as careless loaders read them: every directory and the local headers, compared.

Follows APPNOTE 6.3.10 (end record, zip64, central and local headers, data descriptors). Facts only; rules judge.

* The central directory decides what Python's ``zipfile`` and PyTorch load. A streaming reader goes by local headers.
  Every difference of name, method, size, checksum or encryption between the two is told.
* Where the directory begins is told in up to four ways: back from the end record or at the stated offset, by the 32-bit
  or the zip64 record. Readers choose differently; every place where a directory stands is read, and a second one told.
* Every byte is owned: by a record, or by a range in ``outside`` (before, between or after the records). What stands in
  comments and extra fields that no writer puts there is in ``aside``.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from watchword.inspect.exhibit import STRUCTURE, WEAK, Exhibit, Format
from watchword.inspect.facts import Oddity
from watchword.inspect.source import Source
from watchword.limits import ARCHIVE_DIRECTORY_BYTES_MAX, ARCHIVE_MEMBERS_MAX

_END = struct.Struct("<4s4H2LH")
_END64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR64 = struct.Struct("<4sLQL")
_CENTRAL = struct.Struct("<4s4B4HL2L5H2L")
_LOCAL = struct.Struct("<4s2B4HL2L2H")
_TAIL_BYTES = 65_557  # an end record with the longest comment
_DIFFERENCES_MAX = 200
STORED, DEFLATED = 0, 8
ENCRYPTED = 0x41
"""Flag bits 0 (encrypted) and 6 (strongly encrypted)."""

_PLAIN_COMMENT = re.compile(rb"[\t\n\r -~\x80-\xff]{0,4096}")
_EXTRA_BYTES = {
    0x0001: 32, 0x000A: 64, 0x000D: 64, 0x5455: 13, 0x5855: 12, 0x6375: 1024, 0x7075: 1024, 0x7855: 16, 0x7875: 32,
    0x9901: 7, 0xCAFE: 0, 0xD935: 64,
}  # fmt: skip
"""Extra fields that writers make, and how long they honestly are: zip64, times, owners, Unicode names, AES, Java,
Android's alignment (APPNOTE 4.5 and Info-ZIP's extrafld.txt). PyTorch's padding ``FB`` is any number of Z or zeros."""


class ZipBroken(Exception):
    """The archive has no readable directory; ``oddity`` says where."""

    def __init__(self, offset: int, message: str) -> None:
        super().__init__(message)
        self.oddity = Oddity("zip-short", offset, message)


@dataclass(frozen=True, slots=True)
class Member:
    """One entry of a central directory. ``start`` is where its packed bytes begin; -1 without a local header.

    ``mode`` is the Unix file mode, 0 where none is told.
    """

    name: str
    method: int
    flags: int
    crc: int
    packed: int
    size: int
    header: int
    start: int = -1
    mode: int = 0

    @property
    def encrypted(self) -> bool:
        return bool(self.flags & ENCRYPTED)

    @property
    def is_link(self) -> bool:
        return self.mode & 0o170000 == 0o120000


@dataclass(slots=True)
class ZipFacts:
    """An archive.

    ``differences`` are (offset, member, words); ``outside`` are byte ranges that no record owns; ``aside`` are (offset,
    what, bytes) that stand in comments and extra fields. ``links`` are the targets of members that are symbolic links.
    ``broken`` says that the directory was not read to its end.
    """

    members: tuple[Member, ...]
    differences: list[tuple[int, str, str]] = field(default_factory=list)
    outside: list[tuple[int, int]] = field(default_factory=list)
    aside: list[tuple[int, str, bytes]] = field(default_factory=list)
    links: dict[str, str] = field(default_factory=dict)
    comment: bytes = b""
    broken: bool = False
    oddities: list[Oddity] = field(default_factory=list)
    headers_left: int = 16 * 1024 * 1024
    """Bytes of names and extra fields that are still read: many entries may point into one long field."""

    def differ(self, offset: int, member: str, words: str) -> None:
        if len(self.differences) < _DIFFERENCES_MAX:
            self.differences.append((offset, member, words))


@dataclass(frozen=True, slots=True)
class _Directory:
    """One reading of where the directory is. ``shift`` is added to the offsets in it."""

    start: int
    size: int
    count: int
    shift: int


def looks_like_zip(source: Source) -> bool:
    """True when some reader would take *source* for a zip: a local header first, or an end record at the end."""
    if source.read_at(0, 4) in (b"PK\x03\x04", b"PK\x05\x06"):
        return True
    return _find_end(source)[0] >= 0


def read_zip(source: Source) -> ZipFacts:
    """Every directory of *source*, compared with the local headers.

    Raises:
        ZipBroken: no end record, or none that leads to a directory.
    """
    end, tail = _find_end(source)
    if end < 0:
        raise ZipBroken(source.size, "no end record: the archive is cut short")
    facts = ZipFacts((), comment=tail[_END.size :])
    owned = [(end, end + len(tail))]
    if b"PK\x05\x06" in facts.comment:
        facts.differ(end + _END.size, "", "the comment holds another end record, which some readers would take")
    if facts.comment and not _PLAIN_COMMENT.fullmatch(facts.comment):
        facts.aside.append((end + _END.size, "comment", facts.comment))
    directories = _directories(source, end, tail, facts, owned)
    members: list[Member] = []
    for number, directory in enumerate(directories):
        if number:
            facts.differ(directory.start, "", "a second directory, which some readers would take instead")
        known = set(members)
        members += [member for member in _central(source, directory, facts, owned) if member not in known]
    facts.members = tuple(_local(source, member, facts, owned) for member in members)
    facts.outside, overlaps = _gaps(owned, source.size)
    for at, length in overlaps[:20]:
        facts.differ(at, "", f"two records overlap by {length:,} bytes")
    return facts


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


def _directories(
    source: Source, end: int, tail: bytes, facts: ZipFacts, owned: list[tuple[int, int]]
) -> list[_Directory]:
    """The places where a directory stands, the one that Python's ``zipfile`` takes first.

    Raises:
        ZipBroken: at none of them.
    """
    _, disk, disk_too, here, count, size, offset, _ = _END.unpack(tail[: _END.size])
    told = [(end, count, size, offset)]
    locator = source.read_at(end - _LOCATOR64.size, _LOCATOR64.size) if end >= _LOCATOR64.size else b""
    if locator[:4] == b"PK\x06\x07":
        stated = _LOCATOR64.unpack(locator)[2]
        # Prepended bytes shift the record; it stands right before its locator in every archive that writers make.
        places = [end - _LOCATOR64.size - _END64.size, stated]
        records = [(at, source.read_at(at, _END64.size)) for at in dict.fromkeys(places) if 0 <= at < end]
        records = [(at, data) for at, data in records if data[:4] == b"PK\x06\x06" and len(data) == _END64.size]
        if not records:
            facts.oddities.append(Oddity("zip-short", end, "the zip64 end record is missing"))
        wide = [(at, *_END64.unpack(data)[7:]) for at, data in records]
        for at, *fields in wide:
            for narrow, value, full in zip((count, size, offset), fields, (2**16, 2**32, 2**32), strict=True):
                if narrow not in (full - 1, value % full):
                    facts.differ(at, "", f"its zip64 end record says {value:,}, its end record {narrow:,}")
        told = wide + told
        owned.append((min((at for at, _ in records), default=end - _LOCATOR64.size), end))
    elif 0xFFFFFFFF in (size, offset):
        facts.oddities.append(Oddity("zip-short", end, "the zip64 end record is missing"))
    if disk or disk_too or (here != count and here != 0xFFFF):
        facts.differ(end, "", "claims to be one of several disks")
    found: dict[int, _Directory] = {}
    for at, count, size, offset in told:
        for start, shift in ((at - size, at - size - offset), (offset, 0)):
            empty = count == size == 0 and start == at
            if start >= 0 and (source.read_at(start, 4) == b"PK\x01\x02" or empty):
                found.setdefault(start, _Directory(start, size, count, shift))
    if not found:
        raise ZipBroken(end, "no directory stands where the end record says")
    return list(found.values())


def _central(source: Source, where: _Directory, facts: ZipFacts, owned: list[tuple[int, int]]) -> Iterator[Member]:
    """The entries of the directory at *where*; where it breaks off, those before."""
    if where.size > ARCHIVE_DIRECTORY_BYTES_MAX:
        words = f"a directory of {where.size:,} bytes is over the limit: its first members were read"
        facts.oddities.append(Oddity("unpack-limit", where.start, words))
    directory = source.read_at(where.start, min(where.size, ARCHIVE_DIRECTORY_BYTES_MAX))
    owned.append((where.start, where.start + len(directory)))
    at = count = 0
    while at < len(directory):
        if len(directory) - at < _CENTRAL.size or directory[at : at + 4] != b"PK\x01\x02":
            break
        if count >= ARCHIVE_MEMBERS_MAX:
            words = f"more than {ARCHIVE_MEMBERS_MAX:,} members"
            facts.oddities.append(Oddity("unpack-limit", where.start + at, words))
            return
        fields = _CENTRAL.unpack_from(directory, at)
        flags, method, crc, packed, size = *fields[5:7], *fields[9:12]
        ends = [at + _CENTRAL.size]
        ends += [ends[0] + fields[12], ends[0] + fields[12] + fields[13], ends[0] + sum(fields[12:15])]
        if ends[3] > len(directory):
            break
        raw, extra, comment = (directory[ends[i] : ends[i + 1]] for i in range(3))
        size, packed, header = _zip64(extra, size, packed, fields[18])
        name = _name(raw, flags)
        yield Member(name, method, flags, crc, packed, size, header + where.shift, mode=fields[17] >> 16)
        _aside(where.start + ends[1], name, extra, facts)
        if comment and not _PLAIN_COMMENT.fullmatch(comment):
            facts.aside.append((where.start + ends[2], f"comment of {name}", comment))
        at = ends[3]
        count += 1
    if at != len(directory) or len(directory) < where.size <= ARCHIVE_DIRECTORY_BYTES_MAX:
        facts.oddities.append(Oddity("zip-short", where.start + at, "the directory breaks off"))
        facts.broken = True
    elif count != where.count and count % 2**16 != where.count:
        facts.differ(where.start, "", f"its directory has {count:,} members, its end record says {where.count:,}")


def _zip64(extra: bytes, size: int, packed: int, header: int) -> tuple[int, int, int]:
    """Sizes and offset with the zip64 extra field applied, in the order of APPNOTE 4.5.3."""
    for kind, data, _ in _extra_fields(extra):
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


def _extra_fields(extra: bytes) -> Iterator[tuple[int, bytes, int]]:
    """The fields: id, data, offset of the data. What is no field comes last, as id -1."""
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<2H", extra, at)
        if at + 4 + length > len(extra):
            break
        yield kind, extra[at + 4 : at + 4 + length], at + 4
        at += 4 + length
    if at < len(extra):
        yield -1, extra[at:], at


def _aside(base: int, name: str, extra: bytes, facts: ZipFacts) -> None:
    """Tell what in the extra field at *base* no writer puts there, and a second name."""
    for kind, data, at in _extra_fields(extra):
        if kind == 0x7075 and len(data) > 5 and data[5:].decode("utf-8", "backslashreplace") != name:
            facts.differ(base + at, name, f"is {data[5:]!r:.200} to readers that honour its Unicode name")
        padding = not data.strip(b"\0") or (kind == 0x4246 and not data.strip(b"Z"))
        if not padding and len(data) > _EXTRA_BYTES.get(kind, 3 if kind == -1 else 36) and len(facts.aside) < 1000:
            facts.aside.append((base + at, f"extra field of {name}", data))


def _local(source: Source, member: Member, facts: ZipFacts, owned: list[tuple[int, int]]) -> Member:
    """*member* with the place of its bytes, after comparing the two headers."""
    head = source.read_at(member.header, _LOCAL.size) if member.header >= 0 else b""
    if len(head) < _LOCAL.size or head[:4] != b"PK\x03\x04":
        facts.differ(member.header, member.name, "has no local header where the directory says")
        return member
    _, _, _, flags, method, _, _, crc, packed, size, name_length, extra_length = _LOCAL.unpack(head)
    wanted = name_length + extra_length
    rest = source.read_at(member.header + _LOCAL.size, wanted if facts.headers_left > 0 else min(wanted, 1024))
    facts.headers_left -= len(rest)
    extra = rest[name_length:]
    size, packed, _ = _zip64(extra, size, packed, 0)
    if extra and extra_length <= len(extra):
        _aside(member.header + _LOCAL.size + name_length, member.name, extra, facts)
    elif extra_length:
        facts.differ(member.header, member.name, f"has an extra field of {extra_length:,} bytes, which was not read")
    start = member.header + _LOCAL.size + name_length + extra_length
    streamed = bool(flags & 0x08)
    told = [("name", _name(rest[:name_length], flags)[:900], member.name[:900]), ("method", method, member.method)]
    told.append(("encryption", bool(flags & ENCRYPTED), member.encrypted))
    if not (streamed and size == 0 and packed == 0):
        told += [("size", size, member.size), ("packed size", packed, member.packed)]
    if not (streamed and crc == 0):
        told.append(("checksum", crc, member.crc))
    for what, here, there in told:
        if here != there:
            words = f"{what} {here!r:.200} in its local header, {there!r:.200} in the directory"
            facts.differ(member.header, member.name, words)
    if member.method == STORED and member.packed != member.size and not member.encrypted:
        words = f"stored, but {member.packed:,} bytes packed and {member.size:,} unpacked"
        facts.differ(member.header, member.name, words)
    end = start + member.packed
    if end > source.size:
        words = f"{member.name} ends {end - source.size:,} bytes after the file"
        facts.oddities.append(Oddity("zip-short", start, words))
    owned.append((member.header, end + (_descriptor(source, end, member) if streamed else 0)))
    return replace(member, start=start)


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
    from watchword.inspect.formats.zipped import read_zipped

    return read_zipped(exhibit, what)


def _claims(source: Source, head: bytes, name: str) -> bool:
    return head.startswith((b"PK\x03\x04", b"PK\x05\x06"))


_SUFFIXES = "zip npz pt pth pt2 ptl mar keras skops whl jar docx xlsx pptx"
FORMATS = (
    Format("zip", STRUCTURE, _claims, _read, _SUFFIXES, hides=lambda source, head: looks_like_zip(source)),
    Format("zip", WEAK, lambda source, head, name: looks_like_zip(source), _read, _SUFFIXES),
)
