"""Parsers in processes that can do nothing but read and answer: taken over, they reach nothing."""

from __future__ import annotations

import gzip
import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from watchword.inspect import confined, inspect_path
from watchword.inspect.facts import FileReport, Verdict
from watchword.inspect.file import How, Inspected
from watchword.inspect.hashing import Step
from watchword.inspect.walk import Found

SAMPLES = Path(__file__).parent / "samples"
pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="there is no sandbox but on Linux"),
    pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning"),  # the test runner has threads, the command has not
]


@pytest.fixture
def release(tmp_path: Path) -> Path:
    """Three files of one byte each."""
    folder = tmp_path / "release"
    folder.mkdir()
    for name in "abc":
        folder.joinpath(name).write_text(name)
    return folder


Taken = Callable[[Callable[[Found], None]], None]


@pytest.fixture
def taken_over(monkeypatch: pytest.MonkeyPatch) -> Taken:
    """``taken_over(does)``: in the confined process, *does* runs on the file ``b`` in the place of its parser."""
    honest = confined.inspect_file

    def take(does: Callable[[Found], None]) -> None:
        def inspect_file(found: Found, how: How, step: Step) -> Inspected:
            if found.path != "b":
                return honest(found, how, step)
            try:
                does(found)
                words = "done"
            except OSError as error:
                words = f"errno {error.errno}"
            return FileReport(found.path, 1, "0" * 64, "unknown", Verdict.SUSPICIOUS, words), []

        monkeypatch.setattr(confined, "inspect_file", inspect_file)

    return take


@pytest.mark.parametrize("jobs", [1, 2])
def test_confined_processes_find_the_same(jobs: int) -> None:
    """The inspection is the same value, whoever looked."""
    assert inspect_path(SAMPLES, sandbox=True, jobs=jobs).to_json() == inspect_path(SAMPLES).to_json()


@pytest.mark.parametrize(
    "does",
    [
        lambda found: found.place.with_name("new").write_text("x"),
        lambda found: found.place.unlink(),
        lambda found: Path("/etc/hostname").read_text(),
        lambda found: socket.create_connection(("127.0.0.1", 9), 1),
        lambda found: os.execv("/bin/true", ["true"]),
        lambda found: os.kill(os.getppid(), 0),
        lambda found: os.open("/tmp", os.O_TMPFILE | os.O_RDWR),
    ],
    ids=["write", "remove", "read-elsewhere", "network", "program", "signal", "temporary"],
)
def test_a_parser_that_was_taken_over_reaches_nothing(
    release: Path, taken_over: Taken, does: Callable[[Found], None]
) -> None:
    """Each is refused, and the other files have their verdicts. Seen to fail without ``confine``."""
    taken_over(does)
    inspection = inspect_path(release, sandbox=True)
    assert inspection.files[1].looked in ("errno 1", "errno 13")
    assert [report.path for report in inspection.files] == ["a", "b", "c"]
    assert sorted(path.name for path in release.iterdir()) == ["a", "b", "c"]


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_process_that_dies_leaves_a_verdict_on_that_file(release: Path, taken_over: Taken, jobs: int) -> None:
    """It alone is unreadable; another process takes the rest."""
    taken_over(lambda found: os._exit(9))
    inspection = inspect_path(release, sandbox=True, jobs=jobs)
    assert [str(report.verdict) for report in inspection.files] == ["nothing-found", "unreadable", "nothing-found"]
    assert inspection.findings[0].rule == "inspector-failed"


@pytest.mark.parametrize(
    "answer",
    [
        b"\n", b"{}\n", b"[]\n", b"null\n", b"\x80\x04.\n", b"[" * 50_000 + b"\n", b'{"re',
        b'{"report": {}, "findings": []}\n',
    ],
    ids=["empty", "nothing", "list", "null", "pickle", "deep", "cut-off", "no-report"],
)  # fmt: skip
def test_an_answer_that_is_none_is_not_believed(release: Path, monkeypatch: pytest.MonkeyPatch, answer: bytes) -> None:
    """What does not have the form of an answer is as good as none, and is never unpickled."""

    def write(descriptor: int, _: object) -> None:
        os.write(descriptor, answer[:60_000])
        os._exit(0)

    monkeypatch.setattr(confined, "_write", write)
    assert {str(report.verdict) for report in inspect_path(release, sandbox=True).files} == {"unreadable"}


def test_what_is_unpacked_goes_to_files_that_were_there_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Above what is held in memory, too; one after the other uses the same few."""
    monkeypatch.setattr("watchword.inspect.source.UNPACKED_MEMORY_BYTES", 10)
    folder = tmp_path / "packed"
    folder.mkdir()
    for number in range(12):
        folder.joinpath(f"{number:02}.pkl.gz").write_bytes(
            gzip.compress(b"\x80\x04cposix\nsystem\n(X\2\0\0\0idtR.", mtime=0)
        )
    inspection = inspect_path(folder, sandbox=True)
    assert {str(report.verdict) for report in inspection.files} == {"dangerous"}
    assert inspection.to_json() == inspect_path(folder).to_json()
