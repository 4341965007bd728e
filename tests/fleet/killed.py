"""A crew whose processes are killed while they have work in hand."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Any

from watchword.fleet.crew import Batch, Processes, Work
from watchword.fleet.looking import Piece


class Killed(Processes):
    """Two processes; the one that was just given a piece for which *of* is true gets SIGKILL, *times* times."""

    def __init__(self, how: Any, work: Work, times: int, of: Callable[[Piece], bool] = lambda piece: True) -> None:
        super().__init__(2, how, work)
        self.times, self.of = times, of

    def give(self, batch: Batch) -> None:
        super().give(batch)
        if self.times and any(map(self.of, batch)):
            self.times -= 1
            worker = next(one for one in self._workers if one.batch is batch)
            os.kill(worker.process.pid or 0, signal.SIGKILL)
            worker.process.join()
