"""``watchword status``: what this member may use, what lapses, what it owes, who waits for it, what is in trouble."""

from __future__ import annotations

import argparse
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from watchword.cli.output import emit

if TYPE_CHECKING:
    from watchword.account.status import Known
    from watchword.node import Node


def run(args: argparse.Namespace) -> int:
    """Print the page; exit 1 when something used is refused or in trouble."""
    from watchword import node
    from watchword.account.status import board, render_text, status
    from watchword.cli.policy import page
    from watchword.ledger.durable import StorageTrouble
    from watchword.node.home import BusyNode

    home = node.find_home(args.home)
    try:
        # As the writer, if nobody else is: what the gate holds may stand in a record that is not published yet.
        with node.Node.open(home, writing=True) as here:
            found = status(known(here))
    except (BusyNode, StorageTrouble):
        with node.Node.open(home, writing=False) as here:
            found = status(known(here))
    text = render_text(found)
    if args.page:
        text += "\n" + page(args, board(found))
    emit(args, text, found.value())
    return 0 if found.yes else 1


def known(here: Node) -> Known:
    """What this node knows, as the page is made from it."""
    from watchword.account.reliance import relied_on
    from watchword.account.status import Known, uses_of
    from watchword.cli.statement import of_kind

    view, now = here.latest_view(), here.clock.now()
    facts = here.facts(view)
    decisions = of_kind(here, "decision")
    named = {str(statement.predicate["decision"].get("use_case")) for _, statement in decisions}
    cases = {digest: value for digest in named if (value := here.store.object(digest)) is not None}
    waits = [] if here.receives else _held(here, now)
    waits += [
        f"cosignature on {head.origin}: {here.me.witness} has not cosigned its newest head"
        for head in here.heads()
        if head.size and here.me.witness not in {name for name, _ in head.witnesses}
    ]
    relied = relied_on(here.charter, view, facts, here.member, now)
    return Known(here.charter, here.member, view, facts, now, uses_of(decisions, cases), relied, tuple(waits))


def _held(here: Node, now: datetime) -> list[str]:
    """The actions that this node's gate holds for people, and that a mandate still lets wait; read, never written."""
    from watchword.gate.history import History
    from watchword.gate.mandate import parse_mandate
    from watchword.gate.receipts import parse_receipt
    from watchword.statements.times import parse_time, rfc3339

    history = History()
    for index, value in enumerate(here.record_events()):
        history.apply(parse_receipt(value, f"receipt {here.member}/record#{index}"))
    lines = []
    for held in history.waiting():
        mandate = parse_mandate(here.locate(held.mandate).signed.statement.predicate["mandate"])
        rule = next(rule for rule in mandate.rules if rule.id == held.rule)
        expires = parse_time(held.asked) + timedelta(seconds=rule.hold_s)
        if now <= expires:
            lines.append(f"action held until {rfc3339(expires)}: {held.id} {held.action.tool}, mandate {mandate.name}")
    return lines
