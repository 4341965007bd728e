"""The tree of ``watchword fleet``: its verbs and their arguments. Imports argparse alone."""

from __future__ import annotations

import argparse
from pathlib import Path

from watchword.cli.arguments import Sub, from_one_to, noun, sandboxed, signer, verb
from watchword.limits import JOBS_MAX, RELEASE_DEPTH_MAX


def fleet_commands(commands: Sub) -> None:
    """``fleet`` and its verbs."""
    fleet = noun(commands, "fleet", "all the systems of a hub at once, on this machine or on many")
    inspect = verb(fleet, "inspect", "fleet:inspect", "inspect every release of a hub; goes on where it was stopped")
    _hubs(inspect)
    inspect.add_argument("--output", type=Path, metavar="FILE", help="write all inspections there, one on each line")
    _crew(inspect)
    sandboxed(inspect)
    inspect.add_argument("--no-hash", action="store_true", help="judge only; far files are not read whole")
    inspect.add_argument("--weights", action="store_true", help="read the numbers of tensors too (needs numpy)")
    inspect.add_argument("--plugins", action="append", default=[], metavar="NAME", help="ask this plugin too")
    inspect.add_argument(
        "--fail-on", choices=("suspicious", "dangerous"), default="suspicious", help="the least verdict that exits 1"
    )
    inspect.add_argument("--record", action="store_true", help="sign each result and append it to this node's ledger")
    signer(inspect)
    text = "write the file manifest of every delivery in a hub, as `data manifest FOLDER` does; nothing lands here"
    data = verb(fleet, "data", "fleet:data", text)
    _hubs(data)
    data.add_argument("--output", type=Path, required=True, metavar="FOLDER", help="where the manifests go")
    _crew(data)
    text = "run one plan on every model of a hub, to rehearse or as evidence; goes on where it was stopped"
    evaluate = verb(fleet, "evaluate", "fleet_evaluation:evaluate", text)
    evaluate.add_argument("plan", type=Path, metavar="PLAN", help="the plan (TOML), without a release of its own")
    _hubs(evaluate)
    evaluate.add_argument("--data", type=Path, required=True, metavar="PATH", help="the data")
    how = evaluate.add_mutually_exclusive_group(required=True)
    how.add_argument("--rehearse", metavar="SEED", help="with this seed for every run; nothing is recorded")
    how.add_argument("--commit", action="store_true", help="sign and record the plan for every release; run nothing")
    how.add_argument("--record", action="store_true", help="run what is committed and drawn; record the results")
    evaluate.add_argument("--draw-from", metavar="MEMBER", help="whose next entry gives seeds (default: the newest)")
    signer(evaluate)
    evaluate.add_argument("--harness", type=Path, metavar="FILE", help="the Python file that stands before each model")
    evaluate.add_argument("--output", type=Path, metavar="FILE", help="write all results there, one on each line")
    _crew(evaluate)


def _hubs(command: argparse.ArgumentParser) -> None:
    text = "a folder, a cache of the Hugging Face Hub, s3://, gs://, az://, http(s)://, oci://"
    command.add_argument("hubs", nargs="+", metavar="HUB", help=text)
    depth = command.add_argument("--depth", type=_depth, default=1, metavar="N")
    depth.help = "how many folders down a release stands (default: 1; 0: the hub is one release)"
    command.add_argument("--state", type=Path, metavar="FILE", help="what was seen so far; unchanged is not read again")


def _crew(command: argparse.ArgumentParser) -> None:
    command.add_argument("--jobs", type=from_one_to(JOBS_MAX), metavar="N", help="processes (default: all cores)")
    command.add_argument("--on", choices=("ray",), help="who works: the Ray cluster of $RAY_ADDRESS")


def _depth(text: str) -> int:
    if not text.isdigit() or int(text) > RELEASE_DEPTH_MAX:
        raise argparse.ArgumentTypeError(f"not a number from 0 to {RELEASE_DEPTH_MAX}")
    return int(text)
