"""``watchword completion SHELL``, and what the bare command and bare nouns print."""

from __future__ import annotations

import argparse
import sys

from watchword import __version__
from watchword.cli.output import emit, write_out
from watchword.cli.tree import parser


def run(args: argparse.Namespace) -> int:
    """Print a completion script: ``eval "$(watchword completion bash)"``."""
    import shtab

    script = shtab.complete(parser(), shell=args.shell)
    if args.format == "json":
        emit(args, "", {"schema": "watchword-completion/1", "script": script, "shell": args.shell})
    else:
        # As it is: tabs are part of it, and nothing in it comes from elsewhere.
        write_out(script)
    return 0


def version_or_help(args: argparse.Namespace) -> int:
    """``watchword --version`` among other arguments, or no command at all."""
    if args.version:
        write_out(f"watchword {__version__}")
        return 0
    parser().print_help(sys.stderr)
    return 2


def help_of(args: argparse.Namespace) -> int:
    """A noun without a verb."""
    args.noun.print_help(sys.stderr)
    return 2
