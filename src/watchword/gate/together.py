"""The receipts of a gate for which several processes decide: a batch of decisions is one turn at the shared record.

Takes the place of ``recording.Recorder`` where ``node.sharing`` says that the record is shared.

* Before the first decision of a batch the turn is taken and everything that other processes recorded is read; then
  every thread of this process that waits decides in it; the last one, or the SHARED_BATCH_MAX-th, commits. No answer is
  given before that. So a quota, an approval, a hold are the same for all, and a commit serves all who wait.
* What could not be committed is void: nobody was told, and the gate learns its state from the record again (``lost``).
* What people signed goes to the database with the receipt that names it, and from there into the ledger, by its writer.
  A stop that another process met counts here before the next decision.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from watchword.charter.standing import standing
from watchword.errors import WatchwordError
from watchword.ledger.durable import StorageTrouble
from watchword.limits import SHARED_BATCH_MAX
from watchword.node.recorded import NotHere
from watchword.node.store import LOOSE_KINDS
from watchword.observe.steps import as_step
from watchword.statements.statement import Signed, open_envelope

if TYPE_CHECKING:
    from watchword.node import Node
    from watchword.node.sharing import SharedRecord


@dataclass
class Batch:
    """What is decided in one turn, after ``size`` receipts. ``trouble``: why it is void."""

    size: int
    values: list[dict[str, Any]] = field(default_factory=list)
    signed: dict[str, Signed] = field(default_factory=dict)
    done: threading.Event = field(default_factory=threading.Event)
    trouble: WatchwordError | None = None


class Together:
    """The receipts of one process of a gate on their way to the shared record; *turn* is this process's lock."""

    def __init__(self, node: Node, turn: threading.RLock, record: SharedRecord) -> None:
        self.node = node
        self._turn = turn
        self._record = record
        self._counting = threading.Lock()
        self._coming = 0
        self._batch: Batch | None = None
        self.lost = False

    def close(self) -> None:
        """Let go of the database."""
        with self._turn:
            self._record.close()

    @contextmanager
    def deciding(self) -> Iterator[None]:
        """One decision; what was recorded in it is durable when this is left, and void where it could not be.

        Raises:
            StorageTrouble, PutBack, NotShared: it is void, or nothing could be decided.
        """
        batch, before = None, 0
        self._count(1)
        try:
            with self._turn:
                self._count(-1)
                try:
                    if self._batch is None:
                        self._batch = Batch(self._record.begin())
                    batch, before = self._batch, len(self._batch.values)
                    yield
                finally:
                    waits = batch is not None and len(batch.values) > before
                    if self._batch is not None and (self.lost or not self._others_come(self._batch)):
                        self._end(self._batch)
        finally:
            if batch is not None and waits:
                self._settle(batch)

    def size(self) -> int:
        """How many receipts there are, with those of this turn."""
        return self._record.look() if self._batch is None else self._batch.size + len(self._batch.values)

    def receipts(self, start: int = 0) -> list[dict[str, Any]]:
        """The durable ones from *start* on.

        Raises:
            PutBack: they are not what was recorded. StorageTrouble: the database, or a stop could not be taken in.
        """
        stop = self._record.look() if self._batch is None else self._batch.size
        if start < self._record.size:
            self._record.start_over()
        values = self._record.receipts(stop)
        for value in values:
            for id in value["approvals"] if value["event"] == "stopped" else ():
                envelope = self._record.handed(id)
                if envelope is not None:
                    self.node.take_loose(envelope)
        return values

    def add(self, value: dict[str, Any], index: int) -> None:
        """Take in a receipt that is to stand at *index*. To be called in a turn."""
        batch = self._deciding_in()
        if index != batch.size + len(batch.values):
            raise StorageTrouble(f"receipt {index}: follows from another record than is there", "ask again")
        batch.values.append(value)

    def file(self, signed: Signed) -> None:
        """Hand in what somebody signed, with the receipt that names it. Raises NoStanding, StorageTrouble."""
        standing(self.node.charter, signed)
        if signed.statement.kind in LOOSE_KINDS:
            self.node.take_loose(signed.envelope)
        self._deciding_in().signed[signed.statement.id] = signed

    def found(self, id: str) -> Signed:
        """The statement of this id, from the ledgers held here or handed in. Raises NotHere."""
        if self._batch is not None and id in self._batch.signed:
            return self._batch.signed[id]
        envelope = self._record.handed(id)
        if envelope is None:
            return self.node.locate(id).signed
        signed = open_envelope(envelope)
        if signed.statement.id != id:
            raise NotHere(f"{id}: another statement stands in its place in the shared record")
        return signed

    def forget(self) -> None:
        """What is not durable is void: the gate begins again from the record."""
        self.lost = False

    # -- inside -----------------------------------------------------------------------------------

    def _count(self, more: int) -> None:
        with self._counting:
            self._coming += more

    @as_step("receipt")
    def _settle(self, batch: Batch) -> None:
        """Wait until *batch* is durable, outside the turn."""
        batch.done.wait()
        if batch.trouble is not None:
            raise batch.trouble

    def _others_come(self, batch: Batch) -> bool:
        """Whether another thread waits to decide in this turn: it will end it, if nobody after it does."""
        return self._coming > 0 and len(batch.values) < SHARED_BATCH_MAX

    def _deciding_in(self) -> Batch:
        if self._batch is None:
            raise StorageTrouble("a receipt was made outside a turn", "nothing of it was answered")
        return self._batch

    def _end(self, batch: Batch) -> None:
        """End the turn, in which *batch* becomes durable or void."""
        self._batch = None
        batch.trouble = StorageTrouble("a receipt was cut short", "nothing of it was answered")
        try:
            if self.lost:
                raise StorageTrouble("what was decided before could not be recorded", "ask again")
            if batch.values:
                self._record.commit(batch.values, [(id, one.envelope) for id, one in batch.signed.items()])
            else:
                self._record.give_up()
            batch.trouble = None
        except WatchwordError as error:
            batch.trouble = error
        finally:
            if batch.trouble is not None:
                self.lost = self.lost or bool(batch.values)
                self._record.close()
            batch.done.set()
