"""Where every command line enters and every error leaves (exit codes: see ``watchword.cli``)."""

from __future__ import annotations

import argparse
import importlib
import os
import signal
import sys
import traceback
from collections.abc import Callable

from watchword.cli.tree import parser
from watchword.errors import WatchwordError


def run(arguments: list[str]) -> int:
    """Parse, call the command's function, translate what it raises into two lines on stderr and exit code 2."""
    try:
        args = parser().parse_args(arguments)
    except SystemExit as stop:
        # argparse exits 0 after --help and 2 on a usage error, as we would.
        return stop.code if isinstance(stop.code, int) else 2
    try:
        code = _command(args.run)(args)
        sys.stdout.flush()
        return code
    except WatchwordError as error:
        return _told(error.message, error.hint)
    except KeyboardInterrupt:
        return _told("interrupted", "what was acknowledged is kept; the command can be given again")
    except BrokenPipeError:
        # The reader went away (a pager, head): nobody is left to tell, and Python must not try at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 2
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        return _told(f"{where}{error.strerror or error}", "nothing half-done was kept")
    except MemoryError:
        return _told("out of memory", "the input is larger than this machine can hold")
    except Exception as error:  # noqa: BLE001  the door is the one place that catches everything
        if os.environ.get("WATCHWORD_DEBUG"):
            traceback.print_exc()
        name = type(error).__name__
        return _told(f"internal error: {name}: {error}", "this is a bug; WATCHWORD_DEBUG=1 shows where it arose")


def _command(name: str) -> Callable[[argparse.Namespace], int]:
    """``module:function`` under ``watchword.cli``; imported only now, so that other commands stay quick."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    module, _, function = name.partition(":")
    command: Callable[[argparse.Namespace], int] = getattr(importlib.import_module(f"watchword.cli.{module}"), function)
    return command


def _told(message: str, hint: str = "") -> int:
    print(f"watchword: error: {message}", file=sys.stderr)
    if hint:
        print(f"watchword: hint: {hint}", file=sys.stderr)
    return 2
