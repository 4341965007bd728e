"""The tree of ``watchword data``: its verbs and their arguments. Imports argparse alone."""

from __future__ import annotations

from pathlib import Path

from watchword.cli.arguments import Sub, columns, noun, release_names, signer, verb


def data_commands(commands: Sub) -> None:
    """``data`` and its verbs."""
    data = noun(commands, "data", "was the data manipulated: manifests, exact differences, screens")
    text = "write the manifest of a delivery: of a file by row, of a folder by file"
    manifest = verb(data, "manifest", "data:manifest", text)
    manifest.add_argument("path", type=Path, metavar="DATA", help="CSV, JSONL, Parquet, Arrow, NPZ, tar, or a folder")
    columns(manifest)
    manifest.add_argument("--output", type=Path, metavar="FILE", help="default: DATA.rows or DATA.files beside it")
    manifest.add_argument("--croissant", type=Path, metavar="FILE", help="also write a Croissant 1.1 description there")
    verify = verb(data, "verify", "data:verify", "compare data at hand with a manifest or a Croissant description")
    verify.add_argument("manifest", type=Path, metavar="PROMISED", help="a .rows or .files manifest, or Croissant JSON")
    verify.add_argument("path", type=Path, metavar="DATA", help="the file or folder that should be that")
    remote = verb(data, "remote", "data:remote", "compare what several parties got from a list of addresses")
    remote.add_argument("list", type=Path, metavar="LIST", help="a table with url, sha256 and optionally time, by")
    remote.add_argument("downloads", type=Path, nargs="+", metavar="DOWNLOAD", help="such a table, as downloaded")
    diff = verb(data, "diff", "data:diff", "say exactly which rows of two deliveries differ, by source and annotator")
    diff.add_argument("old", type=Path, metavar="OLD", help="a delivery, or its row manifest")
    diff.add_argument("new", type=Path, metavar="NEW", help="a delivery, or its row manifest")
    columns(diff)
    diff.add_argument("--record", action="store_true", help="sign the result and append it to this node's ledger")
    diff.add_argument("--dataset", metavar="NAME", help="the data set's name (default: NEW's file name)")
    diff.add_argument("--of", metavar="RELEASE", help="the release trained on it: its path or digest")
    release_names(diff)
    signer(diff)
