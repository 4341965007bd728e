"""``watchword data``: manifests and exact differences of deliveries, descriptions and lists of addresses checked."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from watchword.cli.output import emit, keeping, passphrase, progress, whole_file

if TYPE_CHECKING:
    from watchword.data import RowManifest
    from watchword.data.files import FileChange, FileManifest

SUFFIX = ".rows"
FILES_SUFFIX = ".files"
_NAMED_MAX = 20


def manifest(args: argparse.Namespace) -> int:
    """Write the manifest of one delivery: of a file row by row, of a folder file by file."""
    from watchword.data import write_manifest
    from watchword.data.croissant import describe
    from watchword.data.files import write_file_manifest

    folder = args.path.is_dir()
    named = args.path.name or "delivery"
    output = whole_file(args.output or args.path.parent / f"{named}{FILES_SUFFIX if folder else SUFFIX}")
    croissant = whole_file(args.croissant) if args.croissant else None
    made = _folder(args, args.path, plain=croissant is not None) if folder else _manifest(args, args.path)
    if folder:
        write_file_manifest(made, output)  # type: ignore[arg-type]
    else:
        write_manifest(made, output)  # type: ignore[arg-type]
    value = made.to_json() | {"output": str(output)}
    said = f"{value['files']:,} files, {value['bytes']:,} bytes" if folder else f"{value['rows']:,} rows"
    lines = [f"{args.path}: {said}, {value['manifest']}"]
    if folder and value["credentials"]:
        lines.append(
            f"{value['credentials']:,} files carry C2PA credentials, which were not checked; absence proves nothing"
        )
    lines.append(f"wrote {output}")
    if croissant:
        croissant.write_bytes(describe(made, named))
        lines.append(f"wrote {croissant}")
        value["croissant"] = str(croissant)
    emit(args, "\n".join(lines), value)
    return 0


def diff(args: argparse.Namespace) -> int:
    """Say exactly what differs; exit 1 when anything does."""
    from watchword.data import diff_rows, render_text

    if args.old.is_dir() or args.old.suffix == FILES_SUFFIX:
        return _diff_files(args, args.old, args.new)
    if args.old.suffix == args.new.suffix == SUFFIX:
        difference = diff_rows(args.old, args.new)
    else:
        difference = diff_rows(_manifest(args, args.old), _manifest(args, args.new))
    value = difference.to_json()
    lines = [render_text(difference).rstrip("\n")]
    if args.record:
        lines.append(_record(args, difference, value))
    emit(args, "\n".join(lines), value)
    return 0 if difference.verdict == "identical" else 1


def verify(args: argparse.Namespace) -> int:
    """Compare what is at hand with a manifest or a Croissant description; exit 1 when it is not that."""
    from watchword.data import diff_rows, read_manifest, render_text

    if args.manifest.suffix == FILES_SUFFIX:
        return _diff_files(args, args.manifest, args.path)
    if args.manifest.suffix != SUFFIX:
        return _verify_croissant(args)
    promised = read_manifest(args.manifest)
    roles = promised.roles
    args.key, args.label, args.source, args.annotator = roles.key, roles.label, roles.source, roles.annotator
    args.reveal = promised.shown_labels is not None
    held = _manifest(args, args.path)
    difference = diff_rows(promised, held)
    # The same rows in other bytes (line ends, compression) are another file, but the same data.
    value = difference.to_json() | {"same_file": promised.file_sha256 == held.file_sha256}
    lines = [render_text(difference).rstrip("\n")]
    if difference.verdict == "identical" and not value["same_file"]:
        lines.append("the rows are those of the manifest; the file is spelled in other bytes")
    emit(args, "\n".join(lines), value)
    return 0 if difference.verdict == "identical" else 1


def remote(args: argparse.Namespace) -> int:
    """Compare what several parties got from a list of addresses; exit 1 where they do not agree."""
    from watchword.cli.output import short
    from watchword.data.remote import compare, read_observations

    listed = read_observations(args.list)
    found = compare(listed, [read_observations(path) for path in args.downloads])
    lines = []
    for one in found[:_NAMED_MAX]:
        seen = ", ".join(f"{by} {short(f'sha256:{digest}') if digest else 'nothing'}" for by, digest in one.seen[:6])
        lines.append(f"{one.trouble:<15}{one.url}   {seen}")
    lines += [f"and {len(found) - _NAMED_MAX:,} more"] if len(found) > _NAMED_MAX else []
    counts = {kind: sum(one.trouble == kind for one in found) for kind in dict.fromkeys(one.trouble for one in found)}
    told = ", ".join(f"{count:,} {kind}" for kind, count in counts.items())
    lines.append(f"{'DIFFERENT' if found else 'AGREED'}  {len(listed):,} addresses{': ' if told else ''}{told}")
    value = {
        "schema": "watchword-data-remote/1",
        "addresses": len(listed),
        "counts": counts,
        "troubled": [{"url": o.url, "trouble": o.trouble, "seen": [list(pair) for pair in o.seen]} for o in found],
    }
    emit(args, "\n".join(lines), value)
    return 1 if found else 0


def _diff_files(args: argparse.Namespace, old: Path, new: Path) -> int:
    from watchword.data.files import diff_files

    before, after = _files(args, old), _files(args, new)
    changes = diff_files(before, after)
    lines = [_file_line(change) for change in changes[:_NAMED_MAX]]
    lines += [f"and {len(changes) - _NAMED_MAX:,} more"] if len(changes) > _NAMED_MAX else []
    said = "DIFFERENT" if changes else "IDENTICAL"
    roots = f"sha256:{before.root.hex()[:8]}… → sha256:{after.root.hex()[:8]}…"
    lines.append(
        f"{said}  {len(before.lines):,} files → {len(after.lines):,} files, {len(changes):,} differ     {roots}"
    )
    value = {
        "schema": "watchword-data-files-difference/1",
        "verdict": said.lower(),
        "old": before.to_json(),
        "new": after.to_json(),
        "changes": [
            {"kind": c.kind, "path": c.path, "old_path": c.old_path, "ranges": [list(pair) for pair in c.ranges]}
            for c in changes
        ],
    }
    emit(args, "\n".join(lines), value)
    return 1 if changes else 0


def _file_line(change: FileChange) -> str:
    if change.kind == "renamed":
        return f"{change.kind:<10}{change.old_path} → {change.path}"
    where = ", ".join(f"{start:,} to {end:,}" for start, end in change.ranges[:4])
    more = f" and {len(change.ranges) - 4:,} more" if len(change.ranges) > 4 else ""
    return f"{change.kind:<10}{change.path}" + (f"   bytes {where}{more}" if where else "")


def _verify_croissant(args: argparse.Namespace) -> int:
    from watchword.data.croissant import check_described, read_croissant
    from watchword.data.files import manifest_files

    described = read_croissant(args.manifest)
    # A single file is looked at where it lies: its folder may hold others, which the description does not tell of.
    folder = args.path if args.path.is_dir() else args.path.parent
    with progress(args) as step:
        held = manifest_files(folder, plain=True, progress=step)
    result = check_described(described, held)
    own = {os.fspath(args.manifest.name)} if args.manifest.parent.resolve() == folder.resolve() else set()
    result["not-described"] = [path for path in result["not-described"] if path not in own]
    bad = sum(len(result[name]) for name in ("changed", "missing", "without-digest"))
    lines = [
        f"{name:<16}{path}" for name in ("changed", "missing", "without-digest") for path in result[name][:_NAMED_MAX]
    ]
    if result["not-described"]:
        lines.append(f"{len(result['not-described']):,} files here are not described")
    said = "DIFFERENT" if bad else "AGREED"
    told = f"{len(result['same']):,} of {len(described.files):,} files are as described"
    lines.append(f"{said}  {told} (Croissant {described.version}; by file, not by row)")
    value = {"schema": "watchword-data-described/1", "verdict": said.lower(), "version": described.version, **result}
    emit(args, "\n".join(lines), value)
    return 1 if bad or not described.files else 0


def _files(args: argparse.Namespace, path: Path) -> FileManifest:
    from watchword.data.files import read_file_manifest

    return _folder(args, path, plain=False) if path.is_dir() else read_file_manifest(path)


def _folder(args: argparse.Namespace, path: Path, *, plain: bool) -> FileManifest:
    from watchword.data.files import manifest_files

    with progress(args) as step:
        return manifest_files(path, plain=plain, progress=step)


def _manifest(args: argparse.Namespace, path: Path) -> RowManifest:
    from watchword.data import manifest_rows, read_manifest

    if path.suffix == SUFFIX:
        return read_manifest(path)
    kept = keeping(args)
    with progress(args) as step:
        return manifest_rows(
            path, key=args.key, label=args.label, source=args.source, annotator=args.annotator, reveal=args.reveal,
            kept=kept, progress=step,
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
