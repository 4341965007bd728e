"""``watchword status``: what this member may use, what lapses, what it owes, who waits for it, what is in trouble."""

from __future__ import annotations

import argparse

from watchword.cli.output import emit


def run(args: argparse.Namespace) -> int:
    """Print the page; exit 1 when something used is refused or in trouble."""
    from watchword import node
    from watchword.account.knowing import known
    from watchword.account.status import board, render_text, status
    from watchword.cli.policy import page
    from watchword.ledger.durable import StorageTrouble
    from watchword.node.home import BusyNode

    home = node.find_home(args.home)
    try:
        # As the writer, if nobody else is: what the gate holds may stand in a record that is not published yet.
        with node.Node.open(home, writing=True) as here:
            found = status(known(here))
    except (BusyNode, StorageTrouble):
        with node.Node.open(home, writing=False) as here:
            found = status(known(here))
    text = render_text(found)
    if args.page:
        text += "\n" + page(args, board(found))
    emit(args, text, found.value())
    return 0 if found.yes else 1
