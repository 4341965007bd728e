"""What one node holds, read once for each state of its disk: pages are asked for more often than anything changes.

Pages read nothing that they do not show: all statements only where no catalog says where one stands (``holdings``).

Nothing here is trusted for a decision: a decision page makes the decision again from the facts in the view.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from watchword.account.knowing import known
from watchword.account.status import Status, Use, status
from watchword.charter.charter import Charter
from watchword.errors import WatchwordError
from watchword.ledger.durable import StorageTrouble
from watchword.ledger.view import Facts, View
from watchword.statements.times import rfc3339
from watchword.web.console.holdings import FromCatalog, FromFiles, Holdings, Placed
from watchword.web.console.shelf import Shelf

if TYPE_CHECKING:
    from watchword.node.node import Node

STATUS_AGE_S = 60
"""A status is made again when it is older, though nothing came: times pass. Its page says as of when it is."""
STATUS_WAIT_S = 0.05
"""How long a request waits for a page that is being made again. Origin: a page is to take 150 ms."""


@dataclass
class Snapshot:
    """One state of *node*'s disk, read as far as a page asks for it. ``node`` is for files that it does not hold."""

    node: Node
    shelf: Shelf
    remade: Remade

    @property
    def charter(self) -> Charter:
        return self.node.charter

    @property
    def member(self) -> str:
        return self.node.member

    @property
    def now(self) -> datetime:
        return self.node.clock.now()

    @property
    def as_of(self) -> str:
        return rfc3339(self.now)

    @cached_property
    def view(self) -> View:
        with self.node.mutex:
            return self.node.latest_view()

    @cached_property
    def facts(self) -> Facts:
        with self.node.mutex:
            return self.node.facts(self.view)

    @cached_property
    def placed(self) -> tuple[Placed, ...]:
        """Every statement held."""
        with self.node.mutex:
            return tuple(
                Placed(held.signed, held.holder, origin, index, self.node.locator(origin, index))
                for origin, index, held in self.node.store.statements()
            )

    @cached_property
    def held(self) -> Holdings:
        """What lists are read from: the catalog, where there is one that holds what the node holds."""
        return FromCatalog(self.node, self.shelf) if self.shelf.there else FromFiles(self.node, self.placed)

    def status(self) -> Made:
        """The status page; whether it is of this state of the disk, it says."""
        return self.remade.now(self.node.clock.monotonic())


@dataclass(frozen=True)
class Made:
    """A status page, the uses that it speaks of, and whether nothing came since it was made."""

    status: Status
    uses: tuple[Use, ...]
    fresh: bool = True


class Remade:
    """The status page of a node, made outside of requests: making it decides on each use anew.

    * Asked after something came, it waits STATUS_WAIT_S for the new page, then gives the one before, which says so.
    * One that is older than STATUS_AGE_S is made again meanwhile: times pass.
    """

    def __init__(self, node: Node) -> None:
        self._node = node
        self._turn = threading.Lock()
        self._made: tuple[Any, float, Made] | None = None
        self._making: threading.Thread | None = None
        self._trouble: Exception | None = None

    def now(self, at: float) -> Made:
        """The page.

        Raises:
            WatchwordError, OSError: there is none yet, and it cannot be made.
        """
        stamp = self._node.stamp()
        made, making = self.begin(stamp, at)
        if making is not None and (made is None or made[0] != stamp):
            making.join(None if made is None else STATUS_WAIT_S)
        with self._turn:
            if self._made is None:
                raise self._trouble or StorageTrouble("the status page could not be made")
            return replace(self._made[2], fresh=self._made[0] == stamp)

    def begin(self, stamp: Any, at: float) -> tuple[tuple[Any, float, Made] | None, threading.Thread | None]:
        """Begin to make it, where that is due; what there is, and who makes it."""
        with self._turn:
            made = self._made
            if self._making is None and (made is None or made[0] != stamp or at - made[1] > STATUS_AGE_S):
                self._making = threading.Thread(target=self._make, args=(stamp, at), daemon=True)
                self._making.start()
            return made, self._making

    def wait(self) -> None:
        """Until nobody makes it any more: for who closes the node next."""
        making = self._making
        if making is not None:
            making.join()

    def _make(self, stamp: Any, at: float) -> None:
        made: tuple[Any, float, Made] | None = None
        trouble: Exception | None = None
        try:
            of = known(self._node)
            made = stamp, at, Made(status(of), of.uses)
            self._node.store.verified.keep()  # what was read now need not be verified at the next start
        except (WatchwordError, OSError) as error:
            trouble = error
        finally:
            with self._turn:
                self._made, self._trouble, self._making = made or self._made, trouble, None


class Knowledge:
    """The newest snapshot of an open node."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self._turn = threading.Lock()
        self._shelf = Shelf(node)
        self._remade = Remade(node)
        self._stamp: tuple[Any, ...] | None = None
        self._snapshot: Snapshot | None = None

    def warm(self) -> None:
        """Begin with what the first page will ask for, before anybody does."""
        self._remade.begin(self.node.stamp(), self.node.clock.monotonic())

    def now(self) -> Snapshot:
        """What the node holds now."""
        with self._turn:
            stamp = (*self.node.stamp(), self._shelf.mark)
            if self._snapshot is None or stamp != self._stamp:
                self._snapshot, self._stamp = Snapshot(self.node, self._shelf, self._remade), stamp
            return self._snapshot
