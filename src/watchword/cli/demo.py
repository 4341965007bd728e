"""``watchword demo``: the exercise. ``watchword simulate``: an alliance under stress."""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path

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


def simulate(args: argparse.Namespace) -> int:
    """Run the simulated alliance; exit 1, with the seed, when something that must hold did not."""
    from watchword.demo.simulate import Broken
    from watchword.demo.simulate import simulate as play

    seed = int.from_bytes(os.urandom(4), "big") if args.seed is None else args.seed
    with tempfile.TemporaryDirectory(prefix="watchword-simulate-") as aside:
        folder = Path(aside) if args.folder is None else args.folder
        folder.mkdir(exist_ok=True)
        try:
            report = play(folder, seed, args.steps, line=lambda text: None if args.quiet else say(text))
        except Broken as error:
            broken = {"schema": "watchword-simulation/1", "seed": seed, "broken": error.message}
            emit(args, f"BROKEN  {error.message}", broken)
            return 1
    emit(args, report.text(), {"schema": "watchword-simulation/1", "broken": None} | report.value())
    return 0
