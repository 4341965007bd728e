"""What the status page of a member is made from, read from its open node; read, never written."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from watchword.account.reliance import relied_on
from watchword.account.status import Known, uses_of
from watchword.gate.history import Held, History
from watchword.gate.mandate import Mandate, parse_mandate
from watchword.gate.receipts import parse_receipt
from watchword.statements.times import parse_time, rfc3339

if TYPE_CHECKING:
    from watchword.node import Node
    from watchword.statements.statement import Statement


def known(here: Node, *, holds: bool = True) -> Known:
    """What this node knows, as the page is made from it; without *holds*, but for what its gate's record says."""
    view, now = here.latest_view(), here.clock.now()
    facts = here.facts(view)
    decisions = of_kind(here, "decision")
    named = {str(statement.predicate["decision"].get("use_case")) for _, statement in decisions}
    cases = {digest: value for digest in named if (value := here.store.object(digest)) is not None}
    waits = _held(here, now) if holds and not here.receives else []
    waits += [
        f"cosignature on {head.origin}: {here.me.witness} has not cosigned its newest head"
        for head in here.heads()
        if head.size and here.me.witness not in {name for name, _ in head.witnesses}
    ]
    relied = relied_on(here.charter, view, facts, here.member, now)
    return Known(here.charter, here.member, view, facts, now, uses_of(decisions, cases), relied, tuple(waits))


def of_kind(here: Node, kind: str) -> list[tuple[str, Statement]]:
    """The statements of *kind* with standing in any ledger held here, each after its locator."""
    return [
        (here.locator(origin, index), held.signed.statement)
        for origin, index, held in here.store.statements()
        if held.holder is not None and held.signed.statement.kind == kind
    ]


def _held(here: Node, now: datetime) -> list[str]:
    """The actions that this node's gate holds for people, and that a mandate still lets wait."""
    history = History()
    for index, value in enumerate(here.record_events()):
        history.apply(parse_receipt(value, f"receipt {here.member}/record#{index}"))
    return [
        f"action held until {rfc3339(expires)}: {held.id} {held.action.tool}, mandate {mandate.name}"
        for held, expires, mandate in waiting_holds(here, history, now)
    ]


def waiting_holds(here: Node, history: History, now: datetime) -> Iterator[tuple[Held, datetime, Mandate]]:
    """The holds of *history* that a mandate still lets wait, oldest first, each with its end."""
    for held in history.waiting():
        mandate = parse_mandate(here.locate(held.mandate).signed.statement.predicate["mandate"])
        rule = next(rule for rule in mandate.rules if rule.id == held.rule)
        expires = parse_time(held.asked) + timedelta(seconds=rule.hold_s)
        if now <= expires:
            yield held, expires, mandate
