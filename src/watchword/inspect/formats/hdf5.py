"""HDF5 files: groups, attributes and where the data of each data set stands; the data itself is not interpreted.

Follows the HDF5 file format specification, version 3.0: superblocks 0 to 3, object headers 1 and 2, symbol tables and
link messages, groups and attributes in fractal heaps (version 2 B-trees), texts of variable length in global heaps.

* The superblock may stand behind a user block of 512, 1,024, 2,048 … bytes: the library looks there, and so do we.
* Data that lives in other files (external storage, external links, virtual data sets) is told with the file's name.
* Bytes in a user block, and bytes behind the end that the superblock states, belong to nobody.
* Not checked: checksums of metadata; free space inside the file, where honest files keep what was deleted.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from watchword.inspect.facts import Oddity
from watchword.inspect.formats.hdf5_heaps import Damaged, Heap, Place, fractal_records, global_object
from watchword.inspect.source import Source
from watchword.limits import HDF5_ATTRIBUTE_BYTES_MAX, HDF5_NESTING_MAX, HDF5_OBJECTS_MAX

MARK = b"\x89HDF\r\n\x1a\n"
_UNDEFINED = (2**64 - 1, 2**32 - 1, 2**16 - 1)
_DATASPACE, _LINK_INFO, _DATATYPE, _LINK, _EXTERNAL, _LAYOUT = 0x1, 0x2, 0x3, 0x6, 0x7, 0x8
_FILTERS, _ATTRIBUTE, _CONTINUED, _SYMBOLS, _ATTRIBUTE_INFO = 0xB, 0xC, 0x10, 0x11, 0x15


class Hdf5Broken(Exception):
    """The file cannot be followed; ``oddity`` says where."""

    def __init__(self, offset: int, message: str, rule: str = "hdf5-broken") -> None:
        super().__init__(message)
        self.oddity = Oddity(rule, offset, message)


@dataclass(frozen=True, slots=True)
class Attribute:
    """``value`` is its texts, joined by line feeds; the raw bytes where it holds something else."""

    path: str
    name: str
    value: bytes
    offset: int


@dataclass(slots=True)
class Hdf5Facts:
    """``elsewhere``: (offset, what, file) of data in other files. ``outside``: byte ranges that nothing owns."""

    version: int = 0
    attributes: list[Attribute] = field(default_factory=list)
    datasets: int = 0
    elements: int = 0
    groups: int = 0
    types: set[str] = field(default_factory=set)
    filters: set[int] = field(default_factory=set)
    elsewhere: list[tuple[int, str, str]] = field(default_factory=list)
    outside: list[tuple[int, int]] = field(default_factory=list)
    oddities: list[Oddity] = field(default_factory=list)
    names: set[str] = field(default_factory=set)

    def text(self, path: str, name: str) -> bytes | None:
        """The value of one attribute; None without it."""
        return next((a.value for a in self.attributes if a.path == path and a.name == name), None)


def find_superblock(source: Source) -> int:
    """Where the library finds the superblock; -1 where it finds none."""
    at = 0
    while at < source.size:
        if source.read_at(at, 8) == MARK:
            return at
        at = at * 2 or 512
    return -1


def read_hdf5(source: Source) -> Hdf5Facts:
    """Walk the file in *source* from its root group.

    Raises:
        Hdf5Broken: malformed at the root, or past a bound (rule ``unpack-limit``).
    """
    start = find_superblock(source)
    if start < 0:
        raise Hdf5Broken(0, "there is no superblock")
    facts = Hdf5Facts()
    try:
        place, root, end = _superblock(source, start, facts)
        walk = _Walk(place, facts)
        walk.object(root, "/", 0)
    except Damaged as error:
        raise Hdf5Broken(error.offset, str(error)) from None
    if start and source.read_at(0, start).strip(b"\0 "):
        facts.outside.append((0, start))
    if end < source.size:
        facts.outside.append((end, source.size))
    elif end > source.size:
        facts.oddities.append(Oddity("hdf5-broken", source.size, f"ends {end - source.size:,} bytes early"))
    return facts


def _superblock(source: Source, start: int, facts: Hdf5Facts) -> tuple[Place, int, int]:
    """How to read, the address of the root's object header, and the stated end of the file (absolute)."""
    head = source.read_at(start, 160)
    if len(head) < 40:
        raise Damaged(start, "the superblock is cut off")
    version = facts.version = head[8]
    if version > 3:
        raise Damaged(start + 8, f"version {version} of the superblock does not exist")
    offsets, lengths = (head[13], head[14]) if version < 2 else (head[9], head[10])
    if offsets not in (2, 4, 8) or lengths not in (2, 4, 8):
        raise Damaged(start + 9, f"addresses of {offsets} and lengths of {lengths} bytes do not exist")
    place = Place(source, start, offsets, lengths)
    at = {0: 24, 1: 28}.get(version, 12)
    base, _, end = (int.from_bytes(head[at + i * offsets : at + (i + 1) * offsets], "little") for i in range(3))
    # The library corrects a stated base address that is not where it found the superblock.
    shift = start - base if base != start else 0
    where = at + 3 * offsets if version >= 2 else at + 5 * offsets
    root = int.from_bytes(head[where : where + offsets], "little")
    return place, root, end + shift


@dataclass(slots=True)
class _Walk:
    place: Place
    facts: Hdf5Facts
    seen: set[int] = field(default_factory=set)
    budget: int = HDF5_OBJECTS_MAX

    def spend(self, offset: int) -> None:
        self.budget -= 1
        if self.budget < 0:
            raise Hdf5Broken(offset, "more objects, attributes or messages than are followed", "unpack-limit")

    def object(self, address: int, path: str, depth: int) -> None:
        """Follow the object whose header stands at *address*."""
        if address in self.seen:
            return
        self.seen.add(address)
        if depth > HDF5_NESTING_MAX:
            raise Hdf5Broken(self.place.base + address, "groups nest deeper than is followed", "unpack-limit")
        shape: bytes | None = None
        kind: bytes | None = None
        children: list[tuple[str, int]] = []
        is_group = False
        for message, data, offset in self.messages(address):
            if message == _DATASPACE:
                shape = data
            elif message == _DATATYPE:
                kind = data
            elif message == _ATTRIBUTE:
                self.attribute(data, path, offset)
            elif message == _LINK:
                is_group = True
                self.link(data, offset, children)
            elif message == _SYMBOLS:
                is_group = True
                children += self.symbols(data, offset)
            elif message in (_LINK_INFO, _ATTRIBUTE_INFO):
                is_group |= message == _LINK_INFO
                for record, where in self.dense(data, offset):
                    self.spend(where)
                    if message == _LINK_INFO:
                        self.link(record, where, children)
                    else:
                        self.attribute(record, path, where)
            elif message == _EXTERNAL:
                self.external(data, offset)
            elif message == _LAYOUT:
                self.layout(data, offset)
            elif message == _FILTERS:
                self.facts.filters |= _filters(data)
        self.count(is_group, shape, kind)
        for name, child in children:
            if len(self.facts.names) < 10_000:
                self.facts.names.add(name)
            try:
                self.object(child, f"{path.rstrip('/')}/{name}", depth + 1)
            except Damaged as error:
                self.facts.oddities.append(Oddity("hdf5-broken", error.offset, f"{path}{name}: {error}"[:300]))

    def count(self, is_group: bool, shape: bytes | None, kind: bytes | None) -> None:
        if is_group:
            self.facts.groups += 1
        elif shape is not None and kind is not None:
            self.facts.datasets += 1
            self.facts.elements += _elements(shape, self.place.lengths)
            self.facts.types.add(_type_name(kind))

    def messages(self, address: int) -> Iterator[tuple[int, bytes, int]]:
        """Type, data and offset of every message of an object header, continuations followed once each."""
        place = self.place
        head = place.read(address, 16)
        if head[:4] == b"OHDR":
            flags = head[5]
            at = 6 + (16 if flags & 0x20 else 0) + (4 if flags & 0x10 else 0)
            width = 1 << (flags & 3)
            size = int.from_bytes(place.read(address + at, width), "little")
            blocks = [(address + at + width, size)]
            step, extra = 4, 2 if flags & 4 else 0
        elif head[:1] == b"\x01":
            blocks = [(address + 16, int.from_bytes(head[8:12], "little"))]
            step, extra = 8, 0
        else:
            raise Damaged(place.base + address, "not an object header")
        followed: set[int] = set()
        while blocks:
            start, size = blocks.pop(0)
            if start in followed:
                continue
            followed.add(start)
            block = place.read(start, size)
            at = 0
            while at + step + extra <= len(block):
                self.spend(place.base + start + at)
                kind = block[at] if step == 4 else int.from_bytes(block[at : at + 2], "little")
                length = int.from_bytes(block[at + 1 : at + 3] if step == 4 else block[at + 2 : at + 4], "little")
                flags = block[at + 3] if step == 4 else block[at + 4]
                at += step + extra
                data = block[at : at + length]
                offset = place.base + start + at
                at += length
                if kind == _CONTINUED:
                    where, count = place.address(data, 0), place.length(data, place.offsets)
                    # Version 2 wraps a continuation in a signature and a checksum.
                    blocks.append((where + 4, count - 8) if step == 4 else (where, count))
                elif flags & 2 and kind in (_DATATYPE, _DATASPACE):
                    yield from self.shared(data, kind)
                elif not flags & 2:
                    yield kind, data, offset

    def shared(self, data: bytes, kind: int) -> Iterator[tuple[int, bytes, int]]:
        """A message that stands in another object header (a committed type)."""
        at = {1: 8, 2: 2, 3: 2}.get(data[0] if data else 0)
        if at is None or (data[0] == 3 and data[1] == 1):  # in the heap of shared messages: only its kind matters here
            return
        address = self.place.address(data, at)
        for other, found, offset in self.messages(address):
            if other == kind:
                yield other, found, offset
                return

    def dense(self, data: bytes, offset: int) -> Iterator[tuple[bytes, int]]:
        """Links or attributes that stand in a fractal heap."""
        if len(data) < 2 + 2 * self.place.offsets:
            raise Damaged(offset, "the message on links or attributes is cut off")
        at = 2
        if data[1] & 1:
            at += 8 if len(data) >= 10 + 2 * self.place.offsets else 2
        heap, index = self.place.address(data, at), self.place.address(data, at + self.place.offsets)
        if heap not in _UNDEFINED and index not in _UNDEFINED:
            yield from fractal_records(self.place, heap, index)

    def symbols(self, data: bytes, offset: int) -> list[tuple[str, int]]:
        """Names and addresses of an old group's members."""
        place = self.place
        tree, names = place.address(data, 0), place.address(data, place.offsets)
        heap = Heap(place, names)
        children: list[tuple[str, int]] = []
        waiting, followed = [tree], set()
        entry = 2 * place.offsets + 24
        while waiting:
            node = waiting.pop()
            if node in followed or node in _UNDEFINED:
                continue
            followed.add(node)
            self.spend(place.base + node)
            head = place.read(node, 8)
            count = int.from_bytes(head[6:8], "little")
            if head[:4] == b"TREE":
                body = place.read(node + 8 + 2 * place.offsets, count * (place.lengths + place.offsets) + place.lengths)
                step = place.lengths + place.offsets
                waiting += [place.address(body, i * step + place.lengths) for i in range(count)]
            elif head[:4] == b"SNOD":
                body = place.read(node + 8, count * entry)
                for at in range(0, count * entry, entry):
                    self.spend(place.base + node + at)
                    name = heap.name(place.address(body, at))
                    cached = int.from_bytes(body[at + 2 * place.offsets : at + 2 * place.offsets + 4], "little")
                    if cached != 2:  # a soft link leads to what is reached elsewhere
                        children.append((name, place.address(body, at + place.offsets)))
            else:
                raise Damaged(place.base + node, "not a node of a group")
        return children

    def link(self, data: bytes, offset: int, children: list[tuple[str, int]]) -> None:
        if len(data) < 4:
            raise Damaged(offset, "a link is cut off")
        flags, at = data[1], 2
        kind = 0
        if flags & 8:
            kind, at = data[at], at + 1
        at += (8 if flags & 4 else 0) + (1 if flags & 0x10 else 0)
        width = 1 << (flags & 3)
        length = int.from_bytes(data[at : at + width], "little")
        at += width
        name = data[at : at + length].decode("utf-8", "backslashreplace")[:1000]
        at += length
        if kind == 0:
            children.append((name, self.place.address(data, at)))
        elif kind == 64:
            target = data[at + 3 :].split(b"\0")[0].decode("utf-8", "backslashreplace")
            self.facts.elsewhere.append((offset, f"the link {name[:60]!r} leads into another file", target))
        elif kind > 64:
            self.facts.elsewhere.append((offset, f"the link {name[:60]!r} is of a kind only a plug-in reads", ""))

    def external(self, data: bytes, offset: int) -> None:
        """A data set whose bytes stand in other files (message 7)."""
        place = self.place
        used = int.from_bytes(data[6:8], "little")
        heap = Heap(place, place.address(data, 8))
        step = 3 * place.lengths
        for index in range(min(used, 1000)):
            at = 8 + place.offsets + index * step
            if at + step > len(data):
                raise Damaged(offset, "the list of external files is cut off")
            name = heap.name(place.length(data, at))
            self.facts.elsewhere.append((offset, "a data set reads its bytes from another file", name))

    def layout(self, data: bytes, offset: int) -> None:
        """Only virtual data sets (version 4, class 3) matter here: their data may stand in other files."""
        if len(data) < 2 or data[0] < 4 or data[1] != 3:
            return
        place = self.place
        heap, index = place.address(data, 2), int.from_bytes(data[2 + place.offsets : 6 + place.offsets], "little")
        if heap in _UNDEFINED:
            return
        block = global_object(place, heap, index)
        for name in _virtual_files(block, place.lengths):
            if name != ".":
                self.facts.elsewhere.append((offset, "a virtual data set reads from another file", name))

    def attribute(self, data: bytes, path: str, offset: int) -> None:
        self.spend(offset)
        if len(data) < 8 or data[0] not in (1, 2, 3):
            raise Damaged(offset, "an attribute is malformed")
        sizes = [int.from_bytes(data[i : i + 2], "little") for i in (2, 4, 6)]
        at = 8 + (data[0] == 3)
        parts = []
        for size in sizes:
            parts.append(data[at : at + size])
            at += (size + 7) & ~7 if data[0] == 1 else size
        name = parts[0].rstrip(b"\0").decode("utf-8", "backslashreplace")
        kind = parts[1]
        if data[0] >= 2 and data[1] & 1:  # the type stands in another header
            kind = next((found for _, found, _ in self.shared(kind, _DATATYPE)), b"")
        count = 1 if data[0] >= 2 and data[1] & 2 else _elements(parts[2], self.place.lengths)
        value = self.value(kind, count, data[at:], offset)
        self.facts.attributes.append(Attribute(path, name[:1000], value, offset))

    def value(self, kind: bytes, count: int, data: bytes, offset: int) -> bytes:
        """Texts joined by line feeds, or the bytes as they are."""
        sort = kind[0] & 15 if kind else -1
        size = int.from_bytes(kind[4:8], "little")
        if sort == 9:
            step = 8 + self.place.offsets
            parts, total = [], 0
            for index in range(min(count, len(data) // step)):
                self.spend(offset)
                entry = data[index * step : (index + 1) * step]
                heap, number = self.place.address(entry, 4), int.from_bytes(entry[-4:], "little")
                if heap in _UNDEFINED or not number:
                    continue
                found = global_object(self.place, heap, number)
                total += len(found)
                if total > HDF5_ATTRIBUTE_BYTES_MAX:
                    raise Hdf5Broken(offset, "an attribute is longer than is read", "unpack-limit")
                parts.append(found[: int.from_bytes(entry[:4], "little") * max(1, _base_size(kind))])
            return b"\n".join(parts)
        if sort == 3 and size:
            texts = [data[i : i + size].rstrip(b"\0 ") for i in range(0, min(count * size, len(data)), size)]
            return b"\n".join(texts)
        return data[: count * size] if size else data


def _elements(shape: bytes, lengths: int) -> int:
    """How many elements a data space has; 0 where it is malformed or empty."""
    if len(shape) < 4 or shape[0] not in (1, 2) or (shape[0] == 2 and shape[3] == 2):
        return 0
    at = 8 if shape[0] == 1 else 4
    count = 1
    for index in range(min(shape[1], 32)):
        count *= int.from_bytes(shape[at + index * lengths : at + (index + 1) * lengths], "little")
    return min(count, 2**63 - 1)


def _base_size(kind: bytes) -> int:
    """Bytes of one element of a sequence of variable length (1 for text)."""
    return 1 if len(kind) < 16 or kind[1] & 15 == 1 else int.from_bytes(kind[12:16], "little")


def _type_name(kind: bytes) -> str:
    size = int.from_bytes(kind[4:8], "little") * 8
    names = {0: f"int{size}", 1: f"float{size}", 2: "time", 3: "text", 4: "bits", 5: "opaque", 6: "compound",
             7: "reference", 8: "enum", 9: "variable", 10: "array"}  # fmt: skip
    return names.get(kind[0] & 15, "unknown") if kind else "unknown"


def _filters(data: bytes) -> set[int]:
    """Ids of the filters of a pipeline message."""
    found: set[int] = set()
    at = 8 if data[:1] == b"\x01" else 2
    for _ in range(min(data[1] if len(data) > 1 else 0, 32)):
        if at + 6 > len(data):
            break
        number = int.from_bytes(data[at : at + 2], "little")
        found.add(number)
        named = data[0] == 1 or number >= 256
        length = int.from_bytes(data[at + 2 : at + 4], "little") if named else 0
        values = int.from_bytes(data[at + (6 if named else 4) : at + (8 if named else 6)], "little")
        padded = (length + 7) & ~7 if data[0] == 1 else length
        at += (8 if named else 6) + padded + 4 * values + (4 if data[0] == 1 and values % 2 else 0)
    return found


def _virtual_files(block: bytes, lengths: int) -> list[str]:
    """The source file of each mapping of a virtual data set (specification, III.E.1); ``.`` is the file itself."""
    count = int.from_bytes(block[1 : 1 + lengths], "little")
    names: list[str] = []
    at = 1 + lengths
    for _ in range(min(count, 10_000)):
        ends = [block.find(b"\0", at)]
        ends.append(block.find(b"\0", ends[0] + 1) if ends[0] >= 0 else -1)
        if ends[1] < 0:
            break
        names.append(block[at : ends[0]].decode("utf-8", "backslashreplace")[:1000])
        at = ends[1] + 1
        for _ in range(2):
            length = _selection(block, at)
            if length <= 0:
                return sorted(set(names))
            at += length
    return sorted(set(names))


def _selection(block: bytes, at: int) -> int:
    """Bytes of a serialised selection; 0 for one of a version that is not known."""
    sort, version = (int.from_bytes(block[at + i : at + i + 4], "little") for i in (0, 4))
    if sort in (0, 3) or version == 1:  # none, all, and version 1: reserved, then the length of the rest
        return 16 + int.from_bytes(block[at + 12 : at + 16], "little")
    if sort != 2:
        return 0
    if version == 2:
        return 13 + int.from_bytes(block[at + 9 : at + 13], "little")
    flags, width = block[at + 8 : at + 9], int.from_bytes(block[at + 9 : at + 10], "little")
    rank = int.from_bytes(block[at + 10 : at + 14], "little")
    if version != 3 or rank > 32:
        return 0
    if flags == b"\x01":
        return 14 + 4 * rank * width
    return 14 + width + 2 * rank * width * int.from_bytes(block[at + 14 : at + 14 + width], "little")


def summary(facts: Hdf5Facts) -> dict[str, Any]:
    """Facts for the bill of materials."""
    told: dict[str, Any] = {"dtypes": sorted(facts.types), "tensors": facts.datasets, "parameters": facts.elements}
    return {key: value for key, value in told.items() if value}
