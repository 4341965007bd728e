"""``watchword inspect``: judge files, explain rules, record the result."""

from __future__ import annotations

import argparse
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from watchword.cli.output import Progress, emit, keeping, passphrase, progress, say, write_new, write_out
from watchword.errors import WatchwordError

if TYPE_CHECKING:
    from watchword.inspect import Inspection
    from watchword.inspect.compare import Comparison
    from watchword.sandbox import Kept

FAILS = {"suspicious": ("suspicious", "dangerous", "unreadable"), "dangerous": ("dangerous", "unreadable")}


class NothingNamed(WatchwordError):
    """No path to look at."""


class Contradiction(WatchwordError):
    """Two options that do not go together."""


class NoBill(WatchwordError):
    """The release cannot be named, so nothing can be listed under its name."""


def run(args: argparse.Namespace) -> int:
    """Inspect each path; exit 1 when any verdict is at or above ``--fail-on``, always for ``unreadable``."""
    from watchword.inspect import explain
    from watchword.inspect.file import How
    from watchword.inspect.inspection import inspect_paths

    if args.explain:
        text = explain(args.explain)
        emit(args, text, {"rule": args.explain, "schema": "watchword-rule/1", "text": text})
        return 0
    _refuse_contradictions(args)
    today = datetime.now(UTC).date()
    baseline = None
    if args.baseline:
        from watchword.inspect.baseline import apply_baseline, read_baseline

        baseline = read_baseline(args.baseline, today)
    kept = keeping(args)
    with progress(args) as step:
        # All of them before any is recorded: a path that is not there stops the command while nothing is done yet.
        how = How(not args.no_hash, args.weights, tuple(args.plugins))
        inspections = inspect_paths(args.paths, how, jobs=args.jobs, kept=kept, progress=step)
        comparison = _compared(args, inspections[0], kept, step) if args.against else None
    if args.write_baseline:
        from watchword.inspect.baseline import draft_baseline

        write_new(args.write_baseline, draft_baseline(inspections, today).encode())
        say(f"watchword: note: wrote {args.write_baseline}; give each suppression a reason and an owner, or delete it")
    if args.bom:
        _write_bill(args.bom, inspections[0])
    if baseline is not None:
        inspections = [apply_baseline(one, baseline, today) for one in inspections]
    failed = any(one.verdict in FAILS[args.fail_on] for one in inspections)
    recorded = [_record(args, one) for one in inspections] if args.record else []
    failed |= any(value is None for _, value in recorded)
    text = _rendered(args, inspections, recorded) if comparison is None else _told(args, comparison)
    if args.output:
        write_new(args.output, text.encode() + b"\n")
        say(f"watchword: note: wrote {args.output}")
    elif args.format == "text":
        emit(args, text, None)
    else:
        write_out(text)
    return 1 if failed else 0


def _refuse_contradictions(args: argparse.Namespace) -> None:
    if not args.paths:
        raise NothingNamed("no path to inspect", "watchword inspect PATH…")
    if args.bom and len(args.paths) > 1:
        raise Contradiction("--bom writes the bill of one release", "give one path")
    needed = ("record", "the release digest"), ("bom", "the release digest"), ("baseline", "each file's digest")
    for needs, why in needed:
        if getattr(args, needs) and args.no_hash:
            words = f"--{needs} needs {why}, which --no-hash leaves out"
            raise Contradiction(words, "leave out one of the two")
    if args.against and (len(args.paths) > 1 or args.no_hash or args.record or args.baseline):
        words = "--against compares one release, all of it, with an older one"
        raise Contradiction(words, "give one path, without --no-hash, --record and --baseline")
    if args.against and args.format in ("sarif", "junit"):
        raise Contradiction(f"--against is not told as {args.format}", "give --format text or json")
    if args.record and args.baseline:
        raise Contradiction("--record signs all that was found, and --baseline sets some of it aside", "leave out one")
    if args.record:
        _home(args)


def _write_bill(path: Path, inspection: Inspection) -> None:
    from watchword.record.bill import bill_of
    from watchword.statements.canonical import canonical
    from watchword.statements.times import rfc3339

    if inspection.manifest is None:
        words = f"{inspection.target}: holds links or what could not be read, so no bill can name it"
        raise NoBill(words, "deliver the files themselves, then inspect again")
    write_new(path, canonical(bill_of(inspection, made=rfc3339(datetime.now(UTC)))))
    say(f"watchword: note: wrote {path}")


def _compared(args: argparse.Namespace, new: Inspection, kept: Kept, step: Progress | None) -> Comparison:
    from watchword.inspect import inspect_path
    from watchword.inspect.compare import compare

    plugins = tuple(args.plugins)
    old = inspect_path(args.against, plugins=plugins, jobs=args.jobs, kept=kept, progress=step)
    return compare(old, new, args.against, args.paths[0], step, kept=kept)


def _told(args: argparse.Namespace, comparison: Comparison) -> str:
    from watchword.inspect import render_text
    from watchword.inspect.compare import render_comparison

    if args.format == "json":
        return json.dumps(comparison.to_json(), indent=2, sort_keys=True)
    return f"{render_comparison(comparison)}\n{render_text(comparison.new)}"


def _rendered(
    args: argparse.Namespace, inspections: list[Inspection], recorded: list[tuple[str, dict[str, Any] | None]]
) -> str:
    if args.format == "sarif":
        from watchword.inspect.rules import BY_ID
        from watchword.inspect.sarif import sarif

        rules = BY_ID
        if args.plugins:
            from watchword.inspect.plugins import load_plugins

            rules = {**BY_ID, **load_plugins(tuple(args.plugins)).rules}
        return json.dumps(sarif(inspections, rules), indent=2)
    if args.format == "junit":
        from watchword.inspect.junit import junit

        return junit(inspections, FAILS[args.fail_on])
    if args.format == "json":
        values: list[dict[str, Any]] = [one.to_json() for one in inspections]
        for value, (_, answer) in zip(values, recorded, strict=False):
            value["recorded"] = answer
        whole = values[0] if len(values) == 1 else {"inspections": values, "schema": "watchword-inspections/1"}
        # ASCII: the same in every locale, and no character that a terminal would act on.
        return json.dumps(whole, indent=2, sort_keys=True)
    from watchword.inspect import render_text

    lines = []
    for number, one in enumerate(inspections):
        lines.append(render_text(one))
        lines += [recorded[number][0]] if recorded else []
    return "\n".join(lines)


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
