"""``watchword demo``: the exercise."""

from __future__ import annotations

import argparse

from watchword.cli.output import emit, say, write_out


def run(args: argparse.Namespace) -> int:
    """Play it; exit 0 when every command ended as it should."""
    from watchword.demo.exercise import run as play

    # In JSON the answer is one value, so the story goes to the log.
    kept = play(args.folder, keep=args.keep, line=say if args.format == "json" else write_out)
    if kept is not None:
        say(f"watchword: note: everything is left in {kept}")
    if args.format == "json":
        emit(args, "", {"folder": None if kept is None else str(kept), "schema": "watchword-demo/1"})
    return 0
