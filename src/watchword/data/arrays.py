"""The rows of an NPZ file: arrays side by side, whose first axis counts the rows. Needs numpy (extra ``data``).

* Each member ``name.npy`` is a column ``name``; all have one length. A member of another length is refused: a row of
  it would be left out in silence.
* A number, truth value or text is a value as for Parquet (``data.parquet``). What has further axes is
  ``{"data": base64, "shape": […], "type": "<f4"}``: little-endian bytes in C order.
* Refused: object arrays (loading them would run code), Fortran order (a row does not lie together), two members of one
  name, other members, encryption, a member whose size in the directory is not the one its header tells.
* Memory: one batch of rows. A member is unpacked as rows are taken, never whole; limits as for Parquet.

Formats: NEP 1 (npy 1.0 to 3.0) and APPNOTE.TXT (zip), read by numpy's header reader and the standard library.
"""

from __future__ import annotations

import base64
import math
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from watchword.data.delivery import Delivery, Roles, Row, TooLarge, check_columns, check_name
from watchword.data.row import MissingExtra, canonical, member_order, number
from watchword.limits import (
    DATA_CELL_BYTES_MAX,
    DATA_COLUMNS_MAX,
    DATA_ROW_BYTES_MAX,
    DATA_ROWS_MAX,
    DATA_UNPACKED_BYTES_MIN,
    DATA_UNPACKED_RATIO_MAX,
    JSON_INTEGER_MAX,
)

_BATCH_BYTES = 4 * 1024 * 1024
_KINDS = "biufUS"


@dataclass
class _Column:
    """One member, open where its rows begin."""

    name: str
    file: Any
    dtype: Any
    shape: tuple[int, ...]
    row_bytes: int


def npz_rows(delivery: Delivery, roles: Roles) -> tuple[list[tuple[str, str]], Iterator[Row]]:
    """The (name, type) of each array, and the rows.

    Raises:
        MissingExtra: numpy is not there.
        UnreadableData, TooLarge, MissingColumn: see the module; while iterating, too.
    """
    try:
        import numpy  # noqa: F401  # its absence is told before the file is read
    except ImportError as error:
        raise MissingExtra(
            f"{delivery.path}: NPZ needs numpy, which is not installed", "pip install 'watchword[data]'"
        ) from error
    for _ in delivery.chunks():
        pass
    try:
        archive = zipfile.ZipFile(delivery.file())
        columns = [_column(delivery, archive, info) for info in _members(delivery, archive)]
    except (zipfile.BadZipFile, zlib.error, RuntimeError, EOFError, OSError, ValueError, SyntaxError) as error:
        delivery.fail(f"is not readable as NPZ: {str(error)[:200]}")
    check_columns(delivery, [column.name for column in columns], roles)
    lengths = {column.shape[0] for column in columns}
    if len(lengths) != 1:
        told = ", ".join(f"{column.name} {column.shape[0]:,}" for column in columns[:6])
        delivery.fail(f"its arrays differ in length: {told}", "keep arrays of one length in one file")
    rows = lengths.pop()
    if rows > DATA_ROWS_MAX:
        raise TooLarge(f"{delivery.path}: has {rows:,} rows, the limit is {DATA_ROWS_MAX:,}")
    types = [(column.name, f"{column.dtype.str}{list(column.shape[1:]) or ''}") for column in columns]
    return types, _rows(delivery, columns, roles, rows)


def _members(delivery: Delivery, archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    found = archive.infolist()
    if not found or len(found) > DATA_COLUMNS_MAX:
        delivery.fail(f"holds {len(found):,} members, where 1 to {DATA_COLUMNS_MAX:,} arrays are read")
    for info in found:
        if not info.filename.endswith(".npy"):
            delivery.fail(f"holds {info.filename[:80]!r}, which is not an array")
        if info.flag_bits & 1:
            delivery.fail(f"holds {info.filename[:80]!r} encrypted")
    unpacked = sum(info.file_size for info in found)
    if unpacked > max(DATA_UNPACKED_BYTES_MIN, DATA_UNPACKED_RATIO_MAX * delivery.size):
        raise TooLarge(f"{delivery.path}: unpacks to over {DATA_UNPACKED_RATIO_MAX} times its size")
    return found


def _column(delivery: Delivery, archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> _Column:
    from numpy.lib import format as npy

    file = archive.open(info)
    version = npy.read_magic(file)
    if version == (1, 0):
        shape, fortran, dtype = npy.read_array_header_1_0(file)
    elif version == (2, 0):
        shape, fortran, dtype = npy.read_array_header_2_0(file)
    else:
        raise ValueError(f"{info.filename[:80]!r} has format version {version}")
    name = info.filename.removesuffix(".npy")
    if dtype.hasobject or dtype.kind not in _KINDS:
        delivery.fail(f"array {name!r} is of type {dtype.str}, which is not read", "save numbers and text only")
    if not shape:
        delivery.fail(f"array {name!r} has no rows: it is a single value")
    if fortran and len(shape) > 1:
        delivery.fail(f"array {name!r} is in Fortran order", "save it with numpy.ascontiguousarray")
    row_bytes = dtype.itemsize * math.prod(shape[1:])
    if row_bytes > DATA_ROW_BYTES_MAX:
        raise TooLarge(
            f"{delivery.path}: a row of {name!r} has {row_bytes:,} bytes, the limit is {DATA_ROW_BYTES_MAX:,}"
        )
    if shape[0] * row_bytes != info.file_size - file.tell():
        delivery.fail(f"array {name!r} is cut off or has bytes after its rows")
    return _Column(name, file, dtype, tuple(shape), row_bytes)


def _rows(delivery: Delivery, columns: list[_Column], roles: Roles, rows: int) -> Iterator[Row]:
    together = max(1, sum(column.row_bytes for column in columns))
    if together > DATA_ROW_BYTES_MAX:
        raise TooLarge(f"{delivery.path}: a row takes {together:,} bytes, the limit is {DATA_ROW_BYTES_MAX:,}")
    step = max(1, min(8192, _BATCH_BYTES // together))
    names = sorted((c.name for c in columns if c.name not in roles.apart), key=member_order)
    purposes = (roles.key, roles.label, roles.source, roles.annotator)
    for first in range(0, rows, step):
        count = min(step, rows - first)
        try:
            values = {column.name: _values(column, count) for column in columns}
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError) as error:
            delivery.fail(f"row {first + 1:,} or one after it is not readable: {str(error)[:200]}")
        for at in range(count):
            row = first + at + 1
            key, label, source, annotator = (None if n is None else values[n][at] for n in purposes)
            yield Row(
                check_name(delivery, row, "key", key),
                canonical({name: values[name][at] for name in names}),
                None if roles.label is None else canonical(label),
                check_name(delivery, row, "source", source),
                check_name(delivery, row, "annotator", annotator),
            )


def _values(column: _Column, rows: int) -> list[Any]:
    """The next *rows* values of a column, as JSON."""
    import numpy

    data = column.file.read(rows * column.row_bytes)
    if len(data) != rows * column.row_bytes:
        raise EOFError(f"array {column.name!r} is cut off")
    if column.row_bytes == 0:
        return [""] * rows if len(column.shape) == 1 else [{"data": "", "shape": list(column.shape[1:])}] * rows
    array = numpy.frombuffer(data, column.dtype).reshape(rows, *column.shape[1:])
    if len(column.shape) == 1:
        if column.dtype.itemsize > DATA_CELL_BYTES_MAX:
            raise ValueError(f"a cell of {column.name!r} is over {DATA_CELL_BYTES_MAX:,} bytes")
        return [scalar(value) for value in array.tolist()]
    kind = column.dtype.newbyteorder("<")
    flat = numpy.ascontiguousarray(array, dtype=kind)
    shape, name = list(column.shape[1:]), kind.str
    return [{"data": base64.b64encode(row.tobytes()).decode(), "shape": shape, "type": name} for row in flat]


def scalar(value: Any) -> Any:
    """One number, truth value or text as JSON, as the table of ``data.parquet`` maps it."""
    if isinstance(value, float):
        if math.isfinite(value):
            return number(value)
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > JSON_INTEGER_MAX:
        return str(value)
    return value
