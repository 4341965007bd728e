"""The tree of ``watchword data``: its verbs and their arguments. Imports argparse alone."""

from __future__ import annotations

import argparse
from pathlib import Path

from watchword.cli.arguments import Sub, columns, noun, release_names, sandboxed, signer, verb


def data_commands(commands: Sub) -> None:
    """``data`` and its verbs."""
    data = noun(commands, "data", "was the data manipulated: manifests, exact differences, screens")
    text = "write the manifest of a delivery: of a file by row, of a folder by file"
    manifest = verb(data, "manifest", "data:manifest", text)
    manifest.add_argument("path", type=Path, metavar="DATA", help="CSV, JSONL, Parquet, Arrow, NPZ, tar, or a folder")
    columns(manifest)
    manifest.add_argument("--output", type=Path, metavar="FILE", help="default: DATA.rows or DATA.files beside it")
    sandboxed(manifest)
    manifest.add_argument("--croissant", type=Path, metavar="FILE", help="also write a Croissant 1.1 description there")
    verify = verb(data, "verify", "data:verify", "compare data at hand with a manifest or a Croissant description")
    verify.add_argument("manifest", type=Path, metavar="PROMISED", help="a .rows or .files manifest, or Croissant JSON")
    verify.add_argument("path", type=Path, metavar="DATA", help="the file or folder that should be that")
    sandboxed(verify)
    remote = verb(data, "remote", "data:remote", "compare what several parties got from a list of addresses")
    remote.add_argument("list", type=Path, metavar="LIST", help="a table with url, sha256 and optionally time, by")
    remote.add_argument("downloads", type=Path, nargs="+", metavar="DOWNLOAD", help="such a table, as downloaded")
    text = "look for what seems planted: rank, list, and say with how much power"
    screen = verb(data, "screen", "data_screen:screen", text)
    screen.add_argument(
        "path", type=Path, metavar="DATA", help="CSV, JSONL, Parquet, Arrow or NPZ, with a label column"
    )
    columns(screen)
    screen.add_argument("--trusted", metavar="COLUMN", help="the column that is 1 where somebody answers for the row")
    previous = screen.add_argument("--previous", type=Path, metavar="FILE")
    previous.help = "the last delivery, or its manifest: rows that it has count as trusted"
    text = "also screen the model trained on it, in the sandbox: FILE.onnx, or FILE.py:FUNCTION"
    screen.add_argument("--model", metavar="MODEL", help=text)
    text = "models of the same architecture to set it beside: ONNX files, or folders with a FILE.py each"
    screen.add_argument("--zoo", type=Path, metavar="FOLDER", help=text)
    text = "what the model takes, as in 1,28,28 (default: pictures with channels first)"
    screen.add_argument("--shape", metavar="SIZES", help=text)
    screen.add_argument(
        "--scale", type=float, default=1.0, metavar="N", help="give the model pictures from 0 to N (default: 1)"
    )
    sandboxed(screen)
    screen.add_argument("--seed", type=int, default=0, metavar="N", help="same seed, same result (default: 0)")
    screen.add_argument("--no-power", action="store_true", help="do not plant known poisons to measure power")
    screen.add_argument("--output", type=Path, metavar="FILE", help="write the whole result there, as JSON")
    screen.add_argument("--report", type=Path, metavar="FILE", help="write a page about it there")
    _recorded(screen, "DATA's")
    review = verb(data, "review", "data_screen:review", "page through listed rows: keep or drop, each with a reason")
    review.add_argument("screen", type=Path, metavar="SCREEN", help="what data screen wrote with --output")
    review.add_argument("path", type=Path, metavar="DATA", help="the delivery that was screened (CSV or JSONL)")
    columns(review)
    review.add_argument("--decisions", type=Path, metavar="FILE", help="row, decision, reason as CSV, not asked for")
    review.add_argument(
        "--output", type=Path, metavar="FILE", required=True, help="where the delivery without them goes"
    )
    review.add_argument("--page", action="store_true", help="decide in a browser, at an address of this machine alone")
    _recorded(review, "DATA's")
    diff = verb(data, "diff", "data:diff", "say exactly which rows of two deliveries differ, by source and annotator")
    diff.add_argument("old", type=Path, metavar="OLD", help="a delivery, or its row manifest")
    diff.add_argument("new", type=Path, metavar="NEW", help="a delivery, or its row manifest")
    columns(diff)
    sandboxed(diff)
    _recorded(diff, "NEW's")


def _recorded(command: argparse.ArgumentParser, whose: str) -> None:
    command.add_argument("--record", action="store_true", help="sign the result and append it to this node's ledger")
    command.add_argument("--dataset", metavar="NAME", help=f"the data set's name (default: {whose} file name)")
    command.add_argument("--of", metavar="RELEASE", help="the release trained on it: its path or digest")
    release_names(command)
    signer(command)
