"""Rows of Arrow, NPZ and tar deliveries: each is read, or the file is refused by name."""

from __future__ import annotations

import io
import json
import tarfile
import zipfile
from pathlib import Path

import pytest

from watchword.data import DataError, diff_rows, manifest_rows

pyarrow = pytest.importorskip("pyarrow", reason="the extra data")
numpy = pytest.importorskip("numpy", reason="the extra data")


def _arrow(path: Path, *, stream: bool, label: str = "b", codec: str | None = None) -> Path:
    table = pyarrow.table({"id": ["r1", "r2", "r3"], "x": [1.5, None, 3.0], "label": ["a", label, "a"]})
    kind = pyarrow.ipc.new_stream if stream else pyarrow.ipc.new_file
    options = pyarrow.ipc.IpcWriteOptions(compression=codec)
    with kind(str(path), table.schema, options=options) as writer:
        writer.write_table(table, max_chunksize=2)
    return path


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("codec", [None, "zstd"])
def test_an_arrow_table_differs_by_the_label_that_changed(tmp_path, stream, codec):
    """File and stream format, compressed or not: one changed label is one changed row."""
    old = manifest_rows(_arrow(tmp_path / "a.arrow", stream=stream, codec=codec), key="id", label="label")
    new = manifest_rows(_arrow(tmp_path / "b.arrow", stream=stream, codec=codec, label="c"), key="id", label="label")
    difference = diff_rows(old, new)
    assert old.rows == 3
    assert old.columns == (("id", "string"), ("x", "double"), ("label", "string"))
    assert [(change.kinds, change.key) for change in difference.changes] == [(("changed-label",), "r2")]


def test_an_arrow_bomb_is_refused_unread(tmp_path, monkeypatch):
    """Zeros that compress well are measured before they are unpacked. Seen to fail with ``_measure`` taken out."""
    monkeypatch.setattr("watchword.data.arrow.PARQUET_PAGES_BYTES_MAX", 1_000_000)
    path = tmp_path / "bomb.arrow"
    table = pyarrow.table({"x": numpy.zeros(1_000_000)})
    with pyarrow.ipc.new_stream(str(path), table.schema, options=pyarrow.ipc.IpcWriteOptions(compression="zstd")) as w:
        w.write_table(table)
    assert path.stat().st_size < 100_000
    with pytest.raises(DataError, match="at once to unpack"):
        manifest_rows(path)


@pytest.mark.parametrize("cut", [20, 200, 400])
def test_an_arrow_stream_that_is_cut_off_is_an_error(tmp_path, cut):
    """Wherever it ends, no row is lost in silence."""
    whole = _arrow(tmp_path / "a.arrow", stream=True).read_bytes()
    path = tmp_path / "cut.arrow"
    path.write_bytes(whole[:-cut])
    with pytest.raises(DataError):
        manifest_rows(path)


def _npz(path: Path, **arrays: object) -> Path:
    numpy.savez_compressed(path, **arrays)
    return path


def test_an_image_that_changed_one_pixel_is_one_changed_row(tmp_path):
    """Arrays side by side are columns; a row's bytes are its features."""
    images = numpy.arange(4 * 9, dtype=numpy.uint8).reshape(4, 3, 3)
    old = manifest_rows(
        _npz(tmp_path / "a.npz", x=images, id=numpy.arange(4), y=numpy.array([0, 1, 0, 1])), key="id", label="y"
    )
    images[2, 1, 1] ^= 1
    new = manifest_rows(
        _npz(tmp_path / "b.npz", x=images, id=numpy.arange(4), y=numpy.array([0, 1, 0, 0])), key="id", label="y"
    )
    assert dict(old.columns) == {"x": "|u1[3, 3]", "id": "<i8", "y": "<i8"}
    assert [(c.kinds, c.key) for c in diff_rows(old, new).changes] == [
        (("changed-label",), "3"),
        (("changed-features",), "2"),
    ]


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({"x": [1, 2, 3], "y": [1, 2]}, "differ in length"),
        ({"x": 5}, "single value"),
        ({"x": [{"a": 1}, None]}, "not read"),
        ({"x": numpy.asfortranarray([[1, 2], [3, 4]])}, "Fortran"),
        ({"x": []}, "no rows"),
    ],
)
def test_arrays_that_are_no_rows_are_refused(tmp_path, arrays, said):
    """Ragged lengths, pickled objects and the like: refused by name, nothing is loaded."""
    values = {k: numpy.asarray(v, dtype=object) if k == "x" and said == "not read" else v for k, v in arrays.items()}
    numpy.savez(tmp_path / "a.npz", **values)
    with pytest.raises(DataError, match=said):
        manifest_rows(tmp_path / "a.npz")


def test_an_array_whose_header_lies_about_its_rows_is_refused(tmp_path):
    """More rows in the header than bytes in the member: no row is invented."""
    buffer = io.BytesIO()
    numpy.save(buffer, numpy.arange(4))
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("x.npy", buffer.getvalue().replace(b"(4,)", b"(9,)"))
    with pytest.raises(DataError, match="cut off"):
        manifest_rows(tmp_path / "a.npz")


def _tar(path: Path, members: list[tuple[str, bytes]]) -> Path:
    with tarfile.open(path, "w") as archive:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path


def test_a_shard_of_samples_differs_by_what_changed(tmp_path):
    """WebDataset: members of one stem are one row; image and class are told apart."""
    shard = [
        ("s/1.jpg", b"\xff\xd8" + b"1" * 2000),
        ("s/1.cls", b"cat"),
        ("s/2.jpg", b"\xff\xd82"),
        ("s/2.cls", b"dog"),
    ]
    old = manifest_rows(_tar(tmp_path / "a.tar", shard), key="__key__", label="cls")
    shard[3] = ("s/2.cls", b"cat")
    new = manifest_rows(_tar(tmp_path / "b.tar", shard), key="__key__", label="cls")
    assert old.rows == 2
    assert [(c.kinds, c.key) for c in diff_rows(old, new).changes] == [(("changed-label",), "s/2")]


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE])
def test_a_shard_with_a_link_or_device_is_refused(tmp_path, kind):
    """What a link holds stands elsewhere; it is not passed over."""
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        info = tarfile.TarInfo("s/1.jpg")
        info.type, info.linkname = kind, "/etc/passwd"
        archive.addfile(info)
    with pytest.raises(DataError, match="not a plain file"):
        manifest_rows(tmp_path / "a.tar")


def test_a_header_extension_of_a_terabyte_is_not_read(tmp_path):
    """A pax header is read whole by the standard library: its length is bounded. Seen to fail unbounded."""
    info = tarfile.TarInfo("x")
    info.type, info.size = tarfile.XHDTYPE, 4 * 1024 * 1024
    path = tmp_path / "a.tar"
    path.write_bytes(info.tobuf(tarfile.GNU_FORMAT) + b"0" * info.size + bytes(1024))
    with pytest.raises(DataError, match="at once"):
        manifest_rows(path)


@pytest.mark.parametrize("name", ["a.npz", "a.arrow", "a.tar"])
def test_a_name_that_says_another_format_is_refused(tmp_path, name):
    """A CSV named as something else: one of the two is wrong."""
    (tmp_path / name).write_text("id,label\n1,a\n")
    with pytest.raises(DataError, match="its content is not"):
        manifest_rows(tmp_path / name)


def test_manifests_of_new_formats_read_back(tmp_path):
    """What is written is read strictly, to the same root."""
    from watchword.data import read_manifest, write_manifest

    made = manifest_rows(_npz(tmp_path / "a.npz", x=[1, 2], y=["a", "b"]), label="y", reveal=True)
    write_manifest(made, tmp_path / "a.rows")
    assert read_manifest(tmp_path / "a.rows") == made
    assert json.loads((tmp_path / "a.rows").read_bytes().split(b"\n")[0])["format"] == "npz"
