"""``watchword console``: a link from the terminal that signs in to the console of this node, once, to look."""

from __future__ import annotations

import argparse

from watchword.cli.output import emit
from watchword.cli.serve import installed


def run(args: argparse.Namespace) -> int:
    """Print the link; who opens it first is signed in as whoever keeps this home."""
    from watchword import node

    with installed("the console"):
        from watchword.web.console.access import link
    with node.Node.open(node.find_home(args.home), writing=False) as here:
        address = link(here, args.origin.rstrip("/"))
    emit(args, address, {"address": address, "schema": "watchword-console-link/1"})
    return 0
