"""The door for people: parse, call a room, print. Nothing is decided here.

Exit codes: 0 yes or nothing found; 1 no (findings, refused, hold, unreadable content); 2 could not do it.
Python itself exits 1 on an uncaught error, which would read as a verdict: so everything is caught here and exits 2.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from watchword import __version__

if TYPE_CHECKING:
    import argparse


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line; returns the exit code and never raises."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments == ["--version"] and sys.stdout is not None:
        # Answered before anything else is imported: scripts ask it often.
        try:
            print(f"watchword {__version__}", flush=True)
            return 0
        except OSError:
            pass  # the door tries again, and tells why it cannot
    try:
        from watchword.cli.door import run

        return run(arguments)
    except KeyboardInterrupt:
        # While modules were still being loaded, or while an error was being told.
        return 2


def parser() -> argparse.ArgumentParser:
    """The whole tree of commands, for completion, documentation and tests."""
    from watchword.cli.tree import parser as tree

    return tree()


def entry() -> None:
    """The console script."""
    sys.exit(main())
