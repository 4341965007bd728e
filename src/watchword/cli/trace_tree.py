"""The commands that follow whose word something rests on, declared; as in ``cli.tree``."""

from __future__ import annotations

from pathlib import Path

from watchword.cli.arguments import Sub, verb


def tracing(commands: Sub) -> None:
    """``trace``."""
    text = "whose word something rests on, each link verified, each with its owner"
    trace = verb(commands, "trace", "trace:run", text)
    text = "a hold, an action's or release's digest or name, ALFA/record#3, or a statement's id or locator"
    trace.add_argument("what", metavar="ID", help=text)
    trace.add_argument("--forward", action="store_true", help="the other way: what rests on it")
    trace.add_argument("--page", type=Path, metavar="FILE", help="also write it as a page with its graph (HTML)")
