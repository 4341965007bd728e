"""What a Parquet file will take when it is unpacked, read from its footer and page headers before anything is.

The sizes in the footer are the sender's word. What a reader allocates is what each page header says, so the headers
are walked, and only they: a few dozen bytes a page. Formats: Apache Parquet ``parquet.thrift`` (FileMetaData,
SchemaElement, PageHeader) in the Thrift compact protocol.

* The schema tree is measured first, because a reader recurses into it.
* A page may say DELTA_BYTE_ARRAY (each value repeats a prefix of the one before): then a value may be as large as
  the page, and a batch must be small; inside lists such pages are refused.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from watchword.limits import (
    DATA_COLUMNS_MAX,
    JSON_DEPTH_MAX,
    PARQUET_FOOTER_BYTES_MAX,
    PARQUET_PAGE_BYTES_MAX,
    PARQUET_PAGE_HEADER_BYTES_MAX,
    PARQUET_PAGES_BYTES_MAX,
    PARQUET_PAGES_MAX,
    PARQUET_VALUES_MAX,
)

_DELTA_BYTE_ARRAY = 7
_TAIL_BYTES = 8
# Files of old parquet-mr leave the dictionary page's header out of the chunk's size (PARQUET-816).
_CHUNK_SLACK_BYTES = 100


class BadPages(ValueError):
    """The footer or a page header is malformed, or would unpack past a limit; the message says which."""


@dataclass(frozen=True)
class Unpacked:
    """What the pages of one row group say.

    Attributes:
        bytes_all: bytes of all its pages, unpacked.
        values_max: the most values in one column chunk; rows, where no column is nested.
        delta_page_bytes: the largest DELTA_BYTE_ARRAY page, unpacked; 0 where there is none.
        delta_columns: the columns that have such pages.
    """

    bytes_all: int
    values_max: int
    delta_page_bytes: int
    delta_columns: frozenset[str]


def check_schema(descriptor: int, size: int) -> None:
    """Refuse a footer that is too large, cut off, encrypted, or whose schema is too wide or too deep.

    Raises:
        BadPages: with the reason.
    """
    tail = os.pread(descriptor, _TAIL_BYTES, max(0, size - _TAIL_BYTES))
    if len(tail) < _TAIL_BYTES or tail[4:] != b"PAR1":
        raise BadPages("is encrypted" if tail[4:] == b"PARE" else "is cut off: it does not end as Parquet does")
    length = struct.unpack("<I", tail[:4])[0]
    if length > PARQUET_FOOTER_BYTES_MAX or length > size - 12:
        raise BadPages(f"says that its footer has {length:,} bytes")
    footer = _Compact(os.pread(descriptor, length, size - _TAIL_BYTES - length))
    for field, kind in footer.fields():
        if field == 2 and kind == 9:
            _check_tree(footer)
            return
        footer.skip(kind)
    raise BadPages("has no schema")


def measure(descriptor: int, metadata: Any, budget: int = PARQUET_PAGES_MAX) -> list[Unpacked]:
    """Walk the page headers of every column chunk that *metadata* (``pyarrow.parquet.FileMetaData``) names.

    Raises:
        BadPages: a page, the pages of a row group that are in memory together, or their number is past its limit.
    """
    groups = []
    for group_index in range(metadata.num_row_groups):
        group = metadata.row_group(group_index)
        delta_columns: set[str] = set()
        together = bytes_all = values_max = delta_bytes = 0
        for column_index in range(group.num_columns):
            chunk = group.column(column_index)
            if not 0 <= chunk.num_values <= PARQUET_VALUES_MAX:
                what = f"has {chunk.num_values:,} values of column {column_index} in row group {group_index}"
                raise BadPages(f"{what}, the limit is {PARQUET_VALUES_MAX:,}; smaller row groups are read")
            flat = metadata.schema.column(column_index).max_repetition_level == 0
            largest = dictionary = 0
            for kind, page_bytes, encoding in _pages(descriptor, chunk):
                budget -= 1
                if budget < 0:
                    raise BadPages(f"has over {PARQUET_PAGES_MAX:,} pages")
                if page_bytes > PARQUET_PAGE_BYTES_MAX:
                    raise BadPages(f"has a page of {page_bytes:,} bytes, the limit is {PARQUET_PAGE_BYTES_MAX:,}")
                if encoding == _DELTA_BYTE_ARRAY and not flat:
                    raise BadPages("has delta-coded strings inside lists, which are not read here")
                bytes_all += page_bytes
                if kind == 2:
                    dictionary = max(dictionary, page_bytes)
                else:
                    largest = max(largest, page_bytes)
                if encoding == _DELTA_BYTE_ARRAY:
                    delta_bytes = max(delta_bytes, page_bytes)
                    delta_columns.add(chunk.path_in_schema)
            together += largest + dictionary
            values_max = max(values_max, chunk.num_values)
        if together > PARQUET_PAGES_BYTES_MAX:
            raise BadPages(f"needs {together:,} bytes at once to unpack, the limit is {PARQUET_PAGES_BYTES_MAX:,}")
        groups.append(Unpacked(bytes_all, values_max, delta_bytes, frozenset(delta_columns)))
    return groups


def _pages(descriptor: int, chunk: Any) -> Iterator[tuple[int, int, int]]:
    """(page type, bytes unpacked, encoding) of each page that a reader of *chunk* would open."""
    place = chunk.data_page_offset
    if chunk.has_dictionary_page and 0 < chunk.dictionary_page_offset < place:
        place = chunk.dictionary_page_offset
    end = place + chunk.total_compressed_size + _CHUNK_SLACK_BYTES
    values = 0
    yield 0, 0, 0  # a chunk costs a reader something even without pages
    while values < chunk.num_values:
        if place < 4 or place >= end:
            raise BadPages("has a column chunk that ends before its values do")
        header, taken = _page_header(descriptor, place)
        kind, unpacked, packed = (header.get((field,), -1) for field in (1, 2, 3))
        if min(kind, unpacked, packed) < 0:
            raise BadPages("has a page header without sizes")
        data = 8 if kind == 3 else 5
        if kind in (0, 3):
            values += max(0, header.get((data, 1), 0))
        yield kind, unpacked, header.get((data, 4 if data == 8 else 2), 0)
        place += taken + packed


def _page_header(descriptor: int, place: int) -> tuple[dict[tuple[int, ...], int], int]:
    """The integers of the page header at *place*, by field path, and the bytes that it takes."""
    for length in (128, 2048, PARQUET_PAGE_HEADER_BYTES_MAX):
        reader = _Compact(os.pread(descriptor, length, place))
        numbers: dict[tuple[int, ...], int] = {}
        try:
            reader.numbers((), numbers)
        except _CutOff:
            continue
        return numbers, reader.place
    raise BadPages(f"has a page header that is cut off or over {PARQUET_PAGE_HEADER_BYTES_MAX:,} bytes")


def _check_tree(footer: _Compact) -> None:
    """The schema is a list of elements, depth first, each saying how many of those that follow are its children."""
    count = footer.list_size()
    if count > 4 * DATA_COLUMNS_MAX:
        raise BadPages(f"has a schema of {count:,} elements, the limit is {4 * DATA_COLUMNS_MAX:,}")
    open_children: list[int] = []
    for _ in range(count):
        element: dict[tuple[int, ...], int] = {}
        footer.numbers((), element)
        while open_children and open_children[-1] == 0:
            open_children.pop()
        if open_children:
            open_children[-1] -= 1
        if (children := element.get((5,), 0)) > 0:
            open_children.append(children)
        if len(open_children) > JSON_DEPTH_MAX:
            raise BadPages(f"has a schema that nests deeper than {JSON_DEPTH_MAX}")


class _CutOff(BadPages):
    """The bytes end inside a structure."""


class _Compact:
    """A place in Thrift compact bytes."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.place = 0

    def byte(self) -> int:
        if self.place >= len(self._data):
            raise _CutOff("has a structure that is cut off")
        self.place += 1
        return self._data[self.place - 1]

    def varint(self) -> int:
        value = 0
        for shift in range(0, 70, 7):
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
        raise BadPages("has a number of more than ten bytes")

    def integer(self) -> int:
        value = self.varint()
        return (value >> 1) ^ -(value & 1)

    def list_size(self) -> int:
        size = self.byte() >> 4
        return self.varint() if size == 15 else size

    def fields(self) -> Iterator[tuple[int, int]]:
        """(field id, type) of each field of the struct here; the caller takes or skips the value."""
        field = 0
        while (head := self.byte()) != 0:
            field = field + (head >> 4) if head >> 4 else self.integer()
            yield field, head & 0x0F

    def numbers(self, path: tuple[int, ...], found: dict[tuple[int, ...], int]) -> None:
        """The integers of the struct here and of structs in it, by path of field ids."""
        if len(path) > 8:
            raise BadPages("has a structure nested too deep")
        for field, kind in self.fields():
            if kind in (4, 5, 6):
                found[(*path, field)] = self.integer()
            elif kind == 12:
                self.numbers((*path, field), found)
            else:
                self.skip(kind)

    def skip(self, kind: int, depth: int = 0) -> None:
        """Pass over a value of type *kind*."""
        if depth > 16:
            raise BadPages("has a structure nested too deep")
        if kind in (1, 2):
            return
        if kind == 3:
            self.byte()
        elif kind in (4, 5, 6):
            self.varint()
        elif kind == 7:
            self._pass(8)
        elif kind == 8:
            self._pass(self.varint())
        elif kind in (9, 10):
            head = self.byte()
            size = self.varint() if head >> 4 == 15 else head >> 4
            for _ in range(size):
                self._skip_element(head & 0x0F, depth)
        elif kind == 11:
            size = self.varint()
            kinds = self.byte() if size else 0
            for _ in range(size):
                self._skip_element(kinds >> 4, depth)
                self._skip_element(kinds & 0x0F, depth)
        elif kind == 12:
            for _, inner in self.fields():
                self.skip(inner, depth + 1)
        else:
            raise BadPages(f"has a value of unknown type {kind}")

    def _skip_element(self, kind: int, depth: int) -> None:
        # In a list, unlike in a field, a truth value takes a byte: so every element moves the place on.
        if kind in (1, 2):
            self.byte()
        else:
            self.skip(kind, depth + 1)

    def _pass(self, length: int) -> None:
        if length > len(self._data) - self.place:
            raise _CutOff("has a structure that is cut off")
        self.place += length
