"""``watchword demo``: the exercise."""

from __future__ import annotations

import argparse

from watchword.cli.output import say


def run(args: argparse.Namespace) -> int:
    """Play it; exit 0 when every command ended as it should."""
    from watchword.demo.exercise import run as play

    kept = play(args.folder, keep=args.keep, line=lambda text: print(text, flush=True))
    if kept is not None:
        say(f"watchword: note: everything is left in {kept}")
    return 0
