"""The tree of ``watchword recall``, and what a recall may say besides its target. Imports argparse alone."""

from __future__ import annotations

import argparse
from pathlib import Path

from watchword.cli.arguments import Sub, noun, said, signer, verb


def recall_terms(one: argparse.ArgumentParser) -> None:
    """Which versions a recall means, what it is called, how soon, and what may be done instead."""
    one.add_argument(
        "--versions", action="append", default=[], metavar="RANGE",
        help="of a package, such as '>=2.0,<2.3' (default: all)",
    )
    one.add_argument("--directive", metavar="ID", help="the number people call it by; several recalls may share it")
    one.add_argument(
        "--severity", choices=("emergency", "urgent", "routine"), default="urgent", help="how soon holders must act"
    )
    one.add_argument(
        "--alternative", action="append", default=[], metavar="TEXT", help="what may be done instead of the actions"
    )


def recall_commands(commands: Sub) -> None:
    """``recall`` and its verbs, and ``supplier``."""
    recall = noun(commands, "recall", "answer recalls, see who has, exercise them; watchword notice recall makes one")
    answer = verb(recall, "answer", "recall:answer", "reckon at home what is hit, and share only no, yes or done")
    answer.add_argument("recall", metavar="RECALL", help="its id, its number (--directive) or its locator")
    answer.add_argument("--done", action="store_true", help="what it asks for is done, or the alternative is")
    answer.add_argument("--since", metavar="TIME", help="with --done: since when (default: now)")
    answer.add_argument("--alternative", metavar="TEXT", help="with --done: what was done instead")
    answer.add_argument("--hit", action="store_true", help="something is hit that this node knows nothing of")
    signer(answer)
    status = verb(recall, "status", "recall:status", "every recall with what each member answered, late ones first")
    status.add_argument("recall", nargs="?", metavar="RECALL", help="only this one: its id or its number")
    play = verb(recall, "exercise", "notice:issue", "play a recall end to end; it closes nothing and is no bad news")
    play.set_defaults(kind="recall", exercise=True, scope=None)
    play.add_argument("target", metavar="TARGET", help="as of watchword notice recall")
    play.add_argument("--reason", required=True, metavar="TEXT", type=said)
    play.add_argument("--output", type=Path, metavar="FILE", help="also write it as a file for any channel")
    play.add_argument("--action", action="append", default=[], metavar="TEXT", help="what holders would have to do")
    play.add_argument("--deadline", metavar="TIME", help="by when they are to answer, such as 2027-01-31T12:00:00Z")
    play.add_argument("--supersedes", metavar="ID", help="the id of an earlier exercise that this one replaces")
    recall_terms(play)
    signer(play)
    supplier = verb(commands, "supplier", "supplier:run", "what signed records say of a supplier, and its replies")
    supplier.add_argument("names", nargs="*", metavar="NAME", help="default: all in the charter")
    supplier.add_argument("--public", action="store_true", help="only from statements whose makers published them")
