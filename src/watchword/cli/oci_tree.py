"""The tree of ``watchword oci``: its verbs and their arguments. Imports argparse alone."""

from __future__ import annotations

from pathlib import Path

from watchword.cli.arguments import Sub, noun, verb


def oci_commands(commands: Sub) -> None:
    """``oci`` and its verbs."""
    oci = noun(commands, "oci", "statements and proofs beside an artefact in a registry")
    attach = verb(oci, "attach", "oci:attach", "attach statements or proofs to a model or image in a registry")
    attach.add_argument("artefact", metavar="ADDRESS", help="oci://host/repository:tag, or @sha256:…")
    attach.add_argument("files", nargs="+", type=Path, metavar="FILE", help="a statement's envelope, or a proof")
    readers = attach.add_argument("--readers", choices=("public", "alliance"), default="public")
    readers.help = "who can pull there (default: public); a proof goes only where the alliance alone can"
    find = verb(oci, "find", "oci:find", "check what is attached; exit 0 where a proof holds and there is no bad news")
    find.add_argument("artefact", metavar="ADDRESS", help="oci://host/repository:tag, or @sha256:…")
    find.add_argument("--charter", type=Path, required=True, metavar="FILE", help="the charter that is trusted")
    text = "keep there the artefact's manifests and all that holds, as `watchword kubernetes serve` reads it"
    find.add_argument("--output", type=Path, metavar="FOLDER", help=text)
