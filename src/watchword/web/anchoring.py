"""The head of the looks, put into the ledger by the clock while a node serves.

* Due at the start, then at whole multiples of the interval after it, whenever somebody looked since; who looked at
  nothing costs nothing: the node is not opened.
* The node is opened as its writer for each head, for as long as that takes: other processes of the home write, too.
* What fails is tried again after LOOKS_RETRY_S, and told once in an interval; nothing that fails ends the turns. That
  another process kept the writer's lock is not told here: ``account.figures`` and ``doctor`` say what waits for long.
"""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Self

from watchword.limits import LOOKS_RETRY_S
from watchword.node import looks
from watchword.node.home import BusyNode
from watchword.node.node import Node
from watchword.observe import steps
from watchword.statements.keys import Passphrase


class Anchoring:
    """Turns of a thread, for as long as it is entered; ``turn`` is one of them, whoever takes it.

    Args:
        serving: the open node; its home and clock, not its ledgers, are used.
        every_s: the interval, in seconds.
    """

    def __init__(self, serving: Node, passphrase: Passphrase, every_s: float) -> None:
        self._serving = serving
        self._passphrase = passphrase
        self._every_s = every_s
        self._began = self._due = serving.clock.monotonic()
        self._told: int | None = None
        self._seen: tuple[str, int] | None = None
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._turns, name="looks", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._over.set()
        self._thread.join()

    def turn(self) -> float:
        """Do what is due; after how many seconds to ask again."""
        now = self._serving.clock.monotonic()
        if now >= self._due:
            interval = int((now - self._began) // self._every_s)
            following = self._began + (interval + 1) * self._every_s
            self._due = following if self._anchored(interval) else min(now + LOOKS_RETRY_S, following)
        return max(self._due - now, 0.0)

    def _turns(self) -> None:
        while not self._over.wait(self.turn()):
            pass

    def _anchored(self, interval: int) -> bool:
        try:
            seen = looks.Looks(self._serving).mark
            if seen != self._seen:
                home, clock = self._serving.home, self._serving.clock
                with Node.open(home, clock=clock, passphrase=self._passphrase, writing=True) as here:
                    if looks.anchor(here) is not None:
                        here.publish()
                self._seen = seen
        except Exception as error:  # noqa: BLE001  # a turn that ended here would be the last one
            if not isinstance(error, BusyNode) and interval != self._told:
                self._told = interval
                steps.trouble(error)
            return False
        return True
