"""A view that was decided in before, found again with its signed heads.

* A view is named by its digest, or by a decision that was made in it.
* Every head of it must be one whose signed note is kept here and carries its quorum: a list alone proves nothing.
"""

from __future__ import annotations

from watchword.errors import WatchwordError
from watchword.ledger.view import View, parse_view
from watchword.node.node import Node
from watchword.statements.digests import is_digest
from watchword.statements.times import parse_time


class NoView(WatchwordError):
    """A view that is not kept here, or whose heads are not proven by what is kept."""


def view_of(node: Node, what: str) -> View:
    """The view *what*: its digest, or the id or locator of a decision made in it.

    Raises:
        NotHere: no such decision.
        NoView: it is not kept here with its signed heads, or they do not carry it.
    """
    with node.mutex:
        digest = what if is_digest(what) and node.store.object(what) is not None else None
        if digest is None:
            statement = node.locate(what).signed.statement
            if statement.kind != "decision":
                raise NoView(f"{what}: a {statement.kind} is made in no view", "name a decision, or a view's digest")
            digest = str(statement.predicate["decision"].get("view"))
        value, notes = node.store.object(digest), node.store.view_notes(digest)
        if value is None or notes is None:
            raise NoView(f"{what}: its view {digest} is not kept here with its signed heads", "its maker has them")
        view = parse_view(value)
        for origin, head in view.heads.items():
            kept = node.store.head(origin, notes[origin]) if origin in notes else None
            at = None if kept is None else kept.checkpoint
            if kept is None or at is None or (at.size, at.root) != (head.size, head.root):
                raise NoView(f"{what}: no signed head of {origin} at size {head.size} is kept here")
            if kept.time_s is None or kept.time_s < parse_time(head.time).timestamp():
                raise NoView(f"{what}: the head of {origin} was not cosigned by {head.time}")
        return view
