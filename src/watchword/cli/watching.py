"""What commands that run for long, or talk to others, tell of what they do: JSON lines on stderr."""

from __future__ import annotations

import argparse
import contextlib


def watch(args: argparse.Namespace, until: contextlib.ExitStack) -> None:
    """Tell of every step of the command, as *args* ask for it, until *until* closes."""
    if args.log_format == "json":
        from watchword.observe.lines import json_lines

        until.enter_context(json_lines())
