"""Heaps of HDF5: local (names of old groups), global (texts of variable length), fractal (many links or attributes).

Follows the HDF5 file format specification, version 3.0, III.C to III.F. Everything here is looked up by an address
that the file gives, so each look-up is bounded by what it may read.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from watchword.inspect.source import Source
from watchword.limits import HDF5_BLOCK_BYTES_MAX, HDF5_OBJECTS_MAX


class Damaged(Exception):
    """What stands at ``offset`` (absolute) is not what should stand there."""

    def __init__(self, offset: int, message: str) -> None:
        super().__init__(message)
        self.offset = offset


@dataclass(slots=True)
class Place:
    """A file as its superblock says how to read it: addresses count from ``base``."""

    source: Source
    base: int
    offsets: int
    lengths: int
    collections: dict[int, dict[int, tuple[int, int]]] = field(default_factory=dict)

    def read(self, address: int, length: int) -> bytes:
        """*length* bytes at *address*.

        Raises:
            Damaged: the file ends before, or it is more than one block may have.
        """
        if length > HDF5_BLOCK_BYTES_MAX:
            raise Damaged(self.base + address, f"a block of {length:,} bytes is longer than is read")
        data = self.source.read_at(self.base + address, length) if length >= 0 else b""
        if length < 0 or len(data) < length:
            raise Damaged(self.base + address, "the file ends within a block")
        return data

    def address(self, data: bytes, at: int) -> int:
        return self._number(data, at, self.offsets)

    def length(self, data: bytes, at: int) -> int:
        return self._number(data, at, self.lengths)

    def _number(self, data: bytes, at: int, width: int) -> int:
        part = data[at : at + width]
        if len(part) < width:
            raise Damaged(self.base, "an address is cut off")
        return int.from_bytes(part, "little")


class Heap:
    """A local heap: names by their place in it."""

    def __init__(self, place: Place, address: int) -> None:
        head = place.read(address, 8 + 2 * place.lengths + place.offsets)
        if head[:4] != b"HEAP":
            raise Damaged(place.base + address, "not a local heap")
        size = place.length(head, 8)
        self.data = place.read(place.address(head, 8 + 2 * place.lengths), size)

    def name(self, at: int) -> str:
        end = self.data.find(b"\0", at)
        return self.data[at : end if end >= 0 else len(self.data)][:4096].decode("utf-8", "backslashreplace")


def global_object(place: Place, address: int, index: int) -> bytes:
    """One object of the global heap collection at *address*.

    Raises:
        Damaged: there is no such collection or object.
    """
    known = place.collections.get(address)
    if known is None:
        head = place.read(address, 8 + place.lengths)
        if head[:4] != b"GCOL":
            raise Damaged(place.base + address, "not a collection of the global heap")
        if len(place.collections) > 10_000:
            place.collections.clear()
        known = place.collections[address] = _collection(place, address, place.length(head, 8))
    if index not in known:
        raise Damaged(place.base + address, f"object {index} of the global heap does not exist")
    start, size = known[index]
    return place.read(start, size)


def _collection(place: Place, address: int, size: int) -> dict[int, tuple[int, int]]:
    """Where the objects of a collection stand: index → (address, length)."""
    block = place.read(address, size)
    head = 8 + place.lengths
    found: dict[int, tuple[int, int]] = {}
    at = head
    while at + head <= len(block):
        index, length = int.from_bytes(block[at : at + 2], "little"), place.length(block, at + 8)
        if index == 0:
            break
        found.setdefault(index, (address + at + head, length))
        at += head + ((length + 7) & ~7)
    return found


def fractal_records(place: Place, heap: int, index: int) -> Iterator[tuple[bytes, int]]:
    """Every object of the fractal heap at *heap* that the version 2 B-tree at *index* lists, with its offset."""
    fractal = _Fractal(place, heap)
    for record, kind in _tree_records(place, index):
        # Links by name: hash, then heap id. Attributes by name: heap id first.
        yield fractal.object(record[4:] if kind in (5, 6) else record[:8])


def _tree_records(place: Place, address: int) -> Iterator[tuple[bytes, int]]:
    """Records of a version 2 B-tree, and its type."""
    head = place.read(address, 16 + place.offsets + 2 + place.lengths)
    if head[:4] != b"BTHD":
        raise Damaged(place.base + address, "not the head of a B-tree")
    kind, node_size = head[5], int.from_bytes(head[6:10], "little")
    record, depth = int.from_bytes(head[10:12], "little"), int.from_bytes(head[12:14], "little")
    root = place.address(head, 16)
    count = int.from_bytes(head[16 + place.offsets : 18 + place.offsets], "little")
    if not record or depth > 16 or node_size > HDF5_BLOCK_BYTES_MAX:
        raise Damaged(place.base + address, "the head of a B-tree is malformed")
    # Widths of the child counts in inner nodes follow from how many records fit (specification, III.A.2).
    most = [(node_size - 10) // record]
    total = [most[0]]
    wide = _width(most[0])
    for level in range(1, depth + 1):
        pointer = place.offsets + wide + (_width(total[level - 1]) if level > 1 else 0)
        most.append(max(0, (node_size - 10 - pointer) // (record + pointer)))
        total.append(min((most[level] + 1) * total[level - 1] + most[level], 2**63))
    waiting = [(root, count, depth)]
    budget = HDF5_OBJECTS_MAX
    while waiting:
        node, used, level = waiting.pop()
        budget -= 1 + used
        if budget < 0 or used > most[0]:
            raise Damaged(place.base + node, "a B-tree holds more than it can")
        pointer = place.offsets + wide + (_width(total[level - 1]) if level > 1 else 0)
        block = place.read(node, 6 + used * record + ((used + 1) * pointer if level else 0))
        if block[:4] != (b"BTIN" if level else b"BTLF"):
            raise Damaged(place.base + node, "not a node of a B-tree")
        for at in range(6, 6 + used * record, record):
            yield block[at : at + record], kind
        if level:
            for number in range(used + 1):
                at = 6 + used * record + number * pointer
                below = int.from_bytes(block[at + place.offsets : at + place.offsets + wide], "little")
                waiting.append((place.address(block, at), below, level - 1))


def _width(value: int) -> int:
    return max(1, (value.bit_length() + 7) // 8)


class _Fractal:
    """A fractal heap: looks an object up by its id."""

    def __init__(self, place: Place, address: int) -> None:
        self.place = place
        lengths, offsets = place.lengths, place.offsets
        head = place.read(address, 26 + 12 * lengths + 3 * offsets)
        if head[:4] != b"FRHP":
            raise Damaged(place.base + address, "not a fractal heap")
        self.filtered = int.from_bytes(head[7:9], "little") > 0
        self.checked = bool(head[9] & 2)
        at = 14 + 10 * lengths + 2 * offsets  # behind the sizes and counts that only a writer needs
        self.huge = place.address(head, 14 + lengths)
        self.width = int.from_bytes(head[at : at + 2], "little")
        self.start = place.length(head, at + 2)
        self.direct_max = place.length(head, at + 2 + lengths)
        self.bits = int.from_bytes(head[at + 2 + 2 * lengths : at + 4 + 2 * lengths], "little")
        self.root = place.address(head, at + 6 + 2 * lengths)
        self.rows = int.from_bytes(head[at + 6 + 2 * lengths + offsets : at + 8 + 2 * lengths + offsets], "little")
        self.managed_max = int.from_bytes(head[10:14], "little")
        if not (0 < self.width <= 4096 and 0 < self.start <= self.direct_max and self.bits <= 64 and self.rows <= 256):
            raise Damaged(place.base + address, "the head of a fractal heap is malformed")

    def object(self, identifier: bytes) -> tuple[bytes, int]:
        """The bytes of an object, and where they stand (absolute)."""
        place = self.place
        sort = identifier[0] >> 4 & 3 if identifier else 3
        if sort == 2:  # tiny: in the id itself
            return identifier[1 : 2 + (identifier[0] & 15)], place.base
        if sort != 0 or self.filtered:
            raise Damaged(place.base, "a huge or packed object of a fractal heap, which is not followed")
        wide = (self.bits + 7) // 8
        offset = int.from_bytes(identifier[1 : 1 + wide], "little")
        most = min(self.managed_max, self.direct_max)
        length = int.from_bytes(identifier[1 + wide : 1 + wide + _width(most)], "little")
        block, start = self._block(offset)
        at = block + offset - start
        return place.read(at, length), place.base + at

    def _block(self, offset: int) -> tuple[int, int]:
        """The direct block in which *offset* of the heap lies: its address, and the offset at which it begins."""
        if self.rows == 0:
            return self.root, 0
        place = self.place
        node, rows, begin = self.root, self.rows, 0
        for _ in range(64):
            at = begin
            head = 5 + place.offsets + (self.bits + 7) // 8
            entry = 0
            for row in range(rows):
                size = self.start << max(0, row - 1)
                if offset < at + size * self.width:
                    column = (offset - at) // size
                    child = place.address(place.read(node + head + (entry + column) * place.offsets, place.offsets), 0)
                    begin = at + column * size
                    if size <= self.direct_max:
                        return child, begin
                    node = child
                    # An indirect block covers its size with rows of growing blocks.
                    rows = max(1, (size // (self.start * self.width)).bit_length())
                    break
                at += size * self.width
                entry += self.width
            else:
                break
        raise Damaged(place.base + node, "an object lies outside of its fractal heap")
