"""What is in a zip archive: each member opened and judged, and the archive as what its members make it.

* Stored members are looked at in place and never copied; packed ones are unpacked under the budget of the file, and
  what came out before damage or a limit is judged all the same.
* A member that claims to be encrypted is judged as it stands too: loaders that pass over the flag would load it.
* Without a directory, or where it breaks off, members are carved by their local headers as a streaming reader finds
  them.
* An archive may be of several kinds at once (``_KINDS``): each looks at the members that it knows.
"""

from __future__ import annotations

import lzma
import zlib
from collections.abc import Callable, Iterator
from typing import Protocol

from watchword.inspect.exhibit import Exhibit
from watchword.inspect.facts import Oddity, shown
from watchword.inspect.formats.unpacking import (
    Unpacked,
    bunzipped,
    inflated,
    lzma_filter,
    raw_lzma,
    unpack,
    unxzed,
    zstandard_frames,
)
from watchword.inspect.formats.zips import DEFLATED, STORED, Member, ZipBroken, ZipFacts, read_zip
from watchword.inspect.source import Budget, Held, Part, Source, chunks_of
from watchword.limits import (
    ARCHIVE_CARVED_BYTES_MAX,
    ARCHIVE_CARVED_MAX,
    ARCHIVE_CRC_BYTES_MAX,
    ARCHIVE_OVERLAP_BYTES_FREE,
)

_METHODS = {
    1: "shrunk", 6: "imploded", 9: "deflate64", 10: "PKWARE implode", 12: "bzip2", 14: "LZMA", 20: "zstd", 93: "zstd",
    95: "xz", 96: "JPEG variant", 97: "WavPack", 98: "PPMd", 99: "AES encryption",
}  # fmt: skip
LZMA = 14


class Kind(Protocol):
    """An archive of a certain sort: made of the archive when it recognises itself in the names of its members."""

    name: str
    looked: str

    def takes(self, member: Member) -> bool:
        """Look at *member*; False when it is to be judged as any other file too."""

    def finish(self) -> None:
        """Say what takes all members to say."""


class Archive:
    """An archive under judgement: its members by name, opened on demand."""

    def __init__(self, exhibit: Exhibit, facts: ZipFacts) -> None:
        self.exhibit = exhibit
        self.facts = facts
        self.names = [member.name for member in facts.members]
        self.folded = {name.lower() for name in self.names}

    def path(self, member: Member) -> str:
        return f"{self.exhibit.path}:{shown(member.name, 200)}"

    def odd(self, rule: str, member: Member, message: str, evidence: str = "", offset: int | None = None) -> None:
        """Report an oddity of a member."""
        self.exhibit.into.keep(self.path(member), [Oddity(rule, offset, message, evidence)])

    def open(self, member: Member) -> Source | None:
        """The unpacked bytes, as far as they go; None, with a finding, when there are none to be had."""
        if member.start < 0:
            self.odd("zip-short", member, "cannot be found in the archive", offset=member.header)
            return None
        opened = open_member(self.exhibit.source, member, self.exhibit.budget)
        if opened is None:
            words = f"packed by method {member.method} ({_METHODS.get(member.method, 'unknown')}), which is not read"
            self.odd("zip-method", member, words, offset=member.header)
            return None
        if opened.limit:
            self.odd("unpack-limit", member, opened.limit, offset=member.start)
        elif opened.damage and not member.encrypted:
            self.odd("zip-short", member, f"is damaged: {opened.damage}", offset=member.start)
        elif opened.source.size > ARCHIVE_CRC_BYTES_MAX:
            self.exhibit.note("members over 64 MiB: in the file's digest, checksums not computed")
        else:
            self._check(member, opened.source)
        if opened.source.size == 0 and (opened.damage or opened.limit):
            return None
        return opened.source

    def judge(self, member: Member) -> str | None:
        """Judge *member* as a file of its own; its format, None where a finding says why it could not be judged."""
        if not self.exhibit.goes_deeper():
            return None
        opened = self.open(member)
        # One that is encrypted is noise as it stands: the finding says so.
        if opened is None or (member.encrypted and crc_of(opened) != member.crc):
            return None
        return self.exhibit.judge(self.path(member), opened)[0]

    def _check(self, member: Member, opened: Source) -> None:
        crc = crc_of(opened)
        if member.encrypted:
            same = crc == member.crc
            words = "claims to be encrypted and is not: some readers refuse it, others load it"
            self.odd("zip-flags" if same else "zip-encrypted", member, words if same else "is encrypted")
        elif crc != member.crc:
            words = f"checksum {crc:08x}, the directory says {member.crc:08x}"
            self.odd("zip-crc", member, words, offset=member.start)


def read_zipped(exhibit: Exhibit, what: str) -> tuple[str, str]:
    """Judge the archive: the reader of ``zips.FORMATS``."""
    try:
        facts = read_zip(exhibit.source)
    except ZipBroken as error:
        exhibit.keep(error.oddity)
        exhibit.unread(0, exhibit.source.size)
        return what, f"not readable as an archive: {_carve(exhibit):,} members found by their headers"
    archive = Archive(exhibit, facts)
    for member in facts.members:
        if member.is_link and member.start >= 0 and member.packed < 8192:
            opened = open_member(exhibit.source, member, exhibit.budget)
            if opened is not None:
                facts.links[member.name] = opened.source.read_at(0, 4096).decode("utf-8", "backslashreplace")
    exhibit.check(facts)
    exhibit.keep_all(facts.oddities)
    if sum(member.packed for member in facts.members) > exhibit.source.size:
        # Members that share their bytes are a bomb, or mean different things to different readers: bounded tightly.
        exhibit.budget.bytes_left = min(exhibit.budget.bytes_left, ARCHIVE_CARVED_BYTES_MAX)
    kinds = [kind for kind in (make(archive) for make in _KINDS) if kind is not None]
    for member in _each_once(archive):
        taken = [kind.takes(member) for kind in kinds]
        if not any(taken) and (member.size or member.packed or not member.name.endswith("/")):
            archive.judge(member)
    for kind in kinds:
        kind.finish()
    for start, end in facts.outside:
        exhibit.inner(f"bytes@{start:#x}", Part(exhibit.source, start, end - start))
    for at, words, data in facts.aside:
        exhibit.inner(f"{words}@{at:#x}", Held(data))
    if facts.comment:
        exhibit.inner("comment", Held(facts.comment))
    if facts.broken:
        _carve(exhibit)
    exhibit.merge({"members": len(facts.members)})
    if not kinds:
        return what, f"{len(facts.members):,} members opened"
    return kinds[0].name, kinds[0].looked


def open_member(source: Source, member: Member, budget: Budget) -> Unpacked | None:
    """The unpacked bytes of *member*, taken as not encrypted; None for a method that is not read here."""
    packed = Part(source, member.start, member.packed)
    if member.method == STORED:
        return Unpacked(packed)
    if member.method == LZMA:
        # Flag bit 1: the stream says its own end.
        return unpack(_lzma(packed, -1 if member.flags & 2 else member.size), member.packed, budget)
    method = _OPENED.get(member.method)
    return None if method is None else unpack(method(packed), member.packed, budget)


def crc_of(source: Source) -> int:
    """CRC-32 of all bytes of *source*."""
    crc = 0
    for chunk in chunks_of(source):
        crc = zlib.crc32(chunk, crc)
    return crc


def _lzma(packed: Source, size: int) -> Iterator[bytes]:
    length = int.from_bytes(packed.read_at(2, 2), "little")
    yield from raw_lzma(packed, [lzma_filter(lzma.FILTER_LZMA1, packed.read_at(4, length))], 4 + length, size)


_OPENED: dict[int, Callable[[Source], Iterator[bytes]]] = {
    DEFLATED: inflated,
    12: bunzipped,
    20: zstandard_frames,
    93: zstandard_frames,
    95: unxzed,
}


def _each_once(archive: Archive) -> Iterator[Member]:
    """The members; each place once under each name, and of overlapping ones as many as a bound allows."""
    seen = set()
    left = archive.exhibit.source.size + ARCHIVE_OVERLAP_BYTES_FREE
    skipped = 0
    for member in archive.facts.members:
        place = (member.start, member.packed, member.method, member.name)
        if place in seen:
            continue
        seen.add(place)
        length = max(0, min(member.packed, archive.exhibit.source.size - member.start))
        if length > left:
            # Entries that share their bytes: following each would take time without bound.
            if not skipped:
                words = "the members overlap: together they are longer than the file"
                archive.exhibit.odd("unpack-limit", member.header, words)
            skipped += 1
            continue
        left -= length
        yield member


def _carve(exhibit: Exhibit) -> int:
    """Judge the members that local headers announce, wherever they stand; how many there were."""
    source = exhibit.source
    at = count = 0
    before = exhibit.budget.unpacked
    while count < ARCHIVE_CARVED_MAX and exhibit.budget.unpacked - before < ARCHIVE_CARVED_BYTES_MAX:
        at = _find(source, b"PK\x03\x04", at)
        head = source.read_at(at, 30) if at >= 0 else b""
        if len(head) < 30 or not exhibit.goes_deeper():
            break
        lengths = int.from_bytes(head[26:28], "little"), int.from_bytes(head[28:30], "little")
        start = at + 30 + sum(lengths)
        name = source.read_at(at + 30, lengths[0]).decode("utf-8", "backslashreplace")
        flags, method = int.from_bytes(head[6:8], "little"), int.from_bytes(head[8:10], "little")
        packed, size = int.from_bytes(head[18:22], "little"), int.from_bytes(head[22:26], "little")
        if flags & 8 or not packed or packed == 0xFFFFFFFF:
            # A streamed member does not say its length here: up to the next record; a decoder stops by itself.
            ends = [_find(source, mark, start) for mark in ((b"PK\x07\x08",) if method == STORED else ())]
            packed = min([end - start for end in ends if end >= 0], default=source.size - start)
        opened = open_member(source, Member(name, method, flags, 0, packed, size, at, start), exhibit.budget)
        if opened is not None and opened.source.size:
            exhibit.judge(f"{exhibit.path}:{shown(name, 200)}", opened.source)
        count += 1
        at += 30  # not after the member: its length may be a lie
    return count


def _find(source: Source, mark: bytes, start: int) -> int:
    """Where *mark* stands next in *source* from *start* on; -1 when nowhere."""
    for chunk in chunks_of(source, start):
        at = chunk.find(mark)
        if at >= 0:
            return start + at
        edge = source.read_at(start + len(chunk) - 3, 6).find(mark)
        if edge >= 0:
            return start + len(chunk) - 3 + edge
        start += len(chunk)
    return -1


def _torch(archive: Archive) -> Kind | None:
    if not any(name.endswith((".pkl", "archive_format", "extern_modules", "exported_program.json"))
               for name in archive.folded):  # fmt: skip
        return None
    from watchword.inspect.formats.torches import torch_kind

    return torch_kind(archive)


def _skops(archive: Archive) -> Kind | None:
    if "schema.json" not in archive.folded:
        return None
    from watchword.inspect.formats.skops import Skops

    return Skops(archive)


def _mar(archive: Archive) -> Kind | None:
    if "mar-inf/manifest.json" not in archive.folded:
        return None
    from watchword.inspect.formats.torchserve import Mar

    return Mar(archive)


def _keras(archive: Archive) -> Kind | None:
    if "config.json" not in archive.folded:
        return None
    from watchword.inspect.formats.keras_archive import keras_archive

    return keras_archive(archive)


_KINDS: tuple[Callable[[Archive], Kind | None], ...] = (_torch, _skops, _mar, _keras)
