"""Tar archives: the 512-byte headers (POSIX ustar, GNU and pax), each checked, nothing unpacked to disk.

* Members are looked at in place. Names and sizes of pax records and of GNU long names are taken over; a sparse member
  is read with its holes, in all four forms that GNU tar has written.
* After a damaged header the next good one is looked for, as GNU tar does: Python stops there, so both are told.
* Every byte is owned: by a header, a member or its padding, or told: what stands in the padding and after the end.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from watchword.inspect.exhibit import STRUCTURE, Exhibit, Format
from watchword.inspect.facts import Oddity, shown
from watchword.inspect.source import Joined, Part, Source, chunks_of
from watchword.limits import ARCHIVE_MEMBERS_MAX, TAR_EXTENDED_BYTES_MAX, TAR_HOLES_MAX, UNPACKED_BYTES_MAX

_BLOCK = 512
_DIGITS_MAX = 19  # of a size in a pax record: below 2^63


@dataclass(frozen=True, slots=True)
class TarMember:
    """One entry; ``link`` is the target of a symbolic or hard link. ``kind`` is the type flag.

    ``parts`` are the pieces of a sparse file: (start in the archive or -1 for a hole, length).
    """

    name: str
    size: int
    header: int
    start: int
    kind: str
    link: str
    parts: tuple[tuple[int, int], ...] = ()


@dataclass(slots=True)
class TarFacts:
    """The entries of an archive, what was odd about it, and the byte ranges that nothing in it owns."""

    members: list[TarMember] = field(default_factory=list)
    oddities: list[Oddity] = field(default_factory=list)
    outside: list[tuple[int, int]] = field(default_factory=list)


def looks_like_tar(source: Source) -> bool:
    """True when the first block is a tar header with a right checksum."""
    block = source.read_at(0, _BLOCK)
    return len(block) == _BLOCK and _checksum_is_right(block) and bool(block.strip(b"\0"))


def is_empty_tar(source: Source, name: str) -> bool:
    """True of two blocks of zeros or more: an archive without members, where the name says that it is one."""
    if source.size < 2 * _BLOCK or source.size % _BLOCK or not name.endswith(".tar"):
        return False
    return not any(any(chunk) for chunk in chunks_of(source))


def read_tar(source: Source) -> TarFacts:
    """The entries of *source*; damage is told among the oddities, and what stands before it is kept."""
    facts = TarFacts()
    at = 0
    always: dict[str, str] = {}
    extended: dict[str, str] = {}
    while at < source.size:
        block = source.read_at(at, _BLOCK)
        if not block.strip(b"\0"):
            break
        if len(block) < _BLOCK or not _checksum_is_right(block):
            facts.oddities.append(Oddity("tar-broken", at, "a header with a wrong checksum"))
            following = _next_header(source, at + _BLOCK)
            facts.outside.append((at, following))
            at = following
            continue
        if len(facts.members) >= ARCHIVE_MEMBERS_MAX:
            facts.oddities.append(Oddity("unpack-limit", at, f"more than {ARCHIVE_MEMBERS_MAX:,} members"))
            return facts
        kind = chr(block[156])
        start = at + _BLOCK
        size = _size(block, extended, at, facts)
        if size < 0 or start + size > source.size:
            facts.oddities.append(Oddity("tar-broken", at, "a member ends after the archive"))
            size = max(0, source.size - start)
        if kind in "xgXLK":
            data = source.read_at(start, min(size, TAR_EXTENDED_BYTES_MAX))
            if len(data) < size:
                facts.oddities.append(Oddity("tar-broken", at, f"an extended header of {size:,} bytes"))
            if kind == "g":
                always |= _records(data)
            else:
                extended |= _records(data) if kind in "xX" else {"path" if kind == "L" else "linkpath": _text(data)}
        else:
            member = _member(source, block, at, size, always | extended, facts)
            facts.members.append(member)
            start, extended = member.start, {}
        end = start + size
        at = start + -(-size // _BLOCK) * _BLOCK
        if any(source.read_at(end, at - end)):
            facts.outside.append((end, min(at, source.size)))
    _after(source, at, facts)
    return facts


def _size(block: bytes, extended: dict[str, str], at: int, facts: TarFacts) -> int:
    """Bytes of the member: as a pax record says, or the header; readers that know no pax go by the header."""
    size = _number(block[124:136])
    told = extended.get("size", "")
    if not told.isdigit() or len(told) > _DIGITS_MAX:
        return size
    if int(told) != size and 0 <= size < 8**11 - 1 and int(told) < 8**11:
        words = f"{int(told):,} bytes to readers of its pax header, {size:,} to others"
        facts.oddities.append(Oddity("tar-mismatch", at, words))
    return int(told)


def _member(source: Source, block: bytes, at: int, size: int, extended: dict[str, str], facts: TarFacts) -> TarMember:
    kind = chr(block[156])
    name = extended.get("path") or "/".join(p for p in (_prefix(block), _text(block[:100])) if p)
    link = (extended.get("linkpath") or _text(block[157:257])) if kind in "12" else ""
    start = at + _BLOCK
    if kind == "S":
        pieces, start = _old_holes(source, block, start)
    elif any(key.startswith("GNU.sparse.") for key in extended):
        name = extended.get("GNU.sparse.name") or name
        pieces, start, size = _pax_holes(source, extended, start, size)
    else:
        return TarMember(name, size, at, start, kind, link)
    parts: list[tuple[int, int]] = []
    inside = done = 0
    for offset, length in pieces:
        if offset + length > UNPACKED_BYTES_MAX:
            facts.oddities.append(Oddity("unpack-limit", at, "a sparse member is longer than is unpacked"))
            break
        if offset < done or inside + length > size:
            facts.oddities.append(Oddity("tar-broken", at, "the map of a sparse member contradicts itself"))
            break
        if offset > done:
            parts.append((-1, offset - done))
        if length:
            parts.append((start + inside, length))
        inside, done = inside + length, offset + length
    return TarMember(name, size, at, start, kind, link, tuple(parts) or ((start, size),))


def _old_holes(source: Source, block: bytes, start: int) -> tuple[list[tuple[int, int]], int]:
    """The map of an old GNU sparse member, and where its bytes begin."""
    pieces = _map_of(block[386:482])
    more = block[482]
    while more and len(pieces) < TAR_HOLES_MAX:
        block = source.read_at(start, _BLOCK)
        if len(block) < _BLOCK:
            break
        start += _BLOCK
        pieces += _map_of(block[:504])
        more = block[504]
    return pieces, start


def _map_of(data: bytes) -> list[tuple[int, int]]:
    entries = ((data[i : i + 12], data[i + 12 : i + 24]) for i in range(0, len(data) - 23, 24))
    return [(_number(a), _number(b)) for a, b in entries if a.strip(b"\0 ") and b.strip(b"\0 ")]


def _pax_holes(
    source: Source, extended: dict[str, str], start: int, size: int
) -> tuple[list[tuple[int, int]], int, int]:
    """The map of a pax sparse member (0.1 in its records, 1.0 before its bytes), where these begin, how many."""
    if extended.get("GNU.sparse.major") == "1":
        text = source.read_at(start, min(size, 1 << 20))
        numbers: list[int] = []
        at, wanted = 0, 1
        while len(numbers) < wanted and wanted <= 2 * TAR_HOLES_MAX:
            end = text.find(b"\n", at, at + 24)
            if end < 0 or not text[at:end].isdigit():
                break
            numbers.append(int(text[at:end]))
            wanted = 1 + 2 * numbers[0]
            at = end + 1
        used = min(size, -(-at // _BLOCK) * _BLOCK)
        values, start, size = numbers[1:], start + used, size - used
    else:
        words = extended.get("GNU.sparse.map", "").split(",")[: 2 * TAR_HOLES_MAX]
        values = [int(word) if word.isdigit() and len(word) <= _DIGITS_MAX else 0 for word in words]
    return list(zip(values[::2], values[1::2], strict=False)), start, size


def _next_header(source: Source, start: int) -> int:
    """Where the next header with a right checksum stands; the end of *source* without one."""
    at = start
    while at < source.size:
        window = source.read_at(at, 512 * _BLOCK)
        for inner in range(0, len(window) - _BLOCK + 1, _BLOCK):
            block = window[inner : inner + _BLOCK]
            # Seven octal digits first: summing up every block of a gigabyte of weights would take minutes.
            if block[148:154].strip(b" 01234567") == b"" and block[148:154].strip() and _checksum_is_right(block):
                return at + inner
        if len(window) < 512 * _BLOCK:
            break
        at += len(window)
    return source.size


def _after(source: Source, at: int, facts: TarFacts) -> None:
    """Tell what stands after the end of the archive. Zeros fill up its last record."""
    for chunk in chunks_of(source, at):
        rest = chunk.lstrip(b"\0")
        if rest:
            start = at + len(chunk) - len(rest)
            facts.outside.append((start - start % _BLOCK if start - start % _BLOCK >= at else start, source.size))
            return
        at += len(chunk)


def _checksum_is_right(block: bytes) -> bool:
    stated = _number(block[148:156])
    return stated == sum(block[:148]) + 8 * 32 + sum(block[156:])


def _number(data: bytes) -> int:
    if data[:1] >= b"\x80":
        return int.from_bytes(bytes([data[0] & 0x7F]) + data[1:], "big")
    try:
        return int(data.strip(b"\0 ").split(b"\0")[0] or b"0", 8)
    except ValueError:
        return -1


def _prefix(block: bytes) -> str:
    return _text(block[345:500]) if block[257:263] == b"ustar\0" else ""


def _text(data: bytes) -> str:
    return data.split(b"\0", 1)[0].decode("utf-8", "backslashreplace")


def _records(data: bytes) -> dict[str, str]:
    """The records of a pax header: ``length key=value\\n`` each. Of sparse format 0.0 the pairs become a map."""
    found: dict[str, str] = {}
    pairs: list[str] = []
    for key, value in _each_record(data):
        if key in ("GNU.sparse.offset", "GNU.sparse.numbytes"):
            pairs.append(value)
        found[key] = value
    if pairs and "GNU.sparse.map" not in found:
        found["GNU.sparse.map"] = ",".join(pairs)
    return found


def _each_record(data: bytes) -> Iterator[tuple[str, str]]:
    at = 0
    while at < len(data):
        space = data.find(b" ", at, at + 20)
        if space < 0 or not data[at:space].isdigit():
            return
        end = at + int(data[at:space])
        key, _, value = data[space + 1 : end - 1].partition(b"=")
        if end <= space:
            return
        yield _text(key), _text(value)
        at = end


def bytes_of(source: Source, member: TarMember) -> Source:
    """The bytes of *member*, a sparse one's with its holes."""
    if not member.parts:
        return Part(source, member.start, member.size)
    return Joined([(None if start < 0 else Part(source, start, length), length) for start, length in member.parts])


def _read(exhibit: Exhibit, what: str) -> tuple[str, str]:
    facts = read_tar(exhibit.source)
    exhibit.check(facts)
    exhibit.keep(*facts.oddities)
    torch = {"pickle", "storages"} <= {member.name.removeprefix("./") for member in facts.members}
    for member in facts.members:
        inner = f"{exhibit.path}:{shown(member.name, 200)}"
        if member.kind in "346":
            words = "is a device" if member.kind != "6" else "is a pipe"
            exhibit.into.keep(inner, [Oddity("special-file", member.header, words)])
        elif member.kind not in "0\x007125SDV":
            words = f"an entry of type {member.kind!r} is not read"
            exhibit.into.keep(inner, [Oddity("not-inspected", member.header, words)])
        if not member.size:
            continue
        data = bytes_of(exhibit.source, member)
        if torch and member.name.removeprefix("./") in ("storages", "tensors"):
            from watchword.inspect.formats.torch_tar import read_legacy

            read_legacy(Exhibit(data, inner, exhibit.into, exhibit.depth + 1), member.name.removeprefix("./"))
        else:
            exhibit.inner(member.name, data)
    for start, end in facts.outside:
        exhibit.odd("tar-outside", start, f"{end - start:,} bytes belong to no member")
        exhibit.inner(f"bytes@{start:#x}", Part(exhibit.source, start, end - start))
    exhibit.merge({"members": len(facts.members)})
    return "torch-tar" if torch else "tar", f"{len(facts.members):,} members opened"


FORMATS = (
    Format(
        "tar",
        STRUCTURE,
        lambda source, head, name: looks_like_tar(source) or is_empty_tar(source, name),
        _read,
        "tar nemo pt pth",
        hides=lambda source, head: looks_like_tar(source),
    ),
)
