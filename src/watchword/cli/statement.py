"""``watchword statement``: sign one from a file of its fields; show one with who, when and where."""

from __future__ import annotations

import argparse
import json
import tomllib
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from watchword.cli.output import emit, lower, naming, one_line, passphrase, short, write_new
from watchword.errors import WatchwordError

if TYPE_CHECKING:
    pass


class BadFields(WatchwordError):
    """A fields file that is not TOML or JSON."""


def scope(args: argparse.Namespace) -> str | list[str]:
    """``--scope`` as the statement holds it."""
    words = ("public", "alliance", "own")
    wanted = args.scope or "alliance"
    return wanted if wanted in words else sorted(wanted.split(","))


def sign(args: argparse.Namespace) -> int:
    """Sign a statement; append it to this node's ledger, or write its envelope with ``--output``."""
    from watchword import node
    from watchword.cli.subject import release, release_name
    from watchword.statements.kinds import KINDS, NOTICES, with_nulls
    from watchword.statements.redaction import copy_file, hide
    from watchword.statements.statement import BadStatement, open_envelope
    from watchword.statements.times import SystemClock

    if args.kind not in KINDS:
        raise BadFields(f"{args.kind}: not a kind of statement", "known kinds: " + ", ".join(KINDS))
    if args.kind in NOTICES:
        # Its subject is made from its target; with any other it would not count.
        raise BadFields(f"{args.kind} is a notice", f"watchword notice {args.kind} makes one that counts")
    fields, hidden = hide(args.kind, with_nulls(args.kind, read_fields(args.fields)), args.redactable)
    named = release_name(args, "") if args.system else None
    home = node.find_home(args.home)
    if args.output:
        subject = (release(args.of, None, named),)
        try:
            envelope = node.sign_only(
                home, args.kind, subject, fields, person=args.person, scope=scope(args), clock=SystemClock(),
                passphrase=passphrase(args),
            )  # fmt: skip
        except BadStatement as error:
            raise _bad_fields(args, error) from error
        write_new(args.output, (copy_file(envelope, hidden) if hidden else envelope) + b"\n")
        statement = open_envelope(envelope).statement
        told_ = f"{args.kind} about {subject[0].name} signed by {statement.issuer}: {statement.id}"
        value = {"id": statement.id, "output": str(args.output), "schema": "watchword-signed/1"}
        emit(args, f"{told_}\nwrote {args.output}", value)
        return 0
    with node.Node.open(home, passphrase=passphrase(args), writing=True) as here:
        subject = (release(args.of, here, named),)
        here.bodies.put_many((one.salt, one.body) for one in hidden)
        try:
            recorded = here.sign_and_append(args.kind, subject, fields, person=args.person, scope=scope(args))
        except BadStatement as error:
            raise _bad_fields(args, error) from error
        here.publish()
        emit(args, told(here, recorded), recorded_value(here, recorded))
    return 0


def show(args: argparse.Namespace) -> int:
    """Print a statement: kind, subjects, who, when, where; its fields; then what stands beside it."""
    from watchword import node
    from watchword.account.beside import NOTHING_BESIDE
    from watchword.cli.beside import found_beside
    from watchword.statements.kinds import hidden_fields
    from watchword.statements.redaction import disclosures, read_copy

    path = Path(args.what)
    where = ""
    beside = NOTHING_BESIDE
    if path.is_file():
        with naming(path):
            signed, shown = read_copy(path.read_bytes().removesuffix(b"\n"), str(path))
    else:
        with node.Node.open(node.find_home(args.home), writing=False) as here:
            found = here.locate(args.what)
            signed, where = found.signed, found.locator
            beside = found_beside(here).get(signed.statement.id, beside)
            shown = disclosures(signed.statement, here.bodies.get)
    statement = signed.statement
    fields = {name: value for name, value in statement.predicate.items() if name not in ("issuer", "made", "_sd")}
    fields |= dict.fromkeys(hidden_fields(statement.kind, statement.predicate), "(redacted)")
    fields |= {one.name: one.value for one in shown}
    rows = [
        ("signed by", f"{statement.issuer}, key {signed.key_id}, {statement.predicate.get('made', 'no time')}"),
        # A file alone proves nothing: that its signature verifies and counts is seen where it is recorded or taken in.
        ("recorded", where or "nowhere that this file says; its signature was not checked"),
        *[("about", f"{subject.name} ({subject.digest})") for subject in statement.subject],
        *[
            (name, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
            for name, value in sorted(fields.items())
        ],
        *beside.lines(),
    ]
    width = max(len(name) for name, _ in rows)
    heading = f"{one_line(statement.kind)}  {statement.id}"
    lines = [heading, *(f"  {one_line(name):{width}}  {one_line(value)}" for name, value in rows)]
    value = {
        "id": statement.id, "key": signed.key_id, "kind": statement.kind, "predicate": statement.predicate,
        "schema": "watchword-statement/1", "subject": [asdict(s) for s in statement.subject], "where": where,
        "disclosed": {one.name: one.value for one in shown},
    } | beside.value()  # fmt: skip
    emit(args, "\n".join(lines), value)
    return 0


def list_(args: argparse.Namespace) -> int:
    """List statements with standing in any ledger held here, each with its markings and who replied."""
    from watchword import node
    from watchword.account.beside import NOTHING_BESIDE, label
    from watchword.cli.beside import found_beside
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
        beside = found_beside(here)
    lines = [
        one_line(
            f"{where:18} {s.kind:18} {s.issuer:10} {s.predicate.get('made', '')}  "
            + ", ".join(subject.name for subject in s.subject)
            + "".join(f"  [{label(one.predicate)}]" for one in beside.get(s.id, NOTHING_BESIDE).markings)
            + "".join(f"  (reply of {one.issuer})" for one in beside.get(s.id, NOTHING_BESIDE).replies)
        )
        for where, s in rows
    ]
    value = [
        {
            "id": s.id, "issuer": s.issuer, "kind": s.kind, "made": s.predicate.get("made"),
            "subject": [asdict(x) for x in s.subject], "where": where,
        }
        | beside.get(s.id, NOTHING_BESIDE).value()
        for where, s in rows
    ]  # fmt: skip
    emit(args, "\n".join(lines) or "no such statement here", {"schema": "watchword-statements/1", "statements": value})
    return 0


def told(here: Any, recorded: Any) -> str:
    """One line on a recorded statement, honest about how far it has come."""
    return f"recorded {recorded.locator} ({short(recorded.id)}), {', '.join(here.labels(recorded))}"


def recorded_value(here: Any, recorded: Any) -> dict[str, Any]:
    """The same as JSON."""
    return {
        "id": recorded.id, "labels": list(here.labels(recorded)), "locator": recorded.locator,
        "schema": "watchword-recorded/1",
    }  # fmt: skip


def read_fields(path: Path) -> dict[str, Any]:
    """A file of a kind's own fields, in TOML or JSON. Raises BadFields, naming the file."""
    from watchword.statements.canonical import parse_json

    data = path.read_bytes()
    if path.suffix == ".toml":
        try:
            value: Any = tomllib.loads(data.decode())
        except (ValueError, RecursionError) as error:
            raise BadFields(f"{path}: not TOML: {error}") from error
    else:
        value = parse_json(data, str(path))
    if not isinstance(value, dict):
        raise BadFields(f"{path}: not an object of fields", "docs/reference/kinds.md lists the fields of each kind")
    ours = sorted(value.keys() & {"issuer", "made", "scope", "after"})
    if ours:
        # Who says it, when, and after what is not for a file to say.
        raise BadFields(
            f"{path}: {', '.join(ours)} is not for the file to say", "leave it out; --scope says who may hold it"
        )
    return value


def _bad_fields(args: argparse.Namespace, error: WatchwordError) -> BadFields:
    hint = error.hint or f"docs/reference/kinds.md lists the fields of {args.kind}"
    return BadFields(f"{args.fields}: {lower(error.message)}", hint)


def model_signature(args: argparse.Namespace) -> int:
    """Check a foreign signature over a model, and record it as evidence when asked; or write one."""
    from watchword import node
    from watchword.cli.subject import release, release_name
    from watchword.statements import model_signing

    if args.sign_with:
        data = model_signing.sign(args.path, model_signing.read_signing_key(args.sign_with), args.signature)
        write_new(args.signature, data)
        emit(args, f"wrote {args.signature}", {"output": str(args.signature), "schema": "watchword-model-signed/1"})
        return 0
    data = model_signing.read_bundle(args.signature)
    value: dict[str, Any] = {"schema": "watchword-model-signature/1"}
    try:
        signed = model_signing.parse(data, str(args.signature))
        model_signing.verify(signed, args.public_key.read_bytes() if args.public_key else None)
        files = model_signing.check_files(signed, args.path, args.signature)
    except model_signing.BadModelSignature as error:
        emit(args, f"REFUSED  {error.message}", value | {"ok": False, "why": error.message})
        return 1
    who = f"by a {signed.signer}, {signed.key_digest[:19]}…"
    lines = [f"{args.path}: signed {who}: {files} file{'' if files == 1 else 's'}, root sha256:{signed.root[:12]}…"]
    if signed.signer != "key":
        lines.append("whose certificate it is was not checked, nor the public log that it may name")
    if args.record:
        opened = node.Node.open(node.find_home(args.home), passphrase=passphrase(args), writing=True)
        with opened as here:
            subject = release(str(args.path), here, release_name(args, args.path.name) if args.system else None)
            fields = {
                "document": here.attach(args.signature.name, model_signing.MEDIA_TYPE, data), "files": files,
                "format": "OMS v1.0", "key": signed.key_digest, "root": f"sha256:{signed.root}",
                "signer": signed.signer,
            }  # fmt: skip
            recorded = here.sign_and_append(
                "model-signature", (subject,), fields, person=args.person, scope=scope(args)
            )
            here.publish()
            lines.append(told(here, recorded))
            value |= recorded_value(here, recorded) | {"schema": "watchword-model-signature/1"}
    emit(args, "\n".join(lines), value | {"files": files, "ok": True, "root": f"sha256:{signed.root}"})
    return 0
