"""Who looks: processes of this machine. A crew takes batches of pieces and gives back what was made of them: by
``look``, or by other work on whole releases, such as ``evaluating.tried``.

Processes are started and end as ``processes`` says. One that ends in the middle of a batch is replaced, and its batch
is given back as ``None``: what to do about it is for whoever gave it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing import connection
from typing import Any, Protocol

from watchword.errors import WatchwordError
from watchword.fleet.looking import Piece, dismiss, look
from watchword.processes import Worker

Batch = Sequence[Piece]
Work = Callable[[Batch, Any], list[Any]]
"""What is done with a batch, and how: a function of a module, so that it can be named to another process."""


class Crew(Protocol):
    """Where batches are looked at; ``size``: how many at the same time."""

    size: int

    def give(self, batch: Batch) -> None:
        """Have *batch* looked at; at most ``size`` are out at once."""

    def taken(self) -> tuple[Batch, list[Any] | None]:
        """Some batch that is out, and what was made of it: None where who looked at it ended.

        Raises:
            WatchwordError: from the work.
        """

    def close(self) -> None:
        """End all who look."""


@dataclass
class _Looker(Worker):
    batch: Batch = ()


class Processes:
    """*size* processes of this machine; with one, this process itself looks."""

    def __init__(self, size: int, how: Any, work: Work = look) -> None:
        self.size = size
        self._how, self._work = how, work
        self._workers: list[_Looker] = []
        self._own: deque[Batch] = deque()

    def give(self, batch: Batch) -> None:
        if self.size == 1:
            self._own.append(batch)
            return
        idle = next((one for one in self._workers if not one.batch), None)
        if idle is None:
            idle = _Looker.start(_works, self._how, self._work)
            self._workers.append(idle)
        idle.batch = batch
        try:
            idle.pipe.send(batch)
        except OSError:
            return  # it ended, and its silence is heard when it is asked

    def taken(self) -> tuple[Batch, list[Any] | None]:
        if self._own:
            own = self._own.popleft()
            return own, self._work(own, self._how)
        busy = {one.pipe: one for one in self._workers if one.batch}
        ready = connection.wait(list(busy))[0]
        worker = busy[ready]  # type: ignore[index]  # only pipes were waited for
        batch, worker.batch = worker.batch, ()
        try:
            made = worker.pipe.recv()
        except (EOFError, OSError):
            worker.end()
            self._workers.remove(worker)
            return batch, None
        if isinstance(made, WatchwordError):
            raise made
        return batch, made

    def close(self) -> None:
        for worker in self._workers:
            worker.end()
        dismiss()


def _works(pipe: connection.Connection, how: Any, work: Work) -> None:
    try:
        while True:
            batch = pipe.recv()
            try:
                made: list[Any] | WatchwordError = work(batch, how)
            except WatchwordError as error:
                made = error  # the one who asked raises it
            pipe.send(made)
    except (EOFError, BrokenPipeError):
        return  # nobody asks any more
