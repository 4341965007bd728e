"""Tables of FlatBuffers, read by slot. Every offset is checked against the buffer; following is counted.

Follows the internals of FlatBuffers: an offset of 4 bytes leads on, a table begins with a signed offset back to its
vtable, vectors and strings begin with their length.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from watchword.inspect.exhibit import Malformed
from watchword.inspect.source import Source
from watchword.limits import FLATBUFFER_TABLES_MAX


class Buffer:
    """A source read at places; keeps count of the tables that are opened."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.left = FLATBUFFER_TABLES_MAX

    def number(self, at: int, code: str) -> int:
        size = struct.calcsize("<" + code)
        data = self.source.read_at(at, size) if at >= 0 else b""
        if len(data) < size:
            raise Malformed(at, "an offset leads out of the file")
        return int(struct.unpack("<" + code, data)[0])

    def root(self) -> Table:
        return self.table(self.number(0, "I"))

    def table(self, at: int) -> Table:
        self.left -= 1
        if self.left < 0:
            raise Malformed(at, f"more than {FLATBUFFER_TABLES_MAX:,} tables", limit=True)
        vtable = at - self.number(at, "i")
        size = self.number(vtable, "H")
        if size < 4 or size % 2:
            raise Malformed(at, "a table without a vtable")
        data = self.source.read_at(vtable, size)
        if len(data) < size:
            raise Malformed(vtable, "a vtable leads out of the file")
        return Table(self, at, data)


@dataclass(frozen=True, slots=True)
class Table:
    """One table; slots are numbered from 0 in the order of the schema."""

    buffer: Buffer
    at: int
    vtable: bytes

    def place(self, slot: int) -> int:
        """Where the field stands; 0 when it has its default."""
        where = 4 + 2 * slot
        offset = int.from_bytes(self.vtable[where : where + 2], "little")
        return self.at + offset if offset else 0

    def number(self, slot: int, code: str, default: int = 0) -> int:
        at = self.place(slot)
        return self.buffer.number(at, code) if at else default

    def child(self, slot: int) -> Table | None:
        at = self.place(slot)
        return self.buffer.table(at + self.buffer.number(at, "I")) if at else None

    def vector(self, slot: int, width: int) -> tuple[int, int]:
        """Where the elements of a vector begin, and how many there are."""
        at = self.place(slot)
        if not at:
            return 0, 0
        start = at + self.buffer.number(at, "I")
        count = self.buffer.number(start, "I")
        if start + 4 + count * width > self.buffer.source.size:
            raise Malformed(start, f"a vector of {count:,} elements is longer than the file")
        return start + 4, count

    def children(self, slot: int) -> Iterator[Table]:
        start, count = self.vector(slot, 4)
        for at in range(start, start + 4 * count, 4):
            yield self.buffer.table(at + self.buffer.number(at, "I"))

    def text(self, slot: int, length_max: int = 4096) -> str:
        start, count = self.vector(slot, 1)
        return self.buffer.source.read_at(start, min(count, length_max)).decode("utf-8", "backslashreplace")

    def numbers(self, slot: int, code: str, count_max: int = 1 << 16) -> list[int]:
        width = struct.calcsize("<" + code)
        start, count = self.vector(slot, width)
        count = min(count, count_max)
        data = self.buffer.source.read_at(start, count * width)
        return list(struct.unpack(f"<{count}{code}", data))
