"""``watchword completion SHELL``, and what the bare command and bare nouns print."""

from __future__ import annotations

import argparse
import sys

from watchword import __version__
from watchword.cli.tree import parser


def run(args: argparse.Namespace) -> int:
    """Print a completion script: ``eval "$(watchword completion bash)"``."""
    import shtab

    print(shtab.complete(parser(), shell=args.shell))
    return 0


def version_or_help(args: argparse.Namespace) -> int:
    """``watchword --version`` among other arguments, or no command at all."""
    if args.version:
        print(f"watchword {__version__}")
        return 0
    parser().print_help(sys.stderr)
    return 2


def help_of(args: argparse.Namespace) -> int:
    """A noun without a verb."""
    args.noun.print_help(sys.stderr)
    return 2
