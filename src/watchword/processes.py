"""Work that is shared between processes; what comes out is the same as from one, in the same order.

* Processes are spawned, never forked: a fork would copy threads' locks. Ctrl-C does not reach them but the command that
  started them; they end with it, whichever way it ends.
* One piece of work starts no process: starting two costs some 0.3 CPU-s.
"""

from __future__ import annotations

import signal
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing import connection, get_context, resource_tracker
from multiprocessing.context import SpawnProcess
from typing import Any, Self, TypeVar

from watchword.errors import WatchwordError

Piece = TypeVar("Piece")
Made = TypeVar("Made")


class Died(WatchwordError):
    """A process of ours that ended in the middle of its work: killed, out of memory, or a fault of ours."""


@dataclass
class Worker:
    """A process and our end of its pipe."""

    process: SpawnProcess
    pipe: connection.Connection

    @classmethod
    def start(cls, work: Callable[..., None], *arguments: Any) -> Self:
        """Run ``work(pipe, *arguments)`` in a process; *work* returns when its pipe has no other end any more."""
        context = get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=work, args=(theirs, *arguments), daemon=True)
        # Blocked in the child from its first instruction: Ctrl-C must not catch it while it loads. The standard library
        # starts a tracker with the first child and unblocks the signal after it, so the tracker is started before.
        if hasattr(signal, "pthread_sigmask"):  # on Windows there is neither mask nor tracker
            resource_tracker.ensure_running()
            before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
            try:
                process.start()
            finally:
                signal.pthread_sigmask(signal.SIG_SETMASK, before)
        else:
            process.start()
        theirs.close()
        return cls(process, ours)

    def end(self) -> None:
        """Kill it, whatever it does."""
        self.process.kill()
        self.process.join()
        self.pipe.close()


def shared(work: Callable[[Piece], Made], pieces: Sequence[Piece], count: int = 2) -> Iterator[Made]:
    """What *work* makes of each of *pieces*, in order, by *count* processes.

    Raises:
        Died: a process of ours ended. And what *work* raises: a WatchwordError, for the first piece in order.
    """
    if len(pieces) < 2:
        yield from map(work, pieces)
        return
    workers: list[Worker] = []
    finished: dict[int, Any] = {}
    busy: dict[Any, int] = {}
    waiting = deque(range(len(pieces)))
    try:
        while len(workers) < min(count, len(pieces)):
            workers.append(Worker.start(_work, work))
            _give(workers[-1].pipe, pieces, waiting, busy)
        for number in range(len(pieces)):
            while number not in finished:
                for pipe in connection.wait(list(busy)):
                    finished[busy.pop(pipe)] = _taken(pipe)
                    _give(pipe, pieces, waiting, busy)
            made = finished.pop(number)
            if isinstance(made, WatchwordError):
                raise made
            yield made
    finally:
        for worker in workers:
            worker.end()


def _give(pipe: Any, pieces: Sequence[Any], waiting: deque[int], busy: dict[Any, int]) -> None:
    if waiting:
        busy[pipe] = waiting.popleft()
        try:
            pipe.send(pieces[busy[pipe]])
        except OSError:
            return  # it ended, and its silence is heard when it is asked


def _taken(pipe: Any) -> Any:
    try:
        return pipe.recv()
    except (EOFError, OSError) as error:
        raise Died("a process of watchword ended in the middle of its work", "try again; was memory short?") from error


def _work(pipe: connection.Connection, work: Callable[[Any], Any]) -> None:
    try:
        while True:
            piece = pipe.recv()
            try:
                made = work(piece)
            except WatchwordError as error:
                made = error  # the one who asked raises it
            pipe.send(made)
    except (EOFError, OSError):
        return  # nobody asks any more
