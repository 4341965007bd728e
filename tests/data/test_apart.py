"""Others' readers in a process that can read the one open file and answer: taken over, they reach nothing."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from watchword.cli import main
from watchword.data import manifest_rows
from watchword.data.delivery import UnreadableData
from watchword.sandbox import Kept, kept_by

pyarrow = pytest.importorskip("pyarrow", reason="needs pyarrow")
pytest.importorskip("pyarrow.parquet", reason="needs pyarrow")
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="there is no sandbox but on Linux")


@pytest.fixture
def table(tmp_path: Path) -> Any:
    """Ten thousand rows, so that they come in several frames; every column type that rows carry apart."""
    names = range(10_000)
    return pyarrow.table(
        {
            "id": [f"row-{name}" for name in names],
            "x": [name / 7 for name in names],
            "text": ["ünï" * (name % 5) if name % 11 else None for name in names],
            "label": [name % 3 for name in names],
            "who": [f"annotator-{name % 4}" for name in names],
        }
    )


@pytest.fixture
def parquet(table: Any, tmp_path: Path) -> Path:
    """The table as Parquet."""
    pyarrow.parquet.write_table(table, tmp_path / "rows.parquet", row_group_size=3_000)
    return tmp_path / "rows.parquet"


@pytest.mark.parametrize("kept", [kept_by(), Kept.LIMITS])
@pytest.mark.parametrize("form", ["parquet", "arrow", "npz"])
def test_a_confined_reader_gives_the_same_manifest(
    table: Any, parquet: Path, tmp_path: Path, form: str, kept: Kept
) -> None:
    """Of Parquet, Arrow and NPZ, byte for byte."""
    path = parquet if form == "parquet" else tmp_path / f"rows.{form}"
    if form == "arrow":
        with pyarrow.ipc.new_file(path, table.schema) as file:
            file.write_table(table, 3_000)
    elif form == "npz":
        numpy = pytest.importorskip("numpy", reason="needs numpy")
        numpy.savez(path, label=numpy.arange(5_000) % 3, x=numpy.arange(10_000.0).reshape(5_000, 2))
    roles = {"label": "label"} if form == "npz" else {"key": "id", "label": "label", "annotator": "who"}
    assert manifest_rows(path, **roles, kept=kept) == manifest_rows(path, **roles)


@pytest.mark.parametrize(
    "does",
    [
        lambda: Path("/tmp/new").write_text("x"),
        lambda: Path("/etc/hostname").read_text(),
        lambda: socket.create_connection(("127.0.0.1", 9), 1),
        lambda: os.execv("/bin/true", ["true"]),
        lambda: os.kill(os.getppid(), 0),
    ],
    ids=["write", "read-elsewhere", "network", "program", "signal"],
)
@pytest.mark.parametrize("verb", ["manifest", "diff", "screen"])
def test_a_reader_that_was_taken_over_reaches_nothing(
    parquet: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], does: Callable[[], Any],
    verb: str,
) -> None:  # fmt: skip
    """Each is refused in the default run. Seen to fail with ``--sandbox off``."""

    def taken_over(*_: object) -> Any:
        try:
            does()
        except OSError as error:
            raise UnreadableData(f"errno {error.errno}") from error
        raise UnreadableData("done")

    monkeypatch.setattr("watchword.data.parquet.parquet_rows", taken_over)
    asked = [str(parquet)] * (2 if verb == "diff" else 1)
    assert main(["data", verb, *asked, "--label", "label", "--quiet"]) == 2
    assert capsys.readouterr().err.splitlines()[0] in ("watchword: error: errno 1", "watchword: error: errno 13")


@pytest.mark.parametrize("answer", [b"", b"C", b"C" + bytes(8), b"R" + bytes(8), b"X" * 100, b"C" + b"\xff" * 8])
def test_an_answer_that_is_none_is_an_error(parquet: Path, monkeypatch: pytest.MonkeyPatch, answer: bytes) -> None:
    """Nothing is used of a reader that died, or that answers in another form."""

    def lies(*arguments: Any) -> None:
        os.write(arguments[-1], answer)

    monkeypatch.setattr("watchword.data.apart._send_rows", lies)
    with pytest.raises(UnreadableData, match="without an answer"):
        manifest_rows(parquet, kept=Kept.LIMITS)


def test_a_damaged_file_is_refused_in_the_same_words(parquet: Path) -> None:
    """The class of the error, its message and its hint come across."""
    parquet.write_bytes(parquet.read_bytes()[:-20] + b"PAR1")
    told = []
    for kept in (Kept.NOTHING, kept_by()):
        with pytest.raises(UnreadableData) as error:
            manifest_rows(parquet, kept=kept)
        told.append((error.value.message, error.value.hint))
    assert told[0] == told[1]
