"""Parsers in processes that can do nothing but read and answer: taken over, they reach nothing."""

from __future__ import annotations

import gzip
import json
import mmap
import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from watchword.cli import main
from watchword.inspect import confined, inspect_path
from watchword.inspect.facts import FileReport, Verdict
from watchword.inspect.file import How, Inspected
from watchword.inspect.hashing import Step
from watchword.inspect.walk import Found
from watchword.sandbox import Kept, keeping

SAMPLES = Path(__file__).parent / "samples"
KEPT = keeping("require") if sys.platform == "linux" else Kept.LIMITS
pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="there is no sandbox but on Linux"),
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


@pytest.mark.parametrize(("jobs", "kept"), [(1, KEPT), (2, KEPT), (1, Kept.LIMITS)])
def test_confined_processes_find_the_same(jobs: int, kept: Kept) -> None:
    """The inspection is the same value, whoever looked."""
    assert inspect_path(SAMPLES, kept=kept, jobs=jobs).to_json() == inspect_path(SAMPLES).to_json()


NOTHING_REACHED = pytest.mark.parametrize(
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


@NOTHING_REACHED
def test_a_parser_that_was_taken_over_reaches_nothing(
    release: Path, taken_over: Taken, does: Callable[[Found], None], capsys: pytest.CaptureFixture[str]
) -> None:
    """Each is refused by default, and the other files have their verdicts. Seen to fail with ``--sandbox off``."""
    taken_over(does)
    assert main(["inspect", str(release), "--format", "json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["files"][1]["looked"] in ("errno 1", "errno 13")
    assert [report["path"] for report in told["files"]] == ["a", "b", "c"]
    assert sorted(path.name for path in release.iterdir()) == ["a", "b", "c"]


def test_a_parser_that_allocates_without_end_stops_nothing(
    release: Path, taken_over: Taken, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Past the limit its file is unreadable, and the rest are judged. Seen to fail without ``limit``."""
    monkeypatch.setattr(confined, "_MEMORY", 64 * 1024**3)
    blocks: list[mmap.mmap] = []

    def allocate(_: Found) -> None:
        try:
            for _ in range(1_000):
                blocks.append(mmap.mmap(-1, 1024**3))  # never touched: costs addresses, no memory
        except OSError as error:
            raise MemoryError from error

    taken_over(allocate)
    for kept in (KEPT, Kept.LIMITS):
        inspection = inspect_path(release, kept=kept)
        assert [str(report.verdict) for report in inspection.files] == ["nothing-found", "unreadable", "nothing-found"]


def test_a_machine_without_a_sandbox_says_so(
    release: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """By default limits alone keep the parsers, and a note says it; where a sandbox is required, nothing does."""
    monkeypatch.setattr("watchword.sandbox.kept_by", lambda: Kept.LIMITS)
    assert main(["inspect", str(release / "a")]) == 0
    assert capsys.readouterr().err == "watchword: note: no sandbox on this machine: parsers are kept by limits alone\n"
    assert main(["inspect", str(release / "a"), "--sandbox", "require"]) == 2
    told = capsys.readouterr()
    assert told.out == "" and told.err.startswith("watchword: error: no sandbox on ")


def test_who_speaks_for_another_file_is_not_believed(release: Path, taken_over: Taken) -> None:
    """A process lies about the file that it was given, or is not heard. Seen to fail without comparing the paths."""
    honest = confined.FileReport.to_json

    def lie(report: FileReport) -> dict[str, object]:
        return honest(report) | {"path": "a"}

    taken_over(lambda _: setattr(confined.FileReport, "to_json", lie))
    inspection = inspect_path(release, kept=KEPT)
    assert [str(report.verdict) for report in inspection.files] == ["nothing-found", "unreadable", "nothing-found"]


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_process_that_dies_leaves_a_verdict_on_that_file(release: Path, taken_over: Taken, jobs: int) -> None:
    """It alone is unreadable; another process takes the rest."""
    taken_over(lambda found: os._exit(9))
    inspection = inspect_path(release, kept=KEPT, jobs=jobs)
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

    honest = confined.write_line

    def write(descriptor: int, value: object) -> None:
        if isinstance(value, list):
            return honest(descriptor, value)  # what it is asked
        os.write(descriptor, answer[:60_000])
        os._exit(0)

    monkeypatch.setattr(confined, "write_line", write)
    assert {str(report.verdict) for report in inspect_path(release, kept=KEPT).files} == {"unreadable"}


def test_what_is_unpacked_goes_to_files_that_were_there_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Above what is held in memory, too; one after the other uses the same few."""
    monkeypatch.setattr("watchword.inspect.source.UNPACKED_MEMORY_BYTES", 10)
    folder = tmp_path / "packed"
    folder.mkdir()
    for number in range(12):
        folder.joinpath(f"{number:02}.pkl.gz").write_bytes(
            gzip.compress(b"\x80\x04cposix\nsystem\n(X\2\0\0\0idtR.", mtime=0)
        )
    inspection = inspect_path(folder, kept=KEPT)
    assert {str(report.verdict) for report in inspection.files} == {"dangerous"}
    assert inspection.to_json() == inspect_path(folder).to_json()
