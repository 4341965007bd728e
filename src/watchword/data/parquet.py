"""The rows of a Parquet file, each value mapped to JSON by its column's type. Needs the extra ``data`` (pyarrow).

| column type | JSON |
|---|---|
| boolean, null | true, false, null |
| integer | a number; beyond 2^53 its digits as a string |
| float | a number; NaN, Infinity, -Infinity as these strings |
| string, enum (dictionary) | the string |
| binary, fixed-size binary | standard base64 with padding |
| decimal | plain decimal notation with the column's scale, as a string |
| date, time, timestamp, duration | the stored integer, in the unit that the type names |
| list, fixed-size list | an array |
| struct | an object |
| map | an array of [key, value] arrays, in the order of the file |

A missing value is null. The mapping loses no value because the type is recorded with the column: within one type no
two values map to one (but 0 and -0, and the payloads of NaN). Zone and unit of a timestamp are part of its type.

Not read: encrypted files, and types not in the table. A Parquet file is hashed in a pass of its own, because a reader
seeks in it. Limits are checked from the page headers before a row group is unpacked (see ``data.pages``). Memory is
bounded by PARQUET_PAGES_BYTES_MAX and, where a hostile list puts a whole column chunk into one row, by 20 bytes a value
of PARQUET_VALUES_MAX (measured): 2.7 GB. Whoever has less runs this in a process with a limit of its own.
"""

from __future__ import annotations

import base64
import hashlib
import math
from collections.abc import Generator, Iterator, Sequence
from typing import Any

from watchword.data.delivery import Delivery, Roles, Row, TooLarge, check_columns, check_name
from watchword.data.pages import BadPages, Unpacked, check_schema, measure
from watchword.data.row import MissingExtra, canonical, member_order, number
from watchword.limits import (
    DATA_CELL_BYTES_MAX,
    DATA_NAME_BYTES_MAX,
    DATA_ROW_BYTES_MAX,
    DATA_ROWS_MAX,
    DATA_UNPACKED_BYTES_MIN,
    DATA_UNPACKED_RATIO_MAX,
    JSON_DEPTH_MAX,
    JSON_INTEGER_MAX,
)

_BATCH_ROWS = 8192
_BATCH_BYTES = 16 * 1024 * 1024
_BATCH_VALUES = 1024 * 1024
_DELTA_BATCH_BYTES = 256 * 1024 * 1024


def parquet_rows(delivery: Delivery, roles: Roles) -> tuple[list[tuple[str, str]], Iterator[Row]]:
    """The (name, type) of each column of a Parquet file, and its rows as they are read.

    Raises:
        MissingExtra: pyarrow is not there.
        UnreadableData, TooLarge, MissingColumn: see the module; while iterating, too.
    """
    pyarrow = opened(delivery)
    descriptor = delivery.file()
    try:
        check_schema(descriptor.fileno(), delivery.size)
        file = pyarrow.parquet.ParquetFile(
            descriptor,
            pre_buffer=False,
            buffer_size=1024 * 1024,
            thrift_string_size_limit=DATA_ROW_BYTES_MAX,
            thrift_container_size_limit=1_000_000,
        )
        metadata, schema = file.metadata, file.schema_arrow
        if metadata.num_rows > DATA_ROWS_MAX:
            raise TooLarge(f"{delivery.path}: has {metadata.num_rows:,} rows, the limit is {DATA_ROWS_MAX:,}")
        columns = checked_columns(delivery, schema, roles)
        groups = measure(descriptor.fileno(), metadata)
        if sum(metadata.row_group(index).num_rows for index in range(len(groups))) != metadata.num_rows:
            raise BadPages("counts its rows in two ways that differ")
        # A value that stands in many rows is held once; pyarrow cannot do so where strings are delta-coded.
        delta = {name for group in groups for name in group.delta_columns}
        strings = [f.name for f in schema if pyarrow.types.is_string(f.type) or pyarrow.types.is_binary(f.type)]
        strings = [name for name in strings if name not in delta]
        file = pyarrow.parquet.ParquetFile(
            delivery.file(),
            metadata=metadata,
            read_dictionary=strings,
            pre_buffer=False,
            buffer_size=1024 * 1024,
        )
    except BadPages as error:
        delivery.fail(str(error))
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        delivery.fail(f"is not readable as Parquet: {_first_line(error)}")
    return columns, _rows(delivery, file, groups, roles)


def opened(delivery: Delivery) -> Any:
    """pyarrow with its readers, once the whole file was hashed: they seek in it.

    Raises:
        MissingExtra: it is not there.
    """
    try:
        import pyarrow
        import pyarrow.ipc
        import pyarrow.parquet
    except ImportError as error:
        hint = "pip install 'watchword[data]'"
        raise MissingExtra(f"{delivery.path}: Parquet and Arrow need pyarrow, which is not installed", hint) from error
    for _ in delivery.chunks():
        pass
    return pyarrow


def checked_columns(delivery: Delivery, schema: Any, roles: Roles) -> list[tuple[str, str]]:
    """The (name, type) of each column of an Arrow schema whose names can all be told apart."""
    check_columns(delivery, list(schema.names), roles)
    if repeated := [field.name for field in schema if _repeats_a_name(field.type)]:
        delivery.fail(f"names a field twice inside column {repeated[0]!r}")
    return [(field.name, _type_name(field.type)) for field in schema]


def _rows(delivery: Delivery, file: Any, groups: list[Unpacked], roles: Roles) -> Iterator[Row]:
    sizes = (_batch_rows(group, file.metadata.row_group(at).num_rows) for at, group in enumerate(groups))
    batches = (
        batch
        for index, size in enumerate(sizes)
        for batch in file.iter_batches(size, row_groups=[index], use_threads=False)
    )
    row = yield from batch_rows(delivery, batches, roles)
    if row != file.metadata.num_rows:
        delivery.fail(f"says that it has {file.metadata.num_rows:,} rows but holds {row:,}")


def batch_rows(delivery: Delivery, batches: Iterator[Any], roles: Roles) -> Generator[Row, None, int]:
    """The rows of record batches, while they unpack to no more than they may; at the end, how many they are."""
    import pyarrow

    allowed = max(DATA_UNPACKED_BYTES_MIN, DATA_UNPACKED_RATIO_MAX * delivery.size)
    row = 0
    try:
        for batch in batches:
            for part in _halves(delivery, batch):
                for found in _part_rows(delivery, part, roles, row + 1):
                    row += 1
                    allowed -= len(found.features)
                    if allowed < 0:
                        raise TooLarge(f"{delivery.path}: unpacks to over {DATA_UNPACKED_RATIO_MAX} times its size")
                    yield found
    except (pyarrow.ArrowException, OSError, ValueError, OverflowError) as error:
        delivery.fail(f"row {row + 1:,} or one after it is not readable: {_first_line(error)}")
    return row


def _batch_rows(group: Unpacked, rows: int) -> int:
    rows = max(1, rows)
    fits = [
        _BATCH_ROWS,
        _BATCH_BYTES * rows // max(1, group.bytes_all),
        _BATCH_VALUES * rows // max(1, group.values_max),
    ]
    if group.delta_page_bytes:
        fits.append(_DELTA_BATCH_BYTES // group.delta_page_bytes)
    return max(1, min(fits))


def _halves(delivery: Delivery, batch: Any) -> Iterator[Any]:
    """*batch*, cut until each part is small enough for its values to stand in Python."""
    waiting = [batch]
    while waiting:
        part = waiting.pop()
        size = _bytes_apart(part)
        if part.num_rows > 1 and size > _BATCH_BYTES:
            middle = part.num_rows // 2
            waiting += [part.slice(middle), part.slice(0, middle)]
        elif part.num_rows == 1 and size > DATA_ROW_BYTES_MAX:
            raise TooLarge(f"{delivery.path}: a row takes {size:,} bytes, the limit is {DATA_ROW_BYTES_MAX:,}")
        else:
            yield part


def _bytes_apart(part: Any) -> int:
    """Bytes of *part* if no value were shared: a dictionary's values counted as often as they are used."""
    import pyarrow
    from pyarrow import compute

    total = 0
    for column in part.columns:
        texts = pyarrow.types.is_dictionary(column.type) and not pyarrow.types.is_primitive(column.type.value_type)
        if texts:
            lengths = compute.binary_length(column.dictionary)
            total += compute.sum(lengths.take(column.indices)).as_py() or 0
        else:
            total += column.nbytes
    return int(total)


def _part_rows(delivery: Delivery, part: Any, roles: Roles, first: int) -> Iterator[Row]:
    names = list(part.schema.names)
    columns = {name: _values(column) for name, column in zip(names, part.columns, strict=True)}
    nulls: list[Any] = [None] * part.num_rows
    features = sorted((name for name in names if name not in roles.apart), key=member_order)
    cells = zip(*(columns[name] for name in features), strict=True) if features else (() for _ in nulls)
    apart = zip(*(nulls if n is None else columns[n] for n in _purposes(roles)), strict=True)
    for row, (values, (key, label, source, annotator)) in enumerate(zip(cells, apart, strict=True), start=first):
        if roles.key is not None and key is None:
            delivery.fail(f"row {row:,} has no {roles.key!r}, the key")
        canonical_features = canonical(dict(zip(features, values, strict=True)))
        yield Row(
            check_name(delivery, row, "key", key),
            canonical_features,
            None if roles.label is None else canonical(label),
            check_name(delivery, row, "source", source),
            check_name(delivery, row, "annotator", annotator),
        )


def _purposes(roles: Roles) -> tuple[str | None, ...]:
    return roles.key, roles.label, roles.source, roles.annotator


def _values(array: Any) -> list[Any]:
    """The values of an Arrow array as the table of the module maps them."""
    import pyarrow

    types, kind = pyarrow.types, array.type
    if isinstance(kind, pyarrow.BaseExtensionType):
        return _values(array.storage)
    if types.is_dictionary(kind):
        known = _values(array.dictionary)
        return [None if place is None else known[place] for place in array.indices.to_pylist()]
    if types.is_boolean(kind) or types.is_null(kind):
        return list(array.to_pylist())
    if types.is_temporal(kind) and not types.is_interval(kind):
        return _values(array.cast(pyarrow.int32() if kind.bit_width == 32 else pyarrow.int64()))
    if types.is_integer(kind):
        return [n if n is None or abs(n) <= JSON_INTEGER_MAX else str(n) for n in array.to_pylist()]
    if types.is_floating(kind):
        return [None if value is None else _float(float(value)) for value in array.to_pylist()]
    if types.is_decimal(kind):
        return [None if value is None else format(value, "f") for value in array.to_pylist()]
    if types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind):
        return _checked(array.to_pylist())
    if (
        types.is_binary(kind)
        or types.is_large_binary(kind)
        or types.is_binary_view(kind)
        or types.is_fixed_size_binary(kind)
    ):
        return [None if v is None else base64.b64encode(v).decode() for v in _checked(array.to_pylist())]
    if types.is_struct(kind):
        return _structs(array)
    if types.is_map(kind) or types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind):
        return _lists(array)
    raise ValueError(f"a column of type {kind} is not read here")


def _structs(array: Any) -> list[Any]:
    fields = sorted(zip([field.name for field in array.type], array.flatten(), strict=True), key=_by_member)
    names = [name for name, _ in fields]
    columns = [_values(column) for _, column in fields]
    there = array.is_valid().to_pylist()
    rows = zip(*columns, strict=True) if columns else (() for _ in there)
    return [dict(zip(names, row, strict=True)) if is_there else None for row, is_there in zip(rows, there, strict=True)]


def _lists(array: Any) -> list[Any]:
    import pyarrow

    if pyarrow.types.is_fixed_size_list(array.type):
        width = array.type.list_size
        ends: Sequence[int] = [(array.offset + place) * width for place in range(len(array) + 1)]
    else:
        ends = array.offsets.to_pylist()
    first, last = ends[0], ends[-1]
    if pyarrow.types.is_map(array.type):
        keys, items = (_values(side.slice(first, last - first)) for side in (array.keys, array.items))
        elements: list[Any] = [[key, item] for key, item in zip(keys, items, strict=True)]
    else:
        elements = _values(array.values.slice(first, last - first))
    there = array.is_valid().to_pylist()
    return [
        elements[ends[place] - first : ends[place + 1] - first] if is_there else None
        for place, is_there in enumerate(there)
    ]


def _by_member(field: tuple[str, Any]) -> bytes:
    return member_order(field[0])


def _float(value: float) -> Any:
    if math.isfinite(value):
        return number(value)
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _checked(values: list[Any]) -> list[Any]:
    for value in values:
        if value is not None and len(value) > DATA_CELL_BYTES_MAX:
            raise ValueError(f"a cell is over {DATA_CELL_BYTES_MAX:,} bytes")
    return values


def _type_name(kind: Any) -> str:
    name = str(kind)
    if len(name) <= DATA_NAME_BYTES_MAX // 4:
        return name
    return f"{name[:100]}… (sha256:{hashlib.sha256(name.encode()).hexdigest()})"


def _repeats_a_name(kind: Any, depth: int = 0) -> bool:
    import pyarrow

    if depth > JSON_DEPTH_MAX:
        raise BadPages(f"nests deeper than {JSON_DEPTH_MAX}")
    inner = [kind.field(place) for place in range(kind.num_fields)]
    names = [field.name for field in inner]
    if pyarrow.types.is_struct(kind) and len(set(names)) != len(names):
        return True
    return any(_repeats_a_name(field.type, depth + 1) for field in inner)


def _first_line(error: BaseException) -> str:
    return str(error).strip().split("\n", 1)[0][:200]
