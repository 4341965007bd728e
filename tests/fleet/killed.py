"""A crew whose processes are killed while they have work in hand."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Any

from watchword.fleet.crew import Batch, Processes, Work
from watchword.fleet.looking import Piece


class Killed(Processes):
    """Two processes; one that is being given a piece for which *of* is true gets SIGKILL, *times* times."""

    def __init__(self, how: Any, work: Work, times: int, of: Callable[[Piece], bool] = lambda piece: True) -> None:
        super().__init__(2, how, work)
        self.times, self.of = times, of

    def give(self, batch: Batch) -> None:
        dies = bool(self.times) and any(map(self.of, batch))
        # Stopped first: one that is idle would have answered before the signal came.
        stopped = [one.process.pid or 0 for one in self._workers if not one.batch] if dies else []
        for pid in stopped:
            os.kill(pid, signal.SIGSTOP)
        super().give(batch)
        if dies:
            self.times -= 1
            worker = next(one for one in self._workers if one.batch is batch)
            os.kill(worker.process.pid or 0, signal.SIGKILL)
            stopped = [pid for pid in stopped if pid != worker.process.pid]
            worker.process.join()
        for pid in stopped:
            os.kill(pid, signal.SIGCONT)
