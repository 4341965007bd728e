"""A manifest holds every row of a delivery or is not made; a manifest file says exactly what its rows say."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import string
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watchword.data import (
    BadManifest,
    DataError,
    DuplicateKey,
    RowManifest,
    manifest_rows,
    read_manifest,
    write_manifest,
)
from watchword.data import delivery as delivery_module
from watchword.data.delivery import FileChanged, MissingColumn, TooLarge, UnreadableData
from watchword.data.row import NO_LABEL

ROLES = {"key": "id", "label": "label", "source": "lab", "annotator": "who"}
ROWS = [
    {"id": "r1", "text": 'héllo, "you"\nthere', "label": "pdf", "lab": "lab-1", "who": "a-01"},
    {"id": "r2", "text": "", "label": "html", "lab": "lab-2", "who": "a-02"},
    {"id": "r3", "text": " 1.0", "label": "pdf", "lab": "lab-1", "who": "a-01"},
]


@pytest.mark.parametrize("name", ["v.csv", "v.jsonl", "v.parquet"])
def test_every_row_is_in_the_manifest_with_its_names(write, name):
    """Rows, keys, sources and annotators are those of the file, in its order; equal labels have equal digests."""
    manifest = manifest_rows(write(name, ROWS), **ROLES)
    assert (manifest.rows, manifest.keys) == (3, ("r1", "r2", "r3"))
    assert manifest.sources == ("lab-1", "lab-2", "lab-1")
    assert manifest.annotators == ("a-01", "a-02", "a-01")
    assert manifest.labels[:32] == manifest.labels[64:] != manifest.labels[32:64]
    in_file_order = list(ROWS[0])
    assert [column for column, _ in manifest.columns] == (sorted(in_file_order) if name == "v.jsonl" else in_file_order)


def test_strings_have_one_digest_in_every_format(write):
    """A table of strings has the same root as CSV, JSON lines and Parquet."""
    manifests = [manifest_rows(write(f"v.{kind}", ROWS), **ROLES) for kind in ("csv", "jsonl", "parquet")]
    assert len({(m.root, m.set_digest) for m in manifests}) == 1


def test_digests_are_those_of_the_documented_definition(write):
    """A features digest and a label digest worked out by hand from docs/protocol.md's text."""
    manifest = manifest_rows(write("v.csv", ROWS), **ROLES)
    features = b'watchword-data-features/1\n{"id":"r2","text":""}'
    assert manifest.features[32:64] == hashlib.sha256(features).digest()
    assert manifest.labels[32:64] == hashlib.sha256(b'watchword-data-label/1\n"html"').digest()


@pytest.mark.parametrize("name", ["v.csv", "v.jsonl", "v.parquet"])
@pytest.mark.parametrize("reveal", [False, True])
def test_a_manifest_file_reads_back_as_it_was_written(write, tmp_path, name, reveal):
    """Write, read: the same value; the digest is that of the file; labels stand in it only if revealed."""
    manifest = manifest_rows(write(name, ROWS), **ROLES, reveal=reveal)
    write_manifest(manifest, tmp_path / "m")
    content = (tmp_path / "m").read_bytes()
    assert read_manifest(tmp_path / "m") == manifest
    assert hashlib.sha256(content).digest() == manifest.digest
    assert (b"html" in content) is reveal
    assert [path.name for path in tmp_path.iterdir()] == ["m"]


def test_revealing_labels_changes_no_root(write):
    """Whoever got the manifest without labels can check one with labels against the same root."""
    path = write("v.csv", ROWS)
    hidden, shown = manifest_rows(path, **ROLES), manifest_rows(path, **ROLES, reveal=True)
    assert (hidden.root, hidden.set_digest) == (shown.root, shown.set_digest)
    assert hidden.digest != shown.digest


def test_a_re_ordering_keeps_the_set_and_changes_the_root(write):
    """Order is told from content by two digests alone."""
    old, new = (manifest_rows(write("v.csv", rows), **ROLES) for rows in (ROWS, ROWS[::-1]))
    assert old.set_digest == new.set_digest
    assert old.root != new.root


def test_a_csv_with_bom_and_crlf_holds_the_same_rows(tmp_path):
    """A UTF-8 byte order mark and CRLF are no part of a row; a missing last line end is no matter."""
    (tmp_path / "a.csv").write_bytes(b"id,x\n1,\xc3\xa9\n2,b\n")
    (tmp_path / "b.csv").write_bytes(b"\xef\xbb\xbfid,x\r\n1,\xc3\xa9\r\n2,b")
    plain, other = (manifest_rows(tmp_path / name, key="id") for name in ("a.csv", "b.csv"))
    assert plain.root == other.root
    assert plain.file_sha256 != other.file_sha256


def test_a_missing_label_is_not_a_null_label(tmp_path):
    """JSON lines: an absent label has no digest, null has one."""
    (tmp_path / "v.jsonl").write_text('{"x":1}\n{"x":2,"label":null}\n{"x":3,"label":"a"}\n')
    manifest = manifest_rows(tmp_path / "v.jsonl", label="label")
    assert manifest.labels[:32] == NO_LABEL != manifest.labels[32:64]


def test_equal_numbers_are_one_and_large_integers_stay_apart(tmp_path):
    """1 and 1.0 are one number; 2^53 and 2^53 + 1, one double, are two integers."""
    rows = ['{"x":1}', '{"x":1.0}', '{"x":9007199254740992}', '{"x":9007199254740993}', '{"x":"9007199254740993"}']
    (tmp_path / "v.jsonl").write_text("\n".join(rows))
    features = manifest_rows(tmp_path / "v.jsonl").features
    digests = [features[at : at + 32] for at in range(0, len(features), 32)]
    assert digests[0] == digests[1]
    assert len(set(digests)) == 4


CSV = {
    "an empty file": (b"", "is empty"),
    "a header alone": (b"id,x\n", "no rows"),
    "a short row": (b"id,x\n1,2\n3\n", "row 2 has 1 cells"),
    "a long row": (b"id,x\n1,2,3\n", "row 1 has 3 cells"),
    "a blank line": (b"id,x\n1,2\n\n3,4\n", "row 2 is blank"),
    "a repeated header": (b"id,x,x\n1,2,3\n", "'x' is named twice"),
    "a NUL": (b"id,x\n1,\0\n", "line 2 holds a NUL"),
    "latin-1 in the middle": (b"id,x\n1,ok\n2,caf\xe9\n", "line 3 is not UTF-8 (byte 0xe9)"),
    "UTF-16": ("id,x\n1,2\n".encode("utf-16"), "UTF-16"),
    "an unclosed quote": (b'id,x\n1,"2\n3,4\n', "row 1 is not well-formed"),
    "text after a quote": (b'id,x\n1,"2"3\n', "row 1 is not well-formed"),
    "old Macintosh line ends": (b"id,x\r1,2\r3,4\r", "well-formed"),
    "a duplicate key": (b"id,x\n7,a\n8,b\n7,c\n", "rows 1 and 3 have one key, '7'"),
    "a missing column": (b"name,x\n1,2\n", "no column 'id'"),
    "Parquet by name": (b"id,x\n1,2\n", "is named like parquet"),
}


@pytest.mark.parametrize("case", CSV)
def test_a_bad_csv_is_refused_and_the_place_named(tmp_path, case):
    """No row is skipped and nothing is guessed: each flaw is an error that says where it is."""
    content, told = CSV[case]
    path = tmp_path / ("v.parquet" if case == "Parquet by name" else "v.csv")
    path.write_bytes(content)
    with pytest.raises(DataError) as caught:
        manifest_rows(path, key="id")
    assert told in caught.value.message
    assert str(path) in caught.value.message


JSONL = {
    "a repeated member": (b'{"id":"1","x":1,"x":2}\n', "row 1 names a member twice"),
    "a repeated member inside": (b'{"id":"1","x":{"y":1,"y":1}}\n', "row 1 names a member twice"),
    "NaN": (b'{"id":"1"}\n{"id":"2","x":NaN}\n', "row 2 holds NaN"),
    "a number beyond a double": (b'{"id":"1","x":1e999}\n', "row 1 holds a number beyond"),
    "a blank line": (b'{"id":"1"}\n\n{"id":"2"}\n', "row 2 is blank"),
    "an array": (b'{"id":"1"}\n[1]\n', "row 2 is not an object"),
    "cut off": (b'{"id":"1"}\n{"id":"2",\n', "row 2 is not JSON"),
    "two objects": (b'{"id":"1"}{"id":"2"}\n', "row 1 is not JSON"),
    "deep nesting": (b'{"id":"1","x":' + b"[" * 100_000 + b"]" * 100_000 + b"}\n", "nests deeper"),
    "half a surrogate pair": (b'{"id":"1","x":"\\ud800"}\n', "surrogate"),
    "half a surrogate pair as key": (b'{"id":"\\ud800"}\n', "surrogate"),
    "no key": (b'{"x":"1"}\n', "row 1 has no 'id'"),
    "a null key": (b'{"id":null}\n', "row 1 has no 'id'"),
    "a key that is a list": (b'{"id":[1]}\n', "neither a string nor an integer"),
    "the stand-in for large integers": (b'{"id":"1","x":{"$integer":"7"}}\n', "$integer"),
    "the same key as text and number": (b'{"id":"7"}\n{"id":7}\n', "rows 1 and 2 have one key"),
}


@pytest.mark.parametrize("case", JSONL)
def test_bad_json_lines_are_refused_and_the_row_named(tmp_path, case):
    """As for CSV."""
    content, told = JSONL[case]
    (tmp_path / "v.jsonl").write_bytes(content)
    with pytest.raises(DataError) as caught:
        manifest_rows(tmp_path / "v.jsonl", key="id")
    assert told in caught.value.message


def test_many_quotes_in_deep_json_cost_linear_time(tmp_path):
    """A megabyte of escaped quotes behind 65 brackets is refused at once, not after a quadratic search."""
    (tmp_path / "v.jsonl").write_bytes(b'{"x":' + b"[" * 63 + b'"' + b'\\"' * 500_000 + b"\n")
    with pytest.raises(UnreadableData):
        manifest_rows(tmp_path / "v.jsonl")


def test_a_row_without_end_is_refused_before_it_fills_memory(tmp_path, monkeypatch):
    """A file of one line, and a quote that never closes, stop at the row limit. Fails when the limit is removed."""
    monkeypatch.setattr(delivery_module, "DATA_ROW_BYTES_MAX", 100_000)
    (tmp_path / "line.csv").write_bytes(b"x" * 300_000)
    (tmp_path / "quote.csv").write_bytes(b"id,x\n" + b'"a\n","b\n",' * 50_000)
    for name in ("line.csv", "quote.csv"):
        with pytest.raises(TooLarge):
            manifest_rows(tmp_path / name)


def test_ten_million_columns_are_refused(tmp_path):
    """A header of 10^7 columns is longer than any row may be; one of 20,000 is wider than any table may be."""
    (tmp_path / "wide.csv").write_bytes(b"," * 10_000_000)
    with pytest.raises(TooLarge):
        manifest_rows(tmp_path / "wide.csv")
    (tmp_path / "broad.csv").write_text(",".join(map(str, range(20_000))))
    with pytest.raises(TooLarge, match="20,000 columns"):
        manifest_rows(tmp_path / "broad.csv")


def test_a_cell_over_its_limit_is_refused(tmp_path):
    """A cell of 5 MB is too large, wherever its row ends."""
    (tmp_path / "v.csv").write_bytes(b"id,x\n1," + b"y" * 5_000_000 + b"\n")
    with pytest.raises(TooLarge, match="row 1: a cell"):
        manifest_rows(tmp_path / "v.csv")


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_a_file_that_changes_while_it_is_read_is_refused(write, kind):
    """A file that grows as it is read neither passes nor keeps us reading. Fails when its size is not compared."""
    path = write(f"v.{kind}", ROWS)

    def grow(_label: str, _done: int, _total: int) -> None:
        with path.open("ab") as file:
            file.write(b"\n")

    with pytest.raises(FileChanged):
        manifest_rows(path, progress=grow)


def test_a_file_replaced_while_it_is_read_is_refused(write, tmp_path):
    """Another file under the same name is another delivery."""
    path = write("v.csv", ROWS)

    def replace(_label: str, _done: int, _total: int) -> None:
        (path.parent / "other").write_bytes(path.read_bytes())
        (path.parent / "other").replace(path)

    with pytest.raises(FileChanged):
        manifest_rows(path, progress=replace)


def test_what_is_no_file_is_refused_and_does_not_wait(tmp_path):
    """A folder, a missing path and a named pipe without a writer are errors at once."""
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "missing.csv", tmp_path / "pipe"):
        with pytest.raises(UnreadableData):
            manifest_rows(path)


def test_one_column_cannot_have_two_purposes(write):
    """Key and label must differ: a label inside the features would hide nothing and compare wrongly."""
    with pytest.raises(DataError, match="two purposes"):
        manifest_rows(write("v.csv", ROWS), key="id", label="id")


@pytest.mark.parametrize("purpose", ["key", "label", "source", "annotator"])
@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_a_column_that_is_not_there_is_an_error(write, kind, purpose):
    """A misspelt column is never taken as absent values."""
    with pytest.raises(DataError) as caught:
        manifest_rows(write(f"v.{kind}", ROWS), **{purpose: "nope"})
    assert "nope" in caught.value.message
    assert purpose != "label" or isinstance(caught.value, MissingColumn)


@settings(max_examples=60)
@given(st.binary(max_size=200), st.sampled_from([".csv", ".jsonl", ".parquet", ".dat"]), st.booleans())
def test_any_bytes_give_a_manifest_or_the_rooms_own_error(tmp_path, content, suffix, parquet):
    """Hostile files raise `DataError` and nothing else."""
    path = tmp_path / f"v{suffix}"
    path.write_bytes(b"PAR1" + content + b"PAR1" if parquet else content)
    with contextlib.suppress(DataError):
        assert isinstance(manifest_rows(path), RowManifest)


@pytest.fixture
def manifest_file(write, tmp_path) -> Path:
    """A manifest file of three rows with revealed labels."""
    write_manifest(manifest_rows(write("v.csv", ROWS), **ROLES, reveal=True), tmp_path / "m")
    return tmp_path / "m"


def test_no_bit_of_a_row_or_root_can_be_another(manifest_file):
    """Only what the tail claims of the data file and its columns can be altered; then the manifest's digest differs.

    Fails when the spelling of lines or the tail is not compared.
    """
    content = manifest_file.read_bytes()
    whole = read_manifest(manifest_file)
    for place in range(len(content)):
        manifest_file.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        with contextlib.suppress(DataError):
            other = read_manifest(manifest_file)
            assert place > content.rindex(b'{"columns"')
            assert (other.leaves, other.root, other.set_digest) == (whole.leaves, whole.root, whole.set_digest)
            assert other.digest != whole.digest


def test_a_manifest_cut_anywhere_is_refused(manifest_file):
    """Truncation at any byte is noticed, and so is anything after the end."""
    content = manifest_file.read_bytes()
    for length in range(len(content)):
        manifest_file.write_bytes(content[:length])
        with pytest.raises(DataError):
            read_manifest(manifest_file)
    for more in (b"\n", b" ", content.splitlines(keepends=True)[1], content):
        manifest_file.write_bytes(content + more)
        with pytest.raises(BadManifest):
            read_manifest(manifest_file)


def test_a_row_left_out_repeated_or_swapped_is_refused(manifest_file):
    """Rows cannot be dropped, doubled or exchanged under the old root, even with the byte digest made again."""
    head, one, two, three, tail = manifest_file.read_bytes().splitlines(keepends=True)
    for rows in ([one, three], [one, two, two, three], [two, one, three], []):
        body = b"".join([head, *rows])
        told = json.loads(tail)
        told["sha256"], told["rows"] = hashlib.sha256(body).hexdigest(), len(rows)
        manifest_file.write_bytes(body + json.dumps(told, separators=(",", ":"), sort_keys=True).encode() + b"\n")
        with pytest.raises((BadManifest, DuplicateKey)):
            read_manifest(manifest_file)


@pytest.mark.parametrize(
    ("spelled", "otherwise"),
    [(b'["r2"', b'[ "r2"'), (b'["r2"', b'["\\u00722"'), (b'"lab-2"', b'"lab\\u002d2"'), (b'"format"', b' "format"')],
)
def test_one_manifest_has_one_spelling(manifest_file, spelled, otherwise):
    """Other bytes that mean the same JSON are refused: else one manifest had many digests. Fails without comparison."""
    manifest_file.write_bytes(manifest_file.read_bytes().replace(spelled, otherwise, 1))
    with pytest.raises(BadManifest, match="spelled"):
        read_manifest(manifest_file)


def test_a_shown_label_must_be_the_one_its_digest_stands_for(manifest_file):
    """A manifest cannot show one label and hash another. Fails when the shown label is not hashed."""
    manifest_file.write_bytes(manifest_file.read_bytes().replace(b'"\\"pdf\\""', b'"\\"exe\\""'))
    with pytest.raises(BadManifest, match="not what its digest stands for"):
        read_manifest(manifest_file)


def test_a_later_version_is_named_and_not_read(manifest_file):
    """An unknown format version is said to be one."""
    manifest_file.write_bytes(manifest_file.read_bytes().replace(b"data-manifest/1", b"data-manifest/2", 1))
    with pytest.raises(BadManifest, match="data-manifest/2"):
        read_manifest(manifest_file)


def test_a_failed_write_leaves_nothing_behind(write, tmp_path):
    """A folder that is not there is an error, not a partial file."""
    manifest = manifest_rows(write("v.csv", ROWS))
    with pytest.raises(DataError, match="cannot be written"):
        write_manifest(manifest, tmp_path / "missing" / "m")


NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=6)


@settings(max_examples=50)
@given(st.lists(st.tuples(NAMES, NAMES, NAMES), min_size=1, max_size=8), st.booleans())
def test_any_table_round_trips_through_a_manifest_file(tmp_path, table, reveal):
    """Whatever stands in the cells, reading gives back what was written."""
    rows = [{"id": f"k{n}", "x": x, "label": y, "who": z} for n, (x, y, z) in enumerate(table)]
    (tmp_path / "v.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    manifest = manifest_rows(tmp_path / "v.jsonl", key="id", label="label", annotator="who", reveal=reveal)
    write_manifest(manifest, tmp_path / "m")
    assert read_manifest(tmp_path / "m") == manifest


def test_more_rows_than_a_batch_and_a_block_keep_their_order(tmp_path):
    """Rows are taken in batches; at 30,000 rows nothing is lost or exchanged at a seam."""
    path = tmp_path / "v.csv"
    path.write_text("id,x,label\n" + "".join(f"k{n},{n % 7},{string.ascii_lowercase[n % 26]}\n" for n in range(30_000)))
    manifest = manifest_rows(path, key="id", label="label")
    write_manifest(manifest, tmp_path / "m")
    assert manifest.keys == tuple(f"k{n}" for n in range(30_000))
    assert read_manifest(tmp_path / "m") == manifest


def test_importing_the_room_loads_no_heavy_library():
    """The room's import closure at start holds no heavy library."""
    import subprocess
    import sys

    code = (
        "import sys, watchword.data; print([m for m in ('pyarrow', 'numpy', 'jsonschema', 'rich') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
