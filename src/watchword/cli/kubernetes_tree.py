"""The tree of ``watchword kubernetes``: its verbs and their arguments. Imports argparse alone."""

from __future__ import annotations

import argparse
from pathlib import Path

from watchword.cli.arguments import Sub, listening, noun, verb


def kubernetes_commands(commands: Sub) -> None:
    """``kubernetes`` and its verbs."""
    kubernetes = noun(commands, "kubernetes", "which images may start in a cluster, by papers in a folder")
    check = verb(kubernetes, "check", "kubernetes:check", "say what the webhook would answer about these manifests")
    check.add_argument("files", nargs="+", type=Path, metavar="FILE", help="workloads, as YAML or JSON")
    _papers(check)
    serve = verb(kubernetes, "serve", "kubernetes:serve", "answer a cluster's admission webhook until told to end")
    _papers(serve)
    listening(serve, 8443)


def _papers(command: argparse.ArgumentParser) -> None:
    text = "a folder of proofs and manifests, as `watchword oci find --output` keeps them"
    command.add_argument("--papers", type=Path, required=True, metavar="FOLDER", help=text)
    command.add_argument("--charter", type=Path, required=True, metavar="FILE", help="the charter that is trusted")
    command.add_argument("--member", required=True, metavar="NAME", help="whose officials admit")
    use = command.add_argument("--use", type=Path, action="append", required=True, metavar="FILE")
    use.help = "the use case (TOML); serve takes several"
    command.add_argument(
        "--plain", type=Path, metavar="FILE", help="digests of images that hold no model, one a line: they pass"
    )
    command.add_argument(
        "--age", type=int, metavar="S", help="how old a proof's word on bad news may be (default: the charter's)"
    )
