"""Receipts in groups: what is decided while the disk is busy becomes durable with one sync, and only then is it told.

* A decision counts in memory when it is made, so that the next one follows from it; its answer waits for the disk.
* Groups are written one after another, each from where the one before it ended. Where one cannot be, it and all that
  was decided since are void: nobody was told, and the gate learns its state from the record again (``lost``).
* Where the record is shared by several processes, ``together`` takes this one's place.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from watchword.errors import WatchwordError
from watchword.ledger.durable import StorageTrouble
from watchword.observe.steps import as_step
from watchword.statements.statement import Signed

if TYPE_CHECKING:
    from watchword.node import Node

T = TypeVar("T")


@dataclass
class Group:
    """Receipts that become durable together: the first is to stand at ``start``. ``trouble``: why they are void."""

    start: int = 0
    values: list[dict[str, Any]] = field(default_factory=list)
    settled: bool = False
    trouble: WatchwordError | None = None


class Recorder:
    """The receipts of a gate that decides alone, on their way to the disk; *turn* is the gate's lock.

    ``lost``: something that was decided is void, and what the gate has in memory is not what its record says.
    """

    def __init__(self, node: Node, turn: threading.RLock) -> None:
        self.node = node
        self._turn = turn
        self._writing = threading.Lock()
        self._open = Group()
        self._staged: Group | None = None
        self.lost = False

    @contextmanager
    def deciding(self) -> Iterator[None]:
        """One turn; what was recorded in it is durable when this is left, and void where it could not be.

        Raises:
            StorageTrouble, Grown: it is void.
        """
        staged = None
        try:
            with self._turn:
                self._staged = None
                try:
                    yield
                finally:
                    staged = self._staged
        finally:
            if staged is not None:
                self._settle(staged)

    def decided(self, work: Callable[[], T]) -> T:
        """What *work* returns, which is one turn. Raises as ``deciding``, and what *work* does."""
        with self.deciding():
            return work()

    def size(self) -> int:
        """How many receipts are durable."""
        return self.node.record_size()

    def receipts(self, start: int = 0) -> list[dict[str, Any]]:
        """Those from *start* on. Raises DamagedHome."""
        return self.node.record_events(start)

    def add(self, value: dict[str, Any], index: int) -> None:
        """Take in a receipt that is to stand at *index*. To be called in the gate's turn."""
        if not self._open.values:
            self._open.start = index
        self._open.values.append(value)
        self._staged = self._open

    def file(self, signed: Signed) -> None:
        """Put what somebody signed into the ledger, before a receipt names it. Errors as ``Node.append_envelope``."""
        self.node.append_envelope(signed.envelope)

    def found(self, id: str) -> Signed:
        """The statement of this id. Raises NotHere."""
        return self.node.locate(id).signed

    @as_step("receipt")
    def _settle(self, group: Group) -> None:
        """Wait until *group* is durable, outside the gate's turn: others decide meanwhile."""
        with self._writing:
            if not group.settled:
                self._write()
        if group.trouble is not None:
            raise group.trouble

    def close(self) -> None:
        """Nothing is open here but the node."""

    def forget(self) -> None:
        """What is not durable is void: the gate begins again from its record. To be called in the gate's turn."""
        self._void(StorageTrouble("what was decided before could not be recorded", "ask again"))
        self.lost = False

    def _write(self) -> None:
        """Write the open group; the only one that is not settled, for they are written in turn."""
        with self._turn:
            group, self._open = self._open, Group()
        group.trouble = StorageTrouble("a receipt was cut short", "nothing of it was answered")
        try:
            self.node.append_record(group.values, group.start)
            group.trouble = None
        except WatchwordError as error:
            group.trouble = error
        finally:
            group.settled = True
            if group.trouble is not None:
                self._void(group.trouble)

    def _void(self, why: WatchwordError) -> None:
        with self._turn:
            later, self._open = self._open, Group()
            later.settled, later.trouble = True, why
            self.lost = True
