"""Inspects files in processes that can read what they inspect, and nothing else but answer (``sandbox``).

* A process is forked, confines itself as well as this machine can, and then opens its first file. It has no network,
  starts nothing, writes to nothing but its answers and the unnamed temporary files that it was born with.
* It is given a few files at a time, so that all processes end at about the same time. Files that are not on this
  machine are read for it, by ranges within their length: it has no network.
* Its answers are JSON and are checked: whoever takes a parser over can lie about the files that this process is given
  from then on, and no more. After CONFINED_FILES_MAX of them another takes its place.
* A process that ends in the middle leaves a verdict on that file, and another takes what it had besides.
* A process cannot ask where it is confined whether a plugin may do more: plugins are confined as well.
"""

from __future__ import annotations

import json
import os
import re
import select
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from io import BufferedReader
from pathlib import Path
from typing import Any

from watchword.errors import WatchwordError
from watchword.inspect import source
from watchword.inspect.facts import FileReport, Finding, Progress, Verdict, shown
from watchword.inspect.far import Far
from watchword.inspect.file import How, Inspected, inspect_file, not_looked_at
from watchword.inspect.hashing import Step
from watchword.inspect.updates import added
from watchword.inspect.walk import FileChanged, Found
from watchword.limits import (
    CONFINED_ANSWER_BYTES_MAX,
    CONFINED_CPU_S_MAX,
    CONFINED_FILES_MAX,
    CONFINED_SPOOLS,
    CONFINED_TENSORS,
    FAR_BLOCK_BYTES,
    FAR_RUN_BLOCKS,
    FLEET_BATCH_BYTES,
    FLEET_BATCH_FILES,
    JOBS_MAX,
    SANDBOX_MEMORY_BYTES_MAX,
    UNPACKED_BYTES_MAX,
    WHOLE_FILE_BYTES_MAX,
)
from watchword.sandbox import Kept, NoSandbox, enclose, forked, prepare, write_all, write_line

_MEMORY = SANDBOX_MEMORY_BYTES_MAX
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass
class _Child:
    """A process: our ends of its two pipes, what of its next answer is there, the numbers of the files it has."""

    pid: int
    asks: int
    answers: int
    part: bytearray = field(default_factory=bytearray)
    has: deque[int] = field(default_factory=deque)
    read: int = 0
    given: int = 0

    def end(self) -> None:
        """Kill it, whatever it does."""
        os.close(self.asks)
        os.close(self.answers)
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)

    def lines(self) -> list[bytes] | None:
        """What it has answered; None at its end, or where it says too much."""
        data = os.read(self.answers, 1 << 20)
        whole = data.rfind(b"\n") + 1
        if not data or len(self.part) + len(data) > CONFINED_ANSWER_BYTES_MAX:
            return None
        if not whole:
            self.part += data
            return []
        lines = bytes(self.part + data[:whole]).split(b"\n")[:-1]
        self.part = bytearray(data[whole:])
        return lines


class Confined:
    """Processes that look at files, are kept by *kept* and may read below *readable*.

    Args:
        how: how to look.
        tell: hears of the progress towards the bytes of all files.
        lasting: a file that changes while it is read is a verdict on it, and one on which a process ends is given to
            another once: for searches that a single file should not stop.
    """

    def __init__(
        self, how: How, readable: Iterable[Path], kept: Kept, tell: Progress | None = None, *, lasting: bool = False
    ) -> None:
        self.how, self.readable, self.kept, self.tell, self.lasting = how, list(readable), kept, tell, lasting
        self.files: Sequence[Found] = ()
        self.waiting: deque[int] = deque()
        self.children: list[_Child] = []
        self.ended: set[int] = set()
        self.done = self.total = 0

    def run(self, files: Sequence[Found], jobs: int = 1) -> Iterator[Inspected]:
        """The reports and findings, in the order of *files*, from *jobs* processes, which then wait for more.

        Raises:
            NoSandbox: this machine cannot confine a process. FileChanged: as ``inspect_file``.
        """
        self.files, self.waiting, self.ended = files, deque(range(len(files))), set()
        self.done, self.total = 0, sum(found.size for found in files)
        finished: dict[int, Inspected] = {}
        try:
            for child in list(self.children):
                self._give(child)
            while len(self.children) < min(jobs, len(files), JOBS_MAX) and self.waiting:
                self._start()
            for number in range(len(files)):
                while number not in finished:
                    finished.update(self._wait())
                yield finished.pop(number)
        finally:
            if self.waiting or any(child.has for child in self.children):
                self.close()  # what they would still answer is of these files

    def close(self) -> None:
        """End the processes."""
        while self.children:
            self.children.pop().end()

    def _start(self) -> None:
        added()  # read now: afterwards this user's folder is out of reach
        prepare(self.kept)
        (asked, asks), (answers, answer) = os.pipe(), os.pipe()
        spools = unnamed(CONFINED_TENSORS if self.how.weights else CONFINED_SPOOLS)
        pid = forked(lambda: self._work(asked, answer, spools))
        for descriptor in (asked, answer, *spools):
            os.close(descriptor)
        child = _Child(pid, asks, answers)
        self.children.append(child)
        self._give(child)

    def _give(self, child: _Child) -> None:
        if child.given >= CONFINED_FILES_MAX and self.waiting:
            child.end()
            self.children.remove(child)
            self._start()
            return
        size = 0
        while self.waiting and len(child.has) < FLEET_BATCH_FILES and size < FLEET_BATCH_BYTES:
            size += self.files[self.waiting[0]].size
            child.has.append(self.waiting.popleft())
        child.given += len(child.has)
        if child.has:
            _send(child.asks, [_told(self.files[number]) for number in child.has])

    def _wait(self) -> Iterator[tuple[int, Inspected]]:
        busy = {child.answers: child for child in self.children if child.has}
        poll = select.poll()
        for descriptor in busy:
            poll.register(descriptor, select.POLLIN)
        for descriptor, _ in poll.poll():
            child = busy[descriptor]
            lines = child.lines()
            for line in lines or ():
                said = _said(line, self.files[child.has[0]]) if child.has else None
                if said is None:
                    lines = None
                elif isinstance(said, tuple):
                    number = child.has.popleft()
                    self._told(child, number, self.files[number].size)
                    child.read = 0
                    yield number, said
                elif "read" in said:
                    self._told(child, child.has[0], said["read"])
                elif not _serve(child.asks, self.files[child.has[0]], said):
                    lines = None
                if lines is None:
                    break
            if lines is None:
                yield from self._ended(child)
            elif not child.has:
                self._give(child)

    def _ended(self, child: _Child) -> Iterator[tuple[int, Inspected]]:
        child.end()
        self.children.remove(child)
        if child.has:
            number = child.has[0]
            if not self.lasting or number in self.ended:
                child.has.popleft()
                yield number, not_looked_at(
                    self.files[number], "inspector-failed", "the inspector's process died on it"
                )
            self.ended.add(number)
        self.waiting.extendleft(reversed(child.has))
        if self.waiting:
            self._start()

    def _told(self, child: _Child, number: int, read: int) -> None:
        """The file *number* was read up to *read*, as its process says."""
        read = max(child.read, min(read, self.files[number].size))
        self.done += read - child.read
        child.read = read
        if self.tell is not None:
            self.tell(shown(self.files[number].path, 4096), self.done, self.total)

    # -- in the process -----------------------------------------------------------------------------

    def _work(self, asked: int, answer: int, spools: list[int]) -> None:
        lock = threading.Lock()

        def say(value: Any) -> None:
            with lock:
                write_line(answer, value)

        source.spare = spools
        try:
            enclose(
                self.kept, self.readable, [asked, answer, *spools], memory_bytes=_MEMORY, cpu_s=CONFINED_CPU_S_MAX,
                file_bytes=UNPACKED_BYTES_MAX,
            )  # fmt: skip
            with os.fdopen(asked, "rb") as orders:
                while order := orders.readline():
                    for told in json.loads(order):
                        report, findings = self._look(_found(told, orders, say), say)
                        say({"report": report.to_json(), "findings": [one.to_json() for one in findings]})
        except WatchwordError as error:
            say({"error": type(error).__name__, "message": error.message, "hint": error.hint})

    def _look(self, found: Found, say: Callable[[Any], None]) -> Inspected:
        step = Step()
        if self.tell is not None and found.size > WHOLE_FILE_BYTES_MAX:
            path = shown(found.path, 4096)
            # Not of a second pass, over its weights: that would count its bytes twice.
            step = Step(lambda label, read, _: say({"read": read}) if label == path else None)
        try:
            return inspect_file(found, self.how, step)
        except FileChanged as error:
            if not self.lasting:
                raise
            return not_looked_at(found, "file-unreadable", error.message)


@dataclass(frozen=True, slots=True)
class _Served:
    """A far file, in a process that has no network: whoever started it reads."""

    promised: str | None
    orders: BufferedReader
    say: Callable[[Any], None]

    def read(self, start: int, length: int) -> bytes:
        # One at a time: ``Streamed`` asks for the next run only when it has the last one.
        self.say({"start": start, "length": length})
        told = json.loads(self.orders.readline() or b"{}")
        if "bytes" not in told:
            raise OSError(told.get("error", "who reads it has ended"))
        return self.orders.read(told["bytes"])


def _told(found: Found) -> list[Any]:
    """A file as it is named to a process."""
    far = None if found.far is None else [found.far.promised]
    return [str(found.place), found.path, found.size, far]


def _found(told: list[Any], orders: BufferedReader, say: Callable[[Any], None]) -> Found:
    place, path, size, far = told
    return Found(Path(place), path, size, far=None if far is None else _Served(far[0], orders, say))


# -- what comes back ------------------------------------------------------------------------------


def _serve(asks: int, found: Found, asked: dict[str, Any]) -> bool:
    """Hand a process the range of its far file that it asks for. False where that is none of the file's."""
    start, length = asked["start"], asked["length"]
    far: Far | None = found.far
    if far is None or start < 0 or not 0 < length <= min(FAR_RUN_BLOCKS * FAR_BLOCK_BYTES, found.size - start):
        return False
    try:
        data = far.read(start, length)
    except OSError as error:
        _send(asks, {"error": error.strerror or str(error)})
    else:
        _send(asks, {"bytes": len(data)}, data)
    return True


def _send(asks: int, value: Any, data: bytes = b"") -> None:
    try:
        write_line(asks, value)
        write_all(asks, data)
    except BrokenPipeError:
        return  # it ended, and its silence is heard when it is asked


def _said(line: bytes, found: Found) -> Inspected | dict[str, int] | None:
    """What a process says of *found*: an answer, how far it read, what it wants read; None where it is none of these.

    Raises:
        WatchwordError: that is the answer.
    """
    try:
        value = json.loads(line)
        if "error" in value:
            raise _raised(value)
        if "report" in value:
            path = shown(found.path, 4096)
            return _report(value["report"], path), [_finding(one, path) for one in value["findings"]]
        numbers = {"read": value["read"]} if "read" in value else {"start": value["start"], "length": value["length"]}
        return numbers if all(type(one) is int for one in numbers.values()) else None
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def _raised(value: dict[str, Any]) -> WatchwordError:
    kinds: dict[str, Callable[[str, str], WatchwordError]] = {"FileChanged": FileChanged, "NoSandbox": NoSandbox}
    return kinds.get(value["error"], WatchwordError)(str(value["message"]), str(value["hint"] or ""))


def _report(value: dict[str, Any], path: str) -> FileReport:
    told = {**value, "verdict": Verdict(value["verdict"]), "notes": tuple(map(str, value["notes"]))}
    told["unread"] = tuple((int(start), int(end)) for start, end in value["unread"])
    report = FileReport(**told)
    if report.path != path or type(report.size) is not int or not isinstance(report.facts, dict):
        raise TypeError
    if report.sha256 is not None and not _SHA256.fullmatch(report.sha256):
        raise TypeError
    return report


def _finding(value: dict[str, Any], path: str) -> Finding:
    finding = Finding(**{**value, "verdict": Verdict(value["verdict"]), "atlas": tuple(map(str, value["atlas"]))})
    if finding.path != path and not finding.path.startswith(f"{path}:"):
        raise TypeError
    return finding


def unnamed(count: int) -> list[int]:
    """Temporary files without a name, for one who may make none (``source.spare``)."""
    folder = os.environ.get("TMPDIR") or "/tmp"  # noqa: S108 - the files have no name there
    try:
        return [os.open(folder, os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, 0o600) for _ in range(count)]
    except (OSError, AttributeError):  # a file system, or a system, that cannot
        import tempfile

        descriptors = []
        for _ in range(count):
            with tempfile.TemporaryFile() as file:
                descriptors.append(os.dup(file.fileno()))
        return descriptors
