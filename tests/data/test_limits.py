"""Bad deliveries of every format: past a limit, or changing while they are read, each is refused by name."""

from __future__ import annotations

import importlib
import io
import tarfile
from pathlib import Path

import pytest

from watchword.data import diff_rows, manifest_rows, read_manifest, write_manifest
from watchword.data.delivery import FileChanged, TooLarge
from watchword.data.files import manifest_files

KINDS = ("csv", "jsonl", "parquet", "arrow", "npz", "tar")


@pytest.fixture
def delivery(tmp_path: Path, request: pytest.FixtureRequest, write) -> Path:
    """Five rows of two labels, in the format asked for."""
    kind = request.param
    rows = [{"id": f"r{at}", "x": str(at), "label": "ab"[at % 2]} for at in range(5)]
    if kind in ("csv", "jsonl", "parquet"):
        return write(f"d.{kind}", rows)
    path = tmp_path / f"d.{kind}"
    if kind == "tar":
        with tarfile.open(path, "w") as archive:
            for row in rows:
                info = tarfile.TarInfo(f"{row['id']}.label")
                info.size = 1
                archive.addfile(info, io.BytesIO(row["label"].encode()))
        return path
    if kind == "npz":
        numpy = pytest.importorskip("numpy", reason="the extra data")
        numpy.savez(path, **{name: numpy.array([row[name] for row in rows]) for name in rows[0]})
        return path
    pyarrow = pytest.importorskip("pyarrow", reason="the extra data")
    table = pyarrow.Table.from_pylist(rows)
    with pyarrow.ipc.new_file(str(path), table.schema) as writer:
        writer.write_table(table)
    return path


@pytest.mark.parametrize("delivery", KINDS, indirect=True)
def test_rows_over_the_cap_are_refused_and_not_cut_off(delivery: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Five rows where four may be: an error with the limit. Seen to fail with the comparisons removed."""
    assert manifest_rows(delivery, label="label").rows == 5
    for name in ("manifest", "parquet", "arrow", "arrays"):
        monkeypatch.setattr(importlib.import_module(f"watchword.data.{name}"), "DATA_ROWS_MAX", 4)
    with pytest.raises(TooLarge, match=r"(over|the limit is) 4\b"):
        manifest_rows(delivery, label="label")


def test_a_manifest_of_too_many_rows_or_files_is_refused(write, tmp_path, monkeypatch) -> None:
    """What is read back has the limits of what is made."""
    write_manifest(manifest_rows(write("d.csv", [{"x": str(at)} for at in range(5)])), tmp_path / "d.rows")
    monkeypatch.setattr("watchword.data.manifest.DATA_ROWS_MAX", 4)
    with pytest.raises(TooLarge, match="over 4 rows"):
        read_manifest(tmp_path / "d.rows")
    folder = tmp_path / "folder"
    folder.mkdir()
    for name in "abc":
        (folder / name).touch()
    monkeypatch.setattr("watchword.data.files.DATA_FILES_MAX", 2)
    with pytest.raises(TooLarge, match="over 2 files"):
        manifest_files(folder)


@pytest.mark.parametrize("delivery", KINDS, indirect=True)
def test_a_file_that_grows_while_it_is_read_is_refused(delivery: Path) -> None:
    """In every format. Seen to fail where its size and times are not compared."""

    def grow(_name: str, _done: int, _all: int) -> None:
        with delivery.open("ab") as file:
            file.write(b"\n")

    with pytest.raises(FileChanged):
        manifest_rows(delivery, label="label", progress=grow)


@pytest.mark.parametrize("size", [10, 3 * 1024 * 1024])
def test_a_file_of_a_folder_that_changes_while_it_is_read_is_refused(tmp_path, monkeypatch, size) -> None:
    """Small or in chunks, grown or cut: seen to fail where its size and time are not compared."""
    from watchword.data import files

    folder = tmp_path / "d"
    folder.mkdir()
    path = folder / "one"
    real = files._has_credentials
    for change in (b"x" * (size + 1), b"x" * (size - 1), b""):
        path.write_bytes(bytes(size))

        def looked(data: bytes, change: bytes = change) -> bool:
            path.write_bytes(change)
            return real(data)

        monkeypatch.setattr(files, "_has_credentials", looked)
        with pytest.raises(FileChanged, match="changed while it was read"):
            manifest_files(folder)


def test_as_many_labels_and_annotators_as_rows_cost_a_bounded_report(write) -> None:
    """Twenty thousand of each: the difference counts them all and lists a thousand."""
    rows = [{"id": str(at), "label": f"l{at}", "who": f"a{at}"} for at in range(20_000)]
    roles = {"key": "id", "label": "label", "annotator": "who"}
    old = manifest_rows(write("d.csv", rows), **roles)
    new = manifest_rows(write("d.csv", [{**row, "label": f"{row['label']}x"} for row in rows]), **roles)
    found = diff_rows(old, new)
    assert found.counts["changed-label"] == found.annotators == 20_000
    assert (len(found.by_annotator or ()), len(found.changes)) == (1000, 1000)
