"""The answer of this member to a recall, reckoned at home: no, yes or done, and nothing of what is hit.

Asks the gate to meet the recall first, so that its receipt says when it closed. Signs nothing.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from watchword.account.recalls import Hit, Order, hit_at_home, orders
from watchword.errors import WatchwordError
from watchword.gate.gate import Gate
from watchword.ledger.exercises import held_recalls
from watchword.node.sharing import follow
from watchword.statements.times import parse_time, rfc3339

if TYPE_CHECKING:
    from watchword.node import Node


class NoRecall(WatchwordError):
    """What was to be answered is no recall that is held here, or not so."""


@dataclass(frozen=True)
class Reckoned:
    """``fields`` of the statement; ``hits`` are for people at home alone."""

    order: Order
    hits: tuple[Hit, ...]
    fields: dict[str, Any]


def reckon(
    here: Node, id: str, *, done: bool = False, since: str | None = None, hit: bool = False,
    alternative: str | None = None,
) -> Reckoned:  # fmt: skip
    """What *here*, open for writing, answers to the recall of this id.

    Args:
        done: its actions are done, *since* a time (now by default), or by an *alternative*.
        hit: something else is hit than what is reckoned.

    Raises:
        NoRecall: none of this id; done where nothing is hit; an alternative that is not done.
    """
    view, now = here.latest_view(), here.clock.now()
    facts = here.facts(view)
    held = held_recalls(facts)
    if id not in held:
        raise NoRecall(f"{id}: no recall that is held here", "watchword recall status lists them")
    order = next(one for one in orders(here.charter, view, facts, now) if id in one.ids)
    hits = hit_at_home(here.charter, facts, held[id].statement.predicate, here.member, now)
    with closing(Gate(here)) as gate:
        gate.stops()
    follow(here)
    closed = [
        receipt["time"] for receipt in here.record_events()
        if receipt["event"] in ("stopped", "exercised") and set(receipt["approvals"]) & set(order.ids)
    ]  # fmt: skip
    if done and not hits and not hit:
        name = order.directive or id
        raise NoRecall(f"{name}: nothing that is used here is hit", "--hit says that something else is")
    if alternative and not done:
        raise NoRecall("an alternative is told once it is done", "add --done")
    if since:
        parse_time(since)
    said = "done" if done else "yes" if hits or hit else "no"
    fields = {
        "statement": id, "answer": said, "closed": closed[0] if closed else None,
        "done": (since or rfc3339(now)) if done else None, "alternative": alternative,
    }  # fmt: skip
    return Reckoned(order, hits, fields)
