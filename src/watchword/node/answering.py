"""What this node answers to members who ask over HTTP: bodies in their scope, and bad news.

Follows docs/protocol.md, section 11. Reads; signs nothing and writes nothing.

* A body leaves only if a leaf of a shared ledger commits to it and its own scope allows who asked; its attachments as
  in an exchange file. Nobody learns whether what he did not get is not held or not for him.
* The answer is an exchange without ledgers, of BODIES_ANSWERED_BYTES_MAX; who misses something asks again.
"""

from __future__ import annotations

import threading
from typing import Any

from watchword.ledger.bundle import Body, Bundle, encode
from watchword.ledger.demand import parse_demand
from watchword.ledger.exchange import attachments, scope_allows
from watchword.limits import BODIES_ANSWERED_BYTES_MAX
from watchword.node.carry import Named, loose_for
from watchword.node.cases import cases_for
from watchword.node.node import Node
from watchword.statements.digests import DJ
from watchword.statements.times import rfc3339


class Answers:
    """Answers of one open node; what it costs to know who may see what is paid once for each state of the disk."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._mutex = threading.Lock()
        self._stamp: tuple[Any, ...] | None = None
        self._leaves: set[bytes] = set()
        self._named: Named | None = None

    def answer(self, data: bytes) -> bytes:
        """The answer to one request, canonical.

        Raises:
            BadDemand: malformed, late, or not signed by whom it names.
        """
        node = self._node
        demand = parse_demand(node.charter, node.member, data, node.store.now_s())
        with self._mutex, node.mutex:
            self._refresh()
            bodies = self._bodies(demand.want, demand.sender)
            loose = loose_for(node, demand.sender)
        known = DJ([signed.statement.id for signed in loose])
        return encode(
            Bundle(
                purpose="exchange",
                charter=node.charter.digest,
                sender=node.member,
                to=demand.sender,
                made=rfc3339(node.clock.now()),
                ledgers=(),
                bodies=tuple(bodies),
                loose=() if known == demand.loose else tuple(signed.envelope for signed in loose),
                objects=cases_for(node.store, bodies),
            )
        )

    def _refresh(self) -> None:
        store = self._node.store
        stamp = store.stamp()
        if stamp != self._stamp:
            self._leaves = {leaf.commitment for o in store.charter.known_origins for leaf in store.leaves(o)}
            self._named = None
            self._stamp = stamp

    def _bodies(self, want: tuple[bytes, ...], to: str | None) -> list[Body]:
        store = self._node.store
        found: dict[bytes, Body] = {}
        budget = BODIES_ANSWERED_BYTES_MAX
        for commitment in want:
            held = store.held(commitment) if commitment in self._leaves else None
            if held is None or not scope_allows(held.signed, to) or budget < 0:
                continue
            wanted = [("envelope", commitment)]
            if held.holder is not None and attachments(held.signed):
                self._named = self._named or Named(store)
                wanted += [("content", one) for one in attachments(held.signed) if self._named.allow(one, to)]
            for sort, one in wanted:
                stored = store.bodies.get(one) if one not in found else None
                if stored is not None:
                    found[one] = Body("envelope" if sort == "envelope" else "content", *stored)
                    budget -= len(found[one].data)
        return list(found.values())
