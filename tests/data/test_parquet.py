"""Parquet: every type has one JSON form, and no file unpacks into more memory than was measured beforehand."""

from __future__ import annotations

import datetime
import decimal
import json
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from watchword.data import DataError, manifest_rows
from watchword.data import pages as pages_module
from watchword.data import parquet as parquet_module
from watchword.data.delivery import Delivery, Roles, TooLarge
from watchword.data.parquet import parquet_rows

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")

UTC = datetime.UTC
PLAIN = Roles(None, None, None, None)


def features_of(path: Path) -> list[dict]:
    """The features of each row, as JSON values."""
    with Delivery(path) as delivery:
        _, rows = parquet_rows(delivery, PLAIN)
        return [json.loads(row.features) for row in rows]


def written(tmp_path: Path, column, **options) -> Path:
    """A file of one column ``x``."""
    pq.write_table(pa.table({"x": column}), tmp_path / "v.parquet", **options)
    return tmp_path / "v.parquet"


TYPES = {
    "bool": (pa.array([True, None]), [True, None]),
    "null": (pa.array([None, None]), [None, None]),
    "int8": (pa.array([-5, None], pa.int8()), [-5, None]),
    "int64": (pa.array([2**53 - 1, 2**53, -(2**63)]), [2**53 - 1, str(2**53), str(-(2**63))]),
    "uint64": (pa.array([2**64 - 1], pa.uint64()), [str(2**64 - 1)]),
    "float": (pa.array([0.5, 1e-7, float("nan"), float("-inf"), None], pa.float32()), None),
    "double": (pa.array([1.0, 0.1, float("inf"), -0.0]), [1, 0.1, "Infinity", 0]),
    "string": (pa.array(["é", "", None]), ["é", "", None]),
    "dictionary": (pa.array(["a", "b", "a", None]).dictionary_encode(), ["a", "b", "a", None]),
    "binary": (pa.array([b"\x00\xff", b"", None]), ["AP8=", "", None]),
    "fixed": (pa.array([b"\x00\xff"], pa.binary(2)), ["AP8="]),
    "decimal": (pa.array([decimal.Decimal("1.50"), None], pa.decimal128(20, 2)), ["1.50", None]),
    "date": (pa.array([datetime.date(1970, 1, 2)]), [1]),
    "time": (pa.array([1, None], pa.time64("ns")), [1, None]),
    "timestamp": (pa.array([1_700_000_000_000_000_001], pa.timestamp("ns", "UTC")), ["1700000000000000001"]),
    "far timestamp": (pa.array([2**62], pa.timestamp("us")), [str(2**62)]),
    "duration": (pa.array([7], pa.duration("s")), [7]),
    "list": (pa.array([[1, None], [], None, [3]]), [[1, None], [], None, [3]]),
    "fixed list": (pa.array([[1, 2], None, [5, 6]], pa.list_(pa.int64(), 2)), [[1, 2], None, [5, 6]]),
    "struct": (pa.array([{"b": 1, "a": None}, None]), [{"a": None, "b": 1}, None]),
    "map": (pa.array([[("k", 1)], None], pa.map_(pa.string(), pa.int64())), [[["k", 1]], None]),
    "nested": (
        pa.array(
            [{"l": [{"t": 5}], "s": "x"}],
            pa.struct({"l": pa.list_(pa.struct({"t": pa.timestamp("us")})), "s": pa.string()}),
        ),
        [{"l": [{"t": 5}], "s": "x"}],
    ),
}


@pytest.mark.parametrize("case", TYPES)
@pytest.mark.parametrize("rows_together", [1, 8192])
def test_every_type_has_its_documented_json_form(tmp_path, monkeypatch, case, rows_together):
    """Values as the table in the module says, the same whether rows are read one by one (slices) or together."""
    monkeypatch.setattr(parquet_module, "_BATCH_ROWS", rows_together)
    column, told = TYPES[case]
    if told is None:
        told = [0.5, struct.unpack("f", struct.pack("f", 1e-7))[0], "NaN", "-Infinity", None]
    assert [row["x"] for row in features_of(written(tmp_path, column))] == told


def test_slices_of_nested_values_are_those_of_their_rows(tmp_path, monkeypatch):
    """A batch that is cut in halves gives each row its own lists, structs and maps."""
    monkeypatch.setattr(parquet_module, "_BATCH_BYTES", 64)
    values = [None if n % 7 == 0 else [{"a": n, "b": [str(n)] * (n % 4)}] * (n % 3) for n in range(100)]
    kind = pa.list_(pa.struct({"a": pa.int64(), "b": pa.list_(pa.string())}))
    assert [row["x"] for row in features_of(written(tmp_path, pa.array(values, kind)))] == values


def test_row_groups_codecs_and_encodings_change_no_row(tmp_path):
    """How a file is packed is no part of its rows."""
    column = pa.array([f"row {n % 50}" for n in range(3000)])
    roots = set()
    for options in (
        {},
        {"row_group_size": 7},
        {"compression": "zstd", "data_page_version": "2.0"},
        {"use_dictionary": False, "column_encoding": {"x": "DELTA_BYTE_ARRAY"}},
        {"compression": "none", "use_dictionary": False},
    ):
        roots.add(manifest_rows(written(tmp_path, column, **options)).root)
    assert len(roots) == 1


def test_the_type_of_a_column_is_in_the_manifest(tmp_path):
    """Equal integers of another unit are told apart by the recorded type."""
    path = written(tmp_path, pa.array([5], pa.timestamp("ms")))
    assert manifest_rows(path).columns == (("x", "timestamp[ms]"),)


def test_a_page_that_unpacks_past_its_limit_is_refused_unread(tmp_path, monkeypatch):
    """70 MB of one letter, packed into some kilobytes. Fails when page headers are not measured."""
    path = written(tmp_path, pa.array(["a" * 70_000_000]), compression="zstd", use_dictionary=False)
    assert path.stat().st_size < 50_000
    monkeypatch.setattr(pq.ParquetFile, "iter_batches", lambda *_, **__: pytest.fail("a row group was unpacked"))
    with pytest.raises(DataError, match="has a page of 70,"):
        manifest_rows(path)


def test_many_columns_of_large_pages_are_refused_together(tmp_path, monkeypatch):
    """No page is too large but all that are open at once are."""
    monkeypatch.setattr(pages_module, "PARQUET_PAGES_BYTES_MAX", 1_000_000)
    table = pa.table({f"c{n}": ["a" * 200_000] for n in range(10)})
    pq.write_table(table, tmp_path / "v.parquet", use_dictionary=False)
    with pytest.raises(DataError, match="bytes at once"):
        manifest_rows(tmp_path / "v.parquet")


def test_one_long_value_in_many_rows_is_held_once_and_stopped(tmp_path, monkeypatch):
    """A dictionary that turns a small file into terabytes of rows is stopped at a multiple of its size."""
    monkeypatch.setattr(parquet_module, "DATA_UNPACKED_BYTES_MIN", 20_000_000)
    column = pa.DictionaryArray.from_arrays(pa.array([0] * 5000, pa.int32()), pa.array(["a" * 1_000_000]))
    path = written(tmp_path, column, compression="zstd")
    assert path.stat().st_size < 100_000
    with pytest.raises(TooLarge, match="unpacks to over"):
        manifest_rows(path)


def test_a_cell_over_its_limit_is_refused(tmp_path):
    """As in CSV."""
    with pytest.raises(DataError, match=r"a cell is over|takes 5,"):
        manifest_rows(written(tmp_path, pa.array(["a" * 5_000_000])))


def test_a_row_over_its_limit_is_refused(tmp_path):
    """Three cells that are each small enough are together too large. Fails when rows are not measured."""
    table = pa.table({name: ["a" * 3_000_000] for name in "abc"})
    pq.write_table(table, tmp_path / "v.parquet")
    with pytest.raises(TooLarge, match="a row takes 9,0"):
        manifest_rows(tmp_path / "v.parquet")


def test_a_schema_that_nests_too_deep_is_refused_before_a_reader_recurses(tmp_path, monkeypatch):
    """70 groups in each other. Fails when the schema's depth is not measured from the footer."""
    kind = pa.int64()
    for _ in range(70):
        kind = pa.struct({"a": kind})
    path = written(tmp_path, pa.array([None], kind))
    monkeypatch.setattr(pq, "ParquetFile", lambda *_, **__: pytest.fail("a reader was given the file"))
    with pytest.raises(DataError, match="nests deeper"):
        manifest_rows(path)


def test_a_hundred_thousand_nested_groups_cannot_crash_us(tmp_path):
    """A hand-made footer whose schema is one chain: an error, in a process of its own in case it were not."""
    chain = b"".join(b"\x48\x01a\x15\x02\x00" for _ in range(100_000))  # name "a", one child
    footer = b"\x15\x02\x19\xfc" + bytes([0xA0, 0x8D, 0x06]) + chain + b"\x16\x00\x19\x0c\x00"
    path = tmp_path / "v.parquet"
    path.write_bytes(b"PAR1" + footer + struct.pack("<I", len(footer)) + b"PAR1")
    code = "\n".join(
        [
            "import sys, pathlib, watchword.data as d",
            "try: d.manifest_rows(pathlib.Path(sys.argv[1]))",
            "except d.DataError as e: print(e)",
        ]
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, timeout=60)
    assert (done.returncode, "elements" in done.stdout) == (0, True), done.stderr


def test_two_columns_or_fields_of_one_name_are_refused(tmp_path):
    """One of them would be lost."""
    table = pa.table([pa.array([1]), pa.array([2])], names=["x", "x"])
    pq.write_table(table, tmp_path / "a.parquet")
    with pytest.raises(DataError, match="named twice"):
        manifest_rows(tmp_path / "a.parquet")
    twins = pa.StructArray.from_arrays([pa.array([1]), pa.array([2])], names=["f", "f"])
    with pytest.raises(DataError, match="names a field twice"):
        manifest_rows(written(tmp_path, twins))


def test_a_file_altered_anywhere_is_an_error_or_other_rows_but_never_a_crash(tmp_path):
    """Every byte of a small file flipped in turn: our own errors or a manifest, and no other exception."""
    path = written(tmp_path, pa.array(["one", "two", None]), compression="none")
    content = path.read_bytes()
    outcomes = set()
    for place in range(4, len(content)):
        path.write_bytes(content[:place] + bytes([content[place] ^ 0xFF]) + content[place + 1 :])
        try:
            outcomes.add(manifest_rows(path).rows)
        except DataError:
            outcomes.add(None)
    assert None in outcomes
    path.write_bytes(content[:-20] + content[-8:])
    with pytest.raises(DataError):
        manifest_rows(path)


def test_invalid_utf_8_in_a_string_column_is_an_error(tmp_path):
    """A string that is none is not replaced or dropped."""
    bad = pa.Array.from_buffers(pa.string(), 1, [None, pa.py_buffer(struct.pack("<ii", 0, 1)), pa.py_buffer(b"\xff")])
    with pytest.raises(DataError):
        manifest_rows(written(tmp_path, bad))


def test_a_missing_key_names_its_row_across_row_groups(tmp_path):
    """Rows are counted over all row groups."""
    path = written(tmp_path, pa.array([*(f"k{n}" for n in range(10)), None]), row_group_size=4)
    with pytest.raises(DataError, match="row 11 has no 'x'"):
        manifest_rows(path, key="x")


def test_without_pyarrow_the_extra_is_named(tmp_path, monkeypatch):
    """The core install says what to install."""
    path = written(tmp_path, pa.array([1]))
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(DataError) as caught:
        manifest_rows(path)
    assert caught.value.hint == "pip install 'watchword[data]'"
