"""Reports read in a process that can do nothing but read and answer: a reader taken over reaches nothing."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from watchword.cli import main
from watchword.errors import WatchwordError
from watchword.evaluate import imports
from watchword.evaluate.imports import BadReport, read_report, read_report_confined
from watchword.sandbox import Kept, NoSandbox, keeping

KEPT = keeping("require") if sys.platform == "linux" else Kept.LIMITS

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="there is no sandbox but on Linux"),
]


def test_a_confined_reader_says_the_same(reports: Path) -> None:
    """The report is the same value, of lines and of a document with claims."""
    for name in ("garak/test_with_ci.report.jsonl", "cyclonedx_mlbom/valid-machine-learning-1.6.json"):
        assert read_report_confined(reports / name, KEPT) == read_report(reports / name)


@pytest.mark.parametrize(
    "does",
    [
        lambda path: path.with_name("new").write_text("x"),
        lambda path: path.with_name("other").read_text(),
        lambda path: socket.create_connection(("127.0.0.1", 9), 1),
        lambda path: os.execv("/bin/true", ["true"]),
        lambda path: os.kill(os.getppid(), 0),
    ],
    ids=["write", "read-elsewhere", "network", "program", "signal"],
)
def test_a_reader_that_was_taken_over_reaches_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], does: Callable[[Path], Any]
) -> None:
    """Each is refused by the kernel in the default run. Seen to fail with ``--sandbox off``."""

    def taken_over(path: Path) -> Any:
        try:
            does(path)
        except OSError as error:
            raise WatchwordError(f"errno {error.errno}") from error
        raise WatchwordError("done")

    tmp_path.joinpath("other").write_text("secret")
    path = tmp_path / "report.json"
    path.write_text("{}")
    monkeypatch.setattr(imports, "read_report", taken_over)
    assert main(["evaluate", "import", str(path)]) == 2
    assert capsys.readouterr().err.splitlines()[0].endswith(("errno 1", "errno 13"))
    assert sorted(one.name for one in tmp_path.iterdir()) == ["other", "report.json"]


def test_a_reader_that_dies_or_lies_gives_no_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No answer is NoSandbox, an answer of another form BadReport; neither is a report that says nothing."""
    path = tmp_path / "report.json"
    path.write_text("{}")
    monkeypatch.setattr(imports, "read_report", lambda _: os._exit(0))
    with pytest.raises(NoSandbox, match="without an answer"):
        read_report_confined(path, KEPT)
    monkeypatch.setattr(imports, "read_report", read_report)
    monkeypatch.setattr(imports, "asdict", lambda _: {"format": 3})
    path.write_text('{"id": "GHSA-1", "affected": []}')
    with pytest.raises(BadReport, match="no report"):
        read_report_confined(path, KEPT)


def test_what_is_no_report_is_refused_in_the_same_words(tmp_path: Path) -> None:
    """The message and the hint come across."""
    path = tmp_path / "report.json"
    path.write_text("{}")
    with pytest.raises(WatchwordError, match="no report that is known") as told:
        read_report_confined(path, KEPT)
    assert told.value.hint.startswith("read are garak")
