"""The receipts of a gate for which several processes decide: a batch of decisions is one turn at the shared record.

Takes the place of ``recording.Recorder`` where ``node.sharing`` says that the record is shared.

* Who asks while another thread of this process is at it waits in a queue. One of those who wait, the *leader*, has the
  turn, in which everything that other processes recorded is read, decides for all of them, SHARED_BATCH_MAX at most,
  and commits; then it hands the lead on. No answer is given before that. So a quota, an approval, a hold are the same
  for all, a commit serves all who wait, and no thread waits for another one while other processes wait for the turn.
* Before the turn the leader works out what this node holds by now, so that the turn is short.
* What could not be committed is void: everybody who was in the batch is refused, and the gate learns its state from the
  record again (``lost``). Where the turn cannot be had, all who wait are refused.
* What people signed goes to the database with the receipt that names it, and from there into the ledger, by its writer.
  A stop that another process met counts here before the next decision.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import copy_context
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from watchword.charter.standing import standing
from watchword.errors import WatchwordError
from watchword.ledger.durable import StorageTrouble
from watchword.limits import SHARED_BATCH_MAX
from watchword.node.recorded import NotHere
from watchword.node.store import LOOSE_KINDS
from watchword.observe.steps import Step, step, watched
from watchword.statements.statement import Signed, open_envelope

if TYPE_CHECKING:
    from watchword.node import Node
    from watchword.node.sharing import SharedRecord

T = TypeVar("T")


@dataclass
class Batch:
    """What is decided in one turn, after ``size`` receipts."""

    size: int
    values: list[dict[str, Any]] = field(default_factory=list)
    signed: dict[str, Signed] = field(default_factory=dict)


class Question(Generic[T]):
    """Something to be decided for a thread that waits. ``leads``: it is that thread's to decide for all."""

    def __init__(self, work: Callable[[], T]) -> None:
        self._work, self._context = work, copy_context()
        self._answer: T | None = None
        self._receipt: Step | None = None
        self.error: BaseException | None = None
        self.leads = False
        self.called = threading.Event()

    def decide(self) -> None:
        """Decide, as in its own thread: its steps are of that one's trace."""
        with self:
            self._answer = self._context.run(self._work)
            if watched():
                self._receipt = self._context.run(step, "receipt")
                self._context.run(self._receipt.__enter__)

    def __enter__(self) -> None:
        """Deciding begins."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> bool:
        """Whatever was raised is kept for the thread that asked (``told``): what one asks ends no other's turn."""
        self.error = error
        return True

    def settle(self, trouble: WatchwordError | None) -> None:
        """It is durable, or void because of *trouble*; its thread goes on."""
        self.error = trouble or self.error
        if self._receipt is not None:
            self._receipt.outcome = "done" if trouble is None else "failed"
            self._context.run(self._receipt.__exit__, None if trouble is None else type(trouble), trouble, None)
        self.called.set()

    def told(self) -> T:
        """The answer. Raises whatever it was that deciding raised, or why it is void."""
        if self.error is not None:
            raise self.error
        return cast(T, self._answer)


class Together:
    """The receipts of one process of a gate on their way to the shared record; *turn* is this process's lock.

    Args:
        ahead: works out what is held here; called before a turn at the record is taken.
    """

    def __init__(self, node: Node, turn: threading.RLock, record: SharedRecord, ahead: Callable[[], None]) -> None:
        self.node = node
        self._turn = turn
        self._record = record
        self._ahead = ahead
        self._queueing = threading.Lock()
        self._queue: deque[Question[Any]] = deque()
        self._led = False
        self._batch: Batch | None = None
        self.lost = False

    def close(self) -> None:
        """Let go of the database."""
        with self._turn:
            self._record.close()

    def decided(self, work: Callable[[], T]) -> T:
        """What *work* returns, once what it recorded is durable; others may be decided in the same turn.

        Not to be called by who has the gate's turn already.

        Raises:
            StorageTrouble, PutBack, NotShared: it is void, or nothing could be decided. And whatever *work* raises.
        """
        mine = Question(work)
        with self._queueing:
            self._queue.append(mine)
            mine.leads, self._led = not self._led, True
        if not mine.leads:
            mine.called.wait()
        if mine.leads:
            self._lead()
        return mine.told()

    @contextmanager
    def deciding(self) -> Iterator[None]:
        """A turn for one decision; what was recorded in it is durable when this is left. Raises as ``decided``."""
        with self._turn:
            batch = self._begin()
            try:
                yield
            finally:
                trouble = self._end(batch)
            if trouble is not None:
                raise trouble

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

    def _lead(self) -> None:
        """Decide for all who wait, in one turn, and hand the lead on."""
        taken: list[Question[Any]] = []
        trouble: WatchwordError | None = StorageTrouble("a receipt was cut short", "nothing of it was answered")
        try:
            with self._turn:
                trouble = self._serve(taken)
        except WatchwordError as error:
            trouble = error
        finally:
            while not taken and self._queue:  # no turn was had: nobody who waits for one is let through
                while self._next(taken) is not None:
                    pass
            for one in taken:
                one.settle(trouble)
            with self._queueing:
                self._led = bool(self._queue)
                if self._queue:
                    self._queue[0].leads = True
                    self._queue[0].called.set()

    def _serve(self, taken: list[Question[Any]]) -> WatchwordError | None:
        """Take the turn and decide in it; why it is void, or None. *taken*: gets whom it was decided for."""
        batch, trouble = self._begin(), None
        try:
            while (one := self._next(taken)) is not None:
                one.decide()
                if self.lost:
                    break  # whoever still waits is decided for in another turn
        finally:
            trouble = self._end(batch)
        return trouble

    def _next(self, taken: list[Question[Any]]) -> Question[Any] | None:
        with self._queueing:
            if not self._queue or len(taken) >= SHARED_BATCH_MAX:
                return None
            taken.append(self._queue.popleft())
            return taken[-1]

    def _deciding_in(self) -> Batch:
        if self._batch is None:
            raise StorageTrouble("a receipt was made outside a turn", "nothing of it was answered")
        return self._batch

    def _begin(self) -> Batch:
        """Take the turn at the record. Raises StorageTrouble, PutBack, NotShared."""
        with suppress(WatchwordError):  # what it is that troubles is told of the decision
            self._ahead()
        self._batch = Batch(self._record.begin())
        return self._batch

    def _end(self, batch: Batch) -> WatchwordError | None:
        """End the turn, in which *batch* becomes durable; else why it is void."""
        self._batch, done = None, False
        try:
            if self.lost:
                raise StorageTrouble("what was decided before could not be recorded", "ask again")
            if batch.values:
                self._record.commit(batch.values, [(id, one.envelope) for id, one in batch.signed.items()])
            else:
                self._record.give_up()
            done = True
        except WatchwordError as error:
            return error
        finally:
            if not done:
                self.lost = self.lost or bool(batch.values)
                self._record.close()
        return None
