"""The rows of an Arrow IPC file or stream, mapped to JSON as ``data.parquet`` does. Needs pyarrow (extra ``data``).

* The Arrow file format (``ARROW1``) and the stream format, as data-set libraries keep tables on disk.
* What a record batch will take unpacked is read from its own metadata before it is unpacked (Arrow ``Message.fbs``:
  RecordBatch, BodyCompression), and every batch is validated in full before a value is taken from it.
* Memory: one record batch, at most PARQUET_PAGES_BYTES_MAX unpacked. Dictionary batches count as batches.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

from watchword.data.delivery import Delivery, Roles, Row, TooLarge
from watchword.data.parquet import batch_rows, checked_columns, opened
from watchword.limits import DATA_ROWS_MAX, PARQUET_PAGES_BYTES_MAX

_MAGIC = b"ARROW1\0\0"
_PART_ROWS = 8192


def arrow_rows(delivery: Delivery, roles: Roles) -> tuple[list[tuple[str, str]], Iterator[Row]]:
    """The (name, type) of each column, and the rows.

    Raises:
        MissingExtra: pyarrow is not there.
        UnreadableData, TooLarge, MissingColumn: see the module; while iterating, too.
    """
    pyarrow = opened(delivery)
    try:
        _measure(delivery, delivery.file())
        file = delivery.file()
        if file.read(len(_MAGIC)) == _MAGIC:
            # The footer is only an index; the messages between stand as in a stream.
            reader = pyarrow.ipc.open_file(file)
            batches = (reader.get_batch(at) for at in range(reader.num_record_batches))
        else:
            file.seek(0)
            reader = pyarrow.ipc.open_stream(file)
            batches = iter(reader)
        columns = checked_columns(delivery, reader.schema, roles)
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        delivery.fail(f"is not readable as Arrow: {str(error)[:200]}")
    return columns, batch_rows(delivery, _parts(delivery, batches), roles)


def _parts(delivery: Delivery, batches: Iterator[Any]) -> Iterator[Any]:
    rows = 0
    for batch in batches:
        batch.validate(full=True)
        rows += batch.num_rows
        if rows > DATA_ROWS_MAX:
            raise TooLarge(f"{delivery.path}: has over {DATA_ROWS_MAX:,} rows")
        for first in range(0, batch.num_rows, _PART_ROWS):
            yield batch.slice(first, _PART_ROWS)


def _measure(delivery: Delivery, file: Any) -> None:
    """Refuse a file whose batches would unpack past the limit, from their metadata alone."""
    if file.read(len(_MAGIC)) != _MAGIC:
        file.seek(0)
    while len(head := file.read(8)) == 8:
        length = struct.unpack("<i", head[4:] if head[:4] == b"\xff\xff\xff\xff" else head[:4])[0]
        if head[:4] != b"\xff\xff\xff\xff":
            file.seek(-4, 1)  # before Arrow 0.15 there was no continuation marker
        if length == 0:
            return
        if not 0 < length <= 64 * 1024 * 1024 or file.tell() + length > delivery.size:
            raise ValueError(f"says that a message has {length:,} bytes")
        metadata = file.read(length)
        try:
            body = _Table(metadata, struct.unpack_from("<I", metadata)[0])
            size = body.number(3, "<q")
            unpacked = _unpacked(body, file, size)
        except (struct.error, RecursionError) as error:
            raise ValueError("has message metadata that is cut off") from error
        if max(size, unpacked) > PARQUET_PAGES_BYTES_MAX:
            what = f"needs {max(size, unpacked):,} bytes at once to unpack, the limit is {PARQUET_PAGES_BYTES_MAX:,}"
            raise TooLarge(f"{delivery.path}: {what}", "write smaller record batches")
        if size < 0 or file.tell() + size > delivery.size:
            raise ValueError("is cut off inside a record batch")
        file.seek(size, 1)


def _unpacked(message: _Table, file: Any, size: int) -> int:
    """Bytes of a message's buffers once decompressed: each compressed buffer begins with its own length."""
    kind = message.number(1, "<B")
    if kind not in (2, 3):  # a dictionary batch, a record batch
        return 0
    batch = message.table(2)
    if batch is not None and kind == 2:
        batch = batch.table(1)
    if batch is None or batch.table(3) is None:
        return 0
    start, total = file.tell(), 0
    for offset, length in batch.pairs(2):
        if length <= 8 or not 0 <= offset <= size - 8:
            continue
        file.seek(start + offset)
        total += max(struct.unpack("<q", file.read(8))[0], 0)
    file.seek(start)
    return total


class _Table:
    """A table of a FlatBuffers message: fields by their number."""

    def __init__(self, data: bytes, place: int) -> None:
        self._data, self._place = data, place
        self._fields = place - struct.unpack_from("<i", data, place)[0]

    def _at(self, field: int) -> int | None:
        entry = 4 + 2 * field
        if entry >= struct.unpack_from("<H", self._data, self._fields)[0]:
            return None
        offset = struct.unpack_from("<H", self._data, self._fields + entry)[0]
        return self._place + offset if offset else None

    def number(self, field: int, form: str) -> int:
        place = self._at(field)
        return 0 if place is None else int(struct.unpack_from(form, self._data, place)[0])

    def table(self, field: int) -> _Table | None:
        place = self._at(field)
        if place is None:
            return None
        return _Table(self._data, place + struct.unpack_from("<I", self._data, place)[0])

    def pairs(self, field: int) -> Iterator[tuple[int, int]]:
        """A vector of structs of two 64-bit integers."""
        place = self._at(field)
        if place is None:
            return
        place += struct.unpack_from("<I", self._data, place)[0]
        count = struct.unpack_from("<I", self._data, place)[0]
        if count > len(self._data) // 16:
            raise ValueError("has a vector longer than its message")
        for at in range(count):
            offset, length = struct.unpack_from("<qq", self._data, place + 4 + 16 * at)
            yield offset, length
