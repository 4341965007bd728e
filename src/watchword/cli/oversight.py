"""``watchword oversight``: how people answer what this gate holds for them, and the probes that test it."""

from __future__ import annotations

import argparse
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from watchword.cli.output import emit, passphrase
from watchword.errors import WatchwordError

if TYPE_CHECKING:
    from watchword.gate.overseeing import Mandates
    from watchword.gate.oversight import Figures, Traffic
    from watchword.node import Node


def report(args: argparse.Namespace) -> int:
    """Print the figures; with ``--sign`` also state each pool's result for allies. Exit 1 when a pool fails."""
    from watchword import node
    from watchword.ledger.durable import StorageTrouble
    from watchword.node.home import BusyNode

    home = node.find_home(args.home)
    try:
        # As the writer, if nobody else is: the newest receipts may stand in a record that is not published yet.
        with node.Node.open(home, passphrase=passphrase(args) if args.sign else None, writing=True) as here:
            return _report(args, here)
    except (BusyNode, StorageTrouble):
        if args.sign:
            raise
        with node.Node.open(home, writing=False) as here:
            return _report(args, here)


def _report(args: argparse.Namespace, here: Node) -> int:
    from watchword.cli.policy import page
    from watchword.gate.overseeing import Mandates, traffic_of
    from watchword.gate.oversight import SCHEMA, figures, state_of
    from watchword.gate.oversight_page import board, render_text
    from watchword.statements.times import parse_time, rfc3339

    since = parse_time(args.since) if args.since else None
    until = parse_time(args.until) if args.until else None
    mandates = Mandates(here)
    of = traffic_of(here, mandates)
    found = figures(of, here.member, args.under, since, until)
    pools = [one for one in found if not one.of[1]]
    states = [(pool.of[0], state_of(pool, mandates.caught_min(pool.of[0]))) for pool in pools]
    period = f"{rfc3339(since) if since else 'from the beginning'} to {rfc3339(until) if until else 'now'}"
    text = render_text(found, states, f"gate of {here.member}, {period}", of.receipts)
    text += page(args, board(found, states, f"Oversight at the gate of {here.member}", period))
    value = {
        "figures": [one.value() for one in found],
        "gate": here.member,
        "receipts": of.receipts,
        "recorded": [],
        "schema": SCHEMA,
        "since": None if since is None else rfc3339(since),
        "states": dict(states),
        "until": None if until is None else rfc3339(until),
    }
    if args.sign:
        lines, value["recorded"] = _signed(args, here, pools, of, mandates, since, until)
        text = "\n".join([text, *lines])
    emit(args, text, value)
    return 1 if any(state == "fail" for _, state in states) else 0


def _signed(
    args: argparse.Namespace,
    here: Node,
    pools: list[Figures],
    of: Traffic,
    mandates: Mandates,
    since: datetime | None,
    until: datetime | None,
) -> tuple[list[str], list[Any]]:
    """One statement about each pool: a word for allies, and nothing about a person."""
    from watchword.cli.statement import recorded_value, scope, told
    from watchword.gate.oversight import statement_fields
    from watchword.statements.digests import DJ
    from watchword.statements.statement import Subject

    if not pools:
        raise NothingHeld(f"no action that the gate of {here.member} held has ended in this time: nothing to sign")
    made = []
    begins = since or min(one.asked for one in of.waited)
    for pool in pools:
        role = pool.of[0]
        fields = statement_fields(
            pool, here.member, of.receipts, mandates.caught_min(role), begins, until or here.clock.now()
        )
        subject = Subject(f"pool {role} of {here.member}", DJ({"gate": here.member, "role": role}))
        recorded = here.sign_and_append("oversight", (subject,), fields, person=args.person, scope=scope(args))
        made.append((role, fields["state"], recorded))
    here.publish()
    lines = [f"pool {role}: {state}, {told(here, recorded)}" for role, state, recorded in made]
    return lines, [recorded_value(here, recorded) | {"state": state} for _, state, recorded in made]


class NothingHeld(WatchwordError):
    """No pool of which anything could be signed."""


def plan(args: argparse.Namespace) -> int:
    """Commit to the probes in a file; nothing is shown before the commitment is cosigned."""
    from watchword import node
    from watchword.cli.statement import recorded_value, scope, told
    from watchword.gate.mandate import parse_mandate
    from watchword.gate.probes import draft_plan

    with node.Node.open(node.find_home(args.home), passphrase=passphrase(args), writing=True) as here:
        statement = here.locate(args.mandate).signed.statement
        if statement.kind != "mandate":
            raise NothingHeld(f"{args.mandate}: this is no mandate but: {statement.kind[:40]}")
        mandate = parse_mandate(statement.predicate["mandate"])
        use_case = here.store.object(mandate.use_case)
        value = draft_plan(args.file, statement.id, mandate, None if use_case is None else int(use_case["criticality"]))
        fields = {"mandate": statement.id, "plan": here.keep_object(value)}
        recorded = here.sign_and_append("probe-plan", statement.subject, fields, person=args.person, scope=scope(args))
        here.publish()
        count = len(value["probes"])
        text = (
            f"{count} probe{'' if count == 1 else 's'} under mandate {mandate.name}, after about {value['per_1000']} "
            f"of 1,000 holds; whoever signed this answers none of them\n{told(here, recorded)}"
        )
        emit(args, text, recorded_value(here, recorded) | {"per_1000": value["per_1000"], "probes": count})
    return 0


def probes(args: argparse.Namespace) -> int:
    """Print the plans of probes and what was revealed, or open one that is over. Exit 1 when a probe was missed."""
    from watchword import node
    from watchword.cli.output import write_new
    from watchword.gate.gate import Gate
    from watchword.gate.overseeing import opening, plans_shown
    from watchword.statements.canonical import canonical

    home = node.find_home(args.home)
    with (
        node.Node.open(home, passphrase=passphrase(args), writing=True) as here,
        closing(Gate(here)) as gate,
    ):
        if args.open:
            value = opening(here, here.locate(args.open).signed.statement, here.clock.now())
            output = args.output or Path("probe-plan.json")
            write_new(output, canonical(value) + b"\n")
            emit(args, f"wrote {output}", {"output": str(output), "schema": "watchword-probe-plan-opened/1"})
            return 0
        found = plans_shown(gate)
    lines = [line for one in found for line in one.told()]
    value = {"gate": gate.name, "plans": [one.value() for one in found], "schema": "watchword-probes/1"}
    emit(args, "\n".join(lines) or "no probes are planned here", value)
    return 1 if any(one.missed for one in found) else 0
