"""``python -m benchmarks.soak``: exit 0 when all held, 1 when something broke, 2 when it could not run."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from pathlib import Path

from benchmarks.soak import soaked
from benchmarks.soak.course import GATES, Plan
from benchmarks.soak.disks import apart
from benchmarks.soak.figures import told

CALM_PART = 0.2


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument("--seconds", type=float, default=120, help="calm and storm together (default: 120)")
    parser.add_argument("--nodes", type=int, default=8, help=f"members, {GATES + 1} to 10 (default: 8)")
    parser.add_argument("--seed", type=int, default=1, help="of the faults (default: 1)")
    parser.add_argument("--rate", type=int, default=600, help="questions a second in the storm (default: 600)")
    parser.add_argument("--shared", action="store_true", help="three doors of one gate, whose record is in PostgreSQL")
    parser.add_argument("--report", type=Path, metavar="FILE", help="write what happened there (.json or .html)")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="leave homes and logs there")
    args = parser.parse_args(arguments)
    apart("benchmarks.soak", arguments)
    calm_s = args.seconds * CALM_PART
    plan = Plan(calm_s, args.seconds - calm_s, max(GATES + 1, min(args.nodes, 10)), args.seed, args.rate, args.shared)
    folder = args.keep or Path(tempfile.mkdtemp(prefix="watchword-soak-"))
    folder.mkdir(exist_ok=True)
    try:
        value = soaked(folder, plan)
    finally:
        if args.keep is None:
            shutil.rmtree(folder, ignore_errors=True)
    print(told(value))
    if args.report is not None:
        if args.report.suffix == ".html":
            from benchmarks.soak.report import page

            args.report.write_text(page(value), "utf-8")
        else:
            args.report.write_text(json.dumps(value, indent=1, sort_keys=True) + "\n", "utf-8")
    return 1 if value["breaches"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
