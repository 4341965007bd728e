"""``watchword trace``: the chain behind an action, receipt, release or statement, or what rests on it."""

from __future__ import annotations

import argparse
import shlex

from watchword.cli.output import emit


def run(args: argparse.Namespace) -> int:
    """Print the chain; exit 1 when something in it is broken, missing, withheld or fallen."""
    from watchword import node
    from watchword.account.trace import trace
    from watchword.account.trace_page import board, render_text
    from watchword.cli.policy import page
    from watchword.cli.subject import UnknownRelease, release
    from watchword.ledger.durable import StorageTrouble
    from watchword.node.home import BusyNode

    home = node.find_home(args.home)
    try:
        # As the writer, if nobody else is: only he publishes the leaves of receipts.
        here = node.Node.open(home, writing=True)
    except (BusyNode, StorageTrouble):
        here = node.Node.open(home, writing=False)
    with here:
        try:
            found = trace(here, args.what, forward=args.forward)
        except node.NotHere:
            try:
                named = release(args.what, here).digest
            except UnknownRelease:
                named = None
            if named in (None, args.what):
                raise
            found = trace(here, str(named), forward=args.forward)
        again = shlex.join(["watchword", "trace", *(["--forward"] if args.forward else []), "--", args.what])
        text = render_text(found) + page(args, board(found, again))
        emit(args, text, found.value())
    return 0 if found.whole else 1
