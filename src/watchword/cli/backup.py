"""``watchword backup``, ``restore`` and ``upgrade``: a node's folder as one file, and back; its next format."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from watchword.cli.output import emit


def run(args: argparse.Namespace) -> int:
    """Copy the home into one file; with ``--move`` nothing more is said here."""
    from watchword import node
    from watchword.statements.times import SystemClock, rfc3339

    home, clock, target = node.find_home(args.home), SystemClock(), args.file
    if target.is_dir():
        taken = rfc3339(clock.now()).translate(str.maketrans("", "", "-:"))
        target = target / f"{node.read_home(home).name}-{taken}.tar"
    done = node.back_up(home, target, clock, keys=not args.without_keys, move=args.move)
    kept = f"{done.keys} private keys" + (f", {done.plain} of them NOT ENCRYPTED" if done.plain else "")
    text = f"wrote {target}: {done.member}, {done.files:,} files, {done.size:,} bytes, {kept}\n"
    if done.moves:
        text += f"{done.member} says nothing more here; it goes on where this file is restored, once"
    else:
        text += "guard it as the node itself: it holds the alliance secret and every body"
    emit(args, text, {"backup": done.value(), "file": str(target), "schema": "watchword-backup-made/1"})
    return 0


def restore(args: argparse.Namespace) -> int:
    """Put a copy in place; one that was no move comes back silent under its old ledgers."""
    from watchword import node

    home = args.home or Path(os.environ.get("WATCHWORD_HOME") or ".watchword")
    done = node.restore(args.file, home)
    text = f"{home}: {done.member} as of {done.taken}, {done.files:,} files, {done.keys} private keys\n"
    if done.moves:
        text += "it goes on as if nothing had been; destroy the file, and do not restore it a second time"
    elif done.kind == "member":
        text += (
            "what it said and cosigned since then it does not know, so it says nothing under its old ledgers.\n"
            "exchange with the others; the first file from them prepares new ledgers, and says what to do"
        )
    else:
        text += "as it was"
    emit(args, text, {"backup": done.value(), "home": str(home), "schema": "watchword-restored/1"})
    return 0


def upgrade(args: argparse.Namespace) -> int:
    """Bring the home to the format of this version, after a copy."""
    from watchword import node
    from watchword.node.home import FORMAT
    from watchword.node.upgrading import upgrade as upgrade_home
    from watchword.statements.times import SystemClock

    home = node.find_home(args.home)
    before = node.read_home(home).format
    went = upgrade_home(home, args.copy, SystemClock())
    text = f"{home}: is of format {FORMAT} already; nothing was done"
    if went:
        text = f"wrote {args.copy}, as it was\n{home}: format {before} to {FORMAT}; ledgers and bodies are as they were"
    emit(args, text, {"before": before, "format": FORMAT, "schema": "watchword-upgraded/1", "steps": went})
    return 0
