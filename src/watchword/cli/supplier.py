"""``watchword supplier``: what signed records say of the suppliers, each beside its replies."""

from __future__ import annotations

import argparse

from watchword.cli.output import emit, one_line
from watchword.errors import WatchwordError


class NoSupplier(WatchwordError):
    """A name that the charter lists for no supplier."""


def run(args: argparse.Namespace) -> int:
    """Print every measure of each supplier; what nobody recorded is unknown."""
    from watchword import node
    from watchword.account.suppliers import SCHEMA, suppliers

    with node.Node.open(node.find_home(args.home), writing=False) as here:
        known = [one.name for one in here.charter.suppliers]
        for name in args.names:
            if name not in known:
                raise NoSupplier(f"{name}: no supplier of this charter", f"there are {', '.join(known) or 'none'}")
        view = here.latest_view()
        found = suppliers(
            here.charter, view, here.facts(view), here.clock.now(), args.names or known, public=args.public
        )
    lines = [one_line(line) for one in found for line in one.lines()]
    value = {"public": args.public, "schema": SCHEMA, "suppliers": [one.value() for one in found]}
    emit(args, "\n".join(lines) or "this charter lists no supplier", value)
    return 0
