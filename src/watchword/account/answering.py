"""The answer of this member to a recall, reckoned at home: no, yes or done, and nothing of what is hit.

* Of an order, every statement that says the same is answered: its id is that of the oldest (``account.recalls``).
* What is hit is asked of a catalog, where one is at hand, and else of every statement held; both say the same
  (``account.recalled``).
* Where a mandate is hit, the gate is asked to meet the recall first, so that its receipt says when it closed.
* Signs nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from watchword.account.recalls import Hit, hit_at_home, said_alike
from watchword.errors import WatchwordError
from watchword.gate.gate import Gate
from watchword.ledger.query import EXERCISE, told_target
from watchword.ledger.view import size_in
from watchword.node.noticed import notices_held
from watchword.node.sharing import follow
from watchword.statements.statement import Signed
from watchword.statements.times import parse_time, rfc3339

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from watchword.node import Node


class NoRecall(WatchwordError):
    """What was to be answered is no recall that is held here, or not so."""


@dataclass(frozen=True)
class Reckoned:
    """``fields`` of the statement; ``hits`` are for people at home alone. ``what``: the recall, for people."""

    what: str
    exercise: bool
    hits: tuple[Hit, ...]
    fields: dict[str, Any]


def recalls_held(here: Node) -> dict[str, Signed]:
    """Every recall and exercise with standing, in notices ledgers or loose, by id; no other body is read."""
    with here.mutex:
        held = [one.signed for one in notices_held(here.store) if one.holder is not None]
    return {one.statement.id: one for one in held if one.statement.kind == "recall"}


def reckon(
    here: Node, id: str, *, done: bool = False, since: str | None = None, hit: bool = False,
    alternative: str | None = None, catalog: Connection | None = None,
) -> Reckoned:  # fmt: skip
    """What *here*, open for writing, answers to the recall of this id.

    Args:
        done: its actions are done, *since* a time (now by default), or by an *alternative*.
        hit: something else is hit than what is reckoned.
        catalog: one of this node, brought up to what it holds.

    Raises:
        NoRecall: none of this id; done where nothing is hit; an alternative that is not done.
    """
    recalls = recalls_held(here)
    if id not in recalls:
        raise NoRecall(f"{id}: no recall that is held here", "watchword recall status lists them")
    alike = said_alike(recalls, id)
    said = alike[0].statement.predicate
    hits = hits_of(here, recalls[id].statement.predicate, catalog)
    if any(one.mandate for one in hits):
        with closing(Gate(here)) as gate:
            gate.stops()
    follow(here)
    ids = {one.statement.id for one in alike}
    closed = [
        receipt["time"] for receipt in here.record_events()
        if receipt["event"] in ("stopped", "exercised") and set(receipt["approvals"]) & ids
    ]  # fmt: skip
    if done and not hits and not hit:
        name = said["directive"] or id
        raise NoRecall(f"{name}: nothing that is used here is hit", "--hit says that something else is")
    if alternative and not done:
        raise NoRecall("an alternative is told once it is done", "add --done")
    if since:
        parse_time(since)
    answer = "done" if done else "yes" if hits or hit else "no"
    fields = {
        "statement": id, "answer": answer, "closed": closed[0] if closed else None,
        "done": (since or rfc3339(here.clock.now())) if done else None, "alternative": alternative,
    }  # fmt: skip
    what = told_target(said).removeprefix(EXERCISE)
    return Reckoned(what, str(said["target"]).startswith(EXERCISE), hits, fields)


def hits_of(here: Node, recall: Mapping[str, Any], catalog: Connection | None) -> tuple[Hit, ...]:
    """What a recall hits at home, by *catalog* or, without one, by everything held."""
    view, now = here.latest_view(), here.clock.now()
    if catalog is not None:
        from watchword.account.recalled import hit_in_catalog

        ledgers = [origin for origin in here.charter.known_origins if here.store.use(origin) == "ledger"]
        sizes = {origin: size_in(here.charter, view, origin) for origin in ledgers}
        found = hit_in_catalog(catalog, recall, here.member, now, sizes)
        if found is not None:
            return found
    return hit_at_home(here.charter, here.facts(view), recall, here.member, now)
