"""``watchword notice``: recall, retract, dispute, revoke; take in; list."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from watchword.cli.output import emit, passphrase, write_new
from watchword.errors import WatchwordError

if TYPE_CHECKING:
    from watchword.node import Node

NAMES = ("release:", "component:", "model:", "dataset:", "supplier:", "key:", "statement:")


class BadTarget(WatchwordError):
    """What a notice is against cannot be told from what was given."""


def issue(args: argparse.Namespace) -> int:
    """Sign a notice, append it, and write it loose when asked: it counts wherever it arrives."""
    from watchword import node
    from watchword.cli.statement import recorded_value, scope, told
    from watchword.statements.digests import D
    from watchword.statements.statement import Subject

    with node.Node.open(node.find_home(args.home), passphrase=passphrase(args), writing=True) as here:
        target = _target(args, here)
        fields: dict[str, Any] = {"target": target, "reason": args.reason}
        if args.kind == "recall":
            fields |= {"actions": args.action, "deadline": args.deadline, "supersedes": args.supersedes}
        if args.kind == "revoke":
            fields["valid_up_to"] = [_place(text) for text in args.valid_up_to]
        subject = (Subject("notice", D(target.encode())),)
        recorded = here.sign_and_append(args.kind, subject, fields, person=args.person, scope=scope(args))
        here.publish()
        if args.output:
            write_new(args.output, recorded.envelope + b"\n")
        value = recorded_value(here, recorded) | {"target": target}
        loose = f"\nwrote {args.output}: it counts wherever it is taken in" if args.output else ""
        emit(args, f"{args.kind} of {target}: {args.reason}\n{told(here, recorded)}{loose}", value)
    return 0


def take(args: argparse.Namespace) -> int:
    """Take in notices from any channel."""
    from watchword import node

    lines, values = [], []
    # Not as the writer: bad news does not wait for whoever is writing this node.
    with node.Node.open(node.find_home(args.home), writing=False) as here:
        for path in args.files:
            signed = here.take_loose(path.read_bytes().removesuffix(b"\n"))
            statement = signed.statement
            lines.append(
                f"{statement.kind} of {statement.predicate['target']} by {statement.issuer}: counts from now on"
            )
            values.append({"id": statement.id, "kind": statement.kind, "target": statement.predicate["target"]})
    emit(args, "\n".join(lines), {"schema": "watchword-notices-taken/1", "taken": values})
    return 0


def show(args: argparse.Namespace) -> int:
    """List the notices this node can read, in ledgers and loose."""
    from watchword import node
    from watchword.statements.kinds import NOTICES

    with node.Node.open(node.find_home(args.home), writing=False) as here:
        held = [s.statement for s in here.statements() if s.statement.kind in NOTICES]
        seen = {statement.id for statement in held}
        loose = [s.statement for s in here.loose() if s.statement.id not in seen]
    rows = [(s, where) for group, where in ((held, "ledger"), (loose, "loose")) for s in group]
    lines = [
        f"{s.kind:8} {s.predicate['target']}  by {s.issuer}, {where}: {s.predicate['reason']}" for s, where in rows
    ]
    value = [{"id": s.id, "kind": s.kind, "predicate": s.predicate, "where": where} for s, where in rows]
    emit(args, "\n".join(lines) or "no notice is held here", {"notices": value, "schema": "watchword-notices/1"})
    return 0


def _target(args: argparse.Namespace, here: Node) -> str:
    text: str = args.target
    if text.startswith(NAMES):
        return text
    if args.kind == "recall":
        from watchword.cli.subject import release

        return "release:" + release(text, here).digest
    if args.kind == "revoke":
        if Path(text).exists() or not text.startswith("sha256:"):
            raise BadTarget(f"{text}: a revocation is of a key id", "watchword keys lists them")
        return "key:" + text
    return "statement:" + here.locate(text).signed.statement.id


def _place(text: str) -> dict[str, Any]:
    origin, _, size = text.rpartition(":")
    if not origin or not size.isdigit():
        raise BadTarget(f"--valid-up-to {text}: not ORIGIN:SIZE", "such as alfa.example/ledger:120")
    return {"origin": origin, "size": int(size)}
