"""The gate of a home, opened when it is needed and given back when it is not.

* One process writes a node at a time. A door that runs for days keeps the node for as long as calls follow each other
  closely, and GATE_LENT_S_MAX at a stretch, so that other commands (an approval taken, a recall) get their turn.
* Where several processes decide for the gate (``node.sharing``), the node is opened for reading, and kept while the
  charter is the same.
* What the gate worked out is kept in between; whatever others wrote meanwhile is caught up with before anything is
  decided.
* Whoever asks together decides together, so that their receipts share a sync (``gate.recording``). When the stretch is
  over, nobody new comes in until the last one inside has given the node back.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from watchword.errors import WatchwordError
from watchword.gate.cards import Cards
from watchword.gate.gate import Gate
from watchword.gate.hiding import key_of
from watchword.gate.history import BadRecord
from watchword.gate.mcp.methods import CARDS
from watchword.gate.signed_cards import counting_cards
from watchword.limits import GATE_IDLE_S, GATE_LENT_S_MAX, NODE_LOCK_PAUSE_S
from watchword.node import Node
from watchword.node.receipts import SHARED_FILE
from watchword.node.stepping import refuse_if_due
from watchword.statements.times import Clock, SystemClock


class Lent:
    """A home's gate. Any thread may ask for it. ``close`` gives it back for good."""

    def __init__(self, home: Path, passphrase: Any = None, clock: Clock | None = None) -> None:
        self._home, self._passphrase, self._clock = home, passphrase, clock or SystemClock()
        self._alone = threading.RLock()
        self._turn = threading.Condition()
        self._inside: list[int] = []
        self._gate: Gate | None = None
        self._open = self._shared = False
        self._seen: tuple[int, int, bool] = (0, 0, False)
        self._since = self._used = self._given_back = 0.0
        self._timer: threading.Timer | None = None
        self._cards: tuple[Any, Mapping[str, Cards]] | None = None
        self._key = b""

    @contextmanager
    def gate(self) -> Iterator[Gate]:
        """The gate, over the node opened for writing; threads that ask so take turns, for as long as each has it.

        Raises:
            BusyNode: another process kept the node for too long; and whatever opening a node raises.
        """
        with self._alone, self.together() as gate:
            yield gate

    @contextmanager
    def together(self) -> Iterator[Gate]:
        """The same for threads that need no turn of their own: each question is one call of the gate. Raises as it."""
        me = threading.get_ident()
        with self._turn:
            while self._inside and me not in self._inside and self._is_over():
                self._turn.wait()
            gate = self._opened()
            self._inside.append(me)
        try:
            yield gate
        finally:
            with self._turn:
                self._inside.remove(me)
                self._used = time.monotonic()
                if not self._inside:
                    if self._is_over():
                        self._give_back()
                    elif self._timer is None and not self._shared:
                        self._look_again(GATE_IDLE_S)
                    self._turn.notify_all()

    @property
    def key(self) -> bytes:
        """Under which secrets are committed to; read once. To be asked for while the gate is lent."""
        if not self._key:
            self._key = key_of(self._home)
        return self._key

    def cards(self, gate: Gate) -> Mapping[str, Cards]:
        """The tool cards that count now.

        Raises:
            BadCard: see ``counting_cards``.
        """
        known = gate.known()
        if self._cards is None or self._cards[0] is not known:
            self._cards = known, counting_cards(known.charter, gate.name, known.view, known.facts)
        return self._cards[1]

    def left_behind(self, server: str, release: str) -> int:
        """Record what became of calls that an earlier process let go and did not see the end of; how many there were.

        What only read is over; of anything else nobody knows. Where that process still runs, its own word follows.
        """
        with self.gate() as gate:
            cards, found = self.cards(gate).get(server), 0
            for action in gate.under_way():
                owner, slash, tool = action.tool.partition("/")
                if action.release == release and (owner if slash else owner.partition(":")[0]) == server:
                    card = CARDS.tools.get(owner.partition(":")[2]) if not slash else cards and cards.tools.get(tool)
                    gate.outcome(action.digest, "returned" if card and card.effect == "read" else "unknown")
                    found += 1
        return found

    def close(self) -> None:
        """Give the node back."""
        with self._turn:
            while self._inside:
                self._turn.wait()
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            self._give_back()
            if self._gate is not None:
                self._gate.close()

    def _is_over(self) -> bool:
        late = time.monotonic() - self._since > GATE_LENT_S_MAX
        if not self._shared:
            return late
        if late:
            try:
                refuse_if_due(self._home, self._clock)
            except WatchwordError:
                return True
            self._since = time.monotonic()
        return self._seen != self._stamp()

    def _stamp(self) -> tuple[int, int, bool]:
        """Changes with the charter, and when the record is not shared any more."""
        status = (self._home / "charter.json").stat()
        return status.st_ino, status.st_mtime_ns, (self._home / SHARED_FILE).exists()

    def _opened(self) -> Gate:
        if not self._open:
            # Whoever waits for the node looks for it every NODE_LOCK_PAUSE_S: it gets its turn first.
            time.sleep(max(0.0, self._given_back + 2 * NODE_LOCK_PAUSE_S - time.monotonic()))
            seen = self._stamp()
            shared = seen[2]
            node = Node.open(self._home, clock=self._clock, passphrase=self._passphrase, writing=not shared)
            try:
                if self._gate is not None and shared is self._shared:
                    self._gate.move(node)
                else:
                    if self._gate is not None:
                        self._gate.close()
                    self._gate = Gate(node, self._clock)
                self._shared, self._seen = shared, seen
            except BaseException:
                node.close()
                raise
            self._open, self._since = True, time.monotonic()
        if self._gate is None:
            raise BadRecord("no gate is open")
        return self._gate

    def _look_again(self, after_s: float) -> None:
        self._timer = threading.Timer(after_s, self._unless_used)
        self._timer.daemon = True
        self._timer.start()

    def _unless_used(self) -> None:
        """One timer for all questions: each would otherwise cost a thread."""
        with self._turn:
            self._timer = None
            left_s = self._used + GATE_IDLE_S - time.monotonic()
            if self._open and (self._inside or left_s > 0):
                self._look_again(max(left_s, GATE_IDLE_S / 10))
            else:
                self._give_back()

    def _give_back(self) -> None:
        if self._open and self._gate is not None:
            self._gate.node.close()
            self._open, self._given_back = False, time.monotonic()
