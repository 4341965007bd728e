"""7z archives: the headers, and members packed by copying, LZMA, LZMA2, deflate, bzip2 or zstd, filtered or not.

Follows 7zFormat.txt of the reference implementation. Facts only; the reader opens each folder once, and members are
parts of it.

* The header stands at the end, and may be packed itself. Its checksum and that of the start are compared.
* A coder that is not read here (AES, PPMd, BCJ2, Deflate64) is named, and its members are unreadable, never silent.
* Packed bytes that no folder owns, before, between or after, are told and judged as files of their own.
"""

from __future__ import annotations

import lzma
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from watchword.inspect.exhibit import MAGIC, Exhibit, Format
from watchword.inspect.facts import Oddity, shown
from watchword.inspect.formats.unpacking import (
    Damaged,
    Unpacked,
    bunzipped,
    inflated,
    lzma_filter,
    raw_lzma,
    unpack,
    zstandard_frames,
)
from watchword.inspect.source import Budget, Held, Part, Source, chunks_of
from watchword.limits import ARCHIVE_DIRECTORY_BYTES_MAX, ARCHIVE_MEMBERS_MAX

_MARK = b"7z\xbc\xaf\x27\x1c"
_START = 32
_NAMES = {
    b"\x00": "copy", b"\x21": "LZMA2", b"\x03\x01\x01": "LZMA", b"\x03": "delta", b"\x04\x01\x08": "deflate",
    b"\x04\x01\x09": "deflate64", b"\x04\x02\x02": "bzip2", b"\x03\x04\x01": "PPMd", b"\x03\x03\x01\x1b": "BCJ2",
    b"\x06\xf1\x07\x01": "AES", b"\x04\xf7\x11\x01": "zstd",
}  # fmt: skip
_FILTERS = {
    b"\x03\x03\x01\x03": lzma.FILTER_X86, b"\x03\x03\x02\x05": lzma.FILTER_POWERPC,
    b"\x03\x03\x04\x01": lzma.FILTER_IA64, b"\x03\x03\x05\x01": lzma.FILTER_ARM,
    b"\x03\x03\x07\x01": lzma.FILTER_ARMTHUMB, b"\x03\x03\x08\x05": lzma.FILTER_SPARC, b"\x04": lzma.FILTER_X86,
    b"\x05": lzma.FILTER_POWERPC, b"\x06": lzma.FILTER_IA64, b"\x07": lzma.FILTER_ARM, b"\x08": lzma.FILTER_ARMTHUMB,
    b"\x09": lzma.FILTER_SPARC, b"\x03": lzma.FILTER_DELTA,
}  # fmt: skip
_LINK = 0o120000


class SevenBroken(Exception):
    """The headers cannot be read; ``oddity`` says where."""

    def __init__(self, offset: int, message: str) -> None:
        super().__init__(message)
        self.oddity = Oddity("sevenz-broken", offset, message)


@dataclass(slots=True)
class _Folder:
    """Members packed as one stream. ``coders`` from the packed bytes to the last filter: (method, properties)."""

    coders: list[tuple[bytes, bytes]]
    sizes: list[int]
    crc: int | None = None
    start: int = 0
    packed: int = 0
    simple: bool = True
    order: list[int] = field(default_factory=list)
    streams: list[tuple[int, int | None]] = field(default_factory=list)

    @property
    def size(self) -> int:
        return self.sizes[-1]

    @property
    def unread(self) -> str:
        """The coder that is not read here; empty when all are."""
        known = (b"\x00", b"\x21", b"\x03\x01\x01", b"\x04\x01\x08", b"\x04\x02\x02", b"\x04\xf7\x11\x01", *_FILTERS)
        for method, _ in self.coders:
            if method not in known:
                return _NAMES.get(method, f"coder {method.hex()}")
        return "" if self.simple else "several streams in one"


@dataclass(frozen=True, slots=True)
class SevenMember:
    """One entry. ``folder`` is -1 for what has no bytes. ``header`` is 0: the header is not in place."""

    name: str
    folder: int
    start: int
    size: int
    crc: int | None
    link: str = ""
    mode: int = 0
    header: int = 0


@dataclass(slots=True)
class SevenFacts:
    """The entries of an archive; ``outside`` are byte ranges that nothing in it owns."""

    members: list[SevenMember] = field(default_factory=list)
    folders: list[_Folder] = field(default_factory=list)
    outside: list[tuple[int, int]] = field(default_factory=list)
    oddities: list[Oddity] = field(default_factory=list)


class _Header:
    """A forward reader over the header's properties."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def take(self, count: int) -> bytes:
        found = self.data[self.at : self.at + count]
        if len(found) < count:
            raise SevenBroken(self.at, "the header is cut off")
        self.at += count
        return found

    def byte(self) -> int:
        return self.take(1)[0]

    def number(self) -> int:
        """7z's number: leading ones of the first byte tell how many bytes follow."""
        first = self.byte()
        mask, value = 0x80, 0
        for index in range(8):
            if not first & mask:
                return value | ((first & (mask - 1)) << (8 * index))
            value |= self.byte() << (8 * index)
            mask >>= 1
        return value

    def count(self) -> int:
        value = self.number()
        if value > ARCHIVE_MEMBERS_MAX:
            raise SevenBroken(self.at, f"{value:,} entries are over the limit of {ARCHIVE_MEMBERS_MAX:,}")
        return value

    def bits(self, count: int) -> list[bool]:
        data = self.take((count + 7) // 8)
        return [bool(data[i >> 3] & (0x80 >> (i & 7))) for i in range(count)]

    def optional_bits(self, count: int) -> list[bool]:
        return [True] * count if self.byte() else self.bits(count)

    def digests(self, count: int) -> list[int | None]:
        return [int.from_bytes(self.take(4), "little") if there else None for there in self.optional_bits(count)]


def read_sevenz(source: Source, budget: Budget) -> SevenFacts:
    """The entries of *source*.

    Raises:
        SevenBroken: no header, or one that cannot be read.
    """
    facts = SevenFacts()
    head = source.read_at(0, _START)
    if len(head) < _START:
        raise SevenBroken(len(head), "the start header is cut off")
    crc, offset, size, header_crc = struct.unpack_from("<LQQL", head, 8)
    if zlib.crc32(head[12:]) != crc:
        facts.oddities.append(Oddity("sevenz-broken", 8, "the start header does not match its checksum"))
    owned = [(0, _START), (_START + offset, _START + offset + size)]
    if size > ARCHIVE_DIRECTORY_BYTES_MAX:
        raise SevenBroken(12, f"a header of {size:,} bytes is over the limit")
    data = source.read_at(_START + offset, size)
    if len(data) < size:
        raise SevenBroken(source.size, f"ends {size - len(data):,} bytes early")
    if zlib.crc32(data) != header_crc:
        facts.oddities.append(Oddity("sevenz-broken", 28, "the header does not match its checksum"))
    for _ in range(4):  # a packed header holds a header
        header = _Header(data)
        kind = header.byte() if data else 1
        if kind != 0x17:
            break
        try:
            folders = _streams(header, owned)
        except SevenBroken as error:
            raise SevenBroken(_START + offset, str(error)) from error
        if len(folders) != 1:
            raise SevenBroken(_START + offset, "the packed header is not one stream")
        opened = open_folder(source, folders[0], budget)
        if opened is None or opened.damage or opened.limit or opened.source.size > ARCHIVE_DIRECTORY_BYTES_MAX:
            why = folders[0].unread if opened is None else opened.damage or opened.limit or "over the limit"
            raise SevenBroken(_START + offset, f"the packed header cannot be unpacked: {why}")
        data = opened.source.read_at(0, opened.source.size)
    if data:
        if kind != 1:
            raise SevenBroken(_START + offset, "the header begins with something else")
        try:
            _entries(header, facts, owned)
        except SevenBroken as error:
            if not facts.members:
                raise SevenBroken(_START + offset, str(error)) from error
            facts.oddities.append(Oddity("sevenz-broken", _START + offset, str(error)))
    facts.outside = _gaps(owned, source.size)
    return facts


def open_folder(source: Source, folder: _Folder, budget: Budget) -> Unpacked | None:
    """The bytes of all members of *folder*; None when one of its coders is not read here."""
    if folder.unread:
        return None
    packed: Source = Part(source, folder.start, folder.packed)
    damage = limit = ""
    for (method, properties), size in zip(folder.coders, folder.sizes, strict=True):
        try:
            pieces = _coder(packed, method, properties, size)
        except Damaged as error:
            return Unpacked(Held(b""), damage=str(error))
        if pieces is None:
            continue
        opened = unpack(pieces, packed.size, budget)
        packed, damage, limit = opened.source, damage or opened.damage, limit or opened.limit
    return Unpacked(packed, damage, limit)


def _coder(packed: Source, method: bytes, properties: bytes, size: int) -> Iterator[bytes] | None:
    """What one coder makes of *packed*; None when it copies."""
    plain: dict[bytes, Callable[[Source], Iterator[bytes]]] = {
        b"\x04\x01\x08": inflated, b"\x04\x02\x02": bunzipped, b"\x04\xf7\x11\x01": zstandard_frames,
    }  # fmt: skip
    if method == b"\x00":
        return None
    if method in plain:
        return plain[method](packed)
    if method == b"\x03\x01\x01":
        return raw_lzma(packed, [lzma_filter(lzma.FILTER_LZMA1, properties)], size=size)
    if method == b"\x21":
        return raw_lzma(packed, [lzma_filter(lzma.FILTER_LZMA2, properties)])
    found: dict[str, Any] = {"id": _FILTERS[method]}
    if method == b"\x03":
        found["dist"] = (properties or b"\0")[0] + 1
    return raw_lzma(_Stored(packed), [found, {"id": lzma.FILTER_LZMA2, "dict_size": 4096}])


class _Stored:
    """Bytes as an LZMA2 stream of stored chunks: how a filter alone is run, to its last byte."""

    _CHUNK = 65_536

    def __init__(self, plain: Source) -> None:
        self.plain = plain
        self.whole = plain.size // self._CHUNK
        rest = plain.size % self._CHUNK
        self.size = self.whole * (self._CHUNK + 3) + (rest + 3 if rest else 0) + 1

    def read_at(self, offset: int, length: int) -> bytes:
        found = b""
        while len(found) < length and offset + len(found) < self.size:
            number, within = divmod(offset + len(found), self._CHUNK + 3)
            size = min(self._CHUNK, self.plain.size - number * self._CHUNK)
            if within >= size + 3 or size <= 0:
                return found + b"\0"  # the mark of the end
            control = 1 if number == 0 else 2
            chunk = bytes([control]) + struct.pack(">H", size - 1) + self.plain.read_at(number * self._CHUNK, size)
            found += chunk[within : within + length - len(found)]
        return found


def _streams(header: _Header, owned: list[tuple[int, int]]) -> list[_Folder]:
    """The folders of a StreamsInfo, with their places and the sizes of what is in each."""
    folders: list[_Folder] = []
    at, packed_sizes = 0, list[int]()
    while (kind := header.byte()) != 0:
        if kind == 0x06:
            at = _START + header.number()
            count = header.count()
            while (inner := header.byte()) != 0:
                if inner == 0x09:
                    packed_sizes = [header.number() for _ in range(count)]
                elif inner == 0x0A:
                    header.digests(count)
                else:
                    raise SevenBroken(header.at, "the header holds an unknown property")
        elif kind == 0x07:
            folders = _folders(header)
        elif kind == 0x08:
            _substreams(header, folders)
        else:
            raise SevenBroken(header.at, "the header holds an unknown property")
    sizes = iter(packed_sizes)
    for folder in folders:
        streams = [next(sizes, 0) for _ in range(1 if folder.simple else 4)]
        folder.start, folder.packed = at, streams[0]
        at += sum(streams)
        owned.append((folder.start, at))
        if not folder.streams:
            folder.streams = [(folder.size, folder.crc)]
    return folders


def _folders(header: _Header) -> list[_Folder]:
    if header.byte() != 0x0B:
        raise SevenBroken(header.at, "the header holds an unknown property")
    count = header.count()
    if header.byte():
        raise SevenBroken(header.at, "the header refers to another stream")
    folders = [_folder(header) for _ in range(count)]
    if header.byte() != 0x0C:
        raise SevenBroken(header.at, "the header holds an unknown property")
    for folder in folders:
        sizes = [header.number() for _ in folder.sizes]
        folder.sizes = [sizes[index] for index in folder.order] if folder.simple else sizes
    if (kind := header.byte()) == 0x0A:
        for folder, crc in zip(folders, header.digests(count), strict=True):
            folder.crc = crc
        kind = header.byte()
    if kind != 0:
        raise SevenBroken(header.at, "the header holds an unknown property")
    return folders


def _folder(header: _Header) -> _Folder:
    coders, ins, outs = [], 0, 0
    number = header.number()
    if not 1 <= number <= 32:
        raise SevenBroken(header.at, f"a folder of {number} coders")
    for _ in range(number):
        flags = header.byte()
        method = header.take(flags & 0x0F)
        more = (header.number(), header.number()) if flags & 0x10 else (1, 1)
        properties = header.take(min(header.number(), 1 << 16)) if flags & 0x20 else b""
        coders.append((method, properties))
        ins, outs = ins + more[0], outs + more[1]
    simple = ins == outs == number
    if max(ins, outs) > 32 or outs < 1:
        raise SevenBroken(header.at, "a folder of more streams than any writer makes")
    pairs = [(header.number(), header.number()) for _ in range(outs - 1)]
    if ins - (outs - 1) > 1:
        for _ in range(ins - (outs - 1)):
            header.number()
    order = _chain(number, dict(pairs)) if simple else []
    if not order:
        return _Folder(coders, [0] * outs, simple=False)
    return _Folder([coders[index] for index in order], [0] * outs, order=order)


def _chain(number: int, bound: dict[int, int]) -> list[int]:
    """The coders from the one that the packed bytes enter to the last; empty when they are no chain.

    *bound* tells of each input which coder's output it is.
    """
    order = [index for index in range(number) if index not in bound]
    if len(order) != 1:
        return []
    after = {out: into for into, out in bound.items()}
    while len(order) < number:
        following = after.pop(order[-1], None)
        if following is None:
            break
        order.append(following)
    return order if sorted(order) == list(range(number)) else []


def _substreams(header: _Header, folders: list[_Folder]) -> None:
    counts = [1] * len(folders)
    kind = header.byte()
    if kind == 0x0D:
        counts = [header.count() for _ in folders]
        kind = header.byte()
    if sum(counts) > ARCHIVE_MEMBERS_MAX:
        raise SevenBroken(header.at, f"{sum(counts):,} entries are over the limit of {ARCHIVE_MEMBERS_MAX:,}")
    sizes = []
    for folder, count in zip(folders, counts, strict=True):
        own = [header.number() for _ in range(count - 1)] if kind == 0x09 else []
        sizes.append([*own, folder.size - sum(own)] if count else [])
    if kind == 0x09:
        kind = header.byte()
    unknown = sum(count for folder, count in zip(folders, counts, strict=True) if count != 1 or folder.crc is None)
    digests = iter(header.digests(unknown) if kind == 0x0A else [])
    if kind == 0x0A:
        kind = header.byte()
    if kind != 0:
        raise SevenBroken(header.at, "the header holds an unknown property")
    for folder, own in zip(folders, sizes, strict=True):
        known = len(own) == 1 and folder.crc is not None
        folder.streams = [(size, folder.crc if known else next(digests, None)) for size in own]


def _entries(header: _Header, facts: SevenFacts, owned: list[tuple[int, int]]) -> None:
    while (kind := header.byte()) != 0:
        if kind == 0x04:
            facts.folders = _streams(header, owned)
        elif kind == 0x03:
            _streams(header, owned)
        elif kind == 0x05:
            _files(header, facts)
        elif kind == 0x02:
            while header.byte():
                header.take(header.number())
        else:
            raise SevenBroken(header.at, "the header holds an unknown property")


def _files(header: _Header, facts: SevenFacts) -> None:
    count = header.count()
    names, modes, empty = [f"unnamed {i}" for i in range(count)], [0] * count, [False] * count
    while (kind := header.byte()) != 0:
        data = _Header(header.take(header.number()))
        if kind == 0x0E:
            empty = data.bits(count)
        elif kind == 0x11:
            if data.byte():
                raise SevenBroken(header.at, "the names stand in another stream")
            text = data.data[1:].decode("utf-16-le", "backslashreplace").split("\0")
            names = (text + names[len(text) :])[:count]
        elif kind == 0x15:
            there = data.optional_bits(count)
            data.byte()
            modes = [struct.unpack("<L", data.take(4))[0] >> 16 if known else 0 for known in there]
    places = iter(
        (number, start, size, crc)
        for number, folder in enumerate(facts.folders)
        for start, (size, crc) in zip(_starts(folder), folder.streams, strict=True)
    )
    for name, mode, is_empty in zip(names, modes, empty, strict=True):
        number, start, size, crc = (-1, 0, 0, None) if is_empty else next(places, (-1, 0, 0, None))
        facts.members.append(SevenMember(name, number, start, size, crc, mode=mode))
    for number, start, size, crc in places:
        facts.members.append(SevenMember(f"unlisted {number}@{start:#x}", number, start, size, crc))


def _starts(folder: _Folder) -> Iterator[int]:
    at = 0
    for size, _ in folder.streams:
        yield at
        at += size


def _gaps(owned: list[tuple[int, int]], size: int) -> list[tuple[int, int]]:
    gaps, at = [], 0
    for start, end in sorted(owned):
        if start > at:
            gaps.append((at, start))
        at = max(at, end)
    return [*gaps, (at, size)] if at < size else gaps


def _read(exhibit: Exhibit, what: str) -> tuple[str, str]:
    source = exhibit.source
    try:
        facts = read_sevenz(source, exhibit.budget)
    except SevenBroken as error:
        exhibit.keep(error.oddity)
        exhibit.unread(0, source.size)
        if source.size > _START:
            # The packed bytes of a stored member stand right after the start.
            exhibit.inner(f"bytes@{_START:#x}", Part(source, _START, source.size - _START))
        return what, "not readable as an archive"
    exhibit.keep_all(facts.oddities)
    opened: dict[int, Unpacked | None] = {}
    links = {}
    for member in facts.members:
        if member.folder < 0 or not member.size:
            continue
        if member.folder not in opened:
            opened.clear()  # members of a folder stand together: one folder is held at a time
            opened[member.folder] = open_folder(source, facts.folders[member.folder], exhibit.budget)
        data = _member(exhibit, facts, member, opened[member.folder])
        if data is not None and member.mode & 0o170000 == _LINK:
            links[member] = data.read_at(0, 4096).decode("utf-8", "backslashreplace")
    facts.members = [
        SevenMember(m.name, m.folder, m.start, m.size, m.crc, links.get(m, ""), m.mode) for m in facts.members
    ]
    exhibit.check(facts)
    for start, end in facts.outside:
        exhibit.odd("zip-outside", start, f"{end - start:,} bytes belong to no record")
        exhibit.inner(f"bytes@{start:#x}", Part(source, start, end - start))
    exhibit.merge({"members": len(facts.members)})
    return what, f"{len(facts.members):,} members opened"


def _member(exhibit: Exhibit, facts: SevenFacts, member: SevenMember, opened: Unpacked | None) -> Source | None:
    """Judge one member; its bytes, None when they cannot be had."""
    path = f"{exhibit.path}:{shown(member.name, 200)}"
    folder = facts.folders[member.folder]

    def odd(rule: str, words: str) -> None:
        exhibit.into.keep(path, [Oddity(rule, folder.start, words)])

    if opened is None:
        rule = "zip-encrypted" if folder.unread == "AES" else "zip-method"
        odd(rule, f"packed by {folder.unread}, which is not read")
        return None
    if opened.limit:
        odd("unpack-limit", opened.limit)
    elif opened.damage:
        odd("sevenz-broken", f"is damaged: {opened.damage}")
    data = Part(opened.source, member.start, member.size)
    if not data.size or not exhibit.goes_deeper():
        return None
    if member.crc is not None and not opened.damage and not opened.limit:
        crc = 0
        for chunk in chunks_of(data):
            crc = zlib.crc32(chunk, crc)
        if crc != member.crc:
            odd("zip-crc", f"checksum {crc:08x}, the header says {member.crc:08x}")
    exhibit.judge(path, data)
    return data


FORMATS = (Format("7z", MAGIC, lambda source, head, name: head.startswith(_MARK), _read, "7z"),)
