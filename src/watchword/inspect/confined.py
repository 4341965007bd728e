"""Inspects files in processes that can read what they inspect, and nothing else but answer (``sandbox``).

* A process is forked for its share of the files, confines itself, and then opens the first. It has no network, starts
  nothing, writes to nothing but its answers and the unnamed temporary files that it was born with.
* Its answers are JSON and are checked: whoever takes a parser over can lie about the files of its share, and no more.
* A process that ends in the middle leaves a verdict on that file, and another takes the rest of its share.
* A process cannot ask where it is confined whether a plugin may do more: plugins are confined as well.

Forking is quick (no second start of Python) and safe here: the command has one thread, or one more that only draws.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import Any

from watchword.errors import WatchwordError
from watchword.inspect import source
from watchword.inspect.facts import FileReport, Finding, Verdict
from watchword.inspect.file import How, Inspected, inspect_file, not_looked_at
from watchword.inspect.hashing import Step
from watchword.inspect.updates import added
from watchword.inspect.walk import FileChanged, Found
from watchword.limits import (
    CONFINED_ANSWER_BYTES_MAX,
    CONFINED_CPU_S_MAX,
    CONFINED_SPOOLS,
    SANDBOX_MEMORY_BYTES_MAX,
    UNPACKED_BYTES_MAX,
)
from watchword.sandbox import confine


@dataclass
class _Child:
    pid: int
    answers: BufferedReader

    def end(self) -> int:
        """Kill it, whatever it does; how it ended."""
        self.answers.close()
        os.kill(self.pid, signal.SIGKILL)
        return os.waitpid(self.pid, 0)[1]


def inspect_confined(files: Sequence[Found], how: How, readable: Path, jobs: int = 1) -> Iterator[Inspected]:
    """The reports and findings, in the order of *files*, from *jobs* processes that may read below *readable*.

    Raises:
        NoSandbox: this machine cannot confine a process. FileChanged: as ``inspect_file``.
    """
    jobs = max(1, min(jobs, len(files)))
    children: list[_Child | None] = [_start(files[at::jobs], how, readable) for at in range(jobs)]
    try:
        for number, found in enumerate(files):
            at = number % jobs
            child = children[at]
            if child is None:
                # Whoever had this share has ended; here is the rest of it.
                child = children[at] = _start(files[number::jobs], how, readable)
            answer = _read(child.answers)
            if answer is None:
                child.end()
                children[at] = None
                yield not_looked_at(found, "inspector-failed", "the inspector's process died on it")
            else:
                yield answer
    finally:
        for child in children:
            if child is not None:
                child.end()


def _start(files: Sequence[Found], how: How, readable: Path) -> _Child:
    added()  # read now: afterwards this user's folder is out of reach
    reading, writing = os.pipe()
    spools = [_unnamed() for _ in range(CONFINED_SPOOLS)]
    # All that is buffered would be written twice.
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid == 0:
        status = 70
        try:
            os.close(reading)
            _answer(files, how, readable, writing, spools)
            status = 0
        finally:
            os._exit(status)  # whatever was raised: nothing of the parent may run here
    os.close(writing)
    for descriptor in spools:
        os.close(descriptor)
    return _Child(pid, os.fdopen(reading, "rb"))


def _answer(files: Sequence[Found], how: How, readable: Path, writing: int, spools: list[int]) -> None:
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nothing, descriptor)
    _close_all_but({0, 1, 2, writing, *spools})
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    source.spare = spools
    # What a parser needs of Python is imported when it is needed, so Python's own folders can be read.
    libraries = {Path(folder).resolve() for folder in sys.path if folder} | {Path(sys.base_prefix, "lib").resolve()}
    try:
        confine([readable, *libraries], memory_bytes=_MEMORY, cpu_s=CONFINED_CPU_S_MAX, file_bytes=UNPACKED_BYTES_MAX)
        for found in files:
            report, findings = inspect_file(found, how, Step())
            _write(writing, {"report": report.to_json(), "findings": [one.to_json() for one in findings]})
    except WatchwordError as error:
        _write(writing, {"error": type(error).__name__, "message": error.message, "hint": error.hint})


_MEMORY = SANDBOX_MEMORY_BYTES_MAX


def _write(descriptor: int, value: dict[str, Any]) -> None:
    left = memoryview(json.dumps(value).encode() + b"\n")
    while left:
        left = left[os.write(descriptor, left) :]


def _close_all_but(kept: set[int]) -> None:
    for entry in Path("/proc/self/fd").iterdir():
        if int(entry.name) not in kept:
            try:
                os.close(int(entry.name))
            except OSError:
                continue  # the listing's own


def _unnamed() -> int:
    """A temporary file without a name, for one who may make none."""
    folder = os.environ.get("TMPDIR") or "/tmp"  # noqa: S108 - the file has no name there
    try:
        return os.open(folder, os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, 0o600)
    except OSError:  # a file system that cannot
        import tempfile

        with tempfile.TemporaryFile() as file:
            return os.dup(file.fileno())


# -- what comes back ------------------------------------------------------------------------------


def _read(answers: BufferedReader) -> Inspected | None:
    """The next answer; None where there is none, or none that has the form of one.

    Raises:
        WatchwordError: that is the answer.
    """
    line = answers.readline(CONFINED_ANSWER_BYTES_MAX)
    if not line.endswith(b"\n"):
        return None
    try:
        value = json.loads(line)
        if "error" in value:
            raise _raised(value)
        return _report(value["report"]), [_finding(one) for one in value["findings"]]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def _raised(value: dict[str, Any]) -> WatchwordError:
    from watchword.sandbox import NoSandbox

    kinds: dict[str, Callable[[str, str], WatchwordError]] = {"FileChanged": FileChanged, "NoSandbox": NoSandbox}
    return kinds.get(value["error"], WatchwordError)(str(value["message"]), str(value["hint"] or ""))


def _report(value: dict[str, Any]) -> FileReport:
    told = {**value, "verdict": Verdict(value["verdict"]), "notes": tuple(map(str, value["notes"]))}
    told["unread"] = tuple((int(start), int(end)) for start, end in value["unread"])
    report = FileReport(**told)
    if not (isinstance(report.path, str) and isinstance(report.size, int) and isinstance(report.facts, dict)):
        raise TypeError
    return report


def _finding(value: dict[str, Any]) -> Finding:
    return Finding(**{**value, "verdict": Verdict(value["verdict"]), "atlas": tuple(map(str, value["atlas"]))})
