"""Tar archives: the 512-byte headers (POSIX ustar, GNU and pax), each checked, nothing unpacked to disk.

Members are looked at in place. Names and sizes of pax records and of GNU long names are taken over; sparse files are
told as not read.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from watchword.inspect.exhibit import STRUCTURE, Exhibit, Format
from watchword.inspect.facts import Oddity, shown
from watchword.inspect.source import Part, Source
from watchword.limits import ARCHIVE_MEMBERS_MAX

_BLOCK = 512


@dataclass(frozen=True, slots=True)
class TarMember:
    """One entry; ``link`` is the target of a symbolic or hard link. ``kind`` is the type flag."""

    name: str
    size: int
    header: int
    start: int
    kind: str
    link: str


@dataclass(slots=True)
class TarFacts:
    """The entries of an archive, and what was odd about it."""

    members: list[TarMember] = field(default_factory=list)
    oddities: list[Oddity] = field(default_factory=list)


def looks_like_tar(source: Source) -> bool:
    """True when the first block is a tar header with a right checksum."""
    block = source.read_at(0, _BLOCK)
    return len(block) == _BLOCK and _checksum_is_right(block) and bool(block.strip(b"\0"))


def read_tar(source: Source) -> TarFacts:
    """The entries of *source*; damage is told among the oddities, and what stands before it is kept."""
    facts = TarFacts()
    at = 0
    extended: dict[str, str] = {}
    while at < source.size:
        block = source.read_at(at, _BLOCK)
        if not block.strip(b"\0"):
            break
        if len(block) < _BLOCK or not _checksum_is_right(block):
            facts.oddities.append(Oddity("tar-broken", at, "a header with a wrong checksum"))
            break
        if len(facts.members) >= ARCHIVE_MEMBERS_MAX:
            facts.oddities.append(Oddity("unpack-limit", at, f"more than {ARCHIVE_MEMBERS_MAX:,} members"))
            break
        kind = chr(block[156])
        size = int(extended["size"]) if extended.get("size", "").isdigit() else _number(block[124:136])
        start = at + _BLOCK
        if size < 0 or start + size > source.size:
            facts.oddities.append(Oddity("tar-broken", at, "a member ends after the archive"))
            size = max(0, source.size - start)
        if kind in "xgLK":
            data = source.read_at(start, min(size, 1 << 20))
            extended |= _records(data) if kind in "xg" else {"path" if kind == "L" else "linkpath": _text(data)}
        else:
            name = extended.get("path") or "/".join(p for p in (_prefix(block), _text(block[:100])) if p)
            link = extended.get("linkpath") or _text(block[157:257])
            facts.members.append(TarMember(name, size, at, start, kind, link if kind in "12" else ""))
            extended = {}
        at = start + -(-size // _BLOCK) * _BLOCK
    return facts


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
    """The records of a pax header: ``length key=value\\n`` each."""
    found = {}
    at = 0
    while at < len(data):
        space = data.find(b" ", at, at + 20)
        if space < 0 or not data[at:space].isdigit():
            break
        end = at + int(data[at:space])
        key, _, value = data[space + 1 : end - 1].partition(b"=")
        if end <= space:
            break
        found[_text(key)] = _text(value)
        at = end
    return found


def _read(exhibit: Exhibit, what: str) -> tuple[str, str]:
    facts = read_tar(exhibit.source)
    exhibit.check(facts)
    exhibit.keep(*facts.oddities)
    for member in facts.members:
        inner = f"{exhibit.path}:{shown(member.name, 200)}"
        if member.kind not in "0\x0071256":
            words = f"an entry of type {member.kind!r} is not read"
            exhibit.into.keep(inner, [Oddity("not-inspected", member.header, words)])
        elif member.size:
            exhibit.inner(member.name, Part(exhibit.source, member.start, member.size))
    exhibit.merge({"members": len(facts.members)})
    return "tar", f"{len(facts.members):,} members opened"


FORMATS = (Format("tar", STRUCTURE, lambda source, head, name: looks_like_tar(source), _read, "tar nemo pt pth"),)
