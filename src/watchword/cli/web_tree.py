"""The tree of what answers browsers and other nodes, and of who looked. Imports argparse alone."""

from __future__ import annotations

import argparse

from watchword.cli.arguments import Sub, from_one_to, listening, metrics, noun, verb
from watchword.limits import LOOKS_ANCHOR_MINUTES, LOOKS_ANCHOR_MINUTES_MAX


def web_commands(commands: Sub) -> None:
    """``serve``, ``console`` and ``looks``."""
    serve = verb(commands, "serve", "serve:run", "serve ledgers, mirrors, witness, bodies and the console over HTTP")
    listening(serve, 8440)
    metrics(serve)
    serve.add_argument("--origin", metavar="ORIGIN", help="how browsers reach the console (default: localhost's)")
    serve.add_argument(
        "--client", action="append", default=[], metavar="NAME=FILE",
        help="the TLS certificate (PEM) of a person of this member, or of another member, who reads in his scope",
    )  # fmt: skip
    serve.add_argument(
        "--anchor-looks", type=_minutes, default=LOOKS_ANCHOR_MINUTES, metavar="MINUTES",
        help=f"how often the head of the looks goes into the ledger, where somebody looked (default: "
        f"{LOOKS_ANCHOR_MINUTES}; at most {LOOKS_ANCHOR_MINUTES_MAX}, or never)",
    )  # fmt: skip
    console = verb(commands, "console", "console:run", "print a link that signs in to the console of this node, once")
    console.add_argument("--origin", metavar="ORIGIN", default="http://localhost:8440", help="where it is reached")
    looks = noun(commands, "looks", "the record of who looked at the console")
    verb(looks, "check", "looks:check", "whether it is whole, and what was anchored of it; exit 1 where it is not")
    verb(looks, "anchor", "looks:anchor", "put its head into the ledger, as serve, export, exchange and sync do")


def _minutes(text: str) -> int | None:
    try:
        return None if text == "never" else from_one_to(LOOKS_ANCHOR_MINUTES_MAX)(text)
    except argparse.ArgumentTypeError as error:
        raise argparse.ArgumentTypeError(f"{error}, nor never") from None
