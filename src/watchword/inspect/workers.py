"""Inspects many files in several processes; what comes out is the same as from one, in the same order.

* Processes are started and end as ``processes`` says.
* A process that dies on a file (out of memory, a crash below Python) leaves a verdict on that file and is replaced.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from multiprocessing import connection
from typing import Any

from watchword.errors import WatchwordError
from watchword.inspect.facts import Progress, shown
from watchword.inspect.file import How, Inspected, inspect_file, not_looked_at
from watchword.inspect.hashing import Step
from watchword.inspect.walk import Found
from watchword.processes import Worker


@dataclass
class _Worker(Worker):
    index: int | None = None
    read: int = 0


class Pool:
    """Processes that take one of *files* at a time; *tell* hears of their progress towards *total* bytes."""

    def __init__(self, files: Sequence[Found], how: How, tell: Progress | None, total: int) -> None:
        self.files = files
        self.how = how
        self.tell = tell
        self.total = total
        self.done = 0
        self.waiting = deque(range(len(files)))
        self.workers: list[_Worker] = []

    def run(self, jobs: int) -> Iterator[Inspected]:
        """The reports and findings in the order of the files.

        Raises:
            FileChanged: as ``inspect_file``.
        """
        finished: dict[int, Inspected] = {}
        try:
            for _ in range(jobs):
                self._start()
            for index in range(len(self.files)):
                while index not in finished:
                    for number, inspected in self._wait():
                        finished[number] = inspected
                yield finished.pop(index)
        finally:
            for worker in self.workers:
                worker.end()

    def _start(self) -> None:
        worker = _Worker.start(_work, self.how, self.tell is not None)
        self.workers.append(worker)
        self._give(worker)

    def _give(self, worker: _Worker) -> None:
        worker.index, worker.read = (self.waiting.popleft() if self.waiting else None), 0
        if worker.index is not None:
            worker.pipe.send(self.files[worker.index])

    def _wait(self) -> Iterator[tuple[int, Inspected]]:
        busy = {worker.pipe: worker for worker in self.workers if worker.index is not None}
        for pipe in connection.wait(list(busy)):
            worker = busy[pipe]  # type: ignore[index]  # only pipes were waited for
            if worker.index is None:
                continue
            found = self.files[worker.index]
            try:
                message = worker.pipe.recv()
            except (EOFError, OSError):
                yield worker.index, not_looked_at(found, "inspector-failed", "the inspector's process died on it")
                self._replace(worker)
                continue
            if isinstance(message, Exception):
                raise message
            if isinstance(message, int):
                self._told(found.path, message - worker.read)
                worker.read = message
                continue
            self._told(found.path, found.size - worker.read)
            yield worker.index, message
            self._give(worker)

    def _replace(self, worker: _Worker) -> None:
        worker.end()
        self.workers.remove(worker)
        if self.waiting:
            self._start()

    def _told(self, path: str, more: int) -> None:
        self.done += more
        if self.tell is not None:
            self.tell(path, self.done, self.total)


def _work(pipe: connection.Connection, how: How, tells: bool) -> None:
    try:
        while True:
            found = pipe.recv()
            step = Step(_teller(pipe, found)) if tells else Step()
            try:
                answer: Any = inspect_file(found, how, step)
            except WatchwordError as error:
                answer = error  # the one who asked raises it
            pipe.send(answer)
    except (EOFError, BrokenPipeError):
        return  # nobody asks any more


def _teller(pipe: connection.Connection, found: Found) -> Progress:
    path = shown(found.path, 4096)

    def tell(label: str, read: int, _total: int) -> None:
        if label == path:  # not of a second pass, over its weights: that would count its bytes twice
            pipe.send(read)

    return tell
