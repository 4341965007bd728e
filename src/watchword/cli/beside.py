"""``watchword statement reply``, ``mark``, ``redact``: what is signed beside a statement, never wider than it, and what
is taken out of one."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from watchword.cli.output import emit, naming, passphrase, write_new
from watchword.errors import WatchwordError
from watchword.statements.digests import is_digest

if TYPE_CHECKING:
    from watchword.node import Node
    from watchword.statements.statement import Statement


class NoneSuch(WatchwordError):
    """The statement that something is to stand beside is not here."""


def reply(args: argparse.Namespace) -> int:
    """Sign a reply to a statement; append it, or write its envelope with ``--output``."""
    return _sign_beside(args, "reply", {"text": args.text})


def mark(args: argparse.Namespace) -> int:
    """Put a confidentiality label beside a statement, from XML or from a file of its fields."""
    from watchword.cli.statement import read_fields
    from watchword.statements.kinds import with_nulls
    from watchword.statements.label import label_xml, parse_label

    with naming(args.label):
        if args.label.suffix == ".xml":
            fields = parse_label(args.label.read_bytes())
        else:
            fields = with_nulls("marking", {"categories": []} | read_fields(args.label))
    code = _sign_beside(args, "marking", fields)
    if args.xml:
        write_new(args.xml, label_xml(fields))
    return code


def redact(args: argparse.Namespace) -> int:
    """Have fields of a statement purged everywhere, or write a copy for somebody without them."""
    from watchword import node
    from watchword.cli.statement import recorded_value, told
    from watchword.node.spilling import spill
    from watchword.statements.digests import parse_digest
    from watchword.statements.kinds import hidden_fields
    from watchword.statements.redaction import copy_file, disclosures

    if bool(args.output) == bool(args.reason):
        raise NoneSuch(
            "give either --reason or --output", "--reason purges the fields everywhere, --output writes a copy without"
        )
    opened = node.Node.open(node.find_home(args.home), passphrase=passphrase(args), writing=not args.output)
    with opened as here:
        signed = here.locate(args.statement).signed
        statement = signed.statement
        shown = disclosures(statement, here.bodies.get)
        for name in args.field:
            if name not in hidden_fields(statement.kind, statement.predicate):
                raise NoneSuch(f"{args.statement}: {name} was not signed so that it can be redacted")
            if name not in [one.name for one in shown]:
                raise NoneSuch(f"{args.statement}: {name} is not held here", "it is redacted already, or was not sent")
        if args.output:
            left = [one for one in shown if one.name not in args.field]
            write_new(args.output, copy_file(signed.envelope, left) + b"\n")
            value = {"id": statement.id, "output": str(args.output), "schema": "watchword-signed/1"}
            emit(args, f"wrote {args.output}: {statement.kind} {statement.id} without {', '.join(args.field)}", value)
            return 0
        only = [parse_digest(one.digest) for one in shown if one.name in args.field]
        recorded = spill(here, args.statement, args.reason, args.person, only)
        here.publish()
        emit(args, f"purged here: {', '.join(args.field)}\n{told(here, recorded)}", recorded_value(here, recorded))
    return 0


def _sign_beside(args: argparse.Namespace, kind: str, fields: dict[str, Any]) -> int:
    """Sign *kind* about a statement that is in a file, on record here or, for a supplier, only known by its id.

    Its scope is the statement's where none is given: its fields name the statement, and a name that others could test
    must not reach further than what it names (I10).
    """
    from watchword import node
    from watchword.cli.statement import recorded_value, told
    from watchword.node.home import read_home
    from watchword.statements.statement import Subject, open_envelope
    from watchword.statements.times import SystemClock

    home = node.find_home(args.home)
    path = Path(args.statement)
    target: Statement | None = None
    if path.is_file():
        with naming(path):
            target = open_envelope(path.read_bytes().removesuffix(b"\n")).statement
    if args.output or read_home(home).kind == "supplier":
        if not args.output:
            raise NoneSuch("a supplier has no ledger to record it in", "write it with --output FILE and send it")
        id = target.id if target is not None else args.statement
        if not is_digest(id):
            raise NoneSuch(f"{args.statement}: neither a file nor an id", "give the file that you were sent, or its id")
        scope = _scope(args, target)
        envelope = node.sign_only(
            home, kind, (Subject("statement", id),), {"statement": id} | fields, person=args.person, scope=scope,
            clock=SystemClock(), passphrase=passphrase(args),
        )  # fmt: skip
        write_new(args.output, envelope + b"\n")
        signed = open_envelope(envelope).statement
        value = {"id": signed.id, "output": str(args.output), "schema": "watchword-signed/1"}
        emit(args, f"{kind} to {id} signed by {signed.issuer}: {signed.id}\nwrote {args.output}", value)
        return 0
    with node.Node.open(home, passphrase=passphrase(args), writing=True) as here:
        target = target or here.locate(args.statement).signed.statement
        recorded = here.sign_and_append(
            kind, (Subject("statement", target.id),), {"statement": target.id} | fields, person=args.person,
            scope=_scope(args, target),
        )  # fmt: skip
        here.publish()
        emit(args, told(here, recorded), recorded_value(here, recorded))
    return 0


def _scope(args: argparse.Namespace, target: Statement | None) -> Any:
    from watchword.cli.statement import scope

    if args.scope:
        return scope(args)
    return "alliance" if target is None else target.predicate.get("scope", "own")


def found_beside(here: Node) -> Any:
    """What stands beside each statement with standing that is held here, by its id (``account.beside``)."""
    from watchword.account.beside import beside

    held = (held.signed.statement for _, _, held in here.store.statements() if held.holder is not None)
    return beside(here.charter, held)
