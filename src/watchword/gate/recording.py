"""Receipts in groups: what is decided while the disk is busy becomes durable with one sync, and only then is it told.

* A decision counts in memory when it is made, so that the next one follows from it; its answer waits for the disk.
* Groups are written one after another, each from where the one before it ended. Where one cannot be, it and all that
  was decided since are void: nobody was told, and the gate learns its state from the record again (``lost``).
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from watchword.errors import WatchwordError
from watchword.ledger.durable import StorageTrouble
from watchword.observe.steps import as_step

if TYPE_CHECKING:
    from watchword.node import Node


@dataclass
class Group:
    """Receipts that become durable together: the first is to stand at ``start``. ``trouble``: why they are void."""

    start: int = 0
    values: list[dict[str, Any]] = field(default_factory=list)
    settled: bool = False
    trouble: WatchwordError | None = None


class Recorder:
    """The receipts of one gate on their way to the disk; *turn* is the gate's lock.

    ``lost``: something that was decided is void, and what the gate has in memory is not what its record says.
    """

    def __init__(self, node: Node, turn: threading.RLock) -> None:
        self.node = node
        self._turn = turn
        self._writing = threading.Lock()
        self._open = Group()
        self.lost = False

    def add(self, value: dict[str, Any], index: int) -> Group:
        """Take in a receipt that is to stand at *index*; the group to settle. To be called in the gate's turn."""
        if not self._open.values:
            self._open.start = index
        self._open.values.append(value)
        return self._open

    @as_step("receipt")
    def settle(self, group: Group) -> None:
        """Wait until *group* is durable. Never to be called in the gate's turn: others decide meanwhile.

        Raises:
            StorageTrouble, Grown: it is void.
        """
        with self._writing:
            if not group.settled:
                self._write()
        if group.trouble is not None:
            raise group.trouble

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
