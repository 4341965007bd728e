"""Gives work to a crew, and loses nothing with those who die.

* A batch whose process ended is given out again: its pieces one by one, those of many files file by file where the
  work can be split.
* A piece on which two died alone is given to nobody any more: it has what ``lost`` says of it, and stops nothing else.
* Small pieces travel together.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from watchword.fleet.crew import Batch, Crew
from watchword.fleet.looking import Piece
from watchword.limits import FLEET_BATCH_BYTES, FLEET_BATCH_FILES

_DEATHS_MAX = 2


class Shift:
    """A crew at work: *done* takes what was made of each piece; *split*: the files of a piece may go to many."""

    def __init__(
        self, crew: Crew, done: Callable[[object], None], lost: Callable[[Piece], object], *, split: bool = False
    ) -> None:
        self._crew, self._done, self._lost, self._split = crew, done, lost, split
        self._again: deque[Batch] = deque()
        self._deaths: dict[tuple[int, int | None], int] = {}
        self._out = 0
        self._gathered: list[Piece] = []

    def add(self, piece: Piece) -> None:
        """Have *piece* worked on, together with others where it is small."""
        self._gathered.append(piece)
        files = sum(len(one.listing.files) for one in self._gathered)
        if files >= FLEET_BATCH_FILES or sum(one.size for one in self._gathered) >= FLEET_BATCH_BYTES:
            self._flush()

    def give(self, batch: Batch) -> None:
        """Give *batch* to the crew, as soon as somebody is free."""
        while self._out >= self._crew.size:
            self._take()
        self._crew.give(batch)
        self._out += 1

    def finish(self) -> None:
        """Wait for all that is out."""
        self._flush()
        while self._out or self._again:
            if self._again:
                self.give(self._again.popleft())
            else:
                self._take()

    def _flush(self) -> None:
        if self._gathered:
            self.give(self._gathered)
            self._gathered = []

    def _take(self) -> None:
        batch, made = self._crew.taken()
        self._out -= 1
        if made is None:
            self._died(batch)
            return
        for one in made:
            self._done(one)

    def _died(self, batch: Batch) -> None:
        if len(batch) > 1:
            self._again.extend([piece] for piece in batch)
            return
        piece = batch[0]
        if self._split and len(piece.listing.files) > 1:
            self._again.extend([piece.only(file)] for file in range(len(piece.listing.files)))
            return
        at = piece.number, piece.file
        self._deaths[at] = self._deaths.get(at, 0) + 1
        if self._deaths[at] < _DEATHS_MAX:
            self._again.append(batch)
        else:
            self._done(self._lost(piece))
