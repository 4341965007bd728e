"""``watchword statement``: sign one from a file of its fields; show one with who, when and where."""

from __future__ import annotations

import argparse
import json
import tomllib
from pathlib import Path
from typing import Any

from watchword.cli.output import emit, passphrase, write_new
from watchword.errors import WatchwordError


class BadFields(WatchwordError):
    """A fields file that is not TOML or JSON."""


def scope(args: argparse.Namespace) -> str | list[str]:
    """``--scope`` as the statement holds it."""
    words = ("public", "alliance", "own")
    return args.scope if args.scope in words else sorted(args.scope.split(","))


def sign(args: argparse.Namespace) -> int:
    """Sign a statement; append it to this node's ledger, or write its envelope with ``--output``."""
    from watchword import node
    from watchword.cli.subject import release, release_name
    from watchword.statements.statement import open_envelope
    from watchword.statements.times import SystemClock

    fields = _nulls(args.kind, _read(args.fields))
    named = release_name(args, "") if args.system else None
    home = node.find_home(args.home)
    if args.output:
        subject = (release(args.of, None, named),)
        envelope = node.sign_only(
            home, args.kind, subject, fields, person=args.person, scope=scope(args), clock=SystemClock(),
            passphrase=passphrase(args),
        )  # fmt: skip
        write_new(args.output, envelope + b"\n")
        statement = open_envelope(envelope).statement
        told_ = f"{args.kind} about {subject[0].name} signed by {statement.issuer}: {statement.id}"
        value = {"id": statement.id, "output": str(args.output), "schema": "watchword-signed/1"}
        emit(args, f"{told_}\nwrote {args.output}", value)
        return 0
    with node.Node.open(home, passphrase=passphrase(args), writing=True) as here:
        subject = (release(args.of, here, named),)
        recorded = here.sign_and_append(args.kind, subject, fields, person=args.person, scope=scope(args))
        here.publish()
        emit(args, told(here, recorded), recorded_value(here, recorded))
    return 0


def show(args: argparse.Namespace) -> int:
    """Print a statement: kind, subjects, who, when, where; then its fields."""
    from watchword import node
    from watchword.statements.statement import open_envelope

    path = Path(args.what)
    where = ""
    if path.is_file():
        signed = open_envelope(path.read_bytes())
    else:
        with node.Node.open(node.find_home(args.home), writing=False) as here:
            found = here.locate(args.what)
            signed, where = found.signed, found.locator
    statement = signed.statement
    lines = [
        f"{statement.kind}  {statement.id}",
        f"  signed by {statement.issuer}, key {signed.key_id}, {statement.predicate.get('made', 'no time')}",
        *([f"  recorded  {where}"] if where else []),
        *[f"  about     {subject.name} ({subject.digest})" for subject in statement.subject],
        *[
            f"  {name:9} {value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}"
            for name, value in sorted(statement.predicate.items())
            if name not in ("issuer", "made")
        ],
    ]
    value = {
        "id": statement.id, "key": signed.key_id, "kind": statement.kind, "predicate": statement.predicate,
        "schema": "watchword-statement/1", "subject": [vars(s) for s in statement.subject], "where": where,
    }  # fmt: skip
    emit(args, "\n".join(lines), value)
    return 0


def list_(args: argparse.Namespace) -> int:
    """List statements with standing in any ledger held here."""
    from watchword import node
    from watchword.cli.subject import release

    with node.Node.open(node.find_home(args.home), writing=False) as here:
        about = release(args.of, here).digest if args.of else None
        rows = [
            (here.locator(origin, index), held.signed.statement)
            for origin, index, held in here.store.statements()
            if args.kind in (None, held.signed.statement.kind)
            and args.by in (None, held.signed.statement.issuer)
            and (about is None or held.signed.statement.is_about(about))
        ]
    lines = [
        f"{where:18} {s.kind:18} {s.issuer:10} {s.predicate.get('made', '')}  {', '.join(x.name for x in s.subject)}"
        for where, s in rows
    ]
    value = [
        {
            "id": s.id, "issuer": s.issuer, "kind": s.kind, "made": s.predicate.get("made"),
            "subject": [vars(x) for x in s.subject], "where": where,
        }
        for where, s in rows
    ]  # fmt: skip
    emit(args, "\n".join(lines) or "no such statement here", {"schema": "watchword-statements/1", "statements": value})
    return 0


def told(here: Any, recorded: Any) -> str:
    """One line on a recorded statement, honest about how far it has come."""
    return f"recorded {recorded.locator} ({recorded.id}), {', '.join(here.labels(recorded))}"


def recorded_value(here: Any, recorded: Any) -> dict[str, Any]:
    """The same as JSON."""
    return {
        "id": recorded.id, "labels": list(here.labels(recorded)), "locator": recorded.locator,
        "schema": "watchword-recorded/1",
    }  # fmt: skip


def _read(path: Path) -> dict[str, Any]:
    from watchword.statements.canonical import parse_json

    data = path.read_bytes()
    if path.suffix == ".toml":
        try:
            return tomllib.loads(data.decode())
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise BadFields(f"{path}: not TOML: {error}") from error
    value = parse_json(data, str(path))
    if not isinstance(value, dict):
        raise BadFields(f"{path}: not an object of fields", "docs/reference/kinds.md lists the fields of each kind")
    return value


def _nulls(kind: str, fields: dict[str, Any]) -> dict[str, Any]:
    """Fields that may be null are null where the file leaves them out: TOML cannot write null."""
    from watchword.statements.kinds import optional_fields

    return {name: None for name in optional_fields(kind) if name != "after"} | fields
