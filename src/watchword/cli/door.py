"""Where every command line enters and every error leaves (exit codes: see ``watchword.cli``).

* Whatever is raised becomes two lines on stderr and exit code 2; nothing is on stdout then.
* Before anything is opened, the three standard descriptors are there: otherwise the next file opened, a ledger perhaps,
  would get the number of a closed one, and what is printed would land in it.
"""

from __future__ import annotations

import argparse
import contextlib
import errno
import importlib
import io
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from watchword.cli.output import lower, one_line, write_out
from watchword.cli.tree import parser
from watchword.errors import WatchwordError
from watchword.observe import steps

HINTS = {
    errno.ENOENT: "check the path",
    errno.ENOTDIR: "check the path",
    errno.EISDIR: "a file is needed here, not a folder",
    errno.EACCES: "check your permission to it",
    errno.EPERM: "check your permission to it",
    errno.ENOSPC: "free space on the disk; nothing half-done was kept",
    errno.EDQUOT: "free space on the disk; nothing half-done was kept",
    errno.EFBIG: "files may not grow that large here; nothing half-done was kept",
    errno.EROFS: "the disk is read-only; nothing half-done was kept",
}


def run(arguments: list[str]) -> int:
    """Parse, call the command's function, translate what it raises into two lines on stderr and exit code 2."""
    with contextlib.ExitStack() as watching:
        return _run(arguments, watching)


def _run(arguments: list[str], watching: contextlib.ExitStack) -> int:
    try:
        if not _have_streams():
            return _told("standard output is closed", "the result would be told to nobody; nothing was done")
        return _answer(arguments, watching)
    except WatchwordError as error:
        return _told(error.message, error.hint)
    except KeyboardInterrupt:
        return _told("interrupted", "what was acknowledged is kept; the command can be given again")
    except BrokenPipeError:
        return 2  # the reader went away (a pager, head): nobody is left to tell
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        hint = HINTS.get(error.errno or 0, "nothing half-done was kept")
        return _told(f"{where}{lower(error.strerror or str(error))}", hint)
    except MemoryError:
        return _told("out of memory", "the input is larger than this machine can hold")
    except Exception as error:  # noqa: BLE001  the door is the one place that catches everything
        if os.environ.get("WATCHWORD_DEBUG"):
            import traceback

            traceback.print_exc()
        name = type(error).__name__
        return _told(f"internal error: {name}: {error}", "this is a bug; WATCHWORD_DEBUG=1 shows where it arose")


def _answer(arguments: list[str], watching: contextlib.ExitStack) -> int:
    shown = io.StringIO()
    try:
        with contextlib.redirect_stdout(shown):
            args = _parsed(arguments)
    except SystemExit as stop:
        # argparse exits 0 after --help and 2 on a usage error, as we would; but it does not notice a full disk.
        if shown.getvalue():
            write_out(shown.getvalue().removesuffix("\n"))
        return stop.code if isinstance(stop.code, int) else 2
    if hasattr(args, "log_format"):
        from watchword.cli.watching import watch

        watch(args, watching)
    return _command(args.run)(args)


def _parsed(arguments: list[str]) -> argparse.Namespace:
    """What *arguments* ask for. What follows ``--`` in ``run`` is the command's own, whether a RELEASE stands before it
    or not (``model`` is None then); argparse alone would take the first word of it for the release."""
    if arguments[:1] != ["run"] or "--" not in arguments:
        return parser().parse_args(arguments)
    at = arguments.index("--") + 1
    args = parser().parse_args([*arguments[:at], _HERE, *arguments[at:]])
    if str(args.model) == _HERE:
        args.model = None
    elif args.command[0] == _HERE:
        args.command = args.command[1:]
    else:
        parser().error(f"unrecognized arguments: {args.command[0]} (the command stands after --)")
    return args


_HERE = "\0"
"""A word that nobody can type: where the command begins."""


def _command(name: str) -> Callable[[argparse.Namespace], int]:
    """``module:function`` under ``watchword.cli``; imported only now, so that other commands stay quick."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    module, _, function = name.partition(":")
    command: Callable[[argparse.Namespace], int] = getattr(importlib.import_module(f"watchword.cli.{module}"), function)
    return command


def _have_streams() -> bool:
    """Fill the standard descriptors that are closed; whether there is a stdout to answer on."""
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest free number, which is this one
    if sys.stderr is None:
        sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115  as long as the process
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A name or a sign that the locale cannot write is shown as an escape; it does not stop the answer.
            with contextlib.suppress(OSError):  # what is waiting in it; the next writing tells
                stream.reconfigure(errors="backslashreplace")
    return sys.stdout is not None


def _told(message: str, hint: str = "") -> int:
    if steps.spoken():  # a log for machines has no other lines in it
        steps.note("ended", "", alarm=True, message=one_line(message), hint=one_line(hint))
        return 2
    print(f"watchword: error: {one_line(message)}", file=sys.stderr)
    if hint:
        print(f"watchword: hint: {one_line(hint)}", file=sys.stderr)
    return 2
