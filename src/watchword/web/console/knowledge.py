"""What one node holds, read once for each state of its disk: pages are asked for more often than anything changes.

Nothing here is trusted for a decision: a decision page makes the decision again from the facts in the view.
"""

from __future__ import annotations

import contextlib
import threading
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from watchword.account.beside import NOTHING_BESIDE, Beside, beside
from watchword.account.knowing import known
from watchword.account.status import Status, Use, status, uses_of
from watchword.charter.charter import Charter, KeyHolder
from watchword.errors import WatchwordError
from watchword.ledger.exchange import scope_allows
from watchword.ledger.view import Facts, View
from watchword.statements.statement import Signed, Statement
from watchword.statements.times import rfc3339
from watchword.web.console.access import Reader
from watchword.web.console.shelf import Shelf

if TYPE_CHECKING:
    from watchword.node.node import Node

STATUS_AGE_S = 60
"""A status is made again when it is older, though nothing came: times pass. Its page says as of when it is."""


@dataclass(frozen=True)
class Placed:
    """A statement held in a shared ledger: where, and whose key made it where it has standing."""

    signed: Signed
    holder: KeyHolder | None
    origin: str
    index: int
    locator: str

    @property
    def statement(self) -> Statement:
        return self.signed.statement

    def is_for(self, reader: Reader, member: str) -> bool:
        """Whether its scope lets *reader* see it: the own people see what the node holds."""
        return reader.member == member or scope_allows(self.signed, reader.member)


@dataclass
class Snapshot:
    """One state of *node*'s disk. ``node`` is for reading files that the snapshot does not hold."""

    node: Node
    view: View
    facts: Facts
    placed: tuple[Placed, ...]
    shelf: Shelf
    _status: dict[str, Any] = field(default_factory=dict)
    _turn: threading.Lock = field(default_factory=threading.Lock)

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
    def by_id(self) -> dict[str, Placed]:
        return {one.statement.id: one for one in self.placed}

    @cached_property
    def by_locator(self) -> dict[str, Placed]:
        return {one.locator: one for one in self.placed}

    @cached_property
    def about(self) -> dict[str, list[Placed]]:
        """Statements with standing, notices apart, by the digest of each release they are about."""
        found: dict[str, list[Placed]] = {}
        for one in self.placed:
            if one.holder is not None and "target" not in one.statement.predicate:
                for subject in one.statement.subject:
                    found.setdefault(subject.digest, []).append(one)
        return found

    @cached_property
    def releases(self) -> dict[str, str]:
        """Names of releases by digest, as claims, bills, inspections, evaluations and decisions call them."""
        kinds = ("claim", "bill-of-materials", "inspection", "evaluation", "decision", "endpoint")
        found: dict[str, str] = {}
        for kind in kinds:
            for one in self.placed:
                if one.holder is not None and one.statement.kind == kind:
                    for subject in one.statement.subject:
                        found.setdefault(subject.digest, subject.name)
        return dict(sorted(found.items(), key=lambda pair: (pair[1], pair[0])))

    @cached_property
    def beside(self) -> dict[str, Beside]:
        return beside(self.charter, [one.statement for one in self.placed if one.holder is not None])

    def beside_of(self, id: str) -> Beside:
        return self.beside.get(id, NOTHING_BESIDE)

    @cached_property
    def uses(self) -> tuple[Use, ...]:
        """The newest decision on each release and use case that is held."""
        decisions = [
            (one.locator, one.statement)
            for one in self.placed if one.holder is not None and one.statement.kind == "decision"
        ]  # fmt: skip
        named = {str(statement.predicate["decision"].get("use_case")) for _, statement in decisions}
        cases = {digest: value for digest in named if (value := self.node.store.object(digest)) is not None}
        return uses_of(decisions, cases)

    def status(self) -> Status:
        """The status page, made from what was held at most STATUS_AGE_S ago: an older one is shown once more, and made
        again meanwhile."""
        with self._turn:
            at = self.node.clock.monotonic()
            if not self._status:
                self._status |= {"at": at, "status": status(known(self.node))}
            elif at - self._status["at"] > STATUS_AGE_S:
                self._status["at"] = at
                threading.Thread(target=self._again, daemon=True).start()
            found: Status = self._status["status"]
            return found

    def _again(self) -> None:
        with contextlib.suppress(WatchwordError, OSError):
            self._status["status"] = status(known(self.node))


class Knowledge:
    """The newest snapshot of an open node."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self._turn = threading.Lock()
        self._shelf = Shelf(node)
        self._stamp: tuple[Any, ...] | None = None
        self._snapshot: Snapshot | None = None

    def now(self) -> Snapshot:
        """What the node holds now.

        Raises:
            DamagedBody, DamagedHome, StorageTrouble.
        """
        with self._turn:
            stamp = self.node.stamp()
            if self._snapshot is None or stamp != self._stamp:
                with self.node.mutex:
                    view = self.node.latest_view()
                    facts = self.node.facts(view)
                    placed = tuple(
                        Placed(held.signed, held.holder, origin, index, self.node.locator(origin, index))
                        for origin, index, held in self.node.store.statements()
                    )
                self._snapshot, self._stamp = Snapshot(self.node, view, facts, placed, self._shelf), stamp
            return self._snapshot
