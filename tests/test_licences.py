"""What is shipped with the package is listed: whose it is, what was taken, on which terms."""

from __future__ import annotations

import tomllib
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from watchword.cli.licences import FIELDS, shipped

PACKAGE = Path(__file__).resolve().parents[1] / "src" / "watchword"
OURS = ("demo/files/*", "web/console/templates/*", "web/pages/*")
"""The only folders that are listed as one: all in them is written here. Data of others has a row for each file."""


def unlisted(files: list[str], rows: list[str]) -> list[str]:
    return [name for name in files if not any(fnmatchcase(name, row) for row in rows)]


def data_files(package: Path) -> list[str]:
    """Everything that the wheel takes from the package and that is no program."""
    found = (path for path in package.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return sorted(path.relative_to(package).as_posix() for path in found if path.suffix != ".py")


def test_every_data_file_of_the_package_is_listed_and_every_row_is_there() -> None:
    """A file without a row has no source and no licence; a row without a file is a claim about nothing."""
    files, rows = data_files(PACKAGE), [row["path"] for row in shipped()]
    assert unlisted(files, rows) == [], "give each a row in src/watchword/licences.toml: whose is it?"
    assert [row for row in rows if not any(fnmatchcase(name, row) for name in files)] == []
    assert len(rows) == len(set(rows))


def test_a_new_file_is_seen(tmp_path: Path) -> None:
    """The test above finds what it is for: a file that somebody adds without a row."""
    (tmp_path / "inspect").mkdir()
    (tmp_path / "inspect" / "names.csv").write_text("a\n", "utf-8")
    (tmp_path / "inspect" / "names.py").write_text("", "utf-8")
    assert unlisted(data_files(tmp_path), [row["path"] for row in shipped()]) == ["inspect/names.csv"]


def test_only_what_is_written_here_is_listed_by_the_folder() -> None:
    """A star over others' data would let the next file in unasked."""
    assert sorted(row["path"] for row in shipped() if "*" in row["path"]) == sorted(OURS)
    assert {row["source"] for row in shipped() if "*" in row["path"]} == {"written for watchword"}


def test_each_row_says_all() -> None:
    """Five texts and no more, none empty; what was taken from others is said."""
    rows = tomllib.loads((PACKAGE / "licences.toml").read_text("utf-8"))["shipped"]
    for row in rows:
        assert set(row) == set(FIELDS), row
        assert all(isinstance(text, str) and text.strip() for text in row.values()), row
        assert (row["taken"] == "nothing") == (row["source"] == "written for watchword"), row


def test_data_that_came_from_somewhere_names_it() -> None:
    """The rows that matter: what others published, each with where."""
    source = {row["path"]: row["source"] for row in shipped()}
    assert "Copyright 2021-2025 MITRE, Apache-2.0" in source["policy/norms/atlas-5.6.0.toml"]
    assert "TensorFlow 2.21 (Apache-2.0)" in source["inspect/formats/tensorflow_ops.txt"]


def test_the_wheel_takes_the_list_along(tmp_path: Path) -> None:
    """Who has the wheel alone can read whose the data in it is."""
    hatchling = pytest.importorskip("hatchling.builders.wheel", reason="the build group is not installed")
    built = list(hatchling.WheelBuilder(str(PACKAGE.parents[1])).build(directory=str(tmp_path), versions=["standard"]))
    import zipfile

    with zipfile.ZipFile(built[0]) as wheel:
        names = set(wheel.namelist())
        assert wheel.read("watchword/licences.toml") == (PACKAGE / "licences.toml").read_bytes()
    assert {f"watchword/{name}" for name in data_files(PACKAGE)} <= names
