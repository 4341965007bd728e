"""``watchword inspect``: judge files, explain rules, record the result."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from watchword.cli.output import emit, passphrase, progress, say, write_new
from watchword.errors import WatchwordError

if TYPE_CHECKING:
    from watchword.inspect import Inspection

FAILS = {"suspicious": ("suspicious", "dangerous", "unreadable"), "dangerous": ("dangerous", "unreadable")}


class NothingNamed(WatchwordError):
    """No path to look at."""


def run(args: argparse.Namespace) -> int:
    """Inspect each path; exit 1 when any verdict is at or above ``--fail-on``, always for ``unreadable``."""
    from watchword.inspect import explain, inspect_path, render_text

    if args.explain:
        text = explain(args.explain)
        emit(args, text, {"rule": args.explain, "schema": "watchword-rule/1", "text": text})
        return 0
    if not args.paths:
        raise NothingNamed("no path to inspect", "watchword inspect PATH…")
    if args.record and args.no_hash:
        raise NothingNamed("--record needs the release digest, which --no-hash leaves out", "leave out one of the two")
    if args.record:
        _home(args)
    with progress(args) as step:
        # All of them before any is recorded: a path that is not there stops the command while nothing is done yet.
        inspections = [inspect_path(path, hash_files=not args.no_hash, progress=step) for path in args.paths]
    values, texts, failed = [], [], False
    for inspection in inspections:
        failed |= inspection.verdict in FAILS[args.fail_on]
        value = inspection.to_json()
        texts.append(render_text(inspection))
        if args.record:
            line, value["recorded"] = _record(args, inspection)
            texts.append(line)
            failed |= value["recorded"] is None
        values.append(value)
    whole: Any = values[0] if len(values) == 1 else {"inspections": values, "schema": "watchword-inspections/1"}
    if args.output:
        import json

        text = "\n".join(texts) if args.format == "text" else json.dumps(whole, ensure_ascii=False, indent=2)
        write_new(args.output, text.encode() + b"\n")
        say(f"watchword: note: wrote {args.output}")
    else:
        emit(args, "\n".join(texts), whole)
    return 1 if failed else 0


def _home(args: argparse.Namespace) -> Path:
    """Where to record: known before a long search, not after it."""
    from watchword import node

    return node.find_home(args.home)


def _record(args: argparse.Namespace, inspection: Inspection) -> tuple[str, dict[str, Any] | None]:
    from watchword import node
    from watchword.cli.statement import recorded_value, scope, told
    from watchword.cli.subject import release_name
    from watchword.record import record_inspection
    from watchword.statements.statement import Subject

    if inspection.manifest is None:
        return "not recorded: the release cannot be named (a link in it, or a file that could not be read)", None
    with node.Node.open(_home(args), passphrase=passphrase(args), writing=True) as here:
        subject = Subject(release_name(args, inspection.target), inspection.manifest.digest)
        recorded = record_inspection(here, inspection, subject, person=args.person, scope=scope(args))
        here.publish()
        return told(here, recorded), recorded_value(here, recorded)
