"""``watchword data``: row manifests and exact differences of deliveries."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from watchword.cli.output import emit, passphrase, progress, whole_file

if TYPE_CHECKING:
    from watchword.data import RowManifest

SUFFIX = ".rows"


def manifest(args: argparse.Namespace) -> int:
    """Write the row manifest of one delivery."""
    from watchword.data import write_manifest

    output = whole_file(args.output or args.path.with_name(args.path.name + SUFFIX))
    made = _manifest(args, args.path)
    write_manifest(made, output)
    value = made.to_json() | {"output": str(output)}
    emit(args, f"{args.path}: {made.rows:,} rows, {value['manifest']}\nwrote {output}", value)
    return 0


def diff(args: argparse.Namespace) -> int:
    """Say exactly what differs; exit 1 when anything does."""
    from watchword.data import diff_rows, render_text

    old, new = _manifest(args, args.old), _manifest(args, args.new)
    difference = diff_rows(old, new)
    value = difference.to_json()
    lines = [render_text(difference).rstrip("\n")]
    if args.record:
        lines.append(_record(args, difference, value))
    emit(args, "\n".join(lines), value)
    return 0 if difference.verdict == "identical" else 1


def _manifest(args: argparse.Namespace, path: Path) -> RowManifest:
    from watchword.data import manifest_rows, read_manifest

    if path.suffix == SUFFIX:
        return read_manifest(path)
    with progress(args) as step:
        return manifest_rows(
            path, key=args.key, label=args.label, source=args.source, annotator=args.annotator, reveal=args.reveal,
            progress=step,
        )  # fmt: skip


def _record(args: argparse.Namespace, difference: Any, value: dict[str, Any]) -> str:
    from watchword import node
    from watchword.cli.statement import recorded_value, scope, told
    from watchword.cli.subject import UnknownRelease, release, release_name
    from watchword.record import record_screening

    if not args.of:
        raise UnknownRelease("--record needs --of RELEASE: the release that was trained on this data")
    with node.Node.open(node.find_home(args.home), passphrase=passphrase(args), writing=True) as here:
        subject = release(args.of, here, release_name(args, "") if args.system else None)
        dataset = args.dataset or args.new.name.removesuffix(SUFFIX)
        recorded = record_screening(here, difference, subject, dataset, person=args.person, scope=scope(args))
        here.publish()
        value["recorded"] = recorded_value(here, recorded)
        return told(here, recorded)
